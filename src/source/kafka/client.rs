//! Turns properties into a librdkafka client, and what goes wrong in it into errors for a person.
//!
//! librdkafka's calls fail with a bare code ("broker transport failure") while the reason ("invalid username
//! or password") goes to an error callback and the client retries for ever. So [`Faults`] keeps the last
//! reason, and [`connect`] asks for metadata in short steps until it answers or the reason is known.
//!
//! Nothing here prints a property's value: they may be secrets.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use rdkafka::client::{Client, ClientContext};
use rdkafka::config::{ClientConfig, RDKafkaLogLevel};
use rdkafka::consumer::ConsumerContext;
use rdkafka::error::{KafkaError, RDKafkaErrorCode};

use crate::error::{Error, Result};
use crate::time::show_duration;

/// librdkafka's property names and values. May hold secrets: never print a value.
pub type Properties = BTreeMap<String, String>;

/// A client that has a specific reason not to connect is given this long to get over it.
const REASON_GRACE: Duration = Duration::from_secs(3);
/// A rejected password or certificate stays rejected; only the other bootstrap servers are waited for.
const REJECTED_GRACE: Duration = Duration::from_millis(500);
/// Troubles kept for the caller between two polls; more would only repeat them.
const FRESH_MAX: usize = 16;

/// A reason as librdkafka gives it, kept as the cause of an [`Error`].
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{text}")]
pub struct Fault {
    pub kind: FaultKind,
    pub text: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum FaultKind {
    /// All brokers are down: says nothing about why.
    Down,
    /// A connection could not be made or was lost.
    Unreachable,
    /// The broker or we refused: password, certificate, protocol. Retrying does not help.
    Rejected,
}

/// What librdkafka's error callback has said. Locked for a moment only, by the thread that polls.
#[derive(Debug, Default)]
pub struct Faults {
    state: Mutex<FaultState>,
}

#[derive(Debug, Default)]
struct FaultState {
    worst: Option<Fault>,
    fresh: Vec<String>,
    logged: Vec<String>,
}

impl Faults {
    pub fn record(&self, code: Option<RDKafkaErrorCode>, text: &str) {
        let kind = kind_of(code, text);
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        if state.worst.as_ref().is_none_or(|worst| kind >= worst.kind) {
            state.worst = Some(Fault { kind, text: text.to_string() });
        }
        if state.fresh.len() < FRESH_MAX && state.fresh.last().is_none_or(|last| last != text) {
            state.fresh.push(text.to_string());
        }
    }

    /// The most telling reason since the last [`Faults::forget`].
    pub fn worst(&self) -> Option<Fault> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner).worst.clone()
    }

    /// The troubles since the last call, oldest first.
    pub fn take_fresh(&self) -> Vec<String> {
        std::mem::take(&mut self.state.lock().unwrap_or_else(PoisonError::into_inner).fresh)
    }

    /// Errors of single partitions since the last call, as lines of librdkafka's log; see [`Faults::log`].
    pub fn take_logged(&self) -> Vec<String> {
        std::mem::take(&mut self.state.lock().unwrap_or_else(PoisonError::into_inner).logged)
    }

    /// Called when the cluster has answered: what was wrong is over.
    pub fn forget(&self) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.worst = None;
        state.fresh.clear();
    }
}

impl ClientContext for Faults {
    /// Keeps the lines with facility `ERROR`: what a queue read in batches makes of an error operation, such
    /// as "topic does not exist" for one partition, in a client whose errors are events.
    fn log(&self, _level: RDKafkaLogLevel, facility: &str, message: &str) {
        log_line(facility, message);
        if facility == "ERROR" {
            self.state.lock().unwrap_or_else(PoisonError::into_inner).logged.push(message.to_string());
        }
    }

    fn error(&self, error: KafkaError, reason: &str) {
        self.record(error.rdkafka_error_code(), reason);
    }
}

impl ConsumerContext for Faults {}

/// librdkafka's own log repeats what its error callback says, so it is for debugging only.
pub fn log_line(facility: &str, message: &str) {
    tracing::debug!(target: "librdkafka", facility, "{message}");
}

