//! The constructors of HTTP sources: what they make, and what they refuse.

use crate::support::TestDb;
use pgsluice::error::Error;
use serde_json::{Value, json};

const URL: &str = "url => 'https://api.example/orders'";

/// The refusal of an expression: SL005, its message, its hint.
async fn refusal(db: &TestDb, expression: &str) -> (String, String) {
    match db.connect().await.batch_execute(&format!("select {expression}")).await {
        Ok(()) => panic!("{expression} is not refused"),
        Err(error) => {
            let error = Error::from(error);
            assert_eq!(error.sqlstate(), Some("SL005"), "{expression}: {error}");
            (error.message().to_owned(), error.next_step().unwrap_or_default().to_owned())
        }
    }
}

#[tokio::test]
async fn the_example_of_the_design_is_what_the_loader_reads() {
    let db = TestDb::new().await;
    let source = db
        .value(
            "select sluice.http_source(url => 'https://shop.example/api/orders', records => '/data',
               paging => sluice.cursor_paging(param => 'after', next => '/meta/next'), auth => sluice.bearer_auth(env => 'SHOP_TOKEN'))",
        )
        .await;
    assert_eq!(
        serde_json::from_str::<Value>(&source).unwrap(),
        json!({"kind": "http", "url": "https://shop.example/api/orders", "records": "/data",
            "paging": {"model": "cursor", "param": "after", "next": "/meta/next"}, "auth": {"scheme": "bearer", "env": "SHOP_TOKEN"}})
    );
}

