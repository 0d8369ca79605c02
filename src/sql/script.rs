//! Splits a file into statements and reads all but CREATE: INSERT, queries, SET, statement sets, EMIT.
//!
//! Splitting first, at semicolons, keeps a syntax error within its statement, and lets `EMIT CHANGES` be cut
//! off before the SQL parser takes `EMIT` for a table's alias.

use std::sync::Arc;

use sqlparser::ast::Expr;
use sqlparser::keywords::Keyword;
use sqlparser::tokenizer::{Token, TokenWithSpan, Tokenizer, Whitespace, Word};

use crate::error::{Error, Position, Result, SourceText, Span};
use crate::sql::cursor::{Cursor, is_word};
use crate::sql::dialect::WindrowDialect;
use crate::sql::statement::{EmitChanges, Insert, Script, Select, SetOption, Statement};
use crate::sql::substitute::{self, Lookup};
use crate::sql::{ddl, interval, span};

/// Reads a file.
///
/// `values` is asked for the `${…}` of quoted strings: with `VAR` for a variable, with `file:path` for a
/// file. None means that there is no such variable or file; an empty value takes the default, if there is
/// one.
pub fn parse(source: &Arc<SourceText>, values: Lookup) -> Result<Script> {
    let tokens = tokenize(source, values)?;
    let mut set = StatementSet::default();
    let mut statements = Vec::new();
    for segment in tokens.split(|token| token.token == Token::SemiColon) {
        if let Some(statement) = parse_segment(source, segment.to_vec(), &mut set)? {
            statements.push(statement);
        }
    }
    match set.open {
        Some(opened) => Err(Error::user("the statement set is not closed")
            .at(source, opened, "opened here")
            .fix("write `END;` after its last INSERT")),
        None => Ok(Script { source: Arc::clone(source), statements }),
    }
}

/// Where we are among `BEGIN STATEMENT SET … END`.
#[derive(Default)]
struct StatementSet {
    open: Option<Span>,
    opened_count: usize,
}

impl StatementSet {
    fn index(&self) -> Option<usize> {
        self.open.map(|_| self.opened_count - 1)
    }
}

fn tokenize(source: &Arc<SourceText>, values: Lookup) -> Result<Vec<TokenWithSpan>> {
    let dialect = WindrowDialect;
    let tokens = Tokenizer::new(&dialect, &source.text).tokenize_with_location().map_err(|error| {
        let place = (error.location.line, error.location.column);
        Error::user(format!("syntax error: {}", lower_first(&error.message))).at(
            source,
            Span::new(place, (place.0, place.1 + 1)),
            "starts here",
        )
    })?;
    let mut kept = Vec::with_capacity(tokens.len());
    for mut token in tokens {
        match &token.token {
            Token::Whitespace(Whitespace::MultiLineComment(text)) if text.starts_with('+') => {
                return Err(refuse_hint(source, token.span));
            }
            Token::Whitespace(_) => {}
            _ => {
                substitute::substitute(source, &mut token, values)?;
                kept.push(token);
            }
        }
    }
    Ok(flink_types(kept))
}

fn lower_first(text: &str) -> String {
    let mut chars = text.chars();
    chars.next().map_or_else(String::new, |first| first.to_lowercase().chain(chars).collect())
}

fn refuse_hint(source: &Arc<SourceText>, place: sqlparser::tokenizer::Span) -> Error {
    let error = Error::user("hints are not supported: a hint that is ignored would change results");
    let error = match span::of(place) {
        Some(place) => error.at(source, place, "a hint"),
        None => error,
    };
    error.fix(
        "remove it; an OPTIONS hint belongs into the table's WITH, STATE_TTL into `SET \
         'table.exec.state.ttl'`",
    )
}

/// Gives the SQL parser the spelling it knows of two types in expressions: `ROW<…>` is its `STRUCT<…>`, and
/// `TIMESTAMP(p) WITH LOCAL TIME ZONE` its `TIMESTAMP_LTZ(p)`. Places stay.
fn flink_types(mut tokens: Vec<TokenWithSpan>) -> Vec<TokenWithSpan> {
    let mut at = 0;
    while at < tokens.len() {
        let after = |n: usize| tokens.get(at + n).map(|t| &t.token);
        if is_word(&tokens[at].token, "ROW") && after(1) == Some(&Token::Lt) {
            tokens[at].token = word("STRUCT", Keyword::STRUCT);
        } else if is_word(&tokens[at].token, "TIMESTAMP") {
            let zone = if after(1) == Some(&Token::LParen) { 4 } else { 1 };
            let words = ["WITH", "LOCAL", "TIME", "ZONE"];
            if words.iter().enumerate().all(|(n, w)| after(zone + n).is_some_and(|t| is_word(t, w))) {
                tokens[at].token = word("TIMESTAMP_LTZ", Keyword::NoKeyword);
                tokens.drain(at + zone..at + zone + words.len());
            }
        }
        at += 1;
    }
    tokens
}

