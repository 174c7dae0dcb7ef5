//! From the lines of `strace -f -y -xx` to what happened to files and sockets, in order.
//!
//! A write counts from its start (it may reach the disk at once), a sync and a change of names from its end, and a sync
//! covers only what was there when it started.

use std::collections::HashMap;
use std::ffi::OsString;
use std::os::unix::ffi::OsStringExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Something that a traced process did.
#[derive(Clone, Debug)]
pub(super) enum Event {
    /// Opened a file for writing, which made it if there was none.
    Create(PathBuf),
    /// Made a folder.
    MakeFolder(PathBuf),
    /// Gave a file a second name.
    Link(PathBuf, PathBuf),
    /// Moved a file.
    Rename(PathBuf, PathBuf),
    /// Removed a name.
    Remove(PathBuf),
    /// Wrote bytes, at the end when no offset is given.
    Write { path: PathBuf, offset: Option<u64>, bytes: Arc<[u8]> },
    /// Cut or grew a file.
    Resize(PathBuf, u64),
    /// A sync of a file or folder started; `number` tells it from others.
    SyncBegins { path: PathBuf, number: usize },
    /// It ended.
    SyncEnds { number: usize },
    /// Bytes left on a socket.
    Sent(Arc<[u8]>),
}

/// The calls that `strace` must record for [`read`].
pub(super) const CALLS: &str = "trace=openat,mkdir,mkdirat,pwrite64,pwritev,pwritev2,write,writev,sendto,sendmsg,\
    ftruncate,fallocate,fsync,fdatasync,rename,renameat,renameat2,unlink,unlinkat,link,linkat,\
    io_uring_setup,copy_file_range,sendfile";

/// One call with the lines where it started and ended.
struct Call {
    begin: usize,
    end: usize,
    text: String,
}

/// Everything that happened below `root` and on sockets.
pub(super) fn read(trace: &str, root: &Path) -> Vec<Event> {
    let mut placed: Vec<(usize, Event)> = Vec::new();
    for (number, call) in calls(trace).iter().enumerate() {
        place(call, number, root, &mut placed);
    }
    placed.sort_by_key(|(line, _)| *line);
    placed.into_iter().map(|(_, event)| event).collect()
}

/// Joins the halves of calls that others interrupted.
fn calls(trace: &str) -> Vec<Call> {
    let mut open: HashMap<&str, (usize, &str)> = HashMap::new();
    let mut calls = Vec::new();
    for (line, text) in trace.lines().enumerate() {
        let Some((process, text)) = text.split_once(' ') else { continue };
        let text = text.trim_start();
        if let Some(start) = text.strip_suffix("<unfinished ...>") {
            open.insert(process, (line, start));
        } else if let Some(rest) = text.strip_prefix("<... ") {
            let tail = rest.split_once("resumed>").map_or("", |(_, tail)| tail);
            if let Some((begin, start)) = open.remove(process) {
                calls.push(Call { begin, end: line, text: format!("{start}{tail}") });
            }
        } else {
            calls.push(Call { begin: line, end: line, text: text.to_owned() });
        }
    }
    calls
}

