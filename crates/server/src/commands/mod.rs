//! The commands of the `hearth` binary.

mod admin;
mod audit;
mod backup;
mod backup_keys;
mod configure;
mod doctor;
mod eval;
mod export;
mod health;
mod import;
mod jobs;
mod loadtest;
mod mcp;
mod migrate;
mod monitor;
mod retention;
mod rights;
mod secrets;
mod serve;
mod transfer;

use std::io::Write;
use std::process::ExitCode;

use clap::{Parser, Subcommand};
use store::StoreConfig;
use store::lock::{FileLock, LockError};

use crate::config::{Config, Flags, Loaded, Severity, load};

/// One self-hosted server for AI agents: what they remember.
#[derive(Debug, Parser)]
#[command(name = "hearth", version, about, max_term_width = 100)]
pub struct Cli {
    #[command(flatten)]
    flags: Flags,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Start the server
    Serve,
    /// Print a new one-time set-up link while no owner exists
    SetupLink,
    /// Change or show the database's schema
    #[command(subcommand)]
    Migrate(migrate::Migrate),
    /// Check, show or describe the configuration
    #[command(subcommand)]
    Config(configure::Configure),
    /// Examine the whole installation: each line ok, warn or fail with the cure; exits 3 when one failed
    Doctor {
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// Ask the server on this machine's own port whether it lives; for the health checks of containers
    Health {
        /// Ask whether it is ready to serve instead
        #[arg(long)]
        ready: bool,
    },
    /// Speak the Model Context Protocol over stdin and stdout, to a server or on the data of this machine
    Mcp(mcp::Mcp),
    /// Watch what a server and its machine use, on the screen and as CSV
    Monitor(monitor::Monitor),
    /// Load a server with users of the run's own and judge it; exits 3 when a threshold was missed
    Loadtest(loadtest::Loadtest),
    /// Make tenants, people and keys at the machine's own command line; works beside a running server
    #[command(subcommand)]
    Admin(admin::Admin),
    /// Check or print the record of who did what; works beside a running server
    #[command(subcommand)]
    Audit(audit::Audit),
    /// Count stored secrets by their key, or move them to the new one; works beside running servers
    #[command(subcommand)]
    Secrets(secrets::SecretsCommand),
    /// List, retry, cancel and pause background jobs; works beside a running server
    #[command(subcommand)]
    Jobs(jobs::Jobs),
    /// Remove what has had its time; works beside a running server
    #[command(subcommand)]
    Retention(retention::Retention),
    /// Erase people, and keep what a court wants kept; works beside a running server
    #[command(subcommand)]
    Rights(rights::Rights),
    /// Write out everything held about a person, or about everybody of a tenant, as lines of JSON
    Export(export::Exporting),
    /// Read an export, memories of mem0, or a file of the MCP memory server; works beside a running server
    Import(import::Importing),
    /// Check the certificate of an erasure; needs no server
    VerifyCertificate(rights::Verify),
    /// Look before upgrading
    #[command(subcommand)]
    Upgrade(migrate::Upgrade),
    /// Copy the database to another engine and compare both
    Transfer(transfer::Transfer),
    /// Back up, verify and restore everything
    #[command(subcommand)]
    Backup(backup::Backup),
    /// Measure recall on public data, through the same code that serves requests
    #[command(subcommand)]
    Eval(eval::Eval),
    /// Print the API's description (OpenAPI 3.1)
    Openapi,
}

/// Why a command ended without success.
#[derive(Debug)]
pub(crate) struct Failure {
    /// Exit code: 1 the work failed, 2 the command or the configuration is wrong.
    pub(crate) code: u8,
    /// A line for the operator.
    pub(crate) text: String,
}

impl Failure {
    /// The work failed.
    pub(crate) fn work(text: impl Into<String>) -> Self {
        Self { code: 1, text: text.into() }
    }

