//! Access tokens that last for ever, and refresh tokens that change with each use.

use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::sync::Mutex;

use serde_json::{Value, json};

use super::support::{in_turn, page, read, settings};
use crate::support::web::{Answer, Web, pairs};

/// A folder with a refresh token in it.
fn kept(token: &str) -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("token");
    std::fs::write(&path, format!("{token}\n")).unwrap();
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o640)).unwrap();
    (folder, path)
}

fn source(web: &Web, file: &Path, more: Value) -> Value {
    let mut auth = json!({"scheme": "oauth2", "token_url": format!("{}/token", web.url), "client_id": "me", "refresh_token_file": file});
    for (key, value) in more.as_object().unwrap() {
        auth[key] = value.clone();
    }
    settings(&web.url, json!({"auth": auth}))
}

/// Each refresh token, `refresh-1` first, is good for one use, and brings the next.
fn rotating() -> Web {
    let used = Mutex::new(0);
    Web::serve(move |request| {
        if request.path != "/token" {
            return page("1");
        }
        let form = pairs(&request.body);
        let value = |name: &str| {
            form.iter().find(|(other, _)| other == name).map(|(_, value)| value.clone())
        };
        let mut used = used.lock().unwrap();
        if value("grant_type").as_deref() != Some("refresh_token")
            || value("refresh_token") != Some(format!("refresh-{}", *used + 1))
        {
            return Answer::status(400, r#"{"error": "invalid_grant"}"#);
        }
        *used += 1;
        Answer::json(format!(
            r#"{{"access_token": "a{used}", "refresh_token": "refresh-{}", "expires_in": 60}}"#,
            *used + 1
        ))
    })
}

#[test]
fn a_token_that_lasts_for_ever_is_one() {
    let secret = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(secret.path(), "s3cr3t").unwrap();
    for lasts in [u64::MAX, i64::MAX as u64, u64::MAX / 1000] {
        let web = in_turn(vec![
            Answer::json(format!(r#"{{"access_token": "a", "expires_in": {lasts}}}"#)),
            page("1"),
        ]);
        let auth = json!({"scheme": "oauth2", "token_url": format!("{}/token", web.url), "client_id": "me", "file": secret.path()});
        assert_eq!(
            read(&settings(&web.url, json!({"auth": auth}))).ok().payloads(),
            ["1"],
            "{lasts}"
        );
    }
}

#[test]
fn a_new_refresh_token_is_in_its_file_before_the_token_is_used() {
    let (_folder, path) = kept("refresh-1");
    let file = path.clone();
    let rotating = Mutex::new(0);
    let web = Web::serve(move |request| match request.path.as_str() {
        "/token" => {
            *rotating.lock().unwrap() += 1;
            Answer::json(r#"{"access_token": "a1", "refresh_token": "refresh-2"}"#)
        }
        _ => {
            assert_eq!(request.header("authorization"), Some("Bearer a1"));
            page(&json!(std::fs::read_to_string(&file).unwrap()).to_string())
        }
    });
    assert_eq!(read(&source(&web, &path, json!({}))).ok().payloads(), ["\"refresh-2\""]);
    assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o640);
    let form = pairs(&web.requests()[0].body);
    let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
    assert_eq!(
        form,
        [
            pair("grant_type", "refresh_token"),
            pair("refresh_token", "refresh-1"),
            pair("client_id", "me")
        ]
    );
    let text = read(&source(&rotating_wrongly(), &path, json!({}))).error_text();
    assert!(text.contains("[redacted]") && !text.contains("refresh-2"), "{text}");
    assert!(text.contains("the refresh token in file"), "{text}");
}

/// Refuses, and repeats what it was sent.
fn rotating_wrongly() -> Web {
    Web::serve(|request| Answer::status(400, &request.body))
}

#[test]
fn many_that_use_a_refresh_token_use_each_one_once() {
    let (_folder, path) = kept("refresh-1");
    let web = rotating();
    let source = source(&web, &path, json!({}));
    std::thread::scope(|scope| {
        for _ in 0..6 {
            scope.spawn(|| assert_eq!(read(&source).ok().payloads(), ["1"]));
        }
    });
    assert_eq!(std::fs::read_to_string(&path).unwrap(), "refresh-7");
}

#[test]
fn a_refresh_token_that_cannot_be_replaced_is_not_spent() {
    let (folder, path) = kept("refresh-1");
    std::fs::create_dir(folder.path().join("token.new")).unwrap();
    let web = rotating();
    let text = read(&source(&web, &path, json!({}))).error_text();
    assert!(
        text.contains("the refresh token in file")
            && text.contains("allowed to write in its folder"),
        "{text}"
    );
    assert_eq!(web.requests().len(), 0);
}

#[test]
fn a_client_may_have_a_secret_beside_its_refresh_token() {
    let (folder, path) = kept("refresh-1");
    let secret = folder.path().join("secret");
    std::fs::write(&secret, "s3cr3t").unwrap();
    let web = rotating();
    read(&source(&web, &path, json!({"file": secret}))).ok();
    assert_eq!(web.requests()[0].header("authorization"), Some("Basic bWU6czNjcjN0"));
}
