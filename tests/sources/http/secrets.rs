//! No secret is ever shown: not in a table, a log, an error or `--json`.

use serde_json::json;

use super::runs::define;
use super::support::{read, settings};
use crate::support::web::{Answer, Web};
use crate::support::{Sluice, TestDb};

const SECRET: &str = "s3cr3t/v&lue==";
const TOKEN: &str = "tok3n-bought+with=it";

/// Each way in which a server may repeat a secret, or a log may show it.
fn forms() -> Vec<String> {
    let escaped = |text: &str| {
        text.replace('/', "%2F").replace('&', "%26").replace('=', "%3D").replace('+', "%2B")
    };
    let mut forms = vec![SECRET.to_owned(), TOKEN.to_owned(), escaped(SECRET), escaped(TOKEN)];
    // base64 of the secret, of me:secret and of my-client:secret, form-encoded as OAuth wants it.
    forms.extend(
        [
            "czNjcjN0L3YmbHVlPT0=",
            "bWU6czNjcjN0L3YmbHVlPT0=",
            "bXktY2xpZW50OnMzY3IzdCUyRnYlMjZsdWUlM0QlM0Q=",
        ]
        .map(str::to_owned),
    );
    forms
}

/// Repeats all it gets: in bodies, in links, in headers.
fn parrot() -> Web {
    Web::serve(|request| {
        if request.path == "/token" {
            return Answer::json(json!({"access_token": TOKEN, "expires_in": 3600}).to_string());
        }
        let sent = |name: &str| request.header(name).unwrap_or_default().to_owned();
        let query: String = request.query.iter().map(|(_, value)| format!("{value} ")).collect();
        let all = format!("{} {} {query}", sent("authorization"), sent("x-api-key"));
        let query = all
            .replace('%', "%25")
            .replace('&', "%26")
            .replace('=', "%3D")
            .replace('+', "%2B")
            .replace(' ', "%20");
        match request.number {
            1 | 2 if request.param("page").is_none() => Answer::json(json!({"data": [{"id": 1, "amount": 1, "name": "x", "at": "2026-01-01"}], "next": format!("/orders?page=2&echo={query}")}).to_string()),
            3 => Answer::status(503, &format!("busy: {all}")),
            _ => Answer::status(403, &format!("{}{all}\n{all}", " ".repeat(190))).header("X-Echo", "x"),
        }
    })
}

/// All that the database keeps, as text.
async fn everything(db: &TestDb) -> String {
    let tables = db.rows("select format('%I.%I', schemaname, tablename) from pg_tables where schemaname in ('sluice', 'shop')").await;
    let mut text = String::new();
    for table in tables {
        text += &db.rows(&format!("select t::text from {table} t")).await.join("\n");
    }
    text
}

#[tokio::test]
async fn no_secret_is_shown_or_kept() {
    for auth in [
        "sluice.bearer_auth(env => 'SHOP_SECRET')",
        "sluice.basic_auth(username => 'me', env => 'SHOP_SECRET')",
        "sluice.header_auth(header => 'X-Api-Key', env => 'SHOP_SECRET')",
        "sluice.param_auth(param => 'key', env => 'SHOP_SECRET')",
        "sluice.oauth2_auth(token_url => 'URL/token', client_id => 'my-client', env => 'SHOP_SECRET')",
        "sluice.oauth2_auth(token_url => 'URL/token', client_id => 'my-client', send_in => 'body', env => 'SHOP_SECRET')",
    ] {
        let web = parrot();
        let auth = auth.replace("URL", &web.url);
        let db = define(&format!("sluice.http_source(url => '{}/orders', records => '/data', paging => sluice.next_link_paging(), auth => {auth})", web.url)).await;
        let mut shown = String::new();
        for args in [
            &["run", "orders", "--log-format", "json", "-vv"][..],
            &["run", "orders", "--json"],
            &["status", "--json"],
            &["doctor"],
        ] {
            let done = Sluice::on(&db)
                .env("SHOP_SECRET", SECRET)
                .env("RUST_LOG", "trace")
                .args(args)
                .run();
            if args[0] == "run" {
                assert_eq!(done.code, Some(1), "{done:?}");
                assert!(done.stderr.contains("answered 403"), "{auth}: {}", done.stderr);
                assert!(
                    done.stderr.contains("[redacted]"),
                    "{auth}: the server's echo was shown: {}",
                    done.stderr
                );
            }
            shown += &done.stdout;
            shown += &done.stderr;
        }
        let sent = format!("{:?}", web.requests());
        assert!(
            forms().iter().any(|form| sent.contains(form)),
            "{auth}: the test sends what it looks for: {sent}"
        );
        shown += &everything(&db).await;
        assert!(
            shown.contains("[redacted]") && shown.contains("\"page\": 2")
                || shown.contains("page=2"),
            "the link is kept"
        );
        for form in forms() {
            assert!(!shown.contains(&form), "{auth} shows {form} in {shown}");
        }
    }
}

