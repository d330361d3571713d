//! Every setting that a source or a part of one takes: left out, misspelt, and nonsense. What is
//! asked of a new setting is asked here, without a line more.

use crate::engine::problem;
use crate::support::TestDb;
use serde_json::{Map, Value, json};

struct Setting {
    part: String,
    name: String,
    is_required: bool,
    shape: String,
}

async fn settings(db: &TestDb) -> Vec<Setting> {
    let rows = db
        .rows("select part, name, is_required, shape from sluice._settings() s cross join unnest(s.parts) part")
        .await;
    rows.iter()
        .map(|row| {
            let [part, name, is_required, shape] = row.split('|').collect::<Vec<_>>()[..] else {
                panic!("{row}");
            };
            Setting {
                part: part.to_owned(),
                name: name.to_owned(),
                is_required: is_required == "t",
                shape: shape.to_owned(),
            }
        })
        .collect()
}

/// A value that a setting of this shape takes.
fn sense(shape: &str) -> Value {
    match shape {
        "integer" | "number" => json!(1),
        "url" => json!("https://shop.example/"),
        "store" => json!("s3://lake/"),
        "place" | "pointer" | "member" => json!("/a"),
        "names" | "strings" => json!(["a"]),
        "connection" => json!({"env": "SHOP_DB"}),
        shape if shape.starts_with("one of ") => json!(shape[7..].split(',').next()),
        _ => json!("a"),
    }
}

/// Values that none does.
fn nonsense(shape: &str) -> Vec<Value> {
    let mut values = match shape {
        "object" | "object or array" => return vec![json!("x"), json!(7), json!(true)],
        "integer" | "number" => vec![json!(-1), json!("x"), json!(1e12)],
        "boolean" => vec![json!("yes"), json!(1)],
        "string" => vec![json!(7)],
        "text" => vec![json!(""), json!(" ")],
        "names" => vec![json!([]), json!([""]), json!([1])],
        "file name" => vec![json!(""), json!("a/b"), json!("..")],
        "pointer" => vec![json!("no sense")],
        "glob" => vec![json!(""), json!("a[b"), json!("**a")],
        "statuses" => vec![json!([]), json!([1]), json!(["x"])],
        "conditions" => vec![json!("x"), json!([]), json!(["no pointer"])],
        "paging" | "auth" | "since" => vec![json!("x"), json!({"model": "x", "scheme": "x"})],
        _ => vec![json!("no sense"), json!("")],
    };
    values.retain(|value| shape != "character or nothing" || value != "");
    values.extend([json!({"no": "sense"}), json!([[]])]);
    values
}

/// The least that makes a part complete.
fn least(part: &str, settings: &[Setting]) -> (&'static str, Map<String, Value>) {
    let (kind, what) = part.rsplit_once(' ').unwrap_or(("", part));
    let mut value: Map<String, Value> = settings
        .iter()
        .filter(|setting| setting.part == part && setting.is_required)
        .map(|setting| (setting.name.clone(), sense(&setting.shape)))
        .collect();
    let (what, tag) = match what {
        "source" => ("source", "kind"),
        "delivery" => ("delivery", "kind"),
        "paging" => ("paging", "model"),
        "auth" => ("auth", "scheme"),
        "signature" => ("signature", "scheme"),
        "connection" => ("connection", ""),
        "parcel" => ("parcel", ""),
        _ => ("since", ""),
    };
    if !tag.is_empty() {
        value.insert(tag.to_owned(), json!(kind));
    }
    (what, value)
}

fn checked(what: &str, value: &Map<String, Value>) -> String {
    format!(
        "select sluice._checked('{what}', '{}')",
        Value::Object(value.clone()).to_string().replace('\'', "''")
    )
}

#[tokio::test]
async fn a_setting_that_is_left_out_misspelt_or_nonsense_is_named_with_what_it_takes() {
    let db = TestDb::new().await;
    let settings = settings(&db).await;
    assert!(settings.len() > 100, "{}", settings.len());
    for setting in &settings {
        let (what, least) = least(&setting.part, &settings);
        let of = |value: Value| {
            let mut all = least.clone();
            all.insert(setting.name.clone(), value);
            checked(what, &all)
        };
        for value in nonsense(&setting.shape) {
            let refused = problem(&db, &of(value.clone())).await;
            let place = format!("{} {} = {value}: {refused:?}", setting.part, setting.name);
            assert_eq!(refused.code, "SL005", "{place}");
            assert!(refused.message.contains(&setting.name), "{place}");
            assert!(!refused.hint.is_empty(), "{place}");
        }
        let mut misspelt = least.clone();
        misspelt.insert(format!("{}x", setting.name), sense(&setting.shape));
        problem(&db, &checked(what, &misspelt))
            .await
            .refuses(&format!("unknown setting \"{}x\"", setting.name), &setting.name);
        if setting.is_required {
            let mut without = least.clone();
            without.remove(&setting.name);
            problem(&db, &checked(what, &without))
                .await
                .refuses(&format!("{} is missing", setting.name), &setting.name);
        }
    }
}
