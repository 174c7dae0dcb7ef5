//! How often somebody may ask: exact under races, in this process and over all servers that share a Redis.
//!
//! A request counts against its caller, the person behind a key, the tenant and the address; all must have room, and the
//! tightest is what the answer's headers tell. While Redis is away each server gives its part of a limit: what the servers
//! that were last seen alive would give together is never more than the whole.

mod class;
mod gcra;

use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::Duration;

use arc_swap::ArcSwapOption;
use kernel::{Error, ErrorKind};
use store::Redis;

pub use class::{RateClass, Who};
use gcra::{Ask, Local, Shared, Verdict};

/// How often a principal may ask.
#[derive(Clone, Copy, Debug)]
pub struct RateConfig {
    /// Requests in a window, of a caller; also of an address without credential.
    pub max_requests: NonZeroU32,
    /// The window.
    pub window: Duration,
    /// Requests a minute that record events, a class of its own.
    pub events_per_minute: NonZeroU32,
    /// Requests in a window of all callers of a tenant together; `None` leaves them alone.
    pub tenant_max_requests: Option<NonZeroU32>,
}

/// What a caller has left; becomes the `RateLimit-*` headers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RateState {
    /// Requests in a window.
    pub limit: u32,
    /// Requests that would pass now.
    pub remaining: u32,
    /// Seconds until the limit is whole again.
    pub reset_seconds: u32,
}

/// The limiter of one server.
pub struct Limits {
    config: ArcSwapOption<RateConfig>,
    local: Local,
    shared: Option<Shared>,
}

impl Limits {
    /// Builds the limiter; without a configuration nobody is limited.
    pub fn new(config: Option<RateConfig>, redis: Option<Redis>) -> Self {
        let config = ArcSwapOption::from(config.map(Arc::new));
        Self { config, local: Local::new(), shared: redis.map(Shared::new) }
    }

    /// Changes the limits for the requests that come; what was counted stays counted.
    pub fn set(&self, config: Option<RateConfig>) {
        self.config.store(config.map(Arc::new));
    }

    /// Counts one request; `None` when nobody is limited. Waits for Redis while it lives, and about a second until it is
    /// known that it does not.
    ///
    /// # Errors
    /// `rate_limited` with the seconds to wait, beside the state that the answer's headers tell.
    pub async fn count(
        &self,
        class: RateClass,
        who: Who<'_>,
    ) -> Option<Result<RateState, (RateState, Error)>> {
        let config = self.config.load_full()?;
        let mut asks = class::asks(class, who, &config);
        if let Some(shared) = &self.shared {
            // Boxed, because it is large and servers without Redis would move it with every request.
            if let Some(verdict) = Box::pin(shared.count(&asks)).await {
                self.local.mirror(&asks, &verdict.debts_us, self.local.now_us());
                return Some(answer(&asks, &verdict));
            }
            for ask in &mut asks {
                ask.quota = ask.quota.shared_by(shared.servers());
            }
        }
        let verdict = self.local.count(&asks, self.local.now_us());
        Some(answer(&asks, &verdict))
    }

    /// Forgets those who have their whole limit again; call it now and then.
    pub fn forget_idle(&self) {
        self.local.forget_idle();
    }
}

fn answer(asks: &[Ask], verdict: &Verdict) -> Result<RateState, (RateState, Error)> {
    let all = || asks.iter().zip(&verdict.debts_us);
    let state = |(ask, debt): (&Ask, &i64)| RateState {
        limit: ask.quota.burst,
        remaining: ask.remaining(*debt),
        reset_seconds: seconds(*debt),
    };
    if verdict.passes {
        let tightest = all().map(state).min_by_key(|state| state.remaining);
        return Ok(tightest.expect("every request counts against something"));
    }
    let worst = all().max_by_key(|(ask, debt)| ask.wait_us(**debt)).expect("something refused it");
    let (ask, wait) = (worst.0, seconds(worst.0.wait_us(*worst.1)).max(1));
    metrics::counter!("hearth_rate_limited_total", "scope" => ask.scope).increment(1);
    let window = seconds(ask.quota.window().as_micros() as i64);
    let text = match ask.scope {
        "requests" | "events" | "turns" => {
            format!("more than {} {} in {window} s; wait {wait} s", ask.quota.burst, ask.scope)
        }
        "person" => {
            format!("more than {} requests in {window} s of one person; wait {wait} s", ask.quota.burst)
        }
        "tenant" => {
            format!("more than {} requests in {window} s of one tenant; wait {wait} s", ask.quota.burst)
        }
        _ => format!("more than {} requests in {window} s from one address; wait {wait} s", ask.quota.burst),
    };
    let mut error = Error::new(ErrorKind::RateLimited, "rate_limited", text);
    error.retry_after_seconds = Some(wait);
    Err((RateState { remaining: 0, ..state(worst) }, error))
}

/// Whole seconds, rounded up.
fn seconds(us: i64) -> u32 {
    ((us + 999_999) / 1_000_000) as u32
}
