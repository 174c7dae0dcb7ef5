//! What a service manager is told and hands over: readiness, the watchdog, listening sockets. Without one nothing happens.

use std::time::Duration;

use listenfd::ListenFd;
use sd_notify::NotifyState;
use tokio::net::TcpListener;

/// The server answers requests.
pub(crate) fn tell_ready() {
    tell(&NotifyState::Ready);
}

/// The server drains and will end.
pub(crate) fn tell_stopping() {
    tell(&NotifyState::Stopping);
}

fn tell(state: &NotifyState<'_>) {
    if let Err(error) = sd_notify::notify(std::slice::from_ref(state)) {
        tracing::warn!(%error, ?state, "the service manager could not be told");
    }
}

/// Feeds the watchdog, if there is one, from the same runtime that serves requests: when that hangs, so does this.
pub(crate) async fn feed_watchdog() {
    let Some(limit) = sd_notify::watchdog_enabled().filter(|limit| *limit > Duration::ZERO) else {
        return;
    };
    let mut every = tokio::time::interval(limit / 2);
    loop {
        every.tick().await;
        tell(&NotifyState::Watchdog);
    }
}

/// Sockets that the service manager listens on for us; empty without socket activation. Takes them: a second call finds
/// none.
///
/// # Errors
/// A descriptor that is no listening TCP socket.
pub(crate) fn take_listeners() -> std::io::Result<Vec<TcpListener>> {
    let mut handed = ListenFd::from_env();
    let mut listeners = Vec::new();
    for index in 0..handed.len() {
        let Some(listener) = handed.take_tcp_listener(index)? else {
            continue;
        };
        listener.set_nonblocking(true)?;
        listeners.push(TcpListener::from_std(listener)?);
    }
    Ok(listeners)
}
