//! A running server: its parts put together, in the order in which each needs the one before.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use axum::middleware::from_fn_with_state;
use axum::{Extension, Router};
use httpkit::accept::{AcceptConfig, PlaceLimits, TimeLimits};
use httpkit::tls::Tls;
use httpkit::{AddressRules, Authenticator, Edge};
use identity::Identity;
use kernel::Clock;
use memory::{Memory, MemoryConfig};
use store::migrate::MigrateError;
use store::seal::Keyring;
use store::{Cache, Redis, Store};
use tokio::net::TcpListener;
use tokio::sync::{Notify, watch};
use tokio::task::JoinHandle;

use crate::admin::Admin;
use crate::backups::Backups;
use crate::config::{Config, Finding, open_tls};
use crate::dependencies::{Dependencies, Dependency};
use crate::health::{Health, Phase};
use crate::metrics::{Metrics, Observer};
use crate::open::{listen, make_place, open_blobs, open_chat, open_embedder, open_redis, open_store};
use crate::rights::Rights;
use crate::settings::Settings;
use crate::system::SystemWatch;
use crate::{api, edge, health, metrics, page, probes, secrets, systemd};

/// Kept of the drain limit for jobs and the database.
const CLOSING: Duration = Duration::from_secs(1);
/// How often the schema is tried while the database is away.
const MIGRATE_EVERY: Duration = Duration::from_secs(1);

/// Everything a server is made of. Clones share it.
#[derive(Clone)]
pub struct App {
    /// Settings.
    pub config: Arc<Config>,
    /// Database.
    pub store: Store,
    /// Time.
    pub clock: Clock,
    /// Who asks.
    pub identity: Identity,
    /// What is remembered.
    pub memory: Memory,
    /// Opens and seals the secrets that are read back.
    pub keyring: Arc<Keyring>,
    /// What servers share beside the database.
    pub redis: Option<Redis>,
    pub(crate) backups: Backups,
    pub(crate) rights: Rights,
    health: Health,
    dependencies: Dependencies,
    pub(crate) tls: Option<Tls>,
    /// The listening sockets belong to a service manager.
    is_activated: Arc<AtomicBool>,
    is_listening: Arc<AtomicBool>,
    pub(crate) edge: Edge,
    pub(crate) settings: Settings,
    system: SystemWatch,
    router: Router,
    pub(crate) wake_jobs: Arc<Notify>,
}

/// Why a server cannot be put together: a line for the operator, with its variable.
#[derive(Debug)]
pub struct StartError {
    /// The variable that the cure is in.
    pub variable: String,
    /// `what is wrong; cure`.
    pub text: String,
}

impl StartError {
    pub(crate) fn new(variable: &str, text: impl Into<String>) -> Self {
        Self { variable: variable.to_owned(), text: text.into() }
    }
}

impl From<Finding> for StartError {
    fn from(finding: Finding) -> Self {
        Self { variable: finding.variable, text: finding.text }
    }
}

