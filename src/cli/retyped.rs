//! Adds the options of this call to the next step of an error: the engine knows the command, but not its options.

use super::args::Loading;
use super::context::{Context, holds_password};
use crate::error::Error;
use crate::host::{ALLOW_ENV, ALLOW_FILES, ALLOW_HOSTS, ALLOW_PROGRAMS};

/// The flags of this call without which the same command would read something else, or be refused.
pub(super) struct Flags<'a>(Vec<(&'static str, &'a str)>);

impl<'a> Flags<'a> {
    pub(super) fn of(context: &'a Context, loading: &'a Loading) -> Self {
        let host = &loading.host;
        let of_host = [
            ("allow-env", &host.allow_env, ALLOW_ENV),
            ("allow-files", &host.allow_files, ALLOW_FILES),
            ("allow-hosts", &host.allow_hosts, ALLOW_HOSTS),
            ("allow-programs", &host.allow_programs, ALLOW_PROGRAMS),
        ];
        // What the environment says holds for the next call as well.
        let said = |value: &str, variable: &str| std::env::var(variable).as_deref() != Ok(value);
        let of_host = of_host.into_iter().filter_map(|(name, value, variable)| {
            let value = value.as_deref()?;
            said(value, variable).then_some((name, value))
        });
        let database = context.database_url().filter(|url| said(url, "DATABASE_URL"));
        let database =
            database.map(|url| ("database-url", if has_secret(url) { "..." } else { url }));
        Flags(database.into_iter().chain(of_host).collect())
    }

    /// The same with one more, if it was given.
    pub(super) fn with(mut self, name: &'static str, value: Option<&'a str>) -> Self {
        self.0.extend(value.map(|value| (name, value)));
        self
    }

    /// The error with these flags behind each `sluice run PIPELINE` in it.
    pub(super) fn behind_run_of(&self, pipeline: &str, error: Error) -> Error {
        let bare = format!("sluice run {pipeline}");
        let pipe = match self.0.contains(&("path", "-")) {
            true => "... | ",
            false => "",
        };
        error.reworded(|text| {
            let mut parts = text.split(&bare);
            let mut typed = parts.next().unwrap_or_default().to_owned();
            for part in parts {
                // The name of another pipeline may begin with this name.
                let is_longer =
                    part.starts_with(|c: char| c.is_ascii_alphanumeric() || "_.-".contains(c));
                typed.push_str(if is_longer { "" } else { pipe });
                typed.push_str(&bare);
                if !is_longer {
                    typed.push_str(&self.unless_in(part));
                }
                typed.push_str(part);
            }
            typed
        })
    }

    /// But for those that the command has already.
    fn unless_in(&self, rest: &str) -> String {
        let command = rest.split(['"', '`']).next().unwrap_or_default();
        let is_missing = |name: &str| !command.contains(&format!(" --{name} "));
        let flags = self.0.iter().filter(|(name, _)| is_missing(name));
        flags.map(|(name, value)| format!(" --{name} {}", shell_word(value))).collect()
    }
}

/// Whether a connection string contains a password, even if only that of a key.
fn has_secret(url: &str) -> bool {
    url.contains("password=") || holds_password(url)
}

/// A word, quoted for the shell.
fn shell_word(word: &str) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "-_./:,=@%+".contains(c);
    match !word.is_empty() && word.chars().all(is_plain) {
        true => word.to_owned(),
        false => format!("'{}'", word.replace('\'', r"'\''")),
    }
}