    /// The configuration is wrong: the line names the variable.
    pub(crate) fn setting(variable: &str, text: &str) -> Self {
        Self { code: 2, text: format!("hearth: {variable}: {text}") }
    }
}

impl From<kernel::Error> for Failure {
    fn from(error: kernel::Error) -> Self {
        let cause = error.source.as_ref().map(|cause| format!(" ({cause})")).unwrap_or_default();
        Self::work(format!("hearth: {}{cause}", error.public))
    }
}

impl From<crate::app::StartError> for Failure {
    fn from(error: crate::app::StartError) -> Self {
        Self::setting(&error.variable, &error.text)
    }
}

impl From<store::migrate::MigrateError> for Failure {
    fn from(error: store::migrate::MigrateError) -> Self {
        let cause = std::error::Error::source(&error).map(|cause| format!(": {cause}")).unwrap_or_default();
        Self::setting("DATABASE_URL", &format!("{error}{cause}"))
    }
}

impl From<store::Error> for Failure {
    fn from(error: store::Error) -> Self {
        Self::from(kernel::Error::from(error))
    }
}

/// Runs a command and turns its outcome into an exit code.
pub async fn run(cli: Cli) -> ExitCode {
    let flags = cli.flags;
    let outcome = match cli.command {
        Command::Serve => serve::serve(&flags).await,
        Command::SetupLink => serve::setup_link(&flags).await,
        Command::Migrate(command) => migrate::run(&flags, command).await,
        Command::Config(command) => configure::run(&flags, &command),
        Command::Doctor { json } => doctor::run(&flags, json).await,
        Command::Health { ready } => health::run(&flags, ready).await,
        Command::Mcp(command) => mcp::run(&flags, command).await,
        Command::Monitor(command) => monitor::run(&command).await,
        Command::Loadtest(command) => loadtest::run(&command).await,
        Command::Admin(command) => admin::run(&flags, command).await,
        Command::Audit(command) => audit::run(&flags, command).await,
        Command::Secrets(command) => secrets::run(&flags, command).await,
        Command::Jobs(command) => jobs::run(&flags, command).await,
        Command::Retention(command) => retention::run(&flags, command).await,
        Command::Rights(command) => rights::run(&flags, command).await,
        Command::Export(command) => export::run(&flags, command).await,
        Command::Import(command) => import::run(&flags, command).await,
        Command::VerifyCertificate(command) => rights::verify(&command),
        Command::Upgrade(command) => migrate::upgrade(&flags, command).await,
        Command::Transfer(command) => transfer::run(&flags, command).await,
        Command::Backup(command) => backup::run(&flags, command).await,
        Command::Eval(command) => eval::run(&flags, command).await,
        Command::Openapi => say(&pretty(&crate::api::description())),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(Failure { code, text }) => {
            eprintln!("{text}");
            ExitCode::from(code)
        }
    }
}

fn pretty<T: serde::Serialize>(value: &T) -> String {
    serde_json::to_string_pretty(value).unwrap_or_default()
}

/// Prints a line on stdout; a reader that left is no failure of ours.
pub(crate) fn say(text: &str) -> Result<(), Failure> {
    match writeln!(std::io::stdout(), "{text}") {
        Err(error) if error.kind() != std::io::ErrorKind::BrokenPipe => {
            Err(Failure::work(format!("hearth: cannot print: {error}")))
        }
        _ => Ok(()),
    }
}

/// Reads and checks the configuration; prints every finding. Warnings stay silent unless `verbose`.
///
/// # Errors
/// Exit code 2 when anything was refused.
pub(crate) fn configuration(flags: &Flags, verbose: bool) -> Result<Config, Failure> {
    usable(load(flags, &crate::config::process_environment()), verbose)
}

/// Takes the lock of an embedded database: one server, or one command that changes what a server stands on.
///
/// # Errors
/// Who holds it, and the cure.
pub(crate) fn take_lock(database: &StoreConfig) -> Result<Option<FileLock>, Failure> {
    let Some(path) = database.sqlite_path() else {
        return Ok(None);
    };
    let lock = store::lock::take(&path.with_extension("lock")).map_err(|error| match error {
        LockError::Held(pid) => {
            let who = pid.map_or_else(String::new, |pid| format!(" (pid {pid})"));
            let text =
                format!("another server{who} holds this embedded database; stop it or use another directory");
            Failure::setting("DATA_DIR", &text)
        }
        LockError::Io(why) => {
            Failure::setting("DATA_DIR", &format!("cannot lock it: {why}; mend its rights"))
        }
    });
    lock.map(Some)
}

/// Prints refusals, and warnings if wanted, on stderr; gives the settings when nothing was refused.
///
/// # Errors
/// Exit code 2 when anything was refused.
pub(crate) fn usable(loaded: Loaded, verbose: bool) -> Result<Config, Failure> {
    for finding in &loaded.findings {
        match finding.severity {
            Severity::Refuse => eprintln!("{finding}"),
            Severity::Warn if verbose => eprintln!("{finding} (warning)"),
            Severity::Warn => {}
        }
    }
    loaded.config.ok_or(Failure { code: 2, text: "hearth: not started; mend the lines above".to_owned() })
}
