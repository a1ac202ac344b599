//! Processes of `mesh`, ended by their id when a test is done with them.

use super::{PATIENCE, eventually};
use rustix::process::{Pid, Signal, kill_process};
use std::io::{BufRead, BufReader, Read, Write};
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{Arc, Mutex};
use std::thread;

/// A `mesh` command line, with nothing of the environment's that would lead it to another Kafka. `MESH_TEST_BINARY` names another
/// binary than the one that was built with the tests: for long runs, which a build beside them must not disturb.
pub fn mesh<I: AsRef<std::ffi::OsStr>>(args: impl IntoIterator<Item = I>) -> Command {
    let built = || env!("CARGO_BIN_EXE_mesh").into();
    let mut command = Command::new(std::env::var_os("MESH_TEST_BINARY").unwrap_or_else(built));
    command.args(args).stdin(Stdio::null());
    for variable in [
        "MESH_BOOTSTRAP_SERVERS",
        "MESH_KAFKA_CONFIG",
        "MESH_KAFKA_PASSWORD",
        "MESH_REGISTRY_URL",
        "MESH_REGISTRY_TOKEN",
        "MESH_KEYS_FILE",
        "MESH_KEYS",
        "MESH_LOG",
        "OPENLINEAGE_URL",
        "OPENLINEAGE_API_KEY",
        "OPENLINEAGE_DISABLED",
        "OPENLINEAGE_PARENT_ID",
    ] {
        command.env_remove(variable);
    }
    command
}

/// What a process left behind.
#[derive(Debug)]
pub struct Finished {
    /// Its exit code, or 128 and its signal.
    pub code: i32,
    /// Its standard output.
    pub stdout: String,
    /// Its standard error.
    pub stderr: String,
}

impl Finished {
    /// Runs a command to its end.
    ///
    /// # Panics
    /// It does not start, or does not end in time.
    pub fn of(command: &mut Command) -> Self {
        Self::given(command, "")
    }

    /// Runs a command to its end, with this standard input.
    pub fn given(command: &mut Command, input: &str) -> Self {
        let mut process = Process::start(command.stdin(Stdio::piped()));
        process.give(input);
        let code = process.wait();
        Self { code, stdout: process.stdout(), stderr: process.stderr() }
    }

    /// Asserts the exit code, showing what the process said if it is another.
    pub fn expect(self, code: i32) -> Self {
        assert_eq!(self.code, code, "stdout:\n{}\nstderr:\n{}", self.stdout, self.stderr);
        self
    }

    /// The standard output's lines as JSON.
    pub fn json_lines(&self) -> Vec<serde_json::Value> {
        let parse = |line| serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}"));
        self.stdout.lines().map(parse).collect()
    }
}

/// A running process; killed when dropped.
pub struct Process {
    child: Child,
    stdout: Arc<Mutex<String>>,
    stderr: Arc<Mutex<String>>,
    readers: Vec<thread::JoinHandle<()>>,
}

impl Process {
    /// Starts a command and reads what it says.
    pub fn start(command: &mut Command) -> Self {
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("the program is there");
        let (stdout, stderr) = (Arc::default(), Arc::default());
        let readers = vec![
            read_into(child.stdout.take().expect("it is piped"), Arc::clone(&stdout)),
            read_into(child.stderr.take().expect("it is piped"), Arc::clone(&stderr)),
        ];
        Self { child, stdout, stderr, readers }
    }

    /// What it wrote to standard output so far.
    pub fn stdout(&self) -> String {
        self.stdout.lock().expect("readers do not panic").clone()
    }

    /// What it wrote to standard error so far.
    pub fn stderr(&self) -> String {
        self.stderr.lock().expect("readers do not panic").clone()
    }

    /// Its process id.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// How it ended, if it has: its exit code, or 128 and its signal.
    pub fn ended(&mut self) -> Option<i32> {
        self.child.try_wait().expect("it is our child").map(code)
    }

    /// Writes all of `input` to its standard input and closes it; a process that ended early is no failure.
    pub fn give(&mut self, input: &str) {
        if let Some(mut stdin) = self.child.stdin.take() {
            let _ = stdin.write_all(input.as_bytes());
        }
    }

    /// Sends it a signal.
    pub fn signal(&self, signal: Signal) {
        let pid = Pid::from_child(&self.child);
        kill_process(pid, signal).expect("the process is there and ours");
    }

    /// Kills it as a crash would, no handler runs; one that has ended by itself stays as it is.
    pub fn kill(&mut self) {
        if self.ended().is_none() {
            self.signal(Signal::KILL);
        }
        self.wait();
    }

    /// Waits for its end: its exit code, or 128 and its signal.
    ///
    /// # Panics
    /// It does not end in time.
    pub fn wait(&mut self) -> i32 {
        let status = eventually("the process ends", PATIENCE * 2, || self.child.try_wait().expect("it is our child"));
        for reader in self.readers.drain(..) {
            reader.join().expect("readers do not panic");
        }
        code(status)
    }

    /// Waits until a line of its standard output satisfies `wanted`.
    ///
    /// # Panics
    /// None does in time, or it ends first.
    pub fn line(&mut self, what: &str, wanted: impl Fn(&str) -> bool) -> String {
        eventually(what, PATIENCE * 2, || {
            let said = self.stdout();
            let found = said.lines().find(|line| wanted(line)).map(str::to_owned);
            if found.is_none() {
                let ended = self.child.try_wait().expect("it is our child");
                assert!(ended.is_none(), "{what}: it ended first with {ended:?}: {}", self.stderr());
            }
            found
        })
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn code(status: ExitStatus) -> i32 {
    use std::os::unix::process::ExitStatusExt;
    status.code().unwrap_or_else(|| 128 + status.signal().unwrap_or(0))
}

fn read_into(stream: impl Read + Send + 'static, text: Arc<Mutex<String>>) -> thread::JoinHandle<()> {
    thread::spawn(move || {
        let mut lines = BufReader::new(stream);
        let mut line = Vec::new();
        while lines.read_until(b'\n', &mut line).is_ok_and(|read| read > 0) {
            text.lock().expect("nobody panics with it").push_str(&String::from_utf8_lossy(&line));
            line.clear();
        }
    })
}

/// The processes, by id and command line, whose command line names `path`.
pub fn processes_naming(path: &Path) -> Vec<(u32, String)> {
    let path = path.to_str().expect("temporary folders are UTF-8");
    let folders = std::fs::read_dir("/proc").expect("Linux has it").flatten();
    let ids = folders.filter_map(|entry| entry.file_name().to_str()?.parse::<u32>().ok());
    let named = ids.filter_map(|id| Some((id, std::fs::read_to_string(format!("/proc/{id}/cmdline")).ok()?)));
    named.filter(|(_, line)| line.contains(path)).map(|(id, line)| (id, line.replace('\0', " "))).collect()
}
