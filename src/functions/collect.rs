//! `COLLECT(x)`: the values of a group as a multiset, a map of each value to how often it is there.
//!
//! NULLs are left out; of nothing else, the multiset is empty and not NULL. Its state is the multiset itself.

use std::collections::HashMap;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, Int32Array, MapArray, StructArray};
use arrow::buffer::OffsetBuffer;
use arrow::datatypes::{DataType, Field, FieldRef, Fields, Int32Type};
use datafusion::common::{Result, ScalarValue, exec_datafusion_err};
use datafusion::logical_expr::function::{AccumulatorArgs, StateFieldsArgs};
use datafusion::logical_expr::{Accumulator, AggregateUDF, AggregateUDFImpl, Signature, Volatility};

pub(super) fn collect() -> Arc<AggregateUDF> {
    Arc::new(AggregateUDF::from(Collect { signature: Signature::any(1, Volatility::Immutable) }))
}

fn entries_of(element: &DataType) -> Fields {
    let key = Field::new("key", element.clone(), false);
    Fields::from(vec![key, Field::new("value", DataType::Int32, true)])
}

fn multiset_of(element: &DataType) -> DataType {
    DataType::Map(entry_of(element), false)
}

fn entry_of(element: &DataType) -> FieldRef {
    Arc::new(Field::new("entries", DataType::Struct(entries_of(element)), false))
}

#[derive(Debug, PartialEq, Eq, Hash)]
struct Collect {
    signature: Signature,
}

impl AggregateUDFImpl for Collect {
    fn name(&self) -> &str {
        "collect"
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, arg_types: &[DataType]) -> Result<DataType> {
        Ok(multiset_of(&arg_types[0]))
    }

    fn state_fields(&self, args: StateFieldsArgs) -> Result<Vec<FieldRef>> {
        let element = args.input_fields[0].data_type();
        Ok(vec![Arc::new(Field::new(format!("{}[multiset]", args.name), multiset_of(element), true))])
    }

    fn accumulator(&self, args: AccumulatorArgs) -> Result<Box<dyn Accumulator>> {
        let element = args.expr_fields[0].data_type().clone();
        Ok(Box::new(Multiset { element, is_distinct: args.is_distinct, counts: HashMap::new(), bytes: 0 }))
    }
}

#[derive(Debug)]
struct Multiset {
    element: DataType,
    is_distinct: bool,
    counts: HashMap<ScalarValue, i32>,
    /// Of the elements.
    bytes: usize,
}

impl Multiset {
    fn add(&mut self, elements: &ArrayRef, at: usize, count: i32) -> Result<()> {
        if elements.is_null(at) {
            return Ok(());
        }
        let element = ScalarValue::try_from_array(elements, at)?.compacted();
        let size = element.size();
        let bytes = &mut self.bytes;
        let total = self.counts.entry(element).or_insert_with(|| {
            *bytes += size;
            0
        });
        let counted = if self.is_distinct { Some(1) } else { total.checked_add(count) };
        *total =
            counted.ok_or_else(|| exec_datafusion_err!("COLLECT: a value is there too often for an INT"))?;
        Ok(())
    }

    fn map(&self) -> Result<ScalarValue> {
        let mut counts: Vec<(&ScalarValue, i32)> = self.counts.iter().map(|(key, n)| (key, *n)).collect();
        // A multiset has no order; its text should not change from run to run.
        counts.sort_by(|(a, _), (b, _)| a.partial_cmp(b).unwrap_or(std::cmp::Ordering::Equal));
        let keys = match counts.is_empty() {
            true => arrow::array::new_empty_array(&self.element),
            false => ScalarValue::iter_to_array(counts.iter().map(|(key, _)| (*key).clone()))?,
        };
        let values: Int32Array = counts.iter().map(|(_, count)| Some(*count)).collect();
        let offsets = OffsetBuffer::from_lengths([counts.len()]);
        let entries = StructArray::try_new(entries_of(&self.element), vec![keys, Arc::new(values)], None)?;
        let map = MapArray::try_new(entry_of(&self.element), offsets, entries, None, false)?;
        Ok(ScalarValue::Map(Arc::new(map)))
    }
}

impl Accumulator for Multiset {
    fn update_batch(&mut self, values: &[ArrayRef]) -> Result<()> {
        (0..values[0].len()).try_for_each(|at| self.add(&values[0], at, 1))
    }

    fn merge_batch(&mut self, states: &[ArrayRef]) -> Result<()> {
        for multiset in states[0].as_map().iter().flatten() {
            let counts = multiset.column(1).as_primitive::<Int32Type>();
            for at in 0..multiset.len() {
                self.add(multiset.column(0), at, counts.value(at))?;
            }
        }
        Ok(())
    }

    fn state(&mut self) -> Result<Vec<ScalarValue>> {
        Ok(vec![self.map()?])
    }

    fn evaluate(&mut self) -> Result<ScalarValue> {
        self.map()
    }

    fn size(&self) -> usize {
        let slots = self.counts.capacity() * size_of::<(ScalarValue, i32)>();
        size_of_val(self) + slots + self.bytes
    }
}

#[cfg(test)]
mod tests {
    use crate::functions::tests::Session;

    #[test]
    fn a_multiset_counts_what_is_not_null() {
        let session = Session::new();
        let rows = "FROM (VALUES ('b', 1), ('a', 2), (NULL, 3), ('b', NULL)) AS t(s, n)";
        let row = session.row(&format!("SELECT COLLECT(s), COLLECT(DISTINCT s), COLLECT(n) {rows}")).unwrap();
        assert_eq!(row, ["{a: 1, b: 2}", "{a: 1, b: 1}", "{1: 1, 2: 1, 3: 1}"]);
        let row = session.row(&format!("SELECT COLLECT(s) {rows} WHERE n = 3")).unwrap();
        assert_eq!(row, ["{}"]);
    }
}
