//! Configurations: what is refused, what is warned of, and that no secret is ever said.

use std::collections::BTreeMap;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use server::config::{Environment, Finding, Flags, Loaded, Severity, load, show};

use crate::config_cases::{ALWAYS, BY_ENVIRONMENT, Case, JWT, PEPPER, SEAL, SOUND};

/// Reads settings as variables, with nothing of this machine beside them.
fn read(settings: &[(&str, &str)]) -> Loaded {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("hearth.toml");
    std::fs::write(&file, "").unwrap();
    read_with(&file, settings)
}

fn read_with(file: &Path, settings: &[(&str, &str)]) -> Loaded {
    let text = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
    let variables: BTreeMap<String, String> = settings.iter().map(text).collect();
    let flags = Flags { config: Some(file.to_owned()), ..Flags::default() };
    load(&flags, &variables)
}

/// Settings of a case over the sound ones of production.
pub(crate) fn in_production<'s>(settings: &[(&'s str, &'s str)]) -> Vec<(&'s str, &'s str)> {
    let sound = SOUND.iter().filter(|(name, _)| {
        !settings.iter().any(|(known, _)| {
            known.trim_start_matches("HEARTH_") == *name
                || (*name == "JWT_SECRET" && *known == "JWT_SECRET_KEY")
                || (*name == "ENVIRONMENT" && *known == "NODE_ENV")
                || format!("{name}_FILE") == *known
        })
    });
    sound.chain(settings).copied().collect()
}

fn of<'f>(loaded: &'f Loaded, variable: &str) -> Vec<&'f Finding> {
    loaded.findings.iter().filter(|finding| finding.variable == variable).collect()
}

/// Complaints about a case: not found, found at the wrong severity, without its cure, or with a secret.
fn complaints(case: &Case, settings: &[(&str, &str)], wanted: Severity) -> Vec<String> {
    let (_, variable, words) = case;
    let loaded = read(settings);
    let mut out = Vec::new();
    let found = of(&loaded, variable);
    let all: Vec<String> =
        loaded.findings.iter().map(|finding| format!("{finding} ({:?})", finding.severity)).collect();
    let fits = |finding: &&&Finding| {
        finding.severity == wanted && words.iter().all(|word| finding.to_string().contains(word))
    };
    if found.iter().find(fits).is_none() {
        out.push(format!("{settings:?}: no {wanted:?} of {variable} with {words:?} in {all:?}"));
    }
    if loaded.config.is_some() != (wanted == Severity::Warn) {
        out.push(format!("{settings:?}: usable is {}, {all:?}", loaded.config.is_some()));
    }
    for finding in &loaded.findings {
        let line = finding.to_string();
        if !line.starts_with(&format!("hearth: {}: ", finding.variable)) || line.contains('\n') {
            out.push(format!("{line:?} is not one line that names its variable"));
        }
        if finding.severity == Severity::Refuse && !finding.text.contains("; ") && !finding.text.contains('?')
        {
            out.push(format!("{line:?} tells no cure"));
        }
        for (name, value) in settings {
            let is_secret = ["SECRET", "TOKEN", "KEY", "URL"].iter().any(|part| name.contains(part))
                && !name.ends_with("_FILE");
            if is_secret && value.len() > 7 && line.contains(value) {
                out.push(format!("{line:?} says the value of {name}"));
            }
        }
    }
    out
}

#[test]
fn bad_configurations_are_refused_with_their_variable_and_cure() {
    let mut wrong = Vec::new();
    for case in ALWAYS {
        wrong.extend(complaints(case, case.0, Severity::Refuse));
        if !case.0.iter().any(|(name, _)| ["ENVIRONMENT", "NODE_ENV"].contains(name)) {
            wrong.extend(complaints(case, &in_production(case.0), Severity::Refuse));
        }
    }
    assert!(ALWAYS.len() + BY_ENVIRONMENT.len() >= 80, "{} cases", ALWAYS.len() + BY_ENVIRONMENT.len());
    assert!(wrong.is_empty(), "{} complaints:\n{}", wrong.len(), wrong.join("\n"));
}

/// The control of the two tests around it: without its rule, a case is complained of.
#[test]
fn a_case_that_nothing_refuses_is_complained_of() {
    let sound: Case = (SOUND, "PORT", &["0 to 65535"]);
    let found = complaints(&sound, SOUND, Severity::Refuse);
    assert!(found.iter().any(|line| line.contains("no Refuse of PORT")), "{found:?}");
    assert!(found.iter().any(|line| line.contains("usable is true")), "{found:?}");
}

