//! Flink's type names inside expressions (`CAST(x AS TIMESTAMP_LTZ(3))`), for DataFusion's planner.

use std::sync::Arc;

use arrow::datatypes::{Field, FieldRef};
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
