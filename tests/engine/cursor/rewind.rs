//! Setting the live cursor back.

use crate::engine::{Hand, items_of_ids as shop, problem};

/// A batch that leaves the given objects behind.
async fn load(hand: &mut Hand, id: i64, objects: &str) -> i64 {
    hand.stage(&[format!(r#"{{"id": {id}}}"#)]).await.unwrap();
    hand.transform().await.unwrap();
    let row = hand
        .session
        .query_one(
            &format!("select batch_id from sluice.load_batch($1, $2, $3, jsonb_build_object('to', $3::bigint), '{objects}')"),
            &[&hand.run, &hand.epoch, &(hand.seq + 1)],
        )
        .await
        .unwrap();
    hand.session.batch_execute("commit").await.unwrap();
    hand.seq += 1;
    row.get(0)
}

fn object(name: &str, position: i64, done: bool) -> String {
    format!(
        r#"{{"object": "{name}", "identity": {{}}, "position": {position}, "is_done": {done}}}"#
    )
}

const OBJECTS: &str =
    "select object, position, is_done from sluice.source_state('items') order by 1";
const CURSOR: &str = "select cursor from sluice.etl_state";

/// Three batches: a.csv begun, a.csv done and b.csv begun, b.csv done.
async fn three(hand: &mut Hand) -> Vec<i64> {
    vec![
        load(hand, 1, &format!("[{}]", object("a.csv", 1, false))).await,
        load(hand, 2, &format!("[{}, {}]", object("a.csv", 2, true), object("b.csv", 1, false)))
            .await,
        load(hand, 3, &format!("[{}]", object("b.csv", 2, true))).await,
    ]
}

#[tokio::test]
async fn rewind_to_a_batch_restores_its_cursor_and_objects() {
    let db = shop().await;
    let batches = three(&mut Hand::start(&db).await).await;
    let said =
        db.value(&format!("select sluice.rewind('items', to_batch => {})", batches[1])).await;
    assert!(said.starts_with(&format!("pipeline items rewound to batch {}", batches[1])), "{said}");
    assert_eq!(db.value(CURSOR).await, r#"{"to": 2}"#);
    assert_eq!(db.rows(OBJECTS).await, ["a.csv|2|t", "b.csv|1|f"]);
    db.execute(&format!("select sluice.rewind('items', to_batch => {})", batches[0])).await;
    assert_eq!(db.rows(OBJECTS).await, ["a.csv|1|f"]);
    // Forward again: the ledger forgets nothing.
    db.execute(&format!("select sluice.rewind('items', to_batch => {})", batches[2])).await;
    assert_eq!(db.value(CURSOR).await, r#"{"to": 3}"#);
    assert_eq!(db.rows(OBJECTS).await, ["a.csv|2|t", "b.csv|2|t"]);
    db.is_sound().await;
    assert_eq!(db.value("select count(*) from shop.items").await, "3");
}

#[tokio::test]
async fn rewind_to_the_start_forgets_cursor_and_objects_but_no_row() {
    let db = shop().await;
    three(&mut Hand::start(&db).await).await;
    db.execute("select sluice.rewind('items', to_start => true)").await;
    assert_eq!(db.value(CURSOR).await, "-");
    assert_eq!(db.rows(OBJECTS).await, Vec::<String>::new());
    db.is_sound().await;
    let mut hand = Hand::start(&db).await;
    assert_eq!(
        hand.load(&[r#"{"id": 1}"#]).await,
        "extracted=1 transformed=1 produced=1 unchanged=1"
    );
    db.is_sound().await;
}

#[tokio::test]
async fn rewind_of_an_object_forgets_only_that() {
    let db = shop().await;
    three(&mut Hand::start(&db).await).await;
    db.execute("select sluice.rewind('items', object => 'a.csv')").await;
    assert_eq!(db.value(CURSOR).await, r#"{"to": 3}"#);
    assert_eq!(db.rows(OBJECTS).await, ["b.csv|2|t"]);
    db.is_sound().await;
}

#[tokio::test]
async fn rewinds_after_rewinds_find_the_state_as_it_was() {
    let db = shop().await;
    three(&mut Hand::start(&db).await).await;
    db.execute("select sluice.rewind('items', to_start => true)").await;
    let mut hand = Hand::start(&db).await;
    let c = load(&mut hand, 4, &format!("[{}]", object("c.csv", 1, false))).await;
    load(&mut hand, 5, &format!("[{}]", object("c.csv", 2, true))).await;
    db.execute("select sluice.rewind('items', object => 'c.csv')").await;
    let by_object = db.value("select max(batch_id) from sluice.batches").await;
    db.execute(&format!("select sluice.rewind('items', to_batch => {c})")).await;
    // What was read before the first rewind is not done now.
    assert_eq!(db.rows(OBJECTS).await, ["c.csv|1|f"]);
    assert_eq!(db.value(CURSOR).await, r#"{"to": 5}"#);
    db.execute(&format!("select sluice.rewind('items', to_batch => {by_object})")).await;
    assert_eq!(db.rows(OBJECTS).await, Vec::<String>::new());
    db.is_sound().await;
    load(&mut Hand::start(&db).await, 6, "[]").await;
    db.is_sound().await;
}

/// A million of them would pass the limit of a jsonb value.
#[tokio::test]
async fn entry_of_a_rewind_does_not_grow_with_the_objects() {
    let db = shop().await;
    let mut hand = Hand::start(&db).await;
    let many: Vec<String> = (0..3000).map(|n| object(&format!("{n:05}.csv"), 1, true)).collect();
    let first = load(&mut hand, 1, &format!("[{}]", many.join(","))).await;
    load(&mut hand, 2, &format!("[{}]", object("00007.csv", 2, false))).await;
    for goal in [
        "object => '00008.csv'".to_owned(),
        format!("to_batch => {first}"),
        "to_start => true".to_owned(),
        format!("to_batch => {first}"),
    ] {
        db.execute(&format!("select sluice.rewind('items', {goal})")).await;
        db.is_sound().await;
    }
    assert_eq!(
        db.value(
            "select max(pg_column_size(objects)) < 100 from sluice.batches where kind = 'rewind'"
        )
        .await,
        "t"
    );
    assert_eq!(
        db.value("select count(*), sum(position::integer) from sluice.source_state('items')").await,
        "3000|3000"
    );
}

#[tokio::test]
async fn ledgers_in_which_rewinds_hold_all_objects_say_the_same() {
    let db = shop().await;
    let batches = three(&mut Hand::start(&db).await).await;
    for (goal, id) in [
        ("object => 'a.csv'".to_owned(), 4),
        (format!("to_batch => {}", batches[1]), 5),
        ("object => 'b.csv'".to_owned(), 6),
        ("to_start => true".to_owned(), 7),
        (format!("to_batch => {}", batches[2]), 8),
    ] {
        db.execute(&format!("select sluice.rewind('items', {goal})")).await;
        let name = format!("{id}.csv");
        load(&mut Hand::start(&db).await, id, &format!("[{}]", object(&name, id, true))).await;
    }
    let told = "select b.batch_seq, (select string_agg(concat_ws('|', object, position, is_done), ' ' order by object)
                  from sluice._objects_at(b.pipeline_id, b.batch_seq)),
                  (select string_agg(concat_ws('|', a.batch_id, a.records), ' ' order by 1) from sluice._read_again(b.pipeline_id, b.batch_seq, null) a)
                from sluice.batches b order by 1";
    let now = db.rows(told).await;
    assert_eq!(now.len(), 13);
    assert!(now[11].starts_with("12|a.csv|2|t b.csv|2|t|"), "{now:?}");
    db.execute(
        "update sluice.batches r set objects = coalesce((
           select jsonb_agg(jsonb_build_object('object', a.object, 'identity', a.identity, 'position', a.position, 'is_done', a.is_done))
           from sluice._objects_at(r.pipeline_id, r.batch_seq) a), '[]')
         where r.kind = 'rewind'",
    )
    .await;
    assert_eq!(db.rows(told).await, now);
    db.is_sound().await;
    // And as the first ones did, that did not say what a rewind went back to.
    db.execute("update sluice.batches set rewound_to = null").await;
    db.is_sound().await;
    db.execute(&format!("select sluice.rewind('items', to_batch => {})", batches[1])).await;
    assert_eq!(db.rows(OBJECTS).await, ["a.csv|2|t", "b.csv|1|f"]);
    db.is_sound().await;
}

#[tokio::test]
async fn rewind_deposes_the_run_in_progress() {
    let db = shop().await;
    let mut hand = Hand::start(&db).await;
    hand.load(&[r#"{"id": 1}"#]).await;
    db.execute("select sluice.rewind('items', to_start => true)").await;
    hand.fail(&[r#"{"id": 2}"#])
        .await
        .is("SL001", "deposed: the state of pipeline items was moved by hand");
}

#[tokio::test]
async fn goals_that_are_none_are_refused() {
    let db = shop().await;
    db.execute(
        "create table shop.others (like shop.items including all);
         select sluice.define_pipeline(name => 'others', version => 1, transform => 'shop.items_v1', target => 'shop.others', key => '{id}', source => sluice.file_source(path => '-'))",
    )
    .await;
    let foreign = load(&mut Hand::of(db.connect().await, "others").await, 1, "[]").await;
    for (goal, message) in [
        ("".to_owned(), "rewind needs one goal"),
        (", to_start => false".to_owned(), "rewind needs one goal"),
        (", to_start => true, to_batch => 1".to_owned(), "rewind needs one goal"),
        (", to_batch => 12345".to_owned(), "pipeline items has no batch 12345"),
        (format!(", to_batch => {foreign}"), "pipeline items has no batch"),
        (", object => 'nothing.csv'".to_owned(), "pipeline items has read no object 'nothing.csv'"),
    ] {
        problem(&db, &format!("select sluice.rewind('items'{goal})")).await.refuses(message, "");
    }
    problem(&db, "select sluice.rewind('nothing', to_start => true)")
        .await
        .refuses("pipeline nothing is not defined", "");
}
