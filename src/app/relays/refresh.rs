//! Asks the server of a transfer for a newer relay list, by onion request: the list's own host learns nothing of it.
//!
//! Only when a transfer is asked for anyway: at most once a day, a server that says that it mirrors a list; the server of a
//! network, when a third of the list's life is left.
//! Whatever comes of it, the last good list stays until it ends, and the transfer does not notice.

use std::time::Duration;

use tracing::debug;

use super::problem::{ListProblem, ListProblemKind};
use super::waiting::name_waiting_list;
use super::{NetworkId, RelaySource, Relays};
use crate::app::error::AppError;
use crate::app::transfer::call::{Call, ShownLog};
use crate::app::transfer::routed_server::Route;
use crate::protocol::file_api::{self, FileRequest, RELAYS_FEATURE, SignedList};
use crate::protocol::relay_list::{ListSource, Refresh};
use crate::protocol::size_class::SizeClass;

/// Runs a transfer's own `work`, and asks the server of `call` for a newer relay list if that is due: before the work for
/// a list that ends soon, else beside it. A list that came meanwhile and waits is named where the work fails.
///
/// # Errors
/// Those of `work`.
pub(in crate::app) async fn beside<T>(
    call: &Call,
    work: impl Future<Output = Result<T, AppError>>,
) -> Result<T, AppError> {
    let Some(list) = before(call).await else {
        return work.await;
    };
    // Logged after what the transfer itself shows, whichever ends first.
    let log = ShownLog::default();
    let asking = call.clone().with_log(log.clone());
    let asking = asking.with_cancel(call.cancel().child_token());
    let done = {
        let ask = ask(&asking, &list);
        tokio::pin!(work, ask);
        tokio::select! {
            () = &mut ask => work.await,
            done = &mut work => {
                // Somebody waits for the transfer, nobody for the list.
                if tokio::time::timeout(PATIENCE, &mut ask).await.is_err() {
                    asking.cancel().cancel();
                    ask.await;
                }
                done
            }
        }
    };
    call.log().extend(log.requests());
    done.map_err(|error| name_waiting_list(call, error))
}

/// Asks now for a list that ends soon. Returns a list that is to be asked for beside the transfer.
async fn before(call: &Call) -> Option<RefreshedList> {
    let (list, due) = due(call)?;
    // A server that keeps a network hands on its list. Any other says whether it does: asked for here, so that the transfer
    // finds the answer and nobody asks twice.
    if let RefreshedList::Url(_) = list {
        let info = call.server_info().await;
        if !matches!(info, Ok(Some(info)) if info.has(RELAYS_FEATURE)) {
            return None;
        }
    }
    match due {
        Refresh::Before => {
            ask(call, &list).await;
            None
        }
        Refresh::Beside => Some(list),
        Refresh::NotYet => None,
    }
}

/// A list that servers hand on.
enum RefreshedList {
    Network(NetworkId),
    Url(ListSource),
}

/// The list of the call's relays, when it is to be asked for.
fn due(call: &Call) -> Option<(RefreshedList, Refresh)> {
    let Route::Relays(set) = call.routed().route() else {
        return None;
    };
    let (program, now) = (call.program(), call.program().now());
    let relays = Relays::of(program.home());
    let (list, due) = match &set.source {
        RelaySource::Network(network) => {
            let due = relays.network_refresh(network, now);
            (RefreshedList::Network(*network), due)
        }
        RelaySource::Url(list) => {
            // What cannot be read ends the transfer itself, where it is told.
            let kept = relays.store.read().ok()?;
            let asked = kept.find(list).map(|kept| kept.record.asked);
            let due = relays.last_good(list).ok()?.refresh(asked, now);
            (RefreshedList::Url(list.clone()), due)
        }
        RelaySource::BuiltIn
        | RelaySource::File(_)
        | RelaySource::ServiceNodes(_)
        | RelaySource::Session => return None,
    };
    (due != Refresh::NotYet).then_some((list, due))
}

async fn ask(call: &Call, list: &RefreshedList) {
    let longest = SizeClass::ALL[0].blob_len();
    let answer = call.silent().run(&FileRequest::RelayList, longest).await;
    let signed = match answer {
        Ok(answer) => file_api::read_signed_list(&answer)
            .map_err(|error| ListProblem::new(ListProblemKind::NoList, &error)),
        Err(_) if call.cancel().is_cancelled() => return,
        Err(error) => Err(ListProblem::new(ListProblemKind::NoAnswer, &error)),
    };
    let program = call.program();
    let (relays, now) = (Relays::of(program.home()), program.now());
    match list {
        RefreshedList::Network(network) => relays.note_network(network, signed, now),
        RefreshedList::Url(list) => relays.note(list, signed, now),
    }
}

impl Relays {
    /// Keeps the list that a mirror handed on, or the reason why there is none.
    fn note(&self, source: &ListSource, signed: Result<SignedList, ListProblem>, now: u64) {
        let noted = self.store.change(|kept| {
            // Somebody may have removed it meanwhile.
            let Some(entry) = kept.find_mut(source) else {
                return;
            };
            let taken = signed.and_then(|signed| {
                let mut held = entry.record.held(source.key());
                held.offer(signed.list.as_bytes(), Some(&signed.signature), now)
                    .map_err(|refused| ListProblem::new(ListProblemKind::Refused, &refused))?;
                entry.record.keep(&held, now);
                Ok(())
            });
            entry.record.asked = now;
            entry.record.set_problem(taken.err());
        });
        if noted.is_err() {
            debug!("what a server said of the relay list could not be kept");
        }
    }
}

/// How long a finished transfer waits for a list that was asked for beside it.
const PATIENCE: Duration = Duration::from_secs(5);
