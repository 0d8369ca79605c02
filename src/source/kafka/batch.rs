#![expect(
    unsafe_code,
    reason = "rdkafka has no safe way to consume in batches, which costs a third per message"
)]
//! Turns what librdkafka has fetched into a [`Batch`] of borrowed messages, without a copy.
//!
//! An [`Inbox`] is a queue of its own into which the queues of the assigned partitions are forwarded. A
//! partition is forwarded *before* it is assigned: an application's forwarding survives the assignment,
//! so that no message can slip into the consumer's own queue, where it would be lost.
//!
//! Messages live in librdkafka's memory until the batch is dropped, and a batch borrows its inbox mutably:
//! there is one at a time, and no message outlives the client.

use std::ffi::{CStr, CString};
use std::ptr;
use std::time::Duration;

use rdkafka::bindings as native;
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::error::{IsError, RDKafkaErrorCode};

use super::client::Faults;

/// Messages taken in one batch; at the usual sizes a few megabytes, enough to make the calls' cost vanish.
const BATCH_MAX: usize = 10_000;
const NO_INDEX: u32 = u32::MAX;

/// One consumer with a queue of its own.
pub struct Inbox {
    /// Owned; destroyed in `drop`, before the consumer it belongs to.
    queue: *mut native::rd_kafka_queue_t,
    /// Handles held so that a message's topic can be told by its address, which is stable while we hold it.
    topics: Vec<TopicHandle>,
    /// The messages of the current batch; empty between batches. Never longer than its first capacity.
    buffer: Vec<*mut native::rd_kafka_message_t>,
    consumer: BaseConsumer<Faults>,
}

struct TopicHandle {
    topic: *mut native::rd_kafka_topic_t,
    /// Index by partition; `NO_INDEX` where it is not ours.
    indexes: Vec<u32>,
}

// SAFETY: librdkafka's clients, queues, topics and messages may be used from any thread; nothing here is
// tied to the thread that made it, and all use goes through `&mut self` or the consumer, which is `Sync`.
unsafe impl Send for Inbox {}

impl Inbox {
    pub fn new(consumer: BaseConsumer<Faults>) -> Self {
        // SAFETY: the client is alive, and `consumer` keeps it alive for as long as the queue.
        let queue = unsafe { native::rd_kafka_queue_new(consumer.client().native_ptr()) };
        Inbox { queue, topics: Vec::new(), buffer: Vec::with_capacity(BATCH_MAX), consumer }
    }

    pub fn consumer(&self) -> &BaseConsumer<Faults> {
        &self.consumer
    }

    /// Sends a partition's messages here, to be called `index`. Before the partition is assigned.
    ///
    /// False when librdkafka does not accept the topic's name.
    pub fn forward(&mut self, topic: &str, partition: i32, index: u32) -> bool {
        let (Ok(name), Ok(slot)) = (CString::new(topic), usize::try_from(partition)) else { return false };
        let client = self.consumer.client().native_ptr();
        // SAFETY: client and name are valid for the call; librdkafka returns a counted handle or null.
        let handle = unsafe { native::rd_kafka_topic_new(client, name.as_ptr(), ptr::null_mut()) };
        if handle.is_null() {
            return false;
        }
        let at = self.topics.iter().position(|known| known.topic == handle).unwrap_or(self.topics.len());
        match self.topics.get(at) {
            // SAFETY: a second reference to a topic we hold already, given back once.
            Some(_) => unsafe { native::rd_kafka_topic_destroy(handle) },
            None => self.topics.push(TopicHandle { topic: handle, indexes: Vec::new() }),
        }
        // SAFETY: client and name are valid; both queues are alive, and forwarding counts its own reference.
        unsafe {
            let source = native::rd_kafka_queue_get_partition(client, name.as_ptr(), partition);
            if source.is_null() {
                return false;
            }
            native::rd_kafka_queue_forward(source, self.queue);
            native::rd_kafka_queue_destroy(source);
        }
        let indexes = &mut self.topics[at].indexes;
        if indexes.len() <= slot {
            indexes.resize(slot + 1, NO_INDEX);
        }
        indexes[slot] = index;
        true
    }

