//! The real binary, in words.

use super::TestDb;
use std::collections::HashMap;
use std::ffi::OsStr;
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};

/// Makes a program. A shell writes it: a program that is open for writing does not start, and
/// whatever another test starts at that moment has open what this process has.
pub fn write_program(path: &Path, text: &str) {
    let write = r#"printf %s "$1" >"$0" && chmod 755 "$0""#;
    let mut shell = Command::new("sh");
    let status = shell.args(["-c", write]).arg(path).arg(text).status();
    assert!(status.unwrap().success(), "{}", path.display());
}

/// A command line of `sluice`, cut off from the environment of the test.
pub struct Sluice {
    command: Command,
}

impl Sluice {
    /// `sluice` on no database in particular.
    pub fn bare() -> Self {
        let mut command = Command::new(env!("CARGO_BIN_EXE_sluice"));
        for (name, _) in std::env::vars_os() {
            let name = name.to_string_lossy();
            let is_ours = name.starts_with("PG") && name != "PG_BIN"
                || ["SLUICE", "AWS_", "AZURE_", "GOOGLE_"]
                    .iter()
                    .any(|prefix| name.starts_with(prefix))
                || name == "DATABASE_URL"
                || name == "RUST_LOG";
            if is_ours {
                command.env_remove(&*name);
            }
        }
        command
            .env("SLUICE_ALLOW_ENV", "*")
            .env("SLUICE_ALLOW_FILES", "*")
            .env("SLUICE_ALLOW_HOSTS", "*")
            .env("SLUICE_ALLOW_PROGRAMS", "*")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        Sluice { command }
    }

    /// `sluice` on `db`.
    pub fn on(db: &TestDb) -> Self {
        Self::bare().env("DATABASE_URL", &db.url)
    }

    pub fn args<A: AsRef<OsStr>>(mut self, args: impl IntoIterator<Item = A>) -> Self {
        self.command.args(args);
        self
    }

    pub fn env(mut self, name: &str, value: impl AsRef<OsStr>) -> Self {
        self.command.env(name, value);
        self
    }

    pub fn without(mut self, name: &str) -> Self {
        self.command.env_remove(name);
        self
    }

    pub fn current_dir(mut self, dir: &Path) -> Self {
        self.command.current_dir(dir);
        self
    }

    /// Lets it read `input` on standard input.
    pub fn stdin(mut self, input: impl Into<Stdio>) -> Self {
        self.command.stdin(input);
        self
    }

    /// Lets it write to `output`.
    pub fn stdout(mut self, output: impl Into<Stdio>) -> Self {
        self.command.stdout(output);
        self
    }

    pub fn stderr(mut self, output: impl Into<Stdio>) -> Self {
        self.command.stderr(output);
        self
    }

    /// Runs it to its end.
    pub fn run(mut self) -> Done {
        Done::of(self.command.output().unwrap())
    }

    /// Runs it to its end with `input` on standard input.
    pub fn run_with_input(mut self, input: &[u8]) -> Done {
        let mut child = self.command.stdin(Stdio::piped()).spawn().unwrap();
        let mut stdin = child.stdin.take().unwrap();
        let input = input.to_vec();
        let writer = std::thread::spawn(move || {
            use std::io::Write;
            // It may stop reading early.
            let _ = stdin.write_all(&input);
        });
        let done = Done::of(child.wait_with_output().unwrap());
        writer.join().unwrap();
        done
    }

    /// Starts it, to be killed, stopped or waited for.
    pub fn spawn(mut self) -> Child {
        self.command.spawn().unwrap()
    }
}

/// A finished `sluice`.
#[derive(Debug)]
pub struct Done {
    pub code: Option<i32>,
    pub stdout: String,
    pub stderr: String,
}

impl Done {
    pub fn of(output: Output) -> Self {
        Done {
            code: output.status.code(),
            stdout: String::from_utf8(output.stdout).unwrap(),
            stderr: String::from_utf8(output.stderr).unwrap(),
        }
    }

    /// Insists on an exit code.
    #[track_caller]
    pub fn exits(self, code: i32) -> Self {
        assert_eq!(self.code, Some(code), "stdout:\n{}\nstderr:\n{}", self.stdout, self.stderr);
        self
    }

    /// The summary line: the last on stdout.
    #[track_caller]
    pub fn summary(&self) -> Summary {
        Summary::of(self.stdout.lines().last().unwrap_or_default())
    }
}

/// A summary line taken apart.
#[derive(Debug)]
pub struct Summary {
    pub pipeline: String,
    pub outcome: String,
    pub values: HashMap<String, String>,
}

impl Summary {
    #[track_caller]
    pub fn of(line: &str) -> Self {
        let mut words = line.split(' ');
        Summary {
            pipeline: words.next().unwrap_or_default().to_owned(),
            outcome: words.next().unwrap_or_default().to_owned(),
            values: words
                .map(|word| {
                    let (name, value) =
                        word.split_once('=').unwrap_or_else(|| panic!("no key=value: {line}"));
                    (name.to_owned(), value.to_owned())
                })
                .collect(),
        }
    }

    /// A counter.
    #[track_caller]
    pub fn count(&self, name: &str) -> i64 {
        self.values[name].parse().unwrap()
    }
}
