//! Which limits a request counts against.

use std::net::IpAddr;
use std::num::NonZeroU32;
use std::time::Duration;

use http::Method;
use kernel::{Ctx, PrincipalKind};

use super::RateConfig;
use super::gcra::{Ask, Quota};
use crate::address::network;

/// Callers that one address may hold: an office behind one address is not one caller.
const CALLERS_PER_ADDRESS: u32 = 20;
/// Accounts made from one address in an hour.
const SIGN_UPS: u32 = 5;
/// Refreshes from one address in an hour.
const REFRESHES: u32 = 30;
/// Turns of a conversation in a minute: each holds a model for seconds.
const TURNS: u32 = 60;

const MINUTE: Duration = Duration::from_mins(1);
const HOUR: Duration = Duration::from_hours(1);

/// Requests that are counted together.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum RateClass {
    /// Everything else.
    Requests,
    /// Recording events, so that an agent which posts turn by turn is not slowed by the default.
    Events,
    /// Turns of a conversation.
    Turns,
    /// Making an account.
    SignUp,
    /// Exchanging a refresh token.
    Refresh,
}

impl RateClass {
    /// The class of a route.
    pub fn of(method: &Method, template: &str) -> Self {
        match (method == Method::POST, template) {
            (true, "/api/v1/events" | "/api/v1/events/batch") => Self::Events,
            (true, "/chat" | "/api/v1/chat" | "/api/v1/chat/send") => Self::Turns,
            (true, "/auth/register") => Self::SignUp,
            (true, "/auth/token/refresh") => Self::Refresh,
            _ => Self::Requests,
        }
    }

    fn word(self) -> &'static str {
        match self {
            Self::Requests => "requests",
            Self::Events => "events",
            Self::Turns => "turns",
            Self::SignUp => "sign_up",
            Self::Refresh => "refresh",
        }
    }

    fn quota(self, config: &RateConfig) -> Quota {
        match self {
            Self::Requests => Quota::new(config.max_requests.get(), config.window),
            Self::Events => Quota::new(config.events_per_minute.get(), MINUTE),
            Self::Turns => Quota::new(TURNS, MINUTE),
            Self::SignUp => Quota::new(SIGN_UPS, HOUR),
            Self::Refresh => Quota::new(REFRESHES, HOUR),
        }
    }
}

/// Whose request it is.
#[derive(Clone, Copy, Debug)]
pub enum Who<'r> {
    /// Somebody whose credential was checked.
    Caller(&'r Ctx),
    /// Anybody else: no credential was asked for, or it was false.
    Visitor(Option<IpAddr>),
}

/// Everything that a request counts against; all of it must have room.
pub(super) fn asks(class: RateClass, who: Who<'_>, config: &RateConfig) -> Vec<Ask> {
    match who {
        Who::Caller(ctx) => of_caller(class, ctx, config),
        Who::Visitor(address) => of_visitor(class, address, config),
    }
}

fn of_caller(class: RateClass, ctx: &Ctx, config: &RateConfig) -> Vec<Ask> {
    let (quota, word) = (class.quota(config), class.word());
    let principal = &ctx.principal;
    let mut asks = vec![Ask::new(word, "caller", format!("{}:{word}", principal.id), quota)];
    // A person's keys count for the person too, except where each key has a rate of its own.
    let is_key = principal.kind == PrincipalKind::ApiKey && class != RateClass::Events;
    if let Some(person) = principal.user_id.as_ref().filter(|_| is_key) {
        asks.push(Ask::new("person", "caller", format!("{person}:{word}"), quota));
    }
    if let Some(most) = config.tenant_max_requests.map(NonZeroU32::get) {
        let quota = Quota::new(most, config.window);
        asks.push(Ask::new("tenant", "tenant", ctx.tenant.as_str().to_owned(), quota));
    }
    if let Some(address) = ctx.address.map(network) {
        asks.push(Ask::new(
            "address",
            "address",
            format!("{address}:{word}"),
            quota.times(CALLERS_PER_ADDRESS),
        ));
    }
    asks
}

fn of_visitor(class: RateClass, address: Option<IpAddr>, config: &RateConfig) -> Vec<Ask> {
    // Without an address (a test, a socket file) all visitors are one.
    let address = address.map_or_else(|| "-".to_owned(), |address| network(address).to_string());
    let mut asks = Vec::new();
    if matches!(class, RateClass::SignUp | RateClass::Refresh) {
        asks.push(Ask::new(class.word(), class.word(), address.clone(), class.quota(config)));
    }
    asks.push(Ask::new("visitor", "visitor", address, RateClass::Requests.quota(config)));
    asks
}
