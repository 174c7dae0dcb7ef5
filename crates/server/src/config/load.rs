//! Reading the layers, weakest first: built in, file, `<NAME>_FILE`, environment, flags.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use kernel::Clock;

use super::checks::{self, Finding, Severity};
use super::env_file::{ENV_FILES, Variable, Variables, gather};
use super::place;
use super::setting::Setting;
use super::table::SETTINGS;
use super::tls;
use super::typed::Config;
use super::values::{Source, Values, canonical_text, check_kind, same_meaning};

/// The file that is read when it exists and none is named.
const SYSTEM_FILE: &str = "/etc/hearth/hearth.toml";

/// Settings that commands take as flags, the strongest layer.
#[derive(Clone, Debug, Default, clap::Args)]
pub struct Flags {
    /// Configuration file (TOML); /etc/hearth/hearth.toml when it exists
    #[arg(long, global = true, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// Directory of the embedded database, objects, models and made secrets
    #[arg(long, global = true, value_name = "DIR")]
    pub data_dir: Option<String>,
    /// Address to listen on
    #[arg(long, global = true)]
    pub host: Option<String>,
    /// Port to listen on
    #[arg(long, global = true)]
    pub port: Option<String>,
}

/// What was read: the typed settings if they can be used, and everything that is wrong or doubtful.
pub struct Loaded {
    /// The typed settings; absent when something was refused.
    pub config: Option<Config>,
    /// Texts and their sources, for `config show`.
    pub values: Values,
    /// Refusals and warnings, in the order of the checks.
    pub findings: Vec<Finding>,
}

impl Loaded {
    /// Adds what the files and disks say of a server that would start here.
    #[must_use]
    pub fn with_place(mut self) -> Self {
        self.findings.extend(place::check_place(&self.values));
        if let Some(config) = &self.config {
            self.findings.extend(tls::check_tls(config, Clock::system().now()));
        }
        self.settle();
        self
    }

    /// Nothing can be used when anything was refused; what was only doubtful stays with the settings.
    fn settle(&mut self) {
        let refused = self.findings.iter().any(|finding| finding.severity == Severity::Refuse);
        self.config = self.config.take().filter(|_| !refused);
        if let Some(config) = &mut self.config {
            config.warnings.clone_from(&self.findings);
        }
    }
}

/// Reads all layers and checks the result. `environment` is the process's variables; the machine's env files are read
/// too, unless a configuration is named.
pub fn load(flags: &Flags, environment: &BTreeMap<String, String>) -> Loaded {
    load_beside(flags, environment, if flags.config.is_none() { ENV_FILES } else { &[] })
}

/// As [`load`], with these env files, the strongest first.
pub fn load_beside<P: AsRef<Path>>(
    flags: &Flags,
    environment: &BTreeMap<String, String>,
    env_files: &[P],
) -> Loaded {
    let (mut values, mut findings) = (Values::default(), Vec::new());
    let environment = &gather(environment, env_files, &mut findings);
    read_file(flags, &mut values, &mut findings);
    for setting in SETTINGS {
        read_setting(setting, environment, &mut values, &mut findings);
    }
    read_pg_parts(environment, &mut values, &mut findings);
    check_unknown(environment, &mut findings);
    for (name, value) in [("DATA_DIR", &flags.data_dir), ("HOST", &flags.host), ("PORT", &flags.port)] {
        if let Some(text) = value {
            values.set(name, text.clone(), Source::Flag);
        }
    }
    for setting in SETTINGS.iter().filter(|setting| values.is_set(setting.name)) {
        let text = values.text(setting.name).unwrap_or_default();
        findings.extend(check_kind(setting, &values.used_name(setting.name), text));
    }
    checks::check_values(&values, &mut findings);
    place::check_files(&values, &mut findings);
    // Built also when something was refused: an operator sees every problem at once.
    let config = Config::build(&values, &mut findings);
    let mut loaded = Loaded { config, values, findings };
    loaded.settle();
    loaded
}

