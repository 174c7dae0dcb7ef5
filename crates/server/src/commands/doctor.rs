//! `hearth doctor`: what is wrong with this installation, and the cure.

use serde_json::json;

use super::{Failure, pretty, say};
use crate::config::{Flags, process_environment};
use crate::doctor::{Status, examine};

/// Prints one line for each thing looked at; ends with 3 when one failed.
pub(super) async fn run(flags: &Flags, json: bool) -> Result<(), Failure> {
    let lines = examine(flags, &process_environment()).await;
    let count = |status: Status| lines.iter().filter(|line| line.status == status).count();
    let (warned, failed) = (count(Status::Warn), count(Status::Fail));
    if json {
        say(&pretty(&json!({"items": lines, "ok": count(Status::Ok), "warn": warned, "fail": failed})))?;
    } else {
        for line in &lines {
            let cure = if line.cure.is_empty() { String::new() } else { format!("; {}", line.cure) };
            say(&format!("{:4}  {:14} {}{cure}", line.status.word(), line.name, line.text))?;
        }
    }
    if failed > 0 {
        return Err(Failure { code: 3, text: format!("hearth: {failed} failed, {warned} to look at") });
    }
    Ok(())
}