fn word(value: &str, keyword: Keyword) -> Token {
    Token::Word(Word { value: value.to_owned(), quote_style: None, keyword })
}

fn parse_segment(
    source: &Arc<SourceText>,
    mut tokens: Vec<TokenWithSpan>,
    set: &mut StatementSet,
) -> Result<Option<Statement>> {
    let words = |count: usize, words: &[&str]| {
        tokens.len() >= count && words.iter().zip(&tokens).all(|(word, token)| is_word(&token.token, word))
    };
    if tokens.is_empty() {
        return Ok(None);
    }
    let opening = if words(4, &["EXECUTE", "STATEMENT", "SET", "BEGIN"]) {
        4
    } else if words(3, &["BEGIN", "STATEMENT", "SET"]) {
        3
    } else {
        0
    };
    if opening > 0 {
        let opened = Cursor::new(source, tokens[..opening].to_vec()).whole();
        if set.open.is_some() {
            return Err(Error::user("a statement set cannot contain another").at(source, opened, ""));
        }
        set.open = Some(opened);
        set.opened_count += 1;
        tokens.drain(..opening);
        return parse_segment(source, tokens, set);
    }
    if words(1, &["END"]) && tokens.len() == 1 {
        return match set.open.take() {
            Some(_) => Ok(None),
            None => Err(Error::user("`END` without a statement set").at(
                source,
                Cursor::new(source, tokens).whole(),
                "nothing to end",
            )),
        };
    }
    parse_statement(source, tokens, set.index()).map(Some)
}

fn parse_statement(
    source: &Arc<SourceText>,
    mut tokens: Vec<TokenWithSpan>,
    statement_set: Option<usize>,
) -> Result<Statement> {
    let whole = Cursor::new(source, tokens.clone()).whole();
    let emit = match emit_start(&tokens) {
        Some(at) => Some(parse_emit(source, tokens.split_off(at))?),
        None => None,
    };
    let mut cursor = Cursor::new(source, tokens);
    // Flink lets an INSERT be preceded by EXECUTE.
    if cursor.sees(&["EXECUTE", "INSERT"]) {
        cursor.advance();
    }
    if statement_set.is_some() && !cursor.sees(&["INSERT"]) {
        return Err(Error::user("a statement set contains only INSERT statements")
            .at(source, cursor.here(), "not an INSERT")
            .fix("move it before the statement set, or close the set with `END;`"));
    }
    let statement = match cursor.peek() {
        token if is_word(token, "INSERT") => {
            let insert = parse_insert(&mut cursor, emit, statement_set)?;
            Statement::Insert(Insert { span: whole, ..insert })
        }
        token if is_word(token, "SET") => Statement::Set(parse_set(&mut cursor)?),
        token if is_word(token, "CREATE") => ddl::parse_create(&mut cursor)?,
        token if starts_query(token) => {
            Statement::Select(Select { query: cursor.query()?, emit, span: whole })
        }
        _ => return Err(refuse_statement(&cursor)),
    };
    cursor.end()?;
    match (emit, &statement) {
        (Some(emit), Statement::CreateTable(_) | Statement::CreateView(_) | Statement::Set(_)) => {
            Err(Error::user("`EMIT CHANGES` belongs to the INSERT or SELECT that shows the result")
                .at(source, emit.span, "not here")
                .fix("move it to the end of the INSERT that reads this"))
        }
        _ => Ok(statement),
    }
}

fn starts_query(token: &Token) -> bool {
    *token == Token::LParen || ["SELECT", "WITH", "VALUES"].iter().any(|word| is_word(token, word))
}

fn parse_insert(
    cursor: &mut Cursor,
    emit: Option<EmitChanges>,
    statement_set: Option<usize>,
) -> Result<Insert> {
    cursor.advance();
    if cursor.sees(&["OVERWRITE"]) {
        return Err(Error::user("`INSERT OVERWRITE` is not supported: a stream has no end to replace at")
            .at(&cursor.source, cursor.here(), "")
            .fix("write `INSERT INTO`"));
    }
    cursor.expect(&["INTO"])?;
    let target = cursor.table_name()?;
    if cursor.sees(&["PARTITION"]) {
        return Err(Error::user("`INSERT INTO … PARTITION (…)` is not supported")
            .at(&cursor.source, cursor.here(), "")
            .fix("select the partition's value as a column"));
    }
    // `INSERT INTO t (SELECT …)` has no column list.
    let is_list = *cursor.peek() == Token::LParen && !starts_query(cursor.peek_nth(1));
    let columns = if is_list { cursor.name_list("a column's name")? } else { Vec::new() };
    if !starts_query(cursor.peek()) {
        return Err(cursor.unexpected("`SELECT` or `VALUES`"));
    }
    let query = cursor.query()?;
    Ok(Insert { target, columns, query, emit, span: cursor.whole(), statement_set })
}

