//! The shape of the tree, as CONTRIBUTING.md tells it.

use std::path::Path;

/// Files with this ending below `folder`: path from the root, and text.
fn files(folder: &str, ending: &str) -> Vec<(String, String)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let entries = walkdir::WalkDir::new(root.join(folder)).sort_by_file_name();
    let files: Vec<_> = entries
        .into_iter()
        .map(|entry| entry.unwrap().into_path())
        .filter(|path| path.to_string_lossy().ends_with(ending))
        .map(|path| {
            let text = std::fs::read_to_string(&path).unwrap();
            let name = path.strip_prefix(root).unwrap().display().to_string();
            (name, text)
        })
        .collect();
    assert!(!files.is_empty(), "nothing in {folder}");
    files
}

/// Which of them have more lines.
fn longer_than(lines: usize, files: &[(String, String)]) -> Vec<String> {
    let longer = files.iter().filter(|(_, text)| text.lines().count() > lines);
    longer.map(|(name, _)| name.clone()).collect()
}

#[test]
fn a_file_of_the_engine_has_150_lines_of_120_columns_at_most() {
    let files = files("sql/engine", ".sql");
    assert_eq!(longer_than(150, &files), [""; 0], "split it by subject");
    let wide: Vec<_> = files
        .iter()
        .flat_map(|(name, text)| {
            let wide = |(_, line): &(usize, &str)| line.chars().count() > 120;
            let lines = text.lines().enumerate().filter(wide);
            lines.map(move |(index, _)| format!("{name}:{}", index + 1))
        })
        .collect();
    assert_eq!(wide, [""; 0], "these lines are too wide");
}

/// In comments, too: a name that stays behind when its function is renamed leads nowhere.
#[test]
fn the_engine_names_no_private_function_that_it_does_not_have() {
    let mut files = files("sql/engine", ".sql");
    let all: String = files.iter().map(|(_, text)| text.as_str()).collect();
    let is_defined = |name: &str| {
        let kinds = ["function", "view"].iter();
        kinds.into_iter().any(|kind| {
            let start = format!("create or replace {kind} sluice.{name}");
            let mut found = all.match_indices(&start);
            found.any(|(at, _)| all[at + start.len()..].starts_with(['(', ' ']))
        })
    };
    let readme = include_str!("../../sql/engine/README.md");
    files.push(("README.md".to_owned(), readme.to_owned()));
    let mut unknown = vec![];
    for (path, text) in &files {
        let is_name = |c: char| c.is_ascii_alphanumeric() || c == '_';
        let words = text.split(|c: char| c.is_whitespace() || "(`.,".contains(c));
        for word in words.filter(|word| word.starts_with('_')) {
            let name = word.split(|c: char| !is_name(c)).next().unwrap();
            if name.len() > 3 && !is_defined(name) {
                unknown.push(format!("{path}: {name}"));
            }
        }
    }
    assert_eq!(unknown, [""; 0]);
}

#[test]
fn a_source_file_has_300_lines_at_most() {
    for folder in ["src", "crates/embedded-postgres/src", "crates/libpq-conninfo/src"] {
        let longer = longer_than(300, &files(folder, ".rs"));
        assert_eq!(longer, [""; 0], "split it by subject");
    }
}

/// The order is the one that `src/lib.rs` tells.
#[test]
fn modules_look_one_way() {
    let sources = files("src", ".rs");
    let of = |name: &str| sources.iter().find(|(path, _)| path == name).unwrap();
    let told = of("src/lib.rs").1.lines().find(|line| line.contains('→'));
    let layers: Vec<Vec<&str>> = told
        .unwrap()
        .trim_matches(['/', '!', ' ', '`', '.'])
        .split(" → ")
        .map(|layer| layer.split(", ").collect())
        .collect();
    let layer_of = |module: &str| layers.iter().position(|layer| layer.contains(&module));
    for (path, text) in &sources {
        let module = path.split(['/', '.']).nth(1).unwrap();
        if module == "lib" {
            continue;
        }
        let own = layer_of(module);
        assert!(own.is_some(), "{module} is in no layer of src/lib.rs");
        for used in text.split("crate::").skip(1) {
            let group = used.strip_prefix('{').and_then(|used| used.split_once('}'));
            let used = group.map_or(used, |(group, _)| group).split(", ");
            let is_name = |c: char| c.is_ascii_alphanumeric() || c == '_';
            for used in used.filter_map(|path| path.split(|c| !is_name(c)).next()) {
                let layer = layer_of(used);
                assert!(
                    used == module || layer.is_none() || layer > own,
                    "{path} uses crate::{used}, which is not to the right of it"
                );
                if group.is_none() {
                    break;
                }
            }
        }
    }
}
