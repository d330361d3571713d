//! Runs: how they begin and end.

use super::{Hand, items_of_ids as shop};
use crate::support::TestDb;

#[tokio::test]
async fn a_run_that_never_ended_is_interrupted_once_the_next_begins() {
    let db = shop().await;
    let mut killed = Hand::start(&db).await;
    killed.load(&[r#"{"id": 1}"#]).await;
    let ended = "select outcome, error, finished_at = (select max(committed_at) from sluice.batches) from sluice.runs where run_id = 1";
    assert_eq!(db.value("select state from sluice.status").await, "died");
    assert_eq!(db.value(ended).await, "-|-|-");
    Hand::start(&db).await;
    assert_eq!(
        db.value(ended).await,
        "interrupted|the loader died, or lost the pipeline to run 2; what it committed stands|t"
    );
    assert_eq!(
        db.rows("select run, outcome from sluice.recent_runs").await,
        ["2|-", "1|interrupted"]
    );
    // It has no last word, should it live on.
    db.execute("select sluice.finish_run(1, 'ok')").await;
    assert_eq!(db.value("select outcome from sluice.runs where run_id = 1").await, "interrupted");
}

#[tokio::test]
async fn a_run_that_ended_keeps_its_outcome() {
    let db = shop().await;
    Hand::start(&db).await;
    db.execute("select sluice.finish_run(1, 'threshold', 'too many')").await;
    Hand::start(&db).await;
    assert_eq!(
        db.value("select outcome, error from sluice.runs where run_id = 1").await,
        "threshold|too many"
    );
}

#[tokio::test]
async fn a_run_that_waited_for_the_state_goes_on_from_what_it_finds() {
    let db = shop().await;
    let mut hand = Hand::start(&db).await;
    hand.load(&[r#"{"id": 1}"#]).await;
    let holder = db.connect().await;
    holder
        .batch_execute("begin; update sluice.etl_state set epoch = epoch + 5, batch_seq = 7")
        .await
        .unwrap();
    let waiting = db.connect().await;
    let pid: i32 = waiting.query_one("select pg_backend_pid()", &[]).await.unwrap().get(0);
    let start = async {
        waiting
            .query_one("select epoch, batch_seq from sluice.start_run('items', 'me')", &[])
            .await
            .unwrap()
    };
    let release = async {
        while db
            .value(&format!(
                "select exists (select from pg_locks where pid = {pid} and not granted)"
            ))
            .await
            != "t"
        {}
        holder.batch_execute("commit").await.unwrap();
    };
    let (row, ()) = tokio::join!(start, release);
    assert_eq!((row.get::<_, i64>(0), row.get::<_, i64>(1)), (7, 7));
}

/// Pipelines of single streams of a tap, each with a table of its name.
async fn streams(names: &[&str]) -> TestDb {
    let db = TestDb::new().await;
    for name in names {
        db.execute(&format!(
            "create table {name} (id bigint primary key, of bigint);
             create function {name}_v1(doc jsonb) returns table (id bigint) language sql stable as $$ select (doc ->> 'id')::bigint $$;
             select sluice.define_pipeline(name => '{name}', version => 1, transform => '{name}_v1', target => '{name}', key => '{{id}}',
               source => sluice.program_source(program => 'tap', protocol => 'singer', stream => '{name}'))"
        ))
        .await;
    }
    db
}

async fn turns(db: &TestDb, pipelines: &str) -> String {
    db.value(&format!(
        "select string_agg(pipelines, ' | ' order by turn) from (
           select turn, string_agg(pipeline, ' ' order by ordinality) as pipelines
           from rows from (sluice.run_order('{{{pipelines}}}')) with ordinality o group by turn) t"
    ))
    .await
}

#[tokio::test]
async fn pipelines_that_differ_in_the_stream_have_a_turn_together() {
    let db = streams(&["a", "b", "c", "d"]).await;
    db.execute(
        r#"update sluice.pipelines set source = source || '{"config": "/etc/other.json"}' where name = 'b';
           update sluice.pipelines set source = '{"kind": "file", "path": "c.csv"}' where name = 'c'"#,
    )
    .await;
    assert_eq!(turns(&db, "a,b,c,d").await, "a d | b | c");
    assert_eq!(turns(&db, "c,d,a,unknown").await, "c | d a | unknown");
    assert_eq!(turns(&db, "a,d,a").await, "a d | a");
    assert_eq!(turns(&db, "").await, "-");
    let many: Vec<String> = (1..=9).map(|i| format!("s{i}")).collect();
    let names: Vec<&str> = many.iter().map(String::as_str).collect();
    let db = streams(&names).await;
    let found = turns(&db, &names.join(",")).await;
    assert!(found.ends_with("s7 s8 | s9"), "{found}");
}

#[tokio::test]
async fn what_wants_the_rows_of_another_has_a_turn_behind_it() {
    for (wants, table) in [
        ("alter table c add foreign key (of) references a", "c"),
        (
            "create or replace function c_v1(doc jsonb) returns table (id bigint) language sql stable
           as $$ select a.id from public.a where a.id = (doc ->> 'id')::bigint $$;
         update sluice.transforms set function_text = pg_get_functiondef('c_v1'::regproc) where function ~ 'c_v1'",
            "c",
        ),
        (
            "create view wide as select * from a;
         create view wider as select * from wide;
         create or replace function c_v1(doc jsonb) returns table (id bigint) language sql stable
           as $$ select x.id from (select (doc ->> 'id')::bigint as id) x, wider where wider.id = x.id $$;
         update sluice.transforms set function_text = pg_get_functiondef('c_v1'::regproc) where function ~ 'c_v1'",
            "c",
        ),
        (
            "update sluice.pipelines set target = 'public.a' where name = 'c'",
            "a",
        ),
    ] {
        let db = streams(&["a", "b", "c", "d"]).await;
        db.execute(wants).await;
        assert_eq!(turns(&db, "a,b,c,d").await, "a b d | c", "{wants}");
        assert_eq!(turns(&db, "c,b,a,d").await, "c b d | a", "{wants}");
        // Nor does it pass what is between.
        db.execute(&format!(
            "alter table d add foreign key (of) references {table} (id)"
        ))
        .await;
        assert_eq!(turns(&db, "a,b,c,d").await, "a b | c | d", "{wants}");
    }
}

#[tokio::test]
async fn pipelines_that_shared_a_run_stay_together_when_others_come_and_go() {
    let names: Vec<String> = (1..=12).map(|i| format!("s{i}")).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let db = streams(&names).await;
    // One of the first run committed nothing of it, one was met behind it; the last two are new.
    db.execute(
        r#"update sluice.etl_state e set cursor = case
             when p.name = 's2' then '{"shared": {"run": "zero", "number": 1}}'
             when p.name = 's3' then '{"shared": {"run": "own", "number": 1}, "earlier": {"place": {"run": "one", "number": 7}}}'
             when p.pipeline_id <= 8 then '{"shared": {"run": "one", "number": 7}, "earlier": {"place": {"run": "zero", "number": 1}}}'
             when p.pipeline_id <= 10 then '{"shared": {"run": "two", "number": 5}}'::jsonb end
           from sluice.pipelines p where p.pipeline_id = e.pipeline_id"#,
    )
    .await;
    let order = names.join(",");
    for (gone, found) in [
        ("", "s1 s2 s3 s4 s5 s6 s7 s8 | s9 s10 s11 s12"),
        ("s1,", "s2 s3 s4 s5 s6 s7 s8 s11 | s9 s10 s12"),
        ("s1,s2,s3,", "s4 s5 s6 s7 s8 s9 s10 s11 | s12"),
    ] {
        let order = order.strip_prefix(gone).unwrap();
        assert_eq!(turns(&db, order).await, found);
    }
    assert_eq!(
        turns(&db, "s12,s1,s11,s9,s2,s3,s4,s5,s10,s6,s7").await,
        "s12 s1 s2 s3 s4 s5 s6 s7 | s11 s9 s10"
    );
}
