//! Restricts requests to allowed hosts: credentials never leave the API, and links lead nowhere else.

use reqwest::Url;

use crate::error::{Error, Result};
use crate::secret::Redactor;

/// The host of the API, and others that links and redirects may lead to.
#[derive(Debug)]
pub(crate) struct Hosts {
    home: Url,
    allowed: Vec<String>,
}

impl Hosts {
    pub(crate) fn new(home: Url, allowed: Vec<String>) -> Self {
        Hosts { home, allowed }
    }

    /// Whether a URL has the origin of the API.
    pub(crate) fn is_home(&self, url: &Url) -> bool {
        url.scheme() == self.home.scheme()
            && url.host() == self.home.host()
            && url.port_or_known_default() == self.home.port_or_known_default()
    }

    /// Refuses a URL on another host than the allowed ones; `what` leads there.
    pub(crate) fn check(&self, url: &Url, what: &str, redactor: &Redactor) -> Result<()> {
        if self.is_home(url) {
            return Ok(());
        }
        let name = name(url);
        let with_port = match url.port_or_known_default() {
            Some(port) => format!("{}:{port}", url.host_str().unwrap_or_default()),
            None => String::new(),
        };
        let is_named = (self.allowed.iter()).any(|host| *host == name || *host == with_port);
        let is_downgrade = self.home.scheme() == "https" && url.scheme() != "https";
        if is_named && matches!(url.scheme(), "http" | "https") && !is_downgrade {
            return Ok(());
        }
        let error = Error::failed(format!(
            "{what} leads away from {}: to {}",
            self.home.origin().ascii_serialization(),
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

/// A host as in `allow_hosts`: with its port unless that is the default.
fn name(url: &Url) -> String {
    let host = url.host_str().unwrap_or_default();
    match url.port() {
        Some(port) => format!("{host}:{port}"),
        None => host.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn other_hosts_are_refused_unless_named() {
        let hosts = Hosts::new(
            Url::parse("https://api.example/v1").unwrap(),
            vec!["cdn.example".to_owned(), "api.example:8443".to_owned()],
        );
        let check = |url: &str| {
            let url = Url::parse(url).unwrap();
            hosts.check(&url, "the next link", &Redactor::default())
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
        let next = error.next_step().unwrap();
        assert!(next.contains("allow_hosts => '{evil.example:99}'"), "{next}");
    }
}
