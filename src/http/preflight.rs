//! Checks where requests would go, without sending any.

use super::auth::AuthSettings;
use super::transport::authority;
use crate::error::Result;
use crate::host::HostRules;
use reqwest::Url;

/// Whether this host gives the server, those that it may lead to, and where a token is bought.
pub(crate) fn preflight(
    home: &Url,
    others: &[String],
    auth: Option<&AuthSettings>,
    host: &HostRules,
) -> Vec<Result<String>> {
    let bought = auth.and_then(AuthSettings::token_url);
    let urls = [Some(home), bought].into_iter().flatten().map(authority);
    urls.chain(others.iter().cloned())
        .map(|name| host.host(&name).map(|()| format!("may talk to {name}")))
        .collect()
}
