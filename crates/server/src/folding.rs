//! A message that floods the log is folded: its first lines of a minute are written, the rest are counted and told.

use std::collections::HashMap;
use std::fmt;
use std::mem::take;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tracing::callsite::Identifier;
use tracing::field::{Field, Visit};
use tracing::{Event, Level, Subscriber};
use tracing_subscriber::Layer;
use tracing_subscriber::layer::Context;

/// Lines of one message that are written in a window.
const MOST: u64 = 60;
/// How long lines are counted together.
const WINDOW: Duration = Duration::from_mins(1);

/// What was written and left out, by the place in the code that says it. Clones share it.
#[derive(Clone, Default)]
pub(crate) struct Folding(Arc<Mutex<HashMap<Identifier, Message>>>);

/// One message.
struct Message {
    began: Instant,
    /// Lines since then.
    lines: u64,
    /// Lines left out that nobody was told of.
    left_out: u64,
    text: Text,
}

impl Folding {
    /// Logs how many lines of each message were left out since the last time.
    pub(crate) fn tell(&self) {
        let told: Vec<(String, u64)> = {
            let mut messages = self.lock();
            let left_out = messages.values_mut().filter(|message| message.left_out > 0);
            left_out.map(|message| (message.text.0.clone(), take(&mut message.left_out))).collect()
        };
        for (message, lines) in told {
            tracing::warn!(of = message, lines, "lines left out of the log");
        }
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<Identifier, Message>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<S: Subscriber> Layer<S> for Folding {
    fn event_enabled(&self, event: &Event<'_>, _: Context<'_, S>) -> bool {
        // Whoever asks for more than that wants all of it.
        if *event.metadata().level() > Level::INFO {
            return true;
        }
        let (mut messages, now) = (self.lock(), Instant::now());
        let message = messages.entry(event.metadata().callsite()).or_insert_with(|| {
            let mut text = Text::default();
            event.record(&mut text);
            Message { began: now, lines: 0, left_out: 0, text }
        });
        if now.duration_since(message.began) >= WINDOW {
            (message.began, message.lines) = (now, 0);
        }
        message.lines += 1;
        let is_written = message.lines <= MOST;
        message.left_out += u64::from(!is_written);
        is_written
    }
}

/// The words of an event, without its fields.
#[derive(Default)]
struct Text(String);

impl Visit for Text {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        if field.name() == "message" {
            self.0 = format!("{value:?}");
        }
    }
}

#[cfg(test)]
mod tests {
    use tracing_subscriber::layer::SubscriberExt;

    use super::*;

    /// Texts of the events that get through.
    #[derive(Clone, Default)]
    struct Seen(Arc<Mutex<Vec<String>>>);

    impl<S: Subscriber> Layer<S> for Seen {
        fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
            let mut text = Text::default();
            event.record(&mut text);
            self.0.lock().unwrap().push(text.0);
        }
    }

    #[test]
    fn a_flood_of_one_message_is_written_in_part_told_once_and_hides_no_other() {
        let (folding, seen) = (Folding::default(), Seen::default());
        let subscriber = tracing_subscriber::registry().with(folding.clone()).with(seen.clone());
        tracing::subscriber::with_default(subscriber, || {
            for number in 0..1_000 {
                tracing::error!(number, "it floods");
                tracing::debug!(number, "asked for");
            }
            tracing::warn!("another");
            folding.tell();
            folding.tell();
        });
        let seen = seen.0.lock().unwrap();
        let count = |text: &str| seen.iter().filter(|line| *line == text).count();
        assert_eq!((count("it floods"), count("asked for"), count("another")), (MOST as usize, 1_000, 1));
        assert_eq!(count("lines left out of the log"), 1);
    }
}
