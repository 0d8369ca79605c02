//! Translates `properties.*` into librdkafka's properties.
//!
//! librdkafka's own names pass unchanged. Names that only the Java client has are translated, dropped with a
//! reason, or refused with what to write instead; so are those that would break what Windrow guarantees. An
//! empty value (of `${VAR:-}`) means that the property is not set, and without a SASL or SSL protocol the
//! properties of SASL and SSL are dropped: so one file serves a broker on a laptop and one behind
//! credentials.

use std::collections::BTreeMap;

use super::Ignored;
use super::jaas::{self, Jaas, Module};
use super::kafka::{Guarantee, OffsetReset};
use super::values::{Given, Values};
use crate::error::nearest::closest;
use crate::error::{Error, Result};

/// What a table's properties say.
pub struct Client {
    /// librdkafka's names.
    pub properties: BTreeMap<String, String>,
    pub group_id: Option<String>,
    pub offset_reset: OffsetReset,
}

/// What becomes of a property.
enum Rule {
    /// librdkafka's name for it.
    Rename(&'static str),
    /// Accepted, of no effect: why.
    Drop(&'static str),
    /// Not accepted: why, and what to do.
    Refuse(&'static str, &'static str),
}

const SIZED: &str = "batches are sized by bytes";
const OFFSETS: &str = "offsets are saved with each epoch";
const FORMATS: &str = "'format' decides how records are decoded";
const PARTITIONS: &str = "partitions are assigned to lanes";
const NEGOTIATED: &str = "OpenSSL negotiates it";
const NO_CLASSES: &str = "Java classes cannot be loaded";

const RULES: &[(&str, Rule)] = &[
    // Java's names for what librdkafka has, too.
    ("sasl.mechanisms", Rule::Rename("sasl.mechanism")),
    ("fetch.max.wait.ms", Rule::Rename("fetch.wait.max.ms")),
    ("request.timeout.ms", Rule::Rename("socket.timeout.ms")),
    ("max.request.size", Rule::Rename("message.max.bytes")),
    ("send.buffer.bytes", Rule::Rename("socket.send.buffer.bytes")),
    ("receive.buffer.bytes", Rule::Rename("socket.receive.buffer.bytes")),
    ("ssl.truststore.certificates", Rule::Rename("ssl.ca.pem")),
    ("ssl.keystore.key", Rule::Rename("ssl.key.pem")),
    ("ssl.keystore.certificate.chain", Rule::Rename("ssl.certificate.pem")),
    ("sasl.oauthbearer.client.credentials.client.id", Rule::Rename("sasl.oauthbearer.client.id")),
    ("sasl.oauthbearer.client.credentials.client.secret", Rule::Rename("sasl.oauthbearer.client.secret")),
    // Java's, without effect here.
    ("max.poll.records", Rule::Drop(SIZED)),
    ("buffer.memory", Rule::Drop(SIZED)),
    ("max.block.ms", Rule::Drop("a sink that is full makes the epoch wait")),
    ("default.api.timeout.ms", Rule::Drop("'socket.timeout.ms' is what there is")),
    ("key.deserializer", Rule::Drop(FORMATS)),
    ("value.deserializer", Rule::Drop(FORMATS)),
    ("key.serializer", Rule::Drop(FORMATS)),
    ("value.serializer", Rule::Drop(FORMATS)),
    ("metric.reporters", Rule::Drop("metrics are served by `windrow run`")),
    ("partition.discovery.interval.ms", Rule::Drop("'scan.topic-partition-discovery.interval' decides")),
    ("ssl.protocol", Rule::Drop(NEGOTIATED)),
    ("ssl.enabled.protocols", Rule::Drop(NEGOTIATED)),
    ("ssl.provider", Rule::Drop(NEGOTIATED)),
    ("ssl.keymanager.algorithm", Rule::Drop(NEGOTIATED)),
    ("ssl.trustmanager.algorithm", Rule::Drop(NEGOTIATED)),
    ("ssl.secure.random.implementation", Rule::Drop(NEGOTIATED)),
    // What Windrow does itself.
    ("enable.auto.commit", Rule::Drop(OFFSETS)),
    ("auto.commit.interval.ms", Rule::Drop(OFFSETS)),
    ("enable.auto.offset.store", Rule::Drop(OFFSETS)),
    ("commit.offsets.on.checkpoint", Rule::Drop(OFFSETS)),
    ("partition.assignment.strategy", Rule::Drop(PARTITIONS)),
    ("group.instance.id", Rule::Drop(PARTITIONS)),
    (
        "transactional.id",
        Rule::Refuse(
            "it fences the processes of one job",
            "set 'sink.transactional-id-prefix', or the job's name",
        ),
    ),
    ("enable.partition.eof", Rule::Refuse("the end of a partition is how idleness is known", "remove it")),
    ("group.protocol", Rule::Refuse(PARTITIONS, "remove it")),
    // What cannot be.
    ("interceptor.classes", Rule::Refuse(NO_CLASSES, "remove it")),
    ("partitioner.class", Rule::Refuse(NO_CLASSES, "use 'sink.partitioner'")),
    ("security.providers", Rule::Refuse(NO_CLASSES, "remove it")),
    (
        "sasl.client.callback.handler.class",
        Rule::Refuse(NO_CLASSES, "use SASL PLAIN, SCRAM or OAUTHBEARER with client id and secret"),
    ),
    ("ssl.engine.factory.class", Rule::Refuse(NO_CLASSES, "use 'ssl.ca.location' and its neighbours")),
    (
        "sasl.kerberos.kinit.cmd",
        Rule::Refuse("Kerberos is not built in", "use SASL PLAIN, SCRAM or OAUTHBEARER"),
    ),
    (
        "sasl.kerberos.service.name",
        Rule::Refuse("Kerberos is not built in", "use SASL PLAIN, SCRAM or OAUTHBEARER"),
    ),
];

/// Names that are read here by name, for "did you mean"; the others that people write.
const KNOWN: &[&str] = &[
    "bootstrap.servers",
    "group.id",
    "security.protocol",
    "sasl.mechanism",
    "sasl.jaas.config",
    "sasl.username",
    "sasl.password",
    "ssl.ca.location",
    "auto.offset.reset",
    "isolation.level",
    "compression.type",
    "client.id",
    "linger.ms",
    "batch.size",
    "acks",
];

/// Reads the properties of a table. Those without effect are added to `ignored`.
pub fn translate(values: &Values, guarantee: Guarantee, ignored: &mut Vec<Ignored>) -> Result<Client> {
    let given: BTreeMap<&str, Given> = values.family("properties.").collect();
    let set = |name: &str| given.get(name).copied().filter(|option| !option.value.trim().is_empty());
    let protocol = protocol(values, set("security.protocol"))?;
    let mut client =
        Client { properties: BTreeMap::new(), group_id: None, offset_reset: OffsetReset::Earliest };
    for (name, option) in &given {
        let unused = (name.starts_with("sasl.") && !protocol.starts_with("sasl_"))
            || (name.starts_with("ssl.") && !protocol.ends_with("ssl"));
        let store = name.starts_with("ssl.truststore.") || name.starts_with("ssl.keystore.");
        if unused {
            continue;
        }
        match *name {
            // Java's empty value is librdkafka's `none`: the broker's name is not checked.
            "ssl.endpoint.identification.algorithm" => {
                let value = if option.value.is_empty() { "none" } else { option.value };
                client.set(name, value);
            }
            _ if option.value.trim().is_empty() => {}
            "security.protocol" => client.set(name, &protocol),
            "group.id" => client.group_id = Some(option.value.to_owned()),
            "auto.offset.reset" => client.offset_reset = offset_reset(values, option)?,
            "sasl.jaas.config" => client.credentials(values, option, set("sasl.mechanism").is_some())?,
            "sasl.login.callback.handler.class" => login_handler(values, option)?,
            "acks" | "request.required.acks" | "enable.idempotence" => {
                check_durability(values, option, guarantee)?;
                client.set(name, option.value);
            }
            _ if store && !is_renamed(name) => {}
            _ => client.pass(values, name, option, ignored)?,
        }
    }
    if protocol.ends_with("ssl") {
        client.truststore(values, &set)?;
        client.keystore(values, &set)?;
    }
    if protocol.starts_with("sasl_") {
        client.check_sasl(values, &set)?;
    }
    Ok(client)
}

fn is_renamed(name: &str) -> bool {
    RULES.iter().any(|(known, rule)| *known == name && matches!(rule, Rule::Rename(_)))
}

/// In lower case; `plaintext` if it is not set.
fn protocol(values: &Values, given: Option<Given>) -> Result<String> {
    const PROTOCOLS: [&str; 4] = ["plaintext", "ssl", "sasl_plaintext", "sasl_ssl"];
    let Some(given) = given else { return Ok("plaintext".into()) };
    let protocol = given.value.trim().to_lowercase();
    if PROTOCOLS.contains(&protocol.as_str()) {
        return Ok(protocol);
    }
    let fix = match closest(&protocol, PROTOCOLS) {
        Some(close) => format!("did you mean `{}`?", close.to_uppercase()),
        None => "remove it for a broker without TLS and credentials".to_owned(),
    };
    Err(values
        .refuse(&given, "unknown security protocol", "expected PLAINTEXT, SSL, SASL_PLAINTEXT or SASL_SSL")
        .fix(fix))
}

fn offset_reset(values: &Values, given: &Given) -> Result<OffsetReset> {
    match given.value.trim().to_lowercase().as_str() {
        "earliest" | "smallest" | "beginning" => Ok(OffsetReset::Earliest),
        "latest" | "largest" | "end" => Ok(OffsetReset::Latest),
        "none" | "error" => Ok(OffsetReset::Fail),
        _ => Err(values.refuse(
            given,
            "option `properties.auto.offset.reset` has a wrong value",
            "expected `earliest`, `latest` or `none`",
        )),
    }
}

fn login_handler(values: &Values, given: &Given) -> Result<()> {
    if given.value.ends_with("OAuthBearerLoginCallbackHandler") {
        return Ok(());
    }
    Err(values
        .refuse(given, "option `properties.sasl.login.callback.handler.class` is not supported", NO_CLASSES)
        .fix("use OAUTHBEARER with a client id and secret: 'sasl.oauthbearer.token.endpoint.url'"))
}

/// Acknowledgement by all replicas, and idempotence, are what the guarantees rest on.
fn check_durability(values: &Values, given: &Given, guarantee: Guarantee) -> Result<()> {
    let weak = match given.value.trim() {
        "0" | "1" => true,
        other => other.eq_ignore_ascii_case("false"),
    };
    if !weak || guarantee == Guarantee::None {
        return Ok(());
    }
    let promised = if guarantee == Guarantee::ExactlyOnce { "exactly-once" } else { "at-least-once" };
    Err(values
        .refuse(
            given,
            format!("option `{}` breaks the table's delivery guarantee", given.key),
            format!("rows could be lost, but the guarantee is `{promised}`"),
        )
        .fix("remove it, or set `'sink.delivery-guarantee' = 'none'`"))
}

impl Client {
    fn set(&mut self, name: &str, value: &str) {
        self.properties.insert(name.to_owned(), value.to_owned());
    }

    fn pass(&mut self, values: &Values, name: &str, given: &Given, ignored: &mut Vec<Ignored>) -> Result<()> {
        match RULES.iter().find(|(known, _)| *known == name).map(|(_, rule)| rule) {
            None => {
                misspelt(values, name, given)?;
                self.set(name, given.value);
            }
            Some(Rule::Rename(librdkafka)) => self.set(librdkafka, given.value),
            Some(Rule::Drop(reason)) => {
                let option = given.key.to_owned();
                ignored.push(Ignored { option, reason, span: given.key_span });
            }
            Some(Rule::Refuse(why, fix)) => {
                return Err(Error::user(format!("option `{}` is not supported", given.key))
                    .at(values.source, given.key_span, *why)
                    .fix(*fix));
            }
        }
        Ok(())
    }

    /// User name, password or client of `sasl.jaas.config`.
    fn credentials(&mut self, values: &Values, given: &Given, has_mechanism: bool) -> Result<()> {
        let jaas = jaas::parse(given.value).map_err(|problem| match problem {
            jaas::Problem::Module => {
                values.refuse(given, "this login module is not supported", "begins with another class").fix(
                    "use PlainLoginModule, ScramLoginModule or OAuthBearerLoginModule, or \
                     'properties.sasl.username' and 'properties.sasl.password'",
                )
            }
            jaas::Problem::Form => values
                .refuse(
                    given,
                    format!("option `{}` cannot be read", given.key),
                    "not a login module, `required` and its options",
                )
                .fix("write 'properties.sasl.username' and 'properties.sasl.password' instead"),
        })?;
        let mut take = |jaas: &Jaas, key: &str, name: &str| -> Result<()> {
            let Some(value) = jaas.get(key) else {
                return Err(values
                    .refuse(given, format!("option `{}` has no `{key}`", given.key), "missing or empty")
                    .fix(format!("write `{key}=\"…\"` in it, or set 'properties.{name}'")));
            };
            self.properties.entry(name.to_owned()).or_insert_with(|| value.to_owned());
            Ok(())
        };
        match jaas.module {
            Module::Plain | Module::Scram => {
                take(&jaas, "username", "sasl.username")?;
                take(&jaas, "password", "sasl.password")?;
            }
            Module::OAuthBearer => {
                take(&jaas, "clientId", "sasl.oauthbearer.client.id")?;
                take(&jaas, "clientSecret", "sasl.oauthbearer.client.secret")?;
                if jaas.get("scope").is_some() {
                    take(&jaas, "scope", "sasl.oauthbearer.scope")?;
                }
            }
        }
        match (jaas.module, has_mechanism) {
            (Module::Plain, false) => self.set("sasl.mechanism", "PLAIN"),
            (Module::OAuthBearer, false) => self.set("sasl.mechanism", "OAUTHBEARER"),
            _ => {}
        }
        Ok(())
    }

    fn check_sasl<'a>(&mut self, values: &Values, set: &dyn Fn(&str) -> Option<Given<'a>>) -> Result<()> {
        let Some(protocol) = set("security.protocol") else { return Ok(()) };
        let Some(mechanism) = self.properties.get("sasl.mechanism").map(|text| text.trim().to_uppercase())
        else {
            return Err(values
                .refuse(&protocol, "SASL needs a mechanism", "`properties.sasl.mechanism` is not set")
                .fix("set it to PLAIN, SCRAM-SHA-256, SCRAM-SHA-512 or OAUTHBEARER"));
        };
        let needed: &[&str] = match mechanism.as_str() {
            "PLAIN" | "SCRAM-SHA-256" | "SCRAM-SHA-512" => &["sasl.username", "sasl.password"],
            "OAUTHBEARER" => {
                let method = self.properties.entry("sasl.oauthbearer.method".into());
                method.or_insert_with(|| "oidc".into());
                &["sasl.oauthbearer.token.endpoint.url"]
            }
            _ => {
                let place = set("sasl.mechanism").or(set("sasl.mechanisms")).unwrap_or(protocol);
                return Err(values
                    .refuse(&place, "this SASL mechanism is not supported", "")
                    .fix("the mechanisms are PLAIN, SCRAM-SHA-256, SCRAM-SHA-512 and OAUTHBEARER"));
            }
        };
        self.set("sasl.mechanism", &mechanism);
        match needed.iter().find(|name| !self.properties.contains_key(**name)) {
            None => Ok(()),
            Some(name) => Err(values
                .refuse(
                    &protocol,
                    format!("{mechanism} needs `properties.{name}`"),
                    "it is not set, or empty",
                )
                .fix(format!("add `'properties.{name}' = '${{…}}'`, or remove the security protocol"))),
        }
    }

    /// Java's store of trusted certificates: a PEM file is librdkafka's `ssl.ca.location`.
    fn truststore<'a>(&mut self, values: &Values, set: &dyn Fn(&str) -> Option<Given<'a>>) -> Result<()> {
        let Some(location) = set("ssl.truststore.location") else { return Ok(()) };
        if !is_pem(&location, set("ssl.truststore.type")) {
            return Err(values.refuse(&location, "a Java truststore cannot be read", "not a PEM file").fix(
                "export it (`keytool -list -rfc -keystore FILE`), and write `'properties.ssl.ca.location' \
                 = 'ca.pem'`",
            ));
        }
        self.set("ssl.ca.location", location.value);
        Ok(())
    }

