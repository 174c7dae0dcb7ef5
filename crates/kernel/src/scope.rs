//! What a credential may do: a closed list of scopes, and the roles that bundle them.

use serde::{Deserialize, Serialize};

macro_rules! scopes {
    ($($variant:ident = $name:literal),+ $(,)?) => {
        /// One permission. Later domains add theirs here, once, for keys, roles and documentation alike.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        #[repr(u8)]
        pub enum Scope { $(#[doc = $name] $variant),+ }

        impl Scope {
            /// Every scope in the order of the list.
            pub const ALL: &'static [Scope] = &[$(Scope::$variant),+];

            /// The name on the wire.
            pub fn as_str(self) -> &'static str {
                match self { $(Scope::$variant => $name),+ }
            }
        }
    };
}

scopes! {
    MemoryRead = "memory:read",
    MemoryWrite = "memory:write",
    Admin = "admin",
}

/// A set of scopes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Scopes(u32);

impl Scopes {
    /// No permission at all.
    pub const NONE: Scopes = Scopes(0);

    /// Everything on the list.
    pub fn all() -> Self {
        Scope::ALL.iter().copied().collect()
    }

    /// Reads names; `<domain>:*` is all of a domain and `admin` all of the list.
    ///
    /// # Errors
    /// The first name that is not on the list.
    pub fn parse<S: AsRef<str>>(names: &[S]) -> Result<Self, String> {
        let mut set = Self::NONE;
        for name in names {
            set = set.union(Self::parse_one(name.as_ref())?);
        }
        Ok(set)
    }

    fn parse_one(name: &str) -> Result<Self, String> {
        if name == Scope::Admin.as_str() {
            return Ok(Self::all());
        }
        let matches = |scope: &&Scope| match name.strip_suffix('*') {
            Some(domain) if domain.ends_with(':') => scope.as_str().starts_with(domain),
            _ => scope.as_str() == name,
        };
        let set: Self = Scope::ALL.iter().filter(matches).copied().collect();
        if set == Self::NONE { Err(name.to_owned()) } else { Ok(set) }
    }

    /// Whether `scope` is in the set.
    pub fn has(self, scope: Scope) -> bool {
        self.0 & (1 << scope as u32) != 0
    }

    /// Whether everything in `other` is in the set.
    pub fn covers(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }

    /// Both sets together.
    pub fn union(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// What both sets hold.
    pub fn intersect(self, other: Self) -> Self {
        Self(self.0 & other.0)
    }

    /// Names in the order of the list.
    pub fn names(self) -> Vec<&'static str> {
        Scope::ALL.iter().filter(|scope| self.has(**scope)).map(|scope| scope.as_str()).collect()
    }
}

impl FromIterator<Scope> for Scopes {
    fn from_iter<I: IntoIterator<Item = Scope>>(scopes: I) -> Self {
        Self(scopes.into_iter().fold(0, |bits, scope| bits | 1 << scope as u32))
    }
}

/// A person's standing in a tenant.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// Reads.
    Viewer,
    /// Reads and writes own data.
    Member,
    /// Holds every scope; makes everything but owners.
    Admin,
    /// An admin who may also make owners.
    Owner,
}

impl Role {
    /// Reads a role's name.
    pub fn parse(name: &str) -> Option<Self> {
        match name {
            "viewer" => Some(Self::Viewer),
            "member" => Some(Self::Member),
            "admin" => Some(Self::Admin),
            "owner" => Some(Self::Owner),
            _ => None,
        }
    }

    /// The name on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Viewer => "viewer",
            Self::Member => "member",
            Self::Admin => "admin",
            Self::Owner => "owner",
        }
    }

    /// The scopes that the role holds.
    pub fn scopes(self) -> Scopes {
        match self {
            Self::Viewer => Scopes::from_iter([Scope::MemoryRead]),
            Self::Member => Scopes::from_iter([Scope::MemoryRead, Scope::MemoryWrite]),
            Self::Admin | Self::Owner => Scopes::all(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scope_names_expand_and_unknown_ones_are_named() {
        assert_eq!(Scopes::parse(&["memory:*"]).unwrap().names(), ["memory:read", "memory:write"]);
        assert_eq!(Scopes::parse(&["admin"]).unwrap(), Scopes::all());
        for bad in ["memory", "*", ":*", "memory:", "root", ""] {
            assert_eq!(Scopes::parse(&[bad]), Err(bad.to_owned()));
        }
    }

    #[test]
    fn viewers_cannot_write() {
        assert!(!Role::Viewer.scopes().has(Scope::MemoryWrite));
        assert!(!Role::Member.scopes().has(Scope::Admin));
        assert!(Role::Owner.scopes().covers(Scopes::all()));
    }
}
