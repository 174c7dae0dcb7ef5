//! An example of `/etc/hearth/hearth.env`, made from the table of settings.

use std::fmt::Write as _;

use super::reference::allowed;
use super::table::SETTINGS;

/// Variables that only files of `deploy/compose` read. None begins with `HEARTH_`: the server refuses those it does not know.
const COMPOSE: &[(&str, &str, &str)] = &[
    ("IMAGE", "hearth:local", "The image to run."),
    ("PUBLISH", "127.0.0.1:8080", "Address and port of this machine that simple.yaml answers on."),
    ("DB_USER", "hearth", "The database's user and database; secrets.sh makes its password."),
];

/// The text of the example: each setting with its meaning, its default behind the comment sign.
pub fn example() -> String {
    let mut text = String::from(
        "# Settings of Hearth, each at its default. Copy this file to /etc/hearth/hearth.env (mode 600) and take away the `#`\n\
         # before what you change. Made by `cargo xtask gen` from the table of settings; do not edit.\n\
         # `hearth config check` tries a configuration without starting. An empty variable counts as unset.\n\
         # A secret (marked so) is better kept in a file: <NAME>_FILE names it.\n",
    );
    for setting in SETTINGS {
        let secret = if setting.is_secret { " Secret." } else { "" };
        let _ = write!(
            text,
            "\n# {}{secret} ({})\n#{}={}\n",
            setting.meaning,
            allowed(setting),
            setting.name,
            quoted(setting.default)
        );
    }
    text.push_str("\n# Only for deploy/compose, beside the settings above:\n");
    for (name, default, meaning) in COMPOSE {
        let _ = write!(text, "\n# {meaning}\n#{name}={default}\n");
    }
    text
}

/// Quotes a text with blanks, so that shells and systemd read it alike.
fn quoted(text: &str) -> String {
    if text.contains(' ') { format!("\"{text}\"") } else { text.to_owned() }
}
