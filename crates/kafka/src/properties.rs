//! Client settings from a properties file, as librdkafka and as Java's clients spell them.

use std::collections::BTreeMap;

/// A file of client settings that cannot be used. Names settings and lines, never a value.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PropertiesError {
    /// A line is no setting.
    #[error("line {line} is not of the form key=value")]
    Line {
        /// Counted from 1.
        line: usize,
    },
    /// A setting of Java's that has no counterpart here.
    #[error("setting {property} cannot be used: {why}")]
    Foreign {
        /// The setting.
        property: String,
        /// What to write instead.
        why: &'static str,
    },
}

/// Settings of Java's that say what librdkafka does by itself.
const IMPLIED: [&str; 2] = ["sasl.login.callback.handler.class", "ssl.protocol"];
const JKS: &str =
    "only PEM and PKCS#12 stores are read; `keytool -importkeystore -deststoretype PKCS12` makes one of a JKS store";
const MECHANISM: &str = "of JAAS configurations those of PlainLoginModule and ScramLoginModule are known";

/// Reads a properties file: `key=value` a line, `#` and `!` begin comments, a backslash escapes or goes on in the next line.
/// Java's names become librdkafka's.
///
/// # Errors
/// A line is no setting, or a setting of Java's has no counterpart.
pub fn parse(text: &str) -> Result<BTreeMap<String, String>, PropertiesError> {
    let mut given = BTreeMap::new();
    let mut lines = text.lines().enumerate();
    while let Some((index, line)) = lines.next() {
        let mut logical = line.trim_start().to_owned();
        if logical.is_empty() || logical.starts_with(['#', '!']) {
            continue;
        }
        while goes_on(&logical) {
            logical.pop();
            logical.push_str(lines.next().map_or("", |(_, next)| next.trim_start()));
        }
        let (key, value) = logical.split_once(['=', ':']).ok_or(PropertiesError::Line { line: index + 1 })?;
        given.insert(key.trim().to_owned(), unescape(value.trim()));
    }
    translate(given)
}

fn goes_on(line: &str) -> bool {
    line.bytes().rev().take_while(|byte| *byte == b'\\').count() % 2 == 1
}

fn unescape(value: &str) -> String {
    let mut plain = String::with_capacity(value.len());
    let mut rest = value.chars();
    while let Some(character) = rest.next() {
        match character {
            '\\' => plain.extend(rest.next().map(|escaped| match escaped {
                'n' => '\n',
                't' => '\t',
                other => other,
            })),
            other => plain.push(other),
        }
    }
    plain
}

/// Java's names as librdkafka's; all others are left to librdkafka to judge.
fn translate(mut given: BTreeMap<String, String>) -> Result<BTreeMap<String, String>, PropertiesError> {
    let foreign = |property: &str, why| PropertiesError::Foreign { property: property.to_owned(), why };
    IMPLIED.iter().for_each(|property| drop(given.remove(*property)));
    if let Some(mechanism) = given.remove("sasl.mechanism") {
        given.insert("sasl.mechanisms".to_owned(), mechanism);
    }
    if let Some(jaas) = given.remove("sasl.jaas.config") {
        let login = login(&jaas).ok_or_else(|| foreign("sasl.jaas.config", MECHANISM))?;
        given.extend(login);
    }
    if given.get("ssl.endpoint.identification.algorithm").is_some_and(String::is_empty) {
        given.insert("ssl.endpoint.identification.algorithm".to_owned(), "none".to_owned());
    }
    truststore(&mut given).map_err(|property| foreign(property, JKS))?;
    keystore(&mut given).map_err(|property| foreign(property, JKS))?;
    Ok(given)
}

/// The user and password of `…LoginModule required username="…" password="…";`.
fn login(jaas: &str) -> Option<Vec<(String, String)>> {
    let (module, options) = jaas.split_once(char::is_whitespace)?;
    match module.rsplit('.').next()? {
        "PlainLoginModule" | "ScramLoginModule" => {
            let user = ("sasl.username".to_owned(), option(options, "username")?);
            Some(vec![user, ("sasl.password".to_owned(), option(options, "password")?)])
        }
        _ => None,
    }
}

