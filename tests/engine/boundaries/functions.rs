//! Every function of the interface, told to do something with another team's pipeline.

use super::Teams;

/// Functions that are told no pipeline, run or record, and what they see.
const WITHOUT: [&str; 41] = [
    "also_target",
    "basic_auth",
    "bearer_auth",
    "capture_changes", // of the session's own transaction
    "captured_changes",
    "connection",
    "cursor_paging",
    "doctor",       // of rows that are the caller's to see
    "explain_call", // of a message
    "file_source",
    "header_auth",
    "http_delivery",
    "http_source",
    "link_header_paging",
    "load_batch", // the open batch, whose pipeline begin_batch was told
    "mysql_source",
    "next_link_paging",
    "oauth2_auth",
    "object_source",
    "offset_paging",
    "page_number_paging",
    "param_auth",
    "postgres_source",
    "program_source",
    "quarantined_in_transaction", // of the open batch
    "reject",
    "run_order", // of those that are the caller's; of others it says that they are run alone
    "since",
    "sqlite_source",
    "transform_batch", // the open batch
    "wanted_payloads", // of the open batch
    "webhook_signature",
    "parcel",
    "postgres_delivery",
    // Of a check that the session has begun for a pipeline of its own (begin_source_check).
    "begin_checked_batch",
    "differing_places",
    "find_differences",
    "finish_source_check",
    "note_differences",
    "note_due",
    "source_differences",
];

/// Calls of every other function for bob's pipeline, run and record, with what else it needs.
const CALLS: &str = "
  select p.proname, format('select * from sluice.%I(%s)', p.proname, string_agg(format('%I => %s', a.name, case a.name
      when 'pipeline' then '''bob''' when 'name' then '''bob''' when 'run_id' then '1' when 'quarantine_id' then '1'
      when 'batch_id' then '1' when 'source' then 'sluice.file_source(path => ''x'')' when 'transform' then '''alice.items_v1'''
      when 'target' then '''alice.items''' when 'key' then case a.type when 'jsonb'::regtype then '''{\"id\": 1}''' else '''{id}''' end
      when 'payload' then '''{}'''
      when 'reason' then '''mine now''' when 'all_open' then 'true' when 'all_discarded' then 'true' when 'to_start' then 'true'
      when 'policy' then '''owner''' when 'policies' then '''{\"owner\": \"alice\"}'''
      when 'batches' then '''{1}''' when 'quarantine_ids' then '''{1}''' when 'object' then '''drop/a.csv'''
      else case format_type(a.type, null)
        when 'text' then '''x''' when 'jsonb' then '''{}''' when 'boolean' then 'true' when 'bigint' then '1'
        when 'integer' then '1' when 'numeric' then '0.5' when 'text[]' then '''{}''' when 'jsonb[]' then '''{}'''
        when 'bigint[]' then '''{1}''' when 'timestamp with time zone' then 'now()' when 'interval' then '''1 day'''
        else format('null::%s', format_type(a.type, null)) end
      end), ', ' order by a.place) filter (where a.place <= p.pronargs - p.pronargdefaults
        or a.name in ('pipeline', 'reason', 'all_open', 'all_discarded', 'to_start')))
  from pg_proc p cross join lateral unnest(p.proargnames[:p.pronargs], p.proargtypes::oid[]) with ordinality a (name, type, place)
  where p.pronamespace = 'sluice'::regnamespace and p.proname not like '\\_%'
  group by p.oid
  having bool_or(a.name in ('pipeline', 'run_id', 'quarantine_id') or p.proname = 'define_pipeline')
  order by 1";

#[tokio::test]
async fn every_function_refuses_the_pipeline_of_another_team_and_says_whose_it_is() {
    let teams = Teams::new().await;
    let before = teams.everything_of_bob().await;
    let readers = "select p.proname from pg_proc p where p.pronamespace = 'sluice'::regnamespace
      and (has_function_privilege('sluice_reader', p.oid, 'execute') or p.provolatile <> 'v')";
    let readers = teams.db.rows(readers).await;
    let calls = teams.db.rows(CALLS).await;
    assert!(calls.len() > 40, "{}", calls.len());
    for line in &calls {
        let (function, call) = line.split_once('|').unwrap();
        if WITHOUT.contains(&function) {
            continue;
        }
        // Who reads everything writes no more than others; and to one who has no pipeline there is none to look at.
        for caller in ["alice", "both", "watch"] {
            if caller == "both" && readers.iter().any(|name| name == function) {
                continue;
            }
            let said = teams.says(caller, call).await;
            // By its number it is not there for others, or nothing is done.
            if call.contains("run_id =>") || call.contains("quarantine_id =>") {
                continue;
            }
            let said = said.unwrap_or_else(|| panic!("{caller} may: {call}"));
            let whose = format!("pipeline bob belongs to {}", teams.role("bob"));
            assert!(
                said.code == "42501" && said.message.contains(&whose),
                "{caller}: {call}: {said:?}"
            );
            assert!(
                said.hint.contains(&format!("grant {} to", teams.role("bob"))),
                "{call}: {said:?}"
            );
        }
    }
    assert_eq!(teams.everything_of_bob().await, before);
}

#[tokio::test]
async fn a_function_is_told_whom_it_works_for_or_is_known_to_work_for_nobody() {
    let teams = Teams::new().await;
    let told: Vec<String> = teams
        .db
        .rows(CALLS)
        .await
        .iter()
        .filter_map(|line| Some(line.split_once('|')?.0.to_owned()))
        .collect();
    let all = "select p.proname from pg_proc p where p.pronamespace = 'sluice'::regnamespace and p.proname not like '\\_%' order by 1";
    let unknown: Vec<String> = teams
        .db
        .rows(all)
        .await
        .into_iter()
        .filter(|name| !told.contains(name) && !WITHOUT.contains(&name.as_str()))
        .collect();
    assert_eq!(
        unknown, [""; 0],
        "which rows do they see, of whom? Take a pipeline, or say above why not"
    );
}

#[tokio::test]
async fn what_is_done_to_all_pipelines_is_done_to_ones_own() {
    let teams = Teams::new().await;
    let before = teams.everything_of_bob().await;
    for caller in ["alice", "both"] {
        teams
            .of(caller)
            .await
            .batch_execute(
                "select * from sluice.prune(tombstones_before => now() + interval '1 day')",
            )
            .await
            .unwrap();
    }
    assert_eq!(teams.everything_of_bob().await, before);
    let names =
        |sql: &'static str| async { crate::support::db::rows(&teams.of("alice").await, sql).await };
    for sql in [
        "select distinct pipeline_name from sluice.verify()",
        "select distinct pipeline from sluice.status",
        "select substr(\"check\", 10) from sluice.doctor() where \"check\" like 'pipeline %' and detail not like 'not checked: it belongs to %'",
    ] {
        assert_eq!(names(sql).await, ["alice"], "{sql}");
    }
    assert_eq!(names("select pipeline_name from sluice.retained()").await, [""; 0]);
}
