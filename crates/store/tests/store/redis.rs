//! Redis: requests never wait for it long, and it comes back by itself.

use std::time::{Duration, Instant};

use store::Redis;
use store::redis::Script;
use testkit::RedisServer;
use tokio::sync::watch;

/// A connection that is watched, and what the watcher says.
fn watched(server: &RedisServer) -> (Redis, watch::Receiver<bool>) {
    let redis = Redis::open(&server.url()).unwrap();
    redis.watch();
    let seen = redis.standing();
    (redis, seen)
}

async fn until(seen: &mut watch::Receiver<bool>, is_up: bool) {
    let told = seen.wait_for(|now| *now == is_up);
    tokio::time::timeout(Duration::from_secs(20), told).await.expect("the watcher sees it").unwrap();
}

async fn add_one(redis: &Redis) -> Option<i64> {
    let script = Script::new("return redis.call('INCR', KEYS[1])");
    redis.call(&script, &["n".to_owned()], &[] as &[i64]).await
}

#[tokio::test]
async fn a_killed_redis_costs_no_time_and_is_found_again() {
    let mut server = RedisServer::start();
    let (redis, mut seen) = watched(&server);
    until(&mut seen, true).await;
    assert_eq!(add_one(&redis).await, Some(1));
    server.kill();
    let started = Instant::now();
    for _ in 0..100 {
        assert_eq!(add_one(&redis).await, None);
    }
    assert!(started.elapsed() < store::redis::PATIENCE * 2, "{:?} for 100 commands", started.elapsed());
    until(&mut seen, false).await;
    assert!(!redis.is_up());
    server.start_again();
    until(&mut seen, true).await;
    assert_eq!(add_one(&redis).await, Some(1), "it came back empty");
}

#[tokio::test]
async fn a_redis_that_does_not_answer_holds_those_who_are_waiting_a_second_and_nobody_else() {
    let server = RedisServer::start();
    let (redis, mut seen) = watched(&server);
    until(&mut seen, true).await;
    server.freeze();
    let started = Instant::now();
    let waiting = futures::future::join_all((0..200).map(|_| add_one(&redis))).await;
    assert_eq!(waiting, vec![None; 200]);
    assert!(started.elapsed() < store::redis::PATIENCE * 8, "{:?}", started.elapsed());
    let started = Instant::now();
    for _ in 0..100 {
        add_one(&redis).await;
    }
    assert!(started.elapsed() < store::redis::PATIENCE, "nobody waits for what is known to be away");
    until(&mut seen, false).await;
    server.thaw();
    until(&mut seen, true).await;
}

#[tokio::test]
async fn a_late_answer_of_a_redis_that_lives_is_waited_for() {
    let server = RedisServer::start();
    let (redis, mut seen) = watched(&server);
    until(&mut seen, true).await;
    let busy = "local began, now = redis.call('TIME')
        repeat now = redis.call('TIME')
        until (now[1] - began[1]) * 1000000 + now[2] - began[2] > 400000
        return redis.call('INCR', KEYS[1])";
    let started = Instant::now();
    let slow = redis.call::<i64>(&Script::new(busy), &["n".to_owned()], &[] as &[i64]).await;
    assert_eq!(slow, Some(1));
    assert!(started.elapsed() > store::redis::PATIENCE);
    assert_eq!(add_one(&redis).await, Some(2), "and nothing was given up for it");
}

#[tokio::test]
async fn servers_that_share_it_are_counted() {
    let server = RedisServer::start();
    let (first, mut first_seen) = watched(&server);
    until(&mut first_seen, true).await;
    let (second, mut second_seen) = watched(&server);
    until(&mut second_seen, true).await;
    assert_eq!((first.servers(), second.servers()), (1, 2), "the first learns of it at its next heartbeat");
}

#[test]
fn an_address_that_is_none_is_refused() {
    assert!(Redis::open(&kernel::Secret::new("http://localhost")).is_err());
}
