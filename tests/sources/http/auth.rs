//! Credentials, and who gets them.

use std::path::Path;
use std::sync::Mutex;

use serde_json::{Value, json};

use super::support::{in_turn, page, read, settings};
use crate::support::web::{Answer, Web, pairs};

/// A file with a secret.
fn kept(secret: &str) -> tempfile::NamedTempFile {
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), format!("{secret}\n")).unwrap();
    file
}

fn auth(file: &Path, more: Value) -> Value {
    let mut auth = more;
    auth["file"] = json!(file);
    json!({"auth": auth})
}

#[test]
fn credentials_go_where_they_belong() {
    let secret = kept("s3cr3t &x");
    for (more, header, value) in [
        (json!({"scheme": "bearer"}), "authorization", "Bearer s3cr3t &x"),
        (json!({"scheme": "basic", "username": "me"}), "authorization", "Basic bWU6czNjcjN0ICZ4"),
        (json!({"scheme": "basic"}), "authorization", "Basic czNjcjN0ICZ4"),
        (json!({"scheme": "header", "header": "X-Api-Key"}), "x-api-key", "s3cr3t &x"),
        (
            json!({"scheme": "header", "header": "Authorization", "prefix": "Token "}),
            "authorization",
            "Token s3cr3t &x",
        ),
    ] {
        let web = in_turn(vec![page("1")]);
        read(&settings(&web.url, auth(secret.path(), more))).ok();
        assert_eq!(web.requests()[0].header(header), Some(value));
    }
    let web = in_turn(vec![page("1")]);
    let run =
        read(&settings(&web.url, auth(secret.path(), json!({"scheme": "param", "param": "key"}))))
            .ok();
    assert_eq!(web.requests()[0].param("key"), Some("s3cr3t &x"));
    assert_eq!(run.records[0].origin, format!("{}/", web.url), "but not where records came from");
}

#[test]
fn a_secret_that_is_not_there_fails_before_anything_is_asked() {
    let web = in_turn(vec![page("1")]);
    let empty = kept("");
    let two_lines = kept("a\nb");
    for (auth, message) in [
        (
            json!({"scheme": "bearer", "env": "SLUICE_TEST_NO_SUCH"}),
            "the environment variable `SLUICE_TEST_NO_SUCH` with the credential is not set",
        ),
        (
            json!({"scheme": "bearer", "file": "/no/such/file"}),
            "the file `/no/such/file` with the credential cannot be read",
        ),
        (json!({"scheme": "bearer", "file": empty.path()}), "holds no usable credential"),
        (json!({"scheme": "bearer", "file": two_lines.path()}), "holds no usable credential"),
        (json!({"scheme": "bearer"}), "the settings do not say where the credential is kept"),
    ] {
        let run = read(&settings(&web.url, json!({"auth": auth})));
        assert_eq!(run.error.as_ref().unwrap().kind().exit_code(), 2);
        assert!(run.error_text().contains(message), "{}", run.error_text());
    }
    assert_eq!(web.requests().len(), 0);
}

#[test]
fn a_secret_that_was_changed_is_read_again() {
    let secret = kept("old");
    let path = secret.path().to_owned();
    let web = Web::serve(move |request| match request.header("authorization") {
        Some("Bearer new") => page("1"),
        _ => {
            std::fs::write(&path, "new").unwrap();
            Answer::status(401, "expired")
        }
    });
    let run = read(&settings(&web.url, auth(secret.path(), json!({"scheme": "bearer"})))).ok();
    assert_eq!((run.payloads().len(), run.retried(), web.requests().len()), (1, 0, 2));
}

#[test]
fn a_refused_secret_is_not_tried_again() {
    let secret = kept("wrong-one");
    let web = in_turn(vec![Answer::status(401, "you sent wrong-one")]);
    let run = read(&settings(&web.url, auth(secret.path(), json!({"scheme": "bearer"}))));
    assert_eq!(web.requests().len(), 1);
    let text = run.error_text();
    assert!(text.contains("answered 401 Unauthorized\n  body:  you sent [redacted]\n"), "{text}");
    assert!(
        text.contains(&format!("check the credential in file `{}`", secret.path().display())),
        "{text}"
    );
}

fn oauth2(web: &Web, secret: &Path, more: Value) -> Value {
    let mut auth = json!({"scheme": "oauth2", "token_url": format!("{}/token", web.url), "client_id": "my client", "file": secret});
    for (key, value) in more.as_object().unwrap() {
        auth[key] = value.clone();
    }
    settings(
        &format!("{}/orders", web.url),
        json!({"auth": auth, "paging": {"model": "cursor", "param": "after", "next": "/next"}}),
    )
}

