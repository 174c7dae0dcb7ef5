//! A Redis of a test's own, which it may kill.

use std::net::TcpListener;
use std::process::{Child, Command, Stdio};

use kernel::Secret;
use tempfile::TempDir;

/// A `redis-server` on a port of loopback; gone when dropped.
pub struct RedisServer {
    port: u16,
    home: TempDir,
    child: Option<Child>,
}

impl RedisServer {
    /// Starts one and waits until it listens.
    ///
    /// # Panics
    /// When there is no `redis-server`; `./test` installs it.
    pub fn start() -> Self {
        let port =
            TcpListener::bind(("127.0.0.1", 0)).and_then(|l| l.local_addr()).expect("a free port").port();
        let mut server = Self { port, home: tempfile::tempdir().expect("a directory"), child: None };
        server.start_again();
        server
    }

    /// Starts it on the same port, empty.
    ///
    /// # Panics
    /// When it does not start.
    pub fn start_again(&mut self) {
        let port = self.port.to_string();
        let arguments = ["--port", &port, "--bind", "127.0.0.1", "--save", "", "--appendonly", "no"];
        let child = Command::new("redis-server")
            .args(arguments)
            .current_dir(self.home.path())
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .spawn();
        self.child = Some(child.expect("redis-server starts; apt-get install redis-server"));
        let listens = || std::net::TcpStream::connect(("127.0.0.1", self.port)).is_ok();
        assert!((0..500).any(|_| listens() || pause()), "redis-server does not listen on {port}");
    }

    /// Ends it at once, as a crash would.
    pub fn kill(&mut self) {
        if let Some(mut child) = self.child.take() {
            // Both fail only when it is gone already.
            let _ = child.kill();
            let _ = child.wait();
        }
    }

    /// Stops it from answering while its connections stay open; [`RedisServer::thaw`] ends that.
    pub fn freeze(&self) {
        self.signal("-STOP");
    }

    /// Lets it answer again.
    pub fn thaw(&self) {
        self.signal("-CONT");
    }

    fn signal(&self, name: &str) {
        if let Some(child) = &self.child {
            let _ = Command::new("kill").args([name, &child.id().to_string()]).status();
        }
    }

    /// Its address.
    pub fn url(&self) -> Secret {
        Secret::new(format!("redis://127.0.0.1:{}", self.port))
    }
}

fn pause() -> bool {
    std::thread::sleep(std::time::Duration::from_millis(10));
    false
}

impl Drop for RedisServer {
    fn drop(&mut self) {
        self.kill();
    }
}
