//! What Kafka is told: its properties, its log, its JVM.

use std::fmt::Write;
use std::path::Path;

use super::Options;

/// A JVM of about 300 MB: its clients are few, and a quick start counts.
pub(super) const JVM: [&str; 6] = [
    "-Xms64m",
    "-Xmx448m",
    "-XX:+UseSerialGC",
    "-XX:+ExitOnOutOfMemoryError",
    "-XX:-UsePerfData",
    "-Djava.awt.headless=true",
];

/// `server.properties` of a single node, broker and controller, on loopback.
pub(super) fn server_properties(options: &Options, data: &Path, broker: u16, controller: u16) -> String {
    let data = escape(&data.display().to_string());
    let (mut listener, mut advertised) = (String::new(), String::new());
    if let Some(proxied) = &options.proxied {
        listener = format!(",PROXIED://127.0.0.1:{}", proxied.port);
        advertised = format!(",PROXIED://127.0.0.1:{}", proxied.advertised);
    }
    let mut properties = format!(
        "process.roles=broker,controller
node.id=1
controller.quorum.voters=1@127.0.0.1:{controller}
listeners=PLAINTEXT://127.0.0.1:{broker},CONTROLLER://127.0.0.1:{controller}{listener}
advertised.listeners=PLAINTEXT://127.0.0.1:{broker}{advertised}
inter.broker.listener.name=PLAINTEXT
controller.listener.names=CONTROLLER
listener.security.protocol.map=CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT,PROXIED:PLAINTEXT
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
    for (property, value) in &options.properties {
        // of two lines for one property the last counts; a String takes what it is given
        let _ = writeln!(properties, "{property}={}", escape(value));
    }
    properties
}

/// Log4j's configuration: one file that cannot grow without bound.
pub(super) fn log_properties(log: &Path) -> String {
    let log = escape(&log.display().to_string());
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

    #[test]
    fn listens_on_loopback_only_and_creates_no_topic_unasked() {
        let properties = server_properties(&Options::default(), Path::new("/data/a\\b"), 9092, 9093);
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
        let properties = server_properties(&options, Path::new("/data"), 9092, 9093);
        assert_eq!(properties.lines().last(), Some("num.io.threads=1"));
    }

    #[test]
    fn whoever_comes_by_a_proxy_is_told_to_come_by_it_again() {
        let proxied = Some(super::super::Proxied { port: 9094, advertised: 9095 });
        let properties = server_properties(&Options { proxied, ..Options::default() }, Path::new("/data"), 9092, 9093);
        assert!(properties.contains(",PROXIED://127.0.0.1:9094\n"), "{properties}");
        assert!(properties.contains("advertised.listeners=PLAINTEXT://127.0.0.1:9092,PROXIED://127.0.0.1:9095\n"));
    }
}
