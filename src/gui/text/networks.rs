//! The words of invitations and of networks that were joined.

use super::{day, texts, trouble, two_sentences};
use crate::app::received::file_name::SafeFileName;
use crate::app::words::message::UserMessage;
use crate::gui::model::{
    InvitationInfo, JoinCard, JoinPhase, JoinedNetwork, KnownNetwork, ManyGone, Model, NetworkSeen,
    NetworkState, Reading, StillThere, Trouble,
};

/// What joining means: whom the person has to trust.
#[must_use]
pub(crate) fn join_meaning(info: &InvitationInfo) -> String {
    let condition = if info.operators.is_empty() {
        texts::join_if().to_owned()
    } else {
        texts::join_if_known(&info.operators.join(", "))
    };
    two_sentences(texts::join_trust(), &condition)
}

/// What else to know of an invitation, a sentence each.
#[must_use]
pub(crate) fn about_invitation(info: &InvitationInfo) -> Vec<String> {
    let known = match info.known {
        KnownNetwork::No => None,
        KnownNetwork::Member => Some(texts::join_member(&info.name)),
        KnownNetwork::OtherRelays => Some(texts::join_other(&info.name)),
    };
    let own = info
        .own_network
        .then(|| texts::join_own_network().to_owned());
    let as_member = info.for_relays.then(|| texts::join_as_member().to_owned());
    known.into_iter().chain(own).chain(as_member).collect()
}

/// The rules of paths that allow no path among the relays of an invitation.
#[must_use]
pub(crate) fn join_without_rules(why: &UserMessage) -> UserMessage {
    UserMessage {
        what: texts::join_rules().to_owned(),
        ..why.clone()
    }
}

/// On the button that joins.
#[must_use]
pub(crate) fn join_button(info: &InvitationInfo) -> &'static str {
    if info.known == KnownNetwork::OtherRelays {
        texts::replace_my_relays()
    } else if info.no_path.is_some() {
        texts::join_anyway()
    } else if info.with_pointer {
        texts::join_and_receive()
    } else {
        texts::join()
    }
}

/// Text for the step of joining that is under way on this card.
#[must_use]
pub(crate) fn join_phase(card: JoinCard, phase: JoinPhase) -> &'static str {
    match (card, phase) {
        (JoinCard::Invitation, JoinPhase::AskForList) => texts::joining_list(),
        (JoinCard::Invitation, JoinPhase::TryServer) => texts::joining_try(),
        (JoinCard::File | JoinCard::Session, JoinPhase::AskForList) => texts::session_asks_seed(),
        (JoinCard::File | JoinCard::Session, JoinPhase::TryServer) => texts::session_tries(),
    }
}

/// The name of the network that is joined on this card; `None` where there is no such card.
#[must_use]
pub(crate) fn name_on_card(model: &Model, card: JoinCard) -> Option<String> {
    match (card, &model.receive.reading) {
        (JoinCard::Invitation, Reading::Invited(info)) => Some(info.name.clone()),
        (JoinCard::Invitation, _) => None,
        (JoinCard::Session, _) => Some(texts::session_title().to_owned()),
        (JoinCard::File, _) => Some(model.nodes_on(card)?.network.shown_name()),
    }
}

/// Said of an invitation that was understood.
#[must_use]
pub(crate) fn is_invitation(info: &InvitationInfo) -> String {
    let mut said = vec![
        texts::is_invitation(&info.name, &info.host),
        join_meaning(info),
    ];
    said.extend(about_invitation(info));
    said.extend(
        info.no_path
            .as_ref()
            .map(|why| join_without_rules(why).aloud()),
    );
    said.join(" ")
}

/// Above the outcome of joining.
#[must_use]
pub(crate) fn joined_title(joined: &JoinedNetwork) -> String {
    match joined.state {
        NetworkState::NotNow(_) => texts::network_saved(&joined.name),
        NetworkState::OnlyReceives(_) | NetworkState::Works => texts::is_joined(&joined.name),
    }
}

/// Said of a network that was joined.
#[must_use]
pub(crate) fn is_joined(joined: &JoinedNetwork) -> String {
    let state = match &joined.state {
        NetworkState::Works => texts::joined_works().to_owned(),
        NetworkState::OnlyReceives(why) => joined_only_receives(why).aloud(),
        NetworkState::NotNow(why) => joined_not_now(why).aloud(),
    };
    two_sentences(&joined_title(joined), &state)
}

/// A network was joined, and sending does not work now.
#[must_use]
pub(crate) fn joined_only_receives(why: &Trouble) -> UserMessage {
    with_reason(texts::joined_receives(), why)
}

/// A network is in the settings, and nobody answered.
#[must_use]
pub(crate) fn joined_not_now(why: &Trouble) -> UserMessage {
    with_reason(texts::joined_silent(), why)
}

/// `what`, because of `why`.
fn with_reason(what: &str, why: &Trouble) -> UserMessage {
    let reason = trouble(why);
    UserMessage {
        what: what.to_owned(),
        ..reason
    }
}

/// Offers to fetch a network's list from its host, and says what that host sees; `proxy`: requests go out through one.
#[must_use]
pub(crate) fn list_host_offer(host: &str, proxy: bool) -> String {
    if proxy {
        texts::list_host_offer_proxy(host)
    } else {
        texts::list_host_offer(host)
    }
}

/// Below the name of a network: its host, its relays, until when its list is good.
#[must_use]
pub(crate) fn network_facts(host: &str, seen: Option<&NetworkSeen>, now: u64) -> String {
    let mut facts = vec![host.to_owned()];
    match seen {
        Some(seen) if seen.relays > 0 => {
            facts.push(texts::network_relays(seen.relays));
            let good = seen.expires.filter(|expires| *expires > now);
            // A day is not broken over two lines.
            let good = good.map(|expires| day(expires).replace(' ', "\u{a0}"));
            facts.extend(good.map(|day| texts::network_list_good(&day)));
        }
        Some(_) => facts.push(texts::network_no_list().to_owned()),
        None => {}
    }
    facts.join("  ·  ")
}

/// A newer list of a network waits for the person.
#[must_use]
pub(crate) fn list_waits(waiting: ManyGone) -> UserMessage {
    texts::list_waits(waiting.gone, waiting.before)
}

/// Before a network is left: what is still there, and what becomes of it.
#[must_use]
pub(crate) fn leave_body(still: StillThere) -> String {
    let deletable = (still.deletable > 0).then(|| texts::leave_deletable(still.deletable));
    let under_way = (still.under_way > 0).then(|| texts::leave_under_way(still.under_way));
    let said: Vec<String> = deletable.into_iter().chain(under_way).collect();
    said.join(" ")
}

/// Name of a file with an invitation, at first.
#[must_use]
pub(crate) fn invitation_file(network: &str) -> String {
    let name = SafeFileName::sanitize(network);
    format!("{}.cloakroom", name.as_str())
}