/// The index of `EMIT CHANGES` outside of parentheses.
fn emit_start(tokens: &[TokenWithSpan]) -> Option<usize> {
    let mut depth = 0_i32;
    tokens.iter().enumerate().skip(1).find_map(|(at, token)| {
        match token.token {
            Token::LParen => depth += 1,
            Token::RParen => depth -= 1,
            _ => {}
        }
        let next = tokens.get(at + 1);
        let here = is_word(&token.token, "EMIT") && next.is_some_and(|next| is_word(&next.token, "CHANGES"));
        (depth == 0 && here).then_some(at)
    })
}

fn parse_emit(source: &Arc<SourceText>, tokens: Vec<TokenWithSpan>) -> Result<EmitChanges> {
    let mut cursor = Cursor::new(source, tokens);
    cursor.expect(&["EMIT", "CHANGES"])?;
    if !cursor.take(&["EVERY"]) {
        cursor.end()?;
        return Ok(EmitChanges { every_micros: None, span: cursor.whole() });
    }
    let start = cursor.here();
    let every = cursor.expr()?;
    let place = start.union(cursor.behind());
    cursor.end()?;
    let length = match &every {
        Expr::Interval(literal) => interval::read(literal).and_then(interval::Length::fixed_micros),
        _ => None,
    };
    match length {
        Some(micros) if micros > 0 => Ok(EmitChanges { every_micros: Some(micros), span: cursor.whole() }),
        _ => Err(Error::user("`EMIT CHANGES EVERY` needs an interval of a fixed length above zero")
            .at(source, place, "")
            .fix("write for example `EMIT CHANGES EVERY INTERVAL '10' SECOND`")),
    }
}

/// `SET 'k' = 'v'`, and `SET k = v` with bare words up to the end of the statement.
fn parse_set(cursor: &mut Cursor) -> Result<SetOption> {
    cursor.advance();
    if cursor.at_end() {
        return Err(cursor.unexpected("`'key' = 'value'`"));
    }
    let (key, key_span) = parse_set_part(cursor, &Token::Eq)?;
    cursor.expect_token(&Token::Eq)?;
    let (value, value_span) = parse_set_part(cursor, &Token::EOF)?;
    Ok(SetOption { key, value, key_span, value_span, span: cursor.whole() })
}

fn parse_set_part(cursor: &mut Cursor, end: &Token) -> Result<(String, Span)> {
    if matches!(cursor.peek(), Token::SingleQuotedString(_) | Token::UnicodeStringLiteral(_)) {
        return cursor.string("a quoted string");
    }
    let start = cursor.here();
    if cursor.peek() == end || cursor.at_end() {
        return Err(cursor.unexpected("a key or a value"));
    }
    while cursor.peek() != end && !cursor.at_end() {
        cursor.advance();
    }
    let place = start.union(cursor.behind());
    Ok((span::text(&cursor.source, place).to_owned(), place))
}

fn refuse_statement(cursor: &Cursor) -> Error {
    const SUPPORTED: &str = "CREATE TABLE, CREATE VIEW, INSERT INTO, SELECT, SET and EXECUTE STATEMENT SET";
    let Position { line, column } = cursor.here().start;
    let text = span::text(&cursor.source, cursor.here()).to_uppercase();
    let fix = match text.as_str() {
        "DROP" | "ALTER" => "a file declares each table once: change or remove its CREATE TABLE",
        "UPDATE" | "DELETE" | "MERGE" | "TRUNCATE" => {
            "a stream is not edited: write an INSERT INTO … SELECT into another table"
        }
        "EXPLAIN" => "run `windrow explain FILE.sql`",
        "DESCRIBE" | "DESC" | "SHOW" => "run `windrow check FILE.sql`: it prints each table's columns",
        "USE" | "ADD" | "LOAD" | "REMOVE" | "UNLOAD" => {
            "remove it: there are no catalogs, jars or modules to choose"
        }
        "RESET" => "remove it: settings are the file's own, and start from the defaults",
        _ => "",
    };
    let what = match cursor.peek() {
        Token::Word(_) => format!("`{text}` statements are not supported"),
        _ => format!("syntax error at {line}:{column}: a statement cannot start like this"),
    };
    let error = Error::user(what)
        .at(&cursor.source, cursor.here(), "")
        .note(format!("a file consists of {SUPPORTED} statements"));
    if fix.is_empty() { error } else { error.fix(fix) }
}
