//! One error for everything that reaches a caller.

use std::error::Error as StdError;
use std::fmt;

/// A result with [`Error`].
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// What a caller can do about an error; `httpkit` holds the only mapping to HTTP.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ErrorKind {
    /// The request is wrong and will stay wrong.
    Invalid,
    /// No credential, or one that is not valid.
    Unauthenticated,
    /// The caller lacks a right.
    Forbidden,
    /// Absent, or somebody else's: the two look the same.
    NotFound,
    /// The method is not served here.
    MethodNotAllowed,
    /// Nothing acceptable can be produced.
    NotAcceptable,
    /// The state has moved on, or a name is taken.
    Conflict,
    /// Over a size limit; nothing was stored.
    TooLarge,
    /// The body's media type is not served.
    UnsupportedMedia,
    /// Too many requests; try later.
    RateLimited,
    /// Our fault; the source is in the log.
    Internal,
    /// A dependency is away; the same request may succeed later.
    Unavailable,
    /// The request did not arrive in time.
    TooSlow,
    /// The answer was not ready in time; its work was given up.
    DeadlineExceeded,
}

/// One wrong field of a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FieldError {
    /// Path such as `events[3].content.text`.
    pub field: String,
    /// What is wrong and what is allowed.
    pub message: String,
    /// Position in a batch, when the request was one.
    pub index: Option<usize>,
}

/// What an error means to the audit log, which the answer never tells.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Refusal {
    /// What its kind says: `Forbidden` is a refusal, nothing else is.
    #[default]
    ByKind,
    /// A refusal that looks like an absence: the row is another person's of the same tenant.
    Foreign,
    /// A refusal that has its audit row already.
    Recorded,
}

/// An error on its way to a caller.
#[derive(Debug)]
pub struct Error {
    /// The caller's choice.
    pub kind: ErrorKind,
    /// Stable, documented word.
    pub code: &'static str,
    /// Sentence for the caller; never holds foreign ids, SQL or secrets.
    pub public: String,
    /// Wrong fields.
    pub fields: Vec<FieldError>,
    /// Seconds to wait, for `RateLimited` and `Unavailable`.
    pub retry_after_seconds: Option<u32>,
    /// Whether it is to be audited as a refusal.
    pub refusal: Refusal,
    /// What is there now, for `Conflict`: the caller can begin again from it.
    pub current: Option<Box<serde_json::Value>>,
    /// The cause, logged once where the error is answered.
    pub source: Option<Box<dyn StdError + Send + Sync>>,
}

impl Error {
    /// Makes an error without fields or source.
    pub fn new(kind: ErrorKind, code: &'static str, public: impl Into<String>) -> Self {
        Self {
            kind,
            code,
            public: public.into(),
            fields: Vec::new(),
            retry_after_seconds: None,
            refusal: Refusal::ByKind,
            current: None,
            source: None,
        }
    }

    /// A request with one wrong field.
    pub fn field(field: impl Into<String>, message: impl Into<String>) -> Self {
        let (field, message) = (field.into(), message.into());
        let mut error = Self::new(ErrorKind::Invalid, "validation_failed", format!("{field}: {message}"));
        error.fields.push(FieldError { field, message, index: None });
        error
    }

    /// A request that is wrong as a whole.
    pub fn invalid(code: &'static str, public: impl Into<String>) -> Self {
        Self::new(ErrorKind::Invalid, code, public)
    }

    /// Absent or somebody else's `thing`.
    pub fn not_found(thing: &str) -> Self {
        Self::new(ErrorKind::NotFound, "not_found", format!("no such {thing}"))
    }

    /// Somebody else's `thing` of the same tenant: answered as an absent one, audited as a refusal.
    pub fn foreign(thing: &str) -> Self {
        Self { refusal: Refusal::Foreign, ..Self::not_found(thing) }
    }

    /// A row that was found, if `may` lets the caller have it.
    ///
    /// # Errors
    /// `not_found` for an absent `thing` and for a foreign one, which is audited.
    pub fn unless_foreign<T>(thing: &str, found: Option<T>, may: impl FnOnce(&T) -> bool) -> Result<T> {
        let row = found.ok_or_else(|| Self::not_found(thing))?;
        if may(&row) { Ok(row) } else { Err(Self::foreign(thing)) }
    }

    /// A missing right.
    pub fn forbidden(public: impl Into<String>) -> Self {
        Self::new(ErrorKind::Forbidden, "forbidden", public)
    }

    /// A state that has moved on.
    pub fn conflict(code: &'static str, public: impl Into<String>) -> Self {
        Self::new(ErrorKind::Conflict, code, public)
    }

    /// Our own fault.
    pub fn internal(source: impl Into<Box<dyn StdError + Send + Sync>>) -> Self {
        Self::new(
            ErrorKind::Internal,
            "internal",
            "something failed on our side; the request id leads to its log line",
        )
        .because(source)
    }

    /// A dependency is away.
    pub fn unavailable(code: &'static str, public: impl Into<String>) -> Self {
        let mut error = Self::new(ErrorKind::Unavailable, code, public);
        error.retry_after_seconds = Some(1);
        error
    }

    /// Whether the caller was refused something and no audit row tells of it yet.
    pub fn is_unrecorded_refusal(&self) -> bool {
        match self.refusal {
            Refusal::ByKind => self.kind == ErrorKind::Forbidden,
            Refusal::Foreign => true,
            Refusal::Recorded => false,
        }
    }

    /// Adds the cause.
    #[must_use]
    pub fn because(mut self, source: impl Into<Box<dyn StdError + Send + Sync>>) -> Self {
        self.source = Some(source.into());
        self
    }

    /// Adds what is there now.
    #[must_use]
    pub fn showing(mut self, current: impl serde::Serialize) -> Self {
        self.current = serde_json::to_value(current).ok().map(Box::new);
        self
    }

    /// Adds the position in a batch to every field error.
    #[must_use]
    pub fn at_index(mut self, index: usize) -> Self {
        for field in &mut self.fields {
            field.index = Some(index);
        }
        self
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.code, self.public)
    }
}

impl StdError for Error {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.source.as_deref().map(|source| source as _)
    }
}
