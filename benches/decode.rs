//! Cost of turning JSON records into columns, as ratios against arrow-json and serde_json in the same run.
//!
//! Two shapes of events, all columns and only those a query needs, clean and with 1 % bad records. Each
//! contender's time is the fastest of several rounds, interleaved: what else runs on the machine only adds.
//! arrow-json cannot isolate a bad record: when a chunk fails, it is read again message by message.

use std::hint::black_box;
use std::sync::Arc;
use std::time::Instant;

use arrow::array::{ArrayRef, RecordBatch};
use arrow::datatypes::{Field, Schema, SchemaRef};
use arrow::json::ReaderBuilder;
use windrow::format::json::{Decoder, Encoder};
use windrow::format::{ColumnSpec, DecodeOptions, EncodeOptions, EncodedRows};
use windrow::sql::types::SqlType;

const MESSAGES: usize = 8192;
const BATCH_ROWS: usize = 1024;
const CHUNK_ROWS: usize = 64;
const ROUNDS: usize = 15;

/// A xorshift generator: the same events in each run.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    fn below(&mut self, limit: u64) -> u64 {
        (self.next() >> 11) % limit
    }

    fn pick<'a>(&mut self, words: &[&'a str]) -> &'a str {
        words[self.below(words.len() as u64) as usize]
    }

    fn uuid(&mut self) -> String {
        let (a, b) = (self.next(), self.next());
        let (first, second) = (a as u32, (a >> 32) as u16);
        format!("{first:08x}-{second:04x}-4{:03x}-a{:03x}-{:012x}", a >> 52, b & 0xfff, b >> 16)
    }
}

fn time(micros: i64) -> String {
    chrono::DateTime::from_timestamp_micros(micros)
        .map_or_else(String::new, |at| at.format("%Y-%m-%dT%H:%M:%S%.6f").to_string())
}

