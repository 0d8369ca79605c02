//! The growing columns of one schema as a tree: rows, lists and maps around scalar columns.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, ListArray, MapArray, StructArray};
use arrow::buffer::OffsetBuffer;
use arrow::datatypes::{DataType, FieldRef, Fields};

use super::keys::Keys;
use crate::error::{Error, Result};
use crate::format::TimestampFormat;
use crate::format::column::{Column, Nulls, unsound};
use crate::sql::types::SqlType;

/// A growing column of any type.
#[derive(Debug)]
pub(super) enum Node {
    Leaf(Column),
    Row(Box<Row>),
    List(Box<List>),
    Map(Box<Map>),
}

/// Objects with known fields.
#[derive(Debug)]
pub(super) struct Row {
    pub(super) columns: Vec<Node>,
    pub(super) keys: Keys,
    /// Whole rows; while one is being read, a column with more rows than this has been read.
    pub(super) rows: usize,
    nulls: Nulls,
    fields: Fields,
}

#[derive(Debug)]
pub(super) struct List {
    pub(super) items: Node,
    pub(super) lists: Ends,
    field: FieldRef,
}

/// Objects whose keys are data.
#[derive(Debug)]
pub(super) struct Map {
    pub(super) keys: Column,
    pub(super) values: Node,
    pub(super) maps: Ends,
    entries: FieldRef,
    fields: Fields,
}

/// Where each list or map ends among its items.
#[derive(Debug)]
pub(super) struct Ends {
    ends: Vec<i32>,
    nulls: Nulls,
}

impl Ends {
    fn new() -> Self {
        Ends { ends: vec![0], nulls: Nulls::default() }
    }

    fn rows(&self) -> usize {
        self.ends.len() - 1
    }

    /// Items of all rows so far.
    pub(super) fn items(&self) -> usize {
        self.ends.last().map_or(0, |end| *end as usize)
    }

    /// Ends a row after `items` items in all; they are never more than the bytes that were read.
    pub(super) fn push(&mut self, items: usize) {
        self.ends.push(items as i32);
    }

    fn push_null(&mut self) {
        self.nulls.push(self.rows());
        self.push(self.items());
    }

    fn truncate(&mut self, rows: usize) {
        self.ends.truncate(rows + 1);
        self.nulls.truncate(rows);
    }

    fn take(&mut self) -> (OffsetBuffer<i32>, Option<arrow::buffer::NullBuffer>) {
        let rows = self.rows();
        let mut ends = Vec::with_capacity(rows + 1);
        ends.push(0);
        let ends = std::mem::replace(&mut self.ends, ends);
        (OffsetBuffer::new(ends.into()), self.nulls.take(rows))
    }
}

impl Node {
    pub(super) fn new(ty: &SqlType, format: TimestampFormat) -> Result<Node> {
        if let Some(column) = Column::new(ty, format) {
            return Ok(Node::Leaf(column));
        }
        let mismatch = || Error::internal(format!("no Arrow type for `{ty}`"));
        Ok(match (ty, ty.arrow()) {
            (SqlType::Row(fields), DataType::Struct(arrow)) => Node::Row(Box::new(Row::new(
                fields.iter().map(|(name, ty)| (name.as_str(), ty)),
                arrow,
                format,
            )?)),
            (SqlType::Array(item), DataType::List(field)) => {
                Node::List(Box::new(List { items: Node::new(item, format)?, lists: Ends::new(), field }))
            }
            (SqlType::Map(key, value), DataType::Map(entries, _)) => {
                let DataType::Struct(fields) = entries.data_type().clone() else { return Err(mismatch()) };
                let keys = Column::new(key, format)
                    .ok_or_else(|| Error::user(format!("a map's key cannot be of type `{key}`")))?;
                Node::Map(Box::new(Map {
                    keys,
                    values: Node::new(value, format)?,
                    maps: Ends::new(),
                    entries,
                    fields,
                }))
            }
            _ => return Err(mismatch()),
        })
    }

    #[inline(always)]
    pub(super) fn rows(&self) -> usize {
        match self {
            Node::Leaf(column) => column.rows(),
            Node::Row(row) => row.rows,
            Node::List(list) => list.lists.rows(),
            Node::Map(map) => map.maps.rows(),
        }
    }

