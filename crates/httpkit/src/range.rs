//! `Range`: which bytes of a thing a request asks for.

use axum::http::{HeaderMap, header};

/// The first byte and the one after the last that `Range` asks for of `whole` bytes: `bytes=a-b`, `bytes=a-` and `bytes=-n`;
/// anything else, also a range outside the bytes, asks for the whole.
pub fn byte_range(headers: &HeaderMap, whole: u64) -> Option<(u64, u64)> {
    let text = headers.get(header::RANGE)?.to_str().ok()?;
    let (from, to) = text.strip_prefix("bytes=")?.split_once('-')?;
    let (start, end) = match (from.parse::<u64>(), to.parse::<u64>()) {
        (Ok(start), Ok(last)) => (start, last.saturating_add(1).min(whole)),
        (Ok(start), Err(_)) if to.is_empty() => (start, whole),
        (Err(_), Ok(n)) if from.is_empty() => (whole.saturating_sub(n), whole),
        _ => return None,
    };
    (start < end).then_some((start, end))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_are_read_or_ignored() {
        let cases = [
            ("bytes=0-3", Some((0, 4))),
            ("bytes=8-", Some((8, 10))),
            ("bytes=-4", Some((6, 10))),
            ("bytes=5-99", Some((5, 10))),
            ("bytes=10-12", None),
            ("bytes=4-2", None),
            ("lines=1-2", None),
            ("bytes=0-1,3-4", None),
        ];
        for (text, expected) in cases {
            let headers = HeaderMap::from_iter([(header::RANGE, text.parse().unwrap())]);
            assert_eq!(byte_range(&headers, 10), expected, "{text}");
        }
    }
}
