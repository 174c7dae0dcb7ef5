//! Named leases in the database: one holder at a time, told apart by a number that grows with each of them.
//!
//! A clock decides who may *try* to hold a lease, never whether a write counts: every write of a holder checks its number
//! inside its own transaction ([`check`]), so a holder that was paused, or whose clock jumped, is refused once another came.

use kernel::{Error, Micros};

use crate::{Conn, Reach, Result, Store, Tx, execute, fetch_optional};

/// A lease lasts this long, µs; its holder renews it at a third.
pub const LEASE_MICROS: i64 = 15 * Micros::SECOND;
/// An end further ahead than this was written under a clock that was wrong; nobody waits for it.
const BELIEVABLE_MICROS: i64 = 300 * Micros::SECOND;

/// Takes or renews a lease; answers with the holder's number, or `None` while another holds it.
///
/// # Errors
/// The store's.
pub async fn take(store: &Store, name: &str, holder: &str, now: Micros) -> kernel::Result<Option<i64>> {
    let (name, holder) = (name.to_owned(), holder.to_owned());
    store
        .write("lease.take", Reach::Everyone, move |tx| {
            Box::pin(async move {
                let taken = fetch_optional!(
                    tx,
                    (i64,),
                    "INSERT INTO leases (name, holder, fence, held_until) VALUES ($1, $2, 1, $3)
                     ON CONFLICT (name) DO UPDATE SET holder = $2, held_until = $3,
                         fence = leases.fence + CASE WHEN leases.holder = $2 THEN 0 ELSE 1 END
                     WHERE leases.holder = $2 OR leases.held_until <= $4 OR leases.held_until > $5
                     RETURNING fence",
                    name,
                    holder,
                    now.plus(LEASE_MICROS).0,
                    now.0,
                    now.plus(BELIEVABLE_MICROS).0,
                )?;
                Ok(taken.map(|(fence,)| fence))
            })
        })
        .await
}

/// Lets others take the lease at once; does nothing when it is no longer ours.
///
/// # Errors
/// The store's.
pub async fn give_up(store: &Store, name: &str, holder: &str) -> kernel::Result<()> {
    let (name, holder) = (name.to_owned(), holder.to_owned());
    store
        .write("lease.give_up", Reach::Everyone, move |tx| {
            Box::pin(async move {
                let sql = "UPDATE leases SET held_until = 0 WHERE name = $1 AND holder = $2";
                execute!(tx, sql, name, holder)?;
                Ok(())
            })
        })
        .await
}

/// Refuses the transaction unless `fence` is still the number of the lease's holder; keeps others from taking it until
/// the transaction ends.
///
/// # Errors
/// `lease_lost`.
pub async fn check(tx: &mut Tx, name: &str, fence: i64) -> kernel::Result<()> {
    // An update, because on PostgreSQL it locks the row: whoever takes the lease now waits, or has been waited for.
    let sql = "UPDATE leases SET fence = fence WHERE name = $1 AND fence = $2";
    if execute!(tx, sql, name, fence)? == 0 {
        return Err(Error::conflict("lease_lost", format!("another server holds the lease {name}")));
    }
    Ok(())
}

/// Who holds a lease, if its time is not over.
///
/// # Errors
/// The engine's.
pub async fn find_holder(conn: &mut Conn, name: &str, now: Micros) -> Result<Option<String>> {
    let sql = "SELECT holder FROM leases WHERE name = $1 AND held_until > $2";
    Ok(fetch_optional!(conn, (String,), sql, name, now.0)?.map(|(holder,)| holder))
}