fn kind_of(code: Option<RDKafkaErrorCode>, text: &str) -> FaultKind {
    use RDKafkaErrorCode as Code;
    match code {
        Some(Code::AllBrokersDown) => FaultKind::Down,
        Some(
            Code::Authentication
            | Code::SaslAuthenticationFailed
            | Code::UnsupportedSASLMechanism
            | Code::SSL
            | Code::ClusterAuthorizationFailed,
        ) => FaultKind::Rejected,
        _ if text.contains("verify that security.protocol") => FaultKind::Rejected,
        _ => FaultKind::Unreachable,
    }
}

/// The configuration of a client: `defaults`, over them the user's `properties`, over all `forced`.
pub fn configure(
    properties: &Properties,
    defaults: &[(&str, &str)],
    forced: &[(&str, &str)],
) -> ClientConfig {
    let mut config = ClientConfig::new();
    config.set("client.id", "windrow");
    // OpenSSL is linked statically and would look for CA certificates where it was built.
    let has = |name: &str| properties.contains_key(name);
    if !has("ssl.ca.location") && !has("ssl.ca.pem") {
        config.set("ssl.ca.location", "probe");
    }
    let oidc = properties.get("sasl.oauthbearer.method").is_some_and(|way| way.eq_ignore_ascii_case("oidc"));
    if oidc && !has("https.ca.location") && !has("https.ca.pem") {
        config.set("https.ca.location", "probe");
    }
    for (name, value) in defaults {
        config.set(*name, *value);
    }
    for (name, value) in properties {
        config.set(name, value);
    }
    for (name, value) in forced {
        config.set(*name, *value);
    }
    config
}

/// A client could not be made from its properties: the user's fault. The value is left out.
pub fn refused_configuration(error: &KafkaError) -> Error {
    match error {
        KafkaError::ClientConfig(_, text, name, _) => {
            Error::user(format!("Kafka does not accept the property `{name}`"))
                .note(text.replace('"', "`"))
                .fix(format!("correct or remove 'properties.{name}'"))
        }
        KafkaError::ClientCreation(text) => {
            Error::user("a Kafka client cannot be made from the given properties").note(text.clone())
        }
        other => {
            Error::user("a Kafka client cannot be made from the given properties").note(other.to_string())
        }
    }
}

/// The servers a message names; never with credentials, which are other properties.
pub fn bootstrap_of(properties: &Properties) -> &str {
    ["bootstrap.servers", "metadata.broker.list"]
        .iter()
        .find_map(|name| properties.get(*name))
        .map_or("", String::as_str)
}

/// Waits until the cluster answers, for `limit` at most.
///
/// `serve` polls the client for the given time, so that its error callback is called. Fails with the reason
/// as soon as it is final, after 3 s when there is a reason that might pass, else after `limit`.
pub fn connect<C: ClientContext>(
    client: &Client<C>,
    faults: &Faults,
    serve: impl Fn(Duration),
    properties: &Properties,
    limit: Duration,
) -> Result<()> {
    if bootstrap_of(properties).trim().is_empty() {
        return Err(Error::user("no Kafka brokers are given")
            .fix("set 'properties.bootstrap.servers', for example to 'localhost:9092'"));
    }
    let start = Instant::now();
    let mut rejected_at = None;
    // Steps grow, because a slow link or a large cluster may need longer than the first for its answer.
    let mut step = Duration::from_millis(250);
    loop {
        serve(Duration::from_millis(50));
        let left = limit.saturating_sub(start.elapsed());
        if client.fetch_metadata(None, step.min(left).max(Duration::from_millis(1))).is_ok() {
            faults.forget();
            return Ok(());
        }
        serve(Duration::ZERO);
        let worst = faults.worst();
        if worst.as_ref().is_some_and(|fault| fault.kind == FaultKind::Rejected) {
            rejected_at.get_or_insert_with(Instant::now);
        }
        let known = worst.as_ref().is_some_and(|fault| fault.kind >= FaultKind::Unreachable);
        let rejected = rejected_at.is_some_and(|at: Instant| at.elapsed() >= REJECTED_GRACE);
        if rejected || (known && start.elapsed() >= REASON_GRACE) || start.elapsed() >= limit {
            return Err(cannot_connect(properties, worst, start.elapsed()));
        }
        step = (step * 3 / 2).min(Duration::from_secs(2));
    }
}

