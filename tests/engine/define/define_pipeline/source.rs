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
        (r#"'{"kind": "file", "path": ""}'"#, "path cannot be \"\""),
        (r#"'{"kind": "file", "path": 7}'"#, "path cannot be 7"),
        (r#"'{"kind": "file", "path": null}'"#, "path is missing"),
        (r#"'{"kind": "file", "path": "-", "paht": 1}'"#, "unknown setting \"paht\""),
        (r#"'{"kind": "file", "path": "-", "format": "xml"}'"#, "format cannot be \"xml\""),
        (
            r#"'{"kind": "file", "path": "-", "compression": "zip"}'"#,
            "compression cannot be \"zip\"",
        ),
        (r#"'{"kind": "file", "path": "-", "header": "yes"}'"#, "header cannot be \"yes\""),
        (r#"'{"kind": "file", "path": "-", "delimiter": ";;"}'"#, "delimiter cannot be \";;\""),
        (
            r#"'{"kind": "file", "path": "-", "max_record_bytes": 0}'"#,
            "max_record_bytes cannot be 0",
        ),
        (
            r#"'{"kind": "file", "path": "-", "max_record_bytes": 268435456}'"#,
            "max_record_bytes cannot be 268435456",
        ),
        (r#"'{"kind": "file", "path": "-", "columns": "id"}'"#, "columns cannot be \"id\""),
        (r#"'{"kind": "file", "path": "-", "columns": []}'"#, "columns cannot be []"),
        (r#"'{"kind": "file", "path": "-", "columns": [1]}'"#, "columns cannot be [1]"),
        (
            r#"'{"kind": "file", "path": "-", "columns": ["a", "a"]}'"#,
            "columns cannot be [\"a\", \"a\"]",
        ),
        (r#"'{"kind": "file", "path": "-", "partial": "drop"}'"#, "partial cannot be \"drop\""),
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
        ("sluice.file_source(path => '-', format => 'xml')", "format cannot be \"xml\""),
        (r#"'{"kind": "object"}'"#, "url is missing"),
        (
            r#"'{"kind": "object", "url": "s3://lake", "path": "x"}'"#,
            "object source: unknown setting \"path\"",
        ),
        (
            r#"'{"kind": "file", "path": "x", "url": "s3://lake"}'"#,
            "file source: unknown setting \"url\"",
        ),
        ("sluice.object_source(url => 'lake/items')", "url cannot be \"lake/items\""),
        ("sluice.object_source(url => 's3://lake', pattern => '')", "pattern cannot be \"\""),
        (
            "sluice.object_source(url => 's3://lake', endpoint => 'minio:9000')",
            "endpoint cannot be \"minio:9000\"",
        ),
        (
            "sluice.object_source(url => 's3://lake', endpoint => 'http://minio:9000')",
            "endpoint http://minio:9000 is not encrypted",
        ),
        (
            "sluice.object_source(url => 's3://lake', region => 'eu central')",
            "region cannot be \"eu central\"",
        ),
        (
            "sluice.object_source(url => 's3://lake', on_replace => 'ignore')",
            "on_replace cannot be \"ignore\"",
        ),
        (
            "sluice.file_source(path => '-', columns => array['a', ''])",
            "columns cannot be [\"a\", \"\"]",
        ),
        (r"sluice.file_source(path => '-', quote => E'\n')", "quote cannot be"),
        (
            "sluice.file_source(path => 'drop', format => 'parquet', compression => 'gzip')",
            "compression is not for the format parquet",
        ),
        (
            "sluice.object_source(url => 's3://lake', format => 'parquet', header => false, columns => '{a}')",
            "header is not for the format parquet",
        ),
        (
            "sluice.file_source(path => 'drop', format => 'ndjson', require => '{id}')",
            "require is for the formats csv, tsv and parquet",
        ),
        (
            "sluice.object_source(url => 's3://lake', records => '/data', require => '{id}')",
            "require is for the formats csv, tsv and parquet",
        ),
        (
            "sluice.http_source(url => 'https://x/', require => '{id}')",
            "require is for the formats csv and tsv",
        ),
        (
            "sluice.program_source(program => 'tap', protocol => 'json', require => '{id}')",
            "require is for the protocols csv and tsv",
        ),
        (
            "sluice.file_source(path => 'drop', columns => '{id,name}', require => '{id}')",
            "require looks at a header, and this source takes its names from elsewhere",
        ),
        ("sluice.file_source(path => 'drop', require => '{}')", "require cannot be []"),
        (
            "sluice.file_source(path => '-', pattern => '*.csv')",
            "pattern and subfolders pick files of a folder, and path is \"-\"",
        ),
        (
            "sluice.file_source(path => 'drop/*.csv', subfolders => true)",
            "pattern and subfolders pick files of a folder, and path is \"drop/*.csv\"",
        ),
        (
            "sluice.file_source(path => 'drop', pattern => '2026/*.csv', subfolders => false)",
            "pattern \"2026/*.csv\" leads into subfolders",
        ),
        ("sluice.file_source(path => 'drop', pattern => 'a[b')", "pattern cannot be \"a[b\""),
        (
            "sluice.file_source(path => '-', format => 'parquet')",
            "Parquet cannot be read from standard input",
        ),
        (
            "sluice.file_source(path => '-', delimiter => '\"')",
            "file source: delimiter and quote are the same",
        ),
        (
            "sluice.file_source(path => '-', quote => ',')",
            "file source: delimiter and quote are the same",
        ),
        (
            r"sluice.file_source(path => '-', quote => E'\t')",
            "file source: delimiter and quote are the same",
        ),
        (
            "sluice.http_source(url => 'https://x/', format => 'csv', delimiter => '|', quote => '|')",
            "http source: delimiter and quote are the same",
        ),
        ("sluice.object_source(url => 's3://lake', pattern => 'a[b')", "pattern cannot be \"a[b\""),
        (
            "sluice.object_source(url => 's3://lake', pattern => 'a**/b')",
            "pattern cannot be \"a**/b\"",
        ),
        (
            "sluice.object_source(url => 's3://lake', header => false)",
            "object source: header => false leaves the fields without names",
        ),
    ] {
        refusal(&db, &[("source", source)]).await.refuses(message, "");
    }
}

#[tokio::test]
async fn file_source_says_nothing_about_defaults() {
    let db = TestDb::new().await;
    assert_eq!(
        db.value("select sluice.file_source(path => 'drop/*.csv')").await,
        r#"{"kind": "file", "path": "drop/*.csv"}"#
    );
    assert_eq!(
        db.value("select sluice.file_source(path => '-', header => false, columns => '{id,name}', null_string => '')").await,
        r#"{"kind": "file", "path": "-", "header": false, "columns": ["id", "name"], "null_string": ""}"#
    );
}

#[tokio::test]
async fn object_source_says_nothing_about_defaults() {
    let db = TestDb::new().await;
    assert_eq!(
        db.value("select sluice.object_source(url => 's3://lake/in/')").await,
        r#"{"url": "s3://lake/in/", "kind": "object"}"#
    );
    assert_eq!(
        db.value("select sluice.object_source(url => 's3://lake/in/', endpoint => 'http://minio:9000', allow_http => true, path_style => false, anonymous => true, format => 'csv')").await,
        r#"{"url": "s3://lake/in/", "kind": "object", "format": "csv", "endpoint": "http://minio:9000", "anonymous": true, "allow_http": true, "path_style": false}"#
    );
}

#[tokio::test]
async fn every_kind_of_url_is_taken() {
    let db = TestDb::new().await;
    for url in [
        "s3://lake",
        "s3a://lake/in/",
        "gs://lake/in/a b.csv",
        "az://lake/in/",
        "abfss://lake@acme.dfs.core.windows.net/in/",
        "file:///srv/lake/",
    ] {
        let made = format!("select sluice.object_source(url => '{url}') ->> 'url'");
        assert_eq!(db.value(&made).await, url);
    }
}

#[tokio::test]
async fn secrets_in_an_address_are_refused_and_not_repeated() {
    let db = shop().await;
    for source in [
        "sluice.object_source(url => 's3://key:hush@lake/in/')",
        "sluice.object_source(url => 's3://hush@lake/in/')",
        "sluice.object_source(url => 'az://lake/in/?sig=hush')",
        "sluice.object_source(url => 'abfss://lake:hush@acme.dfs.core.windows.net/in/')",
        "sluice.object_source(url => 'https://lake.s3.amazonaws.com/in/?X-Amz-Signature=hush')",
        "sluice.object_source(url => 's3://lake', endpoint => 'https://me:hush@minio:9000')",
    ] {
        let refused = refusal(&db, &[("source", source)]).await;
        assert!(!format!("{refused:?}").contains("hush"), "{refused:?}");
        refused.refuses("cannot be what was given", "without credentials");
    }
}

#[tokio::test]
async fn an_unknown_setting_is_told_those_there_are() {
    let db = shop().await;
    for (source, known) in [
        (
            r#"'{"kind": "file", "path": "-", "paht": 1}'"#,
            "known are path, pattern, subfolders, after, settle_seconds, partial, on_replace, format, compression, encoding, records, delimiter,",
        ),
        (
            r#"sluice.http_source(url => 'https://x/', since => '{"param": "s", "feild": "/at"}')"#,
            "known are param, field, header, start, lag, kind, until_param,",
        ),
        (
            r#"'{"kind": "ftp"}'"#,
            "make it with one of sluice.file_source(...), sluice.http_source(...), sluice.mysql_source(...), sluice.object_source(...), sluice.postgres_source(...), sluice.program_source(...), sluice.sqlite_source(...)",
        ),
    ] {
        let refused = refusal(&db, &[("source", source)]).await;
        assert!(refused.hint.starts_with(known), "{}", refused.hint);
    }
}

#[tokio::test]
async fn an_encoding_is_known_by_any_of_its_names_and_told_its_neighbours_otherwise() {
    let db = shop().await;
    for (name, kept) in [
        ("latin-1", "windows-1252"),
        ("ISO 8859-1", "windows-1252"),
        ("WIN1252", "windows-1252"),
        ("UTF_16", "utf-16le"),
        ("SJIS", "shift_jis"),
        ("utf8", "utf-8"),
    ] {
        let source =
            format!("sluice.file_source(path => '-', encoding => '{name}') ->> 'encoding'");
        assert_eq!(db.value(&format!("select {source}")).await, kept, "{name}");
    }
    for (name, near) in
        [("cp1259", "windows-1250"), ("iso-8859-51", "iso-8859-5"), ("utf-32", "utf-")]
    {
        let source = format!("sluice.file_source(path => '-', encoding => '{name}')");
        let refused = refusal(&db, &[("source", source.as_str())]).await;
        assert_eq!(refused.message, format!("file source: encoding cannot be \"{name}\""));
        assert!(refused.hint.contains(near), "{}", refused.hint);
    }
    for (source, message) in [
        (
            "sluice.http_source(url => 'https://x/', encoding => 'latin1')",
            "encoding is for the formats ndjson, csv and tsv",
        ),
        (
            "sluice.file_source(path => '-', format => 'csv', records => '/data')",
            "records needs the format json",
        ),
        ("sluice.file_source(path => '-', records => 'data')", "records cannot be \"data\""),
    ] {
        let refused = refusal(&db, &[("source", source)]).await;
        assert!(refused.message.contains(message), "{}", refused.message);
    }
}

#[tokio::test]
async fn settings_of_programs_that_do_not_go_together_are_refused() {
    let db = shop().await;
    for (more, message) in [
        ("protocol => 'singer'", "stream is missing"),
        ("protocol => 'soap'", "protocol cannot be \"soap\""),
        ("protocol => 'csv', stream => 'x'", "stream is for the protocols singer and airbyte"),
        ("protocol => 'csv', config => '/x'", "config is for the protocols singer and airbyte"),
        ("protocol => 'csv', records => '/x'", "records is for the protocol json"),
        ("protocol => 'ndjson', delimiter => ';'", "delimiter is for the protocols csv and tsv"),
        ("protocol => 'csv', header => false", "header => false leaves the fields without names"),
        (
            "protocol => 'singer', stream => 'x', sync_mode => 'incremental'",
            "sync_mode is for the protocol airbyte",
        ),
        (
            "protocol => 'singer', stream => 'x', encoding => 'latin1'",
            "encoding is not for messages",
        ),
        ("protocol => 'ndjson', silence => 0", "silence cannot be 0"),
        ("protocol => 'ndjson', arguments => '{a,NULL}'", "arguments cannot be"),
        (
            "protocol => 'ndjson', arguments => array['--since={cursor}']",
            "the argument \"--since={cursor}\" has {cursor} in it, and there is no cursor",
        ),
        (
            "protocol => 'ndjson', cursor => '/at', start => '0', arguments => '{a}'",
            "cursor \"/at\" is given to nobody",
        ),
        (
            "protocol => 'ndjson', cursor => '/at', start => '0'",
            "cursor \"/at\" is given to nobody",
        ),
        (
            "protocol => 'csv', cursor => '/at', arguments => array['{cursor}']",
            "cursor \"/at\" has no start",
        ),
        ("protocol => 'csv', start => '0'", "start \"0\" is for a cursor, and there is none"),
        (
            "protocol => 'csv', cursor => '/at', start => '0', arguments => array['{cursor}'], complete => true",
            "cursor \"/at\" contradicts complete => true",
        ),
        (
            "protocol => 'singer', stream => 'x', cursor => '/at', start => '0', arguments => array['{cursor}']",
            "is for programs that print records and nothing else",
        ),
    ] {
        let source = format!("sluice.program_source(program => 'tap', {more})");
        let refused = refusal(&db, &[("source", source.as_str())]).await;
        assert!(refused.message.contains(message), "{more}: {}", refused.message);
    }
    for program in ["/bin/sh", "../sh", "..", ""] {
        let source = format!("sluice.program_source(program => '{program}', protocol => 'csv')");
        let refused = refusal(&db, &[("source", source.as_str())]).await;
        assert!(refused.message.contains("program cannot be"), "{}", refused.message);
    }
    let source = "sluice.program_source(program => 'tap-x', protocol => 'singer', stream => 'orders', arguments => '{-v}')";
    assert_eq!(
        db.value(&format!("select {source}")).await,
        r#"{"kind": "program", "stream": "orders", "program": "tap-x", "protocol": "singer", "arguments": ["-v"]}"#
    );
}

#[tokio::test]
async fn patterns_that_the_loader_takes_are_taken() {
    let db = TestDb::new().await;
    for pattern in ["*.csv", "**", "**/*.ndjson.gz", "a/**/b?", "[[]x[!]a]*[]]", "2026-[01][0-9]/*"]
    {
        assert!(glob::Pattern::new(pattern).is_ok(), "{pattern}");
        let made = format!(
            "select sluice.object_source(url => 's3://lake', pattern => '{pattern}') ->> 'pattern'"
        );
        assert_eq!(db.value(&made).await, pattern);
    }
}

#[tokio::test]
async fn a_secret_given_in_the_wrong_place_is_not_repeated() {
    let db = shop().await;
    for (source, message) in [
        ("sluice.http_source(url => 'https://me:hush@x/')", "url cannot be what was given"),
        (
            "sluice.http_source(url => 'https://x/', auth => sluice.bearer_auth(env => 'hush-hush'))",
            "env cannot be what was given",
        ),
        (
            r#"sluice.http_source(url => 'https://x/', auth => '{"scheme": "magic", "token": "hush"}')"#,
            "unknown auth \"magic\"",
        ),
        (
            r#"sluice.http_source(url => 'https://x/', auth => '{"token": "hush"}')"#,
            "unknown auth {}",
        ),
    ] {
        let refused = refusal(&db, &[("source", source)]).await;
        assert!(!format!("{refused:?}").contains("hush"), "{refused:?}");
        refused.refuses(message, "");
    }
}
