//! What a run is told of the files and objects that its source has.

use crate::engine::items_of_ids as shop;

#[tokio::test]
async fn news_of_a_source_are_what_is_unknown_unfinished_or_not_as_it_was() {
    let db = shop().await;
    db.execute(
        r#"insert into sluice.source_objects (pipeline_id, object, identity, position, is_done, last_batch_id) values
             (1, 'read', '{"size": 2, "head": "x"}', '{"bytes": 2}', true, 1),
             (1, 'grown', '{"size": 2, "head": "x"}', '{"bytes": 2}', true, 1),
             (1, 'begun', '{"size": 2, "head": "x"}', '{"bytes": 1}', false, 1),
             (1, 'skipped', '{"size": 2}', '{"skipped": true}', true, 1),
             (1, 'to be skipped', '{}', '{"skipped": true}', true, 1)"#,
    )
    .await;
    let news = r#"select place, identity, position, is_done from sluice.source_news('items',
        '{new,read,grown,begun,skipped,to be skipped,hidden}',
        array['{"size": 2}', '{"size": 2}', '{"size": 3}', '{"size": 2}', '{"size": 2}', '{"size": 2}', null]::jsonb[])
      order by place"#;
    assert_eq!(
        db.rows(news).await,
        [
            "1|-|-|-",
            r#"3|{"head": "x", "size": 2}|{"bytes": 2}|t"#,
            r#"4|{"head": "x", "size": 2}|{"bytes": 1}|f"#,
            r#"6|{}|{"skipped": true}|t"#,
            "7|-|-|-",
        ]
    );
    let unseen = "select count(*) from sluice.source_news('items', '{read}', array['null'::jsonb])";
    assert_eq!(db.value(unseen).await, "1");
}
