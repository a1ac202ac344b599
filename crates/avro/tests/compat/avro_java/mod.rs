//! Avro Java 1.12, the reference implementation, in a JVM of its own: for the oracle test and for the benchmark.
//!
//! Needs a JDK 17 or newer and Maven, as the embedded Kafka does; fetches Avro once into the target folder.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

/// Starts a Java program of this folder, with Avro on its class path and pipes for input and output.
pub(crate) fn start(program: &str) -> Child {
    Command::new("java")
        .args(["-Xmx512m", "-XX:+UseSerialGC", "-cp"])
        .arg(format!("{}/*", jars().display()))
        .arg(folder().join(program))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .expect("a JDK 17 or newer is on the path")
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/compat/avro_java")
}

/// Avro Java's jars, fetched once.
fn jars() -> PathBuf {
    let jars = Path::new(env!("CARGO_TARGET_TMPDIR")).join("avro-oracle");
    if !jars.join("fetched").exists() {
        let fetched = Command::new("mvn")
            .args(["-q", "-B", "-f"])
            .arg(folder().join("pom.xml"))
            .arg("dependency:copy-dependencies")
            .arg(format!("-DoutputDirectory={}", jars.display()))
            .status()
            .expect("Maven (mvn) is on the path");
        assert!(fetched.success(), "Maven fetches Avro Java");
        std::fs::write(jars.join("fetched"), "").expect("the target folder can be written");
    }
    jars
}
