//! What the edge knows of one request: its id, address and caller, and its place among those that run.

use std::net::IpAddr;
use std::ops::Deref;
use std::pin::pin;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Duration;

use axum::extract::{MatchedPath, Request};
use http::request::Parts;
use http::{HeaderMap, HeaderValue, Method};
use kernel::{Ctx, Error};

use super::Edge;
use crate::Authenticator;
use crate::accept::OverTls;
use crate::address::network;
use crate::limits::{RateClass, RateState, Who};
use crate::shed::{Asker, Permit, ShedClass};

/// A body that is complete within this time keeps the place of its request.
const PROMPT: Duration = Duration::from_millis(50);

/// Characters of a path in the audit log.
const MAX_RESOURCE: usize = 300;

/// What the edge knows of a request, in its extensions.
#[derive(Clone)]
pub(crate) struct RequestState(Arc<Known>);

/// What [`RequestState`] shares.
pub(crate) struct Known {
    pub(crate) request_id: Arc<str>,
    pub(crate) address: Option<IpAddr>,
    /// The caller came over TLS, ours or a trusted proxy's.
    pub(crate) is_encrypted: bool,
    edge: Edge,
    /// Not one of the methods that only read.
    may_write: bool,
    /// Who asks, and who said so, once that is known.
    caller: OnceLock<(Ctx, Authenticator)>,
    pub(super) rate: OnceLock<RateState>,
    /// The request's place among those that run, until its answer is made.
    place: Mutex<Option<Permit>>,
}

impl RequestState {
    /// What can be known before anybody looks into the request.
    pub(super) fn new(edge: &Edge, request: &Request, peer: Option<IpAddr>) -> Self {
        let (headers, addresses) = (request.headers(), edge.addresses());
        Self(Arc::new(Known {
            request_id: request_id(headers),
            address: peer.map(|peer| addresses.caller(peer, headers)),
            is_encrypted: request.extensions().get::<OverTls>().is_some()
                || peer.is_some_and(|peer| addresses.is_encrypted(peer, headers)),
            edge: edge.clone(),
            may_write: !request.method().is_safe(),
            caller: OnceLock::new(),
            rate: OnceLock::new(),
            place: Mutex::default(),
        }))
    }
}

impl Deref for RequestState {
    type Target = Known;
    fn deref(&self) -> &Known {
        &self.0
    }
}

impl Known {
    /// For log lines; empty while nobody is known to ask.
    pub(super) fn tenant(&self) -> &str {
        self.caller.get().map_or("", |(ctx, _)| ctx.tenant.as_str())
    }

    /// Remembers who asks; a request has one caller.
    pub(crate) fn know(&self, ctx: &Ctx, authenticator: Authenticator) {
        let _ = self.caller.set((ctx.clone(), authenticator));
    }

    /// Has a refusal written down that no audit row tells of yet. The answer does not wait for it, so that a foreign row
    /// is not told from an absent one by the time it takes; only where many are on their way it does.
    pub(super) async fn audit_refusal(&self, error: &Error, method: &Method, path: &str) {
        let (true, Some((ctx, authenticator))) = (error.is_unrecorded_refusal(), self.caller.get()) else {
            return;
        };
        let path: String = path.chars().take(MAX_RESOURCE).collect();
        let row = authenticator.record_refusal(ctx, format!("{method} {path}"));
        match self.edge.0.refusals.clone().try_acquire_owned() {
            Ok(place) => drop(tokio::spawn(async move {
                row.await;
                drop(place);
            })),
            Err(_) => row.await,
        }
    }

    /// Counts the request against its limits, then waits for a place among those that run.
    pub(crate) async fn admit(&self, who: Who<'_>, parts: &Parts) -> kernel::Result<()> {
        self.count_request(who, parts).await?;
        let Some(gate) = &self.edge.0.gate else {
            return Ok(());
        };
        let endpoint = parts.extensions.get::<MatchedPath>().map_or("unmatched", MatchedPath::as_str);
        let (tenant, user) = match who {
            Who::Caller(ctx) => (ctx.tenant.as_str().into(), ctx.principal.id.as_str().into()),
            Who::Visitor(address) => {
                let address = address.map(|address| network(address).to_string()).unwrap_or_default();
                (Box::default(), address.into())
            }
        };
        let class = ShedClass::of(&parts.method, endpoint);
        let place = gate.enter(Asker { class, tenant, user, endpoint: endpoint.into() }).await?;
        *self.place() = Some(place);
        Ok(())
    }

    /// Waits for a body that may be slow. A client that lets us wait gives its place to others and asks for a new one when
    /// it is done, so that half a request holds nobody up.
    pub(crate) async fn receive<T>(
        &self,
        body: impl Future<Output = kernel::Result<T>>,
    ) -> kernel::Result<T> {
        let mut body = pin!(body);
        if let Ok(came) = tokio::time::timeout(PROMPT, &mut body).await {
            return came;
        }
        let asker = self.place().take().and_then(Permit::give_up);
        let came = body.await?;
        if let (Some(gate), Some(asker)) = (&self.edge.0.gate, asker) {
            let place = gate.enter(asker).await?;
            *self.place() = Some(place);
        }
        Ok(came)
    }

    /// Whether a page of this origin may call.
    pub(crate) fn knows_origin(&self, origin: &HeaderValue) -> bool {
        self.edge.knows_origin(origin)
    }

    /// Remembers a caller who wrote before they are told so, whatever became of it.
    pub(super) async fn note_write(&self) {
        if let (true, Some((ctx, _)), Some(store)) =
            (self.may_write, self.caller.get(), &self.edge.0.config.replicated)
        {
            store.note_write(ctx).await;
        }
    }

    /// Gives the place back, if the request had one.
    pub(super) fn leave(&self) {
        drop(self.place().take());
    }

    fn place(&self) -> MutexGuard<'_, Option<Permit>> {
        self.place.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Counts the request against every limit it falls under, and remembers what is left for the answer's headers.
    pub(crate) async fn count_request(&self, who: Who<'_>, parts: &Parts) -> kernel::Result<()> {
        let template = parts.extensions.get::<MatchedPath>().map_or("unmatched", MatchedPath::as_str);
        let class = RateClass::of(&parts.method, template);
        let Some(counted) = self.edge.0.limits.count(class, who).await else {
            return Ok(());
        };
        let (state, outcome) = match counted {
            Ok(state) => (state, Ok(())),
            Err((state, error)) => (state, Err(error)),
        };
        let _ = self.rate.set(state);
        outcome
    }
}

/// The client's id if it is one that logs can hold, else a new one.
fn request_id(headers: &HeaderMap) -> Arc<str> {
    let sent = headers.get("x-request-id").and_then(|v| v.to_str().ok());
    let fits = |id: &&str| {
        (8..=128).contains(&id.len()) && id.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_.".contains(&b))
    };
    sent.filter(fits).map_or_else(|| kernel::random::token()[..26].into(), Into::into)
}