/// Gives token after token; `lasts` seconds each, of which the server honours `uses` requests.
fn token_server(lasts: u64, uses: usize) -> Web {
    let issued = Mutex::new((0, 0));
    Web::serve(move |request| {
        let mut issued = issued.lock().unwrap();
        if request.path == "/token" {
            *issued = (issued.0 + 1, 0);
            return Answer::json(format!(
                "{{\"access_token\": \"token-{}\", \"token_type\": \"bearer\", \"expires_in\": {lasts}}}",
                issued.0
            ));
        }
        if request.header("authorization") != Some(&format!("Bearer token-{}", issued.0))
            || issued.1 == uses
        {
            return Answer::status(401, "{\"error\": \"invalid_token\"}");
        }
        issued.1 += 1;
        let number: usize = request.param("after").map_or(0, |after| after.parse().unwrap());
        match number {
            5 => Answer::json("{\"data\": [5]}"),
            n => Answer::json(format!("{{\"data\": [{n}], \"next\": {}}}", n + 1)),
        }
    })
}

fn tokens(web: &Web) -> usize {
    web.requests().iter().filter(|request| request.path == "/token").count()
}

#[test]
fn a_token_is_bought_with_the_clients_secret_and_used_until_it_expires() {
    let secret = kept("top s3cr3t");
    let web = token_server(3600, 100);
    let run = read(&oauth2(
        &web,
        secret.path(),
        json!({"scope": "read", "params": {"audience": "https://api"}}),
    ))
    .ok();
    assert_eq!(run.payloads(), ["0", "1", "2", "3", "4", "5"]);
    assert_eq!(tokens(&web), 1);
    let request = &web.requests()[0];
    assert_eq!((request.method.as_str(), request.path.as_str()), ("POST", "/token"));
    assert_eq!(request.header("content-type"), Some("application/x-www-form-urlencoded"));
    // base64 of my+client:top+s3cr3t
    assert_eq!(request.header("authorization"), Some("Basic bXkrY2xpZW50OnRvcCtzM2NyM3Q="));
    let form = pairs(&request.body);
    let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
    assert_eq!(
        form,
        [
            pair("grant_type", "client_credentials"),
            pair("audience", "https://api"),
            pair("scope", "read")
        ]
    );

    let web = token_server(3600, 100);
    read(&oauth2(&web, secret.path(), json!({"send_in": "body"}))).ok();
    let request = &web.requests()[0];
    assert_eq!(request.header("authorization"), None);
    assert_eq!(
        pairs(&request.body)[1..],
        [pair("client_id", "my client"), pair("client_secret", "top s3cr3t")]
    );
}

#[test]
fn a_token_is_bought_anew_when_it_has_expired_or_is_refused() {
    let secret = kept("top");
    let web = token_server(0, 100);
    assert_eq!(read(&oauth2(&web, secret.path(), json!({}))).ok().records.len(), 6);
    assert_eq!(tokens(&web), 6, "expired as soon as it came");
    let web = token_server(3600, 2);
    let run = read(&oauth2(&web, secret.path(), json!({}))).ok();
    assert_eq!(
        (run.records.len(), run.retried(), tokens(&web)),
        (6, 0, 3),
        "each is good for two requests"
    );
    let web = token_server(3600, 0);
    let run = read(&oauth2(&web, secret.path(), json!({})));
    assert!(run.error_text().contains("/orders answered 401"), "{}", run.error_text());
    assert_eq!(tokens(&web), 2, "once more, and no more");
}

#[test]
fn a_token_that_is_not_given_is_final_unless_the_server_is_busy() {
    let secret = kept("top-s3cr3t");
    let web = in_turn(vec![Answer::status(
        400,
        "{\"error\": \"invalid_client\", \"sent\": \"top-s3cr3t\"}",
    )]);
    let text = read(&oauth2(&web, secret.path(), json!({}))).error_text();
    assert!(text.contains("/token gave no access token: it answered 400 Bad Request\n  body:  {\"error\": \"invalid_client\", \"sent\": \"[redacted]\"}"), "{text}");
    assert!(text.contains("check client_id `my client`"), "{text}");
    assert_eq!(web.requests().len(), 1);
    let web = in_turn(vec![
        Answer::status(503, ""),
        Answer::json("{\"access_token\": \"t\"}"),
        Answer::json("{\"data\": [1]}"),
    ]);
    let run = read(&oauth2(&web, secret.path(), json!({}))).ok();
    assert_eq!((run.payloads(), run.retried()), (vec!["1".to_owned()], 1));
}

#[test]
fn a_certificate_is_checked_against_the_authorities_and_ca_file() {
    let (web, pem) = Web::serve_tls(|_| page("1"));
    let run = read(&settings(&web.url, json!({})));
    assert!(run.error_text().contains("certificate"), "{}", run.error_text());
    assert!(run.error_text().contains("ca_file => …"), "{}", run.error_text());
    assert_eq!(run.error.as_ref().unwrap().kind().exit_code(), 1, "not worth another try");
    assert_eq!(web.requests().len(), 0);
    let file = kept(&pem);
    assert_eq!(read(&settings(&web.url, json!({"ca_file": file.path()}))).ok().payloads(), ["1"]);
    let nothing = kept("no certificate");
    for path in [nothing.path(), Path::new("/no/such/file")] {
        let text = read(&settings(&web.url, json!({"ca_file": path}))).error_text();
        assert!(text.contains("cannot be used"), "{text}");
    }
}
