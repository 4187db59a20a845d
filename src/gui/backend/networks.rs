//! Networks for the window's worker: what an invitation says, joining by it, and what is known of those that were joined.

use std::collections::BTreeMap;

use super::{App, in_words};
use crate::app::error::{AppError, CannotInvite};
use crate::app::relays::{ListState, NetworkId, NetworkView, RelaySource, RelaySourceError};
use crate::app::settings::{ServerEntry, Settings};
use crate::app::transfer::call::CallContext;
use crate::app::transfer::join::{self, JoinChoice, JoinError, JoinOffer, JoinedState, Meets};
use crate::app::transfer::join_nodes;
use crate::app::words::message::UserMessage;
use crate::gui::model::{
    InvitationInfo, JoinWanted, JoinedNetwork, KnownNetwork, NetworkSeen, NetworkState,
    PointerText, TextHolds, Trouble,
};
use crate::gui::text;
use crate::protocol::address::ServerAddress;
use crate::protocol::invitation::{FindInvitationError, Invitation};
use crate::protocol::pointer::Pointer;
use crate::wire::random;

impl App {
    /// Says what a text in the pointer's field holds: a pointer, an invitation, or both, of which the pointer is all that
    /// matters to somebody who is a member already. Nobody is asked.
    pub(super) fn describe_text(
        &self,
        text: &PointerText,
        settings: &Settings,
    ) -> Result<TextHolds, AppError> {
        let now = self.program().now();
        let pointer = || self.describe_now(text, settings);
        match Invitation::find(text.as_str(), now) {
            Err(FindInvitationError::NotFound | FindInvitationError::TooLong) => {
                pointer().map(TextHolds::Pointer)
            }
            // Where the pointer beside it can be used, nobody needs the invitation.
            Err(why) => match pointer() {
                Ok(info) if !info.lacks_relays => Ok(TextHolds::Pointer(info)),
                _ => Err(why.into()),
            },
            Ok(invitation) => {
                let network = NetworkId::of(&invitation);
                let is_member = settings.member_of(&network).is_some();
                let view = self.client.relays().view_network(&network, now);
                if is_member
                    && view.is_ok_and(|view| view.source.state == ListState::Good)
                    && let Ok(info) = pointer()
                    && !info.lacks_relays
                {
                    return Ok(TextHolds::Pointer(info));
                }
                let offer = JoinOffer::look(invitation, settings, now, &mut random::system())?;
                let with_pointer = Pointer::find(text.as_str()).is_ok();
                Ok(TextHolds::Invitation(Box::new(info(&offer, with_pointer))))
            }
        }
    }

    /// Joins a network as the person decided. Of one by invitation its relays are asked, and nobody else unless they chose
    /// that too.
    pub(super) async fn join_now(
        &self,
        wanted: JoinWanted,
        choice: JoinChoice,
        settings: &Settings,
        context: &CallContext,
    ) -> Result<JoinedNetwork, AppError> {
        let client = self.client(settings);
        let now = client.program().now();
        let joined = match wanted {
            JoinWanted::Invitation(text) => {
                let invitation = Invitation::find(text.as_str(), now)?;
                let offer = JoinOffer::look(invitation, settings, now, &mut random::system())?;
                join::join(&client, &offer, choice, context).await?
            }
            JoinWanted::ServiceNodes(network) => {
                join_nodes::join(&client, &network, choice, context).await?
            }
        };
        Ok(JoinedNetwork {
            changes: joined.changes,
            name: joined.name,
            relays: joined.relays,
            state: match joined.state {
                JoinedState::Works(_) => NetworkState::Works,
                JoinedState::OnlyReceives(why) => NetworkState::OnlyReceives(Trouble::from(why)),
                JoinedState::NotNow(why) => NetworkState::NotNow(Trouble::from(why)),
            },
        })
    }