#[test]
fn what_development_only_warns_of_production_and_staging_refuse() {
    let mut wrong = Vec::new();
    for case in BY_ENVIRONMENT {
        wrong.extend(complaints(case, case.0, Severity::Warn));
        let test: Vec<_> = case.0.iter().copied().chain([("ENVIRONMENT", "test")]).collect();
        wrong.extend(complaints(case, &test, Severity::Warn));
        wrong.extend(complaints(case, &in_production(case.0), Severity::Refuse));
        let mut staging = in_production(case.0);
        staging.retain(|(name, _)| *name != "ENVIRONMENT");
        staging.push(("NODE_ENV", "staging"));
        wrong.extend(complaints(case, &staging, Severity::Refuse));
    }
    assert!(wrong.is_empty(), "{} complaints:\n{}", wrong.len(), wrong.join("\n"));
}

#[test]
fn sound_settings_raise_no_finding() {
    for settings in [
        &[][..],
        SOUND,
        &[("CORS_ORIGINS", "https://app.example.com,https://b.example:8443")],
        &[("REQUIRE_AUTHENTICATION", "false"), ("HOST", "127.0.0.1")],
        &[("REQUIRE_AUTHENTICATION", "false"), ("HOST", "::1")],
        &[("REQUIRE_AUTHENTICATION", "false"), ("LISTEN", "[::1]:1,127.0.0.1:2")],
        &[("TRUSTED_PROXIES", "10.0.0.0/8,127.0.0.1,::1")],
        &[("LOG_LEVEL", "WARNING"), ("LOG_FORMAT", "JSON"), ("RUN_MODE", "Web")],
        &[("HEARTH_TEST_POSTGRES_URL", "x"), ("HEARTH_BIN", "y")],
    ] {
        let loaded = read(settings);
        assert!(loaded.findings.is_empty(), "{settings:?}: {:?}", loaded.findings);
        assert!(loaded.config.is_some(), "{settings:?}");
    }
    let far = in_production(&[(
        "DATABASE_URL",
        "postgres://hearth:Aq9-kfhsd82hLw_x@db.example.com/hearth?sslmode=verify-full",
    )]);
    let loaded = read(&far);
    assert!(loaded.findings.is_empty() && loaded.config.is_some(), "{:?}", loaded.findings);
    for near in ["localhost", "127.0.0.1:5432", "10.1.2.3", "192.168.7.7", "db", "[::1]:5432", "[fd00::1]"] {
        let url = format!("postgres://hearth@{near}/hearth");
        let loaded = read(&in_production(&[("DATABASE_URL", &url)]));
        assert!(loaded.findings.is_empty() && loaded.config.is_some(), "{near}: {:?}", loaded.findings);
    }
}

#[test]
fn servers_that_share_a_database_must_be_given_their_secrets() {
    let url = ("DATABASE_URL", "postgres://hearth@db/hearth");
    let missing = ["JWT_SECRET", "API_KEY_SECRET", "ENCRYPTION_KEY"];
    for (environment, wanted) in [("development", Severity::Warn), ("production", Severity::Refuse)] {
        let loaded = read(&[url, ("ENVIRONMENT", environment)]);
        for name in missing {
            let found = of(&loaded, name);
            assert_eq!(found.len(), 1, "{name}: {:?}", loaded.findings);
            assert_eq!(found[0].severity, wanted, "{name}");
            assert!(
                found[0].text.contains("servers that share a database must share it; generate one"),
                "{name}"
            );
        }
        assert_eq!(loaded.config.is_some(), wanted == Severity::Warn);
    }
    // The embedded database has one server, which makes its own.
    let loaded = read(&[("ENVIRONMENT", "production")]);
    assert!(loaded.findings.is_empty() && loaded.config.is_some(), "{:?}", loaded.findings);
}

#[test]
fn sign_in_is_never_off_in_production_and_a_header_is_never_proof_there() {
    for (name, value) in [("REQUIRE_AUTHENTICATION", "false"), ("ALLOW_X_USER_ID_AUTH", "true")] {
        for host in ["127.0.0.1", "0.0.0.0"] {
            let loaded = read(&in_production(&[(name, value), ("HOST", host)]));
            assert_eq!(
                of(&loaded, name).iter().map(|finding| finding.severity).collect::<Vec<_>>(),
                [Severity::Refuse]
            );
            assert!(loaded.config.is_none(), "{name} on {host}");
        }
        assert!(read(&[(name, value)]).config.is_some(), "{name} in development on loopback");
    }
}

#[test]
fn a_weak_database_password_is_a_warning_in_production_alone() {
    for password in ["short1A!", "alllowercaseletters", "ALLUPPERCASE12345"] {
        let url = format!("postgres://hearth:{password}@db/hearth");
        let loaded = read(&in_production(&[("DATABASE_URL", &url)]));
        let found = of(&loaded, "DATABASE_URL");
        assert_eq!(found.len(), 1, "{:?}", loaded.findings);
        assert_eq!(found[0].severity, Severity::Warn);
        assert!(found[0].text.contains("password of fewer than 16 characters"), "{}", found[0]);
        assert!(!found[0].to_string().contains(password));
        assert!(loaded.config.is_some());
        assert!(of(&read(&[("DATABASE_URL", &url)]), "DATABASE_URL").is_empty());
    }
}

