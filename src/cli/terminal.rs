//! Control characters are shown, not obeyed: names, payloads and messages come from other people.

use std::fmt::Write as _;

/// The text with control characters as `\u001b`, but for line ends and tabs: C0, DEL, C1, and those that turn the
/// direction of a line around. JSON stays the same JSON, as that is how it writes them, too.
pub(super) fn shown(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    for c in text.chars() {
        let _ = match is_obeyed(c) {
            true => write!(shown, "\\u{:04x}", u32::from(c)),
            false => shown.write_char(c),
        };
    }
    shown
}

fn is_obeyed(c: char) -> bool {
    let turns = matches!(c, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    turns || c.is_control() && !matches!(c, '\n' | '\t')
}

/// In place of the standard library's, for all commands: nothing is printed around [`shown`].
macro_rules! print {
    ($($what:tt)*) => { std::print!("{}", $crate::cli::terminal::shown(&format!($($what)*))) };
}
macro_rules! println {
    ($($what:tt)*) => { std::println!("{}", $crate::cli::terminal::shown(&format!($($what)*))) };
}
macro_rules! eprintln {
    ($($what:tt)*) => { std::eprintln!("{}", $crate::cli::terminal::shown(&format!($($what)*))) };
}

#[cfg(test)]
mod tests {
    use super::shown;

    #[test]
    fn control_and_direction_characters_are_shown_and_all_others_left() {
        let text =
            "a\tb\n\u{1b}]0;pwned\u{7}\r\u{7f}\u{9b}2J \u{202e}cod\u{2066} Zürich 東京 \u{1f600}";
        assert_eq!(
            shown(text),
            "a\tb\n\\u001b]0;pwned\\u0007\\u000d\\u007f\\u009b2J \\u202ecod\\u2066 Zürich 東京 \u{1f600}"
        );
    }

    #[test]
    fn json_says_the_same_when_it_is_shown() {
        let value = serde_json::json!({"a\u{9b}": "\u{1b}[2J\u{202e}\u{7f}"});
        let read: serde_json::Value =
            serde_json::from_str(&shown(&value.to_string())).expect("it is JSON");
        assert_eq!(read, value);
    }
}
