//! From a file or URL to the settings of a source, and a name for the pipeline.

use super::name;
use crate::db::literal;
use crate::error::{Error, Result};
use crate::secret::{credential_of, is_credential};
use reqwest::Url;
use serde_json::{Value, json};

/// The settings of the source for what a user named.
pub(super) fn settings(place: &str) -> Result<Value> {
    Ok(match place.split_once("://") {
        Some(("http" | "https", _)) => {
            refuse_credentials(place)?;
            json!({"kind": "http", "url": place})
        }
        Some(_) => json!({"kind": "object", "url": place}),
        None => json!({"kind": "file", "path": place}),
    })
}

/// What is printed goes into a file, and from there into the database, where the engine refuses it.
fn refuse_credentials(place: &str) -> Result<()> {
    let Ok(mut url) = Url::parse(place) else { return Ok(()) };
    let (what, auth) = if !url.username().is_empty() || url.password().is_some() {
        ("what stands before the \"@\"".to_owned(), "basic_auth(env => 'VARIABLE')".to_owned())
    } else if let Some(name) = credential_of(&url) {
        let auth = format!("param_auth(param => {}, env => 'VARIABLE')", literal(&name));
        (format!("\"{name}\""), auth)
    } else {
        return Ok(());
    };
    let pairs = url.query_pairs().filter(|(name, _)| !is_credential(name));
    let pairs: Vec<(String, String)> =
        pairs.map(|(name, value)| (name.into(), value.into())).collect();
    url.set_query(None);
    if !pairs.is_empty() {
        url.query_pairs_mut().extend_pairs(pairs);
    }
    // A host is there, so neither fails.
    let _ = (url.set_username(""), url.set_password(None));
    Err(Error::usage(format!("{what} in the URL would keep a secret in the file and the database"))
        .next(format!(
            "say where it is: --source \"sluice.http_source(url => {}, auth => sluice.{auth})\"",
            literal(url.as_str())
        )))
}

/// A path that means the same in every folder; a URL as it is.
pub(super) fn rooted(place: &str) -> String {
    let is_path = place != "-" && !place.contains("://");
    let rooted = std::path::absolute(place).ok().filter(|_| is_path);
    rooted.map_or_else(|| place.to_owned(), |path| path.display().to_string())
}

/// A name for the records of a source: the last part of its place, without what differs from drop to drop.
pub(super) fn name(settings: &Value) -> String {
    let named = |keys: &[&str]| keys.iter().find_map(|key| settings[key].as_str());
    // In these a point separates, or means nothing.
    if let Some(said) = named(&["table", "stream", "program"]) {
        let last = said.rsplit('.').next().unwrap_or_default();
        return name::of_pipeline(last.trim_matches('"'), "records");
    }
    let place = named(&["path", "url"]).unwrap_or_default();
    let path = place.split(['?', '#']).next().unwrap_or_default();
    let path = path.split_once("://").map_or(path, |(_, path)| path);
    let parts = path.split('/').filter(|part| !part.is_empty());
    let parts: Vec<&str> = match settings["kind"].as_str() {
        // The host says little.
        Some("http") => parts.skip(1).collect(),
        _ => parts.collect(),
    };
    let mut named = parts.iter().rev().filter_map(|part| {
        // Of `orders-2026-03.csv.gz` what is before the first point.
        let stem = part.split('.').find(|stem| !stem.is_empty()).unwrap_or_default();
        let words: Vec<String> =
            (name::words(stem).into_iter()).filter(|word| !is_of_a_drop(word)).collect();
        (!words.is_empty()).then(|| words.join("_"))
    });
    name::of_pipeline(&named.next().unwrap_or_default(), "records")
}

/// A date, a number, a version: different next time.
fn is_of_a_drop(word: &str) -> bool {
    let digits = word.strip_prefix('v').unwrap_or(word);
    !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_those_of_the_last_part_that_has_one() {
        for (place, wanted) in [
            ("drop/orders.csv", "orders"),
            ("drop/orders-2026-03-01.ndjson.gz", "orders"),
            ("/srv/Customer Orders/2026/*.csv", "customer_orders"),
            ("drop/", "drop"),
            ("-", "records"),
            ("https://shop.example/api/v2/orders?page=1", "orders"),
            ("https://shop.example/", "records"),
            ("s3://lake/raw/orderItems/", "order_items"),
        ] {
            assert_eq!(name(&settings(place).unwrap()), wanted, "{place}");
        }
        for (setting, place, wanted) in [
            ("table", "crm.customers_2026", "customers_2026"),
            ("table", "crm.\"Customers\"", "customers"),
            ("stream", "orders", "orders"),
            ("program", "list-parts", "list_parts"),
        ] {
            assert_eq!(name(&json!({ setting: place })), wanted, "{place}");
        }
    }
}