#[tokio::test]
async fn every_constructor_makes_settings_that_the_loader_takes() {
    let db = TestDb::new().await;
    let defaults = db.value(&format!("select sluice.http_source({URL})")).await;
    assert_eq!(
        defaults, r#"{"url": "https://api.example/orders", "kind": "http"}"#,
        "defaults are not kept"
    );
    let secret = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(secret.path(), "x").unwrap();
    let file = secret.path().display();
    for more in [
        "paging => sluice.page_number_paging()".to_owned(),
        "paging => sluice.page_number_paging(param => 'p', start => 0, size_param => 'n', size => 50, pages => 'X-Pages')".to_owned(),
        "paging => sluice.page_number_paging(size => 50, ends_at => 'short_page')".to_owned(),
        "paging => sluice.offset_paging(size => 100, total => '/total')".to_owned(),
        "paging => sluice.cursor_paging(param => 'after', next => 'X-Next', more => '/more')".to_owned(),
        "method => 'POST', body => '{\"a\": null}', paging => sluice.cursor_paging(param => '/after', next => '/next', send_in => 'body')".to_owned(),
        "paging => sluice.next_link_paging()".to_owned(),
        "paging => sluice.link_header_paging()".to_owned(),
        format!("auth => sluice.bearer_auth(file => '{file}')"),
        format!("auth => sluice.basic_auth(username => 'me', file => '{file}')"),
        format!("auth => sluice.header_auth(header => 'X-Key', prefix => 'Key ', file => '{file}')"),
        format!("auth => sluice.param_auth(param => 'key', file => '{file}')"),
        format!("auth => sluice.oauth2_auth(token_url => 'https://api.example/token', client_id => 'me', file => '{file}', scope => 'a b',
           params => '{{\"audience\": \"x\"}}', send_in => 'body')"),
        "since => sluice.since(param => 'since', field => '/at', start => '2026-01-01', lag => '1 day 5 minutes')".to_owned(),
        "since => sluice.since(param => 'since', header => 'Date')".to_owned(),
        "since => sluice.since(param => 'since', field => '/seq', kind => 'number')".to_owned(),
        "params => '{\"q\": \"x\", \"n\": 5, \"tags\": [\"a\", true]}', headers => '{\"X-Version\": \"2\"}'".to_owned(),
        "retry_when => '{\"/code\": [\"busy\", 429]}', fail_when => '[\"/error\"]'".to_owned(),
        "format => 'csv', delimiter => ';', quote => '', header => false, columns => '{id,name}', null_string => 'NA'".to_owned(),
        "allow_hosts => '{cdn.example,cdn.example:8443}', requests_per_second => 0.5, connect_timeout => 5, read_timeout => 30, max_wait => 60,
           max_redirects => 0, max_page_bytes => 1000000, max_record_bytes => 1000, prefetch => 4".to_owned(),
    ] {
        let source = db.value(&format!("select sluice.http_source({URL}, {more})")).await;
        let source: Value = serde_json::from_str(&source).unwrap();
        let context = pgsluice::source::SourceContext::of_run(Default::default(), Default::default());
        if let Err(error) = pgsluice::source::open(&source, pgsluice::source::Start::default(), &context) {
            panic!("{more}: {source}: {error}");
        }
        // What is kept with the pipeline passes the same check again.
        db.value(&format!("select sluice._checked('source', '{source}') = '{source}'")).await;
    }
    let source = db.value(&format!("select sluice.http_source({URL},
        since => sluice.since(param => 's', field => '/at', lag => '1 day 5 minutes')) #>> '{{since,lag}}'")).await;
    assert_eq!(source, "86700");
}

#[tokio::test]
async fn what_does_not_fit_is_refused_by_name() {
    let db = TestDb::new().await;
    for (more, message, hint) in [
        ("url => null", "http source: url is missing", "url => a URL"),
        ("url => ''", "http source: url cannot be \"\"", "a URL that begins with https://"),
        ("url => 'ftp://x/'", "http source: url cannot be \"ftp://x/\"", "a URL"),
        ("url => 'https://me:pass@x/'", "http source: url cannot be", "without user and password"),
        ("url => 'https://x/ y'", "http source: url cannot be", "a URL"),
        ("method => 'PUT'", "http source: method cannot be \"PUT\"", "one of GET, POST"),
        ("records => 'data'", "http source: records cannot be \"data\"", "a JSON pointer"),
        ("records => '/a~2'", "http source: records cannot be \"/a~2\"", "a JSON pointer"),
        ("format => 'xml'", "http source: format cannot be \"xml\"", "one of json"),
        ("params => '[1]'", "http source: params cannot be [1]", "an object"),
        (
            "params => '{\"a\": {\"b\": 1}}'",
            "http source: parameter \"a\" cannot be {\"b\": 1}",
            "an array of them",
        ),
        (
            "params => '{\"a\": [[1]]}'",
            "http source: parameter \"a\" cannot be [[1]]",
            "an array of them",
        ),
        ("headers => '{\"A\": 1}'", "http source: header \"A\" cannot be 1", "strings of one line"),
        (
            "headers => '{\"A\": \"x\\ny\"}'",
            "http source: header \"A\" cannot be",
            "strings of one line",
        ),
        (
            "headers => '{\"A b\": \"x\"}'",
            "http source: header \"A b\" cannot be",
            "strings of one line",
        ),
        (
            "headers => '{\"Authorization\": \"Bearer x\"}'",
            "http source: the header \"Authorization\" would keep a secret in the database",
            "sluice.bearer_auth(env =>",
        ),
        ("headers => '{\"cookie\": \"x\"}'", "would keep a secret", "auth =>"),
        ("headers => '{\"Accept-Encoding\": \"gzip\"}'", "is not yours to set", "leave it out"),
        ("body => '{}'", "http source: body needs method POST", "method => 'POST'"),
        ("body => '7', method => 'POST'", "http source: body cannot be 7", "an object or an array"),
        ("max_record_bytes => 0", "http source: max_record_bytes cannot be 0", "1 to 268435455"),
        ("requests_per_second => 0", "http source: requests_per_second cannot be 0", "from 0.001"),
        ("prefetch => 17", "http source: prefetch cannot be 17", "1 to 16"),
        ("read_timeout => 0", "http source: read_timeout cannot be 0", "1 to 3600"),
        ("max_wait => -1", "http source: max_wait cannot be -1", "0 to 86400"),
        ("allow_hosts => '{}'", "http source: allow_hosts cannot be []", "names of other hosts"),
        (
            "retry_when => '[]'",
            "http source: retry_when cannot be []",
            "where something stands there",
        ),
        ("fail_when => '{\"error\": 1}'", "http source: fail_when cannot be", "JSON pointer"),
        ("fail_when => '\"/error\"'", "http source: fail_when cannot be", "JSON pointer"),
        ("fail_when => '{\"/error\": []}'", "http source: fail_when cannot be", "JSON pointer"),
        (
            "format => 'csv', records => '/data'",
            "http source: records needs the format json",
            "leave it out",
        ),
        (
            "format => 'csv', fail_when => '[\"/e\"]'",
            "http source: fail_when needs the format json, or ndjson for its last line",
            "leave it out",
        ),
        (
            "format => 'csv', paging => sluice.cursor_paging(param => 'a', next => '/n')",
            "http source: next as a JSON pointer needs the format json",
            "name a header",
        ),
        (
            "format => 'csv', paging => sluice.next_link_paging()",
            "http source: next as a JSON pointer needs the format json",
            "name a header",
        ),
        (
            "format => 'csv', paging => sluice.offset_paging(size => 1, total => '/n')",
            "http source: total as a JSON pointer needs",
            "name a header",
        ),
        (
            "columns => '{a}'",
            "http source: columns is for the formats csv and tsv",
            "format => 'csv'",
        ),
        (
            "format => 'csv', header => false",
            "http source: header => false leaves the fields without names",
            "columns =>",
        ),
        (
            "format => 'csv', columns => '{a,a}'",
            "http source: columns cannot be",
            "names of the fields",
        ),
        ("paging => '{}'", "unknown paging {}", "sluice.page_number_paging"),
        (
            "paging => '{\"model\": \"magic\"}'",
            "unknown paging \"magic\"",
            "make it with one of sluice.",
        ),
        ("paging => '[]'", "unknown paging []", "sluice.offset_paging"),
        (
            "paging => '{\"model\": \"offset\", \"param\": \"o\", \"size_param\": \"l\", \"size\": 1, \"sise\": 1}'",
            "offset paging: unknown setting \"sise\"",
            "known are param",
        ),
        (
            "paging => sluice.page_number_paging(param => '')",
            "page_number paging: param cannot be \"\"",
            "the parameter with",
        ),
        (
            "paging => sluice.page_number_paging(start => -1)",
            "page_number paging: start cannot be -1",
            "mostly 0 or 1",
        ),
        (
            "paging => sluice.page_number_paging(size_param => 'n')",
            "page_number paging: size is missing",
            "the two go together",
        ),
        (
            "paging => sluice.page_number_paging(size => 5)",
            "page_number paging: size_param is missing",
            "the two go together",
        ),
        (
            "paging => sluice.page_number_paging(ends_at => 'short_page')",
            "page_number paging: ends_at short_page needs the size of a page",
            "size => 100",
        ),
        (
            "paging => sluice.page_number_paging(ends_at => 'never')",
            "page_number paging: ends_at cannot be \"never\"",
            "one of empty_page, short_page",
        ),
        (
            "paging => sluice.page_number_paging(pages => '/p', total => '/t')",
            "page_number paging: pages and total are both given",
            "one of them",
        ),
        (
            "paging => sluice.page_number_paging(pages => 'no header')",
            "page_number paging: pages cannot be \"no header\"",
            "the name of a header",
        ),
        (
            "paging => sluice.offset_paging(size => null)",
            "offset paging: size is missing",
            "records in a page",
        ),
        (
            "paging => sluice.offset_paging(size => 5, total => '/t', ends_at => 'short_page')",
            "offset paging: ends_at short_page and a count are both given",
            "leave ends_at out",
        ),
        (
            "paging => sluice.offset_paging(size => 5, send_in => 'body')",
            "http source: paging with send_in => 'body' needs method POST",
            "method => 'POST'",
        ),
        (
            "paging => sluice.cursor_paging(param => 'a', next => null)",
            "cursor paging: next is missing",
            "a JSON pointer such as /meta/next",
        ),
        (
            "paging => sluice.cursor_paging(param => 'a', next => '')",
            "cursor paging: next cannot be \"\"",
            "a JSON pointer such as /meta/next",
        ),
        (
            "paging => sluice.next_link_paging(next => 'Link')",
            "next_link paging: next cannot be \"Link\"",
            "sluice.link_header_paging",
        ),
        (
            "paging => sluice.link_header_paging(rel => ' ')",
            "link_header paging: rel cannot be \" \"",
            "mostly next",
        ),
        ("auth => '{\"scheme\": \"magic\"}'", "unknown auth \"magic\"", "sluice.bearer_auth"),
        (
            "auth => sluice.bearer_auth()",
            "bearer auth: the secret is not given",
            "never written into a pipeline",
        ),
        (
            "auth => sluice.bearer_auth(env => 'A', file => 'b')",
            "bearer auth: the secret is given in two places",
            "one of env",
        ),
        (
            "auth => sluice.bearer_auth(env => 'sk_live_a.b-c')",
            "bearer auth: env cannot be",
            "the name of an environment variable, not its value",
        ),
        (
            "auth => '{\"scheme\": \"bearer\", \"env\": \"A\", \"token\": \"x\"}'",
            "bearer auth: unknown setting \"token\"",
            "known are env, file",
        ),
        (
            "auth => sluice.header_auth(header => 'a b', env => 'A')",
            "header auth: header cannot be \"a b\"",
            "the name of a header",
        ),
        (
            "auth => sluice.header_auth(header => 'Host', env => 'A')",
            "header auth: \"Host\" cannot carry a secret",
            "X-Api-Key",
        ),
        (
            "auth => sluice.param_auth(param => null, env => 'A')",
            "param auth: param is missing",
            "such as api_key",
        ),
        (
            "auth => sluice.oauth2_auth(token_url => 'x', client_id => 'a', env => 'A')",
            "oauth2 auth: token_url cannot be \"x\"",
            "a URL",
        ),
        (
            "auth => sluice.oauth2_auth(token_url => 'https://x/', client_id => 'a', env => 'A', send_in => 'query')",
            "oauth2 auth: send_in cannot be \"query\"",
            "one of header, body",
        ),
        (
            "since => sluice.since(param => 's')",
            "since: the mark is not given",
            "field => '/updated_at'",
        ),
        (
            "since => sluice.since(param => 's', field => '/a', header => 'Date')",
            "since: the mark is given in two places",
            "one of field",
        ),
        (
            "since => sluice.since(param => 's', field => 'a')",
            "since: field cannot be \"a\"",
            "a JSON pointer into a record",
        ),
        (
            "since => sluice.since(param => 's', field => '')",
            "since: field cannot be \"\"",
            "a JSON pointer into a record",
        ),
        (
            "since => sluice.since(param => null, field => '/a')",
            "since: param is missing",
            "the parameter that takes the mark",
        ),
        (
            "since => sluice.since(param => 's', field => '/a', lag => '-1 second')",
            "since: lag cannot be -1",
            "an interval of whole seconds",
        ),
        (
            "since => sluice.since(param => 's', field => '/a', lag => '0.5 seconds')",
            "since: lag cannot be 0.5",
            "an interval of whole seconds",
        ),
        (
            "since => sluice.since(param => 's', field => '/a', lag => '1 minute', kind => 'text')",
            "since: a lag cannot be taken from a mark of the kind \"text\"",
            "timestamp, unix and unix_ms",
        ),
        (
            "since => sluice.since(param => 's', field => '/a', kind => 'date')",
            "since: kind cannot be \"date\"",
            "one of timestamp",
        ),
        (
            "since => sluice.since(param => 's', field => '/a', send_in => 'body')",
            "http source: since with send_in => 'body' needs method POST",
            "method => 'POST'",
        ),
        ("since => '[]'", "unknown since []", "sluice.since("),
    ] {
        let url = if more.starts_with("url") { "" } else { "url => 'https://api.example/', " };
        let (found, next) = refusal(&db, &format!("sluice.http_source({url}{more})")).await;
        assert!(found.contains(message), "{more}: {found}");
        assert!(next.contains(hint), "{more}: {next}");
    }
}

#[tokio::test]
async fn a_credential_in_clear_is_refused_wherever_it_stands_and_not_repeated() {
    let db = TestDb::new().await;
    let params = "auth => sluice.param_auth(param => '";
    let header = "auth => sluice.header_auth(header => '";
    for (source, name, hint) in [
        ("http_source(url => 'https://x/?page=1&api_key=hush')", "api_key", params),
        ("http_source(url => 'https://x/?X-Amz-Signature=hush')", "X-Amz-Signature", params),
        (
            r#"http_source(url => 'https://x/', params => '{"Access-Token": "hush"}')"#,
            "Access-Token",
            params,
        ),
        (r#"http_source(url => 'https://x/', params => '{"token": ["hush"]}')"#, "token", params),
        (
            r#"http_source(url => 'https://x/', headers => '{"X-Api-Key": "hush"}')"#,
            "X-Api-Key",
            header,
        ),
        (
            r#"http_source(url => 'https://x/', method => 'POST', body => '{"a": [{"user": {"password": "hush"}}]}')"#,
            "password",
            header,
        ),
        (
            r#"http_delivery(url => 'https://x/', headers => '{"X-Auth-Token": "hush"}')"#,
            "X-Auth-Token",
            header,
        ),
        ("http_delivery(url => 'https://x/{id}?secret=hush')", "secret", params),
        (
            r#"oauth2_auth(token_url => 'https://x/', client_id => 'c', env => 'E', params => '{"client_secret": "hush"}')"#,
            "client_secret",
            "env => 'VARIABLE'",
        ),
    ] {
        let (found, next) = refusal(&db, &format!("sluice.{source}")).await;
        assert!(
            found.contains(&format!("\"{name}\" in ")) && found.contains("keep a secret"),
            "{source}: {found}"
        );
        assert!(next.contains(hint), "{source}: {next}");
        assert!(!format!("{found} {next}").contains("hush"), "{source}");
    }
    for source in [
        r#"http_source(url => 'https://x/?key=a&page_token=b', params => '{"tokens": 5, "token": null}')"#,
        "http_source(url => 'https://x/?token={token}', for_each => 'select token from shop.links')",
        r#"http_source(url => 'https://x/', method => 'POST', body => '{"password": {"reset": true}, "query": "{ token }"}')"#,
        "http_source(url => 'https://x/', paging => sluice.cursor_paging(param => 'token', next => '/token'))",
        "http_delivery(url => 'https://x/?token={id}')",
    ] {
        db.execute(&format!("select sluice.{source}")).await;
    }
}

#[tokio::test]
async fn a_source_written_by_hand_is_checked_too() {
    let db = TestDb::new().await;
    for (source, message) in [
        (r#"{"kind": "http"}"#, "http source: url is missing"),
        (
            r#"{"kind": "http", "url": "https://x/", "pagin": {}}"#,
            "http source: unknown setting \"pagin\"",
        ),
        (
            r#"{"kind": "http", "url": "https://x/", "auth": {"scheme": "bearer", "secret": "x"}}"#,
            "bearer auth: unknown setting \"secret\"",
        ),
        (
            r#"{"kind": "http", "url": "https://x/", "headers": {"Authorization": "x"}}"#,
            "would keep a secret",
        ),
    ] {
        let (found, _) = refusal(&db, &format!("sluice._checked('source', '{source}')")).await;
        assert!(found.contains(message), "{source}: {found}");
    }
}
