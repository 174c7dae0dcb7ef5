//! TLS: a certificate with its key, checked before it is used and changed without dropping a connection.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use arc_swap::ArcSwap;
use kernel::{Clock, Micros};
use rustls::ServerConfig;
use rustls::crypto::aws_lc_rs;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio_rustls::TlsAcceptor;
use x509_parser::prelude::{FromDer, X509Certificate};

/// How often the files are looked at.
const LOOK_EVERY: Duration = Duration::from_secs(3);

/// Which of the two files something is wrong with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TlsFile {
    /// The chain, the server's own certificate first.
    Certificate,
    /// Its private key.
    Key,
}

/// Why a pair cannot be used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TlsFault {
    /// The file to look at.
    pub file: TlsFile,
    /// `what is wrong; cure`.
    pub text: String,
}

impl std::fmt::Display for TlsFault {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.text)
    }
}

/// A certificate's files and the pair that is in use. Clones share it.
#[derive(Clone, Debug)]
pub struct Tls(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    certificate: PathBuf,
    key: PathBuf,
    current: ArcSwap<Pair>,
}

#[derive(Debug)]
struct Pair {
    config: Arc<ServerConfig>,
    expires_at: Micros,
}

impl Tls {
    /// Reads and checks a pair of PEM files.
    ///
    /// # Errors
    /// What is wrong with which file.
    pub fn open(certificate: &Path, key: &Path, now: Micros) -> Result<Self, TlsFault> {
        let pair = read(certificate, key, now)?;
        let current = ArcSwap::from_pointee(pair);
        let tls = Self(Arc::new(Inner { certificate: certificate.to_owned(), key: key.to_owned(), current }));
        tls.publish();
        Ok(tls)
    }

    /// Reads the files again. New connections get the new pair; those that are open go on.
    ///
    /// # Errors
    /// What is wrong with which file; the pair in use stays.
    pub fn reload(&self, now: Micros) -> Result<(), TlsFault> {
        let pair = read(&self.0.certificate, &self.0.key, now)?;
        self.0.current.store(Arc::new(pair));
        self.publish();
        Ok(())
    }

    /// When the certificate in use expires.
    pub fn expires_at(&self) -> Micros {
        self.0.current.load().expires_at
    }

    /// Takes a new pair into use when the files change, until dropped.
    pub async fn watch(self, clock: Clock) {
        let mut every = tokio::time::interval(LOOK_EVERY);
        let mut seen = self.changed_at();
        loop {
            every.tick().await;
            let now = self.changed_at();
            if now != seen {
                seen = now;
                self.try_reload(&clock);
            }
        }
    }

    /// [`Tls::reload`] with its outcome in the log.
    pub fn try_reload(&self, clock: &Clock) {
        match self.reload(clock.now()) {
            Ok(()) => tracing::info!(expires_at = %self.expires_at(), "TLS certificate changed"),
            Err(fault) => tracing::error!(%fault, "new TLS certificate refused; the one in use stays"),
        }
    }

    pub(crate) fn acceptor(&self) -> TlsAcceptor {
        TlsAcceptor::from(self.0.current.load().config.clone())
    }

    fn changed_at(&self) -> [Option<SystemTime>; 2] {
        [&self.0.certificate, &self.0.key].map(|path| std::fs::metadata(path).ok()?.modified().ok())
    }

    fn publish(&self) {
        let seconds = self.expires_at().0 / Micros::SECOND;
        metrics::gauge!("hearth_tls_certificate_expiry_timestamp_seconds").set(seconds as f64);
    }
}

fn read(certificate: &Path, key: &Path, now: Micros) -> Result<Pair, TlsFault> {
    let fault = |file, text| TlsFault { file, text };
    let pem = |path: &Path, file| {
        let shown = path.display();
        std::fs::read(path)
            .map_err(|e| fault(file, format!("cannot read {shown}: {e}; name a readable PEM file")))
    };
    let (shown, shown_key) = (certificate.display(), key.display());
    let chain: Vec<_> = CertificateDer::pem_slice_iter(&pem(certificate, TlsFile::Certificate)?)
        .collect::<Result<_, _>>()
        .map_err(|e| {
            fault(TlsFile::Certificate, format!("{shown} is no PEM file: {e}; write the chain anew"))
        })?;
    let expires_at = check_dates(&chain, now)
        .map_err(|what| fault(TlsFile::Certificate, format!("the certificate in {shown} {what}")))?;
    let key = PrivateKeyDer::from_pem_slice(&pem(key, TlsFile::Key)?).map_err(|e| {
        fault(TlsFile::Key, format!("{shown_key} holds no private key in PEM: {e}; write it anew"))
    })?;
    let mut config = ServerConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
        .with_protocol_versions(&[&rustls::version::TLS13, &rustls::version::TLS12])
        .expect("the provider serves both versions")
        .with_no_client_auth()
        .with_single_cert(chain, key)
        .map_err(|e| {
            let text = format!("the key in {shown_key} is not for the certificate in {shown} ({e}); give the pair that belongs together");
            fault(TlsFile::Key, text)
        })?;
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    Ok(Pair { config: Arc::new(config), expires_at })
}

/// When the first certificate expires; an error unless it is valid now.
fn check_dates(chain: &[CertificateDer<'_>], now: Micros) -> Result<Micros, String> {
    let Some(own) = chain.first() else {
        return Err("is missing; write the server's certificate first, then those above it".to_owned());
    };
    let (_, own) = X509Certificate::from_der(own)
        .map_err(|error| format!("cannot be read: {error}; write the chain anew"))?;
    let at = |time: x509_parser::time::ASN1Time| Micros(time.timestamp().saturating_mul(Micros::SECOND));
    let (from, until) = (at(own.validity().not_before), at(own.validity().not_after));
    if until <= now {
        return Err(format!("expired at {until}; renew it"));
    }
    if from > now {
        return Err(format!("is valid from {from} on; see that the clock is right, or use the one before"));
    }
    Ok(until)
}
