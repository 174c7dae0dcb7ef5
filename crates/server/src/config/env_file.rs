//! Variables from the machine's env files, beside those of the process.

use std::collections::BTreeMap;
use std::io::ErrorKind;
use std::path::Path;

use super::checks::Finding;

/// Read unless `--config` names another configuration, the strongest first. systemd hands the same file to the
/// server; reading it here too gives the commands beside the server the same settings.
pub(super) const ENV_FILES: &[&str] = &["/etc/hearth/hearth.env", "/etc/ai-endpoint-platform/server.env"];

/// A variable and the file that it came from, if it did.
#[derive(Clone, Debug)]
pub(super) struct Variable {
    /// Its text; never empty.
    pub(super) text: String,
    /// The env file.
    pub(super) file: Option<String>,
}

/// Variables by name.
pub(super) type Variables = BTreeMap<String, Variable>;

/// The process's variables over those of the files. A file that is not there, or not ours to read, says nothing.
pub(super) fn gather<P: AsRef<Path>>(
    process: &BTreeMap<String, String>,
    files: &[P],
    findings: &mut Vec<Finding>,
) -> Variables {
    let mut all = Variables::new();
    let own = process.iter().filter(|(_, text)| !text.is_empty());
    all.extend(own.map(|(name, text)| (name.clone(), Variable { text: text.clone(), file: None })));
    for path in files.iter().map(AsRef::as_ref) {
        let shown = path.display().to_string();
        match std::fs::read_to_string(path) {
            Ok(text) => read(&text, &shown, &mut all, findings),
            Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::PermissionDenied) => {}
            Err(error) => {
                let what = format!("cannot be read: {error}; mend or remove it");
                findings.push(Finding::refusal(&shown, what));
            }
        }
    }
    all
}

/// Reads lines as systemd does: `NAME=value`, quotes around a value, `#` and `;` before a remark. Nothing is expanded.
fn read(text: &str, shown: &str, all: &mut Variables, findings: &mut Vec<Finding>) {
    for (line, number) in text.lines().map(str::trim).zip(1..) {
        if line.is_empty() || line.starts_with(['#', ';']) {
            continue;
        }
        let line = line.strip_prefix("export ").unwrap_or(line);
        let is_name =
            |name: &str| !name.is_empty() && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_');
        let Some((name, value)) = line.split_once('=').filter(|(name, _)| is_name(name)) else {
            let what = format!("line {number} is no NAME=value; mend or remove it");
            findings.push(Finding::refusal(shown, what));
            continue;
        };
        let text = unquoted(value.trim()).to_owned();
        if !text.is_empty() {
            all.entry(name.to_owned()).or_insert(Variable { text, file: Some(shown.to_owned()) });
        }
    }
}

fn unquoted(value: &str) -> &str {
    let within = |quote: char| value.strip_prefix(quote)?.strip_suffix(quote);
    within('"').or_else(|| within('\'')).unwrap_or(value)
}
