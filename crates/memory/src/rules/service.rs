//! Who may see and change which rules.

use ::store::{Conn, Reach, Tx};
use kernel::{Ctx, Error, Result, Scope, TenantId};

use super::model::{NewRule, Rule, RulePatch, RuleScope, RuleState};
use super::store as sql;
use crate::Memory;
use crate::estimate_tokens;
use crate::events::{Channel, Sensitivity};
use crate::memories::check_id;
use crate::redact::Redactions;
use crate::rights::hold_owner;
use crate::search::policy::{Readable, partition_of};
use crate::text::sanitise_text;

/// Rules that are in force at once, at most.
const MOST_IN_FORCE: i64 = 500;

/// The rules that hold for an owner where an answer is shown in `channel`: the tenant's, then the owner's, by priority.
///
/// # Errors
/// The store's.
pub async fn in_force(
    conn: &mut Conn,
    tenant: &TenantId,
    owner: &str,
    channel: Channel,
) -> Result<Vec<Rule>> {
    let mut rules = sql::list(conn, tenant, owner, None, RuleState::Active.as_str(), MOST_IN_FORCE).await?;
    let readable = Readable::new(tenant.clone(), owner.to_owned(), channel, None);
    rules.retain(|rule| {
        let home = Channel::parse(&rule.channel);
        let partition = home.and_then(|home| partition_of(home, Sensitivity::None, owner));
        partition.is_some_and(|partition| readable.allows(&partition))
    });
    Ok(rules)
}

/// Which rules a list holds.
#[derive(Clone, Debug, Default)]
pub struct RuleFilter {
    /// Owner; the credential's own person or principal when absent.
    pub user_id: Option<String>,
    /// Only this scope.
    pub scope: Option<RuleScope>,
    /// `active` when absent.
    pub state: Option<RuleState>,
}

impl Memory {
    /// Makes a rule.
    ///
    /// # Errors
    /// `validation_failed`, `too_large`, `forbidden` for rules of the tenant, `not_found` for a foreign owner.
    pub async fn add_rule(&self, ctx: &Ctx, new: NewRule) -> Result<Rule> {
        ctx.require(Scope::MemoryWrite)?;
        new.check()?;
        let scope = new.scope.unwrap_or(RuleScope::User);
        let owner = match scope {
            RuleScope::Org => {
                ctx.require(Scope::Admin)?;
                None
            }
            RuleScope::Project | RuleScope::User => Some(ctx.owner(new.user_id.as_deref())?),
        };
        let now = self.0.clock.now();
        let rule = Rule {
            rule_id: kernel::id::new_id("rul", now),
            user_id: owner,
            scope: scope.as_str().to_owned(),
            channel: new.channel.unwrap_or(Channel::Private).as_str().to_owned(),
            priority: new.priority.unwrap_or(0),
            content: new.content,
            token_est: 0,
            state: RuleState::Active.as_str().to_owned(),
            recorded_at: now,
        };
        let (memory, tenant) = (self.clone(), ctx.tenant.clone());
        let added = self.0.store.write("memory.add_rule", Reach::of(&ctx.tenant), move |tx| {
            Box::pin(async move {
                hold_owner(tx, &tenant, rule.user_id.as_deref().unwrap_or_default(), now).await?;
                memory.save_rule(tx, &tenant, rule).await
            })
        });
        added.await
    }

    async fn save_rule(&self, tx: &mut Tx, tenant: &TenantId, mut rule: Rule) -> Result<Rule> {
        sanitise_text(&mut rule.content);
        self.0.redactor.clean_text(&mut rule.content, &mut Redactions::default());
        rule.token_est = estimate_tokens(&rule.content) as i64;
        sql::save(tx, tenant, &rule).await?;
        Ok(rule)
    }

    /// One rule.
    ///
    /// # Errors
    /// `not_found`, the same for absent and foreign.
    pub async fn get_rule(&self, ctx: &Ctx, rule_id: &str) -> Result<Rule> {
        ctx.require(Scope::MemoryRead)?;
        self.visible_rule(ctx, rule_id).await
    }

    async fn visible_rule(&self, ctx: &Ctx, rule_id: &str) -> Result<Rule> {
        check_id("rul", rule_id)?;
        let mut conn = self.0.store.read(&ctx.tenant).await?;
        let found = sql::find(&mut conn, &ctx.tenant, rule_id).await?;
        let is_visible =
            |rule: &Rule| rule.user_id.as_ref().is_none_or(|owner| ctx.owner(Some(owner)).is_ok());
        Error::unless_foreign("rule", found, is_visible)
    }

    /// The caller's own rule, or one of the tenant's where the caller administers it.
    async fn changeable_rule(&self, ctx: &Ctx, rule_id: &str) -> Result<Rule> {
        ctx.require(Scope::MemoryWrite)?;
        let rule = self.visible_rule(ctx, rule_id).await?;
        if rule.user_id.is_none() {
            ctx.require(Scope::Admin)?;
        }
        Ok(rule)
    }

    /// Lists an owner's rules and the tenant's, the tenant's first, then by priority.
    ///
    /// # Errors
    /// `not_found` for a foreign owner, or the store's.
    pub async fn list_rules(&self, ctx: &Ctx, filter: &RuleFilter, limit: i64) -> Result<Vec<Rule>> {
        ctx.require(Scope::MemoryRead)?;
        let owner = ctx.owner(filter.user_id.as_deref())?;
        let scope = filter.scope.map(RuleScope::as_str);
        let state = filter.state.unwrap_or(RuleState::Active).as_str();
        let mut conn = self.0.store.read(&ctx.tenant).await?;
        Ok(sql::list(&mut conn, &ctx.tenant, &owner, scope, state, limit).await?)
    }

    /// Changes a rule.
    ///
    /// # Errors
    /// `not_found`, `forbidden` for rules of the tenant, `validation_failed`, `too_large`.
    pub async fn change_rule(&self, ctx: &Ctx, rule_id: &str, patch: RulePatch) -> Result<Rule> {
        patch.check()?;
        let seen = self.changeable_rule(ctx, rule_id).await?;
        let (memory, tenant, now) = (self.clone(), ctx.tenant.clone(), self.0.clock.now());
        let changed = self.0.store.write("memory.change_rule", Reach::of(&ctx.tenant), move |tx| {
            Box::pin(async move {
                hold_owner(tx, &tenant, seen.user_id.as_deref().unwrap_or_default(), now).await?;
                let found = sql::find(tx, &tenant, &seen.rule_id).await?;
                let mut rule = found.ok_or_else(|| Error::not_found("rule"))?;
                patch.apply(&mut rule);
                memory.save_rule(tx, &tenant, rule).await
            })
        });
        changed.await
    }

    /// Removes a rule.
    ///
    /// # Errors
    /// `not_found`, `forbidden` for rules of the tenant.
    pub async fn remove_rule(&self, ctx: &Ctx, rule_id: &str) -> Result<()> {
        let rule = self.changeable_rule(ctx, rule_id).await?;
        let tenant = ctx.tenant.clone();
        let removed = self.0.store.write("memory.remove_rule", Reach::of(&ctx.tenant), move |tx| {
            Box::pin(async move { Ok(sql::remove(tx, &tenant, &rule.rule_id).await?) })
        });
        removed.await.map(|_| ())
    }
}
