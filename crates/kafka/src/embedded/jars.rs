//! Kafka's jars, fetched once into a cache folder.

use std::fs::{self, File, TryLockError};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use super::{EmbeddedError, Options, archive, child};

/// What is fetched. Part of the binary, so that it needs no working tree.
const POM: &str = include_str!("../../../../deploy/kafka/pom.xml");
/// About 45 MB; Maven itself gives a dead connection up long before.
const FETCH_TIMEOUT: Duration = Duration::from_secs(600);

/// The folder with the jars; fetches them if they are not there. Several processes may ask at once: one fetches.
pub(super) fn ensure(options: &Options, interrupted: &AtomicBool) -> Result<PathBuf, EmbeddedError> {
    let cache = options.cache.clone().unwrap_or_else(default_cache);
    let name = format!("kafka-{}-{:08x}", version(), fingerprint(POM));
    let jars = cache.join(&name);
    if jars.is_dir() {
        return Ok(jars);
    }
    fs::create_dir_all(&cache).map_err(|error| EmbeddedError::folder(&cache, error))?;
    let lock_path = cache.join(format!("{name}.lock"));
    let lock = File::create(&lock_path).map_err(|error| EmbeddedError::folder(&lock_path, error))?;
    while let Err(held) = lock.try_lock() {
        match held {
            TryLockError::WouldBlock => pause(interrupted)?,
            TryLockError::Error(error) => return Err(EmbeddedError::folder(&lock_path, error)),
        }
    }
    if !jars.is_dir() {
        // what a killed process left
        let partial = cache.join(format!("{name}.partial"));
        let _ = fs::remove_dir_all(&partial);
        fetch(options, &partial, interrupted)?;
        fs::rename(partial.join("jars"), &jars).map_err(|error| EmbeddedError::folder(&jars, error))?;
        let _ = fs::remove_dir_all(&partial);
        archive::record(options, &jars, interrupted);
    }
    Ok(jars)
}

/// Kafka's version, as the pom names it.
pub(super) fn version() -> &'static str {
    let after = POM.split_once("<kafka.version>").map_or("", |(_, after)| after);
    after.split_once('<').map_or("", |(version, _)| version)
}

fn default_cache() -> PathBuf {
    let set = |name| std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    set("MESH_CACHE")
        .or_else(|| set("XDG_CACHE_HOME").map(|cache| cache.join("mesh")))
        .or_else(|| set("HOME").map(|home| home.join(".cache/mesh")))
        .unwrap_or_else(|| std::env::temp_dir().join("mesh-cache"))
}

/// FNV-1a: tells one pom from another.
fn fingerprint(text: &str) -> u32 {
    text.bytes().fold(0x811c_9dc5, |hash, byte| (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193))
}

fn fetch(options: &Options, partial: &Path, interrupted: &AtomicBool) -> Result<(), EmbeddedError> {
    let started = Instant::now();
    tracing::info!(version = version(), "fetching apache kafka with maven, once");
    let (pom, log) = (partial.join("pom.xml"), partial.join("maven.log"));
    fs::create_dir_all(partial).map_err(|error| EmbeddedError::folder(partial, error))?;
    fs::write(&pom, POM).map_err(|error| EmbeddedError::folder(&pom, error))?;
    let out = File::create(&log).map_err(|error| EmbeddedError::folder(&log, error))?;
    let err = out.try_clone().map_err(|error| EmbeddedError::folder(&log, error))?;
    let program = options.maven.clone().unwrap_or_else(|| "mvn".into());
    let mut maven = Command::new(&program);
    maven.args(["--batch-mode", "--quiet", "--no-transfer-progress", "--file"]).arg(&pom);
    maven.args(["dependency:copy-dependencies", "-DincludeScope=runtime"]);
    maven.arg(format!("-DoutputDirectory={}", partial.join("jars").display()));
    maven.stdin(Stdio::null()).stdout(out).stderr(err);
    run(maven, &program, &log, interrupted)?;
    tracing::info!(seconds = started.elapsed().as_secs(), "fetched apache kafka");
    Ok(())
}

