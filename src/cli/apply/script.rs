//! Splits a file of SQL into statements, by psql's rules.

/// One statement and where it begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Statement<'a> {
    /// From its first word to before its semicolon.
    pub(super) text: &'a str,
    /// Where `text` begins in the file, in bytes.
    pub(super) start: usize,
}

impl Statement<'_> {
    /// The statement's first words, in lower case.
    pub(super) fn words(&self) -> Vec<String> {
        let mut words = Vec::new();
        let mut rest = Lexer { sql: self.text };
        while let Some(token) = rest.next_token() {
            match token {
                Token::Word(word) => words.push(word.to_ascii_lowercase()),
                Token::Blank => {}
                _ => break,
            }
        }
        words
    }
}

/// The statements of a file. A string or comment that never ends goes to the end of the file; the server
/// has words for it.
pub(super) fn statements(sql: &str) -> Vec<Statement<'_>> {
    let mut found = Vec::new();
    let mut lexer = Lexer { sql };
    let mut current = Open::default();
    loop {
        let at = sql.len() - lexer.sql.len();
        let token = lexer.next_token();
        let is_end = match token {
            None => true,
            Some(Token::Blank) => false,
            Some(token) => {
                let is_end = token == Token::Other(';') && current.may_end();
                if !is_end {
                    current.start.get_or_insert(at);
                    current.end = sql.len() - lexer.sql.len();
                    current.note(token);
                }
                is_end
            }
        };
        if is_end {
            let done = std::mem::take(&mut current);
            if let Some(start) = done.start {
                let text = &sql[start..done.end];
                found.push(Statement { text, start });
            }
        }
        if token.is_none() {
            return found;
        }
    }
}

/// A statement whose end was not seen yet.
#[derive(Default)]
struct Open {
    start: Option<usize>,
    end: usize,
    /// Its first words, as far as they tell a routine from the rest.
    words: Vec<String>,
    parentheses: usize,
    /// `begin atomic … end` in a routine, and `case … end` within.
    blocks: usize,
}

impl Open {
    fn may_end(&self) -> bool {
        self.parentheses == 0 && self.blocks == 0
    }

    fn note(&mut self, token: Token<'_>) {
        match token {
            Token::Other('(') => self.parentheses += 1,
            Token::Other(')') => self.parentheses = self.parentheses.saturating_sub(1),
            Token::Word(word) => {
                let word = word.to_ascii_lowercase();
                if self.is_routine() && self.parentheses == 0 {
                    match word.as_str() {
                        "begin" => self.blocks += 1,
                        "case" if self.blocks > 0 => self.blocks += 1,
                        "end" => self.blocks = self.blocks.saturating_sub(1),
                        _ => {}
                    }
                }
                if self.words.len() < 4 {
                    self.words.push(word);
                }
            }
            _ => {}
        }
    }

    fn is_routine(&self) -> bool {
        let words: Vec<&str> = self.words.iter().map(String::as_str).collect();
        matches!(
            words[..],
            ["create", "function" | "procedure", ..]
                | ["create", "or", "replace", "function" | "procedure"]
        )
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Token<'a> {
    /// A keyword or an identifier without quotes.
    Word(&'a str),
    /// A string or a quoted identifier.
    Quoted,
    /// White space or a comment.
    Blank,
    Other(char),
}

struct Lexer<'a> {
    /// What is left.
    sql: &'a str,
}

impl<'a> Lexer<'a> {
    fn next_token(&mut self) -> Option<Token<'a>> {
        let sql = self.sql;
        let first = sql.chars().next()?;
        let (length, token) = match first {
            _ if sql.starts_with("--") => (sql.find('\n').unwrap_or(sql.len()), Token::Blank),
            _ if sql.starts_with("/*") => (comment(sql), Token::Blank),
            c if c.is_whitespace() => (c.len_utf8(), Token::Blank),
            'e' | 'E' if sql[1..].starts_with('\'') => (1 + quoted(&sql[1..], true), Token::Quoted),
            '\'' | '"' => (quoted(sql, false), Token::Quoted),
            '$' => match dollar_quoted(sql) {
                Some(length) => (length, Token::Quoted),
                None => (1, Token::Other('$')),
            },
            c if is_of_word(c) => {
                let end = sql.find(|c| !is_of_word(c) && c != '$');
                let word = &sql[..end.unwrap_or(sql.len())];
                (word.len(), Token::Word(word))
            }
            c => (c.len_utf8(), Token::Other(c)),
        };
        self.sql = &sql[length..];
        Some(token)
    }
}

