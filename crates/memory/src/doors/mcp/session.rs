//! Sessions as signed tickets, bound to the credential that opened them. A ticket proves nothing but that: every request
//! shows its credential again.

use std::collections::BTreeSet;
use std::sync::{Mutex, PoisonError};

use kernel::{Ctx, Error, Micros, Result};

use crate::Memory;

/// How long a ticket is good for.
const LIFE: i64 = Micros::DAY;
/// Ended tickets that a server remembers; past it the one that would run out first is let go.
const MOST_ENDED: usize = 10_000;

/// Tickets that were handed back before their time. Known to the server that took them; elsewhere they run out.
#[derive(Default)]
pub(crate) struct Ended(Mutex<BTreeSet<(i64, String)>>);

impl Ended {
    fn add(&self, ticket: &Ticket<'_>, now: Micros) {
        let mut ended = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        ended.insert((ticket.until, ticket.mark.to_owned()));
        while ended.len() > MOST_ENDED || ended.first().is_some_and(|(until, _)| *until <= now.0) {
            ended.pop_first();
        }
    }

    fn has(&self, ticket: &Ticket<'_>) -> bool {
        let ended = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        ended.contains(&(ticket.until, ticket.mark.to_owned()))
    }
}

/// `<end in microseconds>-<chance>-<mark>`, where the mark signs the rest together with tenant and credential.
struct Ticket<'t> {
    signed: &'t str,
    until: i64,
    mark: &'t str,
}

impl<'t> Ticket<'t> {
    fn read(text: &'t str) -> Option<Self> {
        let (signed, mark) = text.rsplit_once('-')?;
        let until = signed.split_once('-')?.0.parse().ok()?;
        Some(Self { signed, until, mark })
    }
}

impl Memory {
    /// A new ticket for the caller's credential.
    pub(super) fn open_mcp_session(&self, ctx: &Ctx) -> String {
        let until = self.0.clock.now().plus(LIFE).0;
        let signed = format!("{until}-{}", &kernel::random::token()[..26]);
        format!("{signed}-{}", self.mark(ctx, &signed))
    }

    /// Checks a ticket.
    ///
    /// # Errors
    /// `not_found` for one that is not the caller's, made up, ended or run out: a client then opens a new session.
    pub(super) fn check_mcp_session(&self, ctx: &Ctx, text: &str) -> Result<()> {
        self.own_ticket(ctx, text).map(|_| ())
    }

    /// Ends a session.
    ///
    /// # Errors
    /// As [`Memory::check_mcp_session`].
    pub(super) fn end_mcp_session(&self, ctx: &Ctx, text: &str) -> Result<()> {
        let ticket = self.own_ticket(ctx, text)?;
        self.0.ended_mcp.add(&ticket, self.0.clock.now());
        Ok(())
    }

    fn own_ticket<'t>(&self, ctx: &Ctx, text: &'t str) -> Result<Ticket<'t>> {
        let is_own = |ticket: &Ticket<'_>| {
            ticket.until > self.0.clock.now().0
                && self.mark(ctx, ticket.signed) == ticket.mark
                && !self.0.ended_mcp.has(ticket)
        };
        Ticket::read(text).filter(is_own).ok_or_else(|| Error::not_found("session; open a new one"))
    }

    fn mark(&self, ctx: &Ctx, signed: &str) -> String {
        let credential = &ctx.principal.credential_id;
        self.0.redactor.keyed_hash(&format!("mcp session\n{}\n{credential}\n{signed}", ctx.tenant.as_str()))
    }
}
