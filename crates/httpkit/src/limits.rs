//! A simple rate limit per principal, in this process.

use std::num::NonZeroU32;
use std::time::Duration;

use governor::clock::{Clock as _, DefaultClock};
use governor::middleware::StateInformationMiddleware;
use governor::state::keyed::DashMapStateStore;
use governor::{Quota, RateLimiter};
use http::Method;
use kernel::{Error, ErrorKind};

/// How often a principal may ask.
#[derive(Clone, Copy, Debug)]
pub struct RateConfig {
    /// Requests in a window.
    pub max_requests: NonZeroU32,
    /// The window.
    pub window: Duration,
    /// Requests a minute that record events, a class of its own.
    pub events_per_minute: NonZeroU32,
}

/// Requests that are counted together.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum RateClass {
    /// Everything else.
    Requests,
    /// Recording events, so that an agent which posts turn by turn is not slowed by the default.
    Events,
}

impl RateClass {
    fn of(method: &Method, template: &str) -> Self {
        let records = method == Method::POST && matches!(template, "/api/v1/events" | "/api/v1/events/batch");
        if records { Self::Events } else { Self::Requests }
    }

    fn word(self) -> &'static str {
        match self {
            Self::Requests => "requests",
            Self::Events => "events",
        }
    }
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

type Keyed = RateLimiter<String, DashMapStateStore<String>, DefaultClock, StateInformationMiddleware>;

/// The limiter of one server.
pub struct Limits {
    requests: (Keyed, u32, Duration),
    events: (Keyed, u32, Duration),
}

impl Limits {
    /// Builds the limiter.
    pub fn new(config: &RateConfig) -> Self {
        let keyed = |limit: NonZeroU32, window: Duration| {
            let period = (window / limit.get()).max(Duration::from_nanos(1));
            let quota = Quota::with_period(period).expect("a period above zero").allow_burst(limit);
            let limiter = RateLimiter::dashmap(quota).with_middleware::<StateInformationMiddleware>();
            (limiter, limit.get(), window)
        };
        Self {
            requests: keyed(config.max_requests, config.window),
            events: keyed(config.events_per_minute, Duration::from_mins(1)),
        }
    }

    /// Counts one request of `principal`.
    ///
    /// # Errors
    /// `rate_limited` with the seconds to wait, beside the state that the answer's headers tell.
    pub fn count(
        &self,
        principal: &str,
        method: &Method,
        template: &str,
    ) -> Result<RateState, (RateState, Error)> {
        let class = RateClass::of(method, template);
        let (limiter, limit, window) = match class {
            RateClass::Requests => &self.requests,
            RateClass::Events => &self.events,
        };
        match limiter.check_key(&principal.to_owned()) {
            Ok(state) => {
                let remaining = state.remaining_burst_capacity();
                let used = f64::from(limit.saturating_sub(remaining)) / f64::from(*limit);
                let reset_seconds = (window.as_secs_f64() * used).ceil() as u32;
                Ok(RateState { limit: *limit, remaining, reset_seconds })
            }
            Err(until) => {
                metrics::counter!("hearth_rate_limited_total", "scope" => class.word()).increment(1);
                let wait = until.wait_time_from(DefaultClock::default().now()).as_secs_f64().ceil().max(1.0);
                let text =
                    format!("more than {limit} {} in {} s; wait {wait} s", class.word(), window.as_secs());
                let mut error = Error::new(ErrorKind::RateLimited, "rate_limited", text);
                error.retry_after_seconds = Some(wait as u32);
                let spent = RateState {
                    limit: *limit,
                    remaining: 0,
                    reset_seconds: window.as_secs_f64().ceil() as u32,
                };
                Err((spent, error))
            }
        }
    }

    /// Forgets principals that have their whole limit again; call it now and then.
    pub fn forget_idle(&self) {
        self.requests.0.retain_recent();
        self.events.0.retain_recent();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn limits(max: u32) -> Limits {
        let of = |n| NonZeroU32::new(n).unwrap();
        Limits::new(&RateConfig {
            max_requests: of(max),
            window: Duration::from_mins(1),
            events_per_minute: of(50),
        })
    }

    #[test]
    fn a_principal_gets_its_limit_and_no_other_pays_for_it() {
        let limits = limits(3);
        let ask = |who: &str| limits.count(who, &Method::GET, "/api/v1/sessions");
        assert_eq!([ask("a"), ask("a"), ask("a")].map(|r| r.unwrap().remaining), [2, 1, 0]);
        let (state, refused) = ask("a").unwrap_err();
        assert_eq!((refused.code, refused.retry_after_seconds), ("rate_limited", Some(20)));
        assert_eq!((state.limit, state.remaining, state.reset_seconds), (3, 0, 60));
        assert!(ask("b").is_ok());
        assert!(
            limits.count("a", &Method::POST, "/api/v1/events").is_ok(),
            "events are a class of their own"
        );
    }
}
