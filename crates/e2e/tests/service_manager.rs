//! What a service manager is told, and a restart under a listening socket that it keeps.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixDatagram;
use std::process::{Child, Command};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use e2e::{Engine, Hearth};

const PATIENCE: Duration = Duration::from_secs(30);

/// What a service manager hears, in order.
struct Manager {
    socket: UnixDatagram,
    _dir: tempfile::TempDir,
    path: String,
}

impl Manager {
    fn new() -> Result<Self> {
        let dir = tempfile::tempdir()?;
        let path = dir.path().join("notify");
        let socket = UnixDatagram::bind(&path)?;
        socket.set_read_timeout(Some(PATIENCE))?;
        Ok(Self { socket, path: path.display().to_string(), _dir: dir })
    }

    fn next(&self) -> Result<String> {
        let mut buffer = [0; 256];
        let length = self.socket.recv(&mut buffer).context("the manager hears nothing")?;
        Ok(String::from_utf8_lossy(&buffer[..length]).trim().to_owned())
    }

    /// Waits for a message, past those of the watchdog.
    fn hears(&self, wanted: &str) -> Result<()> {
        loop {
            match self.next()? {
                heard if heard == wanted => return Ok(()),
                heard => ensure!(heard == "WATCHDOG=1", "heard {heard}, not {wanted}"),
            }
        }
    }
}

#[test]
fn a_manager_hears_of_readiness_life_and_the_end() -> Result<()> {
    let manager = Manager::new()?;
    let hearth =
        Hearth::new(Engine::Sqlite)?.set("NOTIFY_SOCKET", &manager.path).set("WATCHDOG_USEC", "200000");
    let server = hearth.start()?;
    manager.hears("READY=1")?;
    ensure!(manager.next()? == "WATCHDOG=1", "the watchdog is not fed");
    ensure!(manager.next()? == "WATCHDOG=1", "the watchdog is fed once");
    let (status, _) = server.terminate()?;
    ensure!(status.success(), "ended with {status}");
    manager.hears("STOPPING=1")
}

/// A server that is handed a listening socket as its third descriptor.
fn start_on(listener: &TcpListener, hearth: &Hearth) -> Result<Child> {
    let mut command = hearth.command(&["serve"]);
    command.stdin(OwnedFd::from(listener.try_clone()?));
    Ok(command.spawn()?)
}

fn answer(stream: &mut TcpStream) -> Result<String> {
    stream.set_read_timeout(Some(PATIENCE))?;
    let mut said = String::new();
    stream.read_to_string(&mut said)?;
    Ok(said)
}

fn ask(hearth: &Hearth) -> Result<TcpStream> {
    let mut stream = TcpStream::connect(hearth.address())?;
    stream.write_all(b"GET /health/live HTTP/1.1\r\nHost: hearth\r\nConnection: close\r\n\r\n")?;
    Ok(stream)
}

fn end(mut server: Child) -> Result<()> {
    let pid = server.id().to_string();
    ensure!(Command::new("kill").args(["-TERM", &pid]).status()?.success(), "cannot signal {pid}");
    let asked = Instant::now();
    while server.try_wait()?.is_none() {
        if asked.elapsed() > PATIENCE {
            server.kill()?;
        }
        std::thread::sleep(Duration::from_millis(5));
    }
    ensure!(asked.elapsed() < PATIENCE, "the server did not end");
    Ok(())
}

#[test]
fn a_restart_under_a_kept_socket_refuses_nobody() -> Result<()> {
    let shell = "export LISTEN_PID=$$ LISTEN_FDS=1; exec 3<&0 0</dev/null; exec \"$0\" \"$@\"";
    let hearth = Hearth::new(Engine::Sqlite)?.under(&["/bin/sh", "-c", shell]);
    let listener = TcpListener::bind(hearth.address())?;
    let first = start_on(&listener, &hearth)?;
    let heard = answer(&mut ask(&hearth)?)?;
    ensure!(heard.starts_with("HTTP/1.1 200"), "the first server: {heard}");
    end(first)?;
    // Nobody serves now, and the connection is still taken.
    let mut waiting = ask(&hearth)?;
    let second = start_on(&listener, &hearth)?;
    let heard = answer(&mut waiting)?;
    ensure!(heard.starts_with("HTTP/1.1 200"), "the second server: {heard}");
    end(second)
}