    /// Waits for a first message, `wait` at most, and takes those that are there.
    ///
    /// Two calls, because librdkafka's batch call waits until it is full or out of time: asked for one
    /// message it sleeps without cost and returns at once when it comes; asked with no time it takes what
    /// is there.
    pub fn fill(&mut self, wait: Duration) {
        self.clear();
        let wait_ms = i32::try_from(wait.as_millis()).unwrap_or(i32::MAX);
        if self.take(wait_ms, 1) == 1 {
            self.take(0, BATCH_MAX - 1);
        }
    }

    fn take(&mut self, wait_ms: i32, rows_max: usize) -> usize {
        let have = self.buffer.len();
        let room = rows_max.min(self.buffer.capacity() - have);
        // SAFETY: the queue is alive; `room` places after the first `have` are allocated, and librdkafka
        // writes at most `room` owned messages there and returns how many, or -1.
        unsafe {
            let end = self.buffer.as_mut_ptr().add(have);
            let taken = native::rd_kafka_consume_batch_queue(self.queue, wait_ms, end, room).max(0) as usize;
            self.buffer.set_len(have + taken);
            taken
        }
    }

    fn clear(&mut self) {
        for message in self.buffer.drain(..) {
            // SAFETY: each pointer came from `take` and leaves the buffer here, so it is destroyed once.
            unsafe { native::rd_kafka_message_destroy(message) }
        }
    }

    fn index_of(&self, topic: *mut native::rd_kafka_topic_t, partition: i32) -> Option<usize> {
        let known = self.topics.iter().find(|known| known.topic == topic)?;
        let index = *known.indexes.get(usize::try_from(partition).ok()?)?;
        (index != NO_INDEX).then_some(index as usize)
    }
}

impl Drop for Inbox {
    fn drop(&mut self) {
        self.clear();
        // SAFETY: each is ours and given back once, before `consumer` is dropped.
        unsafe {
            for known in &self.topics {
                native::rd_kafka_topic_destroy(known.topic);
            }
            native::rd_kafka_queue_destroy(self.queue);
        }
    }
}

/// What one poll brought. Partitions are the indexes that `Reader::add` returned.
#[derive(Debug)]
pub enum Event<'b> {
    Message(Message<'b>),
    /// Everything below `offset` has been read, and the broker has no more for now.
    End {
        partition: usize,
        offset: i64,
    },
    /// The partition cannot be read: its offset, its topic or the right to read it is gone. Whoever reads on
    /// may skip records, or get those of another topic with the same name.
    Lost {
        partition: usize,
        reason: String,
    },
    /// Something that librdkafka gets over by itself; repeated while it lasts.
    Trouble(String),
}

/// The events of one poll, in the order of each partition. Its messages are freed when it is dropped.
pub struct Batch<'a> {
    inbox: &'a mut Inbox,
    notices: Vec<Notice>,
}

/// An event that did not come with the messages.
pub enum Notice {
    Lost { partition: usize, reason: String },
    Trouble(String),
}

impl<'a> Batch<'a> {
    pub(super) fn new(inbox: &'a mut Inbox, notices: Vec<Notice>) -> Self {
        Batch { inbox, notices }
    }

    /// The number of events.
    pub fn len(&self) -> usize {
        self.inbox.buffer.len() + self.notices.len()
    }

    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    pub fn iter(&self) -> impl Iterator<Item = Event<'_>> {
        let notices = self.notices.iter().map(|notice| match notice {
            Notice::Lost { partition, reason } => {
                Event::Lost { partition: *partition, reason: reason.clone() }
            }
            Notice::Trouble(text) => Event::Trouble(text.clone()),
        });
        let mut last = (ptr::null_mut(), -1, 0);
        notices.chain(self.inbox.buffer.iter().map(move |message| {
            // SAFETY: the buffer owns the message until the batch, which `self` borrows, is dropped.
            let message = unsafe { &**message };
            if message.err.is_error() {
                return self.failure(message);
            }
            if (message.rkt, message.partition) != (last.0, last.1) {
                let index = self.inbox.index_of(message.rkt, message.partition);
                assert!(index.is_some(), "a message of a partition that was never added");
                last = (message.rkt, message.partition, index.unwrap_or_default());
            }
            Event::Message(Message { native: message, partition: last.2 })
        }))
    }

    fn failure<'b>(&'b self, message: &'b native::rd_kafka_message_t) -> Event<'b> {
        use RDKafkaErrorCode as Code;
        let index = self.inbox.index_of(message.rkt, message.partition);
        let code = Code::from(message.err);
        match (index, code) {
            (Some(partition), Code::PartitionEOF) => Event::End { partition, offset: message.offset },
            (
                Some(partition),
                Code::AutoOffsetReset
                | Code::OffsetOutOfRange
                | Code::UnknownTopicOrPartition
                | Code::UnknownTopic
                | Code::UnknownPartition
                | Code::UnknownTopicId
                | Code::TopicAuthorizationFailed
                | Code::LogTruncation,
            ) => Event::Lost { partition, reason: reason_of(message) },
            _ => Event::Trouble(reason_of(message)),
        }
    }
}

