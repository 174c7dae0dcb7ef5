//! TLS: both protocols, a pair that changes under open connections, and pairs that are refused.

use std::path::PathBuf;
use std::sync::Arc;

use httpkit::accept::AcceptConfig;
use httpkit::tls::{Tls, TlsFile};
use kernel::{Clock, Micros};
use rcgen::{CertificateParams, KeyPair, date_time_ymd};
use rustls::pki_types::ServerName;
use rustls::pki_types::pem::PemObject;
use rustls::{ClientConfig, RootCertStore};
use tempfile::TempDir;
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use crate::client::{connect, get, get_and_close, last_answer, next_answer, rest, say};
use crate::support::*;

/// A certificate of `localhost` and its key, in files that can be replaced.
pub(crate) struct Files {
    dir: TempDir,
}

impl Files {
    pub(crate) fn new() -> Self {
        let files = Self { dir: tempfile::tempdir().unwrap() };
        files.write(&Pair::valid());
        files
    }

    fn certificate(&self) -> PathBuf {
        self.dir.path().join("cert.pem")
    }

    fn key(&self) -> PathBuf {
        self.dir.path().join("key.pem")
    }

    fn write(&self, pair: &Pair) {
        std::fs::write(self.certificate(), &pair.certificate).unwrap();
        std::fs::write(self.key(), &pair.key).unwrap();
    }

    pub(crate) fn open(&self) -> Tls {
        Tls::open(&self.certificate(), &self.key(), Clock::system().now()).unwrap()
    }

    /// Connects and trusts exactly the certificate that lies in the file.
    pub(crate) async fn connect(&self, server: &Server, protocols: &[&[u8]]) -> TlsStream<TcpStream> {
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let mut roots = RootCertStore::empty();
        roots.add(rustls::pki_types::CertificateDer::from_pem_file(self.certificate()).unwrap()).unwrap();
        let mut config = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_root_certificates(roots)
            .with_no_client_auth();
        config.alpn_protocols = protocols.iter().map(|name| name.to_vec()).collect();
        let name = ServerName::try_from("localhost").unwrap();
        TlsConnector::from(Arc::new(config)).connect(name, connect(server.address).await).await.unwrap()
    }
}

struct Pair {
    certificate: String,
    key: String,
}

impl Pair {
    fn valid() -> Self {
        Self::of_years(2020, 2090)
    }

    fn of_years(from: i32, until: i32) -> Self {
        let key = KeyPair::generate().unwrap();
        let mut params = CertificateParams::new(vec!["localhost".to_owned()]).unwrap();
        (params.not_before, params.not_after) = (date_time_ymd(from, 1, 1), date_time_ymd(until, 1, 1));
        Self { certificate: params.self_signed(&key).unwrap().pem(), key: key.serialize_pem() }
    }
}

async fn server(files: &Files) -> (Server, Tls) {
    let tls = files.open();
    (Server::start(AcceptConfig { tls: Some(tls.clone()), ..hurried() }).await, tls)
}

#[tokio::test]
async fn a_client_gets_the_protocol_it_offers_and_is_told_to_stay_with_tls() {
    let files = Files::new();
    let (server, _) = server(&files).await;
    for (offered, chosen) in
        [(&[&b"h2"[..], b"http/1.1"][..], Some(&b"h2"[..])), (&[b"http/1.1"], Some(b"http/1.1")), (&[], None)]
    {
        let stream = files.connect(&server, offered).await;
        assert_eq!(stream.get_ref().1.alpn_protocol(), chosen);
    }
    let mut stream = files.connect(&server, &[b"http/1.1"]).await;
    stream.write_all(get_and_close("/fast").as_bytes()).await.unwrap();
    let answer = last_answer(&mut stream).await;
    assert_eq!((answer.status, answer.body.as_str()), (200, "fast"));
    assert_eq!(answer.header("strict-transport-security"), "max-age=31536000; includesubdomains");
}

