//! Reads CREATE TABLE and CREATE VIEW, in Flink's grammar.

use sqlparser::ast::Expr;
use sqlparser::tokenizer::Token;

use crate::error::{Error, Result, Span, nearest};
use crate::sql::cursor::{Cursor, is_word};
use crate::sql::interval;
use crate::sql::statement::{
    Column, ColumnKind, CreateTable, CreateView, Like, LikeMerge, LikeOptions, MetadataKey, Name, RawOption,
    Statement, Watermark,
};
use crate::sql::types::declared;

/// At `CREATE`.
pub fn parse_create(cursor: &mut Cursor) -> Result<Statement> {
    let start = cursor.here();
    cursor.advance();
    if cursor.sees(&["OR"]) {
        cursor.take(&["OR", "REPLACE"]);
        let span = start.union(cursor.behind());
        return Err(Error::user("`CREATE OR REPLACE` is not supported: a file declares each name once")
            .at(&cursor.source, span, "")
            .fix("write `CREATE`"));
    }
    let temporary = cursor.take(&["TEMPORARY"]);
    if cursor.take(&["TABLE"]) {
        parse_table(cursor, temporary).map(Statement::CreateTable)
    } else if cursor.take(&["VIEW"]) {
        parse_view(cursor, temporary).map(Statement::CreateView)
    } else {
        Err(Error::user("only tables and views can be created")
            .at(&cursor.source, cursor.here(), "not `TABLE` or `VIEW`")
            .fix("remove the statement: there are no catalogs, databases or user-defined functions"))
    }
}

fn parse_view(cursor: &mut Cursor, temporary: bool) -> Result<CreateView> {
    let if_not_exists = cursor.take(&["IF", "NOT", "EXISTS"]);
    let name = cursor.table_name()?;
    let columns = match cursor.peek() {
        Token::LParen => cursor.name_list("a column's name")?,
        _ => Vec::new(),
    };
    parse_comment(cursor)?;
    cursor.expect(&["AS"])?;
    let query = cursor.query()?;
    Ok(CreateView { name, columns, query, temporary, if_not_exists, span: cursor.whole() })
}

fn parse_table(cursor: &mut Cursor, temporary: bool) -> Result<CreateTable> {
    let if_not_exists = cursor.take(&["IF", "NOT", "EXISTS"]);
    let name = cursor.table_name()?;
    let mut table = CreateTable {
        name,
        temporary,
        if_not_exists,
        columns: Vec::new(),
        watermark: None,
        primary_key: Vec::new(),
        partitioned_by: Vec::new(),
        like: None,
        options: Vec::new(),
        span: cursor.whole(),
    };
    if cursor.take_token(&Token::LParen) {
        parse_elements(cursor, &mut table)?;
    }
    parse_comment(cursor)?;
    if cursor.sees(&["DISTRIBUTED"]) {
        return Err(Error::user("`DISTRIBUTED BY` is not supported")
            .at(&cursor.source, cursor.here(), "")
            .fix("remove it; `'key.fields'` decides which Kafka partition a row goes to"));
    }
    if cursor.take(&["PARTITIONED", "BY"]) {
        table.partitioned_by = cursor.name_list("a column's name")?;
    }
    if cursor.take(&["WITH"]) {
        parse_options(cursor, &mut table.options)?;
    }
    if cursor.sees(&["LIKE"]) {
        table.like = Some(parse_like(cursor)?);
    }
    if cursor.sees(&["AS"]) {
        return Err(Error::user("`CREATE TABLE … AS SELECT` is not supported")
            .at(&cursor.source, cursor.here(), "")
            .fix("declare the table's columns, then write `INSERT INTO … SELECT …`"));
    }
    check_names(cursor, &table)?;
    Ok(table)
}

