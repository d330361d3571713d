//! The `Link` header of RFC 8288.

/// The target of the first link in `header` with the relation `rel`, unless it says that there is nothing
/// (`results="false"`).
pub(crate) fn target(header: &str, rel: &str) -> Option<String> {
    let mut rest = header;
    loop {
        let start = rest.find('<')?;
        let end = start + rest[start..].find('>')?;
        let target = &rest[start + 1..end];
        let (has_rel, has_results, behind) = parameters(&rest[end + 1..], rel);
        if has_rel {
            return has_results.then(|| target.trim().to_owned());
        }
        rest = behind;
    }
}

/// Whether the parameters after a target name the relation, whether it has results, and the rest of the header.
fn parameters<'a>(mut rest: &'a str, rel: &str) -> (bool, bool, &'a str) {
    let (mut found, mut has_results) = (None, true);
    loop {
        rest = rest.trim_start();
        let Some(behind) = rest.strip_prefix(';') else {
            return (found.unwrap_or(false), has_results, rest.strip_prefix(',').unwrap_or(rest));
        };
        let end = behind.find(['=', ';', ',']).unwrap_or(behind.len());
        let name = behind[..end].trim();
        rest = &behind[end..];
        let mut value = String::new();
        if let Some(text) = rest.strip_prefix('=') {
            (value, rest) = parameter_value(text.trim_start());
        }
        if name.eq_ignore_ascii_case("results") {
            has_results = !value.eq_ignore_ascii_case("false");
        }
        // Of several rel parameters the first counts, says the RFC.
        if name.eq_ignore_ascii_case("rel") && found.is_none() {
            found = Some(value.split_ascii_whitespace().any(|word| word.eq_ignore_ascii_case(rel)));
        }
    }
}

fn parameter_value(text: &str) -> (String, &str) {
    let Some(quoted) = text.strip_prefix('"') else {
        let end = text.find([';', ',']).unwrap_or(text.len());
        return (text[..end].trim().to_owned(), &text[end..]);
    };
    let mut value = String::new();
    let mut chars = quoted.char_indices();
    while let Some((at, c)) = chars.next() {
        match c {
            '"' => return (value, &quoted[at + 1..]),
            '\\' => value.extend(chars.next().map(|(_, c)| c)),
            c => value.push(c),
        }
    }
    (value, "")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_link_with_the_relation_is_found() {
        for (header, expected) in [
            (r#"<https://a/?page=2>; rel="next""#, Some("https://a/?page=2")),
            (
                r#"</a>; rel=prev, </b?x=1,2;3>; title="a, <b>; \"rel=next\""; rel=next"#,
                Some("/b?x=1,2;3"),
            ),
            (r#"</c>; rel="last NEXT"; rel="prev""#, Some("/c")),
            (r#"</c>; rel="prev"; rel="next""#, None),
            (r#"</d>;rel = "next" , </e>"#, Some("/d")),
            (r#"</a>; rel="prev""#, None),
            (
                r#"</p>; rel="previous"; results="false", </n>; rel="next"; results="true""#,
                Some("/n"),
            ),
            (r#"</n>; rel="next"; results="false""#, None),
            ("</a>", None),
            ("nonsense", None),
            ("</a", None),
            ("</a>; rel=\"nex", None),
            ("", None),
        ] {
            assert_eq!(target(header, "next").as_deref(), expected, "{header}");
        }
    }
}
