//! Who is let in next: tenants take turns, and within a tenant its users do.
//!
//! Source: fair queueing by turns (Nagle, RFC 970), and dropping from the longest queue when there is no room (McKenney,
//! "Stochastic Fairness Queueing", 1990): a flood pushes out its own, never somebody else's.

use std::collections::VecDeque;

/// Things that wait, by tenant and user.
pub(super) struct Line<T> {
    tenants: VecDeque<Tenant<T>>,
    room: usize,
}

struct Tenant<T> {
    name: Box<str>,
    users: VecDeque<User<T>>,
}

struct User<T> {
    name: Box<str>,
    waiting: VecDeque<T>,
}

impl<T> Tenant<T> {
    fn len(&self) -> usize {
        self.users.iter().map(|user| user.waiting.len()).sum()
    }

    /// Takes the newest of the user who has most.
    fn drop_last(&mut self) -> Option<T> {
        let longest = (0..self.users.len()).max_by_key(|at| self.users[*at].waiting.len())?;
        let dropped = self.users[longest].waiting.pop_back();
        if self.users[longest].waiting.is_empty() {
            self.users.remove(longest);
        }
        dropped
    }
}

impl<T> Line<T> {
    /// An empty line with `room` places, 1 or more.
    pub(super) fn new(room: usize) -> Self {
        Self { tenants: VecDeque::new(), room }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.tenants.is_empty()
    }

    pub(super) fn len(&self) -> usize {
        self.tenants.iter().map(Tenant::len).sum()
    }

    /// Puts `this` at the end of its user's line. When there is no room the newest of the longest tenant falls out; that may
    /// be `this` itself.
    pub(super) fn push(&mut self, tenant: &str, user: &str, this: T) -> Option<T> {
        let at = self.tenants.iter().position(|known| *known.name == *tenant).unwrap_or_else(|| {
            self.tenants.push_back(Tenant { name: tenant.into(), users: VecDeque::new() });
            self.tenants.len() - 1
        });
        let users = &mut self.tenants[at].users;
        let user_at = users.iter().position(|known| *known.name == *user).unwrap_or_else(|| {
            users.push_back(User { name: user.into(), waiting: VecDeque::new() });
            users.len() - 1
        });
        users[user_at].waiting.push_back(this);
        if self.len() <= self.room {
            return None;
        }
        let longest = (0..self.tenants.len()).max_by_key(|at| self.tenants[*at].len())?;
        let dropped = self.tenants[longest].drop_last();
        if self.tenants[longest].users.is_empty() {
            self.tenants.remove(longest);
        }
        dropped
    }

    /// Takes the oldest of the user whose turn it is, of the tenant whose turn it is.
    pub(super) fn pop(&mut self) -> Option<T> {
        let mut tenant = self.tenants.pop_front()?;
        let mut user = tenant.users.pop_front()?;
        let next = user.waiting.pop_front();
        if !user.waiting.is_empty() {
            tenant.users.push_back(user);
        }
        if !tenant.users.is_empty() {
            self.tenants.push_back(tenant);
        }
        next
    }

    /// Lets go of those that `is_gone`.
    pub(super) fn purge(&mut self, is_gone: impl Fn(&T) -> bool) {
        for tenant in &mut self.tenants {
            for user in &mut tenant.users {
                user.waiting.retain(|this| !is_gone(this));
            }
            tenant.users.retain(|user| !user.waiting.is_empty());
        }
        self.tenants.retain(|tenant| !tenant.users.is_empty());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn drain(line: &mut Line<&'static str>) -> String {
        std::iter::from_fn(|| line.pop()).collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn tenants_take_turns_and_so_do_their_users() {
        let mut line = Line::new(100);
        for (tenant, user, this) in [
            ("a", "x", "ax1"),
            ("a", "x", "ax2"),
            ("a", "x", "ax3"),
            ("a", "y", "ay1"),
            ("b", "z", "bz1"),
            ("b", "z", "bz2"),
        ] {
            assert_eq!(line.push(tenant, user, this), None);
        }
        assert_eq!(drain(&mut line), "ax1 bz1 ay1 bz2 ax2 ax3");
        assert!(line.is_empty());
    }

    #[test]
    fn a_flood_pushes_out_its_own() {
        let mut line = Line::new(3);
        for this in ["a1", "a2", "a3"] {
            line.push("a", "x", this);
        }
        assert_eq!(line.push("a", "y", "a4"), Some("a3"), "of the user who has most");
        assert_eq!(line.push("b", "z", "b1"), Some("a2"), "of the tenant that has most");
        assert_eq!(line.push("b", "z", "b2"), Some("b2"));
        line.purge(|this| *this == "a1");
        assert_eq!(drain(&mut line), "a4 b1");
    }
}
