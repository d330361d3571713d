//! Lists what an upgrade changes, by name: easier to review than thousands of lines of SQL.

use super::bundle::Bundle;
use crate::error::Result;
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use tokio_postgres::Client;

/// The engine's functions, as they are in the database beside those of this binary.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Functions {
    /// That are not there yet.
    pub new: Vec<String>,
    /// That are there with another body.
    pub changed: Vec<String>,
    /// That are there and will not be any more.
    pub dropped: Vec<String>,
    /// Those that are not as sluice installed them, with the types of their arguments: an edit that will be
    /// lost. None if the installing version did not note what it installed.
    pub edited: Option<Vec<String>>,
}

impl Functions {
    pub(super) async fn of(client: &Client, bundle: &Bundle) -> Result<Self> {
        let mut installed: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for row in client.query_typed(INSTALLED, &[]).await? {
            let bodies = installed.entry(row.get(0)).or_default();
            bodies.push(row.get(1));
        }
        let edited = edited(client).await?;
        let names: BTreeSet<&str> = bundle.functions().collect();
        let is_known = |name: &&str| installed.contains_key(*name);
        let (there, new): (Vec<&str>, Vec<&str>) = names.iter().copied().partition(is_known);
        let changed = there.iter().filter(|name| {
            let bodies = &installed[**name];
            bodies.len() != bundle.functions().filter(|it| it == *name).count()
                || bodies.iter().any(|body| !bundle.has_body(name, body))
        });
        let dropped = installed.keys().filter(|name| !names.contains(name.as_str()));
        Ok(Functions {
            new: new.into_iter().map(str::to_owned).collect(),
            changed: changed.map(|name| (*name).to_owned()).collect(),
            dropped: dropped.cloned().collect(),
            edited,
        })
    }

    pub(super) fn are_edited(&self) -> bool {
        self.edited.as_ref().is_some_and(|edited| !edited.is_empty())
    }

    /// In lines.
    pub(super) fn told(&self) -> String {
        let mut told = String::new();
        for (what, names) in [
            ("new functions", &self.new),
            ("other functions", &self.changed),
            ("functions that go", &self.dropped),
        ] {
            told.push_str(&list(what, names));
        }
        match &self.edited {
            Some(edited) if edited.is_empty() => {}
            Some(edited) => told.push_str(&list("edited by hand, and will be lost", edited)),
            None => told.push_str(
                "  whether functions were edited by hand, the engine that is there cannot tell\n",
            ),
        }
        told
    }
}

/// Those that an upgrade drops, with their bodies.
const INSTALLED: &str = "select p.proname::text, p.prosrc from pg_catalog.pg_proc p
  where p.pronamespace = 'sluice'::regnamespace
    and p.proname = any (array(select unnest(e.routines) from sluice.engine e))";

async fn edited(client: &Client) -> Result<Option<Vec<String>>> {
    let known = "select pg_catalog.to_regproc('sluice._edited_routines') is not null";
    if !client.query_typed_one(known, &[]).await?.get::<_, bool>(0) {
        return Ok(None);
    }
    let edited = client.query_typed_one("select sluice._edited_routines()", &[]).await?;
    Ok(edited.get(0))
}

/// A line's.
const WIDTH: usize = 110;

/// How many there are, and which.
pub(super) fn list(what: &str, names: &[String]) -> String {
    if names.is_empty() {
        return String::new();
    }
    let mut list = format!("  {what}: {}", names.len());
    let mut column = WIDTH;
    for name in names {
        if column + name.len() >= WIDTH {
            list.push_str("\n   ");
            column = 3;
        }
        let _ = write!(list, " {name}");
        column += name.len() + 1;
    }
    list.push('\n');
    list
}
