//! Limits over several servers that share a Redis, and without it.

#![allow(clippy::unwrap_used, reason = "a test ends where it is surprised")]

use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::Duration;

use httpkit::limits::{Limits, RateClass, RateConfig, Who};
use kernel::Ctx;
use store::Redis;
use store::redis::Script;
use testkit::RedisServer;
use tokio::sync::watch;
use tokio::task::JoinSet;

fn config(most: u32, window: Duration) -> RateConfig {
    let of = |n| NonZeroU32::new(n).unwrap();
    RateConfig { max_requests: of(most), window, events_per_minute: of(6_000), tenant_max_requests: None }
}

/// One server's limiter, and what its watcher says of Redis.
struct Member {
    limits: Arc<Limits>,
    redis: Redis,
    seen: watch::Receiver<bool>,
}

impl Member {
    async fn start(server: &RedisServer) -> Self {
        let redis = Redis::open(&server.url()).unwrap();
        redis.watch();
        let seen = redis.standing();
        let limits = Arc::new(Limits::new(Some(config(1, Duration::from_hours(1))), Some(redis.clone())));
        let mut member = Self { limits, redis, seen };
        member.until(true).await;
        member
    }

    async fn until(&mut self, is_up: bool) {
        let told = self.seen.wait_for(|now| *now == is_up);
        tokio::time::timeout(Duration::from_secs(20), told).await.expect("the watcher sees it").unwrap();
    }
}

/// How many of 200 arrivals pass, dealt to all members at once.
async fn passing(members: &[Member], ctx: &Ctx) -> usize {
    let mut arrivals = JoinSet::new();
    for n in 0..200 {
        let (limits, ctx) = (members[n % members.len()].limits.clone(), ctx.clone());
        arrivals.spawn(async move {
            limits.count(RateClass::Requests, Who::Caller(&ctx)).await.is_some_and(|counted| counted.is_ok())
        });
    }
    arrivals.join_all().await.into_iter().filter(|passed| *passed).count()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn over_two_servers_exactly_the_limit_passes_in_100_rounds() {
    let server = RedisServer::start();
    let members = [Member::start(&server).await, Member::start(&server).await];
    for round in 0..100_u32 {
        let most = 1 + (round * 37) % 199;
        for member in &members {
            member.limits.set(Some(config(most, Duration::from_hours(24))));
        }
        let ctx = testkit::bound_key("acme", &format!("key_{round}"), &format!("usr_{round}"));
        assert_eq!(passing(&members, &ctx).await, most as usize, "round {round}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn while_the_window_turns_two_servers_give_no_more_than_came_back() {
    let server = RedisServer::start();
    let members = [Member::start(&server).await, Member::start(&server).await];
    let (most, window) = (100_u32, Duration::from_secs(1));
    for member in &members {
        member.limits.set(Some(config(most, window)));
    }
    let (ctx, started, mut passed) = (testkit::key("acme", "key_turning"), std::time::Instant::now(), 0);
    while started.elapsed() < window * 2 {
        passed += passing(&members, &ctx).await;
    }
    let came_back = (started.elapsed().as_secs_f64() / window.as_secs_f64() * f64::from(most)).ceil();
    let least = f64::from(most) * 2.0;
    assert!(
        (least..=f64::from(most) + came_back).contains(&(passed as f64)),
        "{passed} of {came_back} + {most}"
    );
}

/// The control: reading and writing in two steps lets more pass than there is room for.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_limiter_that_reads_and_then_writes_is_caught() {
    let server = RedisServer::start();
    let member = Member::start(&server).await;
    let read = Arc::new(Script::new("return tonumber(redis.call('GET', KEYS[1]) or 0)"));
    let write = Arc::new(Script::new("return redis.call('SET', KEYS[1], ARGV[1]) and 1"));
    let mut arrivals = JoinSet::new();
    for _ in 0..200 {
        let (redis, read, write) = (member.redis.clone(), read.clone(), write.clone());
        arrivals.spawn(async move {
            let key = ["naive".to_owned()];
            let count: i64 = redis.call(&read, &key, &[] as &[i64]).await.unwrap();
            let _: Option<i64> = redis.call(&write, &key, &[count + 1]).await;
            count < 50
        });
    }
    let passed = arrivals.join_all().await.into_iter().filter(|passed| *passed).count();
    assert!(passed > 50, "{passed}: the test of exactness could not fail");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn without_redis_each_server_gives_its_part_until_it_is_back() {
    let mut server = RedisServer::start();
    let mut members = [Member::start(&server).await, Member::start(&server).await];
    // The second to come has counted both; the first learns of it with its next heartbeat.
    assert_eq!(members[1].redis.servers(), 2);
    for member in &members {
        member.limits.set(Some(config(60, Duration::from_hours(24))));
    }
    assert_eq!(passing(&members, &testkit::key("acme", "key_before")).await, 60);
    server.kill();
    passing(&members, &testkit::key("acme", "key_noticing")).await;
    for member in &mut members {
        member.until(false).await;
    }
    let alone = testkit::key("acme", "key_alone");
    assert_eq!(passing(&members[1..], &alone).await, 30, "one of two servers gives half");
    server.start_again();
    for member in &mut members {
        member.until(true).await;
    }
    assert_eq!(passing(&members, &testkit::key("acme", "key_after")).await, 60, "exact again by itself");
}