fn run(maven: Command, program: &Path, log: &Path, interrupted: &AtomicBool) -> Result<(), EmbeddedError> {
    let process = child::spawn(maven).map_err(|error| match error.kind() {
        std::io::ErrorKind::NotFound => EmbeddedError::MavenMissing,
        _ => EmbeddedError::Spawn { program: program.display().to_string(), source: error },
    })?;
    let mut process = Killed(process);
    let started = Instant::now();
    loop {
        match process.0.try_wait() {
            Ok(Some(status)) if status.success() => return Ok(()),
            Ok(Some(_)) => return Err(EmbeddedError::FetchJars { said: said(log) }),
            Ok(None) if started.elapsed() < FETCH_TIMEOUT => pause(interrupted)?,
            Ok(None) => {
                return Err(EmbeddedError::FetchJars { said: "maven had not finished after 10 minutes".into() });
            }
            Err(source) => return Err(EmbeddedError::Spawn { program: program.display().to_string(), source }),
        }
    }
}

/// A child that is killed when nobody waits for it any more.
struct Killed(Child);

impl Drop for Killed {
    fn drop(&mut self) {
        // one that has ended needs neither
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Waits a little; an error once whoever asked has gone away.
fn pause(interrupted: &AtomicBool) -> Result<(), EmbeddedError> {
    std::thread::sleep(Duration::from_millis(50));
    if interrupted.load(Ordering::Relaxed) { Err(EmbeddedError::Interrupted) } else { Ok(()) }
}

/// Maven's first error; what follows it are pointers to its manual.
fn said(log: &Path) -> String {
    let text = fs::read_to_string(log).unwrap_or_default();
    let plain = |line: &str| line.replace("\u{1b}[1;31m", "").replace("\u{1b}[m", "");
    let mut lines = text.lines().map(plain).filter(|line| !line.trim().is_empty());
    let first = lines.clone().find(|line| line.contains("[ERROR]"));
    let said = first.or_else(|| lines.next_back());
    said.map_or_else(|| "maven said nothing".into(), |line| line.trim().trim_start_matches("[ERROR]").trim().to_owned())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn the_pom_names_kafka_4() {
        assert!(version().starts_with("4."), "{}", version());
    }

    #[test]
    fn maven_missing_is_said() {
        let cache = tempfile::tempdir().unwrap();
        let options = Options {
            cache: Some(cache.path().into()),
            maven: Some(cache.path().join("no-such-mvn")),
            ..Options::default()
        };
        assert!(matches!(ensure(&options, &AtomicBool::new(false)), Err(EmbeddedError::MavenMissing)));
    }

    #[test]
    fn an_interrupted_fetch_ends_maven() {
        let cache = tempfile::tempdir().unwrap();
        let (maven, pid) = (cache.path().join("mvn"), cache.path().join("pid"));
        fs::write(&maven, format!("#!/bin/sh\necho $$ > {}\nexec sleep 600\n", pid.display())).unwrap();
        fs::set_permissions(&maven, std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
        let options = Options { cache: Some(cache.path().join("cache")), maven: Some(maven), ..Options::default() };
        assert!(matches!(ensure(&options, &AtomicBool::new(true)), Err(EmbeddedError::Interrupted)));
        let pid = fs::read_to_string(pid).unwrap_or_default();
        assert!(pid.is_empty() || !Path::new("/proc").join(pid.trim()).exists());
    }

    #[test]
    fn what_maven_says_is_passed_on_and_leaves_no_jars() {
        let cache = tempfile::tempdir().unwrap();
        let maven = cache.path().join("mvn");
        let script =
            "#!/bin/sh\necho '[\u{1b}[1;31mERROR\u{1b}[m] Could not transfer artifact: connection refused'\nexit 1\n";
        fs::write(&maven, script).unwrap();
        fs::set_permissions(&maven, std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
        let options = Options { cache: Some(cache.path().join("cache")), maven: Some(maven), ..Options::default() };
        for _ in 0..2 {
            let error = ensure(&options, &AtomicBool::new(false)).unwrap_err();
            assert!(
                matches!(&error, EmbeddedError::FetchJars { said } if said.contains("connection refused")),
                "{error}"
            );
        }
    }
}