    /// Makes an invitation to the network of this server, good for 30 days.
    pub(super) fn invite_now(
        &self,
        server: &ServerAddress,
        with_word: bool,
        settings: &Settings,
    ) -> Result<PointerText, UserMessage> {
        let client = self.client(settings);
        let (relays, program) = (client.relays(), client.program());
        let entry = settings.entry(server);
        let gone = AppError::NoInvitation(CannotInvite::Unsigned);
        let entry = entry.ok_or(gone);
        let invitation =
            entry.and_then(|entry| relays.invite(program, entry, with_word, GOOD_FOR_SECS));
        let word = in_words(invitation)?.to_text();
        Ok(PointerText::new(word.as_str().to_owned()))
    }

    /// What is known of the networks that these settings have. Reads files and nothing else.
    pub(super) fn networks_now(&self, settings: &Settings) -> BTreeMap<ServerAddress, NetworkSeen> {
        let (now, relays) = (self.program().now(), self.client.relays());
        let networks = settings.servers.iter();
        let networks = networks.filter_map(|entry| Some((entry, entry.relays.as_ref()?)));
        let seen = |(entry, source): (&ServerEntry, &RelaySource)| {
            let view = match source {
                RelaySource::Network(network) => relays.view_network(network, now),
                other => relays.view(other, now).map(|source| NetworkView {
                    source,
                    waiting: None,
                }),
            };
            let seen = match view {
                Ok(view) => network_seen(&view, now),
                Err(unread) => NetworkSeen {
                    relays: 0,
                    expires: None,
                    ends_soon: false,
                    waiting: None,
                    trouble: Some(
                        UserMessage::from(&AppError::from(RelaySourceError::from(unread))).why,
                    ),
                },
            };
            (entry.address.clone(), seen)
        };
        networks.map(seen).collect()
    }

    /// Uses the newest list of the network of this server, which waits for the person.
    pub(super) fn use_new_list_now(
        &self,
        server: &ServerAddress,
        settings: &Settings,
    ) -> Result<(), UserMessage> {
        let Some(network) = settings.entry(server).and_then(ServerEntry::network) else {
            return Ok(());
        };
        let now = self.program().now();
        let accepted = self.client.relays().accept_waiting(&network, now);
        in_words(accepted.map_err(AppError::from))
    }
}

fn info(offer: &JoinOffer, with_pointer: bool) -> InvitationInfo {
    let no_path = offer.no_path().cloned().map(JoinError::NoPath);
    InvitationInfo {
        name: offer.name().to_owned(),
        host: offer.host().to_owned(),
        relays: offer.relays(),
        operators: offer.operators(),
        words: offer.words(),
        own_network: offer.is_in_own_network(),
        for_relays: offer.is_for_relays(),
        known: match offer.meets() {
            Meets::Nothing => KnownNetwork::No,
            Meets::Member(_) => KnownNetwork::Member,
            Meets::OtherRelays(_) => KnownNetwork::OtherRelays,
        },
        no_path: no_path.map(|why| UserMessage::from(&AppError::from(why))),
        list_host: offer.list_host(),
        with_pointer,
    }
}

fn network_seen(view: &NetworkView, now: u64) -> NetworkSeen {
    let list = view.source.list.as_ref();
    let waiting = view.many_gone();
    let problem = view.source.problem.as_ref();
    NetworkSeen {
        relays: list.map_or(0, |list| list.relays.len()),
        expires: list.map(|list| list.expires),
        ends_soon: view.source.ends_soon(now),
        trouble: match &view.source.state {
            // What waits is told at more length.
            ListState::Good if waiting.is_some() => None,
            ListState::Good | ListState::Ended | ListState::Missing(None) => {
                problem.map(|problem| text::list_problem(problem.kind).to_owned())
            }
            ListState::Missing(Some(why)) => Some(why.clone()),
        },
        waiting,
    }
}

