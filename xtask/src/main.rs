//! Chores of the repository: `cargo xtask tidy` and `cargo xtask gen [--check]`.

#![allow(clippy::print_stdout, reason = "a command-line program answers on stdout")]

mod r#gen;
mod tidy;
mod tree;

use std::process::ExitCode;

const USAGE: &str = "usage: cargo xtask <command>

  tidy           check imports, words, migrations, file sizes, texts and links against the rules of the house
  gen            write the API description, configuration reference, .env.example and the page's types
  gen --check    fail when what `gen` would write differs from what is there
";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let problems = match words.as_slice() {
        ["tidy"] => tree::Tree::of_checkout().map(|tree| tidy::problems(&tree)),
        ["gen"] => r#gen::write().map(|()| Vec::new()),
        ["gen", "--check"] => r#gen::check(),
        _ => {
            print!("{USAGE}");
            return ExitCode::from(2);
        }
    };
    report(&problems.unwrap_or_else(|error| vec![format!("{error:#}")]))
}

/// Prints each problem on its own line; none is success.
fn report(problems: &[String]) -> ExitCode {
    for problem in problems {
        println!("{problem}");
    }
    if problems.is_empty() {
        return ExitCode::SUCCESS;
    }
    println!("\n{} problem(s)", problems.len());
    ExitCode::FAILURE
}
