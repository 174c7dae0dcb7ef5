//! Reading the record: filters that match whole words, and files that no spreadsheet computes.

use crate::support::*;
use ::identity::audit::{self, AuditEntry, AuditFilter, Format, Outcome, record};
use futures::TryStreamExt;
use kernel::{Ctx, Micros, PageRequest, Role};
use store::Reach;

async fn add(world: &World, action: &'static str, resource: &str, outcome: Outcome) {
    let entry = AuditEntry::operator("acme", world.clock.now(), action, resource).outcome(outcome);
    let written = world
        .store
        .write("test", Reach::Everyone, move |tx| Box::pin(async move { record(tx, &entry).await }));
    written.await.unwrap();
    world.clock.advance(Micros::SECOND);
}

/// Resources of the rows that a filter finds, newest first.
async fn found(world: &World, owner: &Ctx, filter: &AuditFilter) -> Vec<String> {
    let page = PageRequest { limit: 200, cursor: None };
    let page = world.identity.list_audit(owner, filter, page).await.unwrap();
    page.items.into_iter().map(|row| row.resource).collect()
}

#[tokio::test]
async fn filters_match_whole_words_and_no_pattern() {
    for world in worlds().await {
        let owner = world.ctx("acme", "ada", Some(Role::Owner)).await;
        world.clock.advance(Micros::SECOND);
        let began = world.clock.now();
        add(&world, "one.act", "thing:1", Outcome::Success).await;
        add(&world, "one.act.deep", "thing:12", Outcome::Failure).await;
        let middle = world.clock.now();
        add(&world, "one.acts", "thing", Outcome::Denied).await;
        add(&world, "on%", "th_ng:1", Outcome::Success).await;
        let since = AuditFilter { since: Some(began), ..AuditFilter::default() };
        let action = |text: &str| AuditFilter { action: Some(text.to_owned()), ..since.clone() };
        let resource = |text: &str| AuditFilter { resource: Some(text.to_owned()), ..since.clone() };
        assert_eq!(found(&world, &owner, &since).await, ["th_ng:1", "thing", "thing:12", "thing:1"]);
        assert_eq!(found(&world, &owner, &action("one")).await, ["thing", "thing:12", "thing:1"]);
        assert_eq!(found(&world, &owner, &action("one.act")).await, ["thing:12", "thing:1"]);
        assert_eq!(found(&world, &owner, &resource("thing")).await, ["thing", "thing:12", "thing:1"]);
        assert_eq!(found(&world, &owner, &resource("thing:1")).await, ["thing:1"]);
        for pattern in ["%", "on_", "o%", "one.a", "' OR 1=1 --", "", "ONE"] {
            assert!(found(&world, &owner, &action(pattern)).await.is_empty(), "{pattern}");
        }
        assert_eq!(found(&world, &owner, &action("on%")).await, ["th_ng:1"]);
        let denied = AuditFilter { outcome: Some(Outcome::Denied), ..since.clone() };
        assert_eq!(found(&world, &owner, &denied).await, ["thing"]);
        let until = AuditFilter { until: Some(middle), ..since.clone() };
        assert_eq!(found(&world, &owner, &until).await, ["thing:12", "thing:1"]);
        let nobody = AuditFilter { principal: Some(owner.principal.id.clone()), ..since };
        assert!(found(&world, &owner, &nobody).await.is_empty());
    }
}

async fn exported(world: &World, tenant: &str, format: Format) -> String {
    audit::export(&world.store, tenant, AuditFilter::default(), format).try_collect().await.unwrap()
}

#[tokio::test]
async fn an_export_holds_every_row_in_order_and_no_formula() {
    for world in worlds().await {
        let now = world.clock.now();
        let many = world.store.write("test", Reach::Everyone, move |tx| {
            Box::pin(async move {
                for n in 0..1_050 {
                    let at = Micros(now.0 + n * 1_000);
                    record(tx, &AuditEntry::operator("acme", at, "one.act", format!("thing:{n:04}"))).await?;
                }
                Ok(())
            })
        });
        many.await.unwrap();
        world.clock.advance(Micros::DAY);
        for odd in ["=1+1", "+1", "-1", "@x", "\t=1", "a,\"b\"\r\nc", "-"] {
            add(&world, "one.odd", odd, Outcome::Success).await;
        }
        let lines = exported(&world, "acme", Format::Jsonl).await;
        let rows: Vec<serde_json::Value> =
            lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        assert_eq!(rows.len(), 1_057);
        for (n, row) in rows.iter().enumerate() {
            assert_eq!(row["seq"], n as i64 + 1, "{}", world.store.database_name());
            assert_eq!(row["tenant_id"], "acme");
        }
        assert_eq!(rows[1_055]["resource"], "a,\"b\"\r\nc");
        let csv = exported(&world, "acme", Format::Csv).await;
        assert!(csv.starts_with("audit_id,seq,at,tenant_id,"));
        for safe in [",'=1+1,", ",'+1,", ",'-1,", ",'@x,", ",'\t=1,", ",\"a,\"\"b\"\"\r\nc\",", ",one.odd,-,"]
        {
            assert!(csv.contains(safe), "{safe}");
        }
        assert_eq!(
            csv.matches("\r\n").count(),
            1_059,
            "a line of names, the rows, and one end of line in a cell"
        );
        assert_eq!(exported(&world, "other", Format::Jsonl).await, "");
    }
}

#[tokio::test]
async fn taking_the_record_out_is_recorded_and_for_administrators() {
    for world in worlds().await {
        let owner = world.ctx("acme", "ada", Some(Role::Owner)).await;
        let member = world.ctx("acme", "mia", Some(Role::Member)).await;
        let filter = AuditFilter::default();
        let refused = world.identity.export_audit(&member, filter.clone(), Format::Csv).await;
        assert_eq!(refused.map_or_else(|error| error.code, |_| "ok"), "forbidden");
        assert_eq!(code(world.identity.verify_audit(&member).await), "forbidden");
        let text: String = world
            .identity
            .export_audit(&owner, filter, Format::Jsonl)
            .await
            .unwrap()
            .try_collect()
            .await
            .unwrap();
        assert!(text.contains("\"identity.audit.export\""));
        let verdict = world.identity.verify_audit(&owner).await.unwrap();
        assert!(verdict.intact && verdict.rows > 4);
        let audit = world.audit().await;
        for row in [
            "identity.audit.export user denied",
            "identity.audit.verify user denied",
            "identity.audit.export user success",
        ] {
            assert!(audit.iter().any(|line| line == row), "{row}: {audit:?}");
        }
    }
}
