//! Flink's forms of expressions that the SQL parser does not know, as calls and operators that it does.
//!
//! | written | read as |
//! |---|---|
//! | `TABLE t PARTITION BY (a, b)` | `TABLE_PARTITION_BY(t, a, b)` |
//! | `MAP['a', 1, 'b', 2]` | `make_map('a', 1, 'b', 2)` |
//! | `JSON_VALUE(x, path RETURNING INT)` | `CAST(JSON_VALUE(x, path) AS INT)` |
//! | `JSON_VALUE(x, path DEFAULT d ON EMPTY)` | `JSON_VALUE(x, path, d, NULL)`: on empty, on error |
//! | `JSON_QUERY(x, path WITH CONDITIONAL ARRAY WRAPPER)` | `JSON_QUERY(x, path, 'CONDITIONAL')` |
//! | `x IS NOT JSON OBJECT` | `NOT is_json(x, 'OBJECT')` |
//! | `x BETWEEN SYMMETRIC a AND b` | `(x BETWEEN a AND b OR x BETWEEN b AND a)` |

use sqlparser::ast::{BinaryOperator, CastKind, DataType, Expr, Ident, UnaryOperator, Value};
use sqlparser::keywords::Keyword;
use sqlparser::parser::{Parser, ParserError};
use sqlparser::tokenizer::{Token, TokenWithSpan};

use super::{PARTITION_BY, call, identifier};

type Parsed<T> = Result<T, ParserError>;

/// One of our forms where an expression begins; None for all others, with nothing consumed.
pub fn prefix(parser: &mut Parser) -> Option<Parsed<Expr>> {
    let [first, second] = parser.peek_tokens_ref::<2>();
    let Token::Word(word) = &first.token else { return None };
    if word.quote_style.is_some() {
        return None;
    }
    let span = first.span;
    let name = Ident { value: word.value.clone(), quote_style: None, span };
    match (word.value.to_ascii_uppercase().as_str(), &second.token) {
        ("TABLE", Token::Word(_)) => {
            parser.advance_token();
            Some(table(parser))
        }
        ("TABLE", Token::LParen) => {
            parser.advance_token();
            Some(parser.parse_expr())
        }
        ("MAP", Token::LBracket) => {
            parser.advance_token();
            parser.advance_token();
            Some(map(parser, Ident { value: "make_map".into(), ..name }))
        }
        ("JSON_VALUE", Token::LParen) => {
            parser.advance_token();
            parser.advance_token();
            Some(json_value(parser, name))
        }
        ("JSON_QUERY", Token::LParen) => {
            parser.advance_token();
            parser.advance_token();
            Some(json_query(parser, name))
        }
        ("JSON_EXISTS", Token::LParen) => {
            parser.advance_token();
            parser.advance_token();
            Some(json_exists(parser, name))
        }
        _ => None,
    }
}

fn table(parser: &mut Parser) -> Parsed<Expr> {
    let name = parser.parse_object_name(false)?;
    let idents: Vec<Ident> = name.0.into_iter().filter_map(|part| part.as_ident().cloned()).collect();
    let span = idents.first().map(|first| first.span);
    let table = identifier(idents);
    if !parser.parse_keywords(&[Keyword::PARTITION, Keyword::BY]) {
        return Ok(table);
    }
    let keys = if parser.consume_token(&Token::LParen) {
        let keys = parser.parse_comma_separated(Parser::parse_expr)?;
        parser.expect_token(&Token::RParen)?;
        keys
    } else {
        vec![parser.parse_expr()?]
    };
    let mut function = Ident::new(PARTITION_BY);
    function.span = span.unwrap_or(function.span);
    Ok(call(function, std::iter::once(table).chain(keys).collect()))
}

/// After `MAP[`.
fn map(parser: &mut Parser, name: Ident) -> Parsed<Expr> {
    let entries = parser.parse_comma_separated0(Parser::parse_expr, Token::RBracket)?;
    parser.expect_token(&Token::RBracket)?;
    Ok(call(name, entries))
}

fn text(value: &str) -> Expr {
    Expr::value(Value::SingleQuotedString(value.to_owned()))
}

/// After `JSON_VALUE(`. An error cannot stop a stream: `ERROR ON …` is a syntax error.
fn json_value(parser: &mut Parser, name: Ident) -> Parsed<Expr> {
    let (doc, path) = doc_and_path(parser)?;
    let mut returning: Option<DataType> = None;
    let (mut on_empty, mut on_error): (Option<Expr>, Option<Expr>) = (None, None);
    while !parser.consume_token(&Token::RParen) {
        if parser.parse_keyword(Keyword::RETURNING) {
            returning = Some(parser.parse_data_type()?);
            continue;
        }
        let otherwise = if parser.parse_keyword(Keyword::DEFAULT) {
            parser.parse_expr()?
        } else if parser.parse_keyword(Keyword::NULL) {
            null()
        } else {
            return parser.expected_ref("`DEFAULT`, `NULL`, `RETURNING` or `)`", parser.peek_token_ref());
        };
        parser.expect_keyword_is(Keyword::ON)?;
        match parser.expect_one_of_keywords(&[Keyword::EMPTY, Keyword::ERROR])? {
            Keyword::EMPTY => on_empty = Some(otherwise),
            _ => on_error = Some(otherwise),
        }
    }
    let mut args = vec![doc, path];
    if on_empty.is_some() || on_error.is_some() {
        args.extend([on_empty.unwrap_or_else(null), on_error.unwrap_or_else(null)]);
    }
    let value = call(name, args);
    Ok(match returning {
        None => value,
        Some(data_type) => {
            Expr::Cast { kind: CastKind::Cast, expr: Box::new(value), data_type, array: false, format: None }
        }
    })
}

