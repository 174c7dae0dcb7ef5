//! `hearth config check|show|schema|reference`.

use clap::Subcommand;

use super::{Failure, configuration, pretty, report, say};
use crate::config::{
    Environment, Flags, Severity, check_place, load, process_environment, reference, schema, show,
};

#[derive(Debug, Subcommand)]
pub(super) enum Configure {
    /// Check everything without starting; exits 2 with every problem
    Check,
    /// Print each setting with its value and source; secrets only as their length
    Show,
    /// Print the JSON Schema of the configuration file
    Schema,
    /// Print the reference page in Markdown
    Reference,
}

pub(super) fn run(flags: &Flags, command: &Configure) -> Result<(), Failure> {
    match command {
        Configure::Check => {
            let config = configuration(flags, true)?;
            if config.data_dir.exists() {
                let production = config.environment == Environment::Production;
                let findings = check_place(&config.data_dir, config.database.is_embedded, production);
                report(&findings, true);
                if findings.iter().any(|finding| finding.severity == Severity::Refuse) {
                    return Err(Failure { code: 2, text: "hearth: it would not start".to_owned() });
                }
            }
            say("the configuration can be used")
        }
        Configure::Show => say(show(&load(flags, &process_environment()).values).trim_end()),
        Configure::Schema => say(&pretty(&schema())),
        Configure::Reference => say(reference().trim_end()),
    }
}
