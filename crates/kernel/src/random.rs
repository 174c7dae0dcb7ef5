//! The one source of chance.

use std::cell::RefCell;

/// Bytes fetched from the operating system at a time: a call for each request id would cost more than the id.
const POOL: usize = 1_024;

thread_local! {
    /// Bytes that nobody has had yet, taken from the end.
    static UNUSED: RefCell<Vec<u8>> = const { RefCell::new(Vec::new()) };
}

/// Fills an array with bytes from the operating system's generator; no byte is handed out twice.
///
/// # Panics
/// When the operating system has no entropy source, which leaves nothing safe to do.
pub fn bytes<const N: usize>() -> [u8; N] {
    let mut out = [0_u8; N];
    UNUSED.with_borrow_mut(|unused| {
        if unused.len() < N {
            *unused = fresh(N.max(POOL));
        }
        let rest = unused.len() - N;
        out.copy_from_slice(&unused[rest..]);
        // What was handed out must not lie about in memory.
        unused[rest..].fill(0);
        unused.truncate(rest);
    });
    out
}

#[allow(clippy::disallowed_methods, reason = "this is the one place that asks the operating system")]
fn fresh(count: usize) -> Vec<u8> {
    let mut bytes = vec![0_u8; count];
    getrandom::fill(&mut bytes).expect("the operating system provides random bytes");
    bytes
}

/// Makes an unguessable token: 32 random bytes in 52 lower-case base-32 characters.
pub fn token() -> String {
    crate::id::BASE32.encode(&bytes::<32>())
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    #[test]
    fn no_bytes_are_handed_out_twice() {
        let of_threads: Vec<_> = (0..4)
            .map(|_| std::thread::spawn(|| (0..500).map(|_| super::bytes::<16>()).collect::<Vec<_>>()))
            .collect();
        let all: Vec<_> = of_threads.into_iter().flat_map(|thread| thread.join().unwrap()).collect();
        assert_eq!(all.iter().collect::<HashSet<_>>().len(), 2_000);
        assert!(all.iter().all(|bytes| bytes.iter().any(|b| *b != 0)));
    }
}
