//! The decisions a caller may have to take, and their one translation.

use kernel::error::{Error as PublicError, ErrorKind};

/// A refusal of this room.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum Error {
    /// Wrong tenant, username or password: never told apart.
    #[error("tenant, username or password is wrong")]
    SignInFailed,
    /// Too many failed sign-ins from this address.
    #[error("too many failed sign-ins; try again later")]
    Throttled {
        /// Seconds until the oldest failures are forgotten.
        retry_after_seconds: u32,
    },
    /// No right to make an account there, or no such tenant: never told apart.
    #[error("sign-up is closed; ask an administrator for an invitation")]
    SignUpClosed,
    /// The set-up token is missing, used, too old or not ours.
    #[error("the set-up token is missing, used or expired; `hearth setup-link` makes a new one")]
    SetupTokenRefused,
    /// An owner exists.
    #[error("this server has an owner already; sign in instead")]
    AlreadySetUp,
    /// The name is in use in that tenant.
    #[error("this username is taken")]
    UsernameTaken,
    /// Nothing was shown.
    #[error("API key required")]
    CredentialMissing,
    /// A key that is not ours, revoked or expired.
    #[error("Invalid API key")]
    KeyRefused,
    /// An access token that is forged, expired, or whose session ended.
    #[error("the access token is invalid or has expired")]
    TokenRefused,
    /// A cookie whose session ended.
    #[error("the session has ended; sign in again")]
    SessionRefused,
    /// A cookie on an unsafe method without its counterpart.
    #[error("the header X-CSRF-Token must repeat the session's csrf_token")]
    CsrfRequired,
    /// More than one credential.
    #[error("the request carries two different credentials; send one")]
    TwoCredentials,
    /// A refresh token that is unknown, expired, or whose session ended.
    #[error("the refresh token is invalid or has expired; sign in again")]
    RefreshRefused,
    /// A refresh token shown twice.
    #[error("the refresh token was used before; its session has been ended")]
    RefreshReused,
    /// A key would hold more than its maker.
    #[error("a key cannot hold more than its maker; not yours to give: {0}")]
    BeyondMaker(String),
    /// The caller is no owner.
    #[error("only an owner makes or unmakes owners")]
    OwnerRequired,
    /// The tenant would have no owner.
    #[error("the last owner cannot be demoted; make another owner first")]
    LastOwner,
    /// A token for somebody that the credential is not bound to.
    #[error("this needs an API key bound to that person")]
    MintRefused,
    /// The line in front of the password hash is full.
    #[error("too many sign-ins at once; try again")]
    Busy,
}

impl From<Error> for PublicError {
    fn from(error: Error) -> Self {
        let text = error.to_string();
        let (kind, code) = match &error {
            Error::SignInFailed => (ErrorKind::Unauthenticated, "sign_in_failed"),
            Error::Throttled { .. } => (ErrorKind::RateLimited, "sign_in_throttled"),
            Error::SignUpClosed => (ErrorKind::Forbidden, "sign_up_closed"),
            Error::SetupTokenRefused => (ErrorKind::Forbidden, "setup_token_refused"),
            Error::AlreadySetUp => (ErrorKind::Conflict, "already_set_up"),
            Error::UsernameTaken => (ErrorKind::Conflict, "username_taken"),
            Error::CredentialMissing => (ErrorKind::Unauthenticated, "credential_missing"),
            Error::KeyRefused => (ErrorKind::Unauthenticated, "invalid_api_key"),
            Error::TokenRefused => (ErrorKind::Unauthenticated, "invalid_access_token"),
            Error::SessionRefused => (ErrorKind::Unauthenticated, "session_ended"),
            Error::CsrfRequired => (ErrorKind::Forbidden, "csrf_required"),
            Error::TwoCredentials => (ErrorKind::Invalid, "two_credentials"),
            Error::RefreshRefused => (ErrorKind::Unauthenticated, "invalid_refresh_token"),
            Error::RefreshReused => (ErrorKind::Forbidden, "refresh_token_reused"),
            Error::BeyondMaker(_) => (ErrorKind::Forbidden, "beyond_maker"),
            Error::OwnerRequired => (ErrorKind::Forbidden, "owner_required"),
            Error::LastOwner => (ErrorKind::Conflict, "last_owner"),
            Error::MintRefused => (ErrorKind::Forbidden, "mint_refused"),
            Error::Busy => return Self::unavailable("sign_in_busy", text),
        };
        let mut public = Self::new(kind, code, text);
        if let Error::Throttled { retry_after_seconds } = error {
            public.retry_after_seconds = Some(retry_after_seconds);
        }
        public
    }
}
