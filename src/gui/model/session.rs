//! Session's network in Settings: nobody is asked before the person says so, and what comes of joining it changes the
//! settings.

use super::{Effect, Focus, JoinCard, JoinState, JoinWanted, Model};
use crate::app::relays::ServiceNodeNetwork;
use crate::app::transfer::join::JoinChoice;
use crate::app::transfer::join_nodes;

/// The card of Session's network.
#[derive(Debug, Default)]
pub struct SessionCard {
    /// Whether it says what joining means.
    pub open: bool,
    /// How far joining is.
    pub joining: JoinState,
    /// The person uses its server already, through other relays, which joining would replace.
    pub replaces: bool,
}

/// What a person did with the card of Session's network.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SessionAction {
    /// Stop joining.
    Cancel,
    /// Close the card, or put the outcome away.
    Close,
    /// Join the network.
    Join,
    /// Open the card.
    Open,
}

impl Model {
    pub(super) fn on_session(&mut self, action: SessionAction) -> Vec<Effect> {
        match action {
            SessionAction::Cancel => return self.cancel_join(JoinCard::Session),
            SessionAction::Close => {
                self.settings_screen.session = SessionCard::default();
                self.focus = Some(if self.session_is_joined() {
                    Focus::ServerAddress
                } else {
                    Focus::Session
                });
            }
            SessionAction::Join => return self.join_session(),
            SessionAction::Open => {
                self.settings_screen.session.open = true;
                self.focus = Some(Focus::Session);
            }
        }
        Vec::new()
    }

    /// Whether Session's network is among those of the person.
    #[must_use]
    pub(crate) fn session_is_joined(&self) -> bool {
        join_nodes::is_joined(&ServiceNodeNetwork::session(), &self.settings)
    }

    fn join_session(&mut self) -> Vec<Effect> {
        let choice = JoinChoice {
            replace: self.settings_screen.session.replaces,
            ..JoinChoice::default()
        };
        self.begin_join(JoinCard::Session, JoinWanted::Session, choice)
    }
}
