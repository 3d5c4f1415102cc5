//! A TCP relay that can cut or stall whatever goes through it.

use std::sync::Arc;

use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{
        TcpListener, TcpStream,
        tcp::{OwnedReadHalf, OwnedWriteHalf},
    },
    sync::watch,
    task::JoinHandle,
};

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Mode {
    Open,
    /// Bytes are neither read nor written, and nobody is told.
    Stalled,
}

pub(crate) struct Relay {
    pub(crate) port: u16,
    mode: Arc<watch::Sender<Mode>>,
    cuts: Arc<watch::Sender<u32>>,
    listening: JoinHandle<()>,
}

impl Relay {
    pub(crate) async fn start(host: &str, port: u16) -> Self {
        let target = format!("{host}:{port}");
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let mode = Arc::new(watch::channel(Mode::Open).0);
        let cuts = Arc::new(watch::channel(0).0);
        let (modes, all_cuts) = (Arc::clone(&mode), Arc::clone(&cuts));
        let listening = tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                let (modes, mut cut) = (Arc::clone(&modes), all_cuts.subscribe());
                let target = target.clone();
                tokio::spawn(async move {
                    let server = TcpStream::connect(target).await.unwrap();
                    let (from_client, to_client) = client.into_split();
                    let (from_server, to_server) = server.into_split();
                    tokio::select! {
                        biased;
                        _ = cut.changed() => {}
                        () = forward(from_client, to_server, modes.subscribe()) => {}
                        () = forward(from_server, to_client, modes.subscribe()) => {}
                    }
                });
            }
        });
        Self {
            port,
            mode,
            cuts,
            listening,
        }
    }

    /// Ends all connections; new ones are taken.
    pub(crate) fn cut(&self) {
        self.cuts.send_modify(|cuts| *cuts += 1);
    }

    /// Keeps all connections, and lets nothing through.
    pub(crate) fn stall(&self) {
        self.mode.send_replace(Mode::Stalled);
    }

    /// Lets everything through again.
    pub(crate) fn open(&self) {
        self.mode.send_replace(Mode::Open);
    }
}

impl Drop for Relay {
    fn drop(&mut self) {
        self.listening.abort();
        self.cut();
    }
}

async fn forward(mut from: OwnedReadHalf, mut to: OwnedWriteHalf, mut mode: watch::Receiver<Mode>) {
    let mut buffer = vec![0; 16 << 10];
    loop {
        let Ok(length @ 1..) = from.read(&mut buffer).await else {
            return;
        };
        if mode.wait_for(|mode| *mode == Mode::Open).await.is_err() {
            return;
        }
        if to.write_all(&buffer[..length]).await.is_err() {
            return;
        }
    }
}
