//! Secrets that the first run makes: files that only the server's user can read, never printed.

use std::io::Write;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::Path;

use kernel::Secret;

use crate::config::Config;

/// The secrets of a running server.
#[derive(Clone, Debug)]
pub(crate) struct Secrets {
    /// Signs access tokens.
    pub(crate) jwt: Secret,
    /// Pepper of stored hashes.
    pub(crate) api_key: Secret,
    /// Seals what is read back; whoever restores this directory can open it.
    pub(crate) encryption: Secret,
}

impl Secrets {
    /// Makes the placeholders of what memory takes out of texts: alike on all servers that share the pepper.
    pub(crate) fn placeholder_key(&self) -> Secret {
        let text = format!("hearth placeholders {}", self.api_key.expose());
        Secret::new(store::blob::data_hash(text.as_bytes()))
    }
}

/// Takes each secret from the configuration, else from its file, else makes it.
///
/// # Errors
/// A file that cannot be read or made.
pub(crate) fn take_or_make(config: &Config) -> std::io::Result<Secrets> {
    let folder = config.data_dir.join("secrets");
    std::fs::DirBuilder::new().recursive(true).mode(0o700).create(&folder)?;
    let get = |given: &Option<Secret>, name: &str| match given {
        Some(secret) => Ok(secret.clone()),
        None => read_or_make(&folder.join(name)),
    };
    let secrets = Secrets {
        jwt: get(&config.jwt_secret, "jwt_secret")?,
        api_key: get(&config.api_key_secret, "api_key_secret")?,
        encryption: get(&config.encryption_key, "encryption_key")?,
    };
    // Before anything is stored under them: a power cut that took their names would lock everyone out.
    for folder in [&folder, &config.data_dir] {
        std::fs::File::open(folder)?.sync_all()?;
    }
    Ok(secrets)
}

fn read_or_make(path: &Path) -> std::io::Result<Secret> {
    let read = || std::fs::read_to_string(path).map(|text| Secret::new(text.trim_end()));
    if path.exists() {
        return read();
    }
    // Written beside and linked into place: of two processes that start at once, the first one's secret stays.
    let beside = path.with_extension(&kernel::random::token()[..8]);
    let mut file = std::fs::File::options().write(true).create_new(true).mode(0o600).open(&beside)?;
    file.write_all(kernel::random::token().as_bytes())?;
    file.sync_all()?;
    let linked = std::fs::hard_link(&beside, path);
    std::fs::remove_file(&beside)?;
    match linked {
        Err(error) if error.kind() != std::io::ErrorKind::AlreadyExists => Err(error),
        _ => read(),
    }
}
