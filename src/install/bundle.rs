//! The engine's functions and views, as one script.

use include_dir::{Dir, include_dir};
use sha2::{Digest, Sha256};
use std::fmt::Write as _;

static ENGINE: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/sql/engine");
static VIEWS: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/sql/engine/views");

/// The bundle embedded in this binary.
pub(super) struct Bundle {
    functions: Vec<(&'static str, &'static str)>,
    views: Vec<(&'static str, &'static str)>,
}

impl Bundle {
    pub(super) fn embedded() -> Self {
        Bundle {
            functions: files(&ENGINE),
            views: files(&VIEWS),
        }
    }

    /// Identifies the bundle: hex SHA-256 over every file's name and text.
    pub(super) fn sha256(&self) -> String {
        let mut hash = Sha256::new();
        for (name, text) in self.functions.iter().chain(&self.views) {
            hash.update(name.as_bytes());
            hash.update([0]);
            hash.update(text.as_bytes());
            hash.update([0]);
        }
        hash.finalize().iter().fold(String::new(), |mut hex, byte| {
            let _ = write!(hex, "{byte:02x}");
            hex
        })
    }

    /// Replaces whatever functions and views are installed by these, to be run in one
    /// transaction.
    ///
    /// Routines are dropped first, because `create or replace` leaves old overloads behind
    /// and cannot change a result type. Never with cascade: one that objects of yours
    /// depend on stays and is replaced in place, or the whole upgrade fails and says why.
    pub(super) fn script(&self, version: &str) -> String {
        let names = |files: &[(&str, &str)]| {
            files
                .iter()
                .map(|(name, _)| format!("'{name}'"))
                .collect::<Vec<_>>()
                .join(", ")
        };
        let mut script = format!(
            "set local check_function_bodies = off;\n\
             set local client_min_messages = warning;\n\n{}\n",
            DROP_INSTALLED.replace("{views}", &names(&self.views))
        );
        for (name, text) in self.functions.iter().chain(&self.views) {
            let _ = write!(script, "-- {name}\n{text}\n");
        }
        let _ = write!(
            script,
            "do $$ begin perform sluice._grant_rights(); end $$;\n\n\
             insert into sluice.engine (version, bundle_sha256, routines)\n\
             values ('{version}', '{sha256}', array[{functions}])\n\
             on conflict (is_singleton) do update set\n  \
             version = excluded.version, bundle_sha256 = excluded.bundle_sha256, routines = excluded.routines,\n  \
             installed_at = now(), installed_by = session_user;\n",
            sha256 = self.sha256(),
            functions = names(&self.functions),
        );
        script
    }
}

/// `{views}` stands for the names of the views.
const DROP_INSTALLED: &str = r"do $$
declare
  v_object record;
begin
  for v_object in
    select 'view' as kind, c.oid::regclass::text as name
    from pg_catalog.pg_class c
    where c.relnamespace = 'sluice'::regnamespace and c.relkind = 'v'
      and c.relname in ({views})
    union all
    select 'routine', p.oid::regprocedure::text
    from pg_catalog.pg_proc p
    where p.pronamespace = 'sluice'::regnamespace
      and p.proname = any (array(select unnest(e.routines) from sluice.engine e))
  loop
    begin
      execute format('drop %s %s restrict', v_object.kind, v_object.name);
    exception when dependent_objects_still_exist then
      raise warning '% % is replaced in place: other objects depend on it', v_object.kind, v_object.name;
    end;
  end loop;
end $$;
";

fn files(dir: &'static Dir<'static>) -> Vec<(&'static str, &'static str)> {
    let mut files: Vec<_> = dir
        .files()
        .filter_map(|file| {
            let name = file.path().file_stem()?.to_str()?;
            Some((name, file.contents_utf8()?))
        })
        .collect();
    files.sort_unstable();
    files
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_file_defines_and_comments_the_function_it_is_named_after() {
        let bundle = Bundle::embedded();
        assert!(bundle.functions.len() > 40);
        for (name, text) in &bundle.functions {
            assert!(
                text.contains(&format!("create or replace function sluice.{name}(")),
                "{name}.sql must define sluice.{name}"
            );
            assert!(
                text.contains(&format!("comment on function sluice.{name}(")),
                "{name}.sql must comment on sluice.{name}"
            );
        }
        for (name, text) in &bundle.views {
            assert!(text.contains(&format!("create or replace view sluice.{name} as")));
            assert!(text.contains(&format!("comment on view sluice.{name} is")));
        }
    }
}
