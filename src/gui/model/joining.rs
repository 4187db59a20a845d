//! Joining a network by the invitation in the pointer's field: what it says, what the person decides, and what came of it.
//! Until they decide, nobody is asked anything.

use super::{
    Announced, Effect, Ended, Focus, Model, PointerInfo, PointerText, Reading, RequestWork, RunId,
    Screen, SettingsWork, Tone, Trouble, WindowAction, WindowMessage,
};
use crate::app::settings::{Change, ServerEntry};
use crate::app::transfer::join::JoinChoice;
use crate::app::transfer::stage::Stage;
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

/// How far joining is by the invitation in the field.
#[derive(Clone, Debug, Default)]
pub enum Joining {
    /// The person has not decided.
    #[default]
    Undecided,
    /// It is under way.
    Running(RunId, JoinStep),
    /// The network was not joined.
    Failed(Trouble),
    /// It was.
    Joined(JoinedNetwork),
}

/// The network that the person wants to join. Never printed: an invitation is a secret.
#[derive(Clone)]
pub enum JoinWanted {
    /// The one of the invitation in this text.
    Invitation(PointerText),
    /// Session's.
    Session,
}

/// What is being done to join.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum JoinStep {
    /// Its relays are asked for the network's list, or a seed for its nodes.
    AskForList,
    /// A small file goes up, comes down and is deleted.
    TryServer,
}

/// A network that was joined.
#[derive(Clone, Debug)]
pub struct JoinedNetwork {
    /// What has to be changed in the settings.
    pub changes: Vec<Change>,
    /// What the network is called here.
    pub name: String,
    /// Number of relays in its list; 0 where it did not come.
    pub relays: usize,
    /// Whether it can be used now.
    pub state: NetworkState,
}

/// Whether a network that was joined can be used now.
#[derive(Clone, Debug)]
pub enum NetworkState {
    /// A small file went up, came down and was deleted.
    Works,
    /// Files can be received; sending failed for this reason.
    OnlyReceives(Trouble),
    /// Nobody answered, for this reason.
    NotNow(Trouble),
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

impl JoinStep {
    /// What is being done at `stage`.
    const fn of(stage: Stage) -> Self {
        match stage {
            Stage::FindPath | Stage::Connect(_) => Self::AskForList,
            _ => Self::TryServer,
        }
    }

    /// Takes in that a request is at `stage`; whether this is another step. Each request finds its path anew.
    pub(super) fn advance(&mut self, stage: Stage) -> bool {
        let goes_on = *self == Self::AskForList && Self::of(stage) == Self::TryServer;
        if goes_on {
            *self = Self::TryServer;
        }
        goes_on
    }
}

impl Joining {
    /// Something was decided about the invitation in the field: what the text is does not matter until that is put away.
    #[must_use]
    pub(super) const fn is_decided(&self) -> bool {
        matches!(self, Self::Running(..) | Self::Joined(_))
    }
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
            JoinAction::Cancel => self.cancel_join(),
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
        let waits = matches!(self.receive.joining, Joining::Running(..));
        if waits || self.receive.unread || !matches!(self.receive.reading, Reading::Invited(_)) {
            return Vec::new();
        }
        let run = RunId(self.draw_id());
        self.receive.joining = Joining::Running(run, JoinStep::AskForList);
        self.announce(false, Announced::Joining(JoinStep::AskForList));
        // On the button that stops it: the one that was pressed has gone.
        self.focus = Some(Focus::Download);
        let text = self.receive.text.clone();
        let wanted = JoinWanted::Invitation(text);
        let work = RequestWork::Join(run, wanted, choice, self.settings_now());
        vec![Effect::from(work)]
    }

    /// Takes in how far joining is; whether this was a step of it.
    pub(super) fn join_progress(&mut self, run: RunId, stage: Stage) -> bool {
        let Joining::Running(of, step) = &mut self.receive.joining else {
            return false;
        };
        if *of != run {
            return false;
        }
        if step.advance(stage) {
            let step = *step;
            self.announce(false, Announced::Joining(step));
        }
        true
    }

    /// Joining ended.
    pub(super) fn on_joined(&mut self, run: RunId, ended: Ended<JoinedNetwork>) -> Vec<Effect> {
        if let Some(effects) = self.on_session_joined(run, &ended) {
            return effects;
        }
        if !matches!(self.receive.joining, Joining::Running(of, _) if of == run) {
            return Vec::new();
        }
        self.receive.shown.append(ended.shown);
        let joined = match ended.result {
            Ok(joined) => joined,
            Err(trouble) => {
                self.announce(true, Announced::NotDone(trouble.clone()));
                self.receive.joining = Joining::Failed(trouble);
                self.focus = Some(Focus::Download);
                return Vec::new();
            }
        };
        let mut effects = self.change_all(joined.changes.clone());
        self.keep_within_terms();
        effects.extend(self.ask_terms());
        effects.extend(self.look_at_networks());
        // Where something is amiss, that is read first.
        let works = matches!(joined.state, NetworkState::Works);
        if let Some(pointer) = self.pointer_beside().filter(|_| works) {
            self.say(Tone::Success, WindowMessage::Joined(joined.name));
            effects.extend(self.fill_receive(pointer));
        } else {
            self.announce(false, Announced::Joined(joined.clone()));
            self.receive.joining = Joining::Joined(joined);
            self.focus = Some(Focus::Download);
        }
        effects
    }

    fn cancel_join(&mut self) -> Vec<Effect> {
        let effects = self.stop_joining();
        self.focus = Some(Focus::Download);
        effects.into_iter().collect()
    }

    /// Puts what was decided about an invitation away, and stops what is under way.
    pub(super) fn stop_joining(&mut self) -> Option<Effect> {
        match std::mem::take(&mut self.receive.joining) {
            Joining::Running(run, _) => Some(Effect::from(RequestWork::Cancel(run))),
            Joining::Undecided | Joining::Failed(_) | Joining::Joined(_) => None,
        }
    }

    /// Goes on to the pointer that came with the invitation, or empties the field.
    fn after_invitation(&mut self) -> Vec<Effect> {
        match self.pointer_beside() {
            Some(pointer) => self.fill_receive(pointer),
            None => self.on_action(super::ReceiveAction::Clear),
        }
    }

    /// The pointer in the field, without the invitation beside it.
    fn pointer_beside(&self) -> Option<PointerText> {
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
