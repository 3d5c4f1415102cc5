//! A TCP relay that can cut or stall whatever goes through it, or be away altogether.

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
    /// New connections are ended at once.
    Away,
}

/// What stands between a client and its server.
#[derive(Debug)]
pub struct Relay {
    /// Where it listens on loopback.
    pub port: u16,
    mode: Arc<watch::Sender<Mode>>,
    cuts: Arc<watch::Sender<u32>>,
    listening: JoinHandle<()>,
}

impl Relay {
    /// A relay to `port` of `host`, on a free port of loopback.
    ///
    /// # Panics
    /// Where no port is free.
    pub async fn start(host: &str, port: u16) -> Self {
        let target = format!("{host}:{port}");
        let listener = TcpListener::bind("127.0.0.1:0").await;
        let listener = listener.expect("a free port");
        let address = listener.local_addr();
        let port = address.expect("it has an address").port();
        let mode = Arc::new(watch::channel(Mode::Open).0);
        let cuts = Arc::new(watch::channel(0).0);
        let (modes, all_cuts) = (Arc::clone(&mode), Arc::clone(&cuts));
        let listening = tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                let (modes, mut cut) = (Arc::clone(&modes), all_cuts.subscribe());
                let target = target.clone();
                if *modes.borrow() == Mode::Away {
                    continue;
                }
                tokio::spawn(async move {
                    // A target that is not there is as one that ends the connection.
                    let Ok(server) = TcpStream::connect(target).await else {
                        return;
                    };
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
    pub fn cut(&self) {
        self.cuts.send_modify(|cuts| *cuts += 1);
    }

    /// Keeps all connections, and lets nothing through.
    pub fn stall(&self) {
        self.mode.send_replace(Mode::Stalled);
    }

    /// Ends all connections, and whatever new one is made.
    pub fn go_away(&self) {
        self.mode.send_replace(Mode::Away);
        self.cut();
    }

    /// Lets everything through again.
    pub fn open(&self) {
        self.mode.send_replace(Mode::Open);
    }
}

/// A relay to the server that a URL names, and the URL that leads through it.
///
/// # Panics
/// Where the URL names no host with a port.
pub async fn to(url: &str) -> (Relay, String) {
    let (_, rest) = url.split_once("://").expect("a URL has a scheme");
    let authority = rest.split(['/', '?']).next().unwrap_or_default();
    let place = authority.rsplit('@').next().unwrap_or_default();
    let (host, port) = place.rsplit_once(':').expect("a host has a port");
    let relay = Relay::start(host, port.parse().expect("a port is a number")).await;
    let through = url.replacen(place, &format!("127.0.0.1:{}", relay.port), 1);
    (relay, through)
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
