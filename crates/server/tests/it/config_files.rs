//! Files of settings: who may read them, which is stronger, and what the data directory must be.

use std::collections::BTreeMap;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use server::config::{Finding, Flags, Loaded, Severity, load_beside};
use tempfile::TempDir;

use crate::config_cases::{JWT, PEPPER, SEAL};

/// A machine's files of settings, and a data directory that is not there yet.
struct Machine {
    dir: TempDir,
}

impl Machine {
    fn new() -> Self {
        let machine = Self { dir: tempfile::tempdir().unwrap() };
        machine.write("hearth.toml", "", 0o600);
        machine
    }

    fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    fn write(&self, name: &str, text: &str, mode: u32) {
        std::fs::write(self.path(name), text).unwrap();
        restrict(&self.path(name), mode);
    }

    fn read(&self, settings: &[(&str, &str)]) -> Loaded {
        let data = self.path("data");
        let mut variables: BTreeMap<String, String> =
            BTreeMap::from([("DATA_DIR".to_owned(), data.display().to_string())]);
        variables.extend(settings.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())));
        let flags = Flags { config: Some(self.path("hearth.toml")), ..Flags::default() };
        load_beside(&flags, &variables, &[self.path("hearth.env"), self.path("older.env")])
    }
}

/// The findings of the files themselves: how full this machine's disk is does not matter here.
fn with_place(loaded: Loaded) -> Loaded {
    let mut loaded = loaded.with_place();
    loaded.findings.retain(|finding| !finding.text.contains("MB free on"));
    loaded
}

fn restrict(path: &Path, mode: u32) {
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).unwrap();
}

fn said(loaded: &Loaded) -> Vec<String> {
    loaded.findings.iter().map(ToString::to_string).collect()
}

/// The one finding: warned of in development and refused in production.
fn found(machine: &Machine, settings: &[(&str, &str)]) -> Finding {
    let mut findings = Vec::new();
    for (environment, severity) in [("development", Severity::Warn), ("production", Severity::Refuse)] {
        let settings: Vec<_> = settings.iter().copied().chain([("ENVIRONMENT", environment)]).collect();
        let loaded = with_place(machine.read(&settings));
        assert_eq!(loaded.findings.len(), 1, "{:?}", said(&loaded));
        assert_eq!(loaded.findings[0].severity, severity, "{environment}");
        assert_eq!(loaded.config.is_some(), severity == Severity::Warn, "{environment}");
        findings.extend(loaded.findings);
    }
    findings.remove(0)
}

#[test]
fn env_files_are_weaker_than_the_process_and_stronger_than_the_table() {
    let machine = Machine::new();
    machine.write("hearth.toml", "port = 4001\nservice_name = \"toml\"\nlog_level = \"error\"\n", 0o600);
    machine.write("older.env", "PORT=4003\nSERVICE_NAME=older\nJWT_ISSUER=older\n", 0o600);
    let lines = "# remark\n; remark\n\nexport PORT=4002\n SERVICE_NAME = no\nJWT_SECRET=\"x y\"\nLOG_FORMAT='json'\nHOST=\n";
    machine.write("hearth.env", &lines.replace(" SERVICE_NAME = no\n", "SERVICE_NAME=env\n"), 0o600);
    let loaded = machine.read(&[("SERVICE_NAME", "process")]);
    let config = loaded.config.as_ref().unwrap();
    assert_eq!((config.listen[0].port(), config.service_name.as_str()), (4002, "process"));
    assert_eq!((config.jwt_issuer.as_str(), config.log.level.as_str()), ("older", "error"));
    assert!(config.log.is_json && config.jwt_secret.as_ref().unwrap().expose() == "x y");
    let port = config.shown.iter().find(|setting| setting.name == "PORT").unwrap();
    assert_eq!(port.source, format!("variable PORT in {}", machine.path("hearth.env").display()));
    machine.write("hearth.env", lines, 0o600);
    let loaded = machine.read(&[]);
    assert!(loaded.config.is_none());
    let place = machine.path("hearth.env").display().to_string();
    assert_eq!(
        loaded.findings[0].to_string(),
        format!("hearth: {place}: line 5 is no NAME=value; mend or remove it")
    );
    machine.write("hearth.env", "HEARTH_PROT=1\n", 0o600);
    assert!(said(&machine.read(&[]))[0].contains("did you mean HEARTH_PORT?"));
}

#[test]
fn files_with_secrets_in_them_are_for_their_owner_and_group() {
    let machine = Machine::new();
    for (file, text) in
        [("hearth.toml", format!("jwt_secret = \"{JWT}\"\n")), ("hearth.env", format!("JWT_SECRET={JWT}\n"))]
    {
        machine.write(file, &text, 0o604);
        let finding = found(&machine, &[]);
        assert_eq!(finding.variable, "JWT_SECRET");
        let shown = machine.path(file).display().to_string();
        assert_eq!(finding.text, format!("stands in {shown}, which others may read; chmod 600 it"));
        for mode in [0o600, 0o640] {
            restrict(&machine.path(file), mode);
            assert!(machine.read(&[]).findings.is_empty(), "{mode:o}");
        }
        machine.write(file, "", 0o644);
        assert!(machine.read(&[]).findings.is_empty(), "nothing secret stands in it");
    }
}

#[test]
fn the_data_directory_and_its_secrets_are_their_owners_alone() {
    let machine = Machine::new();
    let (data, secrets) = (machine.path("data"), machine.path("data/secrets"));
    assert!(with_place(machine.read(&[])).findings.is_empty(), "it may be missing");
    assert!(!data.exists(), "checking makes nothing");
    std::fs::create_dir_all(&secrets).unwrap();
    restrict(&data, 0o755);
    assert!(found(&machine, &[]).text.contains("is open to others; chmod 700 it"));
    restrict(&data, 0o700);
    std::fs::write(secrets.join("jwt_secret"), JWT).unwrap();
    restrict(&secrets.join("jwt_secret"), 0o644);
    assert!(found(&machine, &[]).text.contains("jwt_secret, which others may read; chmod 600 it"));
    restrict(&secrets.join("jwt_secret"), 0o600);
    assert!(with_place(machine.read(&[])).findings.is_empty());
}

#[test]
fn what_is_no_directory_is_refused_everywhere_beside_every_other_problem() {
    let machine = Machine::new();
    machine.write("file", "", 0o600);
    let file = machine.path("file").display().to_string();
    let (below, sqlite) = (format!("{file}/data"), format!("sqlite:{file}/x.db"));
    let sound = [("JWT_SECRET", JWT), ("API_KEY_SECRET", PEPPER), ("ENCRYPTION_KEY", SEAL)];
    for (name, value) in [("DATA_DIR", &file), ("DATA_PATH", &below), ("DATABASE_URL", &sqlite)] {
        let mut settings = vec![(name, value.as_str()), ("PORT", "99999")];
        settings.extend(sound);
        if name == "DATA_PATH" {
            settings.push(("DATA_DIR", ""));
        }
        let loaded = with_place(machine.read(&settings));
        let lines = said(&loaded);
        assert!(loaded.config.is_none());
        assert!(lines.iter().any(|line| line.starts_with("hearth: PORT: ")), "{lines:?}");
        let wanted = format!("hearth: {name}: names {file}, which is no directory; name another");
        assert!(lines.contains(&wanted), "{lines:?}");
    }
}
