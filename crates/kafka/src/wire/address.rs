//! Where brokers are, as `bootstrap.servers` has it.

use std::fmt;

use super::Fault;

/// Kafka's usual port, which librdkafka takes where none is said.
const USUAL_PORT: u16 = 9092;

/// A broker's host and port.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Address {
    pub(super) host: String,
    pub(super) port: u16,
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.host.contains(':') {
            true => write!(f, "[{}]:{}", self.host, self.port),
            false => write!(f, "{}:{}", self.host, self.port),
        }
    }
}

/// The servers of a list, `host:port` each, separated by commas; a protocol before them says nothing.
pub(super) fn all(bootstrap: &str) -> Result<Vec<Address>, Fault> {
    let servers = bootstrap.split(',').map(str::trim).filter(|server| !server.is_empty());
    servers.map(|server| parse(server).ok_or_else(|| Fault::invalid(format!("{server} is not host:port")))).collect()
}

fn parse(server: &str) -> Option<Address> {
    let server = server.split_once("://").map_or(server, |(_, server)| server);
    let (host, port) = match server.strip_prefix('[') {
        Some(bracketed) => {
            let (host, rest) = bracketed.split_once(']')?;
            (host, if rest.is_empty() { None } else { Some(rest.strip_prefix(':')?) })
        }
        None => match server.rsplit_once(':') {
            // an address of IPv6 without a port
            Some((host, _)) if host.contains(':') => (server, None),
            Some((host, port)) => (host, Some(port)),
            None => (server, None),
        },
    };
    let port = port.map_or(Some(USUAL_PORT), |port| port.parse().ok())?;
    (!host.is_empty()).then(|| Address { host: host.to_owned(), port })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn servers_are_hosts_and_ports_with_or_without_a_protocol() {
        let read = |list| all(list).map(|all| all.iter().map(Address::to_string).collect::<Vec<_>>());
        let given = "a:1, SASL_SSL://b.example.org:2,[::1]:3,::1,[fe80::1],c,";
        let wanted = ["a:1", "b.example.org:2", "[::1]:3", "[::1]:9092", "[fe80::1]:9092", "c:9092"];
        assert_eq!(read(given), Ok(wanted.map(str::to_owned).to_vec()));
        for wrong in ["a:b", "a:70000", ":1", "[::1", "[::1]9", "a:"] {
            assert!(all(wrong).is_err_and(|fault| fault.said().contains("is not host:port")), "{wrong}");
        }
    }
}
