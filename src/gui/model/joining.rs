//! Joining a network by the invitation in the pointer's field: what it says, and what the person decides. Until they decide,
//! nobody is asked anything; what becomes of it then is in `join_run`.

use super::{
    Effect, JoinCard, Model, PointerInfo, PointerText, Reading, Screen, SettingsWork, WindowAction,
};
use crate::app::relays::ServiceNodeNetwork;
use crate::app::settings::ServerEntry;
use crate::app::transfer::join::JoinChoice;
use crate::app::words::message::UserMessage;
use crate::protocol::pointer::Pointer;

/// What an invitation says, without asking anyone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InvitationInfo {
    /// What the network will be called here, safe to show. Its maker chose it, so the host stands beside it.
    pub name: String,
    /// Its file server, by URL without scheme.
    pub host: String,
    /// Number of relays that it names.
    pub relays: usize,
    /// What the operators of its relays call themselves, safe to show.
    pub operators: Vec<String>,
    /// Five words that members compare.
    pub words: [&'static str; 5],
    /// Server and relays are in the network of this computer.
    pub own_network: bool,
    /// It was made for whoever adds a relay.
    pub for_relays: bool,
    /// What the settings have of the network already.
    pub known: KnownNetwork,
    /// Why the rules of paths allow no path among its relays.
    pub no_path: Option<UserMessage>,
    /// Host that the network's list can also be fetched from.
    pub list_host: Option<String>,
    /// A pointer stands in the same text.
    pub with_pointer: bool,
}

/// What the settings have already of an invitation's network.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KnownNetwork {
    /// Nothing.
    No,
    /// The person is a member.
    Member,
    /// The person uses its server through other relays.
    OtherRelays,
}

/// What a text in the pointer's field turned out to hold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TextHolds {
    /// An invitation, perhaps with a pointer beside it.
    Invitation(Box<InvitationInfo>),
    /// A pointer.
    Pointer(PointerInfo),
}

impl From<PointerInfo> for TextHolds {
    fn from(info: PointerInfo) -> Self {
        Self::Pointer(info)
    }
}

/// The network that the person wants to join. Never printed: an invitation is a secret.
#[derive(Clone)]
pub enum JoinWanted {
    /// The one of the invitation in this text.
    Invitation(PointerText),
    /// One of service nodes: Session's, or another that a file describes.
    ServiceNodes(Box<ServiceNodeNetwork>),
}

/// What a person did with an invitation.
#[derive(Clone, Copy, Debug)]
pub enum JoinAction {
    /// Stop joining.
    Cancel,
    /// Put the outcome away, and go on to the pointer that came with the invitation.
    Close,
    /// Join the network.
    Join(JoinChoice),
    /// Leave the invitation, and go on to the pointer that came with it.
    NotNow,
    /// Put the outcome away and go where files are shared.
    Share,
}

impl InvitationInfo {
    /// Joining needs no more than the word to do so.
    #[must_use]
    pub(crate) fn is_plain(&self) -> bool {
        self.no_path.is_none() && self.known != KnownNetwork::OtherRelays
    }
}

impl Model {
    pub(super) fn on_join(&mut self, action: JoinAction) -> Vec<Effect> {
        match action {
            JoinAction::Cancel => self.cancel_join(JoinCard::Invitation),
            JoinAction::Close | JoinAction::NotNow => self.after_invitation(),
            JoinAction::Join(choice) => self.join(choice),
            JoinAction::Share => {
                let mut effects = self.after_invitation();
                effects.extend(self.on_action(WindowAction::Go(Screen::Share)));
                effects
            }
        }
    }

    /// Enter in the field: joins where nothing else has to be decided.
    pub(super) fn join_plainly(&mut self) -> Vec<Effect> {
        match &self.receive.reading {
            Reading::Invited(info) if info.is_plain() => self.join(JoinChoice::default()),
            _ => Vec::new(),
        }
    }

    fn join(&mut self, choice: JoinChoice) -> Vec<Effect> {
        if self.receive.unread || !matches!(self.receive.reading, Reading::Invited(_)) {
            return Vec::new();
        }
        let wanted = JoinWanted::Invitation(self.receive.text.clone());
        self.begin_join(JoinCard::Invitation, wanted, choice)
    }

    /// Goes on to the pointer that came with the invitation, or empties the field.
    fn after_invitation(&mut self) -> Vec<Effect> {
        match self.pointer_beside() {
            Some(pointer) => self.fill_receive(pointer),
            None => self.on_action(super::ReceiveAction::Clear),
        }
    }

    /// The pointer in the field, without the invitation beside it.
    pub(super) fn pointer_beside(&self) -> Option<PointerText> {
        let pointer = Pointer::find(self.receive.text.as_str()).ok()?;
        Some(PointerText::new(pointer.to_text().as_str().to_owned()))
    }

    /// Has the relay lists of the networks looked at, for Settings.
    pub(super) fn look_at_networks(&self) -> Option<Effect> {
        let has_relays = |server: &ServerEntry| server.relays.is_some();
        (self.settings.servers.iter().any(has_relays))
            .then(|| Effect::from(SettingsWork::LookAtNetworks(self.settings_now())))
    }
}
