//! A road to the registry that can be closed.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use tokio::{
    io::copy_bidirectional,
    net::{TcpListener, TcpStream},
    task::JoinSet,
};

pub(super) struct Road {
    pub(super) url: String,
    pub(super) open: Arc<AtomicBool>,
}

impl Road {
    pub(super) async fn to(url: &str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let target = url.trim_start_matches("http://").to_owned();
        let open = Arc::new(AtomicBool::new(true));
        tokio::spawn(Self::serve(listener, target, open.clone()));
        Road { url: format!("http://{address}"), open }
    }

    async fn serve(listener: TcpListener, target: String, open: Arc<AtomicBool>) {
        let mut journeys = JoinSet::new();
        loop {
            let accepted = tokio::time::timeout(Duration::from_millis(20), listener.accept()).await;
            if !open.load(Ordering::Relaxed) {
                journeys.shutdown().await;
                continue;
            }
            let Ok(Ok((mut near, _))) = accepted else { continue };
            let mut far = TcpStream::connect(&target).await.unwrap();
            journeys.spawn(async move { copy_bidirectional(&mut near, &mut far).await });
        }
    }
}
