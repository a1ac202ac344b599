//! A road between processes: a TCP proxy that can be cut, hushed and slowed.

use std::net::SocketAddr;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

/// How much is carried at once.
const LOAD_BYTES: usize = 16 * 1024;

/// What a road does with what comes along.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// Everything passes.
    Open,
    /// Connections are broken, and new ones too.
    Cut,
    /// Connections stay, and nothing comes through: what a lost route looks like.
    Hushed,
    /// What is sent arrives, what is answered is lost. A connection on which an answer was lost is broken once this is over.
    Mute,
    /// Everything passes, each load so much later.
    Slow(Duration),
}

/// Which way a load goes: out to the one who is asked, or back with the answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Way {
    Out,
    Back,
}

/// A road that is open until something else is said.
pub struct Road {
    pub port: u16,
    state: watch::Sender<State>,
}

impl Road {
    /// A road to a port of this machine.
    pub async fn to(port: u16) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port is free");
        let own = listener.local_addr().expect("it is bound").port();
        let (state, told) = watch::channel(State::Open);
        tokio::spawn(serve(listener, SocketAddr::from(([127, 0, 0, 1], port)), told));
        Self { port: own, state }
    }

    pub fn set(&self, state: State) {
        self.state.send_replace(state);
    }
}

async fn serve(listener: TcpListener, target: SocketAddr, told: watch::Receiver<State>) {
    while let Ok((near, _)) = listener.accept().await {
        if *told.borrow() == State::Cut {
            continue;
        }
        // Where nobody listens, the near end is closed too.
        let Ok(far) = TcpStream::connect(target).await else { continue };
        let _ = (near.set_nodelay(true), far.set_nodelay(true));
        let ((near_in, near_out), (far_in, far_out)) = (near.into_split(), far.into_split());
        tokio::spawn(carry(Way::Out, near_in, far_out, told.clone()));
        tokio::spawn(carry(Way::Back, far_in, near_out, told.clone()));
    }
}

/// Carries one way until either end closes or the road is cut.
async fn carry(way: Way, mut from: OwnedReadHalf, mut to: OwnedWriteHalf, mut told: watch::Receiver<State>) {
    let mut load = vec![0; LOAD_BYTES];
    loop {
        let read = tokio::select! {
            read = from.read(&mut load) => read.unwrap_or(0),
            _ = told.wait_for(|state| *state == State::Cut) => return,
        };
        if read == 0 || !may_pass(way, &mut told).await || to.write_all(&load[..read]).await.is_err() {
            return;
        }
    }
}

/// Waits as the road's state has it; false once the connection is to be broken.
async fn may_pass(way: Way, told: &mut watch::Receiver<State>) -> bool {
    let state = match told.wait_for(|state| *state != State::Hushed).await {
        Ok(state) => *state,
        Err(_) => return false,
    };
    if (way, state) == (Way::Back, State::Mute) {
        let _ = told.wait_for(|state| *state != State::Mute).await;
        return false;
    }
    if let State::Slow(delay) = state {
        tokio::time::sleep(delay).await;
    }
    state != State::Cut
}
