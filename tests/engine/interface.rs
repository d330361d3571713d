//! The public interface, as one file that reviewers read.

use crate::support::TestDb;

const GOLDEN: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/golden/interface.txt");

/// Functions and views of the interface, and the tables beneath, one a line.
pub(super) const INTERFACE: &str = "
  select kind || ' ' || line from (
    select 1 as part, 'function' as kind, format('%s(%s) → %s', p.proname, pg_get_function_arguments(p.oid), pg_get_function_result(p.oid)) as line, 0 as place
    from pg_proc p where p.pronamespace = 'sluice'::regnamespace and p.proname not like '\\_%'
    union all
    select 2, case c.relkind when 'v' then 'view' else 'table' end,
      format('%s.%s %s%s', c.relname, a.attname, format_type(a.atttypid, a.atttypmod), case when a.attnotnull then ' not null' else '' end), a.attnum
    from pg_class c join pg_attribute a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
    where c.relnamespace = 'sluice'::regnamespace and c.relkind in ('v', 'r')
    union all
    select 3, 'constraint', format('%s %s %s', k.conrelid::regclass, k.conname, pg_get_constraintdef(k.oid)), 0
    from pg_constraint k where k.connamespace = 'sluice'::regnamespace and k.contype <> 'n'
    union all
    select 4, 'index', pg_get_indexdef(i.indexrelid), 0
    from pg_index i join pg_class c on c.oid = i.indrelid where c.relnamespace = 'sluice'::regnamespace
  ) l order by part, kind desc, split_part(line, '.', 1), place, line collate \"C\"";

#[tokio::test]
async fn interface_is_the_golden_one() {
    let db = TestDb::new().await;
    let found = db.rows(INTERFACE).await.join("\n") + "\n";
    if std::env::var_os("SLUICE_REFRESH_GOLDEN").is_some() {
        std::fs::write(GOLDEN, &found).unwrap();
    }
    let golden = std::fs::read_to_string(GOLDEN).unwrap_or_default();
    let difference: Vec<String> = golden
        .lines()
        .filter(|line| !found.lines().any(|other| other == *line))
        .map(|line| format!("- {line}"))
        .chain(
            found
                .lines()
                .filter(|line| !golden.lines().any(|other| other == *line))
                .map(|line| format!("+ {line}")),
        )
        .collect();
    assert!(
        golden == found,
        "the interface changed:\n{}\nif that is meant: SLUICE_REFRESH_GOLDEN=1 cargo test --test main interface_is_the_golden_one",
        difference.join("\n")
    );
}
