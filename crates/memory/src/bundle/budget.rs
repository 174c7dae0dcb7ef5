//! How many tokens each section may use.

use std::collections::BTreeMap;

use kernel::{Error, Result};

use super::model::{DEFAULT_TOKENS, SectionName};

/// A section and its tokens.
pub(super) type Room = (SectionName, usize);

/// Tokens of a section in a bundle of [`DEFAULT_TOKENS`].
const fn share(section: SectionName) -> usize {
    match section {
        SectionName::Identity => 1_200,
        SectionName::Rules | SectionName::Handoff => 6_000,
        SectionName::Tasks => 3_000,
        SectionName::Decisions => 4_000,
        SectionName::Recent => 8_000,
        SectionName::Evidence => 28_000,
        SectionName::Reserve => 8_800,
    }
}

/// Tokens of all sections, in their order: the share of each, or what `wished` says of it. Where wishes leave too little, the
/// other sections shrink alike.
///
/// # Errors
/// `validation_failed` for a section that is none, or wishes beyond `tokens`.
pub(super) fn rooms(tokens: usize, wished: &BTreeMap<String, i64>) -> Result<Vec<Room>> {
    let mut named = BTreeMap::new();
    for (name, wish) in wished {
        let field = || format!("budgets.{name}");
        let section = SectionName::parse(name).ok_or_else(|| Error::field(field(), "is no section"))?;
        let wish = usize::try_from(*wish).ok().filter(|wish| *wish <= tokens);
        named.insert(section, wish.ok_or_else(|| Error::field(field(), format!("is 0 to {tokens}")))?);
    }
    let taken: usize = named.values().sum();
    if taken > tokens {
        let text = format!("add up to {taken}, which is more than the {tokens} of the whole");
        return Err(Error::field("budgets", text));
    }
    let others = || SectionName::ALL.iter().filter(|section| !named.contains_key(section));
    let shares: usize = others().map(|section| share(*section)).sum();
    // Of `tokens`, or of what is left when that is less.
    let (part, whole) = if shares * tokens > (tokens - taken) * DEFAULT_TOKENS {
        (tokens - taken, shares)
    } else {
        (tokens, DEFAULT_TOKENS)
    };
    let room = |section: &SectionName| {
        (*section, named.get(section).copied().unwrap_or_else(|| share(*section) * part / whole))
    };
    Ok(SectionName::ALL.iter().map(room).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn sizes(tokens: usize, wished: &[(&str, i64)]) -> Result<Vec<usize>> {
        let wished = wished.iter().map(|(name, wish)| ((*name).to_owned(), *wish)).collect();
        Ok(rooms(tokens, &wished)?.into_iter().map(|(_, room)| room).collect())
    }

    #[test]
    fn shares_are_the_published_ones_and_scale() {
        let published = [1_200, 6_000, 6_000, 3_000, 4_000, 8_000, 28_000, 8_800];
        assert_eq!(published.iter().sum::<usize>(), 65_000);
        assert_eq!(sizes(65_000, &[]).unwrap(), published);
        assert_eq!(sizes(6_500, &[]).unwrap(), published.map(|room| room / 10));
    }

    #[test]
    fn wishes_count_and_the_others_shrink_only_when_they_must() {
        let rooms = sizes(65_000, &[("rules", 1_000), ("identity", 0)]).unwrap();
        assert_eq!((rooms[0], rooms[1], rooms[6]), (0, 1_000, 28_000));
        let rooms = sizes(65_000, &[("retrieved_evidence", 60_000)]).unwrap();
        assert_eq!((rooms[6], rooms[2]), (60_000, 6_000 * 5_000 / 37_000));
        for bad in [&[("rules", -1)][..], &[("rules", 65_001)], &[("prose", 1)]] {
            assert_eq!(sizes(65_000, bad).unwrap_err().code, "validation_failed");
        }
        let both = sizes(65_000, &[("rules", 40_000), ("reserve", 40_000)]).unwrap_err();
        assert_eq!(both.fields[0].field, "budgets");
    }

    proptest! {
        #[test]
        fn sections_never_add_up_to_more_than_the_whole(
            tokens in 1_000_usize..200_000, a in 0_i64..200_000, b in 0_i64..200_000,
        ) {
            if let Ok(rooms) = sizes(tokens, &[("rules", a), ("retrieved_evidence", b)]) {
                prop_assert!(rooms.iter().sum::<usize>() <= tokens);
            }
        }
    }
}
