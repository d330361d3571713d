//! npm's packages hold no symbolic links: a list of them is beside the programs, and a script
//! that many forbid npm to run would make them.

use crate::error::{Error, Result};
use serde::Deserialize;
use std::io::ErrorKind;
use std::path::{Component, Path};

#[derive(Deserialize)]
struct Link {
    /// The file, seen from the package's folder.
    source: String,
    /// The link to make, seen from there, too.
    target: String,
}

/// Makes the links that the programs in `bin` need, if they are of such a package.
pub(crate) fn restore(bin: &Path) -> Result<()> {
    let Some(native) = bin.parent() else {
        return Ok(());
    };
    let list = native.join("pg-symlinks.json");
    let failed = |cause: Box<dyn std::error::Error + Send + Sync>| {
        Error::failed(format!("the links in \"{}\" cannot be made: {cause}", list.display()))
    };
    let text = match std::fs::read(&list) {
        Ok(text) => text,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(failed(error.into())),
    };
    let links: Vec<Link> = serde_json::from_slice(&text).map_err(|error| failed(error.into()))?;
    let package = native.parent().unwrap_or(native);
    for Link { source, target } in links {
        let (source, link) = (Path::new(&source), Path::new(&target));
        if !stays_inside(source) || !stays_inside(link) {
            return Err(failed(format!("{target} leads out of the package").into()));
        }
        // From the link's folder up to the package, and down to the file.
        let up = "../".repeat(link.components().count().saturating_sub(1));
        match std::os::unix::fs::symlink(Path::new(&up).join(source), package.join(link)) {
            Ok(()) => {}
            Err(error) if error.kind() == ErrorKind::AlreadyExists => {}
            Err(error) => return Err(failed(error.into())),
        }
    }
    Ok(())
}

fn stays_inside(path: &Path) -> bool {
    path.components().all(|component| matches!(component, Component::Normal(_)))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn links_are_made_once_and_only_inside_the_package() {
        let package = tempfile::tempdir().unwrap();
        let (bin, lib) = (package.path().join("native/bin"), package.path().join("native/lib"));
        std::fs::create_dir_all(&bin).unwrap();
        std::fs::create_dir_all(&lib).unwrap();
        restore(&bin).unwrap();
        std::fs::write(lib.join("libpq.so.5.18"), "here").unwrap();
        let list = package.path().join("native/pg-symlinks.json");
        std::fs::write(
            &list,
            r#"[{"source":"native/lib/libpq.so.5.18","target":"native/lib/libpq.so.5"}]"#,
        )
        .unwrap();
        for _ in 0..2 {
            restore(&bin).unwrap();
            assert_eq!(std::fs::read_to_string(lib.join("libpq.so.5")).unwrap(), "here");
        }
        std::fs::write(&list, r#"[{"source":"native/lib/x","target":"../x"}]"#).unwrap();
        let message = restore(&bin).unwrap_err().to_string();
        assert!(message.contains("../x leads out"), "{message}");
    }
}
