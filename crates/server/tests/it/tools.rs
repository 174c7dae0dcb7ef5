//! The built binary's tools beside a running server: monitor and doctor.

use std::path::Path;
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;
use store::sqlx::{Connection, PgConnection};
use testkit::{Cluster, RedisServer};

use crate::config_binary::hearth;
use crate::outage::s3_server;
use crate::support::*;

const HEADER: &str = "timestamp,cpu_percent,memory_mb,memory_percent,disk_read_mb,disk_write_mb,network_sent_mb,\
    network_recv_mb,api_latency_ms,api_status,db_pool_size,db_pool_available,db_pool_active,redis_hit_rate,redis_total_reads";

fn monitor(home: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_hearth"));
    command.arg("monitor").args(arguments).env_clear().current_dir(home).stdin(Stdio::null());
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

async fn ended(mut command: Command) -> Output {
    tokio::task::spawn_blocking(move || command.output().unwrap()).await.unwrap()
}

fn rows(home: &Path) -> Vec<String> {
    std::fs::read_to_string(home.join("out.csv")).unwrap_or_default().lines().map(str::to_owned).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn monitor_writes_the_columns_of_the_contract_and_a_summary() {
    let (server, home) = (Server::start(Engine::Sqlite).await, tempfile::tempdir().unwrap());
    let host = server.url("");
    let command =
        monitor(home.path(), &["--host", &host, "--interval", "1", "--duration", "2", "--output", "out.csv"]);
    let output = ended(command).await;
    let stdout = String::from_utf8_lossy(&output.stdout);
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    assert!(stdout.contains("2 samples, 0 without an answer\nlatency mean "), "{stdout}");
    let rows = rows(home.path());
    assert_eq!((rows[0].as_str(), rows.len()), (HEADER, 3));
    for row in &rows[1..] {
        let fields: Vec<&str> = row.split(',').collect();
        assert_eq!((fields.len(), fields[9]), (15, "200"), "{row}");
        assert!(fields[0].ends_with('Z') && fields[8].parse::<f64>().unwrap() > 0.0, "{row}");
        assert!(fields[1..].iter().all(|field| field.parse::<f64>().is_ok()), "{row}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn monitor_keeps_its_rows_when_interrupted_and_says_when_nobody_answers() {
    let home = tempfile::tempdir().unwrap();
    let host = format!("http://127.0.0.1:{}", closed_port().await);
    let arguments = ["--host", &host, "--interval", "1", "--output", "out.csv"];
    let child = monitor(home.path(), &arguments).spawn().unwrap();
    let started = Instant::now();
    while rows(home.path()).len() < 2 {
        assert!(started.elapsed() < Duration::from_secs(20), "no row was written");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    assert!(Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap().success());
    let output = tokio::task::spawn_blocking(move || child.wait_with_output().unwrap()).await.unwrap();
    assert_eq!(output.status.code(), Some(130), "{output:?}");
    let stdout = String::from_utf8_lossy(&output.stdout);
    assert!(stdout.contains("1 samples, 1 without an answer"), "{stdout}");
    assert!(rows(home.path())[1].ends_with(",,0,,,,,"), "{:?}", rows(home.path()));

    let away = ended(monitor(home.path(), &["--host", &host, "--duration", "1"])).await;
    assert_eq!(away.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&away.stderr).contains("never answered; see --host"), "{away:?}");
    let zero = ended(monitor(home.path(), &["--interval", "0"])).await;
    assert_eq!(zero.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&zero.stderr).contains("0 is not in 1..=86400"), "{zero:?}");
}

/// Runs the doctor and gives its exit code and lines.
async fn doctor(home: &Path, settings: &[(&str, &str)]) -> (Option<i32>, Vec<Value>) {
    let (home, settings): (_, Vec<(String, String)>) = (
        home.to_owned(),
        settings.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect(),
    );
    let output = tokio::task::spawn_blocking(move || {
        let settings: Vec<_> = settings.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        hearth(&["doctor", "--json"], &settings, &home)
    });
    let output = output.await.unwrap();
    let said: Value = serde_json::from_slice(&output.stdout).unwrap_or_else(|_| panic!("{output:?}"));
    (output.status.code(), said["items"].as_array().unwrap().clone())
}

fn line(lines: &[Value], name: &str) -> Value {
    lines.iter().find(|line| line["name"] == name).unwrap_or_else(|| panic!("no {name} in {lines:?}")).clone()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn doctor_works_with_the_server_stopped_and_changes_nothing() {
    let home = tempfile::tempdir().unwrap();
    let port = closed_port().await.to_string();
    let (code, lines) = doctor(home.path(), &[("PORT", &port)]).await;
    assert_eq!(code, Some(0), "{lines:?}");
    // How full this machine's disk is does not matter here.
    let configuration = line(&lines, "configuration");
    assert!(configuration["status"] == "ok" || configuration.to_string().contains("MB free on"), "{lines:?}");
    assert!(
        line(&lines, "server")["text"].as_str().unwrap().starts_with("nothing answers at http://127.0.0.1:")
    );
    assert!(
        line(&lines, "database")["text"].as_str().unwrap().ends_with("is made when the server first starts")
    );
    assert_eq!(
        (&line(&lines, "model")["status"], &line(&lines, "backup")["status"]),
        (&"warn".into(), &"warn".into())
    );
    assert!(lines.iter().all(|line| (line["status"] == "ok") == (line["cure"] == "")), "{lines:?}");
    assert_eq!(std::fs::read_dir(home.path()).unwrap().count(), 0, "something was left behind");

    let (code, lines) = doctor(home.path(), &[("PORT", "99999"), ("CORS_ORIGINS", "*")]).await;
    let is_room = |line: &&Value| line.to_string().contains("MB free on");
    let found: Vec<&Value> = lines.iter().filter(|line| !is_room(line)).map(|line| &line["status"]).collect();
    assert_eq!((code, found), (Some(3), vec![&Value::from("fail"), &"warn".into()]), "{lines:?}");
}

on_both_engines! {
    async fn doctor_works_beside_a_running_server(engine: Engine) {
        let [endpoint, access, secret, bucket] = s3_server();
        let place = [("S3_ENDPOINT", endpoint.as_str()), ("S3_ACCESS_KEY", &access), ("S3_SECRET_KEY", &secret), ("S3_BUCKET", &bucket)];
        let server = Server::start_with(engine, &place).await;
        let home = tempfile::tempdir().unwrap();
        let (port, file) = (server.address.port().to_string(), server.database_url());
        let mut settings = vec![("PORT", port.as_str()), ("DATABASE_URL", &file), ("EMBEDDING_BASE_URL", "none")];
        settings.extend(place);
        let (code, lines) = doctor(home.path(), &settings).await;
        // The tests' own PostgreSQL gives up durability for speed, and the doctor says so.
        let failed: Vec<&Value> = lines.iter().filter(|line| line["status"] == "fail").collect();
        assert!(failed.iter().all(|line| line["name"] == "durability"), "{failed:?}");
        assert_eq!(code, Some(if failed.is_empty() { 0 } else { 3 }));
        let mut wanted = vec!["server", "database", "schema", "indexes", "objects", "model"];
        if engine == Engine::Postgres {
            wanted.extend(["clock", "connections"]);
        }
        for name in wanted {
            assert_eq!(line(&lines, name)["status"], "ok", "{lines:?}");
        }
        let wrong = lines.iter().any(|line| line.to_string().contains(&secret));
        assert!(!wrong, "a secret is said: {lines:?}");

        // The controls: a wrong key, and a database that nobody serves.
        settings.retain(|(name, _)| *name != "S3_SECRET_KEY" && *name != "DATABASE_URL");
        let nobody = format!("postgres://hearth@127.0.0.1:{}/hearth", closed_port().await);
        settings.extend([("S3_SECRET_KEY", "d3Jvbmcga2V5cyBvcGVuIG5vIGJ1Y2tldA"), ("DATABASE_URL", nobody.as_str()), ("DATABASE_CONNECT_TIMEOUT_MS", "300")]);
        let (code, lines) = doctor(home.path(), &settings).await;
        assert_eq!(code, Some(3), "{lines:?}");
        assert_eq!((&line(&lines, "objects")["status"], &line(&lines, "database")["status"]), (&"fail".into(), &"fail".into()));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn health_ends_with_0_only_when_the_server_answers_on_its_own_port() {
    let (server, home) = (Server::start(Engine::Sqlite).await, tempfile::tempdir().unwrap());
    let ask = async |port: u16, arguments: &'static [&'static str]| {
        let (port, home) = (port.to_string(), home.path().to_owned());
        let asked = tokio::task::spawn_blocking(move || hearth(arguments, &[("PORT", &port)], &home));
        let output = asked.await.unwrap();
        (
            output.status.code(),
            String::from_utf8(output.stdout).unwrap(),
            String::from_utf8(output.stderr).unwrap(),
        )
    };
    let port = server.address.port();
    assert_eq!(ask(port, &["health"]).await, (Some(0), "alive\n".to_owned(), String::new()));
    assert_eq!(ask(port, &["health", "--ready"]).await, (Some(0), "ready\n".to_owned(), String::new()));
    let closed = closed_port().await;
    let nobody = format!("hearth: not alive: nothing answers at http://127.0.0.1:{closed}/health/live\n");
    assert_eq!(ask(closed, &["health"]).await, (Some(1), String::new(), nobody));
    assert_eq!(std::fs::read_dir(home.path()).unwrap().count(), 0, "something was left behind");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn doctor_tells_of_replica_redis_and_backups() {
    let (cluster, redis) = (Cluster::start(), RedisServer::start());
    let (primary, standby) = cluster.database("hearth").await;
    let home = tempfile::tempdir().unwrap();
    let port = closed_port().await.to_string();
    let backups = home.path().join("elsewhere");
    std::fs::create_dir(&backups).unwrap();
    let address = redis.url();
    let place = [
        ("PORT", port.as_str()),
        ("DATABASE_URL", &primary),
        ("REDIS_URL", address.expose()),
        ("BACKUP_DIR", backups.to_str().unwrap()),
    ];
    let with_replica = async |address: &str| {
        let mut settings = place.to_vec();
        settings.push(("DATABASE_URL_REPLICA", address));
        doctor(home.path(), &settings).await.1
    };
    let lines = with_replica(&standby).await;
    assert_eq!(
        (&line(&lines, "replica")["status"], &line(&lines, "redis")["status"]),
        (&"ok".into(), &"ok".into())
    );
    assert!(line(&lines, "backup")["text"].as_str().unwrap().ends_with("elsewhere"), "{lines:?}");
    let replica = line(&with_replica(&primary).await, "replica");
    assert_eq!(replica["status"], "warn");
    assert!(replica["text"].as_str().unwrap().starts_with("is no standby"), "{replica}");
    cluster.pause_replay().await;
    store::sqlx::raw_sql("CREATE TABLE unseen (n INT)").execute(&mut connect(&primary).await).await.unwrap();
    let replica = line(&with_replica(&standby).await, "replica");
    assert_eq!(replica["text"], "is more than 5 s behind");
}

async fn connect(url: &str) -> PgConnection {
    PgConnection::connect(url).await.unwrap()
}
