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

/// Settings of Java's that say what is done here anyway.
const IMPLIED: [&str; 3] =
    ["sasl.login.callback.handler.class", "sasl.oauthbearer.jwt.retriever.class", "ssl.protocol"];
/// Java's names (KIP-1139) that differ in nothing else.
const RENAMED: [(&str, &str); 3] = [
    ("sasl.mechanism", "sasl.mechanisms"),
    ("sasl.oauthbearer.client.credentials.client.id", "sasl.oauthbearer.client.id"),
    ("sasl.oauthbearer.client.credentials.client.secret", "sasl.oauthbearer.client.secret"),
];
const JKS: &str =
    "only PEM and PKCS#12 stores are read; `keytool -importkeystore -deststoretype PKCS12` makes one of a JKS store";
const MECHANISM: &str =
    "of JAAS configurations those of PlainLoginModule, ScramLoginModule and OAuthBearerLoginModule are known";

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
    for (javas, ours) in RENAMED {
        if let Some(value) = given.remove(javas) {
            given.insert(ours.to_owned(), value);
        }
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

/// Who one is by `…LoginModule required username="…" password="…";`, or by a token's `clientId`, `clientSecret`, `scope` and
/// `extension_…`.
fn login(jaas: &str) -> Option<Vec<(String, String)>> {
    let (module, rest) = jaas.split_once(char::is_whitespace)?;
    let given = options(rest)?;
    let take = |javas: &str, ours: &str| Some((ours.to_owned(), given.get(javas)?.clone()));
    match module.rsplit('.').next()? {
        "PlainLoginModule" | "ScramLoginModule" => {
            Some(vec![take("username", "sasl.username")?, take("password", "sasl.password")?])
        }
        "OAuthBearerLoginModule" => {
            let id = take("clientId", "sasl.oauthbearer.client.id");
            let secret = take("clientSecret", "sasl.oauthbearer.client.secret");
            let scope = take("scope", "sasl.oauthbearer.scope");
            let extensions: Vec<String> = given
                .iter()
                .filter_map(|(name, value)| Some(format!("{}={value}", name.strip_prefix("extension_")?)))
                .collect();
            let extensions =
                (!extensions.is_empty()).then(|| ("sasl.oauthbearer.extensions".to_owned(), extensions.join(",")));
            Some([id, secret, scope, extensions].into_iter().flatten().collect())
        }
        _ => None,
    }
}

/// The options of a JAAS configuration, `required name="value" …;`; a backslash takes the next character as it is. None where
/// they are of another form.
fn options(text: &str) -> Option<BTreeMap<String, String>> {
    let mut found = BTreeMap::new();
    let mut rest = text.trim_start().strip_prefix("required")?.trim_start();
    while !rest.is_empty() && rest != ";" {
        let (name, after) = rest.split_once('=')?;
        let (value, after) = quoted(after.trim_start().strip_prefix('"')?)?;
        found.insert(name.trim().to_owned(), value);
        rest = after.trim();
    }
    Some(found)
}

/// What stands before the closing quotation mark, and what after it.
fn quoted(text: &str) -> Option<(String, &str)> {
    let mut value = String::new();
    let mut rest = text.chars();
    loop {
        match rest.next()? {
            '"' => return Some((value, rest.as_str())),
            '\\' => value.push(rest.next()?),
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
    fn javas_names_for_tokens_become_librdkafkas() {
        let wanted = [
            ("sasl.mechanisms", "OAUTHBEARER"),
            ("sasl.oauthbearer.client.id", "crm"),
            ("sasl.oauthbearer.client.secret", "a;b=\"c"),
            ("sasl.oauthbearer.extensions", "logicalCluster=lkc,poolId=p"),
            ("sasl.oauthbearer.scope", "kafka"),
            ("sasl.oauthbearer.token.endpoint.url", "https://idp/token"),
        ];
        let text = "sasl.mechanism=OAUTHBEARER\nsasl.oauthbearer.token.endpoint.url=https://idp/token\n\
                    sasl.login.callback.handler.class=org.apache.kafka.common.security.oauthbearer.OAuthBearerLoginCallbackHandler\n\
                    sasl.jaas.config=org.apache.kafka.common.security.oauthbearer.OAuthBearerLoginModule required \
                    clientId=\"crm\" clientSecret=\"a;b=\\\\\"c\" scope=\"kafka\" extension_logicalCluster=\"lkc\" \
                    extension_poolId=\"p\" ;";
        assert_eq!(read(text), pairs(&wanted));
        let text = "sasl.mechanism=OAUTHBEARER\nsasl.oauthbearer.token.endpoint.url=https://idp/token\n\
                    sasl.oauthbearer.client.credentials.client.id=crm\nsasl.oauthbearer.scope=kafka\n\
                    sasl.oauthbearer.client.credentials.client.secret=a;b=\"c\n\
                    sasl.oauthbearer.extensions=logicalCluster=lkc,poolId=p\n";
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
        fn nothing_panics(text in ".*", jaas in "(Plain|OAuthBearer)LoginModule (required )?[a-z_=;\"\\\\ ]*") {
            let _ = parse(&text);
            let _ = parse(&format!("sasl.jaas.config={jaas}"));
        }
    }
}
