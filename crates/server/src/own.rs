//! The server on this machine, asked on the port that its settings name.

use std::time::Duration;

use reqwest::Client;

use crate::config::Config;

/// Longest wait for an answer.
const PATIENCE: Duration = Duration::from_secs(2);

/// Where the server is asked; `None` when it listens nowhere.
pub(crate) fn url(config: &Config, path: &str) -> Option<String> {
    let address = config.listen.first()?;
    let host = if address.ip().is_unspecified() { "127.0.0.1".to_owned() } else { address.ip().to_string() };
    let host = if host.contains(':') { format!("[{host}]") } else { host };
    let scheme = if config.tls.is_some() { "https" } else { "http" };
    Some(format!("{scheme}://{host}:{}{path}", address.port()))
}

/// The status that a URL of [`url`] answers with.
///
/// # Errors
/// When nothing answers within two seconds.
pub(crate) async fn status(url: &str) -> Result<u16, reqwest::Error> {
    // The certificate is for the public name, and whoever holds this machine's own port holds its key.
    let client =
        Client::builder().no_proxy().timeout(PATIENCE).tls_danger_accept_invalid_certs(true).build()?;
    Ok(client.get(url).send().await?.status().as_u16())
}
