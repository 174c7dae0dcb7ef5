//! Files made from the built server: API description, configuration reference, example of settings, the page's types.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};

use crate::tree::root;

/// What the server prints for these arguments belongs into these files.
const OUTPUTS: &[(&[&str], &[&str])] = &[
    (&["openapi"], &["docs/reference/openapi.json", "ui/openapi.json"]),
    (&["config", "schema"], &["docs/reference/configuration.schema.json"]),
    (&["config", "reference"], &["docs/reference/configuration.md"]),
    (&["config", "example"], &[".env.example"]),
];

/// Written by the page's own generator from `ui/openapi.json`.
const TYPES: &str = "ui/src/api/schema.d.ts";

/// Writes all files.
///
/// # Errors
/// When the server cannot be built or a generator fails.
pub(crate) fn write() -> Result<()> {
    let server = build_server()?;
    for (arguments, paths) in OUTPUTS {
        let text = printed(&server, arguments)?;
        for path in *paths {
            put(&root().join(path), &text)?;
        }
    }
    generate_types()
}

/// Names each file that differs from what [`write()`] would make, and changes none.
///
/// # Errors
/// When the server cannot be built or a generator fails.
pub(crate) fn check() -> Result<Vec<String>> {
    let server = build_server()?;
    let mut problems = Vec::new();
    for (arguments, paths) in OUTPUTS {
        let text = printed(&server, arguments)?;
        problems.extend(paths.iter().filter_map(|path| drift(path, &read(path), &text)));
    }
    let types = read(TYPES);
    generate_types()?;
    let fresh = read(TYPES);
    if let Some(problem) = drift(TYPES, &types, &fresh) {
        put(&root().join(TYPES), &types)?;
        problems.push(problem);
    }
    Ok(problems)
}

/// Says what differs first, or nothing when the texts are equal.
fn drift(path: &str, present: &str, wanted: &str) -> Option<String> {
    if present == wanted {
        return None;
    }
    let mut pairs = present.lines().zip(wanted.lines()).zip(1..);
    let at = pairs.find(|((left, right), _)| left != right).map_or_else(
        || "one ends before the other".to_owned(),
        |((left, right), number)| format!("line {number}: `{}` should be `{}`", left.trim(), right.trim()),
    );
    Some(format!("{path}: out of date ({at}); run `cargo xtask gen`"))
}

fn read(path: &str) -> String {
    fs::read_to_string(root().join(path)).unwrap_or_default()
}

fn put(path: &Path, text: &str) -> Result<()> {
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder).with_context(|| format!("making {}", folder.display()))?;
    }
    fs::write(path, text).with_context(|| format!("writing {}", path.display()))
}

/// The server named by `HEARTH_BIN`, or a debug build made now.
fn build_server() -> Result<PathBuf> {
    if let Some(path) = std::env::var_os("HEARTH_BIN") {
        return Ok(root().join(path));
    }
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut command = Command::new(cargo);
    command.args(["build", "--quiet", "--package", "server", "--bin", "hearth"]);
    run(command.current_dir(root()))?;
    let target = std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| PathBuf::from("target"), PathBuf::from);
    Ok(root().join(target).join("debug/hearth"))
}

/// What the server prints, run without any of our settings.
fn printed(server: &Path, arguments: &[&str]) -> Result<String> {
    let output = Command::new(server).args(arguments).env_clear().output();
    let output = output.with_context(|| format!("starting {}", server.display()))?;
    if !output.status.success() {
        bail!("hearth {} failed: {}", arguments.join(" "), String::from_utf8_lossy(&output.stderr).trim());
    }
    let text = String::from_utf8(output.stdout).context("reading the server's answer")?;
    Ok(format!("{}\n", text.trim_end()))
}

fn generate_types() -> Result<()> {
    run(Command::new("npm").args(["--prefix", "ui", "run", "--silent", "gen"]).current_dir(root()))
}

fn run(command: &mut Command) -> Result<()> {
    let output = command.output().with_context(|| format!("starting {command:?}"))?;
    if !output.status.success() {
        bail!("{command:?} failed: {}", String::from_utf8_lossy(&output.stderr).trim());
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn drift_names_the_first_line_that_differs() {
        assert_eq!(drift("a", "x\ny\n", "x\ny\n"), None);
        let problem = drift("a.md", "x\ny\n", "x\nz\n").expect("they differ");
        assert_eq!(problem, "a.md: out of date (line 2: `y` should be `z`); run `cargo xtask gen`");
        assert!(drift("a.md", "x\n", "x\ny\n").is_some_and(|text| text.contains("ends before")));
    }
}
