//! A line to a service that breaks as told: everything that a network and a sick server do to their clients.

use std::net::SocketAddr;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

/// How the line behaves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// As it should.
    None,
    /// Nobody listens, and open connections end.
    Refuse,
    /// Takes everything and answers nothing.
    BlackHole,
    /// Every piece takes 30 s.
    Slow,
    /// A byte every tenth of a second.
    Drip,
    /// Ends in the middle of each answer.
    Reset,
    /// Answers with bytes of no protocol.
    Garbage,
    /// HTTP: 200 and a page.
    WrongType,
    /// HTTP: 429.
    TooMany,
    /// HTTP: 500.
    Failing,
    /// HTTP: an answer that never ends.
    Endless,
}

impl Fault {
    /// What befalls any connection.
    pub const OF_TCP: [Self; 6] =
        [Self::Refuse, Self::BlackHole, Self::Slow, Self::Drip, Self::Reset, Self::Garbage];
    /// What only a server of HTTP can do.
    pub const OF_HTTP: [Self; 4] = [Self::WrongType, Self::TooMany, Self::Failing, Self::Endless];

    fn answers(self) -> bool {
        self == Self::Garbage || Self::OF_HTTP.contains(&self)
    }
}

/// A line from a port of its own to a service; it ends with the runtime of the test.
pub struct Proxy {
    address: SocketAddr,
    fault: watch::Sender<Fault>,
}

impl Proxy {
    /// Listens on a free port of loopback for `target`, such as `127.0.0.1:5432`.
    ///
    /// # Panics
    /// When there is no free port.
    pub async fn to(target: &str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener.local_addr().expect("a bound socket has an address");
        let (fault, told) = watch::channel(Fault::None);
        tokio::spawn(listen(listener, address, target.to_owned(), told));
        Self { address, fault }
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// From now on, for open connections too.
    pub fn set(&self, fault: Fault) {
        self.fault.send_replace(fault);
    }
}

async fn listen(
    listener: TcpListener,
    address: SocketAddr,
    target: String,
    mut told: watch::Receiver<Fault>,
) {
    let mut listener = Some(listener);
    loop {
        let fault = *told.borrow_and_update();
        if fault == Fault::Refuse {
            listener = None;
        } else if listener.is_none() {
            listener = TcpListener::bind(address).await.ok();
        }
        let accepted = async {
            match &listener {
                Some(listener) => listener.accept().await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            Ok((near, _)) = accepted => {
                tokio::spawn(carry(near, target.clone(), told.clone()));
            }
            changed = told.changed() => if changed.is_err() { return },
        }
    }
}

/// Carries one connection until either side ends it or a fault does.
async fn carry(near: TcpStream, target: String, mut told: watch::Receiver<Fault>) {
    let fault = *told.borrow_and_update();
    if fault.answers() {
        return answer(near, fault).await;
    }
    let Ok(far) = TcpStream::connect(target).await else { return };
    let ((near_in, near_out), (far_in, far_out)) = (near.into_split(), far.into_split());
    tokio::select! {
        () = pump(near_in, far_out, told.clone(), false) => {}
        () = pump(far_in, near_out, told, true) => {}
    }
}

/// Moves bytes one way; `is_answer` when they come from the service.
async fn pump(
    mut from: OwnedReadHalf,
    mut to: OwnedWriteHalf,
    mut told: watch::Receiver<Fault>,
    is_answer: bool,
) {
    let mut buffer = vec![0; 16 * 1024];
    loop {
        let read = tokio::select! {
            read = from.read(&mut buffer) => read,
            changed = told.changed() => {
                let fault = *told.borrow_and_update();
                if changed.is_err() || fault == Fault::Refuse || fault.answers() { return }
                continue;
            }
        };
        let Ok(count @ 1..) = read else { return };
        if !pass(&buffer[..count], &mut to, &mut told, is_answer).await {
            return;
        }
    }
}

/// Passes a piece on as the fault of the moment has it; false ends the connection.
async fn pass(
    piece: &[u8],
    to: &mut OwnedWriteHalf,
    told: &mut watch::Receiver<Fault>,
    is_answer: bool,
) -> bool {
    let mut sent = 0;
    loop {
        let fault = *told.borrow_and_update();
        let pause = match fault {
            Fault::Reset if is_answer => {
                let _ = to.write_all(&piece[..piece.len() / 2]).await;
                return false;
            }
            Fault::None | Fault::Reset => return to.write_all(&piece[sent..]).await.is_ok(),
            Fault::BlackHole => None,
            Fault::Slow => Some(Duration::from_secs(30)),
            Fault::Drip => Some(Duration::from_millis(100)),
            _ => return false,
        };
        let paused = async {
            match pause {
                Some(pause) => tokio::time::sleep(pause).await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            () = paused => {
                let next = if fault == Fault::Drip { sent + 1 } else { piece.len() };
                if to.write_all(&piece[sent..next]).await.is_err() { return false }
                sent = next;
                if sent == piece.len() { return true }
            }
            changed = told.changed() => if changed.is_err() { return false },
        }
    }
}

/// Answers in the place of the service.
async fn answer(near: TcpStream, fault: Fault) {
    const PAGE: &str = "<html>try again later</html>";
    let (mut read, mut write) = near.into_split();
    let mut first = vec![0; 16 * 1024];
    if !matches!(read.read(&mut first).await, Ok(1..)) {
        return;
    }
    // The rest of the request is taken and forgotten, so that the client gets to read.
    let rest = tokio::spawn(async move { while matches!(read.read(&mut first).await, Ok(1..)) {} });
    let head = |status: &str| {
        format!(
            "HTTP/1.1 {status}\r\ncontent-type: text/html\r\nconnection: close\r\ncontent-length: {}\r\n\r\n{PAGE}",
            PAGE.len()
        )
    };
    let said = match fault {
        Fault::WrongType => head("200 OK"),
        Fault::TooMany => head("429 Too Many Requests"),
        Fault::Failing => head("500 Internal Server Error"),
        Fault::Endless => {
            "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ntransfer-encoding: chunked\r\n\r\n"
                .to_owned()
        }
        _ => "\u{1}\u{2}\u{7f}garbage\r\n\r\n".repeat(20),
    };
    let _ = write.write_all(said.as_bytes()).await;
    if fault == Fault::Endless {
        let piece = format!("400\r\n{}\r\n", " ".repeat(1024));
        // Bounded in rate, so that a client without a limit of its own does not eat the machine.
        while write.write_all(piece.as_bytes()).await.is_ok() {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    }
    let _ = write.shutdown().await;
    rest.abort();
}