    /// Java's store of the client's own key: PKCS#12 is read as it is, a PEM file holds key and certificate.
    fn keystore<'a>(&mut self, values: &Values, set: &dyn Fn(&str) -> Option<Given<'a>>) -> Result<()> {
        let Some(location) = set("ssl.keystore.location") else { return Ok(()) };
        let kind = set("ssl.keystore.type");
        let is_p12 = kind.map_or_else(
            || [".p12", ".pfx"].iter().any(|end| location.value.ends_with(end)),
            |kind| kind.value.eq_ignore_ascii_case("PKCS12"),
        );
        if is_p12 {
            self.set("ssl.keystore.location", location.value);
            if let Some(password) = set("ssl.keystore.password") {
                self.set("ssl.keystore.password", password.value);
            }
        } else if is_pem(&location, kind) {
            self.set("ssl.certificate.location", location.value);
            self.set("ssl.key.location", location.value);
        } else {
            return Err(values
                .refuse(&location, "a Java keystore cannot be read", "neither PKCS#12 nor PEM")
                .fix(
                    "convert it: `keytool -importkeystore -srckeystore FILE -destkeystore FILE.p12 \
                     -deststoretype PKCS12`",
                ));
        }
        Ok(())
    }
}

fn is_pem(location: &Given, kind: Option<Given>) -> bool {
    kind.map_or_else(
        || [".pem", ".crt", ".cer"].iter().any(|end| location.value.ends_with(end)),
        |kind| kind.value.eq_ignore_ascii_case("PEM"),
    )
}

/// Refuses what is one slip away from a common property; other unknown names are librdkafka's to judge.
fn misspelt(values: &Values, name: &str, given: &Given) -> Result<()> {
    let one_off = |known: &&&str| strsim::damerau_levenshtein(known, name) == 1;
    match KNOWN.iter().find(one_off) {
        Some(known) if !KNOWN.contains(&name) => Err(Error::user(format!("unknown option `{}`", given.key))
            .at(values.source, given.key_span, "")
            .fix(format!("did you mean `properties.{known}`?"))),
        _ => Ok(()),
    }
}
