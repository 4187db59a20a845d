//! Networks of service nodes: Session's, whose card stands in Settings, and others of its kind, which a file describes. Nobody is
//! asked before the person says so, and what comes of joining one changes the settings.

use super::{
    Announced, DialogWork, Effect, FileWork, Focus, JoinCard, JoinState, JoinWanted, Model, Screen,
    Tone, WindowAction,
};
use crate::app::relays::ServiceNodeNetwork;
use crate::app::transfer::join::JoinChoice;
use crate::app::transfer::join_nodes;
use crate::app::words::message::UserMessage;
use crate::app::words::who_saw_what::WhoSawWhat;

/// The card of a network of service nodes.
#[derive(Clone, Debug)]
pub struct NodesCard {
    /// The network. Whoever made its file chose its name.
    pub network: ServiceNodeNetwork,
    /// Whether it says what joining means.
    pub open: bool,
    /// How far joining is.
    pub joining: JoinState,
    /// What joining showed to whom.
    pub shown: WhoSawWhat,
    /// The person uses its server already, through other relays, which joining would replace.
    pub replaces: bool,
}

impl NodesCard {
    fn of(network: ServiceNodeNetwork, open: bool) -> Self {
        Self {
            network,
            open,
            joining: JoinState::default(),
            shown: WhoSawWhat::default(),
            replaces: false,
        }
    }
}

impl Default for NodesCard {
    /// The closed card of Session's network.
    fn default() -> Self {
        Self::of(ServiceNodeNetwork::session(), false)
    }
}

/// What a person did with the card of a network of service nodes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NodesAction {
    /// Stop joining.
    Cancel(JoinCard),
    /// Choose a file that describes such a network.
    ChooseFile,
    /// Close the card, or put the outcome away.
    Close(JoinCard),
    /// Join the network.
    Join(JoinCard),
    /// Open the card of Session's network.
    Open,
}

impl Model {
    pub(super) fn on_nodes(&mut self, action: NodesAction) -> Vec<Effect> {
        match action {
            NodesAction::Cancel(card) => return self.cancel_join(card),
            NodesAction::ChooseFile => {
                return self.dialog(Effect::from(DialogWork::PickServiceNodes));
            }
            NodesAction::Close(card) => return self.close_nodes(card),
            NodesAction::Join(card) => return self.join_nodes(card),
            NodesAction::Open => {
                self.settings_screen.session.open = true;
                self.focus = Some(Focus::Session);
            }
        }
        Vec::new()
    }

    /// The network of service nodes on this card; `None` where the card is another's, or is not there.
    #[must_use]
    pub(crate) fn nodes_on(&self, card: JoinCard) -> Option<&NodesCard> {
        match card {
            JoinCard::File => self.settings_screen.nodes_file.as_ref(),
            JoinCard::Invitation => None,
            JoinCard::Session => Some(&self.settings_screen.session),
        }
    }

    /// Whether Session's network is among those of the person.
    #[must_use]
    pub(crate) fn session_is_joined(&self) -> bool {
        join_nodes::is_joined(&ServiceNodeNetwork::session(), &self.settings)
    }

    fn close_nodes(&mut self, card: JoinCard) -> Vec<Effect> {
        let stopped = self.stop_join(card);
        if card == JoinCard::File {
            self.settings_screen.nodes_file = None;
            self.focus = Some(match self.screen {
                Screen::Receive => Focus::Pointer,
                _ => Focus::NodesFile,
            });
        } else {
            self.settings_screen.session = NodesCard::default();
            self.focus = Some(if self.session_is_joined() {
                Focus::ServerAddress
            } else {
                Focus::Session
            });
        }
        stopped.into_iter().collect()
    }

    fn join_nodes(&mut self, card: JoinCard) -> Vec<Effect> {
        let Some(nodes) = self.nodes_on(card) else {
            return Vec::new();
        };
        let choice = JoinChoice {
            replace: nodes.replaces,
            ..JoinChoice::default()
        };
        let wanted = JoinWanted::ServiceNodes(Box::new(nodes.network.clone()));
        self.begin_join(card, wanted, choice)
    }

    /// Has a file read that is said to describe a network of service nodes.
    pub(super) fn read_nodes(&self, path: std::path::PathBuf) -> Vec<Effect> {
        vec![Effect::from(FileWork::ReadServiceNodes(path))]
    }

    /// Takes in the network that a file describes, or why it describes none; `None` when no file was chosen.
    pub(super) fn on_nodes_file(
        &mut self,
        read: Option<Result<Box<ServiceNodeNetwork>, UserMessage>>,
    ) -> Vec<Effect> {
        self.dialog_open = false;
        let network = match read {
            None => return Vec::new(),
            Some(Ok(network)) => *network,
            Some(Err(message)) => {
                self.say(Tone::Danger, message);
                return Vec::new();
            }
        };
        let mut effects = Vec::from_iter(self.stop_join(JoinCard::File));
        if self.screen != Screen::Receive {
            effects.extend(self.on_action(WindowAction::Go(Screen::Settings)));
        }
        self.announce(false, Announced::NodesFile(network.shown_name()));
        self.settings_screen.nodes_file = Some(NodesCard::of(network, true));
        self.focus = Some(Focus::NodesFile);
        effects
    }
}