/// For so long an invitation is good, in seconds: 30 days.
const GOOD_FOR_SECS: u64 = 30 * 24 * 3_600;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::app::settings::Home;
    use crate::app::transfer::known_file::KnownFile;
    use crate::disk::private;
    use crate::gui::model::PointerInfo;
    use crate::protocol::address::FileId;
    use crate::protocol::digest::Digest;
    use crate::protocol::invitation::{InvitationParts, InvitedRelay, Purpose};
    use crate::protocol::keys::Identity;
    use crate::protocol::pointer::PointerKey;
    use crate::protocol::seal::{ContentKind, FileKey};

    fn server() -> ServerAddress {
        let key = Identity::from_seed([7; 32]).public().to_hex();
        let address = format!("http://files.example#p={key}");
        address.parse().unwrap()
    }

    fn invitation(expires: u64) -> String {
        let relays = [11, 22, 33].map(|seed| InvitedRelay {
            key: Identity::from_seed([seed; 32]).public(),
            host: [seed, 9, 9, 9].into(),
            port: 22_021,
            operator: format!("Operator {seed}"),
            serves: true,
        });
        let invitation = Invitation::new(InvitationParts {
            server: server(),
            list_key: Identity::from_seed([8; 32]).public(),
            relays: relays.into(),
            name: "Ann's friends".to_owned(),
            expires,
            list_url: None,
            purpose: Purpose::Use { access_word: None },
        });
        invitation.unwrap().to_text().as_str().to_owned()
    }

    fn pointer() -> String {
        let pointer = Pointer {
            server: server(),
            id: FileId::parse("5").unwrap(),
            key: PointerKey::Whole(FileKey::from_bytes([0; 32])),
            digest: Digest::of(b""),
            content_len: 0,
            name: None,
            kind: ContentKind::File,
            expires: None,
            receipts: None,
            relay_list: None,
        };
        pointer.to_text().as_str().to_owned()
    }

    fn invited(holds: Result<TextHolds, AppError>) -> InvitationInfo {
        match holds {
            Ok(TextHolds::Invitation(info)) => *info,
            Ok(TextHolds::Pointer(_)) => panic!("a pointer"),
            Err(error) => panic!("{error}"),
        }
    }

    fn pointed(holds: Result<TextHolds, AppError>) -> PointerInfo {
        match holds {
            Ok(TextHolds::Pointer(info)) => info,
            Ok(TextHolds::Invitation(_)) => panic!("an invitation"),
            Err(error) => panic!("{error}"),
        }
    }

    #[test]
    fn a_text_holds_an_invitation_a_pointer_or_both() {
        let folder = tempfile::tempdir().unwrap();
        let app = App::new(Home::in_folder(folder.path()));
        let good = invitation(app.program().now() + 1_000);
        let read =
            |text: &str, settings: &Settings| app.describe_text(&PointerText::from(text), settings);
        let nobody = Settings::default();
        let info = invited(read(&format!("cloakroom:{good}"), &nobody));
        assert_eq!(
            (&*info.name, &*info.host),
            ("Ann's friends", "files.example")
        );
        assert_eq!(info.operators.len(), 3);
        assert!(!info.with_pointer && info.is_plain());
        let both = format!("{good}\n{}", pointer());
        assert!(invited(read(&both, &nobody)).with_pointer);
        pointed(read(&pointer(), &nobody));

        // Whoever uses the server already is told so.
        let known = Settings {
            servers: vec![ServerEntry {
                direct: true,
                ..ServerEntry::new("Choir", server())
            }],
            ..Settings::default()
        };
        let info = invited(read(&good, &known));
        assert_eq!(
            (&*info.name, info.known),
            ("Choir", KnownNetwork::OtherRelays)
        );

        // What is wrong with an invitation is said, unless the pointer beside it can be used without.
        let ended = invitation(app.program().now() - 1);
        let both = format!("{ended}\n{}", pointer());
        for text in [&ended, &both] {
            let why = read(text, &nobody).unwrap_err();
            assert!(matches!(
                why,
                AppError::Invitation(FindInvitationError::Expired)
            ));
        }
        pointed(read(&both, &known));
        let cut = read(&good[..good.len() - 20], &nobody).unwrap_err();
        assert!(matches!(cut, AppError::Invitation(_)), "{cut}");
    }

    #[test]
    fn a_file_with_an_invitation_is_known_as_one_also_when_it_has_expired() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("friends.cloakroom");
        for (text, known) in [
            (invitation(1), KnownFile::Invitation),
            (
                format!("{}\n{}", invitation(1), pointer()),
                KnownFile::Invitation,
            ),
            (pointer(), KnownFile::Pointer),
        ] {
            private::replace(&path, text.as_bytes()).unwrap();
            assert_eq!(KnownFile::recognise(&path), Some(known));
        }
    }
}
