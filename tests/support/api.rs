//! An API with every paging model, in front of a list of records.
//!
//! | path | pages |
//! |---|---|
//! | `/all` | one |
//! | `/page` | `page`, from 1 |
//! | `/offset` | `offset`, `limit` |
//! | `/cursor` | `after`, token at `/meta/next` |
//! | `/cursor-header` | `after`, token in `X-Next` |
//! | `/search` (POST) | `/query/after` in the body, token at `/next` |
//! | `/links` | URL at `/links/next` |
//! | `/link-header` | `Link` |
//!
//! Records stand at `/data`. `since` or `updated_since` leaves out those whose time is less.

use super::web::{Answer, Request, pairs};
use serde_json::{Value, json};

pub struct Api {
    /// Each as it is sent.
    pub records: Vec<String>,
    /// Records in a page.
    pub size: usize,
    /// The member with the time of a record.
    pub time: &'static str,
}

/// How a test or a page of the documentation reads each path.
pub const MODELS: &[(&str, &str)] = &[
    ("/all", r#"null"#),
    ("/page", r#"{"model": "page_number", "param": "page"}"#),
    ("/offset", r#"{"model": "offset", "param": "offset", "size_param": "limit", "size": 1000}"#),
    ("/cursor", r#"{"model": "cursor", "param": "after", "next": "/meta/next"}"#),
    ("/cursor-header", r#"{"model": "cursor", "param": "after", "next": "X-Next"}"#),
    (
        "/search",
        r#"{"model": "cursor", "param": "/query/after", "next": "/next", "send_in": "body"}"#,
    ),
    ("/links", r#"{"model": "next_link", "next": "/links/next"}"#),
    ("/link-header", r#"{"model": "link_header", "rel": "next"}"#),
];

impl Api {
    /// `count` orders, whose numbers and spacing show whether they came as they are.
    pub fn orders(count: usize, size: usize) -> Self {
        let records = (0..count).map(|i| {
            format!(
                r#"{{"id":{i},  "amount":{}.50,"name":"n\u0041{i}]}}\"", "at": "2026-01-{:02}T{:02}:00:00Z"}}"#,
                i * 7,
                1 + i / 24 % 28,
                i % 24
            )
        });
        Api { records: records.collect(), size, time: "at" }
    }

    pub fn source(&self, url: &str, path: &str) -> Value {
        let (_, paging) = MODELS.iter().find(|(name, _)| *name == path).unwrap();
        let mut source = json!({"kind": "http", "url": format!("{url}{path}"), "records": "/data"});
        let paging: Value = serde_json::from_str(paging).unwrap();
        if !paging.is_null() {
            source["paging"] = paging;
        }
        if path == "/search" {
            source["method"] = json!("POST");
            source["body"] = json!({"query": {"status": "any"}});
        }
        source
    }

    pub fn answer(&self, request: &Request) -> Answer {
        let base = format!("http://{}", request.header("host").unwrap_or_default());
        let body: Value = serde_json::from_str(&request.body).unwrap_or_default();
        let number = |name: &str| request.param(name).map(|text| text.parse::<usize>().unwrap());
        let chosen: Vec<&String> = match request.param("since").or(request.param("updated_since")) {
            None => self.records.iter().collect(),
            Some(since) => {
                let at = |record: &str| {
                    serde_json::from_str::<Value>(record).unwrap()[self.time].clone()
                };
                let is_new = |record: &&String| at(record).as_str().unwrap() >= since;
                self.records.iter().filter(is_new).collect()
            }
        };
        let token = request.param("after").or_else(|| body["query"]["after"].as_str());
        let start = match request.path.as_str() {
            "/page" => (number("page").unwrap_or(1) - 1) * self.size,
            "/offset" => number("offset").unwrap_or(0),
            _ => token.map_or(0, |token| token[1..].parse().unwrap()),
        };
        let end = match request.path.as_str() {
            "/all" => chosen.len(),
            _ => chosen.len().min(start + self.size),
        };
        let page: Vec<&str> = chosen
            .get(start..end)
            .unwrap_or_default()
            .iter()
            .map(|record| record.as_str())
            .collect();
        let data = format!("[{}]", page.join(", \n "));
        let next = (end < chosen.len()).then(|| format!("t{end}"));
        let link = next.as_ref().map(|token| {
            let kept = request.query.iter().filter(|(name, _)| name != "after");
            let kept: String = kept.map(|(name, value)| format!("{name}={value}&")).collect();
            format!("{base}{}?{kept}after={token}", request.path)
        });
        let total = chosen.len();
        match request.path.as_str() {
            "/all" => Answer::json(format!("{{\"data\": {data}}}")),
            "/page" | "/offset" => Answer::json(format!(
                "{{\"total\": {total}, \"pages\": {}, \"data\": {data}}}",
                total.div_ceil(self.size)
            ))
            .header("X-Total-Count", &total.to_string()),
            "/cursor" => Answer::json(format!(
                "{{\"data\": {data}, \"meta\": {{\"next\": {}}}}}",
                json!(next)
            )),
            "/cursor-header" => Answer::json(format!("{{\"data\": {data}}}"))
                .header("X-Next", next.as_deref().unwrap_or_default()),
            "/search" if request.method == "POST" => {
                Answer::json(format!("{{\"next\": {}, \"data\": {data}}}", json!(next)))
            }
            "/links" => Answer::json(format!(
                "{{\"links\": {{\"next\": {}}}, \"data\": {data}}}",
                json!(link)
            )),
            "/link-header" => {
                let answer = Answer::json(format!("{{\"data\": {data}}}"));
                match link {
                    Some(link) => answer.header(
                        "Link",
                        &format!("<{base}/x>; rel=\"prev\", <{link}>; rel=\"next\""),
                    ),
                    None => answer,
                }
            }
            "/token" => {
                let form = pairs(&request.body);
                let has =
                    |name: &str, value: &str| form.iter().any(|(n, v)| n == name && v == value);
                match has("grant_type", "client_credentials") {
                    true => Answer::json(r#"{"access_token": "token-1", "expires_in": 3600}"#),
                    false => Answer::status(400, r#"{"error": "unsupported_grant_type"}"#),
                }
            }
            _ => Answer::status(404, "{\"error\": \"there is nothing here\"}\n"),
        }
    }
}
