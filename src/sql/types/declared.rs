//! Reads the type of a declared column, in Flink's spelling and the common others.

use sqlparser::tokenizer::Token;

use crate::error::{Error, Result, Span};
use crate::sql::cursor::Cursor;
use crate::sql::types::{DECIMAL_DEFAULT, DIGITS_MAX, PRECISION_MAX, SqlType, TIMESTAMP_DIGITS};

/// A type as declared: whether it may be null belongs to the column.
pub struct Declared {
    pub ty: SqlType,
    pub not_null: bool,
}

pub fn parse_type(cursor: &mut Cursor) -> Result<Declared> {
    let mut reader = TypeReader { cursor, half_closed: false };
    let declared = reader.nullable_type()?;
    if reader.half_closed {
        return Err(reader.cursor.unexpected("one `>` less before"));
    }
    Ok(declared)
}

struct TypeReader<'a> {
    cursor: &'a mut Cursor,
    /// A `>>` token has closed one bracket and is to close another.
    half_closed: bool,
}

impl TypeReader<'_> {
    /// A type, `ARRAY` after it as often as it is there, and `[NOT] NULL`.
    fn nullable_type(&mut self) -> Result<Declared> {
        let mut ty = self.base()?;
        let mut not_null = self.nullability()?;
        loop {
            if self.cursor.take(&["ARRAY"]) {
                ty = SqlType::Array(Box::new(ty));
                not_null = self.nullability()?;
            } else if self.cursor.take(&["MULTISET"]) {
                ty = SqlType::multiset(ty);
                not_null = self.nullability()?;
            } else {
                return Ok(Declared { ty, not_null });
            }
        }
    }

    fn nullability(&mut self) -> Result<bool> {
        if self.cursor.take(&["NOT", "NULL"]) {
            return Ok(true);
        }
        self.cursor.take(&["NULL"]);
        Ok(false)
    }

    fn base(&mut self) -> Result<SqlType> {
        let name = self.cursor.name("a type")?;
        let ty = match name.value.to_uppercase().as_str() {
            "BOOLEAN" | "BOOL" => SqlType::Boolean,
            "TINYINT" => SqlType::TinyInt,
            "SMALLINT" => SqlType::SmallInt,
            "INT" | "INTEGER" => SqlType::Int,
            "BIGINT" => SqlType::BigInt,
            "FLOAT" | "REAL" => SqlType::Float,
            "DOUBLE" => {
                self.cursor.take(&["PRECISION"]);
                SqlType::Double
            }
            "DECIMAL" | "DEC" | "NUMERIC" => self.decimal()?,
            "STRING" | "TEXT" => SqlType::String,
            "VARCHAR" | "CHAR" | "CHARACTER" => {
                self.cursor.take(&["VARYING"]);
                self.digits(u64::from(u32::MAX))?;
                SqlType::String
            }
            "BYTES" | "BYTEA" => SqlType::Bytes,
            "BINARY" | "VARBINARY" => {
                self.digits(u64::from(u32::MAX))?;
                SqlType::Bytes
            }
            "DATE" => SqlType::Date,
            "TIME" => {
                let digits = self.digits(DIGITS_MAX)?.unwrap_or(0);
                self.cursor.take(&["WITHOUT", "TIME", "ZONE"]);
                SqlType::Time(digits as u8)
            }
            "TIMESTAMP" | "DATETIME" => self.timestamp()?,
            "TIMESTAMP_LTZ" | "TIMESTAMPTZ" => {
                SqlType::TimestampLtz(self.digits(DIGITS_MAX)?.unwrap_or(TIMESTAMP_DIGITS) as u8)
            }
            "ARRAY" => {
                self.open()?;
                let item = self.nullable_type()?.ty;
                self.close()?;
                SqlType::Array(Box::new(item))
            }
            "MULTISET" => {
                self.open()?;
                let element = self.nullable_type()?.ty;
                self.close()?;
                SqlType::multiset(element)
            }
            "MAP" => {
                self.open()?;
                let key = self.nullable_type()?.ty;
                self.cursor.expect_token(&Token::Comma)?;
                let value = self.nullable_type()?.ty;
                self.close()?;
                SqlType::Map(Box::new(key), Box::new(value))
            }
            "ROW" | "STRUCT" => SqlType::Row(self.fields()?),
            unknown => return Err(self.refuse(name.span, unknown)),
        };
        if self.cursor.sees(&["UNSIGNED"]) {
            return Err(self.refuse(name.span.union(self.cursor.here()), "UNSIGNED"));
        }
        Ok(ty)
    }

    fn timestamp(&mut self) -> Result<SqlType> {
        let start = self.cursor.behind();
        let digits = self.digits(DIGITS_MAX)?.unwrap_or(TIMESTAMP_DIGITS) as u8;
        if self.cursor.take(&["WITH", "TIME", "ZONE"]) {
            let span = start.union(self.cursor.behind());
            return Err(Error::user("a timestamp that keeps its zone is not supported")
                .at(&self.cursor.source, span, "")
                .fix(format!("write `TIMESTAMP_LTZ({digits})`: a point in time")));
        }
        if self.cursor.take(&["WITH", "LOCAL", "TIME", "ZONE"]) {
            return Ok(SqlType::TimestampLtz(digits));
        }
        self.cursor.take(&["WITHOUT", "TIME", "ZONE"]);
        Ok(SqlType::Timestamp(digits))
    }

    /// `(n)`, if it is there.
    fn digits(&mut self, max: u64) -> Result<Option<u64>> {
        if !self.cursor.take_token(&Token::LParen) {
            return Ok(None);
        }
        let (digits, span) = self.cursor.integer("a whole number")?;
        self.cursor.expect_token(&Token::RParen)?;
        if digits > max {
            return Err(Error::user(format!("{digits} is too large here")).at(
                &self.cursor.source,
                span,
                format!("at most {max}"),
            ));
        }
        Ok(Some(digits))
    }

    fn decimal(&mut self) -> Result<SqlType> {
        let (mut precision, mut scale) = DECIMAL_DEFAULT;
        let start = self.cursor.here();
        if self.cursor.take_token(&Token::LParen) {
            precision = self.cursor.integer("the number of digits")?.0;
            if self.cursor.take_token(&Token::Comma) {
                scale = self.cursor.integer("the number of digits after the point")?.0;
            }
            self.cursor.expect_token(&Token::RParen)?;
        }
        if precision == 0 || precision > PRECISION_MAX || scale > precision {
            return Err(Error::user("no such decimal").at(
                &self.cursor.source,
                start.union(self.cursor.behind()),
                format!("1 to {PRECISION_MAX} digits, of which 0 to all are after the point"),
            ));
        }
        Ok(SqlType::Decimal { precision: precision as u8, scale: scale as i8 })
    }

    /// `<name type ['comment'], …>` or the same in parentheses.
    fn fields(&mut self) -> Result<Vec<(String, SqlType)>> {
        let round = self.cursor.take_token(&Token::LParen);
        if !round {
            self.open()?;
        }
        let mut fields: Vec<(String, SqlType)> = Vec::new();
        loop {
            let name = self.cursor.name("a field's name")?;
            self.cursor.take_token(&Token::Colon);
            if fields.iter().any(|(other, _)| *other == name.value) {
                return Err(Error::user(format!("field `{}` is declared twice", name.value)).at(
                    &self.cursor.source,
                    name.span,
                    "the second",
                ));
            }
            fields.push((name.value, self.nullable_type()?.ty));
            self.cursor.take(&["COMMENT"]);
            if matches!(self.cursor.peek(), Token::SingleQuotedString(_)) {
                self.cursor.advance();
            }
            if self.half_closed || !self.cursor.take_token(&Token::Comma) {
                break;
            }
        }
        if round {
            self.cursor.expect_token(&Token::RParen)?
        } else {
            self.close()?
        }
        Ok(fields)
    }

    fn open(&mut self) -> Result<()> {
        self.cursor.expect_token(&Token::Lt)
    }

    fn close(&mut self) -> Result<()> {
        if self.half_closed {
            self.half_closed = false;
            self.cursor.advance();
            Ok(())
        } else if *self.cursor.peek() == Token::ShiftRight {
            self.half_closed = true;
            Ok(())
        } else {
            self.cursor.expect_token(&Token::Gt)
        }
    }

    fn refuse(&self, span: Span, name: &str) -> Error {
        let (why, fix) = advice(name);
        Error::user(format!("unknown type `{name}`")).at(&self.cursor.source, span, why).fix(fix)
    }
}

/// Why there is no type of this name, and which to use instead.
pub fn advice(name: &str) -> (&'static str, &'static str) {
    match name {
        "UNSIGNED" => ("there are no unsigned integers", "use the next larger type"),
        "INTERVAL" => ("a column cannot hold an interval", "use BIGINT and a unit of your choice"),
        "JSON" | "JSONB" | "VARIANT" | "UUID" | "ENUM" | "CLOB" => ("no such type", "use STRING"),
        "BLOB" | "RAW" => ("no such type", "use BYTES"),
        "INT2" | "INT4" | "INT8" | "FLOAT4" | "FLOAT8" | "LONG" | "SHORT" | "NUMBER" => {
            ("no such type", "use SMALLINT, INT, BIGINT, FLOAT, DOUBLE or DECIMAL(p, s)")
        }
        _ => (
            "no such type",
            "the types are BOOLEAN, TINYINT, SMALLINT, INT, BIGINT, FLOAT, DOUBLE, DECIMAL(p, s), \
             STRING, BYTES, DATE, TIME, TIMESTAMP(p), TIMESTAMP_LTZ(p), ARRAY<…>, MAP<…, …>, MULTISET<…> \
             and ROW<…>",
        ),
    }
}
