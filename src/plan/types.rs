//! Types under SQL's names: those inside expressions (`CAST(x AS TIMESTAMP_LTZ(3))`) for DataFusion's
//! planner, and those of expressions for messages.

use std::sync::Arc;

use arrow::datatypes::{DataType, Field, FieldRef};
use datafusion::common::Result;
use datafusion::logical_expr::planner::TypePlanner;

use crate::sql::types::SqlType;

/// Knows the types a CREATE TABLE knows; leaves all others to DataFusion.
#[derive(Debug)]
pub struct FlinkTypes;

impl TypePlanner for FlinkTypes {
    fn plan_type_field(&self, ty: &sqlparser::ast::DataType) -> Result<Option<FieldRef>> {
        Ok(SqlType::from_ast(ty).map(|ty| Arc::new(Field::new("", ty.arrow(), true))))
    }
}

/// A type for a message. The digits of a second are left out: an expression's are not declared.
pub fn type_name(ty: &DataType) -> String {
    match ty {
        DataType::Interval(_) | DataType::Duration(_) => "INTERVAL".into(),
        DataType::Null => "NULL".into(),
        ty => SqlType::from_arrow(ty).to_string().replace("(9)", ""),
    }
}
