//! How much a memory matters.

use crate::memories::MemoryType;

/// What importance is made of.
#[derive(Clone, Copy, Debug)]
pub(super) struct Signals {
    /// How strongly it was felt, 0–1.
    pub(super) emotion: f64,
    /// Whether it was meant to be kept, 0–1: 1 after "remember that", a half when it was said of oneself.
    pub(super) explicit: f64,
    /// How often it was said; five times is often.
    pub(super) times: u32,
    /// Days since it was said.
    pub(super) age_days: f64,
    /// Names, figures and days in it, 0–1.
    pub(super) specificity: f64,
    /// How near to the person it is, 0–1.
    pub(super) personal: f64,
}

/// Days in which recency halves.
const HALF_LIFE_DAYS: f64 = 30.0;

/// Importance 0–1 by the published weights of Hearth's memory: emotion 0.30, explicit mention 0.25, frequency 0.15, recency
/// 0.10, specificity 0.10, personal relevance 0.10. A decision counts 1, a task at least 0.8.
pub(super) fn importance(kind: MemoryType, signals: Signals) -> f64 {
    let frequency = f64::from(signals.times.min(5)) / 5.0;
    let recency = (-signals.age_days.max(0.0) / HALF_LIFE_DAYS).exp2();
    let sum = 0.30 * signals.emotion
        + 0.25 * signals.explicit
        + 0.15 * frequency
        + 0.10 * recency
        + 0.10 * signals.specificity
        + 0.10 * signals.personal;
    let least = match kind {
        MemoryType::Decision => 1.0,
        MemoryType::Task => 0.8,
        _ => 0.0,
    };
    sum.clamp(least, 1.0)
}

/// Words of strong feeling give 1, milder ones and exclamation marks a half.
pub(super) fn emotion(text: &str, is_exclaimed: bool) -> f64 {
    const STRONG: [&str; 30] = [
        "love",
        "adore",
        "hate",
        "loathe",
        "detest",
        "terrified",
        "devastated",
        "heartbroken",
        "thrilled",
        "ecstatic",
        "furious",
        "died",
        "death",
        "cancer",
        "pregnant",
        "married",
        "divorced",
        "engaged",
        "grief",
        "depressed",
        "anxious",
        "panic",
        "proud",
        "afraid",
        "scared",
        "miserable",
        "overjoyed",
        "allergic",
        "born",
        "funeral",
    ];
    const MILD: [&str; 20] = [
        "like",
        "enjoy",
        "happy",
        "sad",
        "glad",
        "worried",
        "excited",
        "dislike",
        "angry",
        "upset",
        "lonely",
        "tired",
        "hope",
        "favourite",
        "favorite",
        "nervous",
        "stressed",
        "fun",
        "great",
        "important",
    ];
    let has = |list: &[&str]| {
        text.split(|c: char| !c.is_alphanumeric()).any(|word| list.contains(&word.to_lowercase().as_str()))
    };
    if has(&STRONG) {
        1.0
    } else if is_exclaimed || has(&MILD) {
        0.5
    } else {
        0.0
    }
}

/// A day, a figure and a name within the words count a third each.
pub(super) fn specificity(text: &str, has_day: bool) -> f64 {
    let has_figure = text.bytes().any(|b| b.is_ascii_digit());
    let has_name = text.split(' ').skip(1).any(|word| word.starts_with(char::is_uppercase));
    f64::from(u8::from(has_day) + u8::from(has_figure) + u8::from(has_name)) / 3.0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn importance_is_the_published_sum() {
        let none =
            Signals { emotion: 0.0, explicit: 0.0, times: 0, age_days: 1e9, specificity: 0.0, personal: 0.0 };
        let all =
            Signals { emotion: 1.0, explicit: 1.0, times: 9, age_days: 0.0, specificity: 1.0, personal: 1.0 };
        let close = |a: f64, b: f64| (a - b).abs() < 1e-9;
        assert!(
            close(importance(MemoryType::Fact, none), 0.0) && close(importance(MemoryType::Fact, all), 1.0)
        );
        assert!(
            close(importance(MemoryType::Decision, none), 1.0)
                && close(importance(MemoryType::Task, none), 0.8)
        );
        let half = Signals { explicit: 1.0, age_days: 30.0, ..none };
        assert!(close(importance(MemoryType::Fact, half), 0.25 + 0.05));
        assert!(close(emotion("I love it", false), 1.0) && close(emotion("Fine", true), 0.5));
        assert!(close(specificity("Ana lives in Lima", false), 1.0 / 3.0));
    }
}
