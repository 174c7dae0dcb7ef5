//! `hearth loadtest`: loads a server, prints what it measured, and says by its exit code whether that is enough.

use std::io::IsTerminal;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::time::{Duration, Instant};

use ::loadtest::{Outcome, Progress, Report, Scenario, Target, Wishes};
use clap::{Args, ValueEnum};
use indicatif::{ProgressBar, ProgressStyle};

use super::{Failure, pretty, say};
use crate::config::process_environment;

/// Exit code of a run that missed a threshold.
const MISSED: u8 = 3;
/// Between two lines of progress where there is no terminal.
const LINE_EVERY: Duration = Duration::from_secs(10);

/// What to load, and how.
#[derive(Args, Debug)]
pub(super) struct Loadtest {
    /// The scenario
    #[arg(value_enum)]
    scenario: Word,
    /// Address of the server
    #[arg(long, default_value = "http://localhost:8080")]
    host: String,
    /// File with an API key of the scope admin that is bound to nobody; LOADTEST_API_KEY in the environment when absent
    #[arg(long, value_name = "FILE")]
    key_file: Option<PathBuf>,
    /// Seconds in all instead of the scenario's; stages shrink or grow alike
    #[arg(long, value_parser = positive)]
    duration: Option<f64>,
    /// Requests a second of each user; 1 when absent
    #[arg(long, value_parser = positive)]
    rate: Option<f64>,
    /// Users at the height of the load instead of the scenario's
    #[arg(long, value_parser = clap::value_parser!(u32).range(1..=10_000))]
    users: Option<u32>,
    /// Milliseconds that the 95th percentile of all requests must stay below, instead of the scenario's
    #[arg(long, value_parser = positive)]
    p95: Option<f64>,
    /// Percent that the share of failures must stay below, instead of the scenario's; 0 allows none
    #[arg(long, value_parser = percent)]
    failed: Option<f64>,
    /// Print the report as JSON
    #[arg(long)]
    json: bool,
    /// Write the report as JSON, too; replaced when it is there
    #[arg(long, value_name = "FILE")]
    output: Option<PathBuf>,
    /// Write the report as a page in one file; replaced when it is there
    #[arg(long, value_name = "FILE")]
    html: Option<PathBuf>,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Word {
    /// One user, 30 s: does everything work?
    Smoke,
    /// 5 to 10 users, 2 min
    Basic,
    /// 5, 10, then 20 agents, 4 min
    Concurrent,
    /// 50 users, 5 min
    Stress,
    /// 100 users, 10 min
    Steady,
    /// From 20 users to 200 within ten seconds, 5 min
    Spike,
    /// 50 users, an hour
    Endurance,
}

impl Word {
    fn scenario(self) -> Scenario {
        match self {
            Self::Smoke => Scenario::Smoke,
            Self::Basic => Scenario::Basic,
            Self::Concurrent => Scenario::Concurrent,
            Self::Stress => Scenario::Stress,
            Self::Steady => Scenario::Steady,
            Self::Spike => Scenario::Spike,
            Self::Endurance => Scenario::Endurance,
        }
    }
}

fn positive(text: &str) -> Result<f64, String> {
    let number = text.parse::<f64>().map_err(|error| error.to_string())?;
    if number > 0.0 && number <= 1e6 { Ok(number) } else { Err("is above 0 and at most 1000000".to_owned()) }
}

fn percent(text: &str) -> Result<f64, String> {
    let number = text.parse::<f64>().map_err(|error| error.to_string())?;
    if (0.0..=100.0).contains(&number) { Ok(number) } else { Err("is 0 to 100".to_owned()) }
}

/// Loads and judges: 0 every threshold kept, 3 one missed, 1 it could not run or says nothing, 130 stopped.
pub(super) async fn run(command: &Loadtest) -> Result<(), Failure> {
    let plan = command.scenario.scenario().plan(&Wishes {
        duration: command.duration.map(Duration::from_secs_f64),
        rate: command.rate,
        users: command.users,
        p95_ms: command.p95,
        failed_percent: command.failed,
    });
    let target = target(command)?;
    let shown = Shown::new();
    let stop = async {
        if tokio::signal::ctrl_c().await.is_err() {
            std::future::pending::<()>().await;
        }
    };
    let ran = ::loadtest::run(&target, &plan, |progress| shown.show(progress), stop).await;
    shown.bar.finish_and_clear();
    let report = ran.map_err(|error| Failure::work(format!("hearth: {error}")))?;
    if let Some(path) = &command.output {
        write(path, &pretty(&report))?;
    }
    if let Some(path) = &command.html {
        write(path, &report.page())?;
    }
    if command.json {
        say(&pretty(&report))?;
    } else {
        report.lines().iter().try_for_each(|line| say(line))?;
    }
    judged(&report)
}

fn judged(report: &Report) -> Result<(), Failure> {
    let (code, text) = match report.outcome {
        Outcome::Pass => return Ok(()),
        Outcome::Missed => (MISSED, "a threshold was missed".to_owned()),
        Outcome::Void => (1, format!("the run is void: {}", report.void.as_deref().unwrap_or_default())),
        Outcome::Stopped => (130, "stopped".to_owned()),
    };
    Err(Failure { code, text: format!("hearth: {text}") })
}

fn target(command: &Loadtest) -> Result<Target, Failure> {
    let variables = process_environment();
    let key = match &command.key_file {
        Some(path) => std::fs::read_to_string(path)
            .map_err(|error| Failure::work(format!("hearth: cannot read {}: {error}", path.display())))?,
        None => variables.get("LOADTEST_API_KEY").cloned().ok_or_else(|| {
            Failure::work(
                "hearth: no key to make users with; run `hearth admin create-key --tenant TENANT --scopes admin` \
                 and give it in LOADTEST_API_KEY or --key-file",
            )
        })?,
    };
    let token = ["METRICS_TOKEN", "HEARTH_METRICS_TOKEN"].iter().find_map(|name| variables.get(*name));
    Ok(Target {
        host: command.host.trim_end_matches('/').to_owned(),
        key: key.trim().to_owned(),
        metrics_token: token.cloned(),
    })
}

fn write(path: &Path, text: &str) -> Result<(), Failure> {
    std::fs::write(path, text)
        .map_err(|error| Failure::work(format!("hearth: cannot write {}: {error}", path.display())))
}

/// A bar on a terminal, now and then a line elsewhere.
struct Shown {
    bar: ProgressBar,
    said: Mutex<(&'static str, Instant)>,
}

impl Shown {
    fn new() -> Self {
        let bar = ProgressBar::new(0);
        if let Ok(style) = ProgressStyle::with_template("{bar:30} {pos}/{len} {msg} {eta} left") {
            bar.set_style(style);
        }
        Self { bar, said: Mutex::new(("", Instant::now())) }
    }

    fn show(&self, progress: &Progress) {
        let Progress { doing, done, total, failed, p95_ms } = progress;
        self.bar.set_length(*total);
        self.bar.set_position(*done);
        self.bar.set_message(format!("{doing}, {failed} failed, p95 {p95_ms:.0} ms"));
        let Ok(mut said) = self.said.lock() else { return };
        if !std::io::stderr().is_terminal() && (said.0 != *doing || said.1.elapsed() >= LINE_EVERY) {
            *said = (*doing, Instant::now());
            eprintln!("{doing}: {done} of {total}, {failed} failed, p95 {p95_ms:.0} ms");
        }
    }
}
