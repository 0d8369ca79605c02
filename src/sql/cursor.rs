//! A place in one statement's tokens: what the statement parsers step with, and where syntax errors come
//! from.
//!
//! Wraps the SQL parser so that queries and expressions are parsed in the middle of our own statements.
//! A syntax error quotes the file, never a token: a token's text may be a substituted secret.

use std::sync::Arc;

use sqlparser::ast::{Expr, Ident, Query};
use sqlparser::parser::{Parser, ParserError};
use sqlparser::tokenizer::{Token, TokenWithSpan, Word};

use crate::error::{Error, Position, Result, SourceText, Span, nearest};
use crate::sql::dialect::WindrowDialect;
use crate::sql::span;
use crate::sql::statement::Name;

static DIALECT: WindrowDialect = WindrowDialect;

pub struct Cursor {
    parser: Parser<'static>,
    pub source: Arc<SourceText>,
    /// The tokens again, to find the one an error speaks of.
    places: Vec<Span>,
    whole: Span,
}

impl Cursor {
    /// `tokens`: one statement's, without whitespace and comments, at least one.
    pub fn new(source: &Arc<SourceText>, tokens: Vec<TokenWithSpan>) -> Self {
        let places: Vec<Span> = tokens.iter().filter_map(|token| span::of(token.span)).collect();
        let start = Span::new((1, 1), (1, 2));
        let (first, last) = (places.first().unwrap_or(&start), places.last().unwrap_or(&start));
        let whole = first.union(*last);
        let parser = Parser::new(&DIALECT).with_tokens_with_locations(tokens);
        Cursor { parser, source: Arc::clone(source), places, whole }
    }

    /// From the statement's first token to its last.
    pub fn whole(&self) -> Span {
        self.whole
    }

    pub fn peek(&self) -> &Token {
        &self.parser.peek_token_ref().token
    }

    pub fn peek_nth(&self, n: usize) -> &Token {
        &self.parser.peek_nth_token_ref(n).token
    }

    /// The next token's place; at the end, one column past the last token.
    pub fn here(&self) -> Span {
        self.place_of(span::of(self.parser.peek_token_ref().span))
    }

    /// The place of the token consumed last.
    pub fn behind(&self) -> Span {
        self.place_of(span::of(self.parser.get_current_token().span))
    }

    fn place_of(&self, place: Option<Span>) -> Span {
        place.unwrap_or_else(|| {
            let Position { line, column } = self.whole.end;
            Span::new((line, column), (line, column + 1))
        })
    }

    pub fn at_end(&self) -> bool {
        *self.peek() == Token::EOF
    }

    pub fn advance(&mut self) {
        self.parser.advance_token();
    }

    /// Whether the tokens from the next one on are these unquoted words, whatever their case.
    pub fn sees(&self, words: &[&str]) -> bool {
        words.iter().enumerate().all(|(n, word)| is_word(self.peek_nth(n), word))
    }

    /// Consumes the words if all of them are next.
    pub fn take(&mut self, words: &[&str]) -> bool {
        let seen = self.sees(words);
        if seen {
            words.iter().for_each(|_| self.advance());
        }
        seen
    }

    pub fn take_token(&mut self, token: &Token) -> bool {
        self.parser.consume_token(token)
    }

    pub fn expect(&mut self, words: &[&str]) -> Result<()> {
        if self.take(words) { Ok(()) } else { Err(self.unexpected(&format!("`{}`", words.join(" ")))) }
    }

    pub fn expect_token(&mut self, token: &Token) -> Result<()> {
        if self.take_token(token) { Ok(()) } else { Err(self.unexpected(&format!("`{token}`"))) }
    }

    /// An identifier: any word, quoted or not.
    pub fn name(&mut self, what: &str) -> Result<Name> {
        match self.peek().clone() {
            Token::Word(Word { value, .. }) => {
                let span = self.here();
                self.advance();
                Ok(Name { value, span })
            }
            _ => Err(self.unexpected(what)),
        }
    }

    /// The name of a table or view. There is one namespace, so a dotted name is refused.
    pub fn table_name(&mut self) -> Result<Name> {
        let name = self.name("a table's name")?;
        if *self.peek() != Token::Period {
            return Ok(name);
        }
        let mut last = name.clone();
        while self.take_token(&Token::Period) {
            last = self.name("a name after the dot")?;
        }
        Err(Error::user("catalogs and databases are not supported: a file has one namespace")
            .at(&self.source, name.span.union(last.span), "a name of several parts")
            .fix(format!("write `{}`", last.value)))
    }

    /// `(a, b, …)`.
    pub fn name_list(&mut self, what: &str) -> Result<Vec<Name>> {
        self.expect_token(&Token::LParen)?;
        let mut names = vec![self.name(what)?];
        while self.take_token(&Token::Comma) {
            names.push(self.name(what)?);
        }
        self.expect_token(&Token::RParen)?;
        Ok(names)
    }

    /// A quoted string.
    pub fn string(&mut self, what: &str) -> Result<(String, Span)> {
        match self.peek().clone() {
            Token::SingleQuotedString(text) | Token::UnicodeStringLiteral(text) => {
                let span = self.here();
                self.advance();
                Ok((text, span))
            }
            _ => Err(self.unexpected(what)),
        }
    }

    /// A whole number without a sign.
    pub fn integer(&mut self, what: &str) -> Result<(u64, Span)> {
        let span = self.here();
        if let Token::Number(digits, _) = self.peek()
            && let Ok(number) = digits.parse()
        {
            self.advance();
            return Ok((number, span));
        }
        Err(self.unexpected(what))
    }