/// The list of columns and constraints, after its `(`.
fn parse_elements(cursor: &mut Cursor, table: &mut CreateTable) -> Result<()> {
    loop {
        if cursor.sees(&["CONSTRAINT"])
            && !matches!(cursor.peek_nth(2), token if is_word(token, "NOT") || *token == Token::Comma)
        {
            cursor.advance();
            cursor.name("the constraint's name")?;
            parse_primary_key(cursor, table)?;
        } else if cursor.sees(&["PRIMARY", "KEY"]) {
            parse_primary_key(cursor, table)?;
        } else if cursor.sees(&["WATERMARK", "FOR"]) {
            parse_watermark(cursor, table)?;
        } else if cursor.sees(&["UNIQUE"]) && *cursor.peek_nth(1) == Token::LParen {
            return Err(Error::user("UNIQUE constraints are not supported")
                .at(&cursor.source, cursor.here(), "")
                .fix("write `PRIMARY KEY (…) NOT ENFORCED`"));
        } else {
            parse_column(cursor, table)?;
        }
        if cursor.take_token(&Token::RParen) {
            return Ok(());
        }
        if !cursor.take_token(&Token::Comma) {
            return Err(cursor.unexpected("`,` or `)`"));
        }
    }
}

fn parse_primary_key(cursor: &mut Cursor, table: &mut CreateTable) -> Result<()> {
    let start = cursor.here();
    cursor.expect(&["PRIMARY", "KEY"])?;
    let keys = cursor.name_list("a column's name")?;
    set_primary_key(cursor, table, keys, start)
}

fn set_primary_key(cursor: &mut Cursor, table: &mut CreateTable, keys: Vec<Name>, start: Span) -> Result<()> {
    let span = start.union(cursor.behind());
    if !cursor.take(&["NOT", "ENFORCED"]) {
        return Err(Error::user("a primary key of a stream cannot be enforced")
            .at(&cursor.source, span, "nothing checks it while rows arrive")
            .fix("write `NOT ENFORCED` after it, and make sure that the key is unique"));
    }
    if !table.primary_key.is_empty() {
        return Err(Error::user(format!("table `{}` has two primary keys", table.name.value))
            .at(&cursor.source, span, "the second")
            .fix("keep one"));
    }
    table.primary_key = keys;
    Ok(())
}

fn parse_column(cursor: &mut Cursor, table: &mut CreateTable) -> Result<()> {
    let name = cursor.name("a column's name")?;
    if cursor.take(&["AS"]) {
        let expr = cursor.expr()?;
        let span = name.span.union(cursor.behind());
        parse_comment(cursor)?;
        let kind = ColumnKind::Computed(Box::new(expr));
        table.columns.push(Column { name, ty: None, not_null: false, kind, span });
        return Ok(());
    }
    let declared = declared::parse_type(cursor)?;
    let mut column = Column {
        span: name.span.union(cursor.behind()),
        name,
        ty: Some(declared.ty),
        not_null: declared.not_null,
        kind: ColumnKind::Physical,
    };
    loop {
        let start = cursor.here();
        if cursor.take(&["METADATA"]) {
            column.kind = parse_metadata(cursor, &column.name)?;
            column.span = column.span.union(cursor.behind());
        } else if cursor.sees(&["CONSTRAINT"]) {
            cursor.advance();
            cursor.name("the constraint's name")?;
        } else if cursor.take(&["PRIMARY", "KEY"]) {
            set_primary_key(cursor, table, vec![column.name.clone()], start)?;
        } else if cursor.sees(&["DEFAULT"]) || cursor.sees(&["UNIQUE"]) || cursor.sees(&["REFERENCES"]) {
            return Err(Error::user("this column constraint is not supported")
                .at(&cursor.source, start, "")
                .fix("remove it; a default is `COALESCE(column, value)` in the query"));
        } else if !parse_comment(cursor)? {
            break;
        }
    }
    table.columns.push(column);
    Ok(())
}

