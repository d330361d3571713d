//! Files of what outsiders see, for reviewers to read.

/// Compares with a file of `tests/golden`, or writes it anew if `SLUICE_REFRESH_GOLDEN` is set.
#[track_caller]
pub fn assert_golden(file: &str, found: &str, test: &str) {
    let path = format!("{}/tests/golden/{file}", env!("CARGO_MANIFEST_DIR"));
    if std::env::var_os("SLUICE_REFRESH_GOLDEN").is_some() {
        std::fs::write(&path, found).unwrap();
    }
    let golden = std::fs::read_to_string(&path).unwrap_or_default();
    let only_in = |mark: char, text: &str, other: &str| {
        let lines = text.lines().filter(|line| !other.lines().any(|found| found == *line));
        lines.map(|line| format!("{mark} {line}")).collect::<Vec<_>>()
    };
    let difference = [only_in('-', &golden, found), only_in('+', found, &golden)].concat();
    assert!(
        golden == found,
        "{file} is not what it was:\n{}\nif that is meant: SLUICE_REFRESH_GOLDEN=1 cargo test --test main {test}",
        difference.join("\n")
    );
}
