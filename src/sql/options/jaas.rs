//! Reads `sasl.jaas.config`, the Java client's way to say user name and password.
//!
//! `org.apache.kafka…PlainLoginModule required username="u" password="p";` — a class, a flag, and `key=value`
//! pairs in single, double or no quotes. Nothing of it is ever shown.

/// What the login module's class asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Module {
    Plain,
    Scram,
    OAuthBearer,
}

pub struct Jaas {
    pub module: Module,
    pairs: Vec<(String, String)>,
}

impl Jaas {
    /// The value of a key, if it is there and not empty.
    pub fn get(&self, key: &str) -> Option<&str> {
        let pair = self.pairs.iter().find(|(known, _)| known == key);
        pair.map(|(_, value)| value.as_str()).filter(|value| !value.is_empty())
    }
}

/// Why a configuration cannot be read.
#[derive(Debug, PartialEq, Eq)]
pub enum Problem {
    /// The login module is not one we know.
    Module,
    Form,
}

pub fn parse(text: &str) -> Result<Jaas, Problem> {
    let text = text.trim().trim_end_matches(';').trim_end();
    let (class, rest) = text.split_once(char::is_whitespace).ok_or(Problem::Form)?;
    if !class.chars().all(|c| c.is_alphanumeric() || "._$".contains(c)) {
        return Err(Problem::Form);
    }
    // A shaded client has a prefix before the class's name.
    let name = class.rsplit('.').next().unwrap_or(class);
    let module = match name {
        "PlainLoginModule" => Module::Plain,
        "ScramLoginModule" => Module::Scram,
        "OAuthBearerLoginModule" => Module::OAuthBearer,
        _ => return Err(Problem::Module),
    };
    let (flag, mut rest) = rest.trim_start().split_once(char::is_whitespace).unwrap_or((rest.trim(), ""));
    if !["required", "requisite", "sufficient", "optional"].contains(&flag.to_lowercase().as_str()) {
        return Err(Problem::Form);
    }
    let mut pairs = Vec::new();
    loop {
        rest = rest.trim_start();
        if rest.is_empty() {
            return Ok(Jaas { module, pairs });
        }
        let (key, after) = rest.split_once('=').ok_or(Problem::Form)?;
        let (value, after) = value(after.trim_start())?;
        pairs.push((key.trim().to_owned(), value));
        rest = after;
    }
}

/// A value and what follows it. In quotes, a backslash takes the next character as it is.
fn value(text: &str) -> Result<(String, &str), Problem> {
    let Some(quote) = text.chars().next().filter(|c| *c == '"' || *c == '\'') else {
        let end = text.find(char::is_whitespace).unwrap_or(text.len());
        return Ok((text[..end].to_owned(), &text[end..]));
    };
    let mut value = String::new();
    let mut chars = text.char_indices().skip(1);
    while let Some((at, c)) = chars.next() {
        match c {
            '\\' => value.push(chars.next().ok_or(Problem::Form)?.1),
            c if c == quote => return Ok((value, &text[at + 1..])),
            c => value.push(c),
        }
    }
    Err(Problem::Form)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn user_and_password_are_read_whatever_the_quotes() {
        let text = r#"org.apache.flink.kafka.shaded.org.apache.kafka.scram.ScramLoginModule required
            username="a b" password='p\'";=x' tokenauth=true ;"#;
        let jaas = parse(text).ok().unwrap();
        assert_eq!(jaas.module, Module::Scram);
        assert_eq!((jaas.get("username"), jaas.get("password")), (Some("a b"), Some("p'\";=x")));
        assert_eq!((jaas.get("tokenauth"), jaas.get("absent")), (Some("true"), None));
    }

    #[test]
    fn other_modules_and_other_forms_are_told_apart() {
        let module = parse("com.x.IAMLoginModule required;").err().unwrap();
        assert_eq!(module, Problem::Module);
        for text in [
            "",
            "PlainLoginModule",
            "PlainLoginModule maybe a=b",
            "PlainLoginModule required a",
            "username=\"u\" password=\"p\"",
        ] {
            assert_eq!(parse(text).err(), Some(Problem::Form), "{text}");
        }
        assert_eq!(parse("PlainLoginModule required a=\"b").err(), Some(Problem::Form));
    }
}