#[test]
fn a_link_that_repeats_the_secret_is_followed_without_it() {
    let secret = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(secret.path(), SECRET).unwrap();
    let web = Web::serve(|request| match request.param("page") {
        None => Answer::json(
            json!({"data": [1], "next": format!("/?page=2&key={}", "s3cr3t%2Fv%26lue%3D%3D")})
                .to_string(),
        ),
        _ => Answer::json(r#"{"data": [2]}"#),
    });
    let auth = json!({"scheme": "param", "param": "key", "file": secret.path()});
    let run = read(&settings(
        &web.url,
        json!({"auth": auth, "paging": {"model": "next_link", "next": "/next"}}),
    ))
    .ok();
    assert_eq!(run.records[1].origin, format!("{}/?page=2", web.url));
    let query: Vec<String> =
        web.requests()[1].query.iter().map(|(name, value)| format!("{name}={value}")).collect();
    assert_eq!(query, ["page=2", &format!("key={SECRET}")], "once, and by ourselves");
}

/// Pages by links that the server has signed; from the second one on only `limit` more are given.
fn signing(limit: u64) -> Web {
    Web::serve(move |request| {
        let page: u64 = request.param("page").map_or(1, |page| page.parse().unwrap());
        if page > 1 && request.param("X-Amz-Signature") != Some("SIGN777") {
            return Answer::status(403, "not signed");
        }
        if page > limit {
            return Answer::status(400, "no such page of /?X-Amz-Signature=SIGN777");
        }
        let next = format!("/orders?page={}&X-Amz-Signature=SIGN777", page + 1);
        let record = json!({"id": page, "amount": 1, "name": "x", "at": "2026-01-01"});
        let bad = json!({"id": "no number"});
        match page {
            4 => Answer::json(json!({"data": [record]}).to_string()),
            _ => Answer::json(json!({"data": [record, bad], "next": next}).to_string()),
        }
    })
}

#[tokio::test]
async fn signed_links_are_followed_and_kept_nowhere() {
    let broken = signing(2);
    let source = |web: &Web| {
        format!(
            "sluice.http_source(url => '{}/orders', records => '/data', paging => sluice.next_link_paging())",
            web.url
        )
    };
    let db = define(&source(&broken)).await;
    let run = |args: &[&str]| {
        Sluice::on(&db)
            .env("RUST_LOG", "trace")
            .args(["run", "orders", "--max-bad-ratio", "1"])
            .args(args)
            .run()
    };
    let first = run(&["--log-format", "json", "-vv", "--batch-rows", "1"]);
    assert_eq!(first.code, Some(1), "{first:?}");
    assert!(first.stderr.contains("X-Amz-Signature=[redacted]"), "{first:?}");
    assert!(first.stderr.contains("begins anew with the first page"), "{first:?}");
    assert_eq!(db.value("select count(*) from shop.orders").await, "2");
    let second = run(&["--json"]);
    assert_eq!(second.code, Some(1), "{second:?}");
    assert_eq!(broken.requests()[3].param("page"), None, "begun anew");
    let shown = format!(
        "{}{}{}{}{}",
        first.stdout,
        first.stderr,
        second.stdout,
        second.stderr,
        everything(&db).await
    );
    assert!(!shown.contains("SIGN777"), "{shown}");
    assert_eq!(
        db.value("select origin from sluice.quarantine_open_details order by id desc limit 1")
            .await,
        format!("{}/orders?page=2&X-Amz-Signature=[redacted]", broken.url)
    );

    let whole = signing(9);
    let db = define(&source(&whole)).await;
    Sluice::on(&db)
        .args(["run", "orders", "--max-bad-ratio", "1", "--batch-rows", "1"])
        .run()
        .exits(0);
    assert_eq!(db.value("select count(*) from shop.orders").await, "4");
    let done = Sluice::on(&db).args(["verify"]).run();
    assert_eq!(done.code, Some(0), "{done:?}");
}
