//! Asks the server of a transfer for a newer relay list, by onion request: the list's own host learns nothing of it.
//!
//! Only when a transfer is asked for anyway, at most once a day, and only a server that says that it mirrors a list.
//! Whatever comes of it, the last good list stays until it ends, and the transfer does not notice.

use std::time::Duration;

use tokio_util::sync::CancellationToken;
use tracing::debug;

use super::{RelaySource, Relays};
use crate::app::transfer::network::{Network, Route, Tell};
use crate::app::transfer::session::Session;
use crate::app::words::who_saw_what::RequestShown;
use crate::protocol::file_api::{self, FileRequest, RELAYS_FEATURE, SignedList};
use crate::protocol::relay_list::{ListSource, Refresh};
use crate::protocol::size_class::SizeClass;

/// A list that is to be asked for beside a transfer.
pub(in crate::app) struct Refreshing<'a> {
    session: &'a Session,
    network: &'a Network,
    list: Option<ListSource>,
}

impl<'a> Refreshing<'a> {
    /// Called before the transfer's own requests: asks now for a list that ends soon, and sees whether another is due.
    pub(in crate::app) async fn begin(
        session: &'a Session,
        network: &'a Network,
        shown: &mut Vec<RequestShown>,
        cancel: &CancellationToken,
    ) -> Self {
        let mut refreshing = Self {
            session,
            network,
            list: None,
        };
        let Some((list, due)) = due(session, network) else {
            return refreshing;
        };
        // Asked for here, so that the transfer finds the answer and nobody asks twice.
        let info = session.server_info(network, shown, cancel).await;
        if !matches!(info, Ok(Some(info)) if info.has(RELAYS_FEATURE)) {
            return refreshing;
        }
        match due {
            Refresh::Before => shown.extend(ask(session, network, &list, cancel).await),
            Refresh::Beside => refreshing.list = Some(list),
            Refresh::NotYet => {}
        }
        refreshing
    }

    /// Runs the transfer's own `work`, and asks for the list meanwhile if that is due.
    pub(in crate::app) async fn beside<T>(
        self,
        work: impl Future<Output = T>,
        cancel: &CancellationToken,
    ) -> (T, Vec<RequestShown>) {
        let Some(list) = &self.list else {
            return (work.await, Vec::new());
        };
        let cancel = cancel.child_token();
        let asking = ask(self.session, self.network, list, &cancel);
        tokio::pin!(work, asking);
        tokio::select! {
            shown = &mut asking => (work.await, shown),
            done = &mut work => {
                // Somebody waits for the transfer, nobody for the list.
                let shown = tokio::select! {
                    shown = &mut asking => shown,
                    () = tokio::time::sleep(PATIENCE) => {
                        cancel.cancel();
                        asking.await
                    }
                };
                (done, shown)
            }
        }
    }
}

/// The list of this network, when it is to be asked for.
fn due(session: &Session, network: &Network) -> Option<(ListSource, Refresh)> {
    let Route::Relays(set) = network.way() else {
        return None;
    };
    let RelaySource::Url(list) = &set.source else {
        return None;
    };
    let relays = Relays::of(session.home());
    // What cannot be read ends the transfer itself, where it is told.
    let kept = relays.store.read().ok()?;
    let asked = kept.find(list).map(|kept| kept.asked);
    let due = relays.last_good(list).ok()?.refresh(asked, session.now());
    (due != Refresh::NotYet).then(|| (list.clone(), due))
}

async fn ask(
    session: &Session,
    network: &Network,
    list: &ListSource,
    cancel: &CancellationToken,
) -> Vec<RequestShown> {
    let mut shown = Vec::new();
    let answer = session
        .run(
            network,
            &FileRequest::RelayList,
            SizeClass::ALL[0].blob_len(),
            &Tell::nobody(),
            &mut shown,
            cancel,
        )
        .await;
    let signed = match answer {
        Ok(answer) => file_api::read_signed_list(&answer).map_err(|error| error.to_string()),
        Err(_) if cancel.is_cancelled() => return shown,
        Err(error) => Err(error.to_string()),
    };
    Relays::of(session.home()).note(list, signed, session.now());
    shown
}

impl Relays {
    /// Takes what a mirror handed on, or keeps why there was nothing to take.
    fn note(&self, source: &ListSource, signed: Result<SignedList, String>, now: u64) {
        let noted = self.store.change(|kept| {
            // Somebody may have removed it meanwhile.
            let Some(entry) = kept.find_mut(source) else {
                return;
            };
            let taken = signed.and_then(|signed| {
                let mut held = entry.held(source.key());
                held.offer(signed.list.as_bytes(), Some(&signed.signature), now)
                    .map_err(|refused| refused.to_string())?;
                entry.keep(&held, now);
                Ok(())
            });
            entry.asked = now;
            entry.problem = taken.err();
        });
        if noted.is_err() {
            debug!("what a server said of the relay list could not be kept");
        }
    }
}

/// How long a finished transfer waits for a list that was asked for beside it.
const PATIENCE: Duration = Duration::from_secs(5);
