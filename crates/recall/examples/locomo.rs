//! Dev harness.
use recall::eval::{LOCOMO_BASELINES, Tally, locomo, table};
use recall::*;
use std::collections::HashMap;

struct Emb { spans: Vec<(usize, usize)>, vector: Vec<f32>, tokens: Vec<f32> }
struct Conv { c: locomo::Conversation, alone: Vec<Emb>, ctx: Vec<Emb>, q: Vec<Emb> }

fn load(dir: &str, c: locomo::Conversation) -> Conv {
    let b = std::fs::read(format!("{dir}/{}.bin", c.id)).unwrap_or_default();
    let mut at = 0;
    let u = |at: &mut usize| { let v = u32::from_le_bytes(b[*at..*at + 4].try_into().unwrap()); *at += 4; v };
    let mut one = || {
        let n = u(&mut at) as usize;
        let spans = (0..n).map(|_| { let a = u(&mut at) as usize; (a, u(&mut at) as usize) }).collect();
        let mut f = |k: usize| (0..k).map(|_| f32::from_bits(u(&mut at))).collect::<Vec<_>>();
        Emb { spans, vector: f(384), tokens: f(384 * n) }
    };
    let (mut alone, mut ctx, mut q) = (vec![], vec![], vec![]);
    if !b.is_empty() {
        for _ in &c.turns { alone.push(one()); ctx.push(one()); }
        for _ in &c.questions { q.push(one()); }
    }
    Conv { c, alone, ctx, q }
}

fn opt<'a>(o: &'a HashMap<String, String>, k: &str, d: &'a str) -> &'a str { o.get(k).map_or(d, String::as_str) }

fn mean(e: &Emb) -> Vec<f32> { let mut m = vec![0f32; 384]; for r in e.tokens.chunks(384) { m.iter_mut().zip(r).for_each(|(a, b)| *a += b) } let n = m.iter().map(|x| x * x).sum::<f32>().sqrt().max(1e-9); m.iter_mut().for_each(|x| *x /= n); m }
fn build(v: &Conv, o: &HashMap<String, String>) -> Index {
    let mut ix = Index::default();
    let date = opt(o, "date", "1") == "1";
    let fields = opt(o, "fields", "all");
    for (i, t) in v.c.turns.iter().enumerate() {
        let mut ex: Vec<&str> = t.caption.as_deref().into_iter().collect();
        if fields == "all" { ex.extend(t.image_query.as_deref()); }
        ix.upsert(&Doc { key: &t.id, session: &t.session.to_string(), seq: t.seq, speaker: &t.speaker, occurred_at_us: t.occurred_at_us, text: &t.text, extra: &ex, with_date: date, ..Doc::default() });
        if !v.alone.is_empty() {
            let vec = match opt(o, "vec", "own") {
                "alone" => v.alone[i].vector.clone(),
                "ctx" => v.ctx[i].vector.clone(),
                "own" => mean(&v.ctx[i]),
                "ownctx" => mean(&v.ctx[i]).iter().zip(&v.ctx[i].vector).map(|(a, b)| (a + b) / 2.0).collect(),
                _ => v.alone[i].vector.iter().zip(&v.ctx[i].vector).map(|(a, b)| (a + b) / 2.0).collect(),
            };
            ix.set_vector(&t.id, &Vector::quantise(&vec)).unwrap();
        }
    }
    ix
}

fn run(v: &Conv, ix: &Index, codes: &HashMap<&str, Vec<u8>>, p: &Params, mode: &str, tallies: &mut Tally) {
    for (i, q) in v.c.questions.iter().enumerate() {
        let qt = v.q.get(i).map(|e| QueryTokens { spans: e.spans.clone(), vectors: e.tokens.clone(), dim: 384 });
        let query = Query { text: &q.text, vector: if mode == "lex" { None } else { v.q.get(i).map(|e| &e.vector[..]) }, tokens: qt.as_ref().filter(|_| mode == "li" || mode == "dli"), mode: if mode == "dense" || mode == "dli" { Mode::Dense } else { Mode::Hybrid }, ..Query::default() };
        let mut r = search(&[ix], &query, p);
        let want: Vec<String> = r.candidates().map(str::to_owned).collect();
        r.rerank(want.iter().filter_map(|k| codes.get(k.as_str()).map(|c| (k.as_str(), c.as_slice()))));
        let ids: Vec<String> = r.top(50).into_iter().map(|h| h.key).collect();
        tallies.add(q, &ids);
    }
}

