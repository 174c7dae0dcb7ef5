//! The report as one HTML file: tables and a drawing of the latency's course.

use std::fmt::Write;

use super::{Generator, Outcome, Report, Row};

/// Width and height of the drawing.
const SIZE: (f64, f64) = (720.0, 200.0);

const STYLE: &str = "body{font:15px/1.5 system-ui,sans-serif;max-width:760px;margin:2rem auto;padding:0 1rem;\
color:#1c2024;background:#fff}table{border-collapse:collapse;width:100%;margin:0 0 1.5rem}th,td{padding:.25rem .5rem;\
text-align:right;border-bottom:1px solid #d9dde1;font-variant-numeric:tabular-nums}th:first-child,td:first-child\
{text-align:left}svg{width:100%;height:auto}.ok{color:#116329}.bad{color:#a40e26}.note{color:#57606a}\
@media(prefers-color-scheme:dark){body{color:#e6e9ec;background:#15181b}th,td{border-color:#33393f}.ok{color:#57c878}\
.bad{color:#ff8088}.note{color:#9aa3ac}}";

/// Writes the page.
pub(super) fn page(report: &Report) -> String {
    let mut out = String::with_capacity(16 << 10);
    let title = format!("Load test {} of {}", report.scenario, escaped(&report.host));
    let _ = write!(
        out,
        "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\">\
         <meta name=\"viewport\" content=\"width=device-width\"><title>{title}</title><style>{STYLE}</style>\
         <h1>{title}</h1>{}<p class=\"note\">{}, {} users, {} requests a second of each, {} s.</p>",
        verdict(report),
        report.started_at,
        report.users,
        report.rate,
        report.seconds
    );
    thresholds(&mut out, report);
    out.push_str("<h2>Course</h2><p class=\"note\">Latency by the instant a request was due: median, 95th percentile, longest.</p>");
    drawing(&mut out, &report.windows, report.seconds);
    table(&mut out, "Operations", &report.operations);
    table(&mut out, "Stages", &report.stages);
    table(&mut out, "All", std::slice::from_ref(&report.all));
    failures(&mut out, report);
    let Generator { cpu_percent, cores, late_p99_ms } = report.generator;
    let _ = write!(
        out,
        "<h2>Generator</h2><p>It used {cpu_percent} % of {cores} cores and sent 99 % of the requests at most {late_p99_ms} ms \
         late. Latencies count from the instant a request was due; from leaving to answer the 95th percentile is {} ms.</p>",
        report.service_p95_ms
    );
    out.push_str("</html>\n");
    out
}

fn verdict(report: &Report) -> String {
    let (class, text) = match report.outcome {
        Outcome::Pass => ("ok", "Passed: every threshold was kept.".to_owned()),
        Outcome::Missed => ("bad", "Missed: not every threshold was kept.".to_owned()),
        Outcome::Stopped => ("bad", "Stopped before its end.".to_owned()),
        Outcome::Void => ("bad", format!("Void: {}.", escaped(report.void.as_deref().unwrap_or_default()))),
    };
    format!("<p class=\"{class}\"><strong>{text}</strong></p>")
}

fn thresholds(out: &mut String, report: &Report) {
    out.push_str("<h2>Thresholds</h2><table><tr><th>Promised<th>Measured<th>");
    for judged in &report.thresholds {
        let (class, word) = if judged.is_met { ("ok", "kept") } else { ("bad", "missed") };
        let (claim, measured) = (escaped(&judged.claim), escaped(&judged.measured));
        let _ = write!(out, "<tr><td>{claim}<td>{measured}<td class=\"{class}\">{word}");
    }
    out.push_str("</table>");
}

fn table(out: &mut String, title: &str, rows: &[Row]) {
    let heads = "<tr><th><th>requests<th>failed<th>p50 ms<th>p95 ms<th>p99 ms<th>max ms";
    let _ = write!(out, "<h2>{title}</h2><table>{heads}");
    for Row { name, requests, failed, p50_ms, p95_ms, p99_ms, max_ms } in rows {
        let _ = write!(
            out,
            "<tr><td>{}<td>{requests}<td>{failed}<td>{p50_ms:.1}<td>{p95_ms:.1}<td>{p99_ms:.1}<td>{max_ms:.1}",
            escaped(name)
        );
    }
    out.push_str("</table>");
}

fn failures(out: &mut String, report: &Report) {
    if report.failures.is_empty() && report.left_behind.is_empty() {
        return;
    }
    out.push_str("<h2>Failures</h2><table><tr><th>What<th>How often");
    for failure in &report.failures {
        let _ =
            write!(out, "<tr><td>{}: {}<td>{}", failure.operation, escaped(&failure.reason), failure.count);
    }
    for what in &report.left_behind {
        let _ = write!(out, "<tr><td>left behind: {}<td>1", escaped(what));
    }
    out.push_str("</table>");
}

/// Three lines over the time on a logarithmic scale from 0.1 ms up, with a mark at each power of ten.
fn drawing(out: &mut String, windows: &[Row], seconds: f64) {
    let (width, height) = SIZE;
    let highest = windows.iter().map(|row| row.max_ms).fold(10.0, f64::max).log10().ceil();
    let y = |ms: f64| height - (ms.max(0.1).log10() + 1.0) / (highest + 1.0) * height;
    let _ = write!(
        out,
        "<svg viewBox=\"-64 -8 {} {}\" role=\"img\" aria-label=\"latency over time\">",
        width + 80.0,
        height + 32.0
    );
    for power in -1..=(highest as i32) {
        let (ms, at) = (10_f64.powi(power), y(10_f64.powi(power)));
        let _ = write!(
            out,
            "<line x1=\"0\" x2=\"{width}\" y1=\"{at:.1}\" y2=\"{at:.1}\" stroke=\"#8884\"/>\
             <text x=\"-6\" y=\"{:.1}\" font-size=\"11\" text-anchor=\"end\" fill=\"currentColor\">{ms} ms</text>",
            at + 4.0
        );
    }
    let _ = write!(
        out,
        "<text x=\"{width}\" y=\"{:.1}\" font-size=\"11\" text-anchor=\"end\" fill=\"currentColor\">{seconds} s</text>",
        height + 18.0
    );
    let lines = [
        ("#8b949e", column(windows, |row| row.max_ms)),
        ("#d4741c", column(windows, |row| row.p95_ms)),
        ("#2f81f7", column(windows, |row| row.p50_ms)),
    ];
    let step = width / (windows.len().max(2) - 1) as f64;
    for (colour, values) in lines {
        let points: Vec<String> =
            values.into_iter().map(|(at, ms)| format!("{:.1},{:.1}", at as f64 * step, y(ms))).collect();
        let _ = write!(
            out,
            "<polyline points=\"{}\" fill=\"none\" stroke=\"{colour}\" stroke-width=\"1.5\"/>",
            points.join(" ")
        );
    }
    out.push_str("</svg>");
}

/// A value of each window in which anything was asked, with the window's index.
fn column(windows: &[Row], of: impl Fn(&Row) -> f64) -> Vec<(usize, f64)> {
    let asked = windows.iter().enumerate().filter(|(_, row)| row.requests > 0);
    asked.map(|(at, row)| (at, of(row))).collect()
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}
