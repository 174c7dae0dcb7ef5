//! Redis, where there is one: what servers share beside the database. Nothing in it is the only copy of anything.
//!
//! No request waits longer than [`PATIENCE`] for it. While it is away nobody waits at all: one watcher tries to reach it,
//! and every answer is `None`, which means "go on without".

use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::{Duration, Instant};

use ::redis::aio::MultiplexedConnection;
use ::redis::{AsyncConnectionConfig, Client, FromRedisValue, RedisError, ToRedisArgs};
use kernel::Secret;
use metrics::Counter;
use tokio::sync::{Notify, watch};

/// Longest wait for the answer to a command.
pub const PATIENCE: Duration = Duration::from_millis(250);
/// Commands in a row without an answer before the connection is given up.
const MOST_SILENT: u32 = 3;
/// Longest wait for a connection; only the watcher waits for one.
const CONNECT_LIMIT: Duration = Duration::from_secs(2);
/// How often a server says that it lives, and at most how long until Redis is tried again.
const PROBE_EVERY: Duration = Duration::from_secs(5);
/// Pause before the first new try; each one after a failure is twice as long.
const FIRST_PAUSE: Duration = Duration::from_millis(250);
/// A server that was silent for this long is not counted.
const SILENCE_MS: u64 = 15_000;

/// Notes that a server lives and counts those that do.
const HEARTBEAT: &str = "
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
redis.call('ZADD', KEYS[1], string.format('%.0f', now), ARGV[1])
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', string.format('%.0f', now - ARGV[2]))
redis.call('PEXPIRE', KEYS[1], ARGV[2])
return redis.call('ZCARD', KEYS[1])";

/// A Lua text that Redis runs as one atomic step.
pub struct Script(::redis::Script);

impl Script {
    /// Prepares a text; it is sent once and named by its hash from then on.
    pub fn new(text: &str) -> Self {
        Self(::redis::Script::new(text))
    }
}

/// The connection of one server to Redis. Clones share it.
#[derive(Clone)]
pub struct Redis(Arc<Inner>);

impl std::fmt::Debug for Redis {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Redis").field("is_up", &self.is_up()).finish()
    }
}

struct Inner {
    client: Client,
    /// Names this server among those that live.
    server_id: String,
    /// Since when it is there.
    connection: RwLock<Option<(MultiplexedConnection, Instant)>>,
    /// Tells the watcher that a command failed.
    lost: Notify,
    standing: watch::Sender<bool>,
    servers: AtomicU32,
    /// Commands in a row that got no answer in time.
    silent: AtomicU32,
    heartbeat: Script,
    counters: [Counter; 3],
}

/// What became of a command; places in `Inner::counters`.
#[derive(Clone, Copy)]
enum Outcome {
    Ok,
    Error,
    Away,
}

impl Redis {
    /// Prepares for `redis://` or `rediss://`; nothing is sent before [`Redis::watch`].
    ///
    /// # Errors
    /// What is wrong with the address.
    pub fn open(url: &Secret) -> Result<Self, String> {
        let client = Client::open(url.expose()).map_err(|error| error.to_string())?;
        let counter =
            |result: &'static str| metrics::counter!("hearth_redis_commands_total", "result" => result);
        Ok(Self(Arc::new(Inner {
            client,
            server_id: kernel::random::token(),
            connection: RwLock::default(),
            lost: Notify::new(),
            standing: watch::Sender::new(false),
            servers: AtomicU32::new(1),
            silent: AtomicU32::new(0),
            heartbeat: Script::new(HEARTBEAT),
            counters: ["ok", "error", "away"].map(counter),
        })))
    }

    /// Whether the last thing heard of it was good.
    pub fn is_up(&self) -> bool {
        self.connection().is_some()
    }

    /// How long it has been there without a break; zero when it is away.
    pub fn up_for(&self) -> Duration {
        let held = self.0.connection.read().unwrap_or_else(PoisonError::into_inner);
        held.as_ref().map_or(Duration::ZERO, |(_, since)| since.elapsed())
    }

    /// Servers that shared it when it was last seen, this one among them; at least 1.
    pub fn servers(&self) -> u32 {
        self.0.servers.load(Ordering::Relaxed).max(1)
    }

    /// Keeps the connection up until the process ends.
    pub fn watch(&self) {
        tokio::spawn(self.clone().keep_up());
    }

    /// Is told whether the watcher reaches it, soon after a change.
    pub fn standing(&self) -> watch::Receiver<bool> {
        self.0.standing.subscribe()
    }

