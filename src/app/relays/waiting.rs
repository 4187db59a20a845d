//! A newer relay list of a network that waits until the person has looked at it. Relays that stayed in the network do not
//! pass requests on to those that left it, so while the older list is in use transfers can fail for no other reason: the
//! error of such a transfer names the list that waits.

use super::set::RelaySource;
use super::{NetworkView, Relays};
use crate::app::error::AppError;
use crate::app::transfer::call::Call;
use crate::app::transfer::routed_server::Route;
use crate::protocol::exchange::Failure;

/// How many relays of a list are missing in the newer one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ManyGone {
    /// So many are missing.
    pub gone: usize,
    /// Of so many.
    pub before: usize,
}

/// A newer relay list that waits for the person in the network of a transfer that failed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewerListWaits {
    /// Name of the network, as the settings show it.
    pub network: String,
    /// How many relays of the list in use the newer list lacks.
    pub lacks: ManyGone,
}

impl NetworkView {
    /// How many relays of the list in use the waiting list lacks; `None` when no list waits.
    #[must_use]
    pub fn many_gone(&self) -> Option<ManyGone> {
        let (list, newer) = self.source.list.as_ref().zip(self.waiting.as_ref())?;
        let relays = list.relays.iter();
        let gone = relays.filter(|relay| newer.find(&relay.key).is_none());
        Some(ManyGone {
            gone: gone.count(),
            before: list.relays.len(),
        })
    }
}

/// Adds the newer list that waits in the network of this call to an error that relays of the older list can be the reason
/// for. Every other error stays as it is, and so does one in a network that the settings do not have: nobody could accept
/// the list.
#[must_use]
pub(in crate::app) fn name_waiting_list(call: &Call, error: AppError) -> AppError {
    match error {
        AppError::Transfer(mut failed) if may_be_the_list(&failed.exchange.failure) => {
            failed.waits = waiting_for(call).map(Box::new);
            AppError::Transfer(failed)
        }
        other => other,
    }
}

/// The newer list that waits in the network whose relays this call goes over. Reads a file and nothing else.
fn waiting_for(call: &Call) -> Option<NewerListWaits> {
    let Route::Relays(set) = call.routed().route() else {
        return None;
    };
    let RelaySource::Network(network) = &set.source else {
        return None;
    };
    let (program, settings) = (call.program(), call.program().settings());
    let entry = settings.entry(call.routed().server());
    let entry = entry.filter(|entry| entry.network() == Some(*network))?;
    // What cannot be read has been told by whoever chose the relays.
    let view = Relays::of(program.home()).view_network(network, program.now());
    Some(NewerListWaits {
        network: settings.name_in_list(entry).to_owned(),
        lacks: view.ok()?.many_gone()?,
    })
}

/// Whether a request can have failed because its relays left the network, or no longer know one another.
const fn may_be_the_list(why: &Failure) -> bool {
    match why {
        Failure::Blocked
        | Failure::Broken
        | Failure::FirstUnreachable
        | Failure::NoPath(_)
        | Failure::Plain(_)
        | Failure::Relay { .. }
        | Failure::RelayUnreachable(_)
        | Failure::ServerNotServed
        | Failure::TimedOut => true,
        // The request or the server is at fault, or somebody changed the answer.
        Failure::Build(_)
        | Failure::Malformed
        | Failure::ServerBusy(_)
        | Failure::ServerPlain(_)
        | Failure::ServerUnreachable
        | Failure::ServerWrongKey
        | Failure::Tampered(_) => false,
    }
}
