//! Redis, where there is one: what servers share beside the database. Nothing in it is the only copy of anything.
//!
//! One watcher decides whether it is there. While it is away nobody waits for it, and every answer is `None`, which means
//! "go on without". A late answer proves nothing: it may be this process that had no time. The watcher then asks for signs
//! of life, and who needs the answer waits for its word, about a second at most; who can do without waits [`PATIENCE`].

use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use ::redis::aio::MultiplexedConnection;
use ::redis::{AsyncConnectionConfig, Client, FromRedisValue, RedisError, ToRedisArgs};
use kernel::Secret;
use metrics::Counter;
use tokio::sync::{Notify, watch};

/// After this long an answer is late.
pub const PATIENCE: Duration = Duration::from_millis(250);
/// Signs of life in a row that are late before the connection is given up.
const MOST_LATE: usize = 3;
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
    /// And since when it is there.
    connection: watch::Sender<Option<(MultiplexedConnection, Instant)>>,
    /// Tells the watcher that a command failed or is late.
    doubted: Notify,
    standing: watch::Sender<bool>,
    servers: AtomicU32,
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
            connection: watch::Sender::new(None),
            doubted: Notify::new(),
            standing: watch::Sender::new(false),
            servers: AtomicU32::new(1),
            heartbeat: Script::new(HEARTBEAT),
            counters: ["ok", "error", "away"].map(counter),
        })))
    }

    /// Whether the last thing heard of it was good.
    pub fn is_up(&self) -> bool {
        self.0.connection.borrow().is_some()
    }

    /// How long it has been there without a break; zero when it is away.
    pub fn up_for(&self) -> Duration {
        self.0.connection.borrow().as_ref().map_or(Duration::ZERO, |(_, since)| since.elapsed())
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
                let _ = tokio::time::timeout(PROBE_EVERY, self.0.doubted.notified()).await;
                if self.is_up() {
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

    /// Runs a script; `None` when Redis is away or refuses it. Waits as long as the watcher believes in the connection: a
    /// script may have run, and going on without its answer would count it twice.
    pub async fn call<T: FromRedisValue>(
        &self,
        script: &Script,
        keys: &[String],
        arguments: &[impl ToRedisArgs],
    ) -> Option<T> {
        let mut seen = self.0.connection.subscribe();
        let mut connection = self.connection_or_count()?;
        let mut invocation = script.0.prepare_invoke();
        for key in keys {
            invocation.key(key);
        }
        for argument in arguments {
            invocation.arg(argument);
        }
        let mut answer = pin!(invocation.invoke_async(&mut connection));
        let in_time = tokio::time::timeout(PATIENCE, &mut answer).await;
        let Err(_late) = in_time else {
            return self.finish(in_time.ok());
        };
        self.0.doubted.notify_one();
        tokio::select! {
            answer = answer => self.finish(Some(answer)),
            _ = seen.changed() => self.finish(None),
        }
    }

    /// Sends a command; `None` when Redis is away, late or refuses it.
    pub(crate) async fn ask<T: FromRedisValue>(&self, command: &::redis::Cmd) -> Option<T> {
        let mut connection = self.connection_or_count()?;
        let answer = tokio::time::timeout(PATIENCE, command.query_async(&mut connection)).await;
        if answer.is_err() {
            self.0.doubted.notify_one();
        }
        self.finish(answer.ok())
    }

    /// Connects if need be and says that this server lives.
    async fn beat(&self) -> bool {
        if !self.is_up() {
            let config = AsyncConnectionConfig::new()
                .set_connection_timeout(Some(CONNECT_LIMIT))
                .set_response_timeout(None);
            match self.0.client.get_multiplexed_async_connection_with_config(&config).await {
                Ok(connection) => _ = self.0.connection.send_replace(Some((connection, Instant::now()))),
                Err(error) => {
                    tracing::warn!(%error, "redis is away; the server goes on without");
                    return false;
                }
            }
        }
        for _ in 0..MOST_LATE {
            let Some(mut connection) = self.connection_or_count() else { return false };
            let mut heartbeat = self.0.heartbeat.0.prepare_invoke();
            heartbeat.key("hearth:servers").arg(&self.0.server_id).arg(SILENCE_MS);
            let answer = tokio::time::timeout(PATIENCE, heartbeat.invoke_async(&mut connection)).await;
            let is_late = answer.is_err();
            if let Some(servers) = self.finish(answer.ok()) {
                self.0.servers.store(servers, Ordering::Relaxed);
                return true;
            }
            if !is_late {
                break;
            }
        }
        // Connected, but of no use: silent, a replica, a full one, or one that still loads.
        self.0.connection.send_replace(None);
        false
    }

    /// Counts an answer, and lets go of a connection that broke; `None` is one that did not come.
    fn finish<T>(&self, answer: Option<Result<T, RedisError>>) -> Option<T> {
        let error = match answer {
            Some(Ok(value)) => {
                self.count(Outcome::Ok);
                return Some(value);
            }
            Some(Err(error)) => Some(error),
            None => None,
        };
        self.count(Outcome::Error);
        let is_broken = error.as_ref().is_some_and(|e| e.is_io_error() || e.is_connection_dropped());
        let why = error.map_or_else(|| "no answer in time".to_owned(), |error| error.to_string());
        tracing::debug!(why, is_broken, "a command to redis failed");
        if is_broken {
            self.0.connection.send_replace(None);
            self.0.doubted.notify_one();
        }
        None
    }

    fn connection_or_count(&self) -> Option<MultiplexedConnection> {
        let connection = self.0.connection.borrow().as_ref().map(|(connection, _)| connection.clone());
        if connection.is_none() {
            self.count(Outcome::Away);
        }
        connection
    }

    fn count(&self, outcome: Outcome) {
        self.0.counters[outcome as usize].increment(1);
    }
}
