//! SIGTERM and SIGINT to stop, SIGHUP to read the mapping again.

use std::io;
use std::sync::Arc;

use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::{Notify, watch};

/// Counts the signals to stop that this process got.
#[derive(Debug, Clone)]
pub struct Signals(watch::Receiver<u32>);

/// Tells every SIGHUP from here on, which no longer ends the process. Several at once may become one.
pub fn hangups() -> io::Result<Arc<Notify>> {
    let mut hangup = signal(SignalKind::hangup())?;
    let told = Arc::new(Notify::new());
    let teller = Arc::clone(&told);
    tokio::spawn(async move {
        while hangup.recv().await.is_some() {
            teller.notify_one();
        }
    });
    Ok(told)
}

// === impl Signals ===

impl Signals {
    /// Begins to count. From here on the signals no longer end the process by themselves.
    pub fn install() -> io::Result<Self> {
        let mut terminate = signal(SignalKind::terminate())?;
        let mut interrupt = signal(SignalKind::interrupt())?;
        let (sender, receiver) = watch::channel(0_u32);
        tokio::spawn(async move {
            loop {
                tokio::select! {
                    _ = terminate.recv() => {}
                    _ = interrupt.recv() => {}
                    () = sender.closed() => return,
                }
                sender.send_modify(|count| *count = count.saturating_add(1));
            }
        });
        Ok(Self(receiver))
    }

    /// Returns when so many came.
    pub async fn reached(&self, count: u32) {
        let mut receiver = self.0.clone();
        if receiver.wait_for(|so_far| *so_far >= count).await.is_err() {
            // The counting task lives as long as this receiver, so it can only have been ended with the runtime.
            std::future::pending::<()>().await;
        }
    }
}
