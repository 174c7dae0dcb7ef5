//! Argon2id on a bounded pool: a hash never runs on a thread that answers requests.

use std::sync::Arc;

use argon2::password_hash::{PasswordHash, PasswordHasher, PasswordVerifier, SaltString};
use argon2::{Algorithm, Argon2, Params, Version};
use kernel::{Result, Secret};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::Error;

/// Sign-ins that may wait for a core; more are told to come back.
const LINE: usize = 256;

/// OWASP's recommendation for Argon2id: 19 MiB, two passes, one lane.
fn hasher() -> Result<Argon2<'static>> {
    let params = Params::new(19_456, 2, 1, None).map_err(|error| internal(&error))?;
    Ok(Argon2::new(Algorithm::Argon2id, Version::V0x13, params))
}

fn internal(error: &dyn std::fmt::Display) -> kernel::Error {
    kernel::Error::internal(format!("hash a password: {error}"))
}

/// The pool: as many hashes at once as the machine has cores.
#[derive(Clone)]
pub(crate) struct Passwords {
    line: Arc<Semaphore>,
    cores: Arc<Semaphore>,
}

/// A place on a core, held until the hash is done.
pub(crate) struct Turn {
    _place: OwnedSemaphorePermit,
    _core: OwnedSemaphorePermit,
}

impl Passwords {
    pub(crate) fn new() -> Self {
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        Self { line: Arc::new(Semaphore::new(LINE)), cores: Arc::new(Semaphore::new(cores)) }
    }

    /// Waits for a core.
    ///
    /// # Errors
    /// `Busy` when too many wait already.
    pub(crate) async fn turn(&self) -> Result<Turn> {
        let place = self.line.clone().try_acquire_owned().map_err(|_| Error::Busy)?;
        let core = self.cores.clone().acquire_owned().await.map_err(|_| Error::Busy)?;
        Ok(Turn { _place: place, _core: core })
    }

    /// Hashes a new password into PHC text.
    ///
    /// # Errors
    /// `Busy`.
    pub(crate) async fn hash(&self, password: Secret) -> Result<String> {
        let turn = self.turn().await?;
        blocking(move || {
            let _turn = turn;
            let salt = SaltString::encode_b64(&kernel::random::bytes::<16>()).map_err(|e| internal(&e))?;
            let hash = hasher()?.hash_password(password.expose().as_bytes(), &salt);
            Ok(hash.map_err(|e| internal(&e))?.to_string())
        })
        .await
    }

    /// Compares a password with PHC text. Without one (no such account) it does the same work and answers false.
    /// Hands the turn back, so that the caller can write the outcome down before the next one tries.
    ///
    /// # Errors
    /// A stored hash that cannot be read: a defect.
    pub(crate) async fn verify(
        &self,
        turn: Turn,
        phc: Option<String>,
        password: Secret,
    ) -> Result<(bool, Turn)> {
        blocking(move || {
            let bytes = password.expose().as_bytes();
            if let Some(phc) = phc {
                let hash = PasswordHash::new(&phc).map_err(|e| internal(&e))?;
                return Ok((hasher()?.verify_password(bytes, &hash).is_ok(), turn));
            }
            let mut out = [0_u8; 32];
            let done = hasher()?.hash_password_into(bytes, b"no such account.", &mut out);
            done.map_err(|e| internal(&e))?;
            Ok((false, turn))
        })
        .await
    }
}

async fn blocking<T: Send + 'static>(work: impl FnOnce() -> Result<T> + Send + 'static) -> Result<T> {
    tokio::task::spawn_blocking(work).await.map_err(kernel::Error::internal)?
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_password_matches_its_own_hash_only() {
        let pool = Passwords::new();
        let phc = pool.hash(Secret::new("correct horse battery")).await.unwrap();
        assert!(phc.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{phc}");
        for (phc, password, expected) in [
            (Some(phc.clone()), "correct horse battery", true),
            (Some(phc), "correct horse battery ", false),
            (None, "correct horse battery", false),
        ] {
            let turn = pool.turn().await.unwrap();
            let (is_right, _turn) = pool.verify(turn, phc, Secret::new(password)).await.unwrap();
            assert_eq!(is_right, expected);
        }
    }
}
