//! What pipelines may use of the machine on which the loader runs.
//!
//! A pipeline is a row in a database that many may write; the machine has an owner, and only
//! that one gives: environment variables, folders, hosts, programs. Nothing is given by default,
//! unless the database is the loader's own.

use crate::error::{Error, Result};
use std::os::unix::fs::PermissionsExt;
use std::path::{Component, Path, PathBuf};
use std::sync::Arc;

/// The variable, and the flag, that give environment variables: `SHOP_TOKEN,STRIPE_*`.
pub const ALLOW_ENV: &str = "SLUICE_ALLOW_ENV";
/// The one that gives folders, and all that is in them: `/srv/drops:/srv/archive`.
pub const ALLOW_FILES: &str = "SLUICE_ALLOW_FILES";
/// The one that gives hosts and buckets: `api.shop.example,*.cdn.example:8443,s3://drops`.
pub const ALLOW_HOSTS: &str = "SLUICE_ALLOW_HOSTS";
/// The one that gives programs, and those in folders: `/srv/taps:/usr/bin/jq`.
pub const ALLOW_PROGRAMS: &str = "SLUICE_ALLOW_PROGRAMS";

/// What this host gives to pipelines. Cheap to clone.
#[derive(Debug, Clone, Default)]
pub struct HostRules {
    env: Given,
    files: Given,
    hosts: Given,
    programs: Given,
}

/// What the owner wrote; `None`: everything.
#[derive(Debug, Clone, Default)]
struct Given(Option<Arc<[String]>>);

impl HostRules {
    /// Gives everything except what the loader connects with.
    pub fn open() -> Self {
        Self::default()
    }

    /// Gives all; programs are looked for in `places`, written as of the variable, before others.
    pub fn with_programs(places: Option<&str>) -> Self {
        let places = places.map(|places| format!("{places}:*"));
        Self::new(true, None, None, None, places.as_deref())
    }

    /// Gives what is listed, as in the variables. What is not listed at all is `open` or closed.
    pub fn new(
        open: bool,
        env: Option<&str>,
        files: Option<&str>,
        hosts: Option<&str>,
        programs: Option<&str>,
    ) -> Self {
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
            programs: given(programs, ':'),
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

    /// Whether a path that was found in a folder leads out of it, to a place that no other rule gives.
    pub fn leads_out(&self, folder: &Path, path: &Path) -> bool {
        let (folder, real) = (real(folder), real(path));
        let is_given = |entry: &str| {
            let entry = self::real(Path::new(entry));
            real.starts_with(&entry) && !folder.starts_with(&entry)
        };
        let mut entries = self.files.0.iter().flat_map(|entries| entries.iter());
        !real.starts_with(&folder) && !entries.any(|entry| entry != "*" && is_given(entry))
    }

    /// Where the program that a pipeline names is: one of those that are given, or of all that the loader
    /// itself would find.
    pub fn program(&self, name: &str) -> Result<PathBuf> {
        if name.is_empty() || name.contains('/') || name == "." || name == ".." {
            return Err(Error::usage(format!("the program \"{name}\" cannot be a path"))
                .next(format!("give its name alone, and where it is in {ALLOW_PROGRAMS}")));
        }
        let path = std::env::var_os("PATH").unwrap_or_default();
        let usual = || {
            let mut folders = std::env::split_paths(&path).map(|folder| folder.join(name));
            folders.find(|path| is_program(path))
        };
        let found = match &self.programs.0 {
            None => usual(),
            Some(entries) => entries.iter().find_map(|entry| match entry.as_str() {
                "*" => usual(),
                entry => named_in(entry, name).filter(|path| is_program(path)),
            }),
        };
        found.ok_or_else(|| {
            let entries = self.programs.0.as_deref().unwrap_or_default();
            let mut named = entries.iter().filter_map(|entry| named_in(entry, name));
            if let Some(path) = named.find(|path| path.is_file()) {
                let path = path.display();
                return Error::usage(format!("the program \"{path}\" may not be executed"))
                    .next(format!("chmod +x {path}"));
            }
            if self.programs.0.is_none() {
                return Error::usage(format!("there is no program \"{name}\""))
                    .next("install it, or put its folder into PATH");
            }
            let wanted = usual().unwrap_or_else(|| PathBuf::from(format!("/path/to/{name}")));
            let what = format!("the program \"{name}\"");
            let wanted = wanted.display().to_string();
            let error = self.programs.refusal(&what, ALLOW_PROGRAMS, ':', &wanted);
            match programs_in(entries) {
                there if there.is_empty() => error,
                there => error.detail(format!("it gives {}", there.join(", "))),
            }
        })
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
        let mut entries: Vec<&str> =
            self.0.iter().flat_map(|all| all.iter()).map(String::as_str).collect();
        let now = match entries.is_empty() {
            true => format!("{setting} gives nothing"),
            false => format!("{setting} is \"{}\"", entries.join(&separator.to_string())),
        };
        entries.push(wanted);
        Error::usage(format!("the pipeline asks for {what} which this host does not give"))
            .detail(now)
            .next(format!(
                "if you run this host and trust whoever defines pipelines: {setting}={}",
                entries.join(&separator.to_string())
            ))
    }
}

/// Where an entry would have the program.
fn named_in(entry: &str, name: &str) -> Option<PathBuf> {
    let entry = PathBuf::from(entry);
    let path = if entry.is_dir() { entry.join(name) } else { entry };
    path.file_name().is_some_and(|file| file == name).then_some(path)
}

/// The names of the programs in folders, and of those that are entries themselves; not of folders with many.
fn programs_in(entries: &[String]) -> Vec<String> {
    const MOST: usize = 20;
    let there = entries.iter().flat_map(|entry| match std::fs::read_dir(entry) {
        Ok(files) => files.flatten().map(|file| file.path()).take(10 * MOST).collect(),
        Err(_) => vec![PathBuf::from(entry)],
    });
    let name = |path: PathBuf| Some(path.file_name()?.to_string_lossy().into_owned());
    let mut names: Vec<String> = there.filter(|path| is_program(path)).filter_map(name).collect();
    names.sort_unstable();
    names.dedup();
    if names.len() > MOST { Vec::new() } else { names }
}

/// Whether there is a file that may be started.
fn is_program(path: &Path) -> bool {
    let found = std::fs::metadata(path);
    found.is_ok_and(|meta| meta.is_file() && meta.permissions().mode() & 0o111 != 0)
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

/// Where a path leads. If it does not exist, as far as that can be said.
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