#[test]
fn every_problem_is_reported_at_once() {
    let loaded = read(&[
        ("PORT", "99999"),
        ("LOG_LEVEL", "loud"),
        ("HEARTH_PROT", "1"),
        ("JWT_ALGORITHM", "none"),
        ("JWT_SECRET", "changeme"),
        ("CORS_ORIGINS", "*"),
        ("MIGRATIONS_RESET", "true"),
        ("METRICS_ALLOW", "everybody"),
        ("ENVIRONMENT", "production"),
    ]);
    for name in [
        "PORT",
        "LOG_LEVEL",
        "HEARTH_PROT",
        "JWT_ALGORITHM",
        "JWT_SECRET",
        "CORS_ORIGINS",
        "MIGRATIONS_RESET",
        "METRICS_ALLOW",
    ] {
        let refusals = of(&loaded, name).into_iter().filter(|finding| finding.severity == Severity::Refuse);
        assert_eq!(refusals.count(), 1, "{name} in {:?}", loaded.findings);
    }
    assert!(loaded.config.is_none());
}

#[test]
fn names_that_mean_the_same_agree() {
    for settings in [
        &[("JWT_EXPIRES_IN", "24h"), ("JWT_EXPIRATION_HOURS", "24")][..],
        &[("JWT_EXPIRES_IN", "1d"), ("HEARTH_JWT_EXPIRES_IN", "86400")],
        &[("PORT", "8080"), ("SERVER_PORT", "8080"), ("API_PORT", "8080"), ("HEARTH_PORT", "8080")],
        &[("ENVIRONMENT", "test"), ("NODE_ENV", "TEST")],
        &[("REQUIRE_AUTHENTICATION", "true"), ("HEARTH_REQUIRE_AUTHENTICATION", "yes")],
        &[("DATABASE_POOL_MAX", "8"), ("POSTGRES_POOL_SIZE", "5"), ("POSTGRES_MAX_OVERFLOW", "3")],
        &[("DATABASE_IDLE_TIMEOUT_MS", "30s"), ("PGIDLE_TIMEOUT", "30000")],
    ] {
        let loaded = read(settings);
        assert!(loaded.findings.is_empty() && loaded.config.is_some(), "{settings:?}: {:?}", loaded.findings);
    }
    let loaded = read(&[("JWT_EXPIRATION_HOURS", "2")]);
    assert_eq!(loaded.config.unwrap().access_ttl, 2 * 3_600 * 1_000_000);
    let loaded = read(&[("POSTGRES_POOL_SIZE", "5"), ("POSTGRES_MAX_OVERFLOW", "3")]);
    assert_eq!(loaded.config.unwrap().database.store.pool_max, 8);
}

#[test]
fn empty_counts_as_unset() {
    let loaded = read(&[
        ("PORT", ""),
        ("API_PORT", "4001"),
        ("JWT_SECRET", ""),
        ("JWT_SECRET_FILE", ""),
        ("LOG_LEVEL", ""),
        ("ENVIRONMENT", ""),
        ("CORS_ORIGINS", ""),
        ("DATABASE_URL", ""),
    ]);
    assert!(loaded.findings.is_empty(), "{:?}", loaded.findings);
    let config = loaded.config.unwrap();
    assert_eq!(config.listen[0].port(), 4001);
    assert!(config.jwt_secret.is_none() && config.database.is_embedded);
    assert_eq!(config.environment, Environment::Development);
}

#[test]
fn secrets_come_from_files_and_loose_files_are_noticed() {
    let dir = tempfile::tempdir().unwrap();
    let (toml, file) = (dir.path().join("hearth.toml"), dir.path().join("jwt"));
    std::fs::write(&toml, "").unwrap();
    std::fs::write(&file, format!("{JWT}\r\n")).unwrap();
    let mode = |mode: u32| std::fs::set_permissions(&file, std::fs::Permissions::from_mode(mode)).unwrap();
    let path = file.to_str().unwrap();
    mode(0o600);
    for name in ["JWT_SECRET_FILE", "HEARTH_JWT_SECRET_FILE", "JWT_SECRET_KEY_FILE"] {
        let loaded = read_with(&toml, &[(name, path)]);
        assert!(loaded.findings.is_empty(), "{name}: {:?}", loaded.findings);
        assert_eq!(
            loaded.config.unwrap().jwt_secret.unwrap().expose(),
            JWT,
            "the end of the line is no part of it"
        );
    }
    let both = read_with(&toml, &[("JWT_SECRET_FILE", path), ("JWT_SECRET", PEPPER)]);
    assert_eq!(
        both.config.unwrap().jwt_secret.unwrap().expose(),
        PEPPER,
        "a variable is stronger than a file"
    );
    mode(0o644);
    for (environment, wanted) in [("development", Severity::Warn), ("production", Severity::Refuse)] {
        let loaded = read_with(&toml, &[("JWT_SECRET_FILE", path), ("ENVIRONMENT", environment)]);
        let found = of(&loaded, "JWT_SECRET_FILE");
        assert_eq!(found.len(), 1, "{:?}", loaded.findings);
        assert_eq!((found[0].severity, found[0].text.contains("chmod 600")), (wanted, true), "{environment}");
        assert!(!found[0].to_string().contains(JWT));
        assert_eq!(loaded.config.is_some(), wanted == Severity::Warn, "{environment}");
    }
}