    async fn keep_up(self) {
        let mut pause = FIRST_PAUSE;
        loop {
            let is_up = self.beat().await;
            self.0.standing.send_replace(is_up);
            if is_up {
                pause = FIRST_PAUSE;
                let lost = tokio::time::timeout(PROBE_EVERY, self.0.lost.notified()).await;
                if lost.is_err() {
                    continue;
                }
                self.0.standing.send_replace(false);
            }
            tokio::time::sleep(pause).await;
            pause = (pause * 2).min(PROBE_EVERY);
        }
    }

    /// Asks for a sign of life.
    ///
    /// # Errors
    /// Why there is none.
    pub async fn ping(&self) -> Result<(), String> {
        if !self.is_up() {
            return Err("cannot be reached".to_owned());
        }
        self.ask::<()>(&::redis::cmd("PING")).await.ok_or_else(|| "gives no answer".to_owned())
    }

    /// What it throws away when it is full, such as `noeviction`; `None` when it does not tell.
    pub async fn eviction_policy(&self) -> Option<String> {
        let info = Script::new("return redis.call('INFO', 'memory')");
        let text: String = self.call(&info, &[], &[""; 0]).await?;
        let line = text.lines().find_map(|line| line.strip_prefix("maxmemory_policy:"))?;
        Some(line.trim().to_owned())
    }

    /// Runs a script; `None` when Redis is away or refuses it.
    pub async fn call<T: FromRedisValue>(
        &self,
        script: &Script,
        keys: &[String],
        arguments: &[impl ToRedisArgs],
    ) -> Option<T> {
        let mut connection = self.connection_or_count()?;
        let mut invocation = script.0.prepare_invoke();
        for key in keys {
            invocation.key(key);
        }
        for argument in arguments {
            invocation.arg(argument);
        }
        self.finish(invocation.invoke_async(&mut connection)).await
    }

    /// Sends a command; `None` when Redis is away or refuses it.
    pub(crate) async fn ask<T: FromRedisValue>(&self, command: &::redis::Cmd) -> Option<T> {
        let mut connection = self.connection_or_count()?;
        self.finish(command.query_async(&mut connection)).await
    }

    /// Connects if need be and says that this server lives.
    async fn beat(&self) -> bool {
        if self.connection().is_none() {
            let config = AsyncConnectionConfig::new()
                .set_connection_timeout(Some(CONNECT_LIMIT))
                .set_response_timeout(None);
            match self.0.client.get_multiplexed_async_connection_with_config(&config).await {
                Ok(connection) => self.set_connection(Some(connection)),
                Err(error) => {
                    tracing::warn!(%error, "redis is away; the server goes on without");
                    return false;
                }
            }
        }
        let arguments = [self.0.server_id.clone(), SILENCE_MS.to_string()];
        let servers = self.call(&self.0.heartbeat, &["hearth:servers".to_owned()], &arguments).await;
        if let Some(servers) = servers {
            self.0.servers.store(servers, Ordering::Relaxed);
            return true;
        }
        // Connected, but of no use: a replica, a full one, or one that still loads.
        self.set_connection(None);
        false
    }

    /// Waits for an answer, and lets go of a connection that gives none.
    async fn finish<T>(&self, answer: impl Future<Output = Result<T, RedisError>>) -> Option<T> {
        let error = match tokio::time::timeout(PATIENCE, answer).await {
            Ok(Ok(value)) => {
                self.0.silent.store(0, Ordering::Relaxed);
                self.count(Outcome::Ok);
                return Some(value);
            }
            Ok(Err(error)) => Some(error),
            Err(_) => None,
        };
        self.count(Outcome::Error);
        let is_lost = match &error {
            Some(error) => error.is_io_error() || error.is_connection_dropped(),
            // One late answer may be our own lack of time.
            None => self.0.silent.fetch_add(1, Ordering::Relaxed) + 1 >= MOST_SILENT,
        };
        let why = error.map_or_else(|| "no answer in time".to_owned(), |error| error.to_string());
        tracing::debug!(why, is_lost, "a command to redis failed");
        if is_lost {
            self.set_connection(None);
            self.0.lost.notify_one();
        }
        None
    }

    fn connection(&self) -> Option<MultiplexedConnection> {
        let held = self.0.connection.read().unwrap_or_else(PoisonError::into_inner);
        held.as_ref().map(|(connection, _)| connection.clone())
    }

    fn connection_or_count(&self) -> Option<MultiplexedConnection> {
        self.connection().or_else(|| {
            self.count(Outcome::Away);
            None
        })
    }

    fn set_connection(&self, connection: Option<MultiplexedConnection>) {
        let since = connection.map(|connection| (connection, Instant::now()));
        *self.0.connection.write().unwrap_or_else(PoisonError::into_inner) = since;
    }

    fn count(&self, outcome: Outcome) {
        self.0.counters[outcome as usize].increment(1);
    }
}
