//! Joining a network, from the moment when the person has decided: by an invitation, or as one of service nodes. Both are done
//! alike, on cards of their own.

use super::{
    Announced, Effect, Ended, Focus, JoinWanted, Model, RelayWish, RequestWork, RunId, Tone,
    Trouble, WindowMessage,
};
use crate::app::error::AppError;
use crate::app::settings::Change;
use crate::app::transfer::join::{JoinChoice, JoinError};
use crate::app::transfer::stage::Stage;
use crate::app::words::who_saw_what::WhoSawWhat;

/// How far joining is on one of the cards.
#[derive(Clone, Debug, Default)]
pub enum JoinState {
    /// The person has not decided.
    #[default]
    Undecided,
    /// It is under way.
    Running(RunId, JoinPhase),
    /// The network was not joined.
    Failed(Trouble),
    /// It was.
    Joined(JoinedNetwork),
}

/// A card on which a network is joined.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum JoinCard {
    /// The card of a network of service nodes that a file describes.
    File,
    /// The card of the invitation in the pointer's field.
    Invitation,
    /// The card of Session's network in Settings.
    Session,
}

/// Step of joining a network that is under way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum JoinPhase {
    /// Its relays are asked for the network's list, or a seed for its nodes.
    AskForList,
    /// A small file goes up, comes down and is deleted.
    TryServer,
}

/// A network that was joined.
#[derive(Clone, Debug)]
pub struct JoinedNetwork {
    /// Changes that add the network to the settings.
    pub changes: Vec<Change>,
    /// Name of the network in the settings.
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

impl JoinPhase {
    /// What is being done at `stage`.
    const fn of(stage: Stage) -> Self {
        match stage {
            Stage::FindPath | Stage::Connect(_) => Self::AskForList,
            _ => Self::TryServer,
        }
    }
}

impl JoinCard {
    const ALL: [Self; 3] = [Self::File, Self::Invitation, Self::Session];

    /// The main button of the card.
    #[must_use]
    pub(crate) const fn focus(self) -> Focus {
        match self {
            Self::File => Focus::NodesFile,
            Self::Invitation => Focus::Download,
            Self::Session => Focus::Session,
        }
    }
}

impl JoinState {
    /// Whether the person has decided to join and nothing speaks against it so far: what else the card says does not matter
    /// until that is put away.
    #[must_use]
    pub(super) const fn is_decided(&self) -> bool {
        matches!(self, Self::Running(..) | Self::Joined(_))
    }

    /// Whether it is under way as this run.
    fn is_run(&self, run: RunId) -> bool {
        matches!(self, Self::Running(of, _) if *of == run)
    }

    /// Takes in that a request is at `stage`. Returns what is being done now, where that is something else than before: each
    /// request finds its path anew.
    fn advance(&mut self, stage: Stage) -> Option<JoinPhase> {
        match self {
            Self::Running(_, phase @ JoinPhase::AskForList)
                if JoinPhase::of(stage) == JoinPhase::TryServer =>
            {
                *phase = JoinPhase::TryServer;
                Some(*phase)
            }
            _ => None,
        }
    }

    /// Puts away what was decided. Returns the effect that stops what is under way.
    fn stop(&mut self) -> Option<Effect> {
        match std::mem::take(self) {
            Self::Running(run, _) => Some(Effect::from(RequestWork::Cancel(run))),
            Self::Undecided | Self::Failed(_) | Self::Joined(_) => None,
        }
    }
}

impl Model {
    /// How far joining is on this card, and what it showed to whom; `None` where there is no such card.
    fn join_on(&mut self, card: JoinCard) -> Option<(&mut JoinState, &mut WhoSawWhat)> {
        let nodes = match card {
            JoinCard::Invitation => {
                let receive = &mut self.receive;
                return Some((&mut receive.joining, &mut receive.joining_shown));
            }
            JoinCard::File => self.settings_screen.nodes_file.as_mut()?,
            JoinCard::Session => &mut self.settings_screen.session,
        };
        Some((&mut nodes.joining, &mut nodes.shown))
    }

    /// What joining on this card showed to whom so far; `None` where there is no such card.
    #[must_use]
    pub(crate) fn join_shown(&self, card: JoinCard) -> Option<&WhoSawWhat> {
        match card {
            JoinCard::Invitation => Some(&self.receive.joining_shown),
            JoinCard::File | JoinCard::Session => Some(&self.nodes_on(card)?.shown),
        }
    }

