//! Schedules: fired once in the cluster, whatever happens to leaders and clocks.

use std::sync::Arc;

use futures::future::join_all;
use kernel::{Clock, Micros, TenantId};
use store::schedule::{CatchUp, Schedule, Scheduler, list_schedules};
use store::{Reach, Store, lease};
use testkit::{Home, on_both};
use tokio::sync::{Notify, watch};

use crate::support::{code, eventually, number, texts};

#[path = "../../benches/queue/histories.rs"]
mod histories;

use histories::Fencing;

const START: &str = "2026-07-01T12:00:00Z";

fn schedule(name: &str, cron: &str, catch_up: CatchUp) -> Schedule {
    Schedule {
        name: name.to_owned(),
        kind: "test.scheduled",
        cron: cron.to_owned(),
        time_zone: "UTC".to_owned(),
        catch_up,
    }
}

fn scheduler(store: &Store, clock: &Clock, holder: &str, schedules: Vec<Schedule>) -> Scheduler {
    let (tenant, wake) = (TenantId::parse("default").unwrap(), Arc::new(Notify::new()));
    Scheduler::new(store.clone(), clock.clone(), holder.to_owned(), tenant, schedules, wake).unwrap()
}

fn clock() -> Clock {
    Clock::fixed(Micros::parse(START).unwrap())
}

async fn enqueued(home: &Home) -> Vec<String> {
    texts(&home.store, "SELECT job_key || ' ' || payload FROM jobs ORDER BY payload, job_key").await
}

