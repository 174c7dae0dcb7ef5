//! The embedding server, played by a scripted one on loopback.

use std::io::{Read, Write};
use std::net::TcpListener;
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use llm::{Embedder, Input, ModelError, Purpose, RemoteConfig};

/// Answers one request with `status` and `body` after `delay`; returns the base URL and what was asked.
fn server(status: u16, body: &str, delay: Duration) -> (String, mpsc::Receiver<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let base = format!("http://{}/v1/", listener.local_addr().expect("an address"));
    let (asked, seen) = mpsc::channel();
    let body = body.to_owned();
    thread::spawn(move || {
        let Ok((mut stream, _)) = listener.accept() else {
            return;
        };
        let mut request = Vec::new();
        let mut chunk = [0; 4096];
        while !request.ends_with(b"}") && !request.starts_with(b"GET ") {
            match stream.read(&mut chunk) {
                Ok(n) if n > 0 => request.extend_from_slice(&chunk[..n]),
                _ => break,
            }
        }
        let _ = asked.send(String::from_utf8_lossy(&request).into_owned());
        thread::sleep(delay);
        let head =
            format!("HTTP/1.1 {status} x\r\ncontent-length: {}\r\nconnection: close\r\n\r\n", body.len());
        let _ = stream.write_all((head + &body).as_bytes());
    });
    (base, seen)
}

async fn ask(status: u16, body: &str, dim: Option<usize>) -> Result<Vec<Vec<f32>>, ModelError> {
    let (base, _seen) = server(status, body, Duration::ZERO);
    let config = RemoteConfig { dim, ..RemoteConfig::new(base, "m") };
    let embedder = Embedder::remote(config).expect("a client");
    let found = embedder.embed(Purpose::Query, vec![Input::new("a"), Input::new("b")]).await?;
    Ok(found.into_iter().map(|e| e.vector).collect())
}

const GOOD: &str = r#"{"data":[{"index":1,"embedding":[0,2]},{"index":0,"embedding":[3,4]}]}"#;

#[tokio::test]
async fn vectors_come_back_in_the_order_asked_at_unit_length() {
    assert_eq!(ask(200, GOOD, None).await.expect("vectors"), [[0.6, 0.8], [0.0, 1.0]]);
}

#[tokio::test]
async fn the_request_is_the_openai_one() {
    let (base, seen) = server(200, GOOD, Duration::ZERO);
    let config = RemoteConfig { api_key: Some("key".to_owned()), ..RemoteConfig::new(base, "m") };
    let embedder = Embedder::remote(config).expect("a client");
    assert_eq!((embedder.model_id(), embedder.dim(), embedder.has_tokens()), (Some("m"), None, false));
    let inputs = vec![Input::after("before", "a"), Input::new("b")];
    embedder.embed(Purpose::Document, inputs).await.expect("vectors");
    assert_eq!(embedder.dim(), Some(2));
    let request = seen.recv().expect("a request");
    assert!(request.starts_with("POST /v1/embeddings "), "{request}");
    assert!(request.to_lowercase().contains("authorization: bearer key"), "{request}");
    assert!(request.ends_with(r#"{"model":"m","input":["a","b"],"encoding_format":"float"}"#), "{request}");
}

#[tokio::test]
async fn a_server_that_makes_no_sense_is_an_error() {
    let bodies = [
        "",
        "garbage",
        r#"{"data":[]}"#,
        r#"{"data":[{"embedding":[1,2]}]}"#,
        r#"{"data":[{"index":0,"embedding":[1]},{"index":0,"embedding":[1]}]}"#,
        r#"{"data":[{"index":0,"embedding":[1]},{"index":7,"embedding":[1]}]}"#,
        r#"{"data":[{"embedding":[]},{"embedding":[]}]}"#,
        r#"{"data":[{"embedding":[0,0]},{"embedding":[1,0]}]}"#,
        r#"{"data":[{"embedding":[1e60,0]},{"embedding":[1,0]}]}"#,
        r#"{"data":[{"embedding":["x",0]},{"embedding":[1,0]}]}"#,
    ];
    for body in bodies {
        let found = ask(200, body, None).await;
        assert!(matches!(found, Err(ModelError::Malformed { .. })), "{body}: {found:?}");
    }
}

#[tokio::test]
async fn another_dimension_is_refused() {
    let configured = ask(200, GOOD, Some(3)).await;
    assert!(matches!(configured, Err(ModelError::Dimension { expected: 3, got: 2 })));
    let mixed = ask(200, r#"{"data":[{"embedding":[1,2]},{"embedding":[1,2,3]}]}"#, None).await;
    assert!(matches!(mixed, Err(ModelError::Dimension { expected: 2, got: 3 })));
}

#[tokio::test]
async fn a_refusal_keeps_its_status() {
    for (status, is_temporary) in [(401, false), (429, true), (503, true)] {
        let error = ask(status, "{}", None).await.expect_err("a refusal");
        assert!(matches!(error, ModelError::Refused { status: s } if s == status));
        assert_eq!(error.is_temporary(), is_temporary);
    }
}

#[tokio::test]
async fn a_silent_server_times_out() {
    let (base, _seen) = server(200, GOOD, Duration::from_secs(5));
    let config = RemoteConfig { query_limit: Duration::from_millis(50), ..RemoteConfig::new(base, "m") };
    let embedder = Embedder::remote(config).expect("a client");
    let found = embedder.embed(Purpose::Query, vec![Input::new("a")]).await;
    assert!(matches!(found, Err(ModelError::Timeout { limit_ms: 50 })));
}

#[tokio::test]
async fn nobody_listening_is_temporary() {
    let base = {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        format!("http://{}", listener.local_addr().expect("an address"))
    };
    let embedder = Embedder::remote(RemoteConfig::new(base, "m")).expect("a client");
    let error = embedder.embed(Purpose::Query, vec![Input::new("a")]).await.expect_err("nobody there");
    assert!(matches!(error, ModelError::Unreachable(_)) && error.is_temporary());
}

#[tokio::test]
async fn a_sign_of_life_costs_no_embedding_and_tells_refusal_from_absence() {
    for (status, is_alive) in [(200, true), (404, true), (401, false), (503, false)] {
        let (base, seen) = server(status, "{}", Duration::ZERO);
        let embedder = Embedder::remote(RemoteConfig::new(base, "m")).expect("a client");
        assert_eq!(embedder.ping().await.is_ok(), is_alive, "{status}");
        assert!(seen.recv().expect("a request").starts_with("GET /v1/models "));
    }
    assert!(matches!(Embedder::None.ping().await, Err(ModelError::Disabled)));
}