/// A quoted option of a JAAS configuration; a backslash takes the next character as it is.
fn option(options: &str, name: &str) -> Option<String> {
    let (_, after) = options.split_once(&format!("{name}="))?;
    let mut quoted = after.trim_start().strip_prefix('"')?.chars();
    let mut value = String::new();
    loop {
        match quoted.next()? {
            '"' => return Some(value),
            '\\' => value.push(quoted.next()?),
            other => value.push(other),
        }
    }
}

fn truststore(given: &mut BTreeMap<String, String>) -> Result<(), &'static str> {
    let kind = given.remove("ssl.truststore.type");
    given.remove("ssl.truststore.password");
    if let Some(certificates) = given.remove("ssl.truststore.certificates") {
        given.insert("ssl.ca.pem".to_owned(), certificates);
    }
    let Some(location) = given.remove("ssl.truststore.location") else { return Ok(()) };
    if kind.as_deref() != Some("PEM") {
        return Err("ssl.truststore.location");
    }
    given.insert("ssl.ca.location".to_owned(), location);
    Ok(())
}

/// A PKCS#12 store is librdkafka's own; one in PEM holds certificate and key.
fn keystore(given: &mut BTreeMap<String, String>) -> Result<(), &'static str> {
    if let Some(key) = given.remove("ssl.keystore.key") {
        given.insert("ssl.key.pem".to_owned(), key);
    }
    if let Some(chain) = given.remove("ssl.keystore.certificate.chain") {
        given.insert("ssl.certificate.pem".to_owned(), chain);
    }
    match given.remove("ssl.keystore.type").as_deref() {
        Some("PEM") => {
            if let Some(location) = given.remove("ssl.keystore.location") {
                given.insert("ssl.certificate.location".to_owned(), location.clone());
                given.insert("ssl.key.location".to_owned(), location);
            }
            Ok(())
        }
        Some("JKS") => Err("ssl.keystore.type"),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use proptest::prelude::*;

    use super::*;

    fn read(text: &str) -> Vec<(String, String)> {
        parse(text).unwrap().into_iter().collect()
    }

    fn pairs(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
        pairs.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect()
    }

    #[test]
    fn librdkafkas_names_stay() {
        let text =
            "# who\n! also\n\nsecurity.protocol = SASL_SSL\r\nsasl.password=a\\\\b=c\n  ssl.ca.location: /ca.pem";
        let wanted = [("sasl.password", r"a\b=c"), ("security.protocol", "SASL_SSL"), ("ssl.ca.location", "/ca.pem")];
        assert_eq!(read(text), pairs(&wanted));
    }

    #[test]
    fn javas_names_become_librdkafkas() {
        let text = "sasl.mechanism=SCRAM-SHA-512\nsasl.jaas.config=org.apache.kafka.common.security.scram.ScramLoginModule \
                    required \\\n   username=\"crm\" password=\"hun\\\\\"ter\";\nssl.truststore.type=PEM\n\
                    ssl.truststore.location=/ca.pem\nssl.endpoint.identification.algorithm=\n\
                    ssl.keystore.type=PEM\nssl.keystore.location=/me.pem";
        let wanted = [
            ("sasl.mechanisms", "SCRAM-SHA-512"),
            ("sasl.password", "hun\"ter"),
            ("sasl.username", "crm"),
            ("ssl.ca.location", "/ca.pem"),
            ("ssl.certificate.location", "/me.pem"),
            ("ssl.endpoint.identification.algorithm", "none"),
            ("ssl.key.location", "/me.pem"),
        ];
        assert_eq!(read(text), pairs(&wanted));
    }

    #[test]
    fn what_has_no_counterpart_is_refused_without_its_value() {
        for text in [
            "hunter2",
            "ssl.truststore.location=/hunter2.jks",
            "ssl.keystore.type=JKS",
            "sasl.jaas.config=com.sun.security.auth.module.Krb5LoginModule required password=\"hunter2\";",
            "sasl.jaas.config=PlainLoginModule required username=\"crm\" password=\"hunter2",
        ] {
            let refused = parse(text).unwrap_err().to_string();
            assert!(!refused.contains("hunter2"), "{refused}");
        }
    }

    proptest! {
        #[test]
        fn nothing_panics(text in ".*", jaas in "PlainLoginModule [a-z=\"\\\\ ]*") {
            let _ = parse(&text);
            let _ = parse(&format!("sasl.jaas.config={jaas}"));
        }
    }
}
