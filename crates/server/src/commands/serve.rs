//! `hearth serve` and `hearth setup-link`.

use kernel::Clock;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::watch;

use super::{Failure, say, take_lock, usable};
use crate::App;
use crate::app::public_address;
use crate::config::{Flags, load, process_environment};
use crate::open::make_place;

/// Starts the server and returns when it has drained.
pub(super) async fn serve(flags: &Flags) -> Result<(), Failure> {
    let config = usable(load(flags, &process_environment()).with_place(), true)?;
    make_place(&config)?;
    // Held to the end of this function: a second server on the same embedded database is refused.
    let _lock = take_lock(&config.database.store)?;
    crate::logs::start(&config.log);
    let app = App::build(config, Clock::system()).await?;
    // Before anything listens: whoever sees the server ready may end it at once.
    let signals = Signals::catch()?;
    let listeners = if app.config.database.is_embedded {
        app.become_ready().await?;
        app.bind().await?
    } else {
        start_beside_database(&app).await?
    };
    let address = public_address(&listeners);
    if let Some(address) = address {
        tracing::info!(%address, engine = ?app.store.engine(), "listening");
        announce(&app, &address.to_string()).await;
    }
    let (stop, stopped) = watch::channel(false);
    tokio::spawn(signals.obey(stop, app.clone(), flags.clone()));
    app.serve(listeners, stopped).await;
    Ok(())
}

/// A shared database may come later: the server binds first, answers health, and turns ready when it can.
async fn start_beside_database(app: &App) -> Result<Vec<tokio::net::TcpListener>, Failure> {
    let waiting = app.clone();
    let mut ready = tokio::spawn(async move { waiting.become_ready().await });
    // A database that is there decides before anything listens; one that is away does not hold the start.
    let first_try = app.config.database.store.connect_timeout + std::time::Duration::from_millis(500);
    if let Ok(outcome) = tokio::time::timeout(first_try, &mut ready).await {
        outcome.map_err(|error| Failure::work(format!("hearth: {error}")))??;
    } else {
        let app = app.clone();
        tokio::spawn(async move {
            match ready.await {
                Ok(Ok(())) => {
                    let address = app.config.listen.first().map(ToString::to_string);
                    announce(&app, &address.unwrap_or_default()).await;
                }
                Ok(Err(error)) => {
                    eprintln!("{}", Failure::from(error).text);
                    std::process::exit(2);
                }
                Err(error) => tracing::error!(%error, "start-up ended"),
            }
        });
    }
    Ok(app.bind().await?)
}

/// Says where the page is, and how to become its first owner.
async fn announce(app: &App, address: &str) {
    let host = address
        .replace("0.0.0.0", "localhost")
        .replace("127.0.0.1", "localhost")
        .replace("[::]", "localhost");
    match app.identity.owner_exists().await {
        Ok(true) => eprintln!("Hearth is at http://{host}"),
        Ok(false) => match app.identity.create_setup_token().await {
            Ok(token) => eprintln!(
                "Hearth is at http://{host}\nNobody owns it yet. Open this link within 30 minutes; it works once:\n\n  \
                 http://{host}/setup?token={}\n",
                token.expose()
            ),
            Err(error) => {
                tracing::warn!(code = error.code, "no set-up link could be made; try `hearth setup-link`");
            }
        },
        Err(error) => tracing::warn!(code = error.code, "owners could not be counted"),
    }
}

/// Prints a new set-up link; the one before stops working.
pub(super) async fn setup_link(flags: &Flags) -> Result<(), Failure> {
    let app = super::admin::open(flags).await?;
    if app.identity.owner_exists().await? {
        return Err(Failure::work(
            "hearth: an owner exists; sign in, or use `hearth admin create-user` to make another",
        ));
    }
    let token = app.identity.create_setup_token().await?;
    let address = app.config.listen.first().map(ToString::to_string).unwrap_or_default();
    let host = address.replace("0.0.0.0", "localhost").replace("127.0.0.1", "localhost");
    say(&format!("http://{host}/setup?token={}", token.expose()))
}

/// Reads the settings again and puts those into use that a running server can change: all of them or none.
async fn reload(app: &App, flags: &Flags) {
    let loaded = load(flags, &process_environment()).with_place();
    let Some(config) = loaded.config else {
        for finding in &loaded.findings {
            tracing::error!(%finding, "not reloaded; everything stays as it was");
        }
        return;
    };
    app.apply(config).await;
}

/// The signals that end a server or reload its settings, caught from here on.
struct Signals {
    terminate: Signal,
    interrupt: Signal,
    hangup: Signal,
}

impl Signals {
    fn catch() -> Result<Self, Failure> {
        let refused = |error| Failure::work(format!("hearth: cannot watch for signals: {error}"));
        Ok(Self {
            terminate: signal(SignalKind::terminate()).map_err(refused)?,
            interrupt: signal(SignalKind::interrupt()).map_err(refused)?,
            hangup: signal(SignalKind::hangup()).map_err(refused)?,
        })
    }

    /// SIGHUP reloads; the first of the others drains, the second ends at once.
    async fn obey(mut self, stop: watch::Sender<bool>, app: App, flags: Flags) {
        loop {
            tokio::select! {
                _ = self.terminate.recv() => {}
                _ = self.interrupt.recv() => {}
                _ = self.hangup.recv() => {
                    reload(&app, &flags).await;
                    continue;
                }
            }
            if stop.send_replace(true) {
                std::process::exit(130);
            }
            tracing::info!("draining; a second signal ends at once");
        }
    }
}
