//! Connection strings: `postgresql://…` and `key=value`.
//!
//! No message of this file quotes a value that could be (part of) a password: a password
//! with an unescaped `/` or blank turns up in the place of a port or of a keyword.

use crate::environment::Environment;
use crate::error::{Error, Result};
use crate::keywords::{KEYWORDS, Support, support};
use std::collections::BTreeMap;

/// Parameters by keyword, all known to libpq and accepted here.
#[derive(Clone, Default)]
pub(crate) struct Parameters(BTreeMap<String, String>);

impl Parameters {
    /// Reads either form of connection string.
    pub(crate) fn parse(text: &str) -> Result<Self> {
        let text = text.trim();
        if let Some(rest) =
            ["postgres://", "postgresql://"].iter().find_map(|prefix| text.strip_prefix(prefix))
        {
            return parse_url(rest);
        }
        if let Some((scheme, _)) = text.split_once("://")
            && scheme.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"+-.".contains(&byte))
        {
            return Err(Error::new(format!("\"{scheme}://\" is not a Postgres connection URL"))
                .next("write postgresql://user@host:5432/database"));
        }
        parse_pairs(text)
    }

    /// The parameters the `PG*` variables set.
    pub(crate) fn from_environment(environment: &Environment) -> Self {
        let set = KEYWORDS.iter().filter(|(_, variable, _)| !variable.is_empty()).filter_map(
            |(keyword, variable, _)| {
                Some((keyword.to_string(), environment.get(variable)?.to_owned()))
            },
        );
        Parameters(set.collect())
    }

    /// A parameter that is set and not empty: to libpq an empty value is the default.
    pub(crate) fn get(&self, keyword: &str) -> Option<&str> {
        self.0.get(keyword).map(String::as_str).filter(|value| !value.is_empty())
    }

    /// Sets a parameter libpq knows; a later value replaces an earlier one.
    pub(crate) fn set(&mut self, keyword: &str, value: String) -> Result<()> {
        if support(keyword).is_none() {
            // Behind a password it may be the rest of it.
            let name = match self.0.contains_key("password") {
                true => String::new(),
                false => format!(" \"{keyword}\""),
            };
            return Err(Error::new(format!("unknown connection parameter{name}")).next(
                "use libpq's parameters; percent-encode (URL) or quote (key=value) special \
                     characters in values",
            ));
        }
        self.0.insert(keyword.to_owned(), value);
        Ok(())
    }

    /// Takes over what is not set here. An address is one thing: host, hostaddr and port
    /// are filled one by one, as libpq does.
    pub(crate) fn fill_from(&mut self, weaker: &Parameters) {
        for (keyword, value) in &weaker.0 {
            if self.get(keyword).is_none() {
                self.0.insert(keyword.clone(), value.clone());
            }
        }
    }

    /// Refuses what cannot be honoured.
    pub(crate) fn check(&self) -> Result<()> {
        for keyword in self.0.keys() {
            let (Some(value), Some(Support::Only(values))) = (self.get(keyword), support(keyword))
            else {
                continue;
            };
            if !values.contains(&value) {
                // Not quoted: sslpassword is one of them.
                let next = match values {
                    [] => format!("leave \"{keyword}\" out"),
                    values => {
                        format!("leave \"{keyword}\" out or set it to {}", values.join(" or "))
                    }
                };
                return Err(Error::new(format!(
                    "this value of the connection parameter \"{keyword}\" is not supported"
                ))
                .next(next));
            }
        }
        Ok(())
    }
}

