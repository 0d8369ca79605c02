//! What stands where in a query: for errors that name a function or a type, but not its place.
//!
//! DataFusion's expressions forget where they were written, but for columns. So the query is searched for
//! what an error speaks of, and a place is shown only if there is no other candidate: no underline is better
//! than a wrong one.

use std::ops::ControlFlow;

use sqlparser::ast::{
    BinaryOperator, DataType, Expr, JoinConstraint, JoinOperator, LimitClause, ObjectName, OrderByKind,
    Query, Select, SelectItem, SetExpr, SetOperator, SetQuantifier, Spanned, TableFactor, TableWithJoins,
    Value, ValueWithSpan, Visit, Visitor,
};

use crate::error::{SourceText, Span};
use crate::sql::span;

/// The places of one query, or of one expression.
#[derive(Debug, Clone, Default)]
pub struct Places {
    pub calls: Vec<Call>,
    /// Aggregates in WHERE.
    pub aggregates_in_where: Vec<Span>,
    /// The type of each CAST, as the parser read it.
    pub cast_types: Vec<(String, Span)>,
    /// WHERE, HAVING and ON that need not be conditions by their form.
    pub doubtful_conditions: Vec<Span>,
    pub binaries: Vec<Binary>,
    /// Texts in quotes.
    pub texts: Vec<(String, Span)>,
    /// `a.b.c`: how many parts, and where.
    pub paths: Vec<(usize, Span)>,
    /// The outermost SELECT's items, up to the first `*`.
    pub items: Vec<Option<Span>>,
    pub clauses: Clauses,
}

/// Which clauses a query has anywhere, for words that its author wrote.
#[derive(Debug, Clone, Default)]
pub struct Clauses {
    pub distinct: Option<Span>,
    /// UNION without ALL.
    pub union: bool,
    pub intersect: bool,
    pub except: bool,
    pub group_by: bool,
    pub in_subquery: bool,
    pub exists: bool,
    pub order_by: Option<Span>,
    pub limit: Option<Span>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Call {
    /// The planner's name of the function.
    pub name: String,
    /// As the file has it, in upper case.
    pub written: String,
    pub args: usize,
    pub is_aggregate: bool,
    pub span: Span,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Binary {
    pub operator: String,
    pub left: Option<Span>,
    pub right: Option<Span>,
    pub whole: Span,
}

/// The planner's name of a function and whether it is an aggregate, by a name in lower case.
pub type Functions<'a> = &'a dyn Fn(&str) -> Option<(String, bool)>;

impl Places {
    /// `query` as it is after the rewrite, whose nodes keep their places.
    pub fn of_query(query: &Query, source: &SourceText, functions: Functions) -> Self {
        let mut search = Search { places: Places::default(), source, functions };
        let ControlFlow::Continue(()) = query.visit(&mut search) else { return search.places };
        search.places.items = match first_select(&query.body) {
            Some(select) => search.items(select),
            None => Vec::new(),
        };
        search.places
    }

    pub fn of_expr(expr: &Expr, source: &SourceText, functions: Functions) -> Self {
        let mut search = Search { places: Places::default(), source, functions };
        let ControlFlow::Continue(()) = expr.visit(&mut search) else { return search.places };
        search.places
    }

    /// The only call of a function, with `args` arguments if that is known.
    pub fn call(&self, name: &str, args: Option<usize>) -> Option<&Call> {
        only(self.calls.iter().filter(|call| call.name == name && args.is_none_or(|args| args == call.args)))
    }

    /// The innermost aggregate around a place.
    pub fn aggregate_around(&self, place: Span) -> Option<&Call> {
        let around =
            |call: &&Call| call.is_aggregate && call.span.start <= place.start && place.end <= call.span.end;
        self.calls.iter().filter(around).max_by_key(|call| call.span.start)
    }

    /// The operator between two places.
    pub fn binary(&self, left: Option<Span>, right: Option<Span>) -> Option<&Binary> {
        let is = |known: Option<Span>, found: Option<Span>| known.is_some() && known == found;
        only(self.binaries.iter().filter(|binary| is(left, binary.left) || is(right, binary.right)))
    }

    /// A path of at least `parts` parts, if there is one only.
    pub fn path(&self, parts: usize) -> Option<Span> {
        only(self.paths.iter().filter(|(count, _)| *count >= parts)).map(|(_, span)| *span)
    }
}

/// The item of an iterator that has one.
pub fn only<T>(mut items: impl Iterator<Item = T>) -> Option<T> {
    items.next().filter(|_| items.next().is_none())
}

fn first_select(body: &SetExpr) -> Option<&Select> {
    match body {
        SetExpr::Select(select) => Some(select),
        SetExpr::Query(query) => first_select(&query.body),
        _ => None,
    }
}

struct Search<'a> {
    places: Places,
    source: &'a SourceText,
    functions: Functions<'a>,
}

impl Visitor for Search<'_> {
    type Break = ();

