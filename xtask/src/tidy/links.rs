//! Links between the pages of the repository lead somewhere.

use crate::tree::{File, Tree};

/// Relative links in Markdown whose file or heading does not exist. Addresses of other sites are not looked at.
pub(super) fn problems(tree: &Tree) -> Vec<String> {
    let pages = tree.files.iter().filter(|file| file.extension() == "md");
    pages.flat_map(|page| in_page(tree, page)).collect()
}

fn in_page(tree: &Tree, page: &File) -> Vec<String> {
    prose(&page.text)
        .flat_map(|(number, line)| targets(line).map(move |target| (number, target)))
        .filter(|(_, target)| !target.contains("://") && !target.starts_with("mailto:"))
        .filter_map(|(number, target)| {
            let reason = broken(tree, page, target)?;
            Some(format!("{}:{number}: link `{target}`: {reason}", page.path))
        })
        .collect()
}

/// Numbered lines outside fenced code.
fn prose(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let mut is_code = false;
    text.lines().zip(1..).filter_map(move |(line, number)| {
        if line.trim_start().starts_with("```") {
            is_code = !is_code;
            return None;
        }
        (!is_code).then_some((number, line))
    })
}

/// What stands in `](…)`, without a title.
fn targets(line: &str) -> impl Iterator<Item = &str> {
    line.split("](").skip(1).filter_map(|rest| {
        let target = rest.split(')').next()?.split(' ').next()?;
        (!target.is_empty()).then_some(target)
    })
}

fn broken(tree: &Tree, page: &File, target: &str) -> Option<String> {
    let (path, anchor) = target.split_once('#').unwrap_or((target, ""));
    let path = if path.is_empty() { page.path.clone() } else { resolve(&page.path, path) };
    let Some(text) = tree.text(&path) else {
        let folder = format!("{}/", path.trim_end_matches('/'));
        let is_folder = tree.files.iter().any(|file| file.path.starts_with(&folder)) || path.is_empty();
        return (!is_folder && !crate::tree::root().join(&path).exists()).then(|| "no such file".to_owned());
    };
    let has_heading = anchor.is_empty() || headings(text).any(|heading| heading == anchor);
    (!has_heading && path.to_ascii_lowercase().ends_with(".md")).then(|| "no such heading".to_owned())
}

/// A path relative to the folder of `page`; one that begins with `/` counts from the top.
fn resolve(page: &str, target: &str) -> String {
    let mut parts: Vec<&str> = match target.strip_prefix('/') {
        Some(_) => Vec::new(),
        None => page.split('/').collect(),
    };
    parts.pop();
    for part in target.split('/') {
        match part {
            "" | "." => {}
            ".." => drop(parts.pop()),
            name => parts.push(name),
        }
    }
    parts.join("/")
}

/// Anchors of a page's headings, as code hosts make them: lower case, spaces to hyphens, other signs left out.
fn headings(text: &str) -> impl Iterator<Item = String> {
    prose(text).filter(|(_, line)| line.starts_with('#')).map(|(_, line)| {
        let title = line.trim_start_matches('#').trim().to_lowercase();
        let kept = title.chars().filter(|c| c.is_alphanumeric() || " -_".contains(*c));
        kept.map(|c| if c == ' ' { '-' } else { c }).collect()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(text: &str) -> Vec<String> {
        problems(&Tree::of(&[
            ("docs/guide/a.md", text),
            ("docs/b.md", "# First steps & more\n\n```\n# no heading\n```\n"),
            ("crates/kernel/src/lib.rs", ""),
        ]))
    }

    #[test]
    fn links_that_lead_somewhere_pass() {
        let text =
            "[b](../b.md) [h](../b.md#first-steps--more) [c](/crates/kernel/) [x](https://example.com/y)\n";
        assert_eq!(found(text), Vec::<String>::new());
        assert_eq!(found("```\n[b](nowhere.md)\n```\n"), Vec::<String>::new());
    }

    #[test]
    fn a_missing_file_is_found() {
        assert_eq!(
            found("\nsee [b](b-that-moved.md)"),
            ["docs/guide/a.md:2: link `b-that-moved.md`: no such file"]
        );
    }

    #[test]
    fn a_missing_heading_is_found() {
        assert_eq!(
            found("[b](../b.md#last-steps)"),
            ["docs/guide/a.md:1: link `../b.md#last-steps`: no such heading"]
        );
        assert_eq!(found("[b](../b.md#no-heading)").len(), 1);
    }
}
