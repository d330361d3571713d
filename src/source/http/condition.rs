//! `retry_when` and `fail_when`: conditions on the body by which a successful answer is an error.

use serde::Deserialize;
use serde_json::Value;

use crate::source::json::Pointer;

/// A JSON pointer and the values it is to lead to; without values, anything but null, false and empty ones.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Condition {
    pub(crate) pointer: Pointer,
    pub(crate) values: Option<Vec<Value>>,
}

impl Condition {
    /// Whether the condition holds for the JSON at its pointer.
    pub(crate) fn holds(&self, json: Option<&[u8]>) -> bool {
        let Some(json) = json else { return false };
        let value: Value = serde_json::from_slice(json).unwrap_or(Value::Null);
        match &self.values {
            Some(values) => values.iter().any(|wanted| is_same(wanted, &value)),
            None => match value {
                Value::Null | Value::Bool(false) => false,
                Value::String(text) => !text.is_empty(),
                Value::Array(items) => !items.is_empty(),
                Value::Object(members) => !members.is_empty(),
                Value::Bool(true) | Value::Number(_) => true,
            },
        }
    }
}

/// 429 and "429" are the same to people who write conditions.
fn is_same(wanted: &Value, value: &Value) -> bool {
    let text = |value: &Value| match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    };
    wanted == value || (!wanted.is_null() && !value.is_null() && text(wanted) == text(value))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn conditions_hold_as_told() {
        let condition = |json: Value| serde_json::from_value::<Condition>(json).unwrap();
        let any = condition(json!({"pointer": "/error"}));
        for (json, holds) in [
            ("null", false),
            ("false", false),
            ("\"\"", false),
            ("[]", false),
            ("{}", false),
            ("0", true),
            ("{\"code\":1}", true),
            ("\"x\"", true),
            ("true", true),
        ] {
            assert_eq!(any.holds(Some(json.as_bytes())), holds, "{json}");
        }
        assert!(!any.holds(None));
        let one_of = condition(json!({"pointer": "/code", "values": ["busy", 429]}));
        for (json, holds) in
            [("\"busy\"", true), ("429", true), ("\"429\"", true), ("4290", false), ("null", false)]
        {
            assert_eq!(one_of.holds(Some(json.as_bytes())), holds, "{json}");
        }
    }
}
