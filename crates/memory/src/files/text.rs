//! How files and folders are shown to a model: the texts that the tool's description promises.

use std::collections::BTreeMap;

/// Lines shown around a change.
const AROUND: usize = 4;
/// Levels of folders shown.
const LEVELS: usize = 2;

/// Lines with their numbers, right-aligned in six places, from line `first` on.
fn numbered<'t>(lines: impl Iterator<Item = &'t str>, first: usize) -> String {
    let lines = lines.enumerate().map(|(at, line)| format!("{:>6}\t{line}", first + at));
    lines.collect::<Vec<_>>().join("\n")
}

/// A file with line numbers; `range` is its first and last line, -1 for the last of all.
///
/// # Errors
/// The tool's own words for a range that is not in the file.
pub(super) fn show_file(path: &str, text: &str, range: Option<&[i64]>) -> Result<String, String> {
    let lines: Vec<&str> = text.split('\n').collect();
    let (first, last) = match range {
        None => (1, lines.len()),
        Some(range) => within(range, lines.len()).ok_or_else(|| {
            let (range, count) = (format!("{range:?}"), lines.len());
            format!("Error: Invalid `view_range` parameter: {range}. It should be two lines of the file, within [1, {count}], or -1 for the last")
        })?,
    };
    let shown = numbered(lines[first - 1..last].iter().copied(), first);
    Ok(format!("Here's the content of {path} with line numbers:\n{shown}"))
}

fn within(range: &[i64], count: usize) -> Option<(usize, usize)> {
    let [first, last] = *range else { return None };
    let last = if last == -1 { count } else { usize::try_from(last).ok()? };
    let first = usize::try_from(first).ok()?;
    (1 <= first && first <= last && last <= count).then_some((first, last))
}

/// What a file looks like around a change that begins at byte `at` and is `length` bytes long.
pub(super) fn show_change(text: &str, at: usize, length: usize) -> String {
    let first = text[..at].matches('\n').count();
    let last = first + text[at..at + length].matches('\n').count();
    let (first, shown) = (first.saturating_sub(AROUND), last + AROUND + 1);
    let lines = text.split('\n').take(shown).skip(first);
    let shown = numbered(lines, first + 1);
    format!(
        "The memory file has been edited. Here's the snippet showing the change (with line numbers):\n{shown}"
    )
}

/// The numbers of the lines on which `part` begins.
pub(super) fn lines_of(text: &str, part: &str) -> String {
    let numbers = text.match_indices(part).map(|(at, _)| text[..at].matches('\n').count() + 1);
    numbers.map(|number| number.to_string()).collect::<Vec<_>>().join(", ")
}

/// A folder two levels deep, from the paths and sizes in bytes of all files in it.
pub(super) fn show_folder(folder: &str, files: &[(String, i64)]) -> String {
    let mut sizes = BTreeMap::new();
    for (path, size) in files {
        let rest = path.strip_prefix(folder).and_then(|rest| rest.strip_prefix('/')).unwrap_or(path);
        let names: Vec<&str> = rest.split('/').collect();
        if names.iter().any(|name| name.starts_with('.') || *name == "node_modules") {
            continue;
        }
        for depth in 0..=names.len().min(LEVELS) {
            let place =
                std::iter::once(folder).chain(names[..depth].iter().copied()).collect::<Vec<_>>().join("/");
            *sizes.entry(place).or_insert(0) += size;
        }
    }
    sizes.entry(folder.to_owned()).or_insert(0);
    let lines: Vec<String> =
        sizes.iter().map(|(place, size)| format!("{}\t{place}", readable(*size))).collect();
    let depth = "up to 2 levels deep";
    format!(
        "Here're the files and directories {depth} in {folder}, excluding hidden items and node_modules:\n{}",
        lines.join("\n")
    )
}

/// Bytes as people read them: `512`, `1.5K`, `2.0M`.
fn readable(bytes: i64) -> String {
    match bytes {
        0..1_024 => bytes.to_string(),
        1_024..1_048_576 => format!("{:.1}K", bytes as f64 / 1_024.0),
        _ => format!("{:.1}M", bytes as f64 / 1_048_576.0),
    }
}

/// Whether `path` lies in `folder`.
pub(super) fn is_in(path: &str, folder: &str) -> bool {
    path.strip_prefix(folder).is_some_and(|rest| rest.starts_with('/'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_shows_two_levels_and_the_size_of_all_below() {
        let files =
            [("/memories/a.md", 100), ("/memories/p/b", 2_000), ("/memories/p/q/c", 48), ("/memories/.x", 9)];
        let files = files.map(|(path, size)| (path.to_owned(), size));
        let shown = show_folder("/memories", &files);
        let lines: Vec<&str> = shown.lines().skip(1).collect();
        assert_eq!(
            lines,
            [
                "2.1K\t/memories",
                "100\t/memories/a.md",
                "2.0K\t/memories/p",
                "2.0K\t/memories/p/b",
                "48\t/memories/p/q"
            ]
        );
        assert!(show_folder("/memories", &[]).ends_with("node_modules:\n0\t/memories"));
    }

    #[test]
    fn a_file_shows_its_lines_or_says_which_there_are() {
        let text = "one\ntwo\nthree";
        let show = |range: &[i64]| show_file("/memories/a", text, Some(range));
        assert!(
            show_file("/memories/a", text, None)
                .unwrap()
                .ends_with(":\n     1\tone\n     2\ttwo\n     3\tthree")
        );
        assert!(show(&[2, -1]).unwrap().ends_with(":\n     2\ttwo\n     3\tthree"));
        for bad in [&[0, 1][..], &[2, 1], &[1, 4], &[1], &[1, 2, 3], &[-1, -1], &[i64::MIN, i64::MAX]] {
            assert!(show(bad).unwrap_err().contains("[1, 3]"), "{bad:?}");
        }
    }

    #[test]
    fn a_change_is_shown_with_what_stands_around_it() {
        let text = (1..=20).map(|n| n.to_string()).collect::<Vec<_>>().join("\n");
        let at = text.find("\n10\n").unwrap() + 1;
        let shown = show_change(&text, at, 2);
        let lines: Vec<&str> = shown.lines().skip(1).collect();
        assert_eq!((lines.len(), lines[0], lines[8]), (9, "     6\t6", "    14\t14"));
        assert_eq!(lines_of("a\nb a\nc", "a"), "1, 2");
    }
}
