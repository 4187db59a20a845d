//! Asks the server of a transfer for a newer relay list, by onion request: the list's own host learns nothing of it.

use tokio_util::sync::CancellationToken;
use tracing::debug;

use super::{RelaySource, Relays};
use crate::app::network::{Network, Route, Tell};
use crate::app::session::Session;
use crate::app::who_saw_what::RequestShown;
use crate::protocol::file_api::{self, FileRequest, RELAYS_FEATURE};
use crate::protocol::relay_list::{ListSource, Refresh};
use crate::protocol::size_class::SizeClass;

/// At which point of a transfer [`refresh`] is called.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Due {
    /// Before its own request: for a list that ends soon.
    Before,
    /// Beside it: for any other.
    Beside,
}

/// Asks for a newer list when that is due: at most once a day, of a server in use that mirrors one. Whatever comes of
/// it, the last good list stays until it ends, and the transfer does not notice.
pub async fn refresh(
    session: &Session,
    network: &Network,
    due: Due,
    cancel: &CancellationToken,
) -> Vec<RequestShown> {
    let mut shown = Vec::new();
    let Route::Relays(set) = network.way() else {
        return shown;
    };
    let RelaySource::Url(source) = &set.source else {
        return shown;
    };
    let relays = Relays::of(session.home());
    let asked = relays.store.read().find(source).map(|list| list.asked);
    let is_due = match relays.last_good(source).refresh(asked, session.now()) {
        Refresh::Before => due == Due::Before,
        Refresh::Beside => due == Due::Beside,
        Refresh::NotYet => false,
    };
    if !is_due {
        return shown;
    }
    let info = session.server_info(network, &mut shown, cancel).await;
    if !matches!(info, Ok(Some(info)) if info.has(RELAYS_FEATURE)) {
        return shown;
    }
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
    let problem = match answer {
        Ok(answer) => match file_api::read_signed_list(&answer) {
            Ok(signed) => relays.take(source, &signed.list, &signed.signature, session.now()),
            Err(error) => Some(error.to_string()),
        },
        Err(_) if cancel.is_cancelled() => return shown,
        Err(error) => Some(error.to_string()),
    };
    relays.note(source, session.now(), problem);
    shown
}

impl Relays {
    /// Takes what a mirror handed on; the reason when it is refused.
    fn take(&self, source: &ListSource, list: &str, signature: &str, now: u64) -> Option<String> {
        let taken = self.store.change(|kept| {
            // Somebody may have removed it meanwhile.
            let Some(entry) = kept.find_mut(source) else {
                return Ok(());
            };
            let mut held = entry.held(source.key());
            held.offer(list.as_bytes(), Some(signature), now)
                .map(|_taken| entry.keep(&held, now))
        });
        match taken {
            Ok(Ok(())) => None,
            Ok(Err(refused)) => Some(refused.to_string()),
            Err(error) => Some(format!("the list could not be kept: {}", error.kind())),
        }
    }

    fn note(&self, source: &ListSource, now: u64, problem: Option<String>) {
        let noted = self.store.change(|kept| {
            if let Some(entry) = kept.find_mut(source) {
                entry.asked = now;
                entry.problem = problem;
            }
        });
        if noted.is_err() {
            debug!("when the relay list was asked for could not be kept");
        }
    }
}