fn null() -> Expr {
    Expr::value(Value::Null)
}

/// After `JSON_EXISTS(`. `FALSE ON ERROR` says nothing.
fn json_exists(parser: &mut Parser, name: Ident) -> Parsed<Expr> {
    let (doc, path) = doc_and_path(parser)?;
    if parser.parse_keyword(Keyword::FALSE) {
        parser.expect_keywords(&[Keyword::ON, Keyword::ERROR])?;
    }
    parser.expect_token(&Token::RParen)?;
    Ok(call(name, vec![doc, path]))
}

/// After `JSON_QUERY(`. `NULL ON EMPTY` and `NULL ON ERROR` say nothing.
fn json_query(parser: &mut Parser, name: Ident) -> Parsed<Expr> {
    let (doc, path) = doc_and_path(parser)?;
    let mut args = vec![doc, path];
    let wrapped = if parser.parse_keyword(Keyword::WITH) {
        let conditional = take_word(parser, "CONDITIONAL");
        // Without a word, a wrapper is put around everything.
        if !conditional {
            take_word(parser, "UNCONDITIONAL");
        }
        args.push(text(if conditional { "CONDITIONAL" } else { "UNCONDITIONAL" }));
        true
    } else {
        parser.parse_keyword(Keyword::WITHOUT)
    };
    if wrapped {
        take_word(parser, "ARRAY");
        if !take_word(parser, "WRAPPER") {
            return parser.expected_ref("`WRAPPER`", parser.peek_token_ref());
        }
    }
    while parser.parse_keyword(Keyword::NULL) {
        parser.expect_keyword_is(Keyword::ON)?;
        parser.expect_one_of_keywords(&[Keyword::EMPTY, Keyword::ERROR])?;
    }
    parser.expect_token(&Token::RParen)?;
    Ok(call(name, args))
}

fn take_word(parser: &mut Parser, name: &str) -> bool {
    let found = is_word(parser.peek_token_ref(), name);
    if found {
        parser.advance_token();
    }
    found
}

fn is_word(token: &TokenWithSpan, name: &str) -> bool {
    matches!(&token.token, Token::Word(word) if word.value.eq_ignore_ascii_case(name))
}

/// `IS [NOT] JSON [VALUE | OBJECT | ARRAY | SCALAR]` after `expr`; None for all else, with nothing consumed.
pub fn is_json(parser: &mut Parser, expr: &Expr) -> Option<Parsed<Expr>> {
    let [is, not, json] = parser.peek_tokens_ref::<3>();
    let negated = is_word(not, "NOT");
    if !is_word(is, "IS") || !is_word(if negated { json } else { not }, "JSON") {
        return None;
    }
    let name = Ident { value: "is_json".into(), quote_style: None, span: is.span };
    (0..2 + usize::from(negated)).for_each(|_| parser.advance_token());
    let kind = ["VALUE", "OBJECT", "ARRAY", "SCALAR"].into_iter().find(|kind| take_word(parser, kind));
    let test = call(name, std::iter::once(expr.clone()).chain(kind.map(text)).collect());
    Some(Ok(match negated {
        true => Expr::UnaryOp { op: UnaryOperator::Not, expr: Box::new(test) },
        false => test,
    }))
}

fn doc_and_path(parser: &mut Parser) -> Parsed<(Expr, Expr)> {
    let doc = parser.parse_expr()?;
    parser.expect_token(&Token::Comma)?;
    Ok((doc, parser.parse_expr()?))
}

/// `[NOT] BETWEEN SYMMETRIC` after `expr`; None for all else, with nothing consumed. `ASYMMETRIC` says
/// nothing.
pub fn between(parser: &mut Parser, expr: &Expr, precedence: u8) -> Option<Parsed<Expr>> {
    let negated = parser.peek_keyword(Keyword::NOT);
    let words = parser.peek_tokens_ref::<3>();
    let word = |at: usize, name: &str| words.get(at).is_some_and(|token| is_word(token, name));
    let first = usize::from(negated);
    let symmetric = word(first + 1, "SYMMETRIC");
    if !word(first, "BETWEEN") || !(symmetric || word(first + 1, "ASYMMETRIC")) {
        return None;
    }
    (0..first + 2).for_each(|_| parser.advance_token());
    Some(bounds(parser, precedence).map(|(low, high)| {
        let within = |low: Expr, high: Expr| Expr::Between {
            expr: Box::new(expr.clone()),
            negated: false,
            low: Box::new(low),
            high: Box::new(high),
        };
        let (left, right) = (within(low.clone(), high.clone()), within(high, low));
        let both = match symmetric {
            true => Expr::BinaryOp { left: Box::new(left), op: BinaryOperator::Or, right: Box::new(right) },
            false => left,
        };
        let nested = Expr::Nested(Box::new(both));
        match negated {
            true => Expr::UnaryOp { op: UnaryOperator::Not, expr: Box::new(nested) },
            false => nested,
        }
    }))
}

fn bounds(parser: &mut Parser, precedence: u8) -> Parsed<(Expr, Expr)> {
    let low = parser.parse_subexpr(precedence)?;
    parser.expect_keyword_is(Keyword::AND)?;
    Ok((low, parser.parse_subexpr(precedence)?))
}
