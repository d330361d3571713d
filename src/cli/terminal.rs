//! Escapes control characters in output: names, payloads and messages come from other people.

use std::fmt::Write as _;
use std::io::{self, ErrorKind, Write as _};
use std::sync::atomic::{AtomicBool, Ordering};

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

static IS_FULL: AtomicBool = AtomicBool::new(false);

/// Writes to stdout what is to be [`shown`]. Where it cannot be written, that is said once, and the command goes on:
/// what it does matters more. Nothing is said where nobody reads any more.
pub(super) fn out(text: &str) {
    let mut stdout = io::stdout().lock();
    let written = stdout.write_all(shown(text).as_bytes());
    if let Err(cause) = written.and_then(|()| stdout.flush())
        && cause.kind() != ErrorKind::BrokenPipe
        && !IS_FULL.swap(true, Ordering::Relaxed)
    {
        err(&format!("error: stdout cannot be written: {cause}\n"));
    }
}

/// The same to stderr, behind which there is nothing to say it on.
pub(super) fn err(text: &str) {
    let _ = io::stderr().write_all(shown(text).as_bytes());
}

/// The exit code of a command that would end with `code`, had all been written.
pub(super) fn exit_code(code: u8) -> u8 {
    match IS_FULL.load(Ordering::Relaxed) {
        true => code.max(1),
        false => code,
    }
}

/// In place of the standard library's, for all commands: nothing is printed around [`shown`].
macro_rules! print {
    ($($what:tt)*) => { $crate::cli::terminal::out(&format!($($what)*)) };
}
macro_rules! println {
    ($($what:tt)*) => { $crate::cli::terminal::out(&(format!($($what)*) + "\n")) };
}
macro_rules! eprintln {
    ($($what:tt)*) => { $crate::cli::terminal::err(&(format!($($what)*) + "\n")) };
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
