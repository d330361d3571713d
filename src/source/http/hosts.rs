//! The host guard: credentials never leave their host, and no link leads anywhere unasked.

use reqwest::Url;

use super::settings::Settings;
use crate::error::{Error, Result};
use crate::source::secret::Redactor;

/// Whether two URLs lead to the same server by the same way.
pub(super) fn is_same_origin(a: &Url, b: &Url) -> bool {
    a.scheme() == b.scheme()
        && a.host() == b.host()
        && a.port_or_known_default() == b.port_or_known_default()
}

impl Settings {
    /// Refuses a URL on a host that the user did not name; `what` leads there.
    pub(super) fn check_host(&self, url: &Url, what: &str, redactor: &Redactor) -> Result<()> {
        if is_same_origin(url, &self.url) {
            return Ok(());
        }
        let name = name(url);
        let with_port = match url.port_or_known_default() {
            Some(port) => format!("{}:{port}", url.host_str().unwrap_or_default()),
            None => String::new(),
        };
        let is_named = (self.allow_hosts.iter()).any(|host| *host == name || *host == with_port);
        let is_downgrade = self.url.scheme() == "https" && url.scheme() != "https";
        if is_named && matches!(url.scheme(), "http" | "https") && !is_downgrade {
            return Ok(());
        }
        let error = Error::failed(format!(
            "{what} leads away from {}: to {}",
            self.url.origin().ascii_serialization(),
            redactor.clean(url.as_str())
        ));
        Err(match is_downgrade {
            true => error.next("the way there is not secure; let the source write https, or use another paging"),
            false => error.next(format!(
                "if that host is to be trusted, allow it: allow_hosts => '{{{name}}}' (credentials and headers are not sent there)"
            )),
        })
    }
}

/// How `allow_hosts` names a host: with its port where that is not the usual one.
fn name(url: &Url) -> String {
    let host = url.host_str().unwrap_or_default();
    match url.port() {
        Some(port) => format!("{host}:{port}"),
        None => host.to_owned(),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn other_hosts_are_refused_unless_named() {
        let settings = Settings::parse(
            &json!({"kind": "http", "url": "https://api.example/v1", "allow_hosts": ["cdn.example", "api.example:8443"]}),
        )
        .unwrap();
        let check = |url: &str| {
            settings.check_host(
                &Url::parse(url).unwrap(),
                "the next link",
                &Redactor::default(),
            )
        };
        for good in [
            "https://api.example/v2",
            "https://api.example:443/",
            "https://cdn.example/x",
            "https://api.example:8443/",
        ] {
            assert!(check(good).is_ok(), "{good}");
        }
        for bad in [
            "http://api.example/",
            "https://api.example:444/",
            "https://api.example.evil/",
            "https://cdn.example:8443/",
            "http://cdn.example/",
            "https://evil.example/",
            "ftp://cdn.example/",
        ] {
            assert!(check(bad).is_err(), "{bad}");
        }
        let error = check("https://evil.example:99/x?y").unwrap_err();
        assert_eq!(
            error.message(),
            "the next link leads away from https://api.example: to https://evil.example:99/x?y"
        );
        assert!(
            error
                .next_step()
                .unwrap()
                .contains("allow_hosts => '{evil.example:99}'"),
            "{error}"
        );
    }
}