impl App {
    /// Opens what the settings name and puts the server together; nothing listens yet.
    ///
    /// # Errors
    /// What cannot be opened, with the variable to look at.
    pub async fn build(config: Config, clock: Clock) -> Result<Self, StartError> {
        metrics::recorder();
        let tls = open_tls(&config, clock.now())?;
        let blobs = open_blobs(&config)?;
        let redis = open_redis(&config)?;
        let stored_objects = blobs.clone();
        let embedder = Arc::new(open_embedder(&config)?);
        make_place(&config)?;
        let cache = Cache::new(config.enable_cache, redis.clone(), clock.clone());
        let store = open_store(&config).await?.with_cache(cache);
        if let Some(redis) = &redis {
            store.tell_writes_through(redis.clone());
        }
        // Made when nothing else can be refused any more, so that a refusal leaves nothing behind.
        let secrets = secrets::take_or_make(&config).map_err(|e| {
            StartError::new("DATA_DIR", format!("cannot keep secrets there: {e}; mend its rights"))
        })?;
        let keyring = Arc::new(Keyring::new(&secrets.encryption, config.encryption_key_previous.as_ref()));
        let probes = probes::probes(&config, &store, redis.as_ref(), &blobs, &embedder);
        let dependencies = Dependencies::new(clock.clone(), probes);
        let wake_jobs = Arc::new(Notify::new());
        let memory_config = MemoryConfig {
            index_bytes: config.index_bytes,
            derives: config.derive.is_on,
            chat: open_chat(&config)?,
            chat_tokens_per_day: config.derive.tokens_per_day,
            placeholder_key: secrets.placeholder_key(),
            ..MemoryConfig::default()
        };
        let memory =
            Memory::start(store.clone(), blobs, clock.clone(), embedder, memory_config, wake_jobs.clone());
        let identity =
            Identity::new(store.clone(), clock.clone(), config.identity(secrets.jwt, secrets.api_key));
        let name = store.database_name().to_owned();
        let observer = Observer::default();
        let health = Health::new(clock.clone(), config.service_name.clone(), name, dependencies.clone());
        let config = Arc::new(config);
        let settings = Settings::new(&config);
        let backups = Backups::new(&config, store.clone(), stored_objects.clone(), clock.clone());
        let rights = Rights {
            store: store.clone(),
            blobs: stored_objects,
            clock: clock.clone(),
            identity: identity.clone(),
            keyring: keyring.clone(),
            shelf: backups.shelf.clone(),
            operators: config.operator_tenant.clone(),
            wake_jobs: wake_jobs.clone(),
        };
        let admin = Admin {
            config: config.clone(),
            store: store.clone(),
            clock: clock.clone(),
            identity: identity.clone(),
            memory: memory.clone(),
            backups: backups.clone(),
            rights: rights.clone(),
            health: health.clone(),
            dependencies: dependencies.clone(),
            settings: settings.clone(),
            wake_jobs: wake_jobs.clone(),
        };
        let edge = edge::start(&config, redis.clone(), &store, &observer);
        let system = SystemWatch::default();
        let router = edge.around(router(admin, edge.addresses().clone(), &observer, system.clone()));
        Ok(Self {
            config,
            store,
            clock,
            identity,
            memory,
            keyring,
            redis,
            edge,
            backups,
            rights,
            health,
            dependencies,
            settings,
            system,
            tls,
            is_activated: Arc::default(),
            is_listening: Arc::default(),
            router,
            wake_jobs,
        })
    }

    /// The whole router, with the edge around it.
    pub fn router(&self) -> Router {
        self.router.clone()
    }

    /// Migrates and turns ready. While the database is away it keeps trying; a schema it cannot serve is an error.
    ///
    /// # Errors
    /// [`MigrateError`] that no waiting can mend.
    pub async fn become_ready(&self) -> Result<(), MigrateError> {
        loop {
            match store::migrate::up(&self.store, &self.clock).await {
                Ok(applied) => {
                    if !applied.is_empty() {
                        tracing::info!(?applied, "migrated");
                    }
                    break;
                }
                Err(MigrateError::Store(error)) if error.is_transient() => {
                    tracing::warn!(%error, "waiting for the database");
                    tokio::time::sleep(MIGRATE_EVERY).await;
                }
                Err(error) => return Err(error),
            }
        }
        self.dependencies.note_database();
        self.health.set_phase(Phase::Ready);
        self.tell_if_ready();
        if let Err(error) = self.memory.enqueue_missing_vectors().await {
            tracing::warn!(code = error.code, "missing vectors could not be asked for");
        }
        if let Err(error) = self.memory.enqueue_underived().await {
            tracing::warn!(code = error.code, "missing memories could not be asked for");
        }
        self.wake_jobs.notify_one();
        Ok(())
    }

    /// What the server leans on, as its probers last saw it.
    pub fn dependencies(&self) -> Vec<Dependency> {
        self.dependencies.report()
    }