/// The text of an error message; `err` of `message` must be set.
fn reason_of(message: &native::rd_kafka_message_t) -> String {
    // SAFETY: the message is alive; librdkafka returns a string that lives as long, or null.
    let text = unsafe {
        let text = native::rd_kafka_message_errstr(message);
        (!text.is_null()).then(|| CStr::from_ptr(text).to_string_lossy().into_owned())
    };
    text.unwrap_or_else(|| RDKafkaErrorCode::from(message.err).to_string())
}

/// A record as fetched; borrowed from its [`Batch`].
pub struct Message<'b> {
    native: &'b native::rd_kafka_message_t,
    partition: usize,
}

impl<'b> Message<'b> {
    /// The index that `Reader::add` returned.
    pub fn partition(&self) -> usize {
        self.partition
    }

    pub fn offset(&self) -> i64 {
        self.native.offset
    }

    /// The producer's or the broker's time, as the topic is set; none in records of very old producers.
    pub fn timestamp_ms(&self) -> Option<i64> {
        let mut kind = native::rd_kafka_timestamp_type_t::RD_KAFKA_TIMESTAMP_NOT_AVAILABLE;
        // SAFETY: the message is alive and `kind` is a place to write to.
        let at = unsafe { native::rd_kafka_message_timestamp(self.native, &mut kind) };
        let known = kind != native::rd_kafka_timestamp_type_t::RD_KAFKA_TIMESTAMP_NOT_AVAILABLE;
        (known && at >= 0).then_some(at)
    }

    /// The value; none is a tombstone, which is not the same as empty.
    pub fn payload(&self) -> Option<&'b [u8]> {
        bytes(self.native, self.native.payload, self.native.len)
    }

    pub fn key(&self) -> Option<&'b [u8]> {
        bytes(self.native, self.native.key, self.native.key_len)
    }

    /// Names and values in the order they were written. Costs about 120 ns each: read only when asked for.
    pub fn headers(&self) -> Vec<(String, Option<Vec<u8>>)> {
        let mut headers = ptr::null_mut();
        let mut all = Vec::new();
        // SAFETY: the message is alive; librdkafka parses its headers and keeps them with the message. Each
        // `get_all` that succeeds has set a name and, unless null, a value of `size` bytes, which are copied.
        unsafe {
            if native::rd_kafka_message_headers(self.native, &mut headers).is_error() {
                return all;
            }
            let (mut name, mut value, mut size) = (ptr::null(), ptr::null(), 0);
            while !native::rd_kafka_header_get_all(headers, all.len(), &mut name, &mut value, &mut size)
                .is_error()
            {
                let text = CStr::from_ptr(name).to_string_lossy().into_owned();
                let copy = || std::slice::from_raw_parts(value.cast::<u8>(), size).to_vec();
                all.push((text, (!value.is_null()).then(copy)));
            }
        }
        all
    }
}

impl std::fmt::Debug for Message<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(
            f,
            "Message(partition {}, offset {}, {} bytes)",
            self.partition, self.native.offset, self.native.len
        )
    }
}

/// A field of `owner`, for as long as it is borrowed.
fn bytes(_owner: &native::rd_kafka_message_t, start: *mut std::ffi::c_void, len: usize) -> Option<&[u8]> {
    // SAFETY: librdkafka's messages hold `len` bytes at a pointer that is not null, until they are destroyed.
    (!start.is_null()).then(|| unsafe { std::slice::from_raw_parts(start.cast::<u8>(), len) })
}
