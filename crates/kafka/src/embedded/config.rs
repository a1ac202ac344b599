//! What Kafka is told: its properties, its log, its JVM.

use std::fmt::Write;
use std::path::Path;

use super::Options;
use super::secured::Secured;

/// A JVM of about 300 MB: its clients are few, and a quick start counts.
pub(super) const JVM: [&str; 6] = [
    "-Xms64m",
    "-Xmx448m",
    "-XX:+UseSerialGC",
    "-XX:+ExitOnOutOfMemoryError",
    "-XX:-UsePerfData",
    "-Djava.awt.headless=true",
];

/// The ports that Kafka listens on.
#[derive(Debug, Clone, Copy)]
pub(super) struct Ports {
    /// For clients.
    pub(super) broker: u16,
    /// For itself as the controller.
    pub(super) controller: u16,
    /// For itself as a broker, where clients have to say who they are.
    pub(super) internal: u16,
}

/// `server.properties` of a single node, broker and controller, on loopback.
pub(super) fn server_properties(options: &Options, data: &Path, ports: Ports, secure: Option<&Secured>) -> String {
    let data = escape(&data.display().to_string());
    let Ports { broker, controller, internal } = ports;
    let (clients, own, protocols) = match secure {
        None => ("PLAINTEXT", "PLAINTEXT", "CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT,PROXIED:PLAINTEXT"),
        Some(_) => ("SECURED", "INTERNAL", "CONTROLLER:SSL,INTERNAL:SSL,SECURED:SASL_SSL,PROXIED:SASL_SSL"),
    };
    let (mut listener, mut advertised) = (String::new(), String::new());
    if secure.is_some() {
        listener = format!(",INTERNAL://127.0.0.1:{internal}");
        advertised.clone_from(&listener);
    }
    if let Some(proxied) = &options.proxied {
        // a String takes what it is given
        let _ = write!(listener, ",PROXIED://127.0.0.1:{}", proxied.port);
        let _ = write!(advertised, ",PROXIED://127.0.0.1:{}", proxied.advertised);
    }
    let mut properties = format!(
        "process.roles=broker,controller
node.id=1
controller.quorum.voters=1@127.0.0.1:{controller}
listeners={clients}://127.0.0.1:{broker},CONTROLLER://127.0.0.1:{controller}{listener}
advertised.listeners={clients}://127.0.0.1:{broker}{advertised}
inter.broker.listener.name={own}
controller.listener.names=CONTROLLER
listener.security.protocol.map={protocols}
log.dirs={data}
auto.create.topics.enable=false
num.partitions=1
default.replication.factor=1
min.insync.replicas=1
offsets.topic.replication.factor=1
offsets.topic.num.partitions=4
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
transaction.state.log.num.partitions=4
share.coordinator.state.topic.replication.factor=1
share.coordinator.state.topic.min.isr=1
share.coordinator.state.topic.num.partitions=1
group.initial.rebalance.delay.ms=0
log.cleaner.dedupe.buffer.size=8388608
log.segment.delete.delay.ms=1000
num.network.threads=2
num.io.threads=4
num.recovery.threads.per.data.dir=2
"
    );
    properties.push_str(&secure.map(|secure| escape(&secure.properties())).unwrap_or_default());
    for (property, value) in &options.properties {
        // of two lines for one property the last counts; a String takes what it is given
        let _ = writeln!(properties, "{property}={}", escape(value));
    }
    properties
}

/// Log4j's configuration: a file that cannot grow without bound, and one for whom the authoriser has denied what.
pub(super) fn log_properties(log: &Path, authorizer_log: &Path) -> String {
    let [log, authorizer_log] = [log, authorizer_log].map(|log| escape(&log.display().to_string()));
    format!(
        "status=error
appender.file.type=RollingFile
appender.file.name=file
appender.file.fileName={log}
appender.file.filePattern={log}.%i
appender.file.layout.type=PatternLayout
appender.file.layout.pattern=%d{{yyyy-MM-dd'T'HH:mm:ss.SSSX}} %p %c{{1}}: %m%n
appender.file.policies.type=Policies
appender.file.policies.size.type=SizeBasedTriggeringPolicy
appender.file.policies.size.size=8MB
appender.file.strategy.type=DefaultRolloverStrategy
appender.file.strategy.max=2
appender.authorizer.type=RollingFile
appender.authorizer.name=authorizer
appender.authorizer.fileName={authorizer_log}
appender.authorizer.filePattern={authorizer_log}.%i
appender.authorizer.layout.type=PatternLayout
appender.authorizer.layout.pattern=%d{{yyyy-MM-dd'T'HH:mm:ss.SSSX}} %p %m%n
appender.authorizer.policies.type=Policies
appender.authorizer.policies.size.type=SizeBasedTriggeringPolicy
appender.authorizer.policies.size.size=8MB
appender.authorizer.strategy.type=DefaultRolloverStrategy
appender.authorizer.strategy.max=2
logger.authorizer.name=kafka.authorizer.logger
logger.authorizer.level=info
logger.authorizer.additivity=false
logger.authorizer.appenderRef.authorizer.ref=authorizer
rootLogger.level=info
rootLogger.appenderRef.file.ref=file
"
    )
}

/// A backslash begins an escape in Java's properties.
fn escape(value: &str) -> String {
    value.replace('\\', "\\\\")
}

#[cfg(test)]
mod tests {
    use super::*;

    const PORTS: Ports = Ports { broker: 9092, controller: 9093, internal: 9091 };

    #[test]
    fn listens_on_loopback_only_and_creates_no_topic_unasked() {
        let properties = server_properties(&Options::default(), Path::new("/data/a\\b"), PORTS, None);
        let listeners: Vec<&str> = properties.lines().filter(|line| line.contains("listeners=")).collect();
        assert_eq!(
            listeners,
            [
                "listeners=PLAINTEXT://127.0.0.1:9092,CONTROLLER://127.0.0.1:9093",
                "advertised.listeners=PLAINTEXT://127.0.0.1:9092",
            ]
        );
        assert!(properties.contains("\nauto.create.topics.enable=false\n"));
        assert!(properties.contains("\nlog.dirs=/data/a\\\\b\n"));
    }

    #[test]
    fn further_properties_come_last_and_win() {
        let given = [("num.io.threads".to_owned(), "1".to_owned())];
        let options = Options { properties: given.into(), ..Options::default() };
        let properties = server_properties(&options, Path::new("/data"), PORTS, None);
        assert_eq!(properties.lines().last(), Some("num.io.threads=1"));
    }

    #[test]
    fn whoever_comes_by_a_proxy_is_told_to_come_by_it_again() {
        let proxied = Some(super::super::Proxied { port: 9094, advertised: 9095 });
        let properties = server_properties(&Options { proxied, ..Options::default() }, Path::new("/data"), PORTS, None);
        assert!(properties.contains(",PROXIED://127.0.0.1:9094\n"), "{properties}");
        assert!(properties.contains("advertised.listeners=PLAINTEXT://127.0.0.1:9092,PROXIED://127.0.0.1:9095\n"));
    }
}