    /// Serves until `stop` turns true, then drains.
    pub async fn serve(&self, listeners: Vec<TcpListener>, stop: watch::Receiver<bool>) {
        crate::process::warn_of_few_files(self.config.max_connections);
        self.is_listening.store(true, Ordering::SeqCst);
        self.tell_if_ready();
        if let Some(redis) = &self.redis {
            redis.watch();
        }
        self.dependencies.watch();
        tokio::spawn(forget_old_failures(self.identity.clone()));
        tokio::spawn(self.system.clone().keep(self.config.data_dir.clone()));
        let reminding = tokio::spawn(self.settings.clone().remind());
        let (jobs_stop, health) = (Arc::new(Notify::new()), self.health.clone());
        let jobs = self.config.run_mode.works.then(|| tokio::spawn(self.jobs().run(jobs_stop.clone())));
        let schedules = self.keep_schedules(stop.clone());
        let watchdog = tokio::spawn(systemd::feed_watchdog());
        let tls = self.tls.clone().map(|tls| tokio::spawn(tls.watch(self.clock.clone())));
        let mut told = stop.clone();
        tokio::spawn(async move {
            if told.wait_for(|stopped| *stopped).await.is_ok() {
                health.set_phase(Phase::Draining);
                systemd::tell_stopping();
                // Jobs end while connections drain, so that both fit into one limit.
                jobs_stop.notify_one();
            }
        });
        httpkit::accept::serve(listeners, self.router(), self.accept_config(), stop).await;
        let ended = async {
            for work in jobs.into_iter().chain(schedules) {
                let _ = work.await;
            }
        };
        // Jobs and the lead are handed back; what is cut off here is taken over when its lease ends.
        let _ = tokio::time::timeout(CLOSING, ended).await;
        reminding.abort();
        self.store.close().await;
        watchdog.abort();
        tls.inspect(JoinHandle::abort);
    }

    /// Called when the server turns ready and when it listens: the later of the two tells the service manager.
    fn tell_if_ready(&self) {
        if self.is_listening.load(Ordering::SeqCst) && self.health.phase() == Phase::Ready {
            systemd::tell_ready();
        }
    }

    fn accept_config(&self) -> AcceptConfig {
        let config = &self.config;
        let (total, per_address) = (config.max_connections, config.max_connections_per_address);
        AcceptConfig {
            places: PlaceLimits { total, per_address, ..PlaceLimits::default() },
            times: TimeLimits::default(),
            addresses: self.edge.addresses().clone(),
            tls: self.tls.clone(),
            // Its manager keeps the socket: what comes meanwhile waits for the next server.
            drain_grace: if self.is_activated.load(Ordering::SeqCst) {
                Duration::ZERO
            } else {
                config.drain_grace
            },
            drain_limit: config.drain_limit.saturating_sub(CLOSING),
        }
    }

    /// Takes the sockets of a service manager, or binds the configured addresses.
    ///
    /// # Errors
    /// An address that is taken or not ours.
    pub async fn bind(&self) -> Result<Vec<TcpListener>, StartError> {
        let mut listeners = systemd::take_listeners().map_err(|error| {
            StartError::new(
                "LISTEN",
                format!("a socket of the service manager is no TCP listener: {error}; mend its unit"),
            )
        })?;
        if !listeners.is_empty() {
            self.is_activated.store(true, Ordering::SeqCst);
            return Ok(listeners);
        }
        for address in &self.config.listen {
            let listener = listen(*address).map_err(|error| {
                StartError::new(
                    "PORT",
                    format!("cannot listen on {address}: {error}; choose another or stop what holds it"),
                )
            })?;
            listeners.push(listener);
        }
        Ok(listeners)
    }
}

async fn forget_old_failures(identity: Identity) {
    let mut every = tokio::time::interval(Duration::from_mins(10));
    loop {
        every.tick().await;
        if let Err(error) = identity.forget_old_failures().await {
            tracing::warn!(code = error.code, "old failed sign-ins were not removed");
        }
    }
}

fn router(admin: Admin, addresses: AddressRules, observer: &Observer, system: SystemWatch) -> Router {
    let Admin { config, store, clock, identity, memory, health, .. } = admin.clone();
    let metrics =
        Metrics::new(store, memory.clone(), clock, system, config.metrics.clone(), addresses, observer);
    let authenticator: Authenticator = Arc::new(identity.clone());
    let mut router = health::routes(health.clone()).merge(metrics::routes(metrics));
    if config.run_mode.serves {
        let (routes, description) = api::routes(identity, memory, admin);
        let gate = from_fn_with_state(health, health::refuse_while_starting);
        router = router
            .merge(routes.route_layer(gate))
            .merge(api::documentation(description))
            .fallback(page::serve);
    }
    router.layer(Extension(authenticator))
}

/// The address people open: the first one that was bound.
pub fn public_address(listeners: &[TcpListener]) -> Option<SocketAddr> {
    listeners.first().and_then(|listener| listener.local_addr().ok())
}
