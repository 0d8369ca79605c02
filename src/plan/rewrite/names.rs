//! Gives select items the names Flink gives them: `EXPR$` and their position, from 0, if they have none, and
//! a number more if a name is there already.
//!
//! DataFusion names an item by its text without casts, so that `CAST(s AS INT), CAST(s AS DOUBLE)` would be
//! two columns of one name, which it refuses.

use std::collections::HashSet;

use sqlparser::ast::{AccessExpr, Expr, Ident, Query, Select, SelectItem, SetExpr, Spanned};

/// Names the items of the query's own selects; those of queries within are visited by themselves.
pub fn name_items(query: &mut Query) {
    in_body(&mut query.body);
}

fn in_body(body: &mut SetExpr) {
    match body {
        SetExpr::Select(select) => in_select(select),
        SetExpr::SetOperation { left, right, .. } => {
            in_body(left);
            in_body(right);
        }
        _ => {}
    }
}

fn in_select(select: &mut Select) {
    let mut taken: HashSet<String> = HashSet::new();
    for (position, item) in select.projection.iter_mut().enumerate() {
        let named = name_of(item);
        let name = match (&named, &*item) {
            (Some(name), _) => name.clone(),
            (None, SelectItem::UnnamedExpr(expr)) => {
                Ident { value: format!("EXPR${position}"), quote_style: Some('`'), span: expr.span() }
            }
            (None, _) => continue,
        };
        let free = std::iter::once(name.value.clone())
            .chain((0..).map(|attempt: usize| format!("{}{attempt}", name.value)))
            .find(|name| !taken.contains(name))
            .unwrap_or_default();
        taken.insert(free.clone());
        let SelectItem::UnnamedExpr(expr) = item else { continue };
        if !(matches!(expr, Expr::Identifier(_)) && free == name.value) {
            let alias = Ident { value: free, ..name };
            *item = SelectItem::ExprWithAlias { expr: expr.clone(), alias };
        }
    }
}

/// A column, or a field of one, goes by its own name.
fn name_of(item: &SelectItem) -> Option<Ident> {
    match item {
        SelectItem::ExprWithAlias { alias, .. } => Some(alias.clone()),
        SelectItem::UnnamedExpr(Expr::Identifier(name)) => Some(name.clone()),
        SelectItem::UnnamedExpr(Expr::CompoundIdentifier(names)) => names.last().cloned(),
        SelectItem::UnnamedExpr(Expr::CompoundFieldAccess { access_chain, .. }) => {
            match access_chain.last() {
                Some(AccessExpr::Dot(Expr::Identifier(name))) => Some(name.clone()),
                _ => None,
            }
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use sqlparser::ast::Statement;
    use sqlparser::parser::Parser;

    use super::*;
    use crate::sql::dialect::WindrowDialect;

    fn named(sql: &str) -> String {
        match Parser::parse_sql(&WindrowDialect, sql).unwrap().remove(0) {
            Statement::Query(mut query) => {
                name_items(&mut query);
                query.to_string()
            }
            other => panic!("{other}"),
        }
    }

    #[test]
    fn items_without_a_name_go_by_their_position() {
        assert_eq!(
            named("SELECT a, COUNT(*), b + 1 AS c FROM t"),
            "SELECT a, COUNT(*) AS `EXPR$1`, b + 1 AS c FROM t"
        );
        assert_eq!(
            named("SELECT 1 UNION ALL SELECT 2"),
            "SELECT 1 AS `EXPR$0` UNION ALL SELECT 2 AS `EXPR$0`"
        );
    }

    #[test]
    fn fields_go_by_their_own_name_and_the_second_of_a_name_by_a_number_more() {
        assert_eq!(named("SELECT r.f, g.h.i FROM t"), "SELECT r.f AS f, g.h.i AS i FROM t");
        assert_eq!(named("SELECT l.id, r.id FROM t"), "SELECT l.id AS id, r.id AS id0 FROM t");
        assert_eq!(named("SELECT EXPR$1, SUM(x) FROM t"), "SELECT EXPR$1, SUM(x) AS `EXPR$10` FROM t");
    }
}
