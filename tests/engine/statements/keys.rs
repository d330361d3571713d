//! A key is the same whoever looks for it.

use super::hashing::HOSTILE;
use crate::engine::{Hand, items};
use crate::support::TestDb;

/// `items` by a code with a letter outside ASCII, which rows delete and notes make bad.
async fn codes(options: &str) -> TestDb {
    let db = TestDb::new().await;
    items(
        &db,
        "code text primary key, n bigint, note text, constraint note_is_good check (note <> 'bad')",
        "code text, n bigint, note text, sluice_deleted boolean",
        "doc->>'code', (doc->>'n')::bigint, doc->>'note', (doc->>'del')::boolean",
        &format!("key => '{{code}}', {options}"),
    )
    .await;
    db
}

/// A record of the key "Zürich i", in letters that every encoding has.
fn record(i: usize, n: usize, more: &str) -> String {
    format!(r#"{{"code": "Z\u00fcrich {i}", "n": {n}{more}}}"#)
}

async fn hostile(db: &TestDb, setting: &str) -> Hand {
    let session = db.connect().await;
    session.batch_execute(setting).await.unwrap();
    Hand::of(session, "items").await
}

#[tokio::test]
async fn deleted_key_stays_deleted_for_batches_and_replays_of_any_session() {
    let db = codes("order_by => 'n'").await;
    for (i, setting) in HOSTILE.iter().enumerate() {
        let mut hand = Hand::start(&db).await;
        hand.load(&[record(i, 5, r#", "note": "bad""#)]).await;
        hand.load(&[record(i, 7, r#", "del": true"#)]).await;
        let mut stranger = hostile(&db, setting).await;
        assert_eq!(
            stranger.load(&[record(i, 6, "")]).await,
            "extracted=1 transformed=1 produced=1 stale=1",
            "{setting}"
        );
        db.execute("alter table shop.items drop constraint note_is_good").await;
        let replayed =
            "select concat_ws(' ', sum(inserted), sum(stale)) from sluice.replay('items')";
        let replayed: String = stranger.session.query_one(replayed, &[]).await.unwrap().get(0);
        assert_eq!(replayed, "0 1", "{setting}");
        db.execute("alter table shop.items add constraint note_is_good check (note <> 'bad')")
            .await;
    }
    assert_eq!(db.rows("select code from shop.items").await, [""; 0]);
}

#[tokio::test]
async fn complete_read_deletes_nothing_that_any_session_has_seen() {
    let db = codes("missing => 'delete', max_delete_ratio => 1").await;
    for setting in HOSTILE {
        let mut hand = hostile(&db, setting).await;
        hand.load(&[record(1, 1, ""), record(2, 1, "")]).await;
        hand.session.batch_execute("reset client_encoding").await.unwrap();
        hand.session
            .execute(
                "select sluice.finish_snapshot($1, $2, $3)",
                &[&hand.run, &hand.epoch, &(hand.seq + 1)],
            )
            .await
            .unwrap();
        assert_eq!(
            db.rows("select code from shop.items order by code").await,
            ["Zürich 1", "Zürich 2"],
            "{setting}"
        );
    }
    assert_eq!(
        db.value("select sum(inserted) || ' ' || sum(deleted) from sluice.batches").await,
        "2 0"
    );
}

#[tokio::test]
async fn why_finds_the_batch_that_deleted_a_key_from_any_session() {
    let db = codes("order_by => 'n'").await;
    Hand::start(&db).await.load(&[record(1, 7, r#", "del": true"#)]).await;
    for setting in HOSTILE {
        let session = db.connect().await;
        session.batch_execute(setting).await.unwrap();
        let row: String = session
            .query_one(
                r#"select value from sluice.why('items', '{"code": "Z\u00fcrich 1"}'::jsonb) where fact = 'row'"#,
                &[],
            )
            .await
            .unwrap()
            .get(0);
        assert_eq!(row, "not in shop.items, deleted", "{setting}");
    }
}

#[tokio::test]
async fn key_hashes_are_those_that_are_stored() {
    let db = TestDb::new().await;
    db.execute(
        "create domain public.word as varchar(20); create type public.mood as enum ('grün');
         create table public.k (a bigint, b text, c varchar(9), d char(9), e name, f numeric, g double precision, h uuid, i public.word, j public.mood)",
    )
    .await;
    let row = "(1::bigint, 'Zürich'::text, 'Köln'::varchar, 'Öl'::char(9), 'Ä'::name, 1.50::numeric, '-0'::double precision, '00000000-0000-0000-0000-00000000000a'::uuid, 'süß'::varchar, 'grün')";
    db.execute(&format!("insert into public.k values {row}")).await;
    let sent = [
        ("{a}", "k.a"),
        ("{b}", "k.b"),
        ("{a,h}", "k.a, k.h"),
        (
            "{a,b,c,d,e,f,g,h,i,j}",
            "k.a, k.b, k.c, k.d::text, k.e, 1.5::numeric, 0::double precision, k.h, k.i::varchar, k.j::text",
        ),
    ];
    for (columns, values) in sent {
        let expression = db
            .value(&format!("select sluice._key_hash('public.k'::regclass, '{columns}', 'k')"))
            .await;
        let stored = format!("substr(sha256(record_send(row({values}))), 1, 16)");
        assert_eq!(
            db.value(&format!("select {expression} = {stored} from public.k")).await,
            "t",
            "{columns}: {expression}"
        );
    }
}
