//! TLS in a whole server: what browsers are told, pairs that keep it from starting, and a reload.

use std::path::Path;

use rcgen::{CertificateParams, KeyPair, date_time_ymd};
use reqwest::Client;
use serde_json::json;
use server::config::{Finding, Flags, load};

use crate::config_binary::hearth;
use crate::support::*;

/// Writes a certificate of `localhost` that expires in a year, and its key.
fn write_pair(dir: &Path, expires: i32) {
    let key = KeyPair::generate().unwrap();
    let mut params = CertificateParams::new(vec!["localhost".to_owned()]).unwrap();
    (params.not_before, params.not_after) = (date_time_ymd(1990, 1, 1), date_time_ymd(expires, 1, 1));
    std::fs::write(dir.join("cert.pem"), params.self_signed(&key).unwrap().pem()).unwrap();
    std::fs::write(dir.join("key.pem"), key.serialize_pem()).unwrap();
}

fn settings(dir: &Path) -> [(&'static str, String); 2] {
    let path = |name: &str| dir.join(name).to_str().unwrap().to_owned();
    [("TLS_CERT_FILE", path("cert.pem")), ("TLS_KEY_FILE", path("key.pem"))]
}

async fn over_tls(dir: &Path) -> Server {
    let settings = settings(dir);
    let settings: Vec<(&str, &str)> = settings.iter().map(|(name, value)| (*name, value.as_str())).collect();
    Server::start_with(Engine::Sqlite, &settings).await
}

fn client() -> Client {
    Client::builder().no_proxy().danger_accept_invalid_certs(true).build().unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn over_tls_cookies_are_secure_and_browsers_are_told_to_stay() {
    let dir = tempfile::tempdir().unwrap();
    write_pair(dir.path(), 2090);
    let server = over_tls(dir.path()).await;
    let person = json!({"username": "ana", "password": "seven otters swim upstream", "tenant_name": "home"});
    let url = format!("https://localhost:{}/api/v1/setup", server.address.port());
    let answer = client().post(url).json(&person).send().await.unwrap();
    assert_eq!(answer.status(), 201, "{:?}", answer.text().await);
    assert_eq!(answer.headers()["strict-transport-security"], "max-age=31536000; includeSubDomains");
    let cookies: Vec<_> = answer.headers().get_all("set-cookie").iter().collect();
    assert_eq!(cookies.len(), 2);
    assert!(cookies.iter().all(|cookie| cookie.to_str().unwrap().ends_with("; Secure")), "{cookies:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_health_command_speaks_the_servers_tls() {
    let dir = tempfile::tempdir().unwrap();
    write_pair(dir.path(), 2090);
    let (server, place) = (over_tls(dir.path()).await, settings(dir.path()));
    let asked = tokio::task::spawn_blocking(move || {
        let port = server.address.port().to_string();
        let settings = [("PORT", port.as_str()), (place[0].0, &place[0].1), (place[1].0, &place[1].1)];
        (hearth(&["health"], &settings, dir.path()), hearth(&["health"], &settings[..1], dir.path()))
    });
    let (ended, plain) = asked.await.unwrap();
    assert_eq!(ended.status.code(), Some(0), "{ended:?}");
    assert_eq!(plain.status.code(), Some(1), "control: without TLS nobody is understood: {plain:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_proxys_word_counts_as_tls_and_a_strangers_does_not() {
    for (trusted, is_told) in [("127.0.0.1", true), ("192.0.2.1", false)] {
        let server = Server::start_with(Engine::Sqlite, &[("TRUSTED_PROXIES", trusted)]).await;
        let request = server.request("GET", "/healthz").header("x-forwarded-proto", "https");
        let answer = request.send().await.unwrap();
        assert_eq!(answer.headers().contains_key("strict-transport-security"), is_told, "{trusted}");
        let plain = server.get("/healthz").await;
        assert_eq!(plain.header("strict-transport-security"), "", "{trusted}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_reload_takes_a_new_pair_and_refuses_a_bad_one() {
    let dir = tempfile::tempdir().unwrap();
    write_pair(dir.path(), 2090);
    let server = over_tls(dir.path()).await;
    let expiry = async || {
        let url = format!("https://localhost:{}/metrics", server.address.port());
        let text = client().get(url).send().await.unwrap().text().await.unwrap();
        let name = "hearth_tls_certificate_expiry_timestamp_seconds ";
        text.lines().find_map(|line| line.strip_prefix(name)).unwrap().parse::<f64>().unwrap()
    };
    let first = expiry().await;
    write_pair(dir.path(), 2091);
    server.app.apply((*server.app.config).clone()).await;
    let second = expiry().await;
    assert!(second > first, "{second} is not after {first}");
    write_pair(dir.path(), 2001);
    server.app.apply((*server.app.config).clone()).await;
    assert_eq!(expiry().await, second);
}

#[test]
fn a_pair_that_cannot_serve_is_named_before_the_start() {
    let dir = tempfile::tempdir().unwrap();
    let check = || -> Vec<Finding> {
        let file = dir.path().join("hearth.toml");
        std::fs::write(&file, "").unwrap();
        let flags = Flags { config: Some(file), ..Flags::default() };
        let variables =
            settings(dir.path()).into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
        load(&flags, &variables).with_place().findings
    };
    let named = |variable: &str, words: &str| {
        let findings = check();
        let fits = |f: &Finding| f.variable == variable && f.text.contains(words) && f.text.contains(';');
        assert!(findings.iter().any(fits), "no {variable} with {words:?} in {findings:?}");
    };
    named("TLS_CERT_FILE", "cannot read");
    write_pair(dir.path(), 2001);
    named("TLS_CERT_FILE", "expired at 2001-01-01");
    write_pair(dir.path(), 2090);
    named("TLS_KEY_FILE", "others may read");
    let key = dir.path().join("key.pem");
    std::fs::write(&key, KeyPair::generate().unwrap().serialize_pem()).unwrap();
    named("TLS_KEY_FILE", "is not for the certificate");
    use std::os::unix::fs::PermissionsExt;
    write_pair(dir.path(), 2090);
    std::fs::set_permissions(&key, std::fs::Permissions::from_mode(0o600)).unwrap();
    let of_tls: Vec<_> = check().into_iter().filter(|f| f.variable.starts_with("TLS_")).collect();
    assert!(of_tls.is_empty(), "{of_tls:?}");
}