    pub(super) fn bytes(&self) -> usize {
        match self {
            Node::Leaf(column) => column.bytes(),
            Node::Row(row) => row.bytes(),
            Node::List(list) => list.lists.rows() * 4 + list.items.bytes(),
            Node::Map(map) => map.maps.rows() * 4 + map.keys.bytes() + map.values.bytes(),
        }
    }

    pub(super) fn push_null(&mut self) {
        match self {
            Node::Leaf(column) => column.push_null(),
            Node::Row(row) => {
                row.columns.iter_mut().for_each(Node::push_null);
                row.nulls.push(row.rows);
                row.rows += 1;
            }
            Node::List(list) => list.lists.push_null(),
            Node::Map(map) => map.maps.push_null(),
        }
    }

    /// Whether `row`, the last one, is NULL.
    pub(super) fn ends_in_null(&self, row: usize) -> bool {
        match self {
            Node::Leaf(column) => column.ends_in_null(row),
            Node::Row(inner) => inner.nulls.ends_at(row),
            Node::List(list) => list.lists.nulls.ends_at(row),
            Node::Map(map) => map.maps.nulls.ends_at(row),
        }
    }

    /// Also takes back what a row that was not finished has left below.
    pub(super) fn truncate(&mut self, rows: usize) {
        match self {
            Node::Leaf(column) => column.truncate(rows),
            Node::Row(row) => row.truncate(rows),
            Node::List(list) => {
                list.lists.truncate(rows);
                list.items.truncate(list.lists.items());
            }
            Node::Map(map) => {
                map.maps.truncate(rows);
                map.keys.truncate(map.maps.items());
                map.values.truncate(map.maps.items());
            }
        }
    }

    /// Keeps or forgets the keys learnt since the last call.
    pub(super) fn settle_keys(&mut self, accepted: bool) {
        match self {
            Node::Leaf(_) => {}
            Node::Row(row) => row.settle_keys(accepted),
            Node::List(list) => list.items.settle_keys(accepted),
            Node::Map(map) => map.values.settle_keys(accepted),
        }
    }

    pub(super) fn take(&mut self) -> Result<ArrayRef> {
        match self {
            Node::Leaf(column) => column.take(),
            Node::Row(row) => {
                let rows = std::mem::take(&mut row.rows);
                let nulls = row.nulls.take(rows);
                let columns = row.take_columns()?;
                let array = StructArray::try_new_with_length(row.fields.clone(), columns, nulls, rows);
                Ok(Arc::new(array.map_err(unsound)?))
            }
            Node::List(list) => {
                let (ends, nulls) = list.lists.take();
                let items = list.items.take()?;
                Ok(Arc::new(
                    ListArray::try_new(Arc::clone(&list.field), ends, items, nulls).map_err(unsound)?,
                ))
            }
            Node::Map(map) => {
                let (ends, nulls) = map.maps.take();
                let (keys, values) = (map.keys.take()?, map.values.take()?);
                let rows = keys.len();
                let entries =
                    StructArray::try_new_with_length(map.fields.clone(), vec![keys, values], None, rows)
                        .map_err(unsound)?;
                let array = MapArray::try_new(Arc::clone(&map.entries), ends, entries, nulls, false);
                Ok(Arc::new(array.map_err(unsound)?))
            }
        }
    }
}

impl Row {
    pub(super) fn new<'a>(
        columns: impl Iterator<Item = (&'a str, &'a SqlType)> + Clone,
        fields: Fields,
        format: TimestampFormat,
    ) -> Result<Row> {
        Ok(Row {
            keys: Keys::new(columns.clone().map(|(name, _)| name)),
            columns: columns.map(|(_, ty)| Node::new(ty, format)).collect::<Result<_>>()?,
            rows: 0,
            nulls: Nulls::default(),
            fields,
        })
    }

    pub(super) fn bytes(&self) -> usize {
        self.columns.iter().map(Node::bytes).sum()
    }

    pub(super) fn truncate(&mut self, rows: usize) {
        self.rows = self.rows.min(rows);
        self.nulls.truncate(rows);
        self.columns.iter_mut().for_each(|column| column.truncate(rows));
    }

    pub(super) fn settle_keys(&mut self, accepted: bool) {
        if accepted {
            self.keys.accept()
        } else {
            self.keys.reject()
        }
        self.columns.iter_mut().for_each(|column| column.settle_keys(accepted));
    }

    pub(super) fn take_columns(&mut self) -> Result<Vec<ArrayRef>> {
        self.rows = 0;
        self.columns.iter_mut().map(Node::take).collect()
    }
}
