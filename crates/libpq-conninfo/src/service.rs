//! `pg_service.conf`: named groups of parameters.

use crate::conninfo::Parameters;
use crate::environment::Environment;
use crate::error::{Error, Result};
use std::path::PathBuf;

/// Where distributions compile libpq's system-wide folder to; `PGSYSCONFDIR` replaces it.
const SYSTEM_FOLDERS: [&str; 3] = ["/etc/postgresql-common", "/etc/sysconfig/pgsql", "/etc"];

/// The parameters of the service `name`: the user's file first, then the system's.
pub(crate) fn read(
    name: &str,
    file: Option<&str>,
    environment: &Environment,
) -> Result<Parameters> {
    let own = file
        .or_else(|| environment.get("PGSERVICEFILE"))
        .map(PathBuf::from)
        .or_else(|| environment.in_home(".pg_service.conf"));
    let system = match environment.get("PGSYSCONFDIR") {
        Some(folder) => vec![PathBuf::from(folder)],
        None => SYSTEM_FOLDERS.iter().map(PathBuf::from).collect(),
    };
    let files: Vec<PathBuf> = own
        .into_iter()
        .chain(system.into_iter().map(|folder| folder.join("pg_service.conf")))
        .collect();
    for path in &files {
        let Ok(text) = std::fs::read_to_string(path) else {
            continue;
        };
        let found = parse(&text, name)
            .map_err(|error| error.detail(format!("in the service file \"{}\"", path.display())))?;
        if let Some(parameters) = found {
            return Ok(parameters);
        }
    }
    let looked: Vec<String> = files.iter().map(|path| path.display().to_string()).collect();
    Err(Error::new(format!("definition of service \"{name}\" not found"))
        .detail(format!("looked in {}", looked.join(", ")))
        .next(format!("add a section [{name}] to one of these files, or set PGSERVICEFILE")))
}

/// The section `[name]` of a service file.
pub(crate) fn parse(text: &str, name: &str) -> Result<Option<Parameters>> {
    let mut found: Option<Parameters> = None;
    for (index, line) in text.lines().enumerate() {
        let line = line.trim();
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        if let Some(section) = line.strip_prefix('[') {
            if found.is_some() {
                break;
            }
            if section.trim_end_matches(']') == name {
                found = Some(Parameters::default());
            }
            continue;
        }
        let Some(parameters) = &mut found else {
            continue;
        };
        let at_line = |error: Error| error.detail(format!("line {}", index + 1));
        let Some((keyword, value)) = line.split_once('=') else {
            return Err(at_line(
                Error::new(format!("syntax error in service \"{name}\""))
                    .next("write keyword=value"),
            ));
        };
        if keyword == "service" || keyword == "servicefile" {
            return Err(at_line(Error::new(format!(
                "service \"{name}\" refers to another service"
            ))));
        }
        // The first setting in a section wins, as in libpq.
        if parameters.get(keyword).is_none() {
            parameters.set(keyword, value.to_owned()).map_err(at_line)?;
        }
    }
    Ok(found)
}
