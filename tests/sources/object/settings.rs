//! Settings that cannot be meant are refused, without repeating secrets.

use pgsluice::error::Kind;
use pgsluice::source::redirected;
use serde_json::json;

use super::support::{WIDE, open};

#[test]
fn settings_that_make_no_sense_are_refused() {
    for (settings, message) in [
        (json!({}), "no `url`"),
        (json!({"url": "lake/in/"}), "`lake/in/` names no object store"),
        (json!({"url": "s3:///in/"}), "names no bucket"),
        (json!({"url": "s3://lake", "urll": 1}), "not valid"),
        (json!({"url": "s3://lake", "settle_seconds": 1}), "not valid"),
        (json!({"url": "s3://lake", "on_replace": "ignore"}), "not valid"),
        (json!({"url": "s3://lake", "header": false}), "object source's setting `header`"),
        (json!({"url": "s3://lake", "pattern": "["}), "`pattern` cannot be `[`"),
        (
            json!({"url": "s3://lake", "endpoint": "minio:9000"}),
            "`endpoint` cannot be `minio:9000`",
        ),
        (json!({"url": "s3://lake", "endpoint": "http://minio:9000"}), "`endpoint` cannot be"),
        (
            json!({"url": "s3://lake", "endpoint": "https://me:hush@minio"}),
            "holds credentials or parameters",
        ),
        (
            json!({"url": "s3://lake", "endpoint": "https://10.0.0.7:9000", "path_style": false}),
            "`endpoint` cannot be `https://10.0.0.7:9000`",
        ),
        (
            json!({"url": "s3://lake", "endpoint": "https://[::1]:9000", "path_style": false}),
            "`endpoint` cannot be `https://[::1]:9000`",
        ),
        (
            json!({"url": "s3://my lake", "endpoint": "https://minio", "path_style": false}),
            "`endpoint` cannot be `https://minio`",
        ),
        (json!({"url": "s3://me:hush@lake/in/"}), "holds credentials or parameters"),
        (json!({"url": "az://c/in/?sig=hush"}), "holds credentials or parameters"),
    ] {
        let mut settings = settings;
        settings["kind"] = json!("object");
        let error = open(&settings, vec![], WIDE).map(drop).unwrap_err();
        assert_eq!(error.kind(), Kind::Usage, "{settings}");
        let text = error.to_string();
        assert!(text.contains(message), "{settings}: {text}");
        assert!(!text.contains("hush"), "{text}");
        assert!(error.next_step().is_some(), "{text}");
    }
}

#[test]
fn path_for_once_keeps_how_records_stand_in_it() {
    let object =
        json!({"kind": "object", "url": "s3://lake/in/", "region": "eu", "delimiter": ";"});
    let file = json!({"kind": "file", "path": "drop", "partial": "wait", "delimiter": ";"});
    for (settings, path, expected) in [
        (
            &object,
            "s3://lake/other/",
            json!({"kind": "object", "url": "s3://lake/other/", "region": "eu", "delimiter": ";"}),
        ),
        (&object, "-", json!({"delimiter": ";", "kind": "file", "path": "-"})),
        (
            &file,
            "other",
            json!({"kind": "file", "path": "other", "partial": "wait", "delimiter": ";"}),
        ),
        (
            &file,
            "gs://lake/in/",
            json!({"delimiter": ";", "kind": "object", "url": "gs://lake/in/"}),
        ),
    ] {
        assert_eq!(redirected(settings, Some(path), None), expected);
    }
    assert_eq!(redirected(&object, None, Some("csv"))["format"], "csv");
}
