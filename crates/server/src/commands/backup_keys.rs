//! The keys that backups on S3 are sealed to and opened with.

use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use kernel::Secret;
use store::backup::{self, PrivateKey};

use super::{Failure, say};

/// Reads the private key from its file.
pub(super) fn private_key(file: Option<PathBuf>) -> Result<Option<PrivateKey>, Failure> {
    let Some(file) = file else {
        return Ok(None);
    };
    let refused = |why: String| Failure { code: 2, text: format!("hearth: --key {}: {why}", file.display()) };
    let text = std::fs::read_to_string(&file).map_err(|error| refused(error.to_string()))?;
    let key = PrivateKey::parse(&Secret::new(text));
    key.map(Some).ok_or_else(|| refused("holds no private key; hearth backup new-key made it".to_owned()))
}

/// Makes a pair: the private key goes into a new file, the public one is printed as a setting.
pub(super) fn new_key(out: &Path) -> Result<(), Failure> {
    let (public, private) = backup::new_pair()?;
    let file = std::fs::File::options().write(true).create_new(true).mode(0o600).open(out);
    let written = file.and_then(|mut file| {
        writeln!(file, "{}", private.expose())?;
        file.sync_all()
    });
    written.map_err(|error| Failure::work(format!("hearth: {}: {error}", out.display())))?;
    eprintln!("the private key is in {}; without it no sealed backup opens", out.display());
    say(&format!("BACKUP_PUBLIC_KEY={public}"))
}
