//! Avro Java, the reference implementation, in a JVM of its own: for the tests that hold ours against it, and for benchmarks.
//!
//! Each program is a Java file of this folder that reads lines and answers them. Needs a JDK 17 or newer and Maven, as the
//! embedded Kafka does; fetches Avro once into the target folder.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;

/// Starts a program of this folder, with Avro on its class path and pipes for input, output and errors.
pub(crate) fn start(program: &str) -> Child {
    Command::new("java")
        .args(["-Xmx512m", "-XX:+UseSerialGC", "-cp"])
        .arg(format!("{}/*", jars().display()))
        .arg(folder().join(program))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("a JDK 17 or newer is on the path")
}

/// What a program answers to so many lines: one JVM reads them all and answers each with a line.
#[allow(dead_code, reason = "benchmarks talk to a program line by line")]
pub(crate) fn ask(program: &str, lines: &[String]) -> Vec<String> {
    let mut java = start(program);
    let mut to_java = java.stdin.take().expect("it is piped");
    let input = lines.join("\n") + "\n";
    // Both pipes are bounded: what is not read while it is written would stop both sides.
    let writer = std::thread::spawn(move || to_java.write_all(input.as_bytes()));
    let output = java.wait_with_output().expect("the JVM can be waited for");
    let written = writer.join().expect("writing does not panic");
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{program} fails: {errors}");
    written.expect("a program that succeeds has read all lines");
    let answers: Vec<String> = String::from_utf8_lossy(&output.stdout).lines().map(str::to_owned).collect();
    assert_eq!(answers.len(), lines.len(), "{program} answers every line; it says: {errors}");
    answers
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/avro_java")
}

/// Avro Java's jars, fetched once.
fn jars() -> &'static Path {
    static JARS: OnceLock<PathBuf> = OnceLock::new();
    JARS.get_or_init(fetched_jars)
}

/// The jars in the target folder, fetched anew where `pom.xml` is not the one they were fetched by.
fn fetched_jars() -> PathBuf {
    let pom = std::fs::read_to_string(folder().join("pom.xml")).expect("pom.xml lies beside this file");
    let jars = Path::new(env!("CARGO_TARGET_TMPDIR")).join("avro-java");
    let fetched = jars.join("fetched-by.xml");
    if !std::fs::read_to_string(&fetched).is_ok_and(|by| by == pom) {
        fetch(&jars);
        std::fs::write(&fetched, pom).expect("the target folder can be written");
    }
    jars
}

fn fetch(to: &Path) {
    if to.exists() {
        std::fs::remove_dir_all(to).expect("the target folder can be written");
    }
    let fetched = Command::new("mvn")
        .args(["-q", "-B", "-f"])
        .arg(folder().join("pom.xml"))
        .arg("dependency:copy-dependencies")
        .arg(format!("-DoutputDirectory={}", to.display()))
        .status()
        .expect("Maven (mvn) is on the path");
    assert!(fetched.success(), "Maven fetches Avro Java");
}