#[test]
fn the_file_is_weaker_than_variables_and_those_than_flags() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("hearth.toml");
    std::fs::write(
        &file,
        "port = 4001\nservice_name = \"from-file\"\ncors_origins = [\"https://a.example\"]\n",
    )
    .unwrap();
    let config = read_with(&file, &[]).config.unwrap();
    assert_eq!((config.listen[0].port(), config.service_name.as_str()), (4001, "from-file"));
    assert_eq!(config.cors_origins, ["https://a.example"]);
    let config = read_with(&file, &[("API_PORT", "4002")]).config.unwrap();
    assert_eq!(config.listen[0].port(), 4002);
    let flags = Flags { config: Some(file.clone()), port: Some("4003".to_owned()), ..Flags::default() };
    let variables = BTreeMap::from([("PORT".to_owned(), "4002".to_owned())]);
    assert_eq!(load(&flags, &variables).config.unwrap().listen[0].port(), 4003);
    for (text, variable, words) in [
        ("prot = 1", "prot", "did you mean port?"),
        ("port = \"eighty\"", "PORT", "whole number"),
        ("port = ", "--config", "mend the file"),
        ("[server]\nport = 1", "server", "is no setting"),
    ] {
        std::fs::write(&file, text).unwrap();
        let loaded = read_with(&file, &[]);
        assert!(loaded.config.is_none(), "{text}");
        assert!(
            of(&loaded, variable).iter().any(|finding| finding.text.contains(words)),
            "{text}: {:?}",
            loaded.findings
        );
    }
    let absent = read_with(&dir.path().join("absent.toml"), &[]);
    assert!(absent.config.is_none() && of(&absent, "--config").len() == 1, "a named file must be there");
}

#[test]
fn show_masks_secrets_and_passwords_and_names_each_source() {
    let password = "Aq9-kfhsd82hLw_x";
    let url = format!("postgres://hearth:{password}@db:5432/admin_db?application_name=x");
    let loaded = read(&[
        ("DATABASE_URL", &url),
        ("JWT_SECRET_KEY", JWT),
        ("API_KEY_SECRET", PEPPER),
        ("ENCRYPTION_KEY", SEAL),
        ("METRICS_TOKEN", "bWV0cmljcyBhcmUgcmVhZCBieSB0aGUgc2NyYXBlcg"),
        ("API_PORT", "4001"),
    ]);
    let shown = show(&loaded.values);
    let line = |name: &str| {
        shown.lines().find(|line| line.split_whitespace().next() == Some(name)).unwrap().to_owned()
    };
    for secret in [password, JWT, PEPPER, SEAL, "bWV0cmljcyBhcmUgcmVhZCBieSB0aGUgc2NyYXBlcg"] {
        assert!(!shown.contains(secret), "{shown}");
    }
    let said = format!("set ({} bytes)  (variable JWT_SECRET_KEY)", JWT.len());
    assert!(line("JWT_SECRET").ends_with(&said), "{}", line("JWT_SECRET"));
    assert!(line("DATABASE_URL").contains("postgres://hearth@db:5432/admin_db"), "{}", line("DATABASE_URL"));
    assert!(line("PORT").ends_with("4001  (variable API_PORT)"), "{}", line("PORT"));
    assert!(line("LOG_LEVEL").ends_with("info"), "a default has no source: {}", line("LOG_LEVEL"));
    assert_eq!(shown.lines().count(), server::config::SETTINGS.len());
    let parts =
        read(&[("PGHOST", "db"), ("PGUSER", "hearth"), ("PGPASSWORD", password), ("PGDATABASE", "admin_db")]);
    assert!(!show(&parts.values).contains(password), "{}", show(&parts.values));
    let debug = format!("{:?}", loaded.config.unwrap());
    for secret in [password, JWT, PEPPER, SEAL] {
        assert!(!debug.contains(secret), "Debug says a secret");
    }
}
