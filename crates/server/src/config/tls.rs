//! The TLS pair at start-up: it must be readable, belong together and be valid now.

use httpkit::tls::{Tls, TlsFault, TlsFile};
use kernel::Micros;

use super::checks::Finding;
use super::place::loose_file;
use super::typed::{Config, Environment};

/// Opens the pair, if one is set.
///
/// # Errors
/// What is wrong with it.
pub(crate) fn open_tls(config: &Config, now: Micros) -> Result<Option<Tls>, Finding> {
    let Some(files) = &config.tls else {
        return Ok(None);
    };
    Tls::open(&files.certificate, &files.key, now).map(Some).map_err(refusal)
}

fn refusal(fault: TlsFault) -> Finding {
    let variable = match fault.file {
        TlsFile::Certificate => "TLS_CERT_FILE",
        TlsFile::Key => "TLS_KEY_FILE",
    };
    Finding::refusal(variable, fault.text)
}

/// Checks the pair, if one is set.
pub(super) fn check_tls(config: &Config, now: Micros) -> Vec<Finding> {
    let production = config.environment == Environment::Production;
    let loose = config.tls.as_ref().and_then(|files| loose_file("TLS_KEY_FILE", &files.key, production));
    open_tls(config, now).err().into_iter().chain(loose).collect()
}
