//! What pipelines may touch on the machine where the loader runs.
//!
//! A pipeline is a row in a database that many may write; the machine has an owner, and only
//! that one gives: environment variables, folders, hosts. Nothing is given by default, unless
//! the database is the loader's own.

use crate::error::{Error, Result};
use std::path::{Component, Path, PathBuf};
use std::sync::Arc;

/// The variable, and the flag, that give environment variables: `SHOP_TOKEN,STRIPE_*`.
pub const ALLOW_ENV: &str = "SLUICE_ALLOW_ENV";
/// The one that gives folders, and all that is in them: `/srv/drops:/srv/archive`.
pub const ALLOW_FILES: &str = "SLUICE_ALLOW_FILES";
/// The one that gives hosts and buckets: `api.shop.example,*.cdn.example:8443,s3://drops`.
pub const ALLOW_HOSTS: &str = "SLUICE_ALLOW_HOSTS";

/// What this host gives to pipelines. Cheap to clone.
#[derive(Debug, Clone, Default)]
pub struct HostRules {
    env: Given,
    files: Given,
    hosts: Given,
}

/// What the owner wrote; `None`: everything.
#[derive(Debug, Clone, Default)]
struct Given(Option<Arc<[String]>>);

impl HostRules {
    /// Gives everything, but for what the loader connects with.
    pub fn open() -> Self {
        Self::default()
    }

    /// Gives what is written in lists as of the variables. What is not written at all is
    /// `open` or closed.
    pub fn new(open: bool, env: Option<&str>, files: Option<&str>, hosts: Option<&str>) -> Self {
        let given = |list: Option<&str>, separator: char| match list {
            None if open => Given(None),
            list => Given(Some(
                list.unwrap_or_default()
                    .split(separator)
                    .map(str::trim)
                    .filter(|entry| !entry.is_empty())
                    .map(str::to_owned)
                    .collect(),
            )),
        };
        HostRules {
            env: given(env, ','),
            files: given(files, ':'),
            hosts: given(hosts, ','),
        }
    }

    /// The value of an environment variable.
    pub fn env(&self, name: &str) -> Result<String> {
        if is_the_loaders(name) {
            return Err(Error::usage(format!(
                "the environment variable \"{name}\" is the loader's own and never given to a pipeline"
            ))
            .next("put the pipeline's secret into a variable of its own"));
        }
        if !self.env.has(|entry| fits(entry, name)) {
            let what = format!("the environment variable \"{name}\"");
            return Err(self.env.refusal(&what, ALLOW_ENV, ',', name));
        }
        std::env::var(name).map_err(|cause| {
            Error::usage(format!(
                "the environment variable `{name}` with the credential is not set"
            ))
            .caused_by(cause)
            .next("set it for the process that runs sluice")
        })
    }

    /// Whether a file or a folder may be read. Links count as what they lead to.
    pub fn file(&self, path: &Path) -> Result<()> {
        let real = real(path);
        let inside = |folder: &str| real.starts_with(self::real(Path::new(folder)));
        if self.files.has(|entry| entry == "*" || inside(entry)) {
            return Ok(());
        }
        let what = match std::fs::symlink_metadata(path) {
            Ok(found) if found.is_symlink() => {
                format!("\"{}\", a link to \"{}\",", path.display(), real.display())
            }
            _ => format!("\"{}\"", path.display()),
        };
        let folder = match real.is_dir() {
            true => &real,
            false => real.parent().unwrap_or(&real),
        };
        let folder = folder.display().to_string();
        Err(self.files.refusal(&what, ALLOW_FILES, ':', &folder))
    }

    /// Whether a host may be talked to: `api.shop.example:443`, or a bucket: `s3://drops`.
    pub fn host(&self, host: &str) -> Result<()> {
        let name = match host.rsplit_once(':') {
            Some((name, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => name,
            _ => host,
        };
        let is_given = |entry: &str| {
            let entry = entry.to_ascii_lowercase();
            fits(&entry, &host.to_ascii_lowercase()) || fits(&entry, &name.to_ascii_lowercase())
        };
        if self.hosts.has(is_given) {
            return Ok(());
        }
        let what = match host.contains("://") {
            true => format!("the bucket \"{host}\""),
            false => format!("the host \"{host}\""),
        };
        Err(self.hosts.refusal(&what, ALLOW_HOSTS, ',', name))
    }
}

impl Given {
    fn has(&self, fits: impl Fn(&str) -> bool) -> bool {
        match &self.0 {
            None => true,
            Some(entries) => entries.iter().any(|entry| fits(entry)),
        }
    }

    /// Names the setting, and what it would have to say.
    fn refusal(&self, what: &str, setting: &str, separator: char, wanted: &str) -> Error {
        let mut entries: Vec<&str> = self
            .0
            .iter()
            .flat_map(|all| all.iter())
            .map(String::as_str)
            .collect();
        let now = match entries.is_empty() {
            true => format!("{setting} gives nothing"),
            false => format!("{setting} is \"{}\"", entries.join(&separator.to_string())),
        };
        entries.push(wanted);
        Error::usage(format!(
            "the pipeline asks for {what} which this host does not give"
        ))
        .detail(now)
        .next(format!(
            "if you run this host and trust whoever defines pipelines: {setting}={}",
            entries.join(&separator.to_string())
        ))
    }
}

/// What the loader connects with.
fn is_the_loaders(name: &str) -> bool {
    name == "DATABASE_URL" || name.starts_with("PG")
}

/// Whether a name fits an entry, in which `*` stands for any characters.
fn fits(entry: &str, name: &str) -> bool {
    match entry.split_once('*') {
        None => entry == name,
        Some((start, rest)) => name.strip_prefix(start).is_some_and(|name| {
            (0..=name.len()).any(|at| name.is_char_boundary(at) && fits(rest, &name[at..]))
        }),
    }
}

/// Where a path leads to. Of one that is not there, as far as it can be said.
fn real(path: &Path) -> PathBuf {
    if let Ok(found) = path.canonicalize() {
        return found;
    }
    let absolute = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    let mut real = PathBuf::new();
    for part in absolute.components() {
        match part {
            Component::ParentDir => drop(real.pop()),
            part => real.push(part),
        }
        if let Ok(found) = real.canonicalize() {
            real = found;
        }
    }
    real
}

#[cfg(test)]
mod tests;
