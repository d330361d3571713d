//! Sources are checked when a pipeline is defined.

use super::*;

#[tokio::test]
async fn unknown_sources_settings_and_values_are_refused() {
    let db = shop().await;
    for (source, message) in [
        ("null", "unknown source null"),
        ("'[]'", "unknown source []"),
        ("'7'", "unknown source 7"),
        ("'{}'", "unknown source {}"),
        (r#"'{"kind": "ftp"}'"#, "unknown source"),
        (r#"'{"kind": "file"}'"#, "path is missing"),
        (r#"'{"kind": "file", "path": ""}'"#, "path is missing"),
        (r#"'{"kind": "file", "path": 7}'"#, "path cannot be 7"),
        (r#"'{"kind": "file", "path": null}'"#, "path cannot be null"),
        (
            r#"'{"kind": "file", "path": "-", "paht": 1}'"#,
            "unknown setting \"paht\"",
        ),
        (
            r#"'{"kind": "file", "path": "-", "format": "xml"}'"#,
            "format cannot be \"xml\"",
        ),
        (
            r#"'{"kind": "file", "path": "-", "compression": "zip"}'"#,
            "compression cannot be \"zip\"",
        ),
        (
            r#"'{"kind": "file", "path": "-", "header": "yes"}'"#,
            "header cannot be \"yes\"",
        ),
        (
            r#"'{"kind": "file", "path": "-", "delimiter": ";;"}'"#,
            "delimiter cannot be \";;\"",
        ),
        (
            r#"'{"kind": "file", "path": "-", "max_record_bytes": 0}'"#,
            "max_record_bytes cannot be 0",
        ),
        (
            r#"'{"kind": "file", "path": "-", "max_record_bytes": 268435456}'"#,
            "max_record_bytes cannot be 268435456",
        ),
        (
            r#"'{"kind": "file", "path": "-", "columns": "id"}'"#,
            "columns cannot be \"id\"",
        ),
        (
            r#"'{"kind": "file", "path": "-", "columns": []}'"#,
            "columns cannot be []",
        ),
        (
            r#"'{"kind": "file", "path": "-", "columns": [1]}'"#,
            "columns cannot be [1]",
        ),
        (
            r#"'{"kind": "file", "path": "-", "columns": ["a", "a"]}'"#,
            "columns cannot be [\"a\", \"a\"]",
        ),
        (
            r#"'{"kind": "file", "path": "-", "partial": "drop"}'"#,
            "partial cannot be \"drop\"",
        ),
        (
            r#"'{"kind": "file", "path": "-", "on_replace": "ignore"}'"#,
            "on_replace cannot be \"ignore\"",
        ),
        (
            r#"'{"kind": "file", "path": "-", "header": false}'"#,
            "header => false leaves the fields without names",
        ),
        (
            "sluice.file_source(path => '-', header => false)",
            "header => false leaves the fields without names",
        ),
        (
            "sluice.file_source(path => '-', format => 'xml')",
            "format cannot be \"xml\"",
        ),
    ] {
        refusal(&db, &[("source", source)])
            .await
            .refuses(message, "");
    }
}

#[tokio::test]
async fn file_source_says_nothing_about_defaults() {
    let db = TestDb::new().await;
    assert_eq!(
        db.value("select sluice.file_source(path => 'drop/*.csv')")
            .await,
        r#"{"kind": "file", "path": "drop/*.csv"}"#
    );
    assert_eq!(
        db.value("select sluice.file_source(path => '-', header => false, columns => '{id,name}', null_string => '')").await,
        r#"{"kind": "file", "path": "-", "header": false, "columns": ["id", "name"], "null_string": ""}"#
    );
}
