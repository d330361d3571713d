//! Recognises credentials in the links and redirects of a server by the names of their parameters. The engine refuses
//! definitions with the same names (sql/engine/sources/_is_credential.sql).

use std::borrow::Cow;

use reqwest::Url;

/// Names without the characters that tell `api_key` from `Api-Key`, and without a leading `x`.
const NAMES: [&str; 34] = [
    "accesskey",
    "accesstoken",
    "apikey",
    "apisecret",
    "apitoken",
    "appkey",
    "auth",
    "authkey",
    "authorization",
    "authtoken",
    "bearer",
    "bearertoken",
    "clientsecret",
    "cookie",
    "credential",
    "credentials",
    "hmac",
    "idtoken",
    "jwt",
    "passphrase",
    "passwd",
    "password",
    "privatekey",
    "privatetoken",
    "proxyauthorization",
    "pwd",
    "refreshtoken",
    "secret",
    "secretkey",
    "securitytoken",
    "sessiontoken",
    "sig",
    "signature",
    "token",
];

/// Whether what goes by this name is a credential: `token`, `X-Api-Key`, `X-Amz-Signature`.
pub(crate) fn is_credential(name: &str) -> bool {
    let name: String =
        name.chars().filter(char::is_ascii_alphanumeric).map(|c| c.to_ascii_lowercase()).collect();
    ["", "xamz", "xgoog", "xms", "xgitlab", "x"]
        .iter()
        .filter_map(|prefix| name.strip_prefix(prefix))
        .any(|name| NAMES.contains(&name))
}

/// The parameter of a link by which the server admits whoever has it.
pub(crate) fn credential_of(link: &Url) -> Option<String> {
    link.query_pairs().map(|(name, _)| name).find(|name| is_credential(name)).map(Cow::into_owned)
}

/// The text without the values of such parameters.
pub(crate) fn without_credentials(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find(['?', '&']) {
        let (before, behind) = rest.split_at(at + 1);
        shown.push_str(before);
        rest = behind;
        let end = rest.find(ends_value).unwrap_or(rest.len());
        let Some((name, _)) = rest[..end].split_once('=') else {
            continue;
        };
        if form_urlencoded::parse(name.as_bytes()).any(|(name, _)| is_credential(&name)) {
            shown.push_str(name);
            shown.push_str("=[redacted]");
            rest = &rest[end..];
        }
    }
    shown + rest
}

/// Where the value of a parameter ends, even in the middle of a sentence.
fn ends_value(c: char) -> bool {
    matches!(c, '&' | '#' | '"' | '`' | '<' | '>') || c.is_whitespace()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_carries_a_credential_is_known_by_its_name() {
        for name in [
            "token",
            "API_KEY",
            "X-Api-Key",
            "access.token",
            "X-Amz-Signature",
            "X-Goog-Credential",
            "sig",
            "Cookie",
            "PRIVATE-TOKEN",
            "x-amz-security-token",
        ] {
            assert!(is_credential(name), "{name}");
        }
        // Tokens of pages are places, and are kept.
        for name in [
            "page_token",
            "nextToken",
            "continuation-token",
            "after",
            "cursor",
            "key",
            "tokens",
            "signed",
            "x",
            "",
        ] {
            assert!(!is_credential(name), "{name}");
        }
    }

    #[test]
    fn texts_lose_the_values_and_nothing_else() {
        for (text, shown) in [
            (
                "https://a/x?page=2&signature=a%2Fb=&q=1#f",
                "https://a/x?page=2&signature=[redacted]&q=1#f",
            ),
            (
                "the link `/x?X-Amz-Signature=ab` of https://a/?%74oken=c leads away",
                "the link `/x?X-Amz-Signature=[redacted]` of https://a/?%74oken=[redacted] leads away",
            ),
            ("why? & token=plain &=& ?a", "why? & token=plain &=& ?a"),
            ("ü?token=ü", "ü?token=[redacted]"),
        ] {
            assert_eq!(without_credentials(text), shown);
        }
    }

    /// The words of the pattern in the engine are these names.
    #[test]
    fn the_engine_refuses_the_same_names() {
        let sql = include_str!("../../sql/engine/sources/_is_credential.sql");
        let listed = sql.split("array[").nth(1).and_then(|text| text.split(']').next());
        let mut listed: Vec<&str> =
            listed.unwrap().split(',').map(|word| word.trim().trim_matches('\'')).collect();
        listed.sort_unstable();
        assert_eq!(listed, NAMES);
    }
}
