//! dump
use std::io::Write;
use std::time::Instant;
use llm::{Input, LocalModel};
fn main() {
    let args: Vec<String> = std::env::args().collect();
    let model = LocalModel::load(std::path::Path::new(&args[1])).unwrap();
    println!("{}", model.id());
    let data = recall::eval::locomo::parse(&std::fs::read(&args[2]).unwrap()).unwrap();
    std::fs::create_dir_all(&args[3]).unwrap();
    for c in data {
        let path = format!("{}/{}.bin", args[3], c.id);
        if std::path::Path::new(&path).exists() { continue; }
        let mut out = std::io::BufWriter::new(std::fs::File::create(format!("{path}.tmp")).unwrap());
        let t0 = Instant::now();
        let mut put = |e: &llm::Embedding| {
            out.write_all(&(e.spans.len() as u32).to_le_bytes()).unwrap();
            for s in &e.spans { out.write_all(&(s.0 as u32).to_le_bytes()).unwrap(); out.write_all(&(s.1 as u32).to_le_bytes()).unwrap(); }
            for v in e.vector.iter().chain(&e.tokens) { out.write_all(&v.to_le_bytes()).unwrap(); }
        };
        for (i, t) in c.turns.iter().enumerate() {
            let text = own(t);
            let prev = if i > 0 && c.turns[i - 1].session == t.session { own(&c.turns[i - 1]) } else { String::new() };
            put(&model.embed(&Input::new(text.clone())).unwrap());
            put(&model.embed(&Input::after(format!("{prev} {}:", t.speaker), text)).unwrap());
        }
        let n = c.turns.len();
        println!("{} {} turns x2 {:.1}/s", c.id, n, 2.0 * n as f64 / t0.elapsed().as_secs_f64());
        for q in &c.questions { put(&model.embed(&Input::new(q.text.clone())).unwrap()); }
        drop(out);
        std::fs::rename(format!("{path}.tmp"), path).unwrap();
    }
}
fn own(t: &recall::eval::locomo::Turn) -> String {
    [Some(&t.text), t.caption.as_ref(), t.image_query.as_ref()].into_iter().flatten().cloned().collect::<Vec<_>>().join(" ")
}
