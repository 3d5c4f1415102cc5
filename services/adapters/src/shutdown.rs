//! Shutdown: one token that every loop watches; the first signal drains, the second ends at once.

pub use tokio_util::sync::CancellationToken as Shutdown;

/// Cancels `shutdown` at SIGTERM or SIGINT; a second signal ends the process with status 130.
pub fn on_signals(shutdown: &Shutdown) {
    let shutdown = shutdown.clone();
    tokio::spawn(async move {
        if signal().await.is_err() {
            return;
        }
        tracing::info!("shutdown was asked for; draining");
        shutdown.cancel();
        if signal().await.is_ok() {
            std::process::exit(130);
        }
    });
}

async fn signal() -> std::io::Result<()> {
    use tokio::signal::unix::{SignalKind, signal};
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    tokio::select! {
        biased;
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
    }
    Ok(())
}
