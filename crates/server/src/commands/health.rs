//! `hearth health`: what a container without a shell asks about the server in it.

use super::{Failure, configuration, say};
use crate::config::Flags;

/// Prints one word; ends with 1 when the server is not what was asked for.
pub(super) async fn run(flags: &Flags, ready: bool) -> Result<(), Failure> {
    let config = configuration(flags, false)?;
    let (path, word) = if ready { ("/health/ready", "ready") } else { ("/health/live", "alive") };
    let Some(url) = crate::own::url(&config, path) else {
        return Err(Failure::setting("LISTEN", "names no address to ask; set HOST and PORT or remove it"));
    };
    match crate::own::status(&url).await {
        Ok(200) => say(word),
        Ok(status) => Err(Failure::work(format!("hearth: not {word}: {url} answers {status}"))),
        Err(_) => Err(Failure::work(format!("hearth: not {word}: nothing answers at {url}"))),
    }
}