    fn pre_visit_query(&mut self, query: &Query) -> ControlFlow<()> {
        let limit = match &query.limit_clause {
            Some(LimitClause::LimitOffset { limit, offset, .. }) => {
                limit.as_ref().or(offset.as_ref().map(|offset| &offset.value))
            }
            Some(LimitClause::OffsetCommaLimit { limit, .. }) => Some(limit),
            None => None,
        };
        let order = query.order_by.as_ref().and_then(|order| match &order.kind {
            OrderByKind::Expressions(keys) => keys.first().map(|key| &key.expr),
            OrderByKind::All(_) => None,
        });
        let (limit, order) = (limit.and_then(|e| self.place(e)), order.and_then(|e| self.place(e)));
        let clauses = &mut self.places.clauses;
        clauses.limit = clauses.limit.or(limit);
        clauses.order_by = clauses.order_by.or(order);
        self.set_operations(&query.body);
        ControlFlow::Continue(())
    }

    fn pre_visit_select(&mut self, select: &Select) -> ControlFlow<()> {
        let keyword = span::of(select.select_token.0.span);
        let clauses = &mut self.places.clauses;
        if select.distinct.is_some() {
            clauses.distinct = clauses.distinct.or(keyword);
        }
        clauses.group_by |= select.group_by != sqlparser::ast::GroupByExpr::Expressions(vec![], vec![]);
        if let Some(condition) = &select.selection {
            self.condition(condition);
            let mut inside = Search { places: Places::default(), ..*self };
            condition.visit(&mut inside)?;
            let calls = inside.places.calls.into_iter();
            let aggregates = calls.filter(|call| call.is_aggregate).map(|call| call.span);
            self.places.aggregates_in_where.extend(aggregates);
        }
        [&select.having, &select.qualify].into_iter().flatten().for_each(|having| self.condition(having));
        select.from.iter().for_each(|table| self.joins(table));
        ControlFlow::Continue(())
    }

    fn pre_visit_table_factor(&mut self, table: &TableFactor) -> ControlFlow<()> {
        if let TableFactor::NestedJoin { table_with_joins, .. } = table {
            self.joins(table_with_joins);
        }
        ControlFlow::Continue(())
    }

    fn pre_visit_expr(&mut self, expr: &Expr) -> ControlFlow<()> {
        match expr {
            Expr::Function(function) => self.function(&function.name, arguments(&function.args)),
            Expr::Floor { expr, .. } => self.rounding("floor", expr),
            Expr::Ceil { expr, .. } => self.rounding("ceil", expr),
            Expr::Cast { data_type, .. } => self.cast(data_type),
            Expr::BinaryOp { left, op, right } => self.binary(left, op, right),
            Expr::CompoundIdentifier(parts) => {
                self.places.paths.extend(self.place(expr).map(|place| (parts.len(), place)));
            }
            Expr::Value(ValueWithSpan { value: Value::SingleQuotedString(text), .. }) => {
                self.places.texts.extend(self.place(expr).map(|place| (text.clone(), place)));
            }
            Expr::InSubquery { .. } => self.places.clauses.in_subquery = true,
            Expr::Exists { .. } => self.places.clauses.exists = true,
            _ => {}
        }
        ControlFlow::Continue(())
    }
}

