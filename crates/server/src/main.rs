//! The `hearth` binary.

use std::process::ExitCode;

use clap::Parser;
use server::commands::{Cli, run};

fn main() -> ExitCode {
    // Two providers of cryptography are linked in; rustls panics when it has to guess.
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    let cli = Cli::parse_from(arguments());
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            eprintln!("hearth: cannot start: {error}");
            return ExitCode::FAILURE;
        }
    };
    let code = runtime.block_on(run(cli));
    // A task that computes must not hold the exit; everything that was acknowledged is durable.
    runtime.shutdown_background();
    code
}

/// Started under the older name `server`, the binary is `hearth serve`.
fn arguments() -> Vec<std::ffi::OsString> {
    let mut arguments: Vec<_> = std::env::args_os().collect();
    let name =
        arguments.first().and_then(|path| std::path::Path::new(path).file_stem().map(ToOwned::to_owned));
    if name.is_some_and(|name| name == "server") && arguments.get(1).is_none_or(|word| word != "serve") {
        arguments.insert(1, "serve".into());
    }
    arguments
}