fn place(call: &Call, number: usize, root: &Path, placed: &mut Vec<(usize, Event)>) {
    let Some((name, rest)) = call.text.split_once('(') else { return };
    let Some((arguments, result)) = rest.rsplit_once(" = ") else { return };
    if result.starts_with('-') || result.starts_with('?') {
        return;
    }
    let strings = quoted(arguments);
    let names = || strings.iter().map(|bytes| path(bytes)).filter(|path| path.starts_with(root));
    let file = described(arguments).filter(|path| path.starts_with(root));
    match name {
        "openat" if arguments.contains("O_CREAT") => {
            for path in names() {
                placed.push((call.end, Event::Create(path.clone())));
                if arguments.contains("O_TRUNC") {
                    placed.push((call.end, Event::Resize(path, 0)));
                }
            }
        }
        "mkdir" | "mkdirat" => placed.extend(names().map(|path| (call.end, Event::MakeFolder(path)))),
        "unlink" | "unlinkat" => placed.extend(names().map(|path| (call.end, Event::Remove(path)))),
        "link" | "linkat" | "rename" | "renameat" | "renameat2" => {
            let mut names = names();
            if let (Some(from), Some(to)) = (names.next(), names.next()) {
                let event =
                    if name.starts_with("link") { Event::Link(from, to) } else { Event::Rename(from, to) };
                placed.push((call.end, event));
            }
        }
        "ftruncate" | "fallocate" => {
            let numbers: Vec<u64> = plain_numbers(arguments);
            let size = if name == "ftruncate" { numbers.last().copied() } else { None };
            placed.extend(file.zip(size).map(|(path, size)| (call.end, Event::Resize(path, size))));
        }
        "fsync" | "fdatasync" => {
            if let Some(path) = file {
                placed.push((call.begin, Event::SyncBegins { path, number }));
                placed.push((call.end, Event::SyncEnds { number }));
            }
        }
        "write" | "writev" | "pwrite64" | "pwritev" | "sendto" | "sendmsg" => {
            let written = result.split(' ').next().and_then(|count| count.parse().ok()).unwrap_or(0);
            let mut bytes = strings.concat();
            bytes.truncate(written);
            if let Some(path) = file {
                let offset = name.starts_with("pwrite").then(|| plain_numbers(arguments).last().copied());
                let write = Event::Write { path, offset: offset.flatten(), bytes: bytes.into() };
                placed.push((call.begin, write));
            } else if is_socket(arguments) {
                placed.push((call.begin, Event::Sent(bytes.into())));
            }
        }
        _ => {}
    }
}

/// The bytes of every `"\x…"` in the arguments.
fn quoted(arguments: &str) -> Vec<Vec<u8>> {
    arguments.split('"').skip(1).step_by(2).map(unhex).collect()
}

/// What the first argument, a descriptor, stands for: `12<\x2f…>`.
fn described(arguments: &str) -> Option<PathBuf> {
    let (_, rest) = arguments.split_once('<')?;
    let (name, _) = rest.split_once('>')?;
    Some(path(&unhex(name)))
}

fn is_socket(arguments: &str) -> bool {
    described(arguments).is_some_and(|name| name.as_os_str().as_encoded_bytes().starts_with(b"socket:"))
}

/// The numbers among the arguments.
fn plain_numbers(arguments: &str) -> Vec<u64> {
    arguments.trim_end_matches([')', ' ']).split(", ").filter_map(|word| word.parse().ok()).collect()
}

fn unhex(text: &str) -> Vec<u8> {
    text.split("\\x").skip(1).filter_map(|pair| u8::from_str_radix(pair.get(..2)?, 16).ok()).collect()
}

fn path(bytes: &[u8]) -> PathBuf {
    PathBuf::from(OsString::from_vec(bytes.to_vec()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hex(text: &str) -> String {
        use std::fmt::Write as _;
        text.bytes().fold(String::new(), |mut out, byte| {
            let _ = write!(out, "\\x{byte:02x}");
            out
        })
    }

    #[test]
    fn a_sync_that_others_interrupt_spans_their_writes() {
        let file = hex("/r/a");
        let trace = format!(
            "7 fsync(3<{file}> <unfinished ...>\n8 pwrite64(3<{file}>, \"{}\", 2, 9) = 2\n7 <... fsync resumed>) = 0\n",
            hex("hi"),
        );
        let events = read(&trace, Path::new("/r"));
        assert!(
            matches!(&events[..], [
                Event::SyncBegins { .. },
                Event::Write { offset: Some(9), bytes, .. },
                Event::SyncEnds { .. },
            ] if **bytes == *b"hi"),
            "{events:?}"
        );
    }

    #[test]
    fn a_call_that_failed_changed_nothing() {
        let trace = format!("7 mkdir(\"{}\", 0700) = -1 EEXIST (File exists)\n", hex("/r/a"));
        assert!(read(&trace, Path::new("/r")).is_empty());
    }

    #[test]
    fn a_short_write_counts_what_was_written() {
        let trace = format!("7 write(3<{}>, \"{}\", 4) = 3\n", hex("/r/a"), hex("abcd"));
        let events = read(&trace, Path::new("/r"));
        assert!(
            matches!(&events[..], [Event::Write { offset: None, bytes, .. }] if **bytes == *b"abc"),
            "{events:?}"
        );
    }
}
