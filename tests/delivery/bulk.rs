//! A server that takes many items in a request, applies each request's key once, and answers for each item.

use super::receiver::Receiver;
use super::{Shop, define_sql, shop_sql};
use crate::support::Web;
use crate::support::web::{Answer, Framing, Request};
use serde_json::{Value, json};
use std::collections::HashMap;
use std::sync::{Arc, Mutex};

#[derive(Default)]
struct Kept {
    /// By idempotency key: the request and its answer.
    keys: HashMap<String, (String, String)>,
    /// Ids and contents in the order in which they were applied.
    applied: Vec<(String, u64)>,
    wrong: Vec<String>,
}

/// What becomes of an item: its status. Of a whole request: an answer instead of all that.
pub(super) type OfItem = fn(id: &str, n: u64) -> u16;
pub(super) type OfAll = Box<dyn Fn(&Request, &[Value], usize) -> Option<Answer> + Send + Sync>;

pub(super) struct Bulk {
    pub(super) web: Web,
    kept: Arc<Mutex<Kept>>,
}

impl Bulk {
    pub(super) fn new(of_item: OfItem, of_all: OfAll) -> Self {
        let kept: Arc<Mutex<Kept>> = Arc::default();
        let shared = Arc::clone(&kept);
        let seen: Mutex<HashMap<String, usize>> = Mutex::default();
        let web = Web::serve(move |request| {
            let key = request.header("idempotency-key").unwrap_or_default().to_owned();
            let items: Vec<Value> = match serde_json::from_str::<Value>(&request.body) {
                Ok(Value::Array(items)) => items,
                Ok(whole) if whole["records"].is_array() => {
                    whole["records"].as_array().unwrap().clone()
                }
                _ => request.body.lines().map(|line| serde_json::from_str(line).unwrap()).collect(),
            };
            let times = {
                let mut seen = seen.lock().unwrap();
                *seen.entry(key.clone()).and_modify(|times| *times += 1).or_insert(1)
            };
            if let Some(answer) = of_all(request, &items, times) {
                let is_applied = matches!(answer.framing, Framing::Nothing);
                if !is_applied {
                    return answer;
                }
                apply(&shared, of_item, &key, &request.body, &items);
                return answer;
            }
            let results = apply(&shared, of_item, &key, &request.body, &items);
            let is_success = !results.contains("422") && !results.contains("503");
            Answer::status(if is_success { 200 } else { 207 }, &results)
        });
        Bulk { web, kept }
    }

    #[track_caller]
    pub(super) fn applied(&self) -> Vec<(String, u64)> {
        let mut kept = self.kept.lock().unwrap();
        assert_eq!(kept.wrong, Vec::<String>::new());
        std::mem::take(&mut kept.applied)
    }

    pub(super) fn sizes(&self) -> Vec<usize> {
        let requests = self.web.requests();
        requests.iter().map(|request| request.body.matches("\"id\"").count()).collect()
    }
}

fn apply(kept: &Mutex<Kept>, of_item: OfItem, key: &str, body: &str, items: &[Value]) -> String {
    let mut kept = kept.lock().unwrap();
    if let Some((before, answer)) = kept.keys.get(key).cloned() {
        if before != body {
            kept.wrong.push(format!("{key} is used for {before} and {body}"));
        }
        return answer;
    }
    let mut ids: Vec<&str> = items.iter().filter_map(|item| item["id"].as_str()).collect();
    ids.sort_unstable();
    ids.dedup();
    if key.is_empty() || ids.len() != items.len() {
        kept.wrong.push(format!("{key:?}: {body}"));
    }
    let mut results = Vec::new();
    for item in items {
        let (id, n) = (item["id"].as_str().unwrap(), item["n"].as_u64().unwrap());
        let status = of_item(id, n);
        if status < 300 {
            kept.applied.push((id.to_owned(), n));
        }
        results.push(json!({"id": id, "status": status}));
    }
    let answer = json!({ "results": results }).to_string();
    kept.keys.insert(key.to_owned(), (body.to_owned(), answer.clone()));
    answer
}

/// `settings`: more arguments of `parcel`.
pub(super) async fn shop(bulk: &Bulk, settings: &str) -> Shop {
    let shop = Shop::at(Receiver::willing()).await;
    shop.db.execute(&shop_sql(&shop, "null")).await;
    shop.db
        .execute(
            "create function shop.item_v1(r shop.items, meta jsonb) returns jsonb language sql stable as $$
               select jsonb_build_object('id', r.id, 'n', r.n, 'is', meta->>'operation') $$",
        )
        .await;
    let deliver = format!(
        "sluice.http_delivery(url => '{}/bulk', body => 'shop.item_v1', parcel => sluice.parcel({settings}))",
        bulk.web.url
    );
    shop.db.execute(&define_sql(&shop, &deliver)).await;
    shop
}
