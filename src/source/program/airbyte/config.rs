//! Saves a configuration that the connector has changed, for example a refresh token.

use std::fs::{self, File};
use std::io::{self, Write as _};
use std::os::unix::fs::{MetadataExt, fchown};
use std::path::Path;

use super::message::AirbyteMessage;

/// Saves the configuration in a CONTROL message before anything else is read, as the old token may be invalid
/// already. Returns a remark.
pub(super) fn change(
    config: Option<&Path>,
    message: &AirbyteMessage<'_>,
) -> Result<Option<String>, String> {
    let Some(changed) = message.raw("/control/connectorConfig/config") else {
        return Ok(None);
    };
    if !changed.starts_with('{') {
        return Err("changes its configuration (CONTROL) to what is no object".to_owned());
    }
    let path = config
        .ok_or("changes its configuration (CONTROL), and there is no `config` to write that to")?;
    replace(path, changed).map_err(|cause| {
        format!(
            "changes its configuration, which cannot be written to `{}`: {cause}",
            path.display()
        )
    })?;
    Ok(Some(format!(
        "the connector changed its configuration: `{}` was written anew",
        path.display()
    )))
}

fn replace(path: &Path, content: &str) -> io::Result<()> {
    // Replace the file, not a link to it.
    let path = path.canonicalize()?;
    let folder = path.parent().unwrap_or(Path::new("/"));
    let mut new = tempfile::NamedTempFile::new_in(folder)?;
    new.write_all(content.as_bytes())?;
    let old = fs::metadata(&path)?;
    new.as_file().set_permissions(old.permissions())?;
    // Keeps the owner if we are root; otherwise it is ours already.
    let _ = fchown(new.as_file(), Some(old.uid()), Some(old.gid()));
    new.as_file().sync_all()?;
    new.persist(&path)?;
    File::open(folder)?.sync_all()
}