fn read_file(flags: &Flags, values: &mut Values, findings: &mut Vec<Finding>) {
    let path = flags.config.clone().unwrap_or_else(|| SYSTEM_FILE.into());
    if flags.config.is_none() && !path.exists() {
        return;
    }
    let shown = path.display().to_string();
    let parsed = std::fs::read_to_string(&path)
        .map_err(|error| error.to_string())
        .and_then(|text| text.parse::<toml::Table>().map_err(|error| error.message().to_owned()));
    let table = match parsed {
        Ok(table) => table,
        Err(why) => {
            findings.push(Finding::refusal(
                "--config",
                format!("cannot use {shown}: {why}; mend the file or name another"),
            ));
            return;
        }
    };
    for (key, value) in table {
        let Some(setting) = SETTINGS.iter().find(|setting| setting.name.eq_ignore_ascii_case(&key)) else {
            let known = nearest(&key.to_ascii_uppercase()).to_ascii_lowercase();
            findings
                .push(Finding::refusal(&key, format!("is no setting (in {shown}); did you mean {known}?")));
            continue;
        };
        let text = match value {
            toml::Value::Array(items) => items.iter().map(plain).collect::<Vec<_>>().join(","),
            other => plain(&other),
        };
        values.set(setting.name, text, Source::File(shown.clone()));
    }
}

fn plain(value: &toml::Value) -> String {
    match value {
        toml::Value::String(text) => text.clone(),
        toml::Value::Integer(number) => number.to_string(),
        toml::Value::Float(number) => number.to_string(),
        toml::Value::Boolean(flag) => flag.to_string(),
        _ => String::new(),
    }
}

/// Reads one setting from the environment under all of its names; names that disagree are refused.
fn read_setting(
    setting: &'static Setting,
    environment: &Variables,
    values: &mut Values,
    findings: &mut Vec<Finding>,
) {
    let mut found: Vec<(String, String, Source)> = Vec::new();
    let names = [setting.name.to_owned(), format!("HEARTH_{}", setting.name)];
    for name in names {
        if let Some(variable) = environment.get(&name) {
            found.push((name.clone(), variable.text.clone(), source(&name, variable)));
        }
    }
    for alias in setting.aliases {
        if let Some(variable) = environment.get(alias.name) {
            let text = canonical_text(alias, &variable.text);
            found.push((alias.name.to_owned(), text, source(alias.name, variable)));
        }
    }
    if found.is_empty() && setting.is_secret {
        // The environment is the first row of the table, so it is known by now.
        let production = checks::is_production(values);
        found.extend(read_secret_file(setting, environment, production, findings));
    }
    let mut found = found.into_iter();
    let Some((first, text, source)) = found.next() else {
        return;
    };
    for (other, other_text, _) in found {
        if !same_meaning(setting, &text, &other_text) {
            let what = format!("and {other} are both set and differ; remove one of them");
            findings.push(Finding::refusal(&first, what));
        }
    }
    values.set(setting.name, text, source);
}

fn read_secret_file(
    setting: &Setting,
    environment: &Variables,
    production: bool,
    findings: &mut Vec<Finding>,
) -> Option<(String, String, Source)> {
    let aliases = setting.aliases.iter().map(|alias| alias.name.to_owned());
    let names = [setting.name.to_owned(), format!("HEARTH_{}", setting.name)].into_iter().chain(aliases);
    for name in names.map(|name| format!("{name}_FILE")) {
        let Some(path) = environment.get(&name).map(|variable| variable.text.clone()) else {
            continue;
        };
        match std::fs::read_to_string(&path) {
            Ok(text) => {
                findings.extend(place::loose_file(&name, Path::new(&path), production));
                return Some((
                    name,
                    text.trim_end_matches(['\n', '\r']).to_owned(),
                    Source::SecretFile(path),
                ));
            }
            Err(error) => {
                findings.push(Finding::refusal(
                    &name,
                    format!("cannot read {path}: {error}; name a readable file"),
                ));
            }
        }
    }
    None
}

