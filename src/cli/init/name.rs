//! SQL names from names of the source.

use unicode_normalization::UnicodeNormalization;

/// Words that need quotes as the name of a column: all that `pg_get_keywords()` does not call
/// unreserved, of PostgreSQL 15 to 18.
const KEYWORDS: &str = include_str!("keywords.txt");

/// Postgres silently truncates longer names.
const LONGEST: usize = 63;

/// `sluice.define_pipeline` refuses longer ones.
const LONGEST_OF_PIPELINE: usize = 40;

/// What a row has besides its columns.
const TAKEN: [&str; 6] = ["ctid", "xmin", "xmax", "cmin", "cmax", "tableoid"];

/// The words of a name, in lower case: `customerId`, `Customer ID` and `customer_id` have the same words.
pub(super) fn words(name: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    let mut before = ' ';
    let characters: Vec<char> = name.chars().collect();
    for (at, &c) in characters.iter().enumerate() {
        let next = characters.get(at + 1).copied().unwrap_or(' ');
        let begins = c.is_uppercase()
            && (before.is_lowercase()
                || before.is_numeric()
                || next.is_lowercase() && before.is_uppercase());
        if (begins || !c.is_alphanumeric()) && words.last().is_some_and(|word| !word.is_empty()) {
            words.push(String::new());
        }
        if c.is_alphanumeric()
            && let Some(word) = words.last_mut()
        {
            word.extend(c.to_lowercase());
        }
        before = c;
    }
    words.retain(|word| !word.is_empty());
    words
}

/// A name for what is called `name` elsewhere, without quotes; `fallback` if nothing is left.
pub(super) fn plain(name: &str, fallback: &str) -> String {
    let mut plain = words(name).join("_");
    if plain.is_empty() {
        plain = fallback.to_owned();
    }
    // What begins with sluice_ is the engine's.
    if plain.starts_with(|c: char| c.is_numeric()) || plain.starts_with("sluice_") {
        plain.insert(0, '_');
    }
    if TAKEN.contains(&plain.as_str()) {
        plain.push('_');
    }
    cut(&plain, LONGEST)
}

/// A name that a pipeline may have: ASCII, as `sluice.define_pipeline` asks, and short.
pub(super) fn of_pipeline(name: &str, fallback: &str) -> String {
    // `ß` has no parts, but is SS in capitals.
    let parts = words(name).join("_").to_uppercase().to_lowercase();
    let ascii: String = (parts.nfkd()).filter(|c| c.is_ascii_alphanumeric() || *c == '_').collect();
    let name = ascii.trim_matches('_');
    match name.chars().next() {
        None => fallback.to_owned(),
        Some('0'..='9') => cut(&format!("{fallback}_{name}"), LONGEST_OF_PIPELINE),
        Some(_) => cut(name, LONGEST_OF_PIPELINE),
    }
}

/// Gives each of `names` one that no other has.
pub(super) fn distinct(names: impl Iterator<Item = String>) -> Vec<String> {
    let mut taken: Vec<String> = Vec::new();
    for name in names {
        let numbered = (2..).map(|n| {
            let suffix = format!("_{n}");
            cut(&name, LONGEST - suffix.len()) + &suffix
        });
        let free = std::iter::once(name.clone()).chain(numbered).find(|name| !taken.contains(name));
        taken.extend(free);
    }
    taken
}

fn cut(name: &str, most: usize) -> String {
    if name.len() <= most {
        return name.to_owned();
    }
    let mut end = most;
    while !name.is_char_boundary(end) {
        end -= 1;
    }
    name[..end].trim_end_matches('_').to_owned()
}

/// The name as SQL writes it.
pub(super) fn quoted(name: &str) -> String {
    let is_plain = name.starts_with(|c: char| c.is_ascii_lowercase() || c == '_')
        && name
            .bytes()
            .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_')
        && !KEYWORDS.split_whitespace().any(|word| word == name);
    match is_plain {
        true => name.to_owned(),
        false => crate::db::quoted(name),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_all_habits_become_words_with_underscores() {
        for (name, wanted) in [
            ("id", "id"),
            ("customerId", "customer_id"),
            ("CustomerID", "customer_id"),
            ("HTTPStatus", "http_status"),
            ("Order Date (UTC)", "order_date_utc"),
            ("  total-amount €", "total_amount"),
            ("Größe", "größe"),
            ("2024", "_2024"),
            ("___", "c3"),
            ("", "c3"),
            ("sluice_hash", "_sluice_hash"),
            ("XMin", "x_min"),
            ("xmin", "xmin_"),
            ("a'b\"c\\d", "a_b_c_d"),
        ] {
            assert_eq!(plain(name, "c3"), wanted, "{name}");
        }
        assert_eq!(plain(&"é".repeat(60), "c").len(), 62);
    }

    #[test]
    fn names_of_pipelines_are_short_and_ascii() {
        for (name, wanted) in [
            ("orders", "orders"),
            ("Straße", "strasse"),
            ("Kundengröße Ñandú", "kundengrosse_nandu"),
            ("訂單", "records"),
            ("2024_sales", "records_2024_sales"),
            ("sluice_x", "sluice_x"),
            (
                "a_very_long_name_of_an_export_that_nobody_shortened",
                "a_very_long_name_of_an_export_that_nobod",
            ),
        ] {
            assert_eq!(of_pipeline(name, "records"), wanted, "{name}");
        }
    }

    #[test]
    fn no_two_columns_have_one_name() {
        let names = ["id", "id", "id_2", "id"].map(str::to_owned);
        assert_eq!(distinct(names.into_iter()), ["id", "id_2", "id_2_2", "id_3"]);
        let long = "x".repeat(63);
        let two = distinct([long.clone(), long].into_iter());
        assert_eq!(two[1], format!("{}_2", "x".repeat(61)));
    }

    #[test]
    fn keywords_and_foreign_letters_are_quoted() {
        for (name, wanted) in [
            ("id", "id"),
            ("order", "\"order\""),
            ("timestamp", "\"timestamp\""),
            ("größe", "\"größe\""),
            ("name", "name"),
            ("values", "\"values\""),
        ] {
            assert_eq!(quoted(name), wanted);
        }
    }
}