    fn set_join(&mut self, card: JoinCard, to: JoinState) {
        if let Some((state, _)) = self.join_on(card) {
            *state = to;
        }
    }

    /// The card on which a network is joined by this run.
    fn card_of(&mut self, run: RunId) -> Option<JoinCard> {
        let mut cards = JoinCard::ALL.into_iter();
        cards.find(|card| {
            let join = self.join_on(*card);
            join.is_some_and(|(state, _)| state.is_run(run))
        })
    }

    /// Begins to join, unless that is under way on the card.
    pub(super) fn begin_join(
        &mut self,
        card: JoinCard,
        wanted: JoinWanted,
        choice: JoinChoice,
    ) -> Vec<Effect> {
        if matches!(self.join_on(card), None | Some((JoinState::Running(..), _))) {
            return Vec::new();
        }
        let run = RunId(self.draw_id());
        let phase = JoinPhase::AskForList;
        self.set_join(card, JoinState::Running(run, phase));
        self.announce(false, Announced::Joining(card, phase));
        // On the button that stops it: the one that was pressed has gone.
        self.focus = Some(card.focus());
        let work = RequestWork::Join(run, wanted, choice, self.settings_now());
        vec![Effect::from(work)]
    }

    /// Takes in how far joining is; whether this was a step of it.
    pub(super) fn join_progress(&mut self, run: RunId, stage: Stage) -> bool {
        let Some(card) = self.card_of(run) else {
            return false;
        };
        let advanced = self.join_on(card);
        if let Some(phase) = advanced.and_then(|(state, _)| state.advance(stage)) {
            self.announce(false, Announced::Joining(card, phase));
        }
        true
    }

    /// Joining ended. One that was stopped meanwhile changes nothing.
    pub(super) fn on_joined(&mut self, run: RunId, ended: Ended<JoinedNetwork>) -> Vec<Effect> {
        let Some(card) = self.card_of(run) else {
            return Vec::new();
        };
        if card == JoinCard::Invitation {
            // The file of the pointer beside it is fetched since it was joined.
            self.receive.shown.append(ended.shown.clone());
        }
        if let Some((_, shown)) = self.join_on(card) {
            shown.append(ended.shown);
        }
        self.focus = Some(card.focus());
        let joined = match ended.result {
            Ok(joined) => joined,
            Err(trouble) => {
                let replaces = uses_other_relays(&trouble);
                match card {
                    JoinCard::Invitation => {}
                    JoinCard::Session => self.settings_screen.session.replaces = replaces,
                    JoinCard::File => {
                        if let Some(nodes) = &mut self.settings_screen.nodes_file {
                            nodes.replaces = replaces;
                        }
                    }
                }
                self.announce(true, Announced::NotDone(trouble.clone()));
                self.set_join(card, JoinState::Failed(trouble));
                return Vec::new();
            }
        };
        let mut effects = self.change_all(joined.changes.clone());
        self.keep_within_terms();
        effects.extend(self.ask_terms());
        effects.extend(self.look_at_networks());
        if card != JoinCard::Invitation {
            effects.extend(self.ask_relays(RelayWish::Look));
        }
        // Where something is amiss, that is read first.
        let works = matches!(joined.state, NetworkState::Works);
        let goes_on = works && card == JoinCard::Invitation;
        if let Some(pointer) = self.pointer_beside().filter(|_| goes_on) {
            self.say(Tone::Success, WindowMessage::Joined(joined.name));
            effects.extend(self.fill_receive(pointer));
        } else {
            self.announce(false, Announced::Joined(joined.clone()));
            self.set_join(card, JoinState::Joined(joined));
        }
        effects
    }

    /// Stops joining on this card, as the person asked.
    pub(super) fn cancel_join(&mut self, card: JoinCard) -> Vec<Effect> {
        self.focus = Some(card.focus());
        self.stop_join(card).into_iter().collect()
    }

    /// Puts away what was decided on this card, and stops what is under way.
    pub(super) fn stop_join(&mut self, card: JoinCard) -> Option<Effect> {
        let (state, shown) = self.join_on(card)?;
        *shown = WhoSawWhat::default();
        state.stop()
    }
}

/// Whether joining failed because the server is used already, through other relays.
fn uses_other_relays(trouble: &Trouble) -> bool {
    let Trouble::Error(error) = trouble else {
        return false;
    };
    matches!(&**error, AppError::Join(JoinError::OtherRelays(_)))
}
