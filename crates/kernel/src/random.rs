//! The one source of chance.

/// Fills an array with bytes from the operating system's generator.
///
/// # Panics
/// When the operating system has no entropy source, which leaves nothing safe to do.
#[allow(
    clippy::disallowed_methods,
    reason = "this is the one place that asks the operating system"
)]
pub fn bytes<const N: usize>() -> [u8; N] {
    let mut out = [0_u8; N];
    getrandom::fill(&mut out).expect("the operating system provides random bytes");
    out
}

/// Makes an unguessable token: 32 random bytes in 52 lower-case base-32 characters.
pub fn token() -> String {
    crate::id::BASE32.encode(&bytes::<32>())
}