fn arguments(args: &sqlparser::ast::FunctionArguments) -> usize {
    match args {
        sqlparser::ast::FunctionArguments::List(list) => list.args.len(),
        _ => 0,
    }
}

impl Search<'_> {
    fn place(&self, node: &impl Spanned) -> Option<Span> {
        span::of(node.span()).map(|place| span::closed(self.source, place))
    }

    fn function(&mut self, name: &ObjectName, args: usize) {
        let Some(place) = span::of(name.span()) else { return };
        let written = name.to_string();
        let Some((known, is_aggregate)) = (self.functions)(&written.to_lowercase()) else { return };
        // What the rewrite made: `FLOOR(x TO unit)`.
        let written = written.trim_start_matches("__").trim_end_matches("_to").to_uppercase();
        let span = span::call(self.source, place);
        self.places.calls.push(Call { name: known, written, args, is_aggregate, span });
    }

    fn rounding(&mut self, name: &str, expr: &Expr) {
        let Some(span) = self.place(expr) else { return };
        let written = name.to_uppercase();
        self.places.calls.push(Call { name: name.into(), written, args: 1, is_aggregate: false, span });
    }

    fn cast(&mut self, ty: &DataType) {
        if let DataType::Custom(name, _) = ty
            && let Some(place) = span::of(name.span())
        {
            self.places.cast_types.push((ty.to_string(), place));
        }
    }

    fn binary(&mut self, left: &Expr, op: &BinaryOperator, right: &Expr) {
        let (left, right) = (self.place(left), self.place(right));
        let whole = match (left, right) {
            (Some(left), Some(right)) => left.union(right),
            (Some(one), None) | (None, Some(one)) => one,
            (None, None) => return,
        };
        self.places.binaries.push(Binary { operator: op.to_string(), left, right, whole });
    }

    fn condition(&mut self, expr: &Expr) {
        let doubtful = matches!(
            expr,
            Expr::Identifier(_)
                | Expr::CompoundIdentifier(_)
                | Expr::Function(_)
                | Expr::Value(_)
                | Expr::Cast { .. }
                | Expr::Case { .. }
                | Expr::Nested(_)
        );
        if doubtful {
            self.places.doubtful_conditions.extend(self.place(expr));
        }
    }

    fn joins(&mut self, table: &TableWithJoins) {
        for join in &table.joins {
            if let JoinOperator::Join(JoinConstraint::On(on))
            | JoinOperator::Inner(JoinConstraint::On(on))
            | JoinOperator::Left(JoinConstraint::On(on))
            | JoinOperator::LeftOuter(JoinConstraint::On(on)) = &join.join_operator
            {
                self.condition(on);
            }
        }
    }

    fn set_operations(&mut self, body: &SetExpr) {
        let SetExpr::SetOperation { op, set_quantifier, left, right } = body else { return };
        let clauses = &mut self.places.clauses;
        match op {
            SetOperator::Union => clauses.union |= *set_quantifier != SetQuantifier::All,
            SetOperator::Intersect => clauses.intersect = true,
            SetOperator::Except | SetOperator::Minus => clauses.except = true,
        }
        self.set_operations(left);
        self.set_operations(right);
    }

    fn items(&self, select: &Select) -> Vec<Option<Span>> {
        let plain = select.projection.iter().map_while(|item| match item {
            SelectItem::UnnamedExpr(expr) | SelectItem::ExprWithAlias { expr, .. } => Some(self.place(expr)),
            _ => None,
        });
        plain.collect()
    }
}