    pub fn expr(&mut self) -> Result<Expr> {
        self.parser.parse_expr().map_err(|e| self.syntax(e))
    }

    pub fn query(&mut self) -> Result<Box<Query>> {
        self.parser.parse_query().map_err(|e| self.syntax(e))
    }

    /// Refuses whatever follows the statement.
    pub fn end(&self) -> Result<()> {
        if self.at_end() {
            return Ok(());
        }
        let error = self.unexpected("the end of the statement");
        if STARTS.iter().any(|word| is_word(self.peek(), word)) {
            return Err(error.fix("end the statement before it with `;`"));
        }
        // A misspelt keyword was read as the name of what stands before it.
        let before = span::text(&self.source, self.behind()).to_uppercase();
        Err(match nearest::closest(&before, CLAUSES.iter().copied()) {
            Some(clause) if *clause != before => {
                error.fix(format!("did you mean `{clause}` instead of `{before}`?"))
            }
            _ => error,
        })
    }

    /// A syntax error at the next token.
    pub fn unexpected(&self, expected: &str) -> Error {
        self.syntax_at(self.here(), self.at_end(), expected)
    }

    fn syntax_at(&self, place: Span, at_end: bool, expected: &str) -> Error {
        let shown = SourceText { name: String::new(), text: self.source.starred() };
        let found = match span::text(&shown, place) {
            _ if at_end => "the end of the statement".to_owned(),
            text => format!("`{text}`"),
        };
        Error::user(format!("syntax error: expected {expected}, found {found}")).at(
            &self.source,
            place,
            format!("expected {expected}"),
        )
    }

    /// Turns the SQL parser's message, `Expected: X, found: Y at Line: 1, Column: 2`, into a place and a
    /// label.
    fn syntax(&self, error: ParserError) -> Error {
        let message = match error {
            ParserError::ParserError(message) | ParserError::TokenizerError(message) => message,
            ParserError::RecursionLimitExceeded => {
                return Error::user("the statement is nested too deeply")
                    .at(&self.source, self.whole, "")
                    .fix("split it into views");
            }
        };
        let (message, place) = split_location(&message);
        let index = place.and_then(|at| self.places.iter().position(|span| span.start == at));
        match message.strip_prefix("Expected: ").or_else(|| message.strip_prefix("Expected ")) {
            Some(rest) => {
                let (expected, found) = rest.split_once(", found: ").unwrap_or((rest, ""));
                self.expected(index, expected, found)
            }
            // A quote means that the message may contain a literal, which may be a secret.
            None if message.contains('\'') => {
                Error::user("syntax error").at(&self.source, self.nth_place(index), "not understood")
            }
            None => {
                Error::user(format!("syntax error: {message}")).at(&self.source, self.nth_place(index), "")
            }
        }
    }

    fn nth_place(&self, index: Option<usize>) -> Span {
        self.place_of(index.and_then(|index| self.places.get(index).copied()))
    }

    /// The token of an error is sometimes the one before the place that the SQL parser gives.
    fn expected(&self, index: Option<usize>, expected: &str, found: &str) -> Error {
        let text = |index: usize| self.places.get(index).map(|place| span::text(&self.source, *place));
        let before = index.and_then(|index| index.checked_sub(1));
        let is_before = !found.is_empty() && before.and_then(text) == Some(found);
        let index = if is_before && index.and_then(text) != Some(found) { before } else { index };
        let error = self.syntax_at(self.nth_place(index), index.is_none(), &spell(expected));
        let comma = index.and_then(|index| index.checked_sub(1)).and_then(text) == Some(",");
        if comma && CLAUSES.contains(&found.to_uppercase().as_str()) {
            return error.fix(format!("remove the comma before `{found}`"));
        }
        error
    }
}

/// What a statement can begin with.
const STARTS: &[&str] = &["SELECT", "INSERT", "CREATE", "SET", "WITH", "EXECUTE", "BEGIN", "END"];

/// What can follow a list of columns or tables.
const CLAUSES: &[&str] =
    &["FROM", "WHERE", "GROUP", "HAVING", "WINDOW", "UNION", "ORDER", "LIMIT", "JOIN", "CROSS", "LEFT", "ON"];

pub fn is_word(token: &Token, word: &str) -> bool {
    matches!(token, Token::Word(w) if w.quote_style.is_none() && w.value.eq_ignore_ascii_case(word))
}

/// Symbols and keywords are quoted, descriptions are not.
fn spell(expected: &str) -> String {
    let symbol = !expected.chars().any(char::is_alphabetic);
    let keyword = expected.chars().all(|c| c.is_ascii_uppercase() || c == '_' || c == ' ');
    match expected {
        "identifier" => "a name".to_owned(),
        "end of statement" => "the end of the statement".to_owned(),
        _ if symbol || keyword => format!("`{expected}`"),
        _ => expected.to_owned(),
    }
}

fn split_location(message: &str) -> (&str, Option<Position>) {
    let Some((text, place)) = message.rsplit_once(" at Line: ") else { return (message, None) };
    let numbers = place.split_once(", Column: ");
    let position = numbers.and_then(|(line, column)| {
        Some(Position { line: line.parse().ok()?, column: column.trim().parse().ok()? })
    });
    (text, position)
}

impl From<&Name> for Ident {
    fn from(name: &Name) -> Ident {
        Ident { value: name.value.clone(), quote_style: Some('`'), span: span::back(name.span) }
    }
}
