//! `hearth config check|show|schema|reference|example`.

use clap::Subcommand;
use serde_json::json;

use super::{Failure, pretty, say, usable};
use crate::config::{Flags, example, load, process_environment, reference, schema, show, shown};

#[derive(Debug, Subcommand)]
pub(super) enum Configure {
    /// Check everything without starting; exits 2 with every problem
    Check {
        /// Print the findings as JSON on stdout
        #[arg(long)]
        json: bool,
    },
    /// Print each setting with its value and source; secrets only as their length
    Show {
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// Print the JSON Schema of the configuration file
    Schema,
    /// Print the reference page in Markdown
    Reference,
    /// Print an example of the file of variables, every setting commented out
    Example,
}

pub(super) fn run(flags: &Flags, command: &Configure) -> Result<(), Failure> {
    let loaded = || load(flags, &process_environment());
    match command {
        Configure::Check { json } => {
            let loaded = loaded().with_place();
            if *json {
                let findings = &loaded.findings;
                say(&pretty(&json!({"usable": loaded.config.is_some(), "findings": findings})))?;
                let text = "hearth: it would not start".to_owned();
                return loaded.config.map(|_| ()).ok_or(Failure { code: 2, text });
            }
            usable(loaded, true)?;
            say("the configuration can be used")
        }
        Configure::Show { json: true } => say(&pretty(&shown(&loaded().values))),
        Configure::Show { json: false } => say(show(&loaded().values).trim_end()),
        Configure::Schema => say(&pretty(&schema())),
        Configure::Reference => say(reference().trim_end()),
        Configure::Example => say(example().trim_end()),
    }
}