#[tokio::test]
async fn a_new_pair_is_taken_into_use_and_open_connections_go_on() {
    let files = Files::new();
    let (server, tls) = server(&files).await;
    let mut open = files.connect(&server, &[]).await;
    files.write(&Pair::of_years(2020, 2080));
    tls.reload(Clock::system().now()).unwrap();
    assert_eq!(tls.expires_at(), Micros::parse("2080-01-01T00:00:00Z").unwrap());
    // This client trusts the new certificate alone.
    let mut fresh = files.connect(&server, &[]).await;
    for stream in [&mut open, &mut fresh] {
        stream.write_all(get("/fast").as_bytes()).await.unwrap();
        assert_eq!(next_answer(stream).await.body, "fast");
    }
}

#[tokio::test]
async fn a_changed_file_is_noticed_without_being_told() {
    let files = Files::new();
    let tls = files.open();
    let watching = tokio::spawn(tls.clone().watch(Clock::system()));
    let before = tls.expires_at();
    tokio::task::yield_now().await;
    files.write(&Pair::of_years(2020, 2080));
    let noticed = async {
        while tls.expires_at() == before {
            tokio::time::sleep(std::time::Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(PATIENCE, noticed).await.expect("the new pair is taken into use");
    watching.abort();
}

#[tokio::test]
async fn a_bad_pair_is_refused_by_name_and_the_old_one_stays() {
    let files = Files::new();
    let (server, tls) = server(&files).await;
    let before = tls.expires_at();
    let (good, other) = (Pair::valid(), Pair::valid());
    let (expired, future) = (Pair::of_years(2000, 2001), Pair::of_years(2080, 2090));
    let cases = [
        (expired.certificate.as_str(), expired.key.as_str(), TlsFile::Certificate, "expired at 2001-01-01"),
        (&future.certificate, &future.key, TlsFile::Certificate, "valid from 2080-01-01"),
        (&good.certificate, &other.key, TlsFile::Key, "is not for the certificate"),
        (&good.certificate, "", TlsFile::Key, "no private key"),
        ("", &good.key, TlsFile::Certificate, "is missing"),
        (
            "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n",
            &good.key,
            TlsFile::Certificate,
            "cannot be read",
        ),
        (&good.certificate[..200], &good.key, TlsFile::Certificate, "cert.pem"),
    ];
    let kept = std::fs::read(files.certificate()).unwrap();
    for (certificate, key, file, words) in cases {
        files.write(&Pair { certificate: certificate.to_owned(), key: key.to_owned() });
        let fault = tls.reload(Clock::system().now()).unwrap_err();
        assert!(fault.file == file && fault.text.contains(words), "{words}: {fault:?}");
        assert!(fault.text.contains(';'), "without a cure: {fault:?}");
    }
    std::fs::remove_file(files.key()).unwrap();
    std::fs::write(files.certificate(), &good.certificate).unwrap();
    assert!(tls.reload(Clock::system().now()).unwrap_err().text.contains("cannot read"));
    assert_eq!(tls.expires_at(), before);
    std::fs::write(files.certificate(), kept).unwrap();
    let mut stream = files.connect(&server, &[]).await;
    stream.write_all(get("/fast").as_bytes()).await.unwrap();
    assert_eq!(next_answer(&mut stream).await.body, "fast");
}

#[tokio::test]
async fn slow_clients_are_cut_off_under_tls_too() {
    let files = Files::new();
    let (server, _) = server(&files).await;
    let half_a_handshake = [0x16, 0x03, 0x01, 0x02, 0x00];
    for said in [&b""[..], &half_a_handshake] {
        rest(&mut say(server.address, said).await).await;
    }
    let mut silent = files.connect(&server, &[]).await;
    rest(&mut silent).await;
    let mut half = files.connect(&server, &[]).await;
    half.write_all(b"GET /fast HTTP/1.1\r\nHo").await.unwrap();
    assert_eq!(last_answer(&mut half).await.status, 408);
    // And whoever forgets TLS is not answered at all.
    assert!(
        !String::from_utf8_lossy(&rest(&mut say(server.address, get("/fast")).await).await.0)
            .contains("HTTP")
    );
}
