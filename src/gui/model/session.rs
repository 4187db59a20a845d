//! Session's network in Settings: nobody is asked before the person says so, and what comes of joining it changes the
//! settings.

use super::{
    Announced, Effect, Ended, Focus, JoinStep, JoinWanted, JoinedNetwork, Joining, Model,
    RelayWish, RequestWork, RunId, Trouble,
};
use crate::app::error::AppError;
use crate::app::relays::ServiceNodeNetwork;
use crate::app::transfer::join::{JoinChoice, JoinError};
use crate::app::transfer::join_nodes;
use crate::app::transfer::stage::Stage;

/// The card of Session's network.
#[derive(Debug, Default)]
pub struct SessionCard {
    /// Whether it says what joining means.
    pub open: bool,
    /// How far joining is.
    pub joining: Joining,
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
            SessionAction::Cancel => {
                let card = &mut self.settings_screen.session;
                self.focus = Some(Focus::Session);
                if let Joining::Running(run, _) = std::mem::take(&mut card.joining) {
                    return vec![Effect::from(RequestWork::Cancel(run))];
                }
            }
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
        if matches!(self.settings_screen.session.joining, Joining::Running(..)) {
            return Vec::new();
        }
        let run = RunId(self.draw_id());
        let card = &mut self.settings_screen.session;
        card.joining = Joining::Running(run, JoinStep::AskForList);
        let choice = JoinChoice {
            replace: card.replaces,
            ..JoinChoice::default()
        };
        self.announce(false, Announced::JoiningSession(JoinStep::AskForList));
        // On the button that stops it: the one that was pressed has gone.
        self.focus = Some(Focus::Session);
        vec![Effect::from(RequestWork::Join(
            run,
            JoinWanted::Session,
            choice,
            self.settings_now(),
        ))]
    }

    /// Takes in how far joining is; whether this was a step of it.
    pub(super) fn session_progress(&mut self, run: RunId, stage: Stage) -> bool {
        let Joining::Running(of, step) = &mut self.settings_screen.session.joining else {
            return false;
        };
        if *of != run {
            return false;
        }
        if step.advance(stage) {
            let step = *step;
            self.announce(false, Announced::JoiningSession(step));
        }
        true
    }

    /// Joining ended; `None` where this was no joining of Session's network.
    pub(super) fn on_session_joined(
        &mut self,
        run: RunId,
        ended: &Ended<JoinedNetwork>,
    ) -> Option<Vec<Effect>> {
        let card = &mut self.settings_screen.session;
        if !matches!(card.joining, Joining::Running(of, _) if of == run) {
            return None;
        }
        self.focus = Some(Focus::Session);
        let joined = match &ended.result {
            Ok(joined) => joined.clone(),
            Err(trouble) => {
                card.replaces = uses_other_relays(trouble);
                card.joining = Joining::Failed(trouble.clone());
                self.announce(true, Announced::NotDone(trouble.clone()));
                return Some(Vec::new());
            }
        };
        let mut effects = self.change_all(joined.changes.clone());
        self.keep_within_terms();
        effects.extend(self.ask_terms());
        effects.extend(self.ask_relays(RelayWish::Look));
        self.announce(false, Announced::Joined(joined.clone()));
        self.settings_screen.session.joining = Joining::Joined(joined);
        Some(effects)
    }
}

/// Whether joining failed because the server is used already, through other relays.
fn uses_other_relays(trouble: &Trouble) -> bool {
    let Trouble::Error(error) = trouble else {
        return false;
    };
    matches!(&**error, AppError::Join(JoinError::OtherRelays(_)))
}