fn apply(p: &mut Params, k: &str, v: &str) {
    let mut j = serde_json::to_value(*p).unwrap();
    let path: Vec<&str> = k.split('.').collect();
    let mut cur = &mut j;
    for s in &path { cur = match s.parse::<usize>() { Ok(n) => &mut cur[n], Err(_) => &mut cur[*s] }; }
    *cur = serde_json::from_str(v).unwrap();
    *p = serde_json::from_value(j).unwrap();
}

fn main() {
    let args: Vec<String> = std::env::args().collect();
    let mut o = HashMap::new();
    let mut p = Params::default();
    let mut grid: Vec<(String, Vec<String>)> = vec![];
    for a in &args[2..] {
        let (k, v) = a.split_once('=').unwrap();
        if let Some(k) = k.strip_prefix("p:") {
            let vs: Vec<String> = v.split('|').map(str::to_owned).collect();
            if vs.len() == 1 { apply(&mut p, k, v) } else { grid.push((k.to_owned(), vs)) }
        } else { o.insert(k.to_owned(), v.to_owned()); }
    }
    let mut convs: Vec<Conv> = locomo::parse(&std::fs::read(&args[1]).unwrap()).unwrap().into_iter().map(|c| load(opt(&o, "emb", "/tmp/emb"), c)).collect();
    let mode = opt(&o, "mode", "lex");
    if opt(&o, "qvec", "own") == "own" { for c in &mut convs { for e in &mut c.q { e.vector = mean(e); } } }
    let ix: Vec<Index> = convs.iter().map(|v| build(v, &o)).collect();
    let codes: Vec<HashMap<&str, Vec<u8>>> = convs.iter().map(|v| {
        let src = if opt(&o, "tok", "ctx") == "ctx" { &v.ctx } else { &v.alone };
        v.c.turns.iter().zip(src).map(|(t, e)| (t.id.as_str(), sign_codes(&e.tokens, 384))).collect()
    }).collect();
    let mut combos: Vec<(String, Params)> = vec![(String::new(), p)];
    for (k, vs) in &grid {
        combos = combos.iter().flat_map(|(n, p)| vs.iter().map(move |v| { let mut q = *p; apply(&mut q, k, v); (format!("{n} {k}={v}"), q) })).collect();
    }
    let mut all: Vec<Vec<Tally>> = vec![];
    for (name, p) in &combos {
        let ts: Vec<Tally> = std::thread::scope(|s| {
            let hs: Vec<_> = convs.iter().zip(&ix).zip(&codes).map(|((v, ix), codes)| s.spawn(move || { let mut t = Tally::default(); run(v, ix, codes, p, mode, &mut t); t })).collect();
            hs.into_iter().map(|h| h.join().unwrap()).collect()
        });
        let mut sum = Tally::default();
        ts.iter().for_each(|t| sum.merge(t));
        let f = sum.overall();
        let c: Vec<String> = (1..=5).map(|c| format!("{:.1}", sum.category(c).recall[1])).collect();
        println!("{:5.2} {:5.2} {:5.2} {:5.2} | {} | n={} {name}", f.recall[0], f.recall[1], f.recall[2], f.recall[3], c.join(" "), f.questions);
        all.push(ts);
    }
    // leave one out
    if combos.len() > 1 {
        let obj = |t: &Tally| { let r = t.overall().recall; r[0] + r[1] * 1.5 + r[2] + r[3] };
        let mut held = Tally::default();
        for i in 0..convs.len() {
            let best = (0..combos.len()).max_by(|&a, &b| {
                let sc = |x: usize| { let mut t = Tally::default(); for (j, tj) in all[x].iter().enumerate() { if j != i { t.merge(tj) } } obj(&t) };
                sc(a).total_cmp(&sc(b))
            }).unwrap();
            println!("left out {} -> {}", convs[i].c.id, combos[best].0);
            held.merge(&all[best][i]);
        }
        println!("CV {:?}", held.overall().recall);
    } else if opt(&o, "table", "0") == "1" {
        let mut sum = Tally::default();
        all[0].iter().for_each(|t| sum.merge(t));
        println!("{}", table(&[(mode, &sum)], &LOCOMO_BASELINES));
    }
}