/// `[user[:password]@][host[:port],…][/database][?parameters]`
fn parse_url(rest: &str) -> Result<Parameters> {
    let mut parameters = Parameters::default();
    // As libpq: credentials end at the first '@' unless a '/' comes before it.
    let authority_end = rest.find(['/', '?']).unwrap_or(rest.len());
    // Another `@` belongs to a password that was not encoded: the rest of it would be taken for a host or a
    // database, and shown as such.
    if rest.matches('@').count() > usize::from(rest[..authority_end].contains('@')) {
        return Err(Error::new("the connection URL has one \"@\" too many").next(
            "in user, password and database write \"@\" as %40, \"/\" as %2F, \":\" as %3A, \"?\" as %3F, \"%\" as %25",
        ));
    }
    let hosts_and_more = match rest.find('@').filter(|at| *at < authority_end) {
        Some(at) => {
            let (user, password) = match rest[..at].split_once(':') {
                Some((user, password)) => (user, Some(password)),
                None => (&rest[..at], None),
            };
            parameters.set("user", decode(user, "user")?)?;
            if let Some(password) = password {
                parameters.set("password", decode(password, "password")?)?;
            }
            &rest[at + 1..]
        }
        None => rest,
    };
    let (before_query, query) = match hosts_and_more.split_once('?') {
        Some((before, query)) => (before, Some(query)),
        None => (hosts_and_more, None),
    };
    let (hosts, database) = match before_query.split_once('/') {
        Some((hosts, database)) => (hosts, Some(database)),
        None => (before_query, None),
    };
    if !hosts.is_empty() {
        let mut names = Vec::new();
        let mut ports = Vec::new();
        for host in hosts.split(',') {
            let (name, port) = split_host(host)?;
            names.push(decode(name, "host")?);
            ports.push(decode(port, "port")?);
        }
        parameters.set("host", names.join(","))?;
        if ports.iter().any(|port| !port.is_empty()) {
            parameters.set("port", ports.join(","))?;
        }
    }
    if let Some(database) = database {
        parameters.set("dbname", decode(database, "dbname")?)?;
    }
    for pair in query.into_iter().flat_map(|query| query.split('&')) {
        if pair.is_empty() {
            continue;
        }
        let (keyword, value) = pair.split_once('=').ok_or_else(|| {
            Error::new("a parameter of the connection URL has no \"=\"")
                .next("write ?keyword=value&keyword=value; percent-encode \"&\", \"?\" and \"/\" in a password")
        })?;
        let keyword = decode(keyword, "parameter name")?;
        let value = decode(value, &keyword)?;
        match (keyword.as_str(), value.as_str()) {
            // The spelling of JDBC, which libpq accepts too.
            ("ssl", "true") => parameters.set("sslmode", "require".to_owned())?,
            _ => parameters.set(&keyword, value)?,
        }
    }
    Ok(parameters)
}

/// `host`, `host:port`, `[v6]`, `[v6]:port`
fn split_host(text: &str) -> Result<(&str, &str)> {
    let Some(bracketed) = text.strip_prefix('[') else {
        return Ok(text.split_once(':').unwrap_or((text, "")));
    };
    let wrong = || Error::new(format!("malformed IPv6 address \"{text}\" in the connection URL"));
    let (address, rest) = bracketed.split_once(']').ok_or_else(wrong)?;
    match rest.strip_prefix(':') {
        Some(port) => Ok((address, port)),
        None if rest.is_empty() => Ok((address, "")),
        None => Err(wrong()),
    }
}

/// Undoes percent-encoding.
fn decode(text: &str, what: &str) -> Result<String> {
    let wrong = || {
        Error::new(format!("invalid percent-encoding in the {what} of the connection URL"))
            .next("write a literal \"%\" as %25")
    };
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        if byte != b'%' {
            bytes.push(byte);
            continue;
        }
        let mut digit = || rest.next().and_then(|digit| char::from(digit).to_digit(16));
        let (Some(high), Some(low)) = (digit(), digit()) else {
            return Err(wrong());
        };
        match u8::try_from(high * 16 + low) {
            Ok(byte) if byte != 0 => bytes.push(byte),
            _ => return Err(wrong()),
        }
    }
    String::from_utf8(bytes).map_err(|_| wrong())
}

/// `key = value` pairs; values may be quoted with `'`, `\` escapes one character.
fn parse_pairs(text: &str) -> Result<Parameters> {
    let mut parameters = Parameters::default();
    let mut rest = text.char_indices().peekable();
    loop {
        while rest.next_if(|(_, c)| c.is_whitespace()).is_some() {}
        let Some(&(start, _)) = rest.peek() else {
            return Ok(parameters);
        };
        let mut keyword = String::new();
        while let Some((_, c)) = rest.next_if(|(_, c)| !c.is_whitespace() && *c != '=') {
            keyword.push(c);
        }
        while rest.next_if(|(_, c)| c.is_whitespace()).is_some() {}
        if rest.next_if(|(_, c)| *c == '=').is_none() || keyword.is_empty() {
            return Err(Error::new(format!(
                "no keyword=value at character {} of the connection string",
                start + 1
            ))
            .next("write host=… dbname=… user=…; put values with blanks between single quotes"));
        }
        while rest.next_if(|(_, c)| c.is_whitespace()).is_some() {}
        let quoted = rest.next_if(|(_, c)| *c == '\'').is_some();
        let mut value = String::new();
        loop {
            match rest.next_if(|(_, c)| quoted || !c.is_whitespace()) {
                Some((_, '\'')) if quoted => break,
                Some((_, '\\')) => value.extend(rest.next().map(|(_, c)| c)),
                Some((_, c)) => value.push(c),
                None if quoted => {
                    return Err(Error::new(format!(
                        "the quoted value of \"{keyword}\" does not end in the connection string"
                    ))
                    .next("close it with a single quote; write a quote inside it as \\'"));
                }
                None => break,
            }
        }
        parameters.set(&keyword, value)?;
    }
}
