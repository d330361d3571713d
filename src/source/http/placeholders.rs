//! Replaces `{name}` in the URL, parameters and body by values of a row of `for_each`.

use reqwest::Url;
use serde_json::Value;

use super::value::Extracted;
use crate::error::{Error, Result};
use crate::source::json::{self, Pointer};

/// A row, as JSON.
pub(crate) struct RowValues(String);

impl RowValues {
    pub(crate) fn of(row: &str) -> Self {
        RowValues(row.to_owned())
    }

    /// The value under a name, as text.
    fn value(&self, name: &str) -> Result<String> {
        let found = Pointer::parse(&format!("/{name}"))
            .and_then(|pointer| json::find(self.0.as_bytes(), &[&pointer]).ok()?.pop()?);
        match found.map(|span| Extracted::of_json(&self.0.as_bytes()[span])) {
            Some(value) if !value.is_nothing() => Ok(value.text().to_owned()),
            _ => Err(Error::usage(format!(
                "there is no value for {{{name}}} in the row {} of for_each",
                self.0
            ))
            .next("let the query give a column of this name, without nulls")),
        }
    }

    /// Replaces `{name}` by the value, encoded by `written`.
    fn fill(&self, text: &str, written: impl Fn(String) -> String) -> Result<String> {
        let mut filled = String::with_capacity(text.len());
        let mut rest = text;
        while let Some(start) = rest.find('{') {
            let behind = &rest[start + 1..];
            let is_name = |name: &&str| {
                let is_word = |c: char| c.is_ascii_alphanumeric() || c == '_';
                !name.is_empty() && name.chars().all(is_word)
            };
            let name = behind.split_once('}').map(|(name, _)| name).filter(is_name);
            filled.push_str(&rest[..start]);
            match name {
                Some(name) => {
                    filled.push_str(&written(self.value(name)?));
                    rest = &behind[name.len() + 1..];
                }
                None => {
                    filled.push('{');
                    rest = behind;
                }
            }
        }
        filled.push_str(rest);
        Ok(filled)
    }
}

/// The URL for a row.
pub(crate) fn fill_url(url: &Url, row: Option<&RowValues>) -> Result<Url> {
    let Some(row) = row else {
        return Ok(url.clone());
    };
    // The URL parser has encoded brackets in the path.
    let text = url.as_str().replace("%7B", "{").replace("%7D", "}");
    let encoded = |value: String| -> String {
        let form: String = form_urlencoded::byte_serialize(value.as_bytes()).collect();
        form.replace('+', "%20")
    };
    let text = row.fill(&text, encoded)?;
    Url::parse(&text)
        .map_err(|cause| Error::usage(format!("`{text}` is not a URL")).caused_by(cause))
}

/// A parameter or body for a row: its strings are replaced, at any depth.
pub(crate) fn fill_value(value: Value, row: Option<&RowValues>) -> Result<Value> {
    let Some(row) = row else {
        return Ok(value);
    };
    Ok(match value {
        Value::String(text) => Value::String(row.fill(&text, |value| value)?),
        Value::Array(items) => {
            let items = items.into_iter().map(|item| fill_value(item, Some(row)));
            Value::Array(items.collect::<Result<_>>()?)
        }
        Value::Object(members) => {
            let members = members.into_iter();
            let filled = members.map(|(name, value)| Ok((name, fill_value(value, Some(row))?)));
            Value::Object(filled.collect::<Result<_>>()?)
        }
        other => other,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn values_of_the_row_stand_where_their_names_did() {
        let row = RowValues::of(r#"{"id": 12345678901234567890, "name": "a/b c", "none": null}"#);
        let url = |url: &str| fill_url(&Url::parse(url).unwrap(), Some(&row)).map(String::from);
        assert_eq!(
            url("https://a/x/{id}/y?n={name}").unwrap(),
            "https://a/x/12345678901234567890/y?n=a%2Fb%20c"
        );
        let value = json!({"q": ["{name}", 7, "{ {}"]});
        assert_eq!(fill_value(value, Some(&row)).unwrap(), json!({"q": ["a/b c", 7, "{ {}"]}));
        for missing in ["https://a/{nothing}", "https://a/{none}"] {
            assert_eq!(url(missing).unwrap_err().kind().exit_code(), 2);
        }
        let plain = Url::parse("https://a/{id}").unwrap();
        assert_eq!(fill_url(&plain, None).unwrap(), plain);
    }
}
