//! Being let in by name: SASL as Kafka frames it (KIP-43, KIP-152).

mod scram;

use super::bytes::{Decoder, Encoder, Malformed};
use super::{Api, Broker, Fault};
use crate::{Settings, oauth};
use scram::Scram;

const HANDSHAKE: Api = Api { name: "SaslHandshake", key: 17, version: 1 };
const AUTHENTICATE: Api = Api { name: "SaslAuthenticate", key: 36, version: 0 };

/// Who one is, and what shows it.
pub(crate) enum Login {
    /// RFC 4616.
    Plain {
        /// The user.
        user: String,
        /// The password.
        password: String,
    },
    /// RFC 5802 and RFC 7677.
    Scram {
        /// With which hash.
        hash: scram::Hash,
        /// The user.
        user: String,
        /// The password.
        password: String,
    },
    /// RFC 7628, with extensions (KIP-342).
    Bearer {
        /// The token.
        token: String,
        /// What goes with it, by name.
        extensions: Vec<(String, String)>,
    },
}

impl Login {
    /// As the settings say; none where nobody is asked who they are, or a certificate says it. May ask for a token.
    ///
    /// # Errors
    /// Something is missing, the mechanism is none that is known here, or there is no token.
    pub(crate) async fn of(settings: &Settings) -> Result<Option<Self>, Fault> {
        let protocol = settings.get("security.protocol").unwrap_or_default();
        if !protocol.to_ascii_lowercase().starts_with("sasl_") {
            return Ok(None);
        }
        let mechanism = settings.get("sasl.mechanisms").or_else(|| settings.get("sasl.mechanism"));
        let mechanism = mechanism.unwrap_or("GSSAPI").to_ascii_uppercase();
        let need = |setting: &str| {
            let value = settings.get(setting).filter(|value| !value.is_empty()).map(str::to_owned);
            value.ok_or_else(|| Fault::invalid(format!("{mechanism} needs {setting}")))
        };
        let named = || Ok((need("sasl.username")?, need("sasl.password")?));
        match mechanism.as_str() {
            "PLAIN" => named().map(|(user, password)| Some(Login::Plain { user, password })),
            "SCRAM-SHA-256" => named().map(|(user, password)| Some(Login::scram(scram::Hash::Sha256, user, password))),
            "SCRAM-SHA-512" => named().map(|(user, password)| Some(Login::scram(scram::Hash::Sha512, user, password))),
            "OAUTHBEARER" => match oauth::token(settings.properties()).await.map_err(Fault::unauthorised)? {
                Some((token, extensions)) => Ok(Some(Login::Bearer { token, extensions })),
                None => Err(Fault::invalid("client quotas cannot be asked for with tokens that nobody has signed")),
            },
            _ => Err(Fault::invalid(format!(
                "client quotas cannot be asked for by {mechanism}: PLAIN, SCRAM-SHA-256, SCRAM-SHA-512 and OAUTHBEARER are known"
            ))),
        }
    }

    fn scram(hash: scram::Hash, user: String, password: String) -> Self {
        Login::Scram { hash, user, password }
    }

    fn mechanism(&self) -> &'static str {
        match self {
            Login::Plain { .. } => "PLAIN",
            Login::Scram { hash, .. } => hash.mechanism(),
            Login::Bearer { .. } => "OAUTHBEARER",
        }
    }
}

/// Says who one is.
///
/// # Errors
/// The broker does not take the mechanism, or does not believe it, or cannot show that it knows the password (SCRAM).
pub(super) fn let_in(broker: &mut Broker, login: &Login) -> Result<(), Fault> {
    shake_hands(broker, login.mechanism())?;
    match login {
        Login::Plain { user, password } => say(broker, format!("\0{user}\0{password}").as_bytes()).map(drop),
        Login::Bearer { token, extensions } => {
            let answer = say(broker, bearer(token, extensions).as_bytes())?;
            // why it refuses a token is told first; it closes when that is acknowledged (RFC 7628, 3.2.3)
            if answer.is_empty() { Ok(()) } else { say(broker, b"\x01").and(Err(refused("the token is not taken"))) }
        }
        Login::Scram { hash, user, password } => {
            let scram = Scram::new(*hash, user, password).map_err(refused)?;
            let challenge = say(broker, scram.first().as_bytes())?;
            let reply = scram.reply(&challenge).map_err(refused)?;
            let shown = say(broker, reply.message.as_bytes())?;
            reply.check(&shown).map_err(refused)
        }
    }
}

fn refused(said: impl std::fmt::Display) -> Fault {
    Fault::unauthorised(format!("SASL authentication error: {said}"))
}

fn bearer(token: &str, extensions: &[(String, String)]) -> String {
    let extensions: String = extensions.iter().map(|(name, value)| format!("{name}={value}\x01")).collect();
    format!("n,,\x01auth=Bearer {token}\x01{extensions}\x01")
}

fn shake_hands(broker: &mut Broker, mechanism: &str) -> Result<(), Fault> {
    let answer = broker.call(HANDSHAKE, Encoder::default().text(mechanism)?)?;
    let read = |answer: &mut Decoder<'_>| -> Result<_, Malformed> {
        let (code, known) = (answer.i16()?, answer.list(Decoder::text)?);
        answer.end()?;
        Ok((code, known))
    };
    match read(&mut Decoder::new(&answer)).map_err(|_| Fault::malformed(HANDSHAKE.name))? {
        (0, _) => Ok(()),
        (33, known) => {
            let said = format!("{mechanism} is not enabled at the broker, which knows {}", known.join(", "));
            Err(Fault::unauthorised(said))
        }
        (code, _) => Err(Fault::answered(code, None)),
    }
}

fn say(broker: &mut Broker, message: &[u8]) -> Result<Vec<u8>, Fault> {
    let answer = broker.call(AUTHENTICATE, Encoder::default().bytes(message)?)?;
    let read = |answer: &mut Decoder<'_>| -> Result<_, Malformed> {
        let (code, said, bytes) = (answer.i16()?, answer.nullable()?, answer.bytes()?.to_vec());
        answer.end()?;
        Ok((code, said, bytes))
    };
    match read(&mut Decoder::new(&answer)).map_err(|_| Fault::malformed(AUTHENTICATE.name))? {
        (0, _, bytes) => Ok(bytes),
        (58, Some(said), _) => Err(refused(said)),
        (code, said, _) => Err(Fault::answered(code, said)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_framed_with_what_goes_with_it() {
        assert_eq!(bearer("abc", &[]), "n,,\x01auth=Bearer abc\x01\x01");
        assert_eq!(bearer("abc", &[("p".to_owned(), "1".to_owned())]), "n,,\x01auth=Bearer abc\x01p=1\x01\x01");
    }
}
