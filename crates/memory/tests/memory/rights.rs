//! What expires, what is held, and what an erasure that is not done yet hides.

use kernel::Micros;
use memory::rights::{DOMAIN, retention};
use serde_json::json;
use store::Reach;
use store::retention::{preview, run};
use store::rights::{Subject, Who, place_hold, release_hold, request};
use testkit::{ctx, on_both};

use crate::support::*;

static DOMAINS: &[&store::rights::Domain] = &[&DOMAIN];

#[tokio::test(flavor = "multi_thread")]
async fn what_has_expired_counts_in_no_statistics() {
    on_both(|home| async move {
        let (room, ana, ben) = (room(&home), ctx("acme", "ana"), ctx("acme", "ben"));
        let soon = json!({"expires_at": room.clock.now().plus(Micros::SECOND), "session_id": "short"});
        for n in 0..40 {
            room.record(&ana, event(&format!("persimmon remark {n}"), soon.clone())).await;
        }
        let lasting = ["the persimmon is ripe", "a quiet harbour at night", "persimmon and plum, plum, plum"];
        for person in [&ana, &ben] {
            for text in lasting {
                room.record(person, said(text)).await;
            }
        }
        // Parts with their values, without the ids that they come from.
        let scores = async |who| -> Vec<(String, Vec<(String, f64)>)> {
            let answer = room.ask(who, "persimmon harbour", json!({"explain": true, "neighbours": 0})).await;
            let told = |item: memory::search::SearchHit| {
                let parts = item.explain.unwrap().parts;
                (item.text, parts.into_iter().map(|part| (part.label, part.value)).collect())
            };
            answer.items.into_iter().map(told).collect()
        };
        let never = scores(&ben).await;
        assert_ne!(scores(&ana).await, never, "forty more remarks weigh");
        room.clock.advance(Micros::SECOND);
        assert_eq!(scores(&ana).await, never, "as if they had never been");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_has_expired_is_removed_unless_it_is_held() {
    on_both(|home| async move {
        let (room, ana, ben) = (room(&home), ctx("acme", "ana"), ctx("acme", "ben"));
        let soon = json!({"expires_at": room.clock.now().plus(Micros::SECOND)});
        for n in 0..230 {
            room.record(&ana, event(&format!("passing {n}"), soon.clone())).await;
        }
        let kept = room.record(&ana, said("lasting")).await.event_id;
        room.record(&ben, event("passing", soon)).await;
        let (now, tenant) = (room.clock.now(), ana.tenant.clone());
        let hold = home.store.write("test.hold", Reach::Everyone, move |tx| {
            Box::pin(async move { place_hold(tx, &tenant, Some("ben"), "a case", "usr_1", now).await })
        });
        let hold = hold.await.unwrap();
        let rows = async || preview(&home.store, &room.clock, &retention()).await.unwrap()[0].rows;
        assert_eq!(rows().await, 0);
        room.clock.advance(Micros::SECOND + 1);
        assert_eq!(rows().await, 230, "what is held is not counted");
        assert_eq!(run(&home.store, &room.clock, &retention()).await.unwrap()[0].rows, 230);
        assert_eq!(room.found(&ana, "lasting", json!({})).await, [kept]);
        assert_eq!(room.memory.stats(&ana, None).await.unwrap().events, 1);
        let tenant = ana.tenant.clone();
        let release = home.store.write("test.release", Reach::Everyone, move |tx| {
            Box::pin(async move { release_hold(tx, &tenant, &hold).await })
        });
        release.await.unwrap();
        assert_eq!(run(&home.store, &room.clock, &retention()).await.unwrap()[0].rows, 1);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_held_is_not_erased_and_what_is_being_erased_is_not_held() {
    on_both(|home| async move {
        let (room, ana) = (room(&home), ctx("acme", "ana"));
        room.record(&ana, said("a remark")).await;
        let (now, tenant) = (room.clock.now(), ana.tenant.clone());
        let hold = async |user: Option<&'static str>| {
            let tenant = tenant.clone();
            let write = home.store.write("test.hold", Reach::Everyone, move |tx| {
                Box::pin(async move { place_hold(tx, &tenant, user, "a case", "usr_1", now).await })
            });
            write.await
        };
        let erase = async |who: Who| {
            let subject = Subject { tenant: tenant.clone(), who };
            let write = home.store.write("test.erase", Reach::Everyone, move |tx| {
                Box::pin(async move { request(tx, DOMAINS, &subject, "usr_1", now).await })
            });
            write.await
        };
        let talk = || Who::Session { user_id: "ana".to_owned(), session_id: "s".to_owned() };
        let held = hold(Some("ana")).await.unwrap();
        for who in
            [talk(), Who::Owner("ana".to_owned()), Who::Person("ana".to_owned()), Who::Memory, Who::Tenant]
        {
            let error = erase(who.clone()).await.unwrap_err();
            assert!(error.code == "legal_hold" && error.public.contains(&held), "{who:?}: {error}");
        }
        erase(Who::Owner("ben".to_owned())).await.unwrap();
        assert_eq!(room.found(&ana, "remark", json!({})).await.len(), 1, "a refused request hides nothing");
        let tenant_id = tenant.clone();
        let release = home.store.write("test.release", Reach::Everyone, move |tx| {
            Box::pin(async move { release_hold(tx, &tenant_id, &held).await })
        });
        release.await.unwrap();
        erase(talk()).await.unwrap();
        assert_eq!(room.found(&ana, "remark", json!({})).await, Vec::<String>::new());
        for user in [None, Some("ana"), Some("ben")] {
            assert_eq!(hold(user).await.unwrap_err().code, "erasure_in_progress", "{user:?}");
        }
        hold(Some("cleo")).await.unwrap();
    })
    .await;
}
