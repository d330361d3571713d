//! A connector's configuration, as it changes it: a token that is good for one use, mostly.

use std::fs::{self, File};
use std::io::{self, Write as _};
use std::path::Path;

/// Writes it in the place of the old one, at once and before anything else is read: the old token may
/// be worth nothing any more. What to say of it.
pub(super) fn save(path: &Path, changed: &str) -> Result<String, String> {
    replace(path, changed).map_err(|cause| {
        format!(
            "changes its configuration, which cannot be written to `{}`: {cause}",
            path.display()
        )
    })?;
    Ok(format!(
        "the connector changed its configuration: `{}` was written anew",
        path.display()
    ))
}

fn replace(path: &Path, content: &str) -> io::Result<()> {
    // The file, not a link to it.
    let path = path.canonicalize()?;
    let folder = path.parent().unwrap_or(Path::new("/"));
    let mut new = tempfile::NamedTempFile::new_in(folder)?;
    new.write_all(content.as_bytes())?;
    new.as_file()
        .set_permissions(fs::metadata(&path)?.permissions())?;
    new.as_file().sync_all()?;
    new.persist(&path)?;
    File::open(folder)?.sync_all()
}
