//! Names that need quoting, everywhere a name can be.

use super::*;

const NAMES: [&str; 6] = [
    r#"Upper Case, and "quotes""#,
    "100%I %s %L 'n' \\n",
    "select",
    "größe ☃ 名",
    "f(x), y) -- ; drop",
    "a_name_as_long_as_postgres_allows_which_is_sixty_three_bytes_xxx",
];

fn quote(name: &str) -> String {
    let name: String = name.chars().take(63).collect();
    format!("\"{}\"", name.replace('"', "\"\""))
}

#[tokio::test]
async fn any_identifier_works_for_schema_table_columns_function_and_constraints() {
    for name in NAMES {
        let db = TestDb::new().await;
        let n = quote(name);
        // Another column name of the same kind, of at most 63 bytes.
        let m = quote(&format!("2{}", &name[..name.len().min(50)]));
        let literal = |text: &str| format!("'{}'", text.replace('\'', "''"));
        let sql = format!(
            r#"create schema {n};
             create table {n}.parents ({m} bigint primary key);
             insert into {n}.parents values (1);
             create table {n}.{n} ({n} bigint primary key, {m} bigint, amount integer,
               constraint {m} foreign key ({m}) references {n}.parents,
               constraint "check {bare}" check ({m} < 100 and {n} > 0));
             create function {n}.{n}(doc jsonb) returns table (amount integer, {m} bigint, {n} bigint) language sql stable as $$
               select (doc->>'amount')::integer, (doc->>'parent')::bigint, (doc->>'id')::bigint $$;
             select sluice.define_pipeline(name => 'items', version => 1, transform => {function}, target => {function},
               key => array[{key}], order_by => {order}, source => sluice.file_source(path => '-'), max_bad_ratio => 1);"#,
            bare = name.chars().take(50).collect::<String>().replace('"', "\"\""),
            function = literal(&format!("{n}.{n}")),
            key = literal(&unquote(&n)),
            order = literal(&unquote(&m)),
        );
        db.execute(&sql).await;
        let mut hand = Hand::start(&db).await;
        assert_eq!(
            hand.load(&[
                r#"{"id": 1, "parent": 1, "amount": 1}"#,
                r#"{"id": 2, "parent": 2, "amount": 1}"#,
                r#"{"id": 3, "parent": 100, "amount": 1}"#,
                r#"{"id": 4, "parent": "x", "amount": 1}"#,
                r#"{"id": "x", "parent": 1, "amount": 1}"#,
                r#"{"id": 5, "parent": 1, "amount": "x"}"#,
            ])
            .await,
            "extracted=6 transformed=1 quarantined=5 produced=1 inserted=1",
            "{name}"
        );
        let faults = db
            .rows("select sqlstate, \"column\", \"constraint\" from sluice.quarantine_open_details order by position")
            .await;
        let (n, m) = (unquote(&n), unquote(&m));
        assert_eq!(faults[0], format!("23503|{m}|{m}"));
        assert!(faults[1].starts_with("23514|-|check "), "{}", faults[1]);
        assert_eq!(
            faults[2..],
            [format!("22P02|{m}|-"), format!("22P02|{n}|-"), "22P02|amount|-".to_owned()]
        );
    }
}

fn unquote(name: &str) -> String {
    name[1..name.len() - 1].replace("\"\"", "\"")
}

/// Names the engine's own statements use, for columns of a target.
#[tokio::test]
async fn columns_may_be_called_like_the_engine_s_own_names() {
    let db = TestDb::new().await;
    items(
        &db,
        "ordinal bigint primary key, payload text, position text, nextval integer, action text, s text, t text, r text, d text, place integer, doc integer,
         constraint nextval_is_positive check (nextval > 0), constraint s_is_short check (length(s) < 3)",
        "ordinal bigint, payload text, \"position\" text, nextval integer, action text, s text, t text, r text, d text, place integer",
        "(doc->>'ordinal')::bigint, doc->>'payload', 'p', (doc->>'nextval')::integer, 'a', doc->>'s', 't', 'r', 'd', 7",
        "key => '{ordinal}', order_by => 'place'",
    )
    .await;
    let mut hand = Hand::start(&db).await;
    assert_eq!(
        hand.load(&[
            r#"{"ordinal": 1, "nextval": 1, "s": "a"}"#,
            r#"{"ordinal": 1, "nextval": 2, "s": "b"}"#,
            r#"{"ordinal": 2, "nextval": 0}"#,
            r#"{"ordinal": 3, "nextval": "x"}"#,
            r#"{"ordinal": 4, "nextval": 1, "s": "long"}"#,
        ])
        .await,
        "extracted=5 transformed=2 quarantined=3 produced=2 inserted=1 superseded=1"
    );
    assert_eq!(
        db.rows("select sqlstate, \"column\", \"constraint\" from sluice.quarantine_open_details order by position").await,
        ["23514|nextval|nextval_is_positive", "22P02|nextval|-", "23514|s|s_is_short"]
    );
}
