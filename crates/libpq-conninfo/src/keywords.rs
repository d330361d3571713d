//! The parameters of libpq, and what becomes of each here.

/// What becomes of a parameter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Support {
    /// Honoured.
    Yes,
    /// Has no effect here, and leaving it out harms nobody.
    Harmless,
    /// Not honoured unless its value asks for nothing (these values).
    Only(&'static [&'static str]),
}

use Support::{Harmless, Only, Yes};

/// Keyword, environment variable (may be empty), support.
pub(crate) const KEYWORDS: &[(&str, &str, Support)] = &[
    ("application_name", "PGAPPNAME", Yes),
    ("channel_binding", "PGCHANNELBINDING", Yes),
    ("client_encoding", "", Only(&["auto", "utf8", "UTF8", "utf-8", "UTF-8"])),
    ("connect_timeout", "PGCONNECT_TIMEOUT", Yes),
    ("dbname", "PGDATABASE", Yes),
    ("fallback_application_name", "", Yes),
    ("gssdelegation", "", Only(&["0"])),
    ("gssencmode", "PGGSSENCMODE", Only(&["disable", "prefer"])),
    ("gsslib", "", Harmless),
    ("host", "PGHOST", Yes),
    ("hostaddr", "PGHOSTADDR", Yes),
    ("keepalives", "", Yes),
    ("keepalives_count", "", Yes),
    ("keepalives_idle", "", Yes),
    ("keepalives_interval", "", Yes),
    ("krbsrvname", "", Harmless),
    ("load_balance_hosts", "PGLOADBALANCEHOSTS", Yes),
    ("options", "PGOPTIONS", Yes),
    ("passfile", "PGPASSFILE", Yes),
    ("password", "PGPASSWORD", Yes),
    ("port", "PGPORT", Yes),
    ("replication", "", Only(&["0", "false", "off", "no"])),
    ("require_auth", "PGREQUIREAUTH", Only(&[])),
    ("requirepeer", "PGREQUIREPEER", Only(&[])),
    ("service", "PGSERVICE", Yes),
    ("servicefile", "PGSERVICEFILE", Yes),
    ("ssl_max_protocol_version", "PGSSLMAXPROTOCOLVERSION", Only(&["TLSv1.3"])),
    ("ssl_min_protocol_version", "PGSSLMINPROTOCOLVERSION", Yes),
    ("sslcert", "PGSSLCERT", Yes),
    ("sslcertmode", "PGSSLCERTMODE", Only(&["allow"])),
    ("sslcompression", "PGSSLCOMPRESSION", Harmless),
    ("sslcrl", "PGSSLCRL", Only(&[])),
    ("sslcrldir", "PGSSLCRLDIR", Only(&[])),
    ("sslkey", "PGSSLKEY", Yes),
    ("sslmode", "PGSSLMODE", Yes),
    ("sslnegotiation", "PGSSLNEGOTIATION", Yes),
    ("sslpassword", "", Only(&[])),
    ("sslrootcert", "PGSSLROOTCERT", Yes),
    ("sslsni", "PGSSLSNI", Yes),
    ("target_session_attrs", "PGTARGETSESSIONATTRS", Yes),
    ("tcp_user_timeout", "", Yes),
    ("user", "PGUSER", Yes),
];

/// What becomes of `keyword`; `None`: libpq does not know it either.
pub(crate) fn support(keyword: &str) -> Option<Support> {
    KEYWORDS.iter().find(|(name, _, _)| *name == keyword).map(|(_, _, support)| *support)
}
