//! What a setting is: name, older names, kind, default and meaning.

/// What a setting's text must be.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Kind {
    /// Any text.
    Text,
    /// One of these words.
    Choice(&'static [&'static str]),
    /// `true` or `false` (also `1`, `0`, `yes`, `no`, `on`, `off`).
    Flag,
    /// A whole number in a range.
    Number(i64, i64),
    /// A time such as `24h`, `90s`, `500ms`; in a range of milliseconds. A bare number counts in the setting's unit.
    Duration(&'static str, i64, i64),
    /// Items between commas.
    List,
}

/// An older name of a setting.
#[derive(Clone, Copy, Debug)]
pub struct Alias {
    /// The name.
    pub name: &'static str,
    /// Unit that a bare number has under this name.
    pub unit: Option<&'static str>,
}

/// One setting.
#[derive(Clone, Copy, Debug)]
pub struct Setting {
    /// Canonical name, also read with the prefix `HEARTH_`.
    pub name: &'static str,
    /// Older names.
    pub aliases: &'static [Alias],
    /// What it must be.
    pub kind: Kind,
    /// Text that is used when it is not set; empty when there is none.
    pub default: &'static str,
    /// Never printed, and also read from the file that `<NAME>_FILE` names.
    pub is_secret: bool,
    /// One sentence for the reference.
    pub meaning: &'static str,
    /// Taken up by a running server on SIGHUP.
    pub reloads: bool,
}

pub(super) const fn setting(
    name: &'static str,
    kind: Kind,
    default: &'static str,
    meaning: &'static str,
) -> Setting {
    Setting { name, aliases: &[], kind, default, is_secret: false, meaning, reloads: false }
}

impl Setting {
    pub(super) const fn or(mut self, aliases: &'static [Alias]) -> Self {
        self.aliases = aliases;
        self
    }

    pub(super) const fn live(mut self) -> Self {
        self.reloads = true;
        self
    }

    pub(super) const fn secret(mut self) -> Self {
        self.is_secret = true;
        self
    }
}

pub(super) const fn alias(name: &'static str) -> Alias {
    Alias { name, unit: None }
}

pub(super) const fn alias_in(name: &'static str, unit: &'static str) -> Alias {
    let unit = Some(unit);
    Alias { name, unit }
}
