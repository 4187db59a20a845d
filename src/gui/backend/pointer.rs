//! What a pasted pointer describes, and what to know before its download: no route, an expiry that has passed, a server that
//! is not one of this person's.

use super::App;
use crate::app::error::AppError;
use crate::app::received::file_name::SafeFileName;
use crate::app::settings::Settings;
use crate::app::transfer::supported::PointerUse;
use crate::app::words::message::UserMessage;
use crate::gui::model::{PointerHolds, PointerInfo, PointerNote, PointerText};
use crate::gui::text;
use crate::protocol::pointer::Pointer;
use crate::protocol::seal::ContentKind;

impl App {
    pub(super) fn describe_now(
        &self,
        text: &PointerText,
        settings: &Settings,
    ) -> Result<PointerInfo, AppError> {
        let pointer = Pointer::find(text.as_str())?;
        PointerUse::Get.check(&pointer)?;
        let client = self.client(settings);
        let trouble = client.check_route(&pointer).err();
        let server = &pointer.server;
        let is_built_in = client.program().is_builtin(server);
        let note = match &trouble {
            Some(error) => Some(PointerNote {
                message: UserMessage::from(error),
                blocks: true,
            }),
            None => doubt(&pointer, client.program().now(), client.settings()).map(|message| {
                PointerNote {
                    message,
                    blocks: false,
                }
            }),
        };
        Ok(PointerInfo {
            asks_receipt: pointer.receipts.is_some(),
            offer: match &trouble {
                Some(AppError::RelaysOffered(offer)) => Some(offer.list.host().to_owned()),
                _ => None,
            },
            lacks_relays: matches!(
                &trouble,
                Some(AppError::NoRelays | AppError::RelaySource(_) | AppError::RelaysOffered(_))
            ),
            name: pointer
                .name
                .as_deref()
                .map(|name| SafeFileName::sanitize(name).for_display()),
            holds: match pointer.kind {
                ContentKind::Folder => PointerHolds::Folder,
                ContentKind::PartList => PointerHolds::Either,
                ContentKind::File | ContentKind::Part => PointerHolds::File,
            },
            len: pointer.content_len,
            server: if is_built_in {
                text::built_in().to_owned()
            } else {
                server.url.authority().to_owned()
            },
            expires: pointer.expires,
            note,
        })
    }
}

/// Returns a note for the person about a download that is possible: an expiry that has passed, or a server they do not
/// know.
fn doubt(pointer: &Pointer, now: u64, settings: &Settings) -> Option<UserMessage> {
    if let Some(expires) = pointer.expires.filter(|expires| *expires <= now) {
        return Some(text::pointer_expired(expires));
    }
    let chosen = settings.chosen_entry()?;
    if settings.entry(&pointer.server).is_some() {
        return None;
    }
    let theirs = pointer.server.url.authority();
    Some(text::other_server(theirs, settings.name_in_list(chosen)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::app::settings::{ServerChoice, ServerEntry};
    use crate::protocol::address::{FileId, ServerAddress};
    use crate::protocol::digest::Digest;
    use crate::protocol::pointer::PointerKey;
    use crate::protocol::seal::FileKey;

    #[test]
    fn a_passed_expiry_and_an_unknown_server_are_told_before_a_download() {
        let address = |host: &str| -> ServerAddress {
            let key = crate::protocol::keys::Identity::from_seed([7; 32]).public();
            let text = format!("http://{host}#p={}", key.to_hex());
            text.parse().expect("an address")
        };
        let pointer = |host: &str, expires| Pointer {
            server: address(host),
            id: FileId::parse("5").expect("an id"),
            key: PointerKey::Whole(FileKey::from_bytes([0; 32])),
            digest: Digest::of(b""),
            content_len: 0,
            name: None,
            kind: ContentKind::File,
            expires,
            receipts: None,
            relay_list: None,
        };
        let ours = ServerEntry::new("", address("files.example"));
        let mut settings = Settings {
            chosen: ServerChoice::Server(ours.address.clone()),
            servers: vec![ours],
            ..Settings::default()
        };
        let known = |expires| pointer("files.example", expires);
        let other = pointer("other.example", None);
        assert_eq!(doubt(&known(Some(11)), 10, &settings), None);
        assert!(doubt(&known(Some(10)), 10, &settings).is_some());
        let message = doubt(&other, 10, &settings).expect("a doubt");
        assert!(message.why.contains("other.example") && message.why.contains("files.example"));
        settings.chosen = ServerChoice::BuiltIn;
        assert_eq!(doubt(&other, 10, &settings), None);
    }
}
