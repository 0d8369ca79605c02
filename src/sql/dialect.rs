//! The dialect our SQL is tokenized and parsed in: Flink's syntax where it has one, on top of what DataFusion
//! plans.
//!
//! It poses as `GenericDialect` (parts of the parser ask for that type) but answers each question itself,
//! because a wrapper does not inherit the wrapped dialect's answers. Syntax that nothing after the parser
//! reads (`SETTINGS`, `LIMIT BY`, `PREWHERE`, …) is left out, so that it is a syntax error instead of a
//! silent no-op.

mod forms;

use std::any::TypeId;

use sqlparser::ast::{
    Expr, Function, FunctionArg, FunctionArgExpr, FunctionArgumentList, FunctionArguments, Ident, ObjectName,
    ObjectNamePart,
};
use sqlparser::dialect::{Dialect, GenericDialect, Precedence};
use sqlparser::parser::{Parser, ParserError};

/// The function that `TABLE t PARTITION BY (a, b)` becomes as an argument: `TABLE_PARTITION_BY(t, a, b)`.
/// Without `PARTITION BY`, `TABLE t` becomes plain `t`.
pub const PARTITION_BY: &str = "TABLE_PARTITION_BY";

#[derive(Debug, Default, Clone, Copy)]
pub struct WindrowDialect;

impl Dialect for WindrowDialect {
    fn dialect(&self) -> TypeId {
        TypeId::of::<GenericDialect>()
    }

    fn is_delimited_identifier_start(&self, ch: char) -> bool {
        ch == '"' || ch == '`'
    }

    fn is_identifier_start(&self, ch: char) -> bool {
        ch.is_alphabetic() || ch == '_'
    }

    fn is_identifier_part(&self, ch: char) -> bool {
        ch.is_alphanumeric() || ch == '_' || ch == '$'
    }

    fn parse_prefix(&self, parser: &mut Parser) -> Option<Result<Expr, ParserError>> {
        forms::prefix(parser)
    }

    fn parse_infix(
        &self,
        parser: &mut Parser,
        expr: &Expr,
        _precedence: u8,
    ) -> Option<Result<Expr, ParserError>> {
        forms::between(parser, expr, self.prec_value(Precedence::Between))
            .or_else(|| forms::is_json(parser, expr))
    }

    fn supports_unicode_string_literal(&self) -> bool {
        true
    }

    fn supports_string_escape_constant(&self) -> bool {
        true
    }

    fn supports_group_by_expr(&self) -> bool {
        true
    }

    // Understood so that the rewrite can refuse it by name.
    fn supports_match_recognize(&self) -> bool {
        true
    }

    // Understood so that the rewrite can refuse it by name: DataFusion would drop it in silence.
    fn supports_table_versioning(&self) -> bool {
        true
    }

    fn supports_window_function_null_treatment_arg(&self) -> bool {
        true
    }

    fn supports_window_clause_named_window_reference(&self) -> bool {
        true
    }

    fn supports_dictionary_syntax(&self) -> bool {
        true
    }

    fn support_map_literal_syntax(&self) -> bool {
        true
    }

    fn supports_map_literal_with_angle_brackets(&self) -> bool {
        true
    }

    fn supports_struct_literal(&self) -> bool {
        true
    }

    fn supports_array_typedef_with_brackets(&self) -> bool {
        true
    }

    fn supports_interval_options(&self) -> bool {
        true
    }

    fn supports_select_wildcard_except(&self) -> bool {
        true
    }

    fn supports_select_wildcard_exclude(&self) -> bool {
        true
    }

    fn supports_select_wildcard_replace(&self) -> bool {
        true
    }

    fn supports_select_wildcard_rename(&self) -> bool {
        true
    }

    fn allow_extract_custom(&self) -> bool {
        true
    }

    fn allow_extract_single_quotes(&self) -> bool {
        true
    }

    fn supports_extract_comma_syntax(&self) -> bool {
        true
    }

    fn supports_parens_around_table_factor(&self) -> bool {
        true
    }

    fn supports_values_as_table_factor(&self) -> bool {
        true
    }

    fn supports_bitwise_shift_operators(&self) -> bool {
        true
    }

    fn supports_named_fn_args_with_assignment_operator(&self) -> bool {
        true
    }

    fn supports_filter_during_aggregation(&self) -> bool {
        true
    }

    fn supports_comma_separated_trim(&self) -> bool {
        true
    }
}

/// A column or table name as an expression.
pub fn identifier(mut idents: Vec<Ident>) -> Expr {
    match (idents.len(), idents.pop()) {
        (1, Some(only)) => Expr::Identifier(only),
        (_, Some(last)) => {
            idents.push(last);
            Expr::CompoundIdentifier(idents)
        }
        (_, None) => Expr::CompoundIdentifier(idents),
    }
}

/// `name(args…)`.
pub fn call(name: Ident, args: Vec<Expr>) -> Expr {
    let args = args.into_iter().map(|arg| FunctionArg::Unnamed(FunctionArgExpr::Expr(arg))).collect();
    Expr::Function(Function {
        name: ObjectName(vec![ObjectNamePart::Identifier(name)]),
        uses_odbc_syntax: false,
        parameters: FunctionArguments::None,
        args: FunctionArguments::List(FunctionArgumentList {
            duplicate_treatment: None,
            args,
            clauses: Vec::new(),
        }),
        filter: None,
        null_treatment: None,
        over: None,
        within_group: Vec::new(),
    })
}
