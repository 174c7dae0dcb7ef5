//! Users of the run's own: owners of memories that nobody else has, each with a key; all removed at the end.

use std::time::Duration;

use futures::StreamExt;
use futures::stream;
use kernel::{Clock, Micros};
use reqwest::{Client, RequestBuilder};
use serde_json::{Value, json};

use crate::operation::User;
use crate::run::{CouldNotRun, Target};

/// Requests at once while users are made and removed.
const AT_ONCE: usize = 4;
/// Keys of a run that was killed end by themselves so long after its end.
const GRACE: Duration = Duration::from_hours(1);
/// Longest that the removal of one user is waited for.
const PATIENCE: Duration = Duration::from_secs(90);
/// Between two looks at whether an erasure is done.
const LOOK_EVERY: Duration = Duration::from_millis(200);

/// The users and what must be taken back.
pub(crate) struct Ground<'a> {
    target: &'a Target,
    client: &'a Client,
    run: String,
    /// The users that were made.
    pub(crate) users: Vec<User>,
    key_ids: Vec<String>,
}

impl<'a> Ground<'a> {
    /// Nobody yet.
    pub(crate) fn new(target: &'a Target, client: &'a Client) -> Self {
        let run = kernel::random::token()[..8].to_owned();
        Self { target, client, run, users: Vec::new(), key_ids: Vec::new() }
    }

    /// Makes `count` users with a few memories each; `watch` hears how many there are.
    ///
    /// # Errors
    /// What the server refused, and the cure. Whoever was made must still be removed.
    pub(crate) async fn make(
        &mut self,
        count: usize,
        length: Duration,
        watch: impl Fn(usize),
    ) -> Result<(), CouldNotRun> {
        let ends = Clock::system().now().plus((length + GRACE).as_micros() as i64);
        let (target, client, run) = (self.target, self.client, self.run.clone());
        let makes = (0..count).map(|number| make_one(target, client, run.clone(), number, ends));
        let mut made = stream::iter(makes).buffer_unordered(AT_ONCE);
        while let Some(one) = made.next().await {
            let (user, key_id) = one?;
            self.key_ids.push(key_id);
            self.users.push(user);
            watch(self.users.len());
        }
        drop(made);
        self.users.sort_by_key(|user| user.number);
        let marks = stream::iter(&self.users).map(|user| speak(target, client, user));
        let mut spoken = marks.buffer_unordered(AT_ONCE);
        while let Some(one) = spoken.next().await {
            one?;
        }
        Ok(())
    }

    /// Revokes the keys and erases the memories; answers with what could not be removed.
    pub(crate) async fn remove(self, watch: impl Fn(usize)) -> Vec<String> {
        let (target, client) = (self.target, self.client);
        let revoke = |key_id: String| async move {
            let path = format!("/api/v1/api-keys/{key_id}");
            let gone = send(target, client.delete(format!("{}{path}", target.host))).await;
            gone.err().map(|why| format!("key {key_id}: {why}"))
        };
        let erase = |user: User| async move {
            let owner = user.owner();
            erase(target, client, &owner).await.err().map(|why| format!("memories of {owner}: {why}"))
        };
        let mut left: Vec<String> = stream::iter(self.key_ids)
            .map(revoke)
            .buffer_unordered(AT_ONCE)
            .filter_map(std::future::ready)
            .collect()
            .await;
        let mut erased = stream::iter(self.users).map(erase).buffer_unordered(AT_ONCE);
        let mut done = 0;
        while let Some(one) = erased.next().await {
            done += 1;
            watch(done);
            left.extend(one);
        }
        left
    }
}

async fn make_one(
    target: &Target,
    client: &Client,
    run: String,
    number: usize,
    ends: Micros,
) -> Result<(User, String), CouldNotRun> {
    let body = json!({
        "name": format!("load test {run} user {number}"), "scopes": ["memory:read", "memory:write"],
        "acts_for": "anyone", "expires_at": ends,
    });
    let made = send(target, client.post(format!("{}/api/v1/api-keys", target.host)).json(&body)).await;
    let made = made.map_err(|why| {
        CouldNotRun(format!(
            "cannot make a key: {why}; give the key of an administrator that is bound to nobody"
        ))
    })?;
    let text = |field: &str| made[field].as_str().map(str::to_owned);
    let nameless = || CouldNotRun("the server made a key and did not name it".to_owned());
    let (key, key_id) = (text("api_key").ok_or_else(nameless)?, text("key_id").ok_or_else(nameless)?);
    Ok((User { run, number, key }, key_id))
}

/// Lets a user say its first words.
async fn speak(target: &Target, client: &Client, user: &User) -> Result<(), CouldNotRun> {
    let request = client.post(format!("{}/api/v1/events/batch", target.host)).json(&user.first_words());
    let spoken = read(request.bearer_auth(&user.key)).await;
    spoken.map(|_| ()).map_err(|why| CouldNotRun(format!("cannot record an event: {why}")))
}

async fn erase(target: &Target, client: &Client, owner: &str) -> Result<(), String> {
    let place = format!("{}/api/v1/memory/erasures", target.host);
    let asked = send(target, client.post(&place).json(&json!({"user_id": owner, "confirm": owner}))).await?;
    let id = asked["erasure_id"].as_str().ok_or("the server named no erasure")?;
    let wait = async {
        loop {
            let erasure = send(target, client.get(format!("{place}/{id}"))).await?;
            if erasure["state"] == "done" {
                return Ok(());
            }
            tokio::time::sleep(LOOK_EVERY).await;
        }
    };
    let late = |_| Err(format!("erasure {id} is still waiting"));
    tokio::time::timeout(PATIENCE, wait).await.unwrap_or_else(late)
}

/// Sends as the administrator; once limited or refused for load, again when the server says so.
async fn send(target: &Target, request: RequestBuilder) -> Result<Value, String> {
    let request = request.bearer_auth(&target.key);
    let again = request.try_clone();
    match (read(request).await, again) {
        (Err(Refused { retry_after: Some(wait), .. }), Some(again)) => {
            tokio::time::sleep(wait.min(PATIENCE)).await;
            Ok(read(again).await?)
        }
        (answer, _) => Ok(answer?),
    }
}

/// An answer that is no success.
struct Refused {
    why: String,
    retry_after: Option<Duration>,
}

impl From<Refused> for String {
    fn from(refused: Refused) -> Self {
        refused.why
    }
}

impl std::fmt::Display for Refused {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.write_str(&self.why)
    }
}

async fn read(request: RequestBuilder) -> Result<Value, Refused> {
    let unanswered = |error: reqwest::Error| Refused { why: error.to_string(), retry_after: None };
    let answer = request.send().await.map_err(unanswered)?;
    let status = answer.status();
    let seconds = answer.headers().get("retry-after").and_then(|value| value.to_str().ok()?.parse().ok());
    let text = answer.text().await.map_err(unanswered)?;
    let body: Value = serde_json::from_str(&text).unwrap_or_default();
    if status.is_success() {
        return Ok(body);
    }
    let detail = body["detail"].as_str().unwrap_or_default();
    Err(Refused {
        why: format!("{} {detail}", status.as_u16()),
        retry_after: seconds.map(Duration::from_secs),
    })
}