fn is_of_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

/// The length of a comment; comments nest.
fn comment(sql: &str) -> usize {
    let mut depth = 0;
    let mut at = 0;
    while at < sql.len() {
        let rest = &sql.as_bytes()[at..];
        match rest {
            [b'/', b'*', ..] => depth += 1,
            [b'*', b'/', ..] => depth -= 1,
            _ => {
                at += 1;
                continue;
            }
        }
        at += 2;
        if depth == 0 {
            return at;
        }
    }
    sql.len()
}

/// The length of a string or a quoted identifier. A doubled quote ends one and begins the next, which
/// amounts to the same.
fn quoted(sql: &str, has_escapes: bool) -> usize {
    let mut characters = sql.char_indices();
    let quote = characters.next().map(|(_, quote)| quote);
    while let Some((at, c)) = characters.next() {
        match c {
            '\\' if has_escapes => drop(characters.next()),
            c if Some(c) == quote => return at + 1,
            _ => {}
        }
    }
    sql.len()
}

/// The length of `$tag$…$tag$`; `None`: this dollar begins no string.
fn dollar_quoted(sql: &str) -> Option<usize> {
    let tag = 1 + sql[1..].find('$')?;
    let name = &sql[1..tag];
    if name.starts_with(|c: char| c.is_ascii_digit()) || !name.chars().all(is_of_word) {
        return None;
    }
    let delimiter = &sql[..=tag];
    let body = &sql[tag + 1..];
    Some(match body.find(delimiter) {
        Some(end) => tag + 1 + end + delimiter.len(),
        None => sql.len(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(sql: &str) -> Vec<&str> {
        statements(sql).iter().map(|found| found.text).collect()
    }

    #[test]
    fn a_semicolon_ends_a_statement_only_outside_of_quotes_comments_and_bodies() {
        for whole in [
            "select ';'",
            "select 'it''s; '",
            r"select e'\';'",
            r"select '\'",
            "select \"a;b\"",
            "select $$;$$",
            "select $a$ $$;$$ $b$;$b$ $a$",
            "select 1 -- ;\n + 1",
            "select /* ; /* ; */ ; */ 1",
            "create rule r as on insert to t do also (delete from a; delete from b)",
            "create function f() returns int begin atomic select 1; select case when true then 1 end; end",
            "create or replace procedure p() begin atomic insert into t values (1); end",
        ] {
            assert_eq!(texts(&format!("{whole};\nselect 2")), [whole, "select 2"]);
        }
    }

    #[test]
    fn dollars_of_parameters_and_names_begin_no_string() {
        assert_eq!(texts("execute p($1); select $2"), ["execute p($1)", "select $2"]);
        assert_eq!(texts("select a$b; select $c"), ["select a$b", "select $c"]);
    }

    #[test]
    fn what_does_not_end_goes_to_the_end_of_the_file() {
        for sql in ["select 'a; b", "select $$a; b", "select \"a; b", "select (1; 2"] {
            assert_eq!(texts(sql), [sql]);
        }
        assert_eq!(texts("select 1; /* b; c"), ["select 1"]);
        assert_eq!(texts(" ;; -- nothing\n;"), Vec::<&str>::new());
    }

    #[test]
    fn a_statement_knows_its_place_and_its_first_words() {
        let found = statements("-- head\n\n  COMMIT  /* now */ And Chain; x");
        assert_eq!(found[0].start, 11);
        assert_eq!(found[0].words(), ["commit", "and", "chain"]);
        assert_eq!(found[1].text, "x");
    }
}
