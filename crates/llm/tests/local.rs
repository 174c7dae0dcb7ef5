//! The local model, on the real directory that `HEARTH_TEST_MODEL_DIR` names; the test command provides it.

use std::path::PathBuf;
use std::sync::OnceLock;

use llm::{Embedder, Embedding, Input, LocalModel, ModelError, Purpose};

fn directory() -> PathBuf {
    let set = std::env::var_os("HEARTH_TEST_MODEL_DIR");
    PathBuf::from(set.expect("HEARTH_TEST_MODEL_DIR names an all-MiniLM-L6-v2 directory (./test sets it)"))
}

fn model() -> &'static LocalModel {
    static MODEL: OnceLock<LocalModel> = OnceLock::new();
    MODEL.get_or_init(|| LocalModel::load(&directory()).expect("the model loads"))
}

fn embed(input: Input) -> Embedding {
    model().embed(&input).expect("the text is embedded")
}

fn dot(a: &[f32], b: &[f32]) -> f32 {
    a.iter().zip(b).map(|(x, y)| x * y).sum()
}

#[test]
fn near_meanings_get_near_vectors() {
    let of = |text: &str| embed(Input::new(text)).vector;
    let cat = of("A cat is sleeping on the sofa");
    let near = dot(&cat, &of("A kitten naps on the couch"));
    let far = dot(&cat, &of("The stock market fell sharply today"));
    assert!(near > 0.5 && far < 0.3, "near {near}, far {far}");
    assert!((dot(&cat, &cat) - 1.0).abs() < 1e-5);
}

#[test]
fn tokens_are_those_of_the_text_with_its_bytes() {
    let text = "Ünder the bridge, Caroline!";
    let alone = embed(Input::new(text));
    let after = embed(Input::after("Where did you paint? Melanie:", text));
    let forms: Vec<_> = alone.spans.iter().map(|&(from, to)| &text[from..to]).collect();
    assert_eq!(forms, ["Ünder", "the", "bridge", ",", "Caroline", "!"]);
    assert_eq!(after.spans, alone.spans);
    assert_eq!(after.tokens.len(), alone.spans.len() * model().dim());
    for row in after.tokens.chunks(model().dim()) {
        assert!((dot(row, row) - 1.0).abs() < 1e-4);
    }
    assert_ne!(after.tokens, alone.tokens, "context is heard");
}

#[test]
fn long_context_is_cut_before_the_text() {
    let long = "word ".repeat(2_000);
    let text = "the puppy";
    assert_eq!(embed(Input::after(long.clone(), text)).spans, embed(Input::new(text)).spans);
    assert_eq!(embed(Input::after(long.clone(), long)).spans.len(), 128);
}

#[test]
fn odd_texts_are_embedded() {
    for text in ["", " ", "\0", "👩‍👩‍👧‍👦", "日本語", "\u{202e}abc", &"x".repeat(5_000)] {
        let found = embed(Input::new(text));
        assert_eq!(found.vector.len(), model().dim());
        assert!(found.vector.iter().all(|v| v.is_finite()), "{text:?}");
    }
}

#[tokio::test]
async fn many_texts_come_back_in_order() {
    let embedder = Embedder::local(&directory(), 2).expect("the model loads");
    assert_eq!((embedder.dim(), embedder.has_tokens()), (Some(384), true));
    let texts: Vec<_> = (0..80).map(|i| Input::new(format!("number {i}"))).collect();
    let expected = embed(texts[79].clone());
    let both = tokio::join!(
        embedder.embed(Purpose::Document, texts.clone()),
        embedder.embed(Purpose::Document, texts.clone()),
    );
    let query = embedder.embed(Purpose::Query, vec![texts[79].clone()]).await.expect("the query is embedded");
    for found in [both.0, both.1] {
        let found = found.expect("the texts are embedded");
        assert_eq!(found.len(), 80);
        assert_eq!(found[79], query[0]);
    }
    assert!(dot(&query[0].vector, &expected.vector) > 0.9999);
}

#[test]
fn a_wrong_directory_says_what_is_wrong() {
    let missing = LocalModel::load(&directory().join("nowhere"));
    assert!(matches!(missing, Err(ModelError::Load { what }) if what.contains("config.json")));
}
