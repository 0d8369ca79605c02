//! Late rows and bad records on their way to the topics that keep them: as they came, with headers that say
//! why.

use std::sync::Arc;

use crate::error::{Error, Result};
use crate::format::BadRecord;
use crate::job::intake::PartitionName;
use crate::sink::{RouteId, RoutedRecord};
use crate::source::Record;

/// What becomes of a table's bad records and late rows.
#[derive(Debug, Clone)]
pub struct Router {
    pub table: Arc<str>,
    /// Stop at the first bad record.
    pub fail: bool,
    pub bad_topic: Option<Arc<str>>,
    pub late_topic: Option<Arc<str>>,
}

impl Router {
    /// The record as it goes to the topic of bad records, if there is one.
    pub fn bad(
        &self,
        record: &Record<'_>,
        from: &PartitionName,
        bad: &BadRecord,
    ) -> Result<Option<RoutedRecord>> {
        if self.fail {
            let place = format!("{} partition {} offset {}", from.topic, from.number, record.offset());
            return Err(Error::external(format!("a record of `{}` cannot be decoded", self.table))
                .note(format!("{place}: {}", bad.describe()))
                .fix("mend the producer, or count and keep such records: 'bad-records.topic' = '…'"));
        }
        let Some(topic) = &self.bad_topic else { return Ok(None) };
        Ok(Some(self.routed(
            record,
            from,
            topic,
            &[("reason", bad.reason.as_str()), ("detail", &bad.describe())],
        )))
    }

    /// The record as it goes to the topic of late rows, if there is one.
    pub fn late(&self, record: &Record<'_>, from: &PartitionName) -> Option<RoutedRecord> {
        let topic = self.late_topic.as_ref()?;
        Some(self.routed(record, from, topic, &[("reason", "late")]))
    }

    fn routed(
        &self,
        record: &Record<'_>,
        from: &PartitionName,
        topic: &Arc<str>,
        reasons: &[(&str, &str)],
    ) -> RoutedRecord {
        let mut headers = record.headers();
        let mut add = |name: &str, value: String| {
            headers.push((format!("windrow.{name}"), Some(value.into_bytes())));
        };
        add("topic", from.topic.to_string());
        add("partition", from.number.to_string());
        add("offset", record.offset().to_string());
        if let Some(timestamp_ms) = record.timestamp_ms() {
            add("timestamp", timestamp_ms.to_string());
        }
        for (name, value) in reasons {
            add(name, (*value).to_string());
        }
        RoutedRecord {
            route: RouteId { table: Arc::clone(&self.table), topic: Arc::clone(topic) },
            key: record.key().map(<[u8]>::to_vec),
            value: record.payload().map(<[u8]>::to_vec),
            headers,
            timestamp_ms: record.timestamp_ms(),
        }
    }
}
