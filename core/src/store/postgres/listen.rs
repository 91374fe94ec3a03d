//! Hearing of commits by other engines and by applications: `LISTEN` on a connection of its own.
//!
//! Only a hint: what is not heard is found by looking now and then. Invariant: the thread ends soon after the
//! store does.

use std::future::poll_fn;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI32, Ordering};
use std::thread;
use std::time::Duration;

use tokio::runtime::Builder;
use tokio::sync::watch;
use tokio_postgres::AsyncMessage;

use super::address::Address;
use crate::process::watch::Sign;
use crate::store::Heard;

/// After the connection was lost.
const PAUSE: Duration = Duration::from_secs(1);

/// As long as it is there, somebody listens.
pub(super) struct Listener(
    #[expect(dead_code, reason = "its end is the signal")] watch::Sender<()>,
);

impl Listener {
    /// Calls `heard`, and sets `changed`, for each commit but those of the backend `own`.
    pub(super) fn start(
        address: Address,
        own: Arc<AtomicI32>,
        changed: Arc<AtomicBool>,
        heard: Heard,
    ) -> std::io::Result<Self> {
        let (sender, mut ended) = watch::channel(());
        thread::Builder::new().name("blockqueue-listen".into()).spawn(move || {
            let Ok(runtime) = Builder::new_current_thread().enable_all().build() else { return };
            runtime.block_on(async {
                loop {
                    tokio::select! {
                        // An error is the end of the sender.
                        _ = ended.changed() => break,
                        () = listen(&address, &own, &changed, &heard) => {}
                    }
                    tokio::select! {
                        _ = ended.changed() => break,
                        () = tokio::time::sleep(PAUSE) => {}
                    }
                }
            });
        })?;
        Ok(Self(sender))
    }
}

/// Until the connection is lost.
async fn listen(address: &Address, own: &AtomicI32, changed: &AtomicBool, heard: &Heard) {
    let Ok((client, mut connection)) = address.config.connect(address.tls()).await else { return };
    let channel = address.channel().replace('"', "\"\"");
    let listen = format!("LISTEN \"{channel}\"");
    let tell = || {
        changed.store(true, Ordering::Release);
        heard(Sign::Commit);
    };
    let subscribe = async {
        if client.batch_execute(&listen).await.is_err() {
            return;
        }
        // Whatever was committed before is seen now.
        tell();
        std::future::pending::<()>().await;
    };
    let receive = async {
        while let Some(message) = poll_fn(|context| connection.poll_message(context)).await {
            match message {
                Ok(AsyncMessage::Notification(notice))
                    if notice.process_id() != own.load(Ordering::Acquire) =>
                {
                    tell();
                }
                Ok(_) => {}
                Err(_) => return,
            }
        }
    };
    tokio::select! {
        () = subscribe => {}
        () = receive => {}
    }
}