/// After `METADATA`: `[FROM 'key'] [VIRTUAL]`.
fn parse_metadata(cursor: &mut Cursor, column: &Name) -> Result<ColumnKind> {
    let (key, place) = match cursor.take(&["FROM"]) {
        true => cursor.string("the metadata's key in quotes")?,
        false => (column.value.clone(), column.span),
    };
    let Some(key) = MetadataKey::from_name(key.strip_prefix("value.").unwrap_or(&key)) else {
        let keys = MetadataKey::ALL.map(|(_, name)| format!("`{name}`")).join(", ");
        let fix = match key.as_str() {
            "timestamp-type" | "leader-epoch" => "remove the column".to_owned(),
            _ => "write `METADATA FROM 'key'` with one of them".to_owned(),
        };
        return Err(Error::user("a record has no such metadata")
            .at(&cursor.source, place, "unknown key")
            .note(format!("the keys are {keys}"))
            .fix(fix));
    };
    Ok(ColumnKind::Metadata { key, is_virtual: cursor.take(&["VIRTUAL"]) })
}

fn parse_watermark(cursor: &mut Cursor, table: &mut CreateTable) -> Result<()> {
    let start = cursor.here();
    cursor.expect(&["WATERMARK", "FOR"])?;
    let column = cursor.name("the event time column's name")?;
    cursor.expect(&["AS"])?;
    let expr_start = cursor.here();
    let expr = cursor.expr()?;
    let expr_span = expr_start.union(cursor.behind());
    if table.watermark.is_some() {
        return Err(Error::user(format!("table `{}` has two watermarks", table.name.value))
            .at(&cursor.source, start.union(expr_span), "the second")
            .fix("keep one"));
    }
    let delay = watermark_delay(&expr, &column.value).ok_or_else(|| {
        let name = &column.value;
        let label = no_delay(&expr);
        Error::user("a watermark is the event time column, less a fixed interval")
            .at(&cursor.source, expr_span, label)
            .fix(format!("write `WATERMARK FOR {name} AS {name} - INTERVAL '5' SECOND`"))
    })?;
    table.watermark = Some(Watermark { column, expr_span, delay_micros: delay });
    Ok(())
}

/// Microseconds; None if the expression is not `column [- INTERVAL …]`.
fn watermark_delay(expr: &Expr, column: &str) -> Option<i64> {
    match expr {
        Expr::Nested(inner) => watermark_delay(inner, column),
        Expr::Identifier(ident) => (ident.value == column).then_some(0),
        Expr::BinaryOp { left, op: sqlparser::ast::BinaryOperator::Minus, right } => {
            let Expr::Interval(literal) = &**right else { return None };
            let delay = interval::read(literal)?.fixed_micros().filter(|micros| *micros >= 0)?;
            watermark_delay(left, column)?.checked_add(delay)
        }
        _ => None,
    }
}

/// Why an expression says no delay, where a reason is known.
fn no_delay(expr: &Expr) -> &'static str {
    let length = match expr {
        Expr::BinaryOp { right, .. } => match &**right {
            Expr::Interval(literal) => interval::read(literal),
            _ => None,
        },
        _ => None,
    };
    match expr {
        Expr::BinaryOp { op: sqlparser::ast::BinaryOperator::Plus, .. } => "this would be ahead of its rows",
        _ if length.is_some_and(|length| length.months != 0) => "a month has no fixed length",
        _ if length.is_some() => "not the column less an interval",
        Expr::Function(call) if call.name.to_string().eq_ignore_ascii_case("SOURCE_WATERMARK") => {
            "Kafka has no watermarks of its own"
        }
        _ => "",
    }
}

/// `COMMENT '…'`: read and dropped. Whether there was one.
fn parse_comment(cursor: &mut Cursor) -> Result<bool> {
    let found = cursor.take(&["COMMENT"]);
    if found {
        cursor.string("the comment in quotes")?;
    }
    Ok(found)
}

