//! The process environment as a value, so that tests can make one up.

use std::collections::BTreeMap;
use std::path::PathBuf;

/// Environment variables and who is asking. An empty variable counts as unset.
#[derive(Debug, Clone, Default)]
pub struct Environment {
    variables: BTreeMap<String, String>,
    os_user: Option<String>,
    home: Option<PathBuf>,
}

impl Environment {
    /// The environment of this process.
    pub fn of_process() -> Self {
        let account = nix::unistd::User::from_uid(nix::unistd::geteuid()).ok().flatten();
        // A variable that is not UTF-8 cannot be a parameter of the protocol either.
        let variables: BTreeMap<_, _> = std::env::vars_os()
            .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
            .collect();
        let home = std::env::home_dir().or_else(|| account.as_ref().map(|user| user.dir.clone()));
        Environment { variables, os_user: account.map(|user| user.name), home }
    }

    /// An environment of `variables`, for the operating system's user `os_user`.
    pub fn of<'a>(
        os_user: &str,
        home: impl Into<PathBuf>,
        variables: impl IntoIterator<Item = (&'a str, &'a str)>,
    ) -> Self {
        Environment {
            variables: variables
                .into_iter()
                .map(|(name, value)| (name.to_owned(), value.to_owned()))
                .collect(),
            os_user: Some(os_user.to_owned()),
            home: Some(home.into()),
        }
    }

    /// The value of a variable that is set, be it to nothing.
    pub fn set(&self, name: &str) -> Option<&str> {
        self.variables.get(name).map(String::as_str)
    }

    /// The value of a variable that is set and not empty.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.set(name).filter(|value| !value.is_empty())
    }

    /// The name of the operating system's user.
    pub fn os_user(&self) -> Option<&str> {
        self.os_user.as_deref()
    }

    /// A file in the user's home folder.
    pub fn in_home(&self, name: &str) -> Option<PathBuf> {
        self.home.as_ref().map(|home| home.join(name))
    }
}