fn order(random: &mut Random, i: u64) -> String {
    let count = 1 + random.below(4);
    let at = 1_763_975_296_293_872 + i as i64 * 1500 + random.below(2_000_000) as i64;
    let items: Vec<String> = (0..count)
        .map(|_| {
            let (product, quantity) = (random.below(500), 1 + random.below(9));
            let (whole, cents) = (10 + random.below(3000), random.below(100));
            format!(
                r#"{{"product_id":"prod-{product:03}","quantity":{quantity},"price":{whole}.{cents:02}}}"#
            )
        })
        .collect();
    let status = random.pick(&["pending", "confirmed", "shipped", "delivered", "cancelled"]);
    let event = random.pick(&["order.created", "order.updated", "order.cancelled"]);
    let (id, order_id, user) = (random.uuid(), random.uuid(), random.below(100_000));
    let (whole, cents) = (10 + random.below(20_000), random.below(100));
    let (at, items) = (time(at), items.join(","));
    format!(r#"{{"id":"{id}","order_id":"{order_id}","user_id":"user-{user}","#)
        + &format!(r#""total_amount":{whole}.{cents:02},"status":"{status}","items_count":{count},"#)
        + &format!(r#""event_type":"{event}","created_at":"{at}","items":[{items}]}}"#)
}

fn click(random: &mut Random, i: u64) -> String {
    let at = 1_741_953_604_235_000 + i as i64 * 1000 + (random.below(2000) * 1000) as i64;
    let agent = random.pick(&[
        "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/131.0.0.0",
        "Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1.15 Version/17.5",
        "Mozilla/5.0 (X11; Linux x86_64; rv:133.0) Gecko/20100101 Firefox/133.0",
    ]);
    let event = random.pick(&["page_view", "click", "add_to_cart", "purchase", "scroll"]);
    let city = random.pick(&["Munich", "Berlin", "Paris", "Madrid", "Łódź", "New York"]);
    let source = random.pick(&["google", "facebook", "newsletter"]);
    let os = random.pick(&["Windows", "iOS", "Linux"]);
    let (id, user, session, sku) =
        (random.uuid(), random.below(1_000_000), random.next(), random.below(100_000));
    let (whole, cents, mobile) = (random.below(500), random.below(100), random.below(2) == 0);
    format!(r#"{{"event_id":"{id}","event_type":"{event}","event_ts":"{}Z","user_id":"u_{user}","#, time(at))
        + &format!(r#""session_id":"s_{session:016x}","page":"/product/sku_{sku}","product_id":"sku_{sku}","#)
        + &format!(
            r#""price":{whole}.{cents:02},"currency":"EUR","utm":{{"source":"{source}","medium":"cpc","#
        )
        + &format!(r#""campaign":"spring24"}},"device":{{"ua":"{agent}","os":"{os}","mobile":{mobile}}},"#)
        + &format!(r#""geo":{{"country":"DE","city":"{city}"}}}}"#)
}

/// Breaks a message in one of six ways.
fn spoil(message: &mut Vec<u8>, random: &mut Random) {
    match random.below(5) {
        0 => message.truncate(message.len() / 4 + random.below(message.len() as u64 / 2) as usize),
        1 => {
            message.splice(0..0, *b"<html>502");
        }
        2 => message.push(b'}'),
        3 => message.clear(),
        _ => {
            let comma = message.iter().position(|c| *c == b',').unwrap_or(0);
            message[comma] = b';';
        }
    }
}

fn columns(of: &[(&str, SqlType)]) -> Vec<ColumnSpec> {
    let spec =
        |(name, ty): &(&str, SqlType)| ColumnSpec { name: (*name).into(), ty: ty.clone(), not_null: false };
    of.iter().map(spec).collect()
}

fn row(of: &[(&str, SqlType)]) -> SqlType {
    SqlType::Row(of.iter().map(|(name, ty)| ((*name).into(), ty.clone())).collect())
}

/// The columns of a shape: all, and those a query needs.
fn orders() -> [Vec<ColumnSpec>; 2] {
    use SqlType::{BigInt, Double, String, Timestamp};
    let item = row(&[("product_id", String), ("quantity", BigInt), ("price", Double)]);
    let all = columns(&[
        ("id", String),
        ("order_id", String),
        ("user_id", String),
        ("total_amount", Double),
        ("status", String),
        ("items_count", BigInt),
        ("event_type", String),
        ("created_at", Timestamp(6)),
        ("items", SqlType::Array(Box::new(item))),
    ]);
    [columns(&[("user_id", String), ("total_amount", Double), ("created_at", Timestamp(6))]), all]
}

fn clicks() -> [Vec<ColumnSpec>; 2] {
    use SqlType::{Boolean, Double, String, Timestamp};
    let all = columns(&[
        ("event_id", String),
        ("event_type", String),
        ("event_ts", Timestamp(6)),
        ("user_id", String),
        ("session_id", String),
        ("page", String),
        ("product_id", String),
        ("price", Double),
        ("currency", String),
        ("utm", row(&[("source", String), ("medium", String), ("campaign", String)])),
        ("device", row(&[("ua", String), ("os", String), ("mobile", Boolean)])),
        ("geo", row(&[("country", String), ("city", String)])),
    ]);
    let needed = columns(&[
        ("event_type", String),
        ("event_ts", Timestamp(6)),
        ("session_id", String),
        ("price", Double),
        ("geo", row(&[("country", String)])),
    ]);
    [needed, all]
}

type Outcome<T> = Result<T, Box<dyn std::error::Error>>;

/// Decodes all messages in batches; the good rows, and the columns of each batch when asked for.
fn own(messages: &[Vec<u8>], columns: &[ColumnSpec]) -> Outcome<(usize, Vec<Vec<ArrayRef>>)> {
    let mut decoder = Decoder::new(columns, DecodeOptions::default())?;
    let (mut rows, mut batches) = (0, Vec::new());
    for batch in messages.chunks(BATCH_ROWS) {
        rows += batch.iter().filter(|message| decoder.push(message).is_ok()).count();
        batches.push(decoder.take()?);
    }
    Ok((rows, batches))
}

fn arrow_json(messages: &[Vec<u8>], schema: &SchemaRef) -> Outcome<(usize, Vec<Vec<ArrayRef>>)> {
    let new = |rows| ReaderBuilder::new(Arc::clone(schema)).with_batch_size(rows).build_decoder();
    let mut decoder = new(BATCH_ROWS)?;
    let (mut rows, mut batches) = (0, Vec::new());
    for chunk in messages.chunks(CHUNK_ROWS) {
        let mut read = || -> Outcome<Option<RecordBatch>> {
            for (i, message) in chunk.iter().enumerate() {
                decoder.decode(message)?;
                if decoder.has_partial_record() || decoder.len() != i + 1 {
                    return Ok(None);
                }
            }
            Ok(decoder.flush()?)
        };
        if let Ok(Some(batch)) = read() {
            rows += batch.num_rows();
            batches.push(batch.columns().to_vec());
            continue;
        }
        decoder = new(BATCH_ROWS)?;
        for message in chunk {
            let mut single = new(1)?;
            if single.decode(message).is_ok_and(|read| read == message.len())
                && !single.has_partial_record()
                && let Ok(Some(batch)) = single.flush()
            {
                rows += batch.num_rows();
            }
        }
    }
    Ok((rows, batches))
}

fn values(messages: &[Vec<u8>], columns: &[ColumnSpec]) -> usize {
    let mut rows = 0;
    for message in messages {
        if let Ok(value) = serde_json::from_slice::<serde_json::Value>(message) {
            columns.iter().for_each(|column| {
                black_box(value.get(&column.name));
            });
            rows += 1;
        }
    }
    rows
}

fn nanos_per_message(messages: usize, run: impl FnOnce()) -> f64 {
    let start = Instant::now();
    run();
    start.elapsed().as_nanos() as f64 / messages as f64
}

fn fastest(times: Vec<f64>) -> f64 {
    times.into_iter().fold(f64::INFINITY, f64::min)
}

fn schema_of(columns: &[ColumnSpec]) -> SchemaRef {
    let fields: Vec<Field> =
        columns.iter().map(|column| Field::new(&column.name, column.ty.arrow(), true)).collect();
    Arc::new(Schema::new(fields))
}

fn compare(name: &str, messages: &[Vec<u8>], columns: &[ColumnSpec]) -> Outcome<()> {
    let schema = schema_of(columns);
    let mut times = [Vec::new(), Vec::new(), Vec::new()];
    for _ in 0..ROUNDS {
        times[0].push(nanos_per_message(messages.len(), || drop(black_box(own(messages, columns)))));
        times[1].push(nanos_per_message(messages.len(), || drop(black_box(arrow_json(messages, &schema)))));
        times[2].push(nanos_per_message(messages.len(), || {
            black_box(values(messages, columns));
        }));
    }
    let [own, arrow, serde] = times.map(fastest);
    let (over_arrow, over_serde) = (arrow / own, serde / own);
    println!(
        "{name:<28} {own:6.0} ns   arrow-json {arrow:6.0} ns = {over_arrow:4.2} x   \
         serde_json::Value {serde:6.0} ns = {over_serde:4.2} x"
    );
    Ok(())
}

/// Both decoders must make the same of clean messages, else the times mean nothing.
fn check(messages: &[Vec<u8>], columns: &[ColumnSpec]) -> Outcome<()> {
    let schema = schema_of(columns);
    let (_, own) = own(&messages[..CHUNK_ROWS], columns)?;
    let (_, arrow) = arrow_json(&messages[..CHUNK_ROWS], &schema)?;
    assert_eq!(own, arrow, "the decoders disagree");
    Ok(())
}

fn encode(name: &str, messages: &[Vec<u8>], columns: &[ColumnSpec]) -> Outcome<()> {
    let (_, batches) = own(messages, columns)?;
    let schema = schema_of(columns);
    let batches: Vec<RecordBatch> = batches
        .into_iter()
        .map(|columns| RecordBatch::try_new(Arc::clone(&schema), columns))
        .collect::<Result<_, _>>()?;
    let declared: Vec<_> = columns.iter().map(|column| (column.name.clone(), column.ty.clone())).collect();
    let encoder = Encoder::new(&declared, &EncodeOptions::default());
    let mut times = [Vec::new(), Vec::new()];
    for _ in 0..ROUNDS {
        times[0].push(nanos_per_message(messages.len(), || {
            for batch in &batches {
                let mut rows = EncodedRows::new();
                drop(black_box(encoder.encode(batch, &mut rows)));
                black_box(rows);
            }
        }));
        times[1].push(nanos_per_message(messages.len(), || {
            for batch in &batches {
                let mut writer = arrow::json::LineDelimitedWriter::new(Vec::new());
                drop(black_box(writer.write(batch)));
                black_box(writer.into_inner());
            }
        }));
    }
    let [own, arrow] = times.map(fastest);
    println!("{name:<28} {own:6.0} ns   arrow-json {arrow:6.0} ns = {:4.2} x", arrow / own);
    Ok(())
}

fn main() -> Outcome<()> {
    let mut random = Random(0x9e37_79b9_7f4a_7c15);
    let shapes = [("order", order as fn(&mut Random, u64) -> String, orders()), ("click", click, clicks())];
    for (shape, make, [needed, all]) in shapes {
        let clean: Vec<Vec<u8>> = (0..MESSAGES as u64).map(|i| make(&mut random, i).into_bytes()).collect();
        let mut spoilt = clean.clone();
        for message in &mut spoilt {
            if random.below(100) == 0 {
                spoil(message, &mut random);
            }
        }
        check(&clean, &needed)?;
        check(&clean, &all)?;
        compare(&format!("{shape}, needed columns"), &clean, &needed)?;
        compare(&format!("{shape}, needed, 1 % bad"), &spoilt, &needed)?;
        compare(&format!("{shape}, all columns"), &clean, &all)?;
        compare(&format!("{shape}, all, 1 % bad"), &spoilt, &all)?;
        encode(&format!("{shape}, encoded"), &clean, &all)?;
    }
    Ok(())
}
