//! The built binary on bad configurations: every case of the table, as an operator would meet it.

use std::path::Path;
use std::process::{Command, Output, Stdio};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use crate::config::in_production;
use crate::config_cases::{ALWAYS, BY_ENVIRONMENT, SOUND};

/// Runs the binary in an empty directory of its own, with these variables alone.
pub(crate) fn hearth(arguments: &[&str], settings: &[(&str, &str)], home: &Path) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_hearth"));
    command.args(arguments).env_clear().env("DATA_DIR", home.join("data")).current_dir(home);
    // A case of the directory itself brings its own.
    if settings.iter().any(|(name, _)| *name == "DATA_PATH") {
        command.env_remove("DATA_DIR");
    }
    command.envs(settings.iter().copied()).stdin(Stdio::null()).output().unwrap()
}

/// What is wrong with the end of a server that must not start.
fn complaints(variable: &str, words: &[&str], settings: &[(&str, &str)]) -> Vec<String> {
    let home = tempfile::tempdir().unwrap();
    let ended = hearth(&["serve"], settings, home.path());
    let stderr = String::from_utf8_lossy(&ended.stderr);
    let mut wrong = Vec::new();
    if ended.status.code() != Some(2) {
        wrong.push(format!("ended with {:?}", ended.status));
    }
    let start = format!("hearth: {variable}: ");
    let names = |line: &str| line.starts_with(&start) && words.iter().all(|word| line.contains(word));
    if !stderr.lines().any(names) {
        wrong.push(format!("no line of {variable} with {words:?}"));
    }
    if stderr.lines().any(|line| !line.starts_with("hearth: ")) || !ended.stdout.is_empty() {
        wrong.push("says more than one line for each problem".to_owned());
    }
    for (name, value) in settings {
        let is_secret = ["SECRET", "TOKEN", "KEY", "URL", "PASSWORD"].iter().any(|part| name.contains(part));
        if is_secret && !name.ends_with("_FILE") && value.len() > 7 && stderr.contains(value) {
            wrong.push(format!("says the value of {name}"));
        }
    }
    let left: Vec<_> = std::fs::read_dir(home.path()).unwrap().flatten().map(|entry| entry.path()).collect();
    if !left.is_empty() {
        wrong.push(format!("leaves {left:?} behind"));
    }
    wrong.into_iter().map(|what| format!("{settings:?} {what}:\n{stderr}")).collect()
}

#[test]
fn every_bad_configuration_ends_the_binary_with_2_its_line_and_nothing_left_behind() {
    let always = ALWAYS.iter().map(|(settings, variable, words)| (settings.to_vec(), *variable, *words));
    let production =
        BY_ENVIRONMENT.iter().map(|(settings, variable, words)| (in_production(settings), *variable, *words));
    let cases: Vec<_> = always.chain(production).collect();
    let (next, wrong) = (AtomicUsize::new(0), Mutex::new(Vec::new()));
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                while let Some((settings, variable, words)) = cases.get(next.fetch_add(1, Ordering::Relaxed))
                {
                    wrong.lock().unwrap().extend(complaints(variable, words, settings));
                }
            });
        }
    });
    let wrong = wrong.into_inner().unwrap();
    assert!(wrong.is_empty(), "{} complaints of {} cases:\n{}", wrong.len(), cases.len(), wrong.join("\n"));
}

#[test]
fn check_and_show_say_the_same_in_json_and_never_a_secret() {
    let home = tempfile::tempdir().unwrap();
    let json = |output: &Output| -> serde_json::Value { serde_json::from_slice(&output.stdout).unwrap() };
    let good = hearth(&["config", "check", "--json"], &[], home.path());
    let found = json(&good);
    assert_eq!((good.status.code(), &found["usable"]), (Some(0), &true.into()));
    // How full this machine's disk is does not matter here.
    let is_room = |finding: &serde_json::Value| finding.to_string().contains("MB free on");
    assert!(found["findings"].as_array().unwrap().iter().all(is_room), "{found}");
    let bad = [("PORT", "99999"), ("TRUSTED_PROXIES", "0.0.0.0/0")];
    let bad = hearth(&["config", "check", "--json"], &bad, home.path());
    let said = json(&bad);
    assert_eq!((bad.status.code(), &said["usable"]), (Some(2), &false.into()));
    assert_eq!(said["findings"][0]["severity"], "refuse");
    assert_eq!(
        (&said["findings"][1]["variable"], &said["findings"][1]["severity"]),
        (&"TRUSTED_PROXIES".into(), &"warn".into())
    );
    let url = "postgres://hearth:Aq9-kfhsd82hLw_x@db/hearth?sslmode=require&sslpassword=hushhush";
    let settings: Vec<_> = SOUND.iter().copied().chain([("POSTGRES_URL", url)]).collect();
    let shown = hearth(&["config", "show", "--json"], &settings, home.path());
    let text = String::from_utf8_lossy(&shown.stdout).into_owned();
    for secret in SOUND.iter().skip(1).map(|(_, value)| *value).chain(["Aq9-kfhsd82hLw_x", "hushhush"]) {
        assert!(!text.contains(secret), "{text}");
    }
    let all = json(&shown);
    let of = |name: &str| all.as_array().unwrap().iter().find(|row| row["name"] == name).unwrap().clone();
    let database = of("DATABASE_URL");
    assert_eq!(database["value"], "postgres://hearth@db/hearth?sslmode=require");
    assert_eq!(
        (&database["source"], &database["is_secret"]),
        (&"variable POSTGRES_URL".into(), &true.into())
    );
    assert_eq!(of("JWT_SECRET")["value"], format!("set ({} bytes)", SOUND[1].1.len()));
    assert_eq!(
        (of("LOG_LEVEL")["source"].clone(), of("LOG_LEVEL")["default"].clone()),
        ("default".into(), "info".into())
    );
}
