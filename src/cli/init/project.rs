//! A folder to begin with: the pipeline, a database to try it on, a check for CI, and a README.

use crate::error::{Error, Result};
use std::fs;
use std::path::Path;

/// The other files of a project. `NAME` stands for the pipeline.
const FILES: [(&str, &str); 4] = [
    ("README.md", include_str!("project/README.md")),
    ("docker-compose.yml", include_str!("project/docker-compose.yml")),
    ("ci.sh", include_str!("project/ci.sh")),
    (".gitignore", ".sluice/\n"),
];

/// Writes a project whose first pipeline is `text`; nothing that is there is overwritten.
pub(super) fn write(folder: &Path, name: &str, text: &str) -> Result<()> {
    let pipeline = format!("pipelines/{name}.sql");
    let files: Vec<(&str, String)> = (FILES.iter())
        .map(|(path, text)| (*path, text.replace("NAME", name)))
        .chain([(&*pipeline, text.to_owned())])
        .collect();
    if let Some((path, _)) = files.iter().find(|(path, _)| folder.join(path).exists()) {
        return Err(Error::usage(format!(
            "{} is there already",
            folder.join(path).display()
        ))
        .next("name a new folder; for one more pipeline print it: sluice init ... > pipelines/NAME.sql"));
    }
    for (path, text) in &files {
        let path = folder.join(path);
        let failed =
            |cause| Error::failed(format!("{} cannot be written", path.display())).caused_by(cause);
        fs::create_dir_all(path.parent().unwrap_or(folder)).map_err(failed)?;
        fs::write(&path, text).map_err(failed)?;
        println!("{}", path.display());
    }
    Ok(())
}