/// A question to the cluster failed; `doing` continues "cannot …".
pub fn failed_call(doing: &str, error: &KafkaError, faults: &Faults) -> Error {
    let what = Error::external(format!("cannot {doing}"));
    let code = error.rdkafka_error_code();
    match faults.worst() {
        Some(fault) if !is_authorization(code) => what.note(error.to_string()).caused_by(fault),
        _ => what.caused_by(error.clone()),
    }
}

pub fn is_authorization(code: Option<RDKafkaErrorCode>) -> bool {
    use RDKafkaErrorCode as Code;
    matches!(
        code,
        Some(
            Code::TopicAuthorizationFailed
                | Code::GroupAuthorizationFailed
                | Code::ClusterAuthorizationFailed
                | Code::TransactionalIdAuthorizationFailed
        )
    )
}

fn cannot_connect(properties: &Properties, fault: Option<Fault>, waited: Duration) -> Error {
    let what = Error::external(format!("cannot connect to Kafka at `{}`", bootstrap_of(properties)));
    let text = fault.as_ref().map_or("", |fault| fault.text.as_str());
    let fix = advice(properties, text);
    let error = match fault {
        Some(fault) => what.caused_by(fault),
        None => {
            let millis = Duration::from_millis(waited.as_millis() as u64);
            what.note(format!("no broker has answered in {}", show_duration(millis)))
        }
    };
    error.fix(fix)
}

/// What to do about a reason; librdkafka's texts are matched because its codes do not tell these apart.
fn advice(properties: &Properties, text: &str) -> &'static str {
    let protocol = properties.get("security.protocol").map_or("plaintext", String::as_str).to_lowercase();
    let text = text.to_lowercase();
    let says = |part: &str| text.contains(part);
    if says("plaintext broker listener")
        || says("wrong version number")
        || (says("closed by peer") && says("ssl_handshake"))
    {
        "the port speaks plain text: set 'properties.security.protocol' without SSL, or use the TLS port"
    } else if says("certificate") {
        "set 'properties.ssl.ca.location' to the PEM file of the CA that signed the broker's certificate"
    } else if says("mechanism handshake failed") || says("unsupported sasl mechanism") {
        "the port does not offer this mechanism: check 'properties.sasl.mechanism' and the port"
    } else if says("authentication") || says("sasl") {
        "check the user name, the password and 'properties.sasl.mechanism'"
    } else if says("failed to resolve") {
        "check the host name in 'properties.bootstrap.servers'"
    } else if says("refused") {
        "check 'properties.bootstrap.servers', and that the broker is running"
    } else if protocol == "plaintext" {
        "if the broker expects TLS or SASL, set 'properties.security.protocol', else check that it runs"
    } else {
        "check 'properties.bootstrap.servers' and 'properties.security.protocol'"
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_specific_reason_is_not_replaced_by_a_general_one() {
        let faults = Faults::default();
        faults.record(Some(RDKafkaErrorCode::SaslAuthenticationFailed), "invalid password");
        faults.record(Some(RDKafkaErrorCode::AllBrokersDown), "1/1 brokers are down");
        assert_eq!(faults.worst().map(|fault| fault.text), Some("invalid password".to_string()));
        assert_eq!(faults.take_fresh().len(), 2);
        assert!(faults.take_fresh().is_empty());
    }

    #[test]
    fn a_refused_property_is_named_without_its_value() {
        let properties = Properties::from([("sasl.pasword".to_string(), "s3cret".to_string())]);
        let config = configure(&properties, &[], &[]);
        let error = match config.create_native_config() {
            Err(error) => refused_configuration(&error).to_string(),
            Ok(_) => String::new(),
        };
        assert!(error.contains("`sasl.pasword`") && !error.contains("s3cret"), "{error}");
    }

    #[test]
    fn forced_settings_win_over_properties_and_those_over_defaults() {
        let properties = Properties::from([
            ("linger.ms".into(), "7".into()),
            ("enable.auto.commit".into(), "true".into()),
        ]);
        let config = configure(
            &properties,
            &[("linger.ms", "2"), ("acks", "all")],
            &[("enable.auto.commit", "false")],
        );
        assert_eq!(config.get("linger.ms"), Some("7"));
        assert_eq!(config.get("acks"), Some("all"));
        assert_eq!(config.get("enable.auto.commit"), Some("false"));
    }
}
