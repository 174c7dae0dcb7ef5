//! What an index is told about a document, and what it keeps of it.

/// One document (a turn, or a chunk of one) as handed to [`crate::Index::upsert`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Doc<'a> {
    /// Unique in the index; `xxx_` + 26 base-32 characters are kept in 20 bytes, other keys as text.
    pub key: &'a str,
    /// Documents of one session are neighbours of each other, ordered by `seq`, then key.
    pub session: &'a str,
    /// Order inside the session.
    pub seq: i64,
    /// Name of who spoke; indexed, and matched against names in the query. May be empty.
    pub speaker: &'a str,
    /// Agent the document belongs to, for [`crate::Filter::agents`]. May be empty.
    pub agent: &'a str,
    /// Caller's own number of the kind of document, 0–63, for [`crate::Filter::kinds`].
    pub kind: u8,
    /// When it happened, µs since 1970 UTC: newer wins ties; its date is indexed in words.
    pub occurred_at_us: i64,
    /// The words said.
    pub text: &'a str,
    /// Further indexed text: image caption, image search words, key line.
    pub extra: &'a [&'a str],
    /// Tags for [`crate::Filter`]; any text.
    pub labels: &'a [&'a str],
    /// Whether to index the date of `occurred_at_us` in words ("8 may 2023").
    pub with_date: bool,
}

impl Default for Doc<'_> {
    fn default() -> Self {
        Self {
            key: "",
            session: "",
            seq: 0,
            speaker: "",
            agent: "",
            kind: 0,
            occurred_at_us: 0,
            text: "",
            extra: &[],
            labels: &[],
            with_date: true,
        }
    }
}

/// What stays of a document beside its postings.
pub(crate) struct Meta {
    /// Its terms and labels, see `postings::pack_terms`: needed to take it out again.
    pub(crate) terms: Box<[u8]>,
    pub(crate) occurred_at_us: i64,
    pub(crate) seq: i64,
    pub(crate) speaker: u32,
    pub(crate) agent: u32,
    pub(crate) kind: u8,
    pub(crate) is_live: bool,
}
