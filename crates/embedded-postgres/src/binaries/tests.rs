use super::*;
use std::os::unix::fs::PermissionsExt;

/// Written by a shell: a program that is open for writing does not start, and whatever another
/// thread starts at that moment has open what this process has.
fn write_program(path: &Path, text: &str) {
    let write = r#"printf %s "$1" >"$0" && chmod 755 "$0""#;
    let mut shell = std::process::Command::new("sh");
    let status = shell.args(["-c", write]).arg(path).arg(text).status();
    assert!(status.unwrap().success(), "{}", path.display());
}

/// Folders with programs that do what `postgres` is told to do here.
struct Machine(tempfile::TempDir);

impl Machine {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let open = std::fs::Permissions::from_mode(0o755);
        std::fs::set_permissions(folder.path(), open).unwrap();
        Machine(folder)
    }

    fn folder(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn has(self, name: &str, postgres: &str) -> Self {
        let folder = self.folder(name);
        std::fs::create_dir(&folder).unwrap();
        for (program, text) in [("postgres", postgres), ("initdb", ":"), ("pg_ctl", ":")] {
            write_program(&folder.join(program), &format!("#!/bin/sh\n{text}\n"));
        }
        self
    }

    fn with(self, majors: &[u32]) -> Self {
        majors.iter().fold(self, |machine, major| {
            machine.has(&major.to_string(), &format!("echo 'postgres (PostgreSQL) {major}.1'"))
        })
    }

    /// What is chosen of the folders of these names.
    fn search(&self, names: &[&str], existing: &[u32]) -> Result<u32> {
        let postgres = EmbeddedPostgres::new("/home/.postgres", "shop")
            .home_is_chosen_by("set SHOP_HOME to")
            .or_instead("use a server: set SHOP_URL");
        let mut search = Search::new(existing);
        search
            .through(names.iter().map(|name| self.folder(name)), &Account::Own)
            .map(|binaries| binaries.major)
            .ok_or_else(|| search.in_vain(&postgres.home, &postgres))
    }
}

#[test]
fn versions_are_read_from_what_postgres_prints() {
    assert_eq!(parse_major("postgres (PostgreSQL) 15.18 (Debian 15.18-1)\n"), Some(15));
    assert_eq!(parse_major("postgres (PostgreSQL) 18beta1"), Some(18));
    assert_eq!(parse_major("postgres (PostgreSQL) 19devel"), Some(19));
    assert_eq!(parse_major("EnterpriseDB"), None);
}

#[test]
fn an_existing_cluster_decides_the_version() {
    let machine = Machine::new().with(&[14, 15, 16, 17, 19]);
    assert_eq!(machine.search(&["17", "15"], &[]).unwrap(), 17);
    assert_eq!(machine.search(&["17", "15"], &[15]).unwrap(), 15);
    assert_eq!(machine.search(&["14", "19", "16"], &[]).unwrap(), 16);
}

#[test]
fn a_cluster_of_a_version_not_installed_is_refused() {
    let error = Machine::new().with(&[17]).search(&["17"], &[15]).unwrap_err();
    assert!(!error.is_not_installed);
    let message = error.to_string();
    for words in ["was made by PostgreSQL 15", "/17: 17", "set SHOP_HOME to another folder"] {
        assert!(message.contains(words), "{message}");
    }
}

#[test]
fn nothing_usable_names_every_way_out() {
    let error = Machine::new().search(&["nothing"], &[]).unwrap_err();
    assert!(error.is_not_installed);
    let nothing = error.to_string();
    for way in ["apt-get install postgresql", "dnf", "brew", "PG_BIN", "use a server: set SHOP_URL"]
    {
        assert!(nothing.contains(way), "{nothing}");
    }
    let error = Machine::new().with(&[14]).search(&["14"], &[]).unwrap_err();
    let old = error.to_string();
    assert!(error.is_not_installed && old.contains("15 to 18") && old.contains("/14: 14"), "{old}");
}

#[test]
fn programs_that_do_not_run_are_passed_over_and_named() {
    let machine = Machine::new()
        .has("libc", "echo 'postgres: version GLIBC_2.99 not found' >&2; exit 1")
        .has("arch", "")
        .with(&[16]);
    write_program(&machine.folder("arch").join("postgres"), "\x7fELF\x02\x01\x01");
    assert_eq!(machine.search(&["libc", "arch", "16"], &[]).unwrap(), 16);
    let message = machine.search(&["libc", "arch"], &[]).unwrap_err().to_string();
    for words in ["GLIBC_2.99 not found", "made for another machine"] {
        assert!(message.contains(words), "{message}");
    }
}

#[test]
fn pg_bin_must_hold_the_programs() {
    let message = named(OsStr::new("/nonexistent")).unwrap_err().to_string();
    assert!(message.contains("PG_BIN is \"/nonexistent\""), "{message}");
}