/// Puts `DATABASE_URL` and the pool size together from the variables of older deployments.
fn read_pg_parts(environment: &Variables, values: &mut Values, findings: &mut Vec<Finding>) {
    let get = |name: &str| environment.get(name).map(|variable| variable.text.clone());
    if let (Some(host), false) = (get("PGHOST"), values.is_set("DATABASE_URL")) {
        let encode = |text: &str| -> String {
            let plain = |b: u8| b.is_ascii_alphanumeric() || b"-_.".contains(&b);
            text.bytes()
                .map(|b| if plain(b) { char::from(b).to_string() } else { format!("%{b:02X}") })
                .collect()
        };
        let user = get("PGUSER").unwrap_or_else(|| "postgres".to_owned());
        let password =
            get("POSTGRES_PASSWORD").or_else(|| get("PGPASSWORD")).map(|p| format!(":{}", encode(&p)));
        let url = format!(
            "postgres://{}{}@{host}:{}/{}",
            encode(&user),
            password.unwrap_or_default(),
            get("PGPORT").unwrap_or_else(|| "5432".to_owned()),
            encode(&get("PGDATABASE").unwrap_or(user.clone())),
        );
        let mode = get("PGSSLMODE").map(|mode| format!("?sslmode={}", encode(&mode))).unwrap_or_default();
        values.set("DATABASE_URL", url + &mode, source("PGHOST", &environment["PGHOST"]));
    }
    let Some(size) = get("POSTGRES_POOL_SIZE") else {
        return;
    };
    let number = |text: &str| text.parse::<i64>().ok();
    let overflow = get("POSTGRES_MAX_OVERFLOW").unwrap_or_else(|| "0".to_owned());
    let Some(sum) = number(&size).zip(number(&overflow)).map(|(a, b)| a + b) else {
        findings.push(Finding::refusal("POSTGRES_POOL_SIZE", "is not a whole number; use one".to_owned()));
        return;
    };
    if values.is_set("DATABASE_POOL_MAX") && values.number("DATABASE_POOL_MAX") != sum {
        let other = values.used_name("DATABASE_POOL_MAX");
        let what = format!("and {other} are both set and differ; remove one of them");
        findings.push(Finding::refusal("POSTGRES_POOL_SIZE", what));
    }
    let source = source("POSTGRES_POOL_SIZE", &environment["POSTGRES_POOL_SIZE"]);
    values.set("DATABASE_POOL_MAX", sum.to_string(), source);
}

/// A variable that begins with our prefix and is none of ours is a mistake in spelling.
fn check_unknown(environment: &Variables, findings: &mut Vec<Finding>) {
    // The tools around the server have variables of their own.
    const OTHERS: &[&str] =
        &["HEARTH_TEST_", "HEARTH_BIN", "HEARTH_URL", "HEARTH_SETUP_URL", "HEARTH_KILL_CYCLES"];
    for name in environment.keys() {
        let Some(bare) = name.strip_prefix("HEARTH_") else {
            continue;
        };
        let base = bare.strip_suffix("_FILE").unwrap_or(bare);
        let known = SETTINGS.iter().any(|s| s.name == bare || (s.is_secret && s.name == base));
        if !known && !OTHERS.iter().any(|other| name.starts_with(other)) {
            let what = format!("is no setting; did you mean HEARTH_{}?", nearest(bare));
            findings.push(Finding::refusal(name, what));
        }
    }
}

fn nearest(name: &str) -> &'static str {
    let names = SETTINGS.iter().map(|setting| setting.name);
    names.min_by_key(|known| distance(known, name)).expect("the table is not empty")
}

/// Levenshtein's distance, in bytes.
fn distance(a: &str, b: &str) -> usize {
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.bytes().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, y) in b.bytes().enumerate() {
            let cost = diagonal + usize::from(x != y);
            diagonal = row[j + 1];
            row[j + 1] = cost.min(row[j] + 1).min(diagonal + 1);
        }
    }
    row[b.len()]
}

fn source(name: &str, variable: &Variable) -> Source {
    match &variable.file {
        None => Source::Variable(name.to_owned()),
        Some(file) => Source::EnvFile(name.to_owned(), file.clone()),
    }
}
