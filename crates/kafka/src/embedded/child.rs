//! Child processes that do not outlive this one, however it ends.
//!
//! Linux sends a child its parent-death signal when the *thread* that started it ends, so that all children are started by
//! one thread that lives as long as the process.

#![allow(unsafe_code)]

use std::io;
use std::os::unix::process::CommandExt as _;
use std::process::{Child, Command};
use std::sync::OnceLock;
use std::sync::mpsc::{self, Sender, SyncSender};

struct Request {
    command: Command,
    reply: SyncSender<io::Result<Child>>,
}

/// Starts a child in a process group of its own (a terminal's Ctrl-C does not reach it), which is killed when this
/// process ends. Off Linux there is no such signal: there it is stopped only in an orderly end.
pub(super) fn spawn(mut command: Command) -> io::Result<Child> {
    command.process_group(0);
    die_with_parent(&mut command);
    let (reply, answer) = mpsc::sync_channel(1);
    let gone = |_| io::Error::other("the thread that starts child processes is gone");
    spawner()?.send(Request { command, reply }).map_err(|_| gone(mpsc::RecvError))?;
    answer.recv().map_err(gone)?
}

fn spawner() -> io::Result<&'static Sender<Request>> {
    static SPAWNER: OnceLock<Sender<Request>> = OnceLock::new();
    if let Some(spawner) = SPAWNER.get() {
        return Ok(spawner);
    }
    let (requests, inbox) = mpsc::channel::<Request>();
    let serve = move || {
        for mut request in inbox {
            // whoever asked may have gone away; a child that nobody waits for is dropped, not killed
            let _ = request.reply.send(request.command.spawn());
        }
    };
    std::thread::Builder::new().name("kafka-spawner".into()).spawn(serve)?;
    // a racing caller's sender wins or loses; the loser's thread ends with its sender, having started nothing
    Ok(SPAWNER.get_or_init(|| requests))
}

#[cfg(target_os = "linux")]
fn die_with_parent(command: &mut Command) {
    let parent = std::process::id();
    let ask = move || {
        rustix::process::set_parent_process_death_signal(Some(rustix::process::Signal::KILL))?;
        // the parent may have died before the signal was asked for
        let adopted = rustix::process::getppid().is_none_or(|now| now.as_raw_nonzero().get().unsigned_abs() != parent);
        if adopted { Err(io::Error::from(io::ErrorKind::Interrupted)) } else { Ok(()) }
    };
    // SAFETY: between fork and exec only async-signal-safe calls are allowed: `ask` makes two system calls (prctl, getppid)
    // and neither allocates nor locks.
    unsafe { command.pre_exec(ask) };
}

#[cfg(not(target_os = "linux"))]
fn die_with_parent(_: &mut Command) {}
