//! The engine's functions and views, as one script.

use rust_embed::RustEmbed;
use sha2::{Digest, Sha256};
use std::fmt::Write as _;

/// The engine's SQL, beside its README. A debug build reads the folder at run time, so that a change of SQL
/// needs no rebuild; a release build carries it.
#[derive(RustEmbed)]
#[folder = "sql/engine"]
struct EngineFiles;

/// The bundle embedded in this binary: one file a text, those of views last, as views need the
/// functions they call.
pub(super) struct Bundle {
    files: Vec<BundleFile>,
}

struct BundleFile {
    /// Below `sql/engine`: `batch/begin_batch.sql`.
    path: String,
    text: String,
}

/// No notices: Citus would report for each object that it exists on the coordinator only, where it belongs.
pub(super) const QUIET: &str = "set local client_min_messages = warning;\n\
                                set local citus.enable_ddl_propagation = off";

const FUNCTION: &str = "create or replace function sluice.";
const VIEW: &str = "create or replace view sluice.";

impl Bundle {
    pub(super) fn embedded() -> Self {
        let mut files: Vec<_> = EngineFiles::iter()
            .filter(|path| path.ends_with(".sql"))
            .filter_map(|path| {
                let text = String::from_utf8(EngineFiles::get(&path)?.data.into_owned()).ok()?;
                let path = path.into_owned();
                Some(BundleFile { path, text })
            })
            .collect();
        files.sort_unstable_by_key(|file| (file.path.starts_with("views/"), file.path.clone()));
        Bundle { files }
    }

    /// The names that the files define by `statement`, as a list of literals.
    fn names(&self, statement: &str) -> String {
        let names = self.files.iter().flat_map(|file| file.defined(statement));
        let mut names: Vec<_> = names.map(|name| format!("'{name}'")).collect();
        names.dedup();
        names.join(", ")
    }

    /// The names of the functions, one that has several as often.
    pub(super) fn functions(&self) -> impl Iterator<Item = &str> {
        self.files.iter().flat_map(|file| file.defined(FUNCTION))
    }

    /// Whether a function of this name has this body.
    pub(super) fn has_body(&self, name: &str, body: &str) -> bool {
        let mut files = self.files.iter();
        files.any(|file| {
            file.text.contains(body) && file.defined(FUNCTION).any(|defined| defined == name)
        })
    }

    /// Identifies the bundle: hex SHA-256 over every file's name and text.
    pub(super) fn sha256(&self) -> String {
        let mut hash = Sha256::new();
        for file in &self.files {
            hash.update(file.path.as_bytes());
            hash.update([0]);
            hash.update(file.text.as_bytes());
            hash.update([0]);
        }
        hex::encode(hash.finalize())
    }

    /// Replaces whatever functions and views are installed by these, to be run in one
    /// transaction.
    ///
    /// Routines are dropped first, because `create or replace` leaves old overloads behind
    /// and cannot change a result type. Never with cascade: one that objects of yours
    /// depend on stays and is replaced in place, or the whole upgrade fails and says why.
    pub(super) fn script(&self, version: &str) -> String {
        let mut script = format!(
            "set local check_function_bodies = off;\n\
             {QUIET};\n\n{}\n",
            DROP_INSTALLED.replace("{views}", &self.names(VIEW))
        );
        for BundleFile { path, text } in &self.files {
            let _ = write!(script, "-- {path}\n{text}\n");
        }
        let _ = write!(
            script,
            "do $$ begin perform sluice._pin_settings(); perform sluice._comment_columns(); perform sluice._grant_rights(); end $$;\n\n\
             insert into sluice.engine (version, bundle_sha256, routines)\n\
             values ('{version}', '{sha256}', array[{functions}])\n\
             on conflict (is_singleton) do update set\n  \
             version = excluded.version, bundle_sha256 = excluded.bundle_sha256, routines = excluded.routines,\n  \
             installed_at = now(), installed_by = session_user;\n\
             update sluice.engine set routine_hashes = sluice._routine_hashes();\n",
            sha256 = self.sha256(),
            functions = self.names(FUNCTION),
        );
        script
    }
}

/// `{views}` stands for the names of the views.
const DROP_INSTALLED: &str = r"do $$
declare
  v_object record;
begin
  -- What holds on to functions and views, and is made again with them (sluice._guard_tables).
  for v_object in
    select format('policy %I on %s', p.polname, p.polrelid::regclass) as name
    from pg_catalog.pg_policy p join pg_catalog.pg_class c on c.oid = p.polrelid
    where c.relnamespace = 'sluice'::regnamespace
    union all
    select format('trigger %I on %s', t.tgname, t.tgrelid::regclass)
    from pg_catalog.pg_trigger t join pg_catalog.pg_class c on c.oid = t.tgrelid
    join pg_catalog.pg_proc f on f.oid = t.tgfoid
    where c.relnamespace = 'sluice'::regnamespace and f.pronamespace = c.relnamespace and not t.tgisinternal
  loop
    execute 'drop ' || v_object.name;
  end loop;
  for v_object in
    -- Views first, and those that read others before these.
    (select 'view' as kind, c.oid::regclass::text as name
     from pg_catalog.pg_class c
     where c.relnamespace = 'sluice'::regnamespace and c.relkind = 'v'
       and c.relname in ({views})
     order by c.oid desc)
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

impl BundleFile {
    /// The names of what `statement` defines in this file, in the order of the text.
    fn defined(&self, statement: &str) -> impl Iterator<Item = &str> {
        let definitions = self.text.split(statement).skip(1);
        definitions.filter_map(|rest| rest.split(|c: char| !is_of_name(c)).next())
    }
}

fn is_of_name(c: char) -> bool {
    c.is_ascii_alphanumeric() || c == '_'
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A file is one public verb with its counterpart, or one private idea, and bears the name of what it
    /// begins with; constructors of variants of one thing share a file with its name: `auth.sql`.
    #[test]
    fn every_file_is_named_after_what_it_defines() {
        let bundle = Bundle::embedded();
        for file in &bundle.files {
            let path = &file.path;
            let (_, name) = path.rsplit_once('/').expect("a file is in a room");
            let name = name.trim_end_matches(".sql");
            let (statement, kind) = match file.defined(VIEW).next() {
                Some(_) => (VIEW, "view"),
                None => (FUNCTION, "function"),
            };
            let names: Vec<_> = file.defined(statement).collect();
            let public: Vec<_> = names.iter().filter(|n| !n.starts_with('_')).collect();
            let is_named = names.first() == Some(&name);
            let is_family = public.len() > 1 && public.iter().all(|n| n.ends_with(name));
            assert!(is_named || is_family, "{path} defines {names:?}");
            for commented in public.into_iter().chain(names.first()) {
                assert!(
                    file.text.contains(&format!("comment on {kind} sluice.{commented}")),
                    "{path} must comment on sluice.{commented}"
                );
            }
        }
    }
}
