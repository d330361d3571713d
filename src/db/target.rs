//! Decides which database to use: `--database-url`, `DATABASE_URL`, libpq's variables and files, else the embedded
//! server.

use crate::error::{Error, Result};
use libpq_conninfo::{Environment, Settings};

/// The database to work on.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(clippy::large_enum_variant, reason = "there is one per process")]
pub enum Target {
    /// A server the user named.
    Server(Settings),
    /// Nobody named a server: the private one under `.sluice/`.
    Embedded,
}

impl Target {
    /// Finds the target: `database_url` (the `--database-url` flag), else `DATABASE_URL`,
    /// else libpq's environment, else the embedded server.
    pub fn resolve(database_url: Option<&str>, environment: &Environment) -> Result<Target> {
        let (conninfo, origin) = match (database_url, environment.set("DATABASE_URL")) {
            (Some(flag), _) => (flag, "--database-url"),
            (None, Some(url)) => (url, "DATABASE_URL"),
            (None, None) => {
                return Ok(match Settings::from_environment(environment)? {
                    Some(settings) => Target::Server(settings),
                    None => Target::Embedded,
                });
            }
        };
        // Most likely a variable that the caller did not set, rather than a wish for another server.
        if conninfo.trim().is_empty() {
            return Err(Error::usage(format!("{origin} is empty")).next(format!(
                "set it to postgresql://user@host:5432/database; without {origin} libpq's PG* variables \
                 count, else the embedded server is used"
            )));
        }
        let settings = Settings::parse(conninfo, environment)
            .map_err(|error| error.detail(format!("this was read from {origin}")))?;
        Ok(Target::Server(settings))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    type Variables<'a> = &'a [(&'a str, &'a str)];

    fn resolve(url: Option<&str>, variables: Variables<'_>) -> Target {
        let environment = Environment::of("ann", "/nonexistent", variables.iter().copied());
        Target::resolve(url, &environment).unwrap()
    }

    fn server(url: Option<&str>, variables: Variables<'_>) -> String {
        match resolve(url, variables) {
            Target::Server(settings) => settings.to_string(),
            Target::Embedded => panic!("no server"),
        }
    }

    #[test]
    fn nothing_set_means_the_embedded_server() {
        assert_eq!(resolve(None, &[]), Target::Embedded);
        assert_eq!(resolve(None, &[("PGPASSWORD", "x")]), Target::Embedded);
    }

    #[test]
    fn an_empty_name_of_a_server_is_an_error_wherever_it_stands() {
        let environment = Environment::of("ann", "/", [("DATABASE_URL", ""), ("PGHOST", "h")]);
        for (flag, origin) in [(None, "DATABASE_URL"), (Some(" "), "--database-url")] {
            let error = Target::resolve(flag, &environment).unwrap_err();
            assert_eq!(error.message(), format!("{origin} is empty"));
        }
    }

    #[test]
    fn the_flag_wins_over_database_url_and_that_over_libpq_variables() {
        let variables =
            [("DATABASE_URL", "postgres://b@two/db"), ("PGHOST", "three"), ("PGPORT", "9")];
        let flag = Some("postgres://a@one:1/db");
        assert_eq!(server(flag, &variables), "a@one:1/db");
        assert_eq!(server(None, &variables), "b@two:9/db");
        assert_eq!(server(None, &variables[1..]), "ann@three:9/ann");
    }

    #[test]
    fn a_bad_connection_string_is_reported_with_where_it_was_read() {
        let environment = Environment::of("ann", "/", [("DATABASE_URL", "mysql://root@h/d")]);
        let message = Target::resolve(None, &environment).unwrap_err().to_string();
        assert!(message.contains("this was read from DATABASE_URL"), "{message}");
    }
}
