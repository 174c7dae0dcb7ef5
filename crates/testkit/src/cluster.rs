//! A PostgreSQL primary and its streaming standby, of a test's own, to pause, kill and break.

use std::net::TcpListener;
use std::os::unix::fs::MetadataExt;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use store::sqlx::{AssertSqlSafe, Connection, PgConnection};
use tempfile::TempDir;

/// A primary and a standby that streams from it; both gone when dropped.
pub struct Cluster {
    programs: PathBuf,
    primary: Server,
    standby: Server,
    /// Last, so that the servers end before their files do.
    _folder: TempDir,
}

struct Server {
    data: PathBuf,
    port: u16,
    child: Option<Child>,
}

impl Cluster {
    /// Makes both and waits until they answer. Nothing is flushed: a test kills processes, never the machine.
    ///
    /// # Panics
    /// When PostgreSQL's programs are not there or do not start.
    pub fn start() -> Self {
        let programs =
            PathBuf::from(crate::needed("HEARTH_TEST_POSTGRES_BIN", "the folder of PostgreSQL's programs"));
        let folder = tempfile::tempdir().expect("a temporary folder");
        if is_root() {
            let (uid, gid) = nobody();
            std::os::unix::fs::chown(folder.path(), Some(uid), Some(gid)).expect("root may give it away");
        }
        let server = |name: &str| Server { data: folder.path().join(name), port: free_port(), child: None };
        let (primary, standby) = (server("primary"), server("standby"));
        let mut cluster = Self { programs, primary, standby, _folder: folder };
        let data = cluster.primary.data.clone();
        cluster.run(
            "initdb",
            &["-U", "postgres", "-A", "trust", "-E", "UTF8", "--locale=C.UTF-8", "--no-sync", "-D"],
            &data,
        );
        launch(&cluster.programs, &mut cluster.primary);
        let from = format!("host=127.0.0.1 port={} user=postgres", cluster.primary.port);
        let data = cluster.standby.data.clone();
        cluster.run(
            "pg_basebackup",
            &["-d", &from, "-R", "-X", "stream", "-c", "fast", "--no-sync", "-D"],
            &data,
        );
        cluster.start_standby();
        cluster
    }

    fn run(&self, program: &str, arguments: &[&str], data: &Path) {
        let mut command = unprivileged(&self.programs.join(program));
        let ended = command.args(arguments).arg(data).output().expect("PostgreSQL's programs are there");
        assert!(ended.status.success(), "{program}: {}", String::from_utf8_lossy(&ended.stderr));
    }

    /// Makes an empty database that an ordinary role owns; its addresses on the primary and on the standby.
    ///
    /// # Panics
    /// When the primary refuses.
    pub async fn database(&self, name: &str) -> (String, String) {
        let role = "DO $$ BEGIN CREATE ROLE hearth LOGIN; EXCEPTION WHEN duplicate_object THEN NULL; END $$";
        ask(self.primary.port, role).await;
        ask(self.primary.port, &format!("CREATE DATABASE {name} OWNER hearth")).await;
        self.urls(name)
    }

    /// Addresses of a database on the primary and on the standby.
    pub fn urls(&self, name: &str) -> (String, String) {
        let url = |server: &Server| format!("postgres://hearth@127.0.0.1:{}/{name}", server.port);
        (url(&self.primary), url(&self.standby))
    }

    /// Keeps the standby from replaying what it receives.
    ///
    /// # Panics
    /// When it does not answer.
    pub async fn pause_replay(&self) {
        ask(self.standby.port, "SELECT pg_wal_replay_pause()").await;
    }

    /// Lets the standby catch up.
    ///
    /// # Panics
    /// When it does not answer.
    pub async fn resume_replay(&self) {
        ask(self.standby.port, "SELECT pg_wal_replay_resume()").await;
    }

    /// Ends the standby at once, as a crash would.
    pub fn kill_standby(&mut self) {
        self.standby.end();
    }

    /// Starts the standby.
    ///
    /// # Panics
    /// When it does not start.
    pub fn start_standby(&mut self) {
        launch(&self.programs, &mut self.standby);
    }
}

impl Server {
    fn end(&mut self) {
        if let Some(mut child) = self.child.take() {
            // An immediate shutdown: a killed postmaster would leave its shared memory behind.
            let _ = Command::new("kill").args(["-QUIT", &child.id().to_string()]).status();
            let _ = child.wait();
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.end();
    }
}

fn launch(programs: &Path, server: &mut Server) {
    let log = std::fs::File::create(server.data.with_extension("log")).expect("a file in the folder");
    let child = unprivileged(&programs.join("postgres"))
        .arg("-D")
        .arg(&server.data)
        .args(["-p", &server.port.to_string(), "-k", "", "-c", "listen_addresses=127.0.0.1"])
        .args(["-c", "fsync=off", "-c", "full_page_writes=off", "-c", "max_connections=100"])
        .stdin(Stdio::null())
        .stderr(log)
        .spawn();
    server.child = Some(child.expect("postgres starts"));
    let answers = || {
        let mut asked = Command::new(programs.join("pg_isready"));
        asked.args(["-q", "-h", "127.0.0.1", "-p", &server.port.to_string()]);
        asked.status().is_ok_and(|status| status.success())
    };
    let deadline = Instant::now() + Duration::from_secs(30);
    while !answers() {
        assert!(Instant::now() < deadline, "PostgreSQL does not answer; see {}", server.data.display());
        std::thread::sleep(Duration::from_millis(20));
    }
}

async fn ask(port: u16, sql: &str) {
    let url = format!("postgres://postgres@127.0.0.1:{port}/postgres");
    let mut conn = PgConnection::connect(&url).await.expect("the server answers");
    let sql = AssertSqlSafe(sql.to_owned());
    store::sqlx::raw_sql(sql).execute(&mut conn).await.expect("a superuser may");
    conn.close().await.expect("a connection closes");
}

fn free_port() -> u16 {
    TcpListener::bind(("127.0.0.1", 0)).and_then(|l| l.local_addr()).expect("a free port").port()
}

/// PostgreSQL refuses to run as root.
fn unprivileged(program: &Path) -> Command {
    let mut command = Command::new(program);
    if is_root() {
        let (uid, gid) = nobody();
        command.uid(uid).gid(gid).current_dir("/");
    }
    command
}

fn is_root() -> bool {
    std::fs::metadata("/proc/self").is_ok_and(|process| process.uid() == 0)
}

fn nobody() -> (u32, u32) {
    let users = std::fs::read_to_string("/etc/passwd").unwrap_or_default();
    let line = users.lines().find_map(|line| line.strip_prefix("nobody:"));
    let mut ids = line.into_iter().flat_map(|line| line.split(':').skip(1)).map_while(|id| id.parse().ok());
    (ids.next().unwrap_or(65_534), ids.next().unwrap_or(65_534))
}
