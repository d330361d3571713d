//! Whoever looks runs code of those whose pipelines he looks at, with his own rights: a cast in a hash, a transform that
//! is tried. It must leave nothing.

use super::Teams;
use crate::support::Sluice;

/// Alice's code, which a superuser runs: what it writes is undone or refused, that it ran a sequence remembers.
const CODE: &str = "
  create sequence alice.ran; create table alice.spoils (by_whom text);
  create type alice.mood as (word text);
  create function alice.spoil(of text) returns text language plpgsql as $$ begin
    perform nextval('alice.ran'); insert into alice.spoils values (current_user); return of; end $$;
  create function alice.mood_text(m alice.mood) returns text language sql stable as $$ select alice.spoil((m).word) $$;
  create cast (alice.mood as text) with function alice.mood_text(alice.mood);
  create table alice.moods (id bigint primary key, mood alice.mood);
  create function alice.moods_v1(doc jsonb) returns table (id bigint, mood alice.mood) language sql stable as $$
    select (doc->>'id')::bigint, row(doc->>'mood')::alice.mood $$;
  create function alice.moods_v2(doc jsonb) returns table (id bigint, mood alice.mood) language sql stable as $$
    select (doc->>'id')::bigint, row(alice.spoil(doc->>'mood'))::alice.mood $$;
  select sluice.define_pipeline(name => 'moods', version => n, transform => 'alice.moods_v' || n, target => 'alice.moods',
    key => '{id}', source => sluice.file_source(path => 'drop'), max_bad_ratio => 1, retain_raw => '7 days',
    activate => n = 1) from generate_series(1, 2) n";

#[tokio::test]
async fn code_that_looks_run_leaves_nothing() {
    let teams = Teams::new().await;
    let alice = teams.of("alice").await;
    alice.batch_execute(CODE).await.unwrap();
    let mut hand = crate::engine::Hand::of(alice, "moods").await;
    hand.load(&[r#"{"id": 1, "mood": "good"}"#, r#"{"id": "none", "mood": "bad"}"#]).await;
    // What was written while it was loaded is alice's own doing.
    let spoils = "select count(*) from alice.spoils where by_whom = session_user";
    let ran = "select is_called::text from alice.ran";
    for args in [
        &["why", "moods", "1"][..],
        &["compare", "moods", "1", "2"],
        &["reconcile", "moods"],
        &["verify", "moods", "--deep"],
        &["rewind", "moods", "--to-start", "--dry-run"],
        &["doctor"],
    ] {
        teams.db.execute("alter sequence alice.ran restart").await;
        let done = Sluice::on(&teams.db).args(args).run();
        assert_eq!(teams.db.value(spoils).await, "0", "{args:?}: {done:?}");
        let was_run = teams.db.value(ran).await == "true" || done.stderr.contains("25006");
        let runs_it = matches!(args[0], "why" | "compare" | "reconcile" | "verify");
        assert_eq!(was_run || done.stdout.contains("25006"), runs_it, "{args:?}: {done:?}");
    }
}
