//! Starting, watching and ending the built server.

use std::ffi::OsString;
use std::fs::File;
use std::net::{SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use tempfile::TempDir;

use crate::{Api, Database, Engine};

/// How long a server may take until it is ready, and until it has ended.
const PATIENCE: Duration = Duration::from_secs(30);

/// A place where servers run one after another: a data directory, a database, a port, settings.
#[derive(Debug)]
pub struct Hearth {
    // Dropped in this order: the database before the directory that may hold it.
    database: Database,
    home: TempDir,
    port: u16,
    settings: Vec<(String, String)>,
    /// The words of a program that runs the binary.
    wrapper: Vec<String>,
}

/// A running server; killed when dropped.
#[derive(Debug)]
pub struct Server {
    child: Child,
    log: PathBuf,
    /// Time from starting the process until `/health/ready` said so.
    pub ready_after: Duration,
}

/// How a program ended and what it said.
#[derive(Debug)]
pub struct Ended {
    /// Exit status; `None` when a signal ended it.
    pub code: Option<i32>,
    /// Everything on stdout.
    pub stdout: String,
    /// Everything on stderr.
    pub stderr: String,
}

impl Hearth {
    /// An empty home on one engine, with request limits off.
    ///
    /// # Errors
    /// When there is no database server or no free port.
    pub fn new(engine: Engine) -> Result<Self> {
        let home = tempfile::Builder::new().prefix("hearth-e2e").tempdir()?;
        let data = home.path().join("data");
        std::fs::create_dir(&data)?;
        restrict(&data)?;
        let database = Database::create(engine, &data)?;
        let port = TcpListener::bind(("127.0.0.1", 0))?.local_addr()?.port();
        let settings = vec![("RATE_LIMIT_ENABLED".to_owned(), "false".to_owned())];
        Ok(Self { database, home, port, settings, wrapper: Vec::new() })
    }

    /// Adds one environment variable for the servers started later.
    #[must_use]
    pub fn set(mut self, name: &str, value: &str) -> Self {
        self.settings.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Stores objects and backups in the bucket of the tests.
    ///
    /// # Errors
    /// When there is none.
    pub fn with_bucket(self) -> Result<Self> {
        ["ENDPOINT", "ACCESS_KEY", "SECRET_KEY", "BUCKET"].into_iter().try_fold(self, |hearth, name| {
            let given = format!("HEARTH_TEST_S3_{name}");
            let value = std::env::var(&given).with_context(|| format!("{given}; ./test sets it"))?;
            Ok(hearth.set(&format!("S3_{name}"), &value))
        })
    }

    /// Lets another program, such as `strace`, run the binary from now on; it must keep the process id.
    #[must_use]
    pub fn under(mut self, words: &[&str]) -> Self {
        self.wrapper = words.iter().map(|word| (*word).to_owned()).collect();
        self
    }

    /// The database that the servers use.
    pub fn database(&self) -> &Database {
        &self.database
    }

    /// The data directory that the servers use.
    pub fn data_dir(&self) -> PathBuf {
        self.home.path().join("data")
    }

    /// The port of whichever server runs here, on loopback.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// The API of whichever server runs here, without credential.
    pub fn api(&self) -> Api {
        Api::new(&format!("http://127.0.0.1:{}", self.port))
    }

    /// The address that the servers listen on.
    pub fn address(&self) -> SocketAddr {
        SocketAddr::from(([127, 0, 0, 1], self.port))
    }

    /// A command of the binary with these settings and nothing else from our environment.
    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut words = self.wrapper.iter().map(OsString::from).chain([binary().into_os_string()]);
        let mut command = Command::new(words.next().expect("the binary is always named"));
        command
            .args(words)
            .args(arguments)
            .env_clear()
            .env("HOME", self.home.path())
            .env("DATA_DIR", self.data_dir())
            .env("PORT", self.port.to_string())
            .envs(self.database.url().map(|url| ("DATABASE_URL", url)))
            .envs(self.settings.iter().map(|(name, value)| (name, value)))
            .current_dir(self.home.path())
            .stdin(Stdio::null());
        command
    }

    /// Starts a server and waits until it is ready.
    ///
    /// # Errors
    /// When it ends or is not ready in time; the error carries what it said.
    pub fn start(&self) -> Result<Server> {
        let log = self.home.path().join("server.log");
        let sink = File::create(&log)?;
        let started = Instant::now();
        let mut command = self.command(&["serve"]);
        let child = command.stdout(sink.try_clone()?).stderr(sink).spawn();
        let child = child.with_context(|| format!("starting {}", binary().display()))?;
        let mut server = Server { child, log, ready_after: Duration::ZERO };
        let api = self.api();
        while !api.is_ready() {
            if let Some(status) = server.child.try_wait()? {
                bail!("the server ended with {status} before it was ready:\n{}", server.log());
            }
            ensure!(started.elapsed() < PATIENCE, "the server is not ready:\n{}", server.log());
            std::thread::sleep(Duration::from_millis(5));
        }
        server.ready_after = started.elapsed();
        Ok(server)
    }

    /// Makes an API key on the command line, beside a running server.
    ///
    /// # Errors
    /// When the command fails; the error carries what it said.
    pub fn create_key(&self, tenant: &str, scopes: &str) -> Result<String> {
        let mut command = self.command(&["admin", "create-key", "--tenant", tenant, "--scopes", scopes]);
        let ended = run_to_end(&mut command)?;
        ensure!(ended.code == Some(0), "create-key failed: {ended:?}");
        Ok(ended.stdout.trim().to_owned())
    }
}

impl Server {
    /// Everything the server has printed so far.
    pub fn log(&self) -> String {
        std::fs::read_to_string(&self.log).unwrap_or_default()
    }

    /// The process id.
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Memory that the process holds.
    ///
    /// # Errors
    /// When the process is gone.
    pub fn resident_bytes(&self) -> Result<u64> {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id()))?;
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).context("no VmRSS")?;
        let kib = line.split_whitespace().next().context("no number")?;
        Ok(kib.parse::<u64>()? * 1_024)
    }

    /// The set-up link that the server printed.
    ///
    /// # Errors
    /// Unless there is exactly one.
    pub fn setup_link(&self) -> Result<String> {
        let log = self.log();
        let links: Vec<&str> = log
            .split_whitespace()
            .filter(|word| word.starts_with("http") && word.contains("setup"))
            .collect();
        ensure!(links.len() == 1, "expected one set-up link, found {links:?} in:\n{log}");
        Ok(links[0].to_owned())
    }

    /// Ends the process at once, as a crash would.
    ///
    /// # Errors
    /// When the operating system refuses.
    pub fn kill(mut self) -> Result<()> {
        self.child.kill()?;
        self.child.wait()?;
        Ok(())
    }

    /// Sends a signal such as `HUP`.
    ///
    /// # Errors
    /// When the process is gone.
    pub fn signal(&self, name: &str) -> Result<()> {
        let (signal, pid) = (format!("-{name}"), self.child.id().to_string());
        ensure!(Command::new("kill").args([&signal, &pid]).status()?.success(), "cannot signal {pid}");
        Ok(())
    }

    /// Waits until the server has printed a text.
    ///
    /// # Errors
    /// When it does not in time; the error carries what it said.
    pub fn said(&self, text: &str) -> Result<()> {
        let asked = Instant::now();
        while !self.log().contains(text) {
            ensure!(asked.elapsed() < PATIENCE, "the server has not said `{text}`:\n{}", self.log());
            std::thread::sleep(Duration::from_millis(5));
        }
        Ok(())
    }

    /// Asks the server to end and waits; returns its status and how long it took.
    ///
    /// # Errors
    /// When it does not end in time.
    pub fn terminate(mut self) -> Result<(ExitStatus, Duration)> {
        let asked = Instant::now();
        self.signal("TERM")?;
        loop {
            if let Some(status) = self.child.try_wait()? {
                return Ok((status, asked.elapsed()));
            }
            ensure!(asked.elapsed() < PATIENCE, "the server does not end:\n{}", self.log());
            std::thread::sleep(Duration::from_millis(5));
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // Both fail only when the process is already gone, which is what we want.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Runs a command that should end by itself; one that does not is killed and is an error.
///
/// # Errors
/// When it cannot start or runs on.
pub fn run_to_end(command: &mut Command) -> Result<Ended> {
    let child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn();
    let mut child = child.with_context(|| format!("starting {}", binary().display()))?;
    let started = Instant::now();
    while child.try_wait()?.is_none() {
        if started.elapsed() > PATIENCE {
            child.kill()?;
            bail!("still running after {PATIENCE:?}: {:?}", child.wait_with_output()?);
        }
        std::thread::sleep(Duration::from_millis(5));
    }
    let output = child.wait_with_output()?;
    Ok(Ended {
        code: output.status.code(),
        stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
        stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
    })
}

/// `HEARTH_BIN`, or the `hearth` that was built beside this test.
fn binary() -> PathBuf {
    let beside = || {
        let test = std::env::current_exe().unwrap_or_default();
        let folder = test.parent().and_then(Path::parent).unwrap_or(Path::new("target/debug"));
        folder.join("hearth")
    };
    std::env::var_os("HEARTH_BIN").map_or_else(beside, PathBuf::from)
}

/// Makes a directory its owner's alone, as production asks.
fn restrict(path: &Path) -> Result<()> {
    use std::os::unix::fs::PermissionsExt;
    Ok(std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o700))?)
}