fn parse_options(cursor: &mut Cursor, options: &mut Vec<RawOption>) -> Result<()> {
    cursor.expect_token(&Token::LParen)?;
    while *cursor.peek() != Token::RParen {
        let (key, key_span) = cursor.string("an option's name in single quotes")?;
        cursor.expect_token(&Token::Eq)?;
        let (value, value_span) = cursor.string("the option's value in single quotes")?;
        if options.iter().any(|other| other.key == key) {
            return Err(Error::user(format!("option `{key}` is given twice"))
                .at(&cursor.source, key_span, "the second")
                .fix("keep one"));
        }
        options.push(RawOption { key, value, key_span, value_span });
        if !cursor.take_token(&Token::Comma) {
            break;
        }
    }
    if cursor.take_token(&Token::RParen) { Ok(()) } else { Err(cursor.unexpected("`,` or `)`")) }
}

fn parse_like(cursor: &mut Cursor) -> Result<Like> {
    let start = cursor.here();
    cursor.expect(&["LIKE"])?;
    let table = cursor.table_name()?;
    let mut options = LikeOptions::default();
    if cursor.take_token(&Token::LParen) {
        while !cursor.take_token(&Token::RParen) {
            parse_like_option(cursor, &mut options)?;
        }
    }
    Ok(Like { table, options, span: start.union(cursor.behind()) })
}

fn parse_like_option(cursor: &mut Cursor, options: &mut LikeOptions) -> Result<()> {
    let merge_span = cursor.here();
    let merge = cursor.name("`INCLUDING`, `EXCLUDING` or `OVERWRITING`")?;
    let merge = match merge.value.to_uppercase().as_str() {
        "INCLUDING" => LikeMerge::Including,
        "EXCLUDING" => LikeMerge::Excluding,
        "OVERWRITING" => LikeMerge::Overwriting,
        _ => {
            return Err(Error::user("not a LIKE option").at(
                &cursor.source,
                merge_span,
                "expected `INCLUDING`, `EXCLUDING` or `OVERWRITING`",
            ));
        }
    };
    let taken = merge != LikeMerge::Excluding;
    let what = cursor.name("what to take over")?;
    match what.value.to_uppercase().as_str() {
        "ALL" => {
            *options = LikeOptions {
                constraints: taken,
                generated: merge,
                metadata: merge,
                options: merge,
                partitions: taken,
                watermarks: merge,
            };
        }
        "CONSTRAINTS" => options.constraints = taken,
        "GENERATED" => options.generated = merge,
        "METADATA" => options.metadata = merge,
        "OPTIONS" => options.options = merge,
        "PARTITIONS" => options.partitions = taken,
        "WATERMARKS" => options.watermarks = merge,
        // There are none here; accepted because Flink has it.
        "DISTRIBUTION" => {}
        _ => {
            return Err(Error::user("not a LIKE option").at(
                &cursor.source,
                what.span,
                "expected ALL, CONSTRAINTS, GENERATED, METADATA, OPTIONS, PARTITIONS or WATERMARKS",
            ));
        }
    }
    Ok(())
}

/// Columns have different names; keys, partitions and the watermark name columns.
fn check_names(cursor: &Cursor, table: &CreateTable) -> Result<()> {
    for (at, column) in table.columns.iter().enumerate() {
        if table.columns[..at].iter().any(|other| other.name.value == column.name.value) {
            return Err(Error::user(format!("column `{}` is declared twice", column.name.value))
                .at(&cursor.source, column.name.span, "the second")
                .fix("give it another name; names that differ in case are different"));
        }
    }
    // The other columns are in the table it is like.
    if table.like.is_some() {
        return Ok(());
    }
    let watermark = table.watermark.iter().map(|watermark| &watermark.column);
    for name in table.primary_key.iter().chain(&table.partitioned_by).chain(watermark) {
        if !table.columns.iter().any(|column| column.name.value == name.value) {
            let known = table.columns.iter().map(|column| column.name.value.as_str());
            return Err(Error::user(format!("table `{}` has no column `{}`", table.name.value, name.value))
                .at(&cursor.source, name.span, "not declared")
                .fix_if(nearest::fix(&name.value, known, "columns")));
        }
    }
    Ok(())
}