#[tokio::test(flavor = "multi_thread")]
async fn missed_occurrences_are_skipped_merged_or_all_made_up_for() {
    on_both(|home| async move {
        let clock = clock();
        let all = [("skip", CatchUp::Skip), ("once", CatchUp::Once), ("all", CatchUp::All)];
        let schedules = all.map(|(name, rule)| schedule(name, "0 2 * * *", rule)).to_vec();
        let scheduler = scheduler(&home.store, &clock, "one", schedules);
        scheduler.register().await.unwrap();
        clock.advance(3 * Micros::DAY);
        let fence = scheduler.lead().await.unwrap().unwrap();
        scheduler.turn(fence).await.unwrap();
        scheduler.turn(fence).await.unwrap();
        assert_eq!(
            enqueued(&home).await,
            [
                "all@2026-07-02T02:00:00Z 2026-07-02T02:00:00Z",
                "all@2026-07-03T02:00:00Z 2026-07-03T02:00:00Z",
                "all@2026-07-04T02:00:00Z 2026-07-04T02:00:00Z",
                "once 2026-07-04T02:00:00Z",
            ]
        );
        let mut conn = home.store.read(Reach::Everyone).await.unwrap();
        let next = Micros::parse("2026-07-05T02:00:00Z").unwrap();
        for row in list_schedules(&mut conn).await.unwrap() {
            assert_eq!(Micros(row.next_at), next, "{}", row.name);
        }
        drop(conn);
        clock.advance(next.0 - clock.now().0);
        scheduler.turn(fence).await.unwrap();
        assert!(
            enqueued(&home).await.contains(&"skip 2026-07-05T02:00:00Z".to_owned()),
            "in time is not missed"
        );
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_paused_leader_is_refused_when_it_goes_on() {
    on_both(|home| async move {
        let clock = clock();
        let nightly = || vec![schedule("nightly", "0 13 * * *", CatchUp::Once)];
        let (paused, other) = (
            scheduler(&home.store, &clock, "paused", nightly()),
            scheduler(&home.open_again().await, &clock, "other", nightly()),
        );
        paused.register().await.unwrap();
        clock.advance(3_600 * Micros::SECOND);
        let old = paused.lead().await.unwrap().unwrap();
        let seen = paused.list_due().await.unwrap().remove(0);
        assert_eq!(other.lead().await.unwrap(), None, "one leads");
        clock.advance(lease::LEASE_MICROS);
        let new = other.lead().await.unwrap().unwrap();
        assert!(new > old);
        other.turn(new).await.unwrap();
        assert_eq!(code(paused.fire(old, &seen).await), "lease_lost");
        paused.turn(old).await.unwrap();
        assert_eq!(enqueued(&home).await, ["nightly 2026-07-01T13:00:00Z"]);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_clock_that_goes_back_fires_nothing_again_not_even_under_a_new_text() {
    on_both(|home| async move {
        let clock = clock();
        let first =
            scheduler(&home.store, &clock, "one", vec![schedule("daily", "0 13 * * *", CatchUp::All)]);
        first.register().await.unwrap();
        clock.advance(3_601 * Micros::SECOND);
        let fence = first.lead().await.unwrap().unwrap();
        first.turn(fence).await.unwrap();
        clock.advance(-3_600 * Micros::SECOND);
        let changed =
            scheduler(&home.store, &clock, "one", vec![schedule("daily", "0 13,14 * * *", CatchUp::All)]);
        changed.register().await.unwrap();
        clock.advance(7_200 * Micros::SECOND);
        let fence = changed.lead().await.unwrap().unwrap();
        changed.turn(fence).await.unwrap();
        assert_eq!(
            enqueued(&home).await,
            [
                "daily@2026-07-01T13:00:00Z 2026-07-01T13:00:00Z",
                "daily@2026-07-01T14:00:00Z 2026-07-01T14:00:00Z"
            ]
        );
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_end_from_a_wrong_clock_keeps_no_lease() {
    on_both(|home| async move {
        let (right, wrong) = (clock(), clock());
        wrong.advance(10 * Micros::DAY);
        assert_eq!(lease::take(&home.store, "l", "wrong", wrong.now()).await.unwrap(), Some(1));
        assert_eq!(lease::take(&home.store, "l", "right", right.now()).await.unwrap(), Some(2));
        assert_eq!(lease::take(&home.store, "l", "right", right.now()).await.unwrap(), Some(2), "renewed");
        assert_eq!(lease::take(&home.store, "l", "other", right.now()).await.unwrap(), None);
        lease::give_up(&home.store, "l", "right").await.unwrap();
        assert_eq!(lease::take(&home.store, "l", "other", right.now()).await.unwrap(), Some(3));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn of_two_servers_one_leads_and_the_other_takes_over_when_it_stops() {
    on_both(|home| async move {
        let clock = clock();
        let due = || vec![schedule("hourly", "0 * * * *", CatchUp::All)];
        let start = |store: Store, holder: &str| {
            let (stop, told) = watch::channel(false);
            (stop, tokio::spawn(scheduler(&store, &clock, holder, due()).run(told)))
        };
        let (stop_one, one) = start(home.store.clone(), "one");
        let home = &home;
        let leader =
            || async move { texts(&home.store, "SELECT holder FROM leases WHERE held_until > 0").await };
        eventually("one leads", || async move { leader().await == ["one"] }).await;
        let (stop_two, two) = start(home.open_again().await, "two");
        clock.advance(3_600 * Micros::SECOND);
        let jobs = || number(&home.store, "SELECT COUNT(*) FROM jobs");
        eventually("the hour has its job", || async move { jobs().await == 1 }).await;
        stop_one.send(true).unwrap();
        one.await.unwrap();
        eventually("two leads", || async move { leader().await == ["two"] }).await;
        clock.advance(3_600 * Micros::SECOND);
        eventually("the next hour has its job", || async move { jobs().await == 2 }).await;
        stop_two.send(true).unwrap();
        two.await.unwrap();
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn no_history_of_leaders_and_clocks_fires_an_occurrence_twice() {
    on_both(|home| async move {
        let seed = u64::from_le_bytes(kernel::random::bytes()) >> 16;
        eprintln!("histories from seed {seed}");
        let play = |n| histories::play(&home.store, seed + n, Fencing::Checked);
        let verdicts = join_all((0..24).map(play)).await;
        let wrong: Vec<String> = verdicts.into_iter().filter_map(Result::err).collect();
        assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    })
    .await;
}

/// The control: without the number the same histories fire twice.
#[tokio::test(flavor = "multi_thread")]
async fn leaders_without_a_fencing_number_are_noticed() {
    on_both(|home| async move {
        let verdicts = join_all((0..24).map(|n| histories::play(&home.store, n, Fencing::None))).await;
        assert!(verdicts.into_iter().any(|verdict| verdict.is_err()), "{}", home.name);
    })
    .await;
}

#[test]
fn a_schedule_that_cannot_be_kept_is_refused_by_name() {
    // The store is not asked.
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(async {
        let home = testkit::databases().await;
        let (store, tenant) = (home[0].store.clone(), TenantId::parse("default").unwrap());
        let bad = vec![schedule("broken", "0 0 30 2 *", CatchUp::Once)];
        let refused = Scheduler::new(store, clock(), "one".to_owned(), tenant, bad, Arc::new(Notify::new()));
        let (name, why) = refused.err().unwrap();
        assert_eq!(name, "broken");
        assert!(why.contains("never comes due"), "{why}");
    });
}
