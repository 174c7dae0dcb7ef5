//! Invented events: sessions of 40 turns of 25 words, word frequencies after Zipf, clustered vectors.

use recall::Doc;

/// Components of a vector.
pub(crate) const DIM: usize = 384;
const VOCABULARY: usize = 30_000;
const TURN_WORDS: usize = 25;
const SESSION_TURNS: usize = 40;
const CLUSTERS: usize = 500;
const TURN_TOKENS: usize = 25;

/// A question with its vectors.
pub(crate) struct Question {
    pub(crate) text: String,
    pub(crate) vector: Vec<f32>,
    pub(crate) spans: Vec<(usize, usize)>,
    pub(crate) tokens: Vec<f32>,
}

/// Everything follows from the seed; texts are made anew on each pass so that they do not weigh on RAM.
pub(crate) struct Corpus {
    events: usize,
    seed: u64,
    centres: Vec<f32>,
}

impl Corpus {
    pub(crate) fn new(events: usize, seed: u64) -> Self {
        let mut chance = Chance(seed);
        let centres = (0..CLUSTERS * DIM).map(|_| chance.normal()).collect();
        Self { events, seed, centres }
    }

    pub(crate) fn len(&self) -> usize {
        self.events
    }

    /// Calls `each` with every event and its vector.
    pub(crate) fn for_each(&self, mut each: impl FnMut(&Doc<'_>, &[f32])) {
        let mut chance = Chance(self.seed ^ 1);
        for number in 0..self.events {
            let text = words(&mut chance, TURN_WORDS, 0);
            let vector = self.vector(&mut chance);
            let session = format!("session-{}", number / SESSION_TURNS);
            let doc = Doc {
                key: &key(number),
                session: &session,
                seq: number as i64,
                speaker: if number % 2 == 0 { "Caroline" } else { "Melanie" },
                occurred_at_us: 1_600_000_000_000_000 + number as i64 * 600_000_000,
                text: &text,
                ..Doc::default()
            };
            each(&doc, &vector);
        }
    }

    /// Questions of eight words, as rare as words people ask for.
    pub(crate) fn questions(&self, count: usize) -> Vec<Question> {
        let mut chance = Chance(self.seed ^ 2);
        let question = |_| {
            let text = words(&mut chance, 8, 60);
            let spans: Vec<_> =
                text.split(' ').map(|w| w.as_ptr() as usize - text.as_ptr() as usize).collect();
            let spans: Vec<_> = spans.into_iter().map(|at| (at, at + 3)).collect();
            let tokens = spans.iter().flat_map(|_| self.vector(&mut chance)).collect();
            Question { vector: self.vector(&mut chance), spans, tokens, text }
        };
        (0..count).map(question).collect()
    }

    /// Token codes of an event, as a database would hold them.
    pub(crate) fn codes(&self, key: &str) -> Vec<u8> {
        let mut chance =
            Chance(key.bytes().fold(self.seed, |h, b| h.wrapping_mul(31).wrapping_add(u64::from(b))));
        (0..TURN_TOKENS * DIM / 8).map(|_| chance.next() as u8).collect()
    }

    fn vector(&self, chance: &mut Chance) -> Vec<f32> {
        let centre = (chance.next() % CLUSTERS as u64) as usize * DIM;
        let mut out: Vec<f32> =
            self.centres[centre..centre + DIM].iter().map(|c| c + 1.2 * chance.normal()).collect();
        let norm = out.iter().map(|v| v * v).sum::<f32>().sqrt();
        for value in &mut out {
            *value /= norm;
        }
        out
    }
}

fn key(number: usize) -> String {
    const ALPHABET: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";
    let mut chance = Chance(number as u64);
    let tail: String = (0..26).map(|_| ALPHABET[(chance.next() % 32) as usize] as char).collect();
    format!("chk_{tail}")
}

/// Words by rank: rank r is about 1/r as frequent as rank 1.
fn words(chance: &mut Chance, count: usize, from: usize) -> String {
    let span = ((VOCABULARY - from) as f64).ln();
    let word = |_| {
        let rank = from + (chance.unit() * span).exp() as usize;
        // Letters only, so that the stemmer has work; the ending keeps words of neighbouring ranks apart.
        let mut rest = rank + 26 * 26;
        let mut out = String::new();
        while rest > 0 {
            out.push((b'a' + (rest % 26) as u8) as char);
            rest /= 26;
        }
        out
    };
    (0..count).map(word).collect::<Vec<_>>().join(" ")
}

/// SplitMix64 (Steele, Lea & Flood 2014).
struct Chance(u64);

impl Chance {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    fn unit(&mut self) -> f64 {
        (self.next() >> 11) as f64 / (1_u64 << 53) as f64
    }

    /// About normal: the sum of four uniform numbers.
    fn normal(&mut self) -> f32 {
        (0..4).map(|_| self.unit() as f32 - 0.5).sum::<f32>() * 1.732
    }
}
