//! Bad settings: every one is named on stderr, with exit 2, no secret and no partial start.

use anyhow::{Result, ensure};
use e2e::{Ended, Engine, Hearth, run_to_end};

/// Sound secrets for the cases that are about something else.
const JWT: &str = "dGhlIG90dGVyIHN3aW1zIHVwc3RyZWFtIGF0IGRhd24";
const PEPPER: &str = "cGVwcGVyIGdyb3dzIHdoZXJlIHRoZSByaXZlciBiZW5k";
const SEAL: &str = "5b1f0c7e9a3d48f26e70b9c4d2a8135f";

/// Settings, and the variables that stderr must name.
type Case = (&'static [(&'static str, &'static str)], &'static [&'static str]);

const CASES: &[Case] = &[
    (&[("PORT", "99999")], &["PORT"]),
    (&[("PORT", "eighty")], &["PORT"]),
    (&[("JWT_ALGORITHM", "RS256")], &["JWT_ALGORITHM"]),
    (&[("JWT_SECRET", "changeme")], &["JWT_SECRET"]),
    (&[("JWT_SECRET", "<your-secret-of-at-least-32-characters>")], &["JWT_SECRET"]),
    (&[("JWT_SECRET", "${JWT_SECRET_FROM_THE_VAULT_OF_THE_TEAM}")], &["JWT_SECRET"]),
    (&[("SERVER_PORT", "4001"), ("API_PORT", "4002")], &["PORT"]),
    (&[("HEARTH_PROT", "8080")], &["HEARTH_PROT"]),
    (&[("REQUIRE_AUTHENTICATION", "false"), ("HOST", "0.0.0.0")], &["REQUIRE_AUTHENTICATION"]),
    (&[("RATE_LIMIT_MAX_REQUESTS", "-1")], &["RATE_LIMIT_MAX_REQUESTS"]),
    (&[("ENVIRONMENT", "production"), ("JWT_SECRET", "k3#Vb9!x")], &["JWT_SECRET"]),
    (
        &[("ENVIRONMENT", "production"), ("API_KEY_SECRET", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa")],
        &["API_KEY_SECRET"],
    ),
    (&[("ENVIRONMENT", "production"), ("JWT_SECRET", JWT), ("API_KEY_SECRET", JWT)], &["API_KEY_SECRET"]),
    (&[("ENVIRONMENT", "production"), ("CORS_ORIGINS", "*")], &["CORS_ORIGINS"]),
    (&[("ENVIRONMENT", "production"), ("TRUSTED_PROXIES", "0.0.0.0/0")], &["TRUSTED_PROXIES"]),
    (&[("ENVIRONMENT", "production"), ("ALLOW_X_USER_ID_AUTH", "true")], &["ALLOW_X_USER_ID_AUTH"]),
    (&[("ENVIRONMENT", "production"), ("REQUIRE_AUTHENTICATION", "false")], &["REQUIRE_AUTHENTICATION"]),
    // All problems at once, not the first alone.
    (&[("PORT", "99999"), ("JWT_ALGORITHM", "none")], &["PORT", "JWT_ALGORITHM"]),
];

#[test]
fn bad_settings_are_named_and_refused() -> Result<()> {
    let mut problems = Vec::new();
    for (settings, named) in CASES {
        let mut hearth = Hearth::new(Engine::Sqlite)?;
        for (name, value) in *settings {
            hearth = hearth.set(name, value);
        }
        let verdict = run_to_end(&mut hearth.command(&["serve"]))
            .and_then(|ended| judge(&hearth, &ended, settings, named));
        if let Err(problem) = verdict {
            problems.push(format!("{settings:?}: {problem:#}"));
        }
    }
    ensure!(problems.is_empty(), "{} of {} cases:\n{}", problems.len(), CASES.len(), problems.join("\n"));
    Ok(())
}

fn judge(hearth: &Hearth, ended: &Ended, settings: &[(&str, &str)], named: &[&str]) -> Result<()> {
    ensure!(ended.code == Some(2), "expected exit 2: {ended:?}");
    for variable in named {
        let start = format!("hearth: {variable}");
        ensure!(ended.stderr.lines().any(|line| line.starts_with(&start)), "no line `{start}…`: {ended:?}");
    }
    ensure!(!ended.stderr.contains("panicked"), "a stack trace: {ended:?}");
    for (name, value) in settings.iter().filter(|(name, _)| name.contains("SECRET")) {
        let is_shown = ended.stderr.contains(value) || ended.stdout.contains(value);
        ensure!(!is_shown, "the value of {name} was printed: {ended:?}");
    }
    ensure!(hearth.database().events().is_err(), "a database was made before the refusal");
    Ok(())
}

#[test]
fn production_on_postgres_wants_its_secrets_given() -> Result<()> {
    let bare = Hearth::new(Engine::Postgres)?.set("ENVIRONMENT", "production");
    let ended = run_to_end(&mut bare.command(&["serve"]))?;
    ensure!(ended.code == Some(2), "expected exit 2: {ended:?}");
    for variable in ["JWT_SECRET", "API_KEY_SECRET", "ENCRYPTION_KEY"] {
        let start = format!("hearth: {variable}:");
        ensure!(ended.stderr.lines().any(|line| line.starts_with(&start)), "no line `{start}`: {ended:?}");
    }
    Ok(())
}

#[test]
fn sound_production_settings_are_accepted() -> Result<()> {
    let hearth = Hearth::new(Engine::Postgres)?
        .set("ENVIRONMENT", "production")
        .set("HOST", "127.0.0.1")
        .set("JWT_SECRET", JWT)
        .set("API_KEY_SECRET", PEPPER)
        .set("ENCRYPTION_KEY", SEAL);
    let (status, _) = hearth.start()?.terminate()?;
    ensure!(status.success(), "ended with {status}");
    Ok(())
}
