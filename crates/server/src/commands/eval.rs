//! `hearth eval locomo`: records public dialogues and asks their questions, through the code that serves requests.

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use clap::{Subcommand, ValueEnum};
use indicatif::{ProgressBar, ProgressStyle};
use kernel::{Clock, Ctx, Micros, Principal, PrincipalKind, Scopes, TenantId};
use llm::Embedder;
use memory::events::{Actor, ActorType, Channel, EventKind, NewEvent};
use memory::search::{SearchMode, SearchRequest};
use memory::{Memory, MemoryConfig};
use recall::eval::Tally;
use recall::eval::locomo::{self, Conversation, Turn};
use serde_json::{Map, json};
use store::jobs::Runner;
use store::{Blobs, Store, StoreConfig};
use tokio::sync::Notify;

use super::{Failure, configuration, say};
use crate::config::Flags;

#[derive(Debug, Subcommand)]
pub(super) enum Eval {
    /// Evidence recall on LoCoMo dialogues: does a question find the turns that answer it?
    Locomo {
        /// A file of the data set, or a directory with a file for each conversation
        path: PathBuf,
        /// Legs to use; without it words alone, and the local model if there is one
        #[arg(long, value_enum)]
        mode: Option<EvalMode>,
        /// Indexed text: all, or without the image search words as in the published table
        #[arg(long, value_enum, default_value = "all")]
        fields: Fields,
        /// Write the figures as JSON, too
        #[arg(long, value_name = "FILE")]
        json: Option<PathBuf>,
    },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum EvalMode {
    /// Words only
    Lexical,
    /// Words and vectors
    Hybrid,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum Fields {
    /// Speaker, text, caption
    Paper,
    /// Speaker, text, caption and image search words
    All,
}

pub(super) async fn run(flags: &Flags, command: Eval) -> Result<(), Failure> {
    let Eval::Locomo { path, mode, fields, json } = command;
    let config = configuration(flags, false)?;
    crate::logs::start(&config.log);
    let embedder = match mode {
        Some(EvalMode::Lexical) => Embedder::None,
        _ => crate::open::open_embedder(&config)?,
    };
    if mode == Some(EvalMode::Hybrid) && embedder.model_id().is_none() {
        return Err(Failure::setting(
            "EMBEDDING_MODEL",
            "no model is there; fetch it with ./run or scripts/fetch-model",
        ));
    }
    let conversations = read(&path)?;
    let place = config.data_dir.join(format!("hearth-eval-{}", &kernel::random::token()[..12]));
    std::fs::create_dir_all(&place)
        .map_err(|e| Failure::work(format!("hearth: cannot make {}: {e}", place.display())))?;
    let outcome = evaluate(&place, embedder, &conversations, fields).await;
    let _ = std::fs::remove_dir_all(&place);
    let results = outcome?;
    let named: Vec<(&str, &Tally)> = results.iter().map(|(name, tally)| (name.as_str(), tally)).collect();
    say(&recall::eval::table(&named, &recall::eval::LOCOMO_BASELINES))?;
    if let Some(file) = json {
        let figures: Map<String, serde_json::Value> = named
            .iter()
            .map(|(name, tally)| {
                let by_category: Vec<_> = (1..=5).map(|c| tally.category(c)).collect();
                ((*name).to_owned(), json!({"overall": tally.overall(), "categories": by_category}))
            })
            .collect();
        let text = serde_json::to_string_pretty(&figures).unwrap_or_default();
        std::fs::write(&file, text)
            .map_err(|e| Failure::work(format!("hearth: cannot write {}: {e}", file.display())))?;
    }
    Ok(())
}

fn read(path: &std::path::Path) -> Result<Vec<Conversation>, Failure> {
    let fail = |file: &std::path::Path, why: String| {
        Failure::work(format!("hearth: cannot read {}: {why}", file.display()))
    };
    let mut files = vec![path.to_owned()];
    if path.is_dir() {
        let listed = std::fs::read_dir(path).map_err(|error| fail(path, error.to_string()))?;
        files = listed.filter_map(|entry| Some(entry.ok()?.path())).collect();
        files.retain(|file| file.extension().is_some_and(|extension| extension == "json"));
        files.sort();
    }
    let mut conversations = Vec::new();
    for file in files {
        let bytes = std::fs::read(&file).map_err(|error| fail(&file, error.to_string()))?;
        conversations.extend(locomo::parse(&bytes).map_err(|error| fail(&file, error.to_string()))?);
    }
    Ok(conversations)
}

/// A store of its own, the service over it, and the questions: by words, then with the model if there is one.
async fn evaluate(
    place: &std::path::Path,
    embedder: Embedder,
    conversations: &[Conversation],
    fields: Fields,
) -> Result<Vec<(String, Tally)>, Failure> {
    let (clock, wake) = (Clock::system(), Arc::new(Notify::new()));
    let store = Store::open(&StoreConfig::new(format!("sqlite:{}", place.join("eval.db").display()))).await?;
    store::migrate::up(&store, &clock).await?;
    let model = embedder.model_id().map(str::to_owned);
    let embedder = Arc::new(embedder);
    let blobs = Blobs::disk(place.join("blobs"));
    let memory =
        Memory::start(store.clone(), blobs, clock.clone(), embedder, MemoryConfig::default(), wake.clone());
    let ctx = context();
    let turns: HashMap<String, String> = record(&memory, &ctx, conversations, fields).await?;
    let mut results = vec![(
        "Hearth, words".to_owned(),
        ask(&memory, &ctx, conversations, &turns, SearchMode::Lexical).await?,
    )];
    if let Some(model) = model {
        embed(&memory, &store, &clock, wake, turns.len()).await?;
        let tally = ask(&memory, &ctx, conversations, &turns, SearchMode::Hybrid).await?;
        eprintln!("model: {model}");
        results.push(("Hearth, with model".to_owned(), tally));
    }
    Ok(results)
}

fn context() -> Ctx {
    let principal = Principal {
        kind: PrincipalKind::Operator,
        id: "operator".to_owned(),
        user_id: None,
        role: None,
        credential_id: "operator".to_owned(),
    };
    Ctx {
        tenant: TenantId::parse("eval").expect("a name by the rules"),
        principal: Arc::new(principal),
        scopes: Scopes::all(),
        request_id: "eval".into(),
        address: None,
    }
}

/// Records every turn, each conversation as an owner of its own; returns the turn id of each event.
async fn record(
    memory: &Memory,
    ctx: &Ctx,
    conversations: &[Conversation],
    fields: Fields,
) -> Result<HashMap<String, String>, Failure> {
    let total = conversations.iter().map(|conversation| conversation.turns.len()).sum::<usize>();
    let (bar, started) = (bar("recording", total), Instant::now());
    let mut turns = HashMap::with_capacity(total);
    for conversation in conversations {
        for batch in conversation.turns.chunks(500) {
            let events = batch.iter().map(|turn| event(&conversation.id, turn, fields)).collect();
            let recorded = memory.record_batch(ctx, events, None).await?;
            let ids = recorded.results.into_iter().map(|result| result.event_id);
            turns.extend(ids.zip(batch.iter().map(|turn| turn.id.clone())));
            bar.inc(batch.len() as u64);
        }
    }
    bar.finish_and_clear();
    eprintln!(
        "recorded {total} turns of {} conversations in {:.1} s",
        conversations.len(),
        started.elapsed().as_secs_f64()
    );
    Ok(turns)
}

fn event(owner: &str, turn: &Turn, fields: Fields) -> NewEvent {
    let mut content = Map::new();
    // A turn may be an image alone; an event needs words.
    let text = if turn.text.is_empty() { "(image)" } else { &turn.text };
    content.insert("text".to_owned(), text.into());
    content.extend(turn.caption.clone().map(|caption| ("caption".to_owned(), caption.into())));
    let image_query = turn.image_query.clone().filter(|_| fields == Fields::All);
    content.extend(image_query.map(|query| ("image_query".to_owned(), query.into())));
    NewEvent {
        session_id: format!("session-{}", turn.session),
        channel: Channel::Private,
        actor: Actor { kind: ActorType::Human, id: turn.speaker.clone(), name: Some(turn.speaker.clone()) },
        kind: EventKind::Message,
        content,
        sensitivity: None,
        tags: Vec::new(),
        refs: Vec::new(),
        user_id: Some(owner.to_owned()),
        agent_id: None,
        client_event_id: None,
        occurred_at: Some(Micros(turn.occurred_at_us)),
        expires_at: None,
        recalled: false,
        tenant_id: None,
    }
}

/// Runs the embedding jobs to their end.
async fn embed(
    memory: &Memory,
    store: &Store,
    clock: &Clock,
    wake: Arc<Notify>,
    turns: usize,
) -> Result<(), Failure> {
    let (bar, started) = (bar("embedding", turns), Instant::now());
    let runner = Runner::new(store.clone(), clock.clone(), memory.jobs(), wake);
    let work = runner.drain();
    tokio::pin!(work);
    let mut every = tokio::time::interval(Duration::from_millis(500));
    loop {
        tokio::select! {
            done = &mut work => { done?; break }
            _ = every.tick() => bar.set_position(memory.count_vectors().await? as u64),
        }
    }
    bar.finish_and_clear();
    let seconds = started.elapsed().as_secs_f64();
    eprintln!("embedded {turns} turns in {seconds:.1} s ({:.0} a second)", turns as f64 / seconds);
    Ok(())
}

async fn ask(
    memory: &Memory,
    ctx: &Ctx,
    conversations: &[Conversation],
    turns: &HashMap<String, String>,
    mode: SearchMode,
) -> Result<Tally, Failure> {
    let total = conversations.iter().map(|conversation| conversation.questions.len()).sum::<usize>();
    let (bar, mut tally, mut times) = (bar("asking", total), Tally::default(), Vec::with_capacity(total));
    for conversation in conversations {
        for question in &conversation.questions {
            let request = SearchRequest {
                user_id: Some(conversation.id.clone()),
                limit: Some(50),
                neighbours: Some(0),
                mode,
                ..SearchRequest::new(&question.text)
            };
            let started = Instant::now();
            let answer = memory.search(ctx, request).await?;
            times.push(started.elapsed().as_secs_f64() * 1e3);
            let found: Vec<&String> =
                answer.items.iter().filter_map(|hit| turns.get(&hit.event.event_id)).collect();
            tally.add(question, &found);
            bar.inc(1);
        }
    }
    bar.finish_and_clear();
    times.sort_by(f64::total_cmp);
    let at = |share: f64| {
        times.get(((times.len() as f64 * share) as usize).min(times.len().saturating_sub(1))).copied()
    };
    let (median, p95) = (at(0.5).unwrap_or_default(), at(0.95).unwrap_or_default());
    eprintln!("asked {total} questions ({mode:?}): median {median:.1} ms, p95 {p95:.1} ms");
    Ok(tally)
}

fn bar(what: &'static str, length: usize) -> ProgressBar {
    let style = ProgressStyle::with_template("{msg} {wide_bar} {pos}/{len} {eta}")
        .expect("a template that is tested by use");
    ProgressBar::new(length as u64).with_style(style).with_message(what)
}
