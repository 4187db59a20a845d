//! The form that the settings had before each network had relays of its own: versions 1 and 2 of the file. One source of
//! relays served every server that was not joined by an invitation; in version 1 the chosen server was named by its key.

use std::ops::Range;

use toml::de::{DeTable, DeValue};

use super::servers::FetchedRelays;
use super::text::FromText as _;
use super::{ServerChoice, Settings};
use crate::app::relays::set::RelaySource;
use crate::protocol::keys::Ed25519Public;

/// What a file of an older version says in a way that this version does not.
pub(super) struct OlderForm {
    chosen_key: Option<Ed25519Public>,
    relays: Option<RelaySource>,
}

/// A value of a file of an older version that was refused.
pub(super) struct Refused {
    /// Where it stands, in bytes from the beginning.
    pub span: Range<usize>,
    /// Why, as the end of a sentence.
    pub reason: String,
}

impl OlderForm {
    /// Takes it out of a file of this version, which then has the form of a file of today's.
    ///
    /// # Errors
    /// [`Refused`] for a source of relays that is none.
    pub(super) fn take(document: &mut DeTable<'_>, version: i64) -> Result<Self, Refused> {
        let relays = take_relays(document)?;
        let chosen_key = match version {
            1 => take_chosen_key(document),
            _ => None,
        };
        for (older, name) in [("server", "network"), ("servers", "networks")] {
            if let Some((key, value)) = document.remove_entry(older) {
                let key = toml::Spanned::new(key.span(), name.into());
                document.insert(key, value);
            }
        }
        Ok(Self { chosen_key, relays })
    }

    /// Gives each server of the settings, which were read from the rest of the file, the relays that were in use for it,
    /// also where they do not serve it. Returns whether the server that was chosen is among them.
    pub(super) fn complete(self, settings: &mut Settings) -> bool {
        for server in &mut settings.servers {
            if server.relays.is_none() {
                server.relays.clone_from(&self.relays);
            }
        }
        let Some(key) = self.chosen_key else {
            return settings.has_its_choice();
        };
        let Some(first) = settings.first_with(&key) else {
            return false;
        };
        settings.chosen = ServerChoice::Server(first.address.clone());
        true
    }
}

/// Takes the relays that served every server: under `relays`, or else under `relay_list_file`.
fn take_relays(document: &mut DeTable<'_>) -> Result<Option<RelaySource>, Refused> {
    let line = document.remove("relays");
    let file = document.remove("relay_list_file");
    let Some(value) = line.as_ref().or(file.as_ref()) else {
        return Ok(None);
    };
    let refused = |reason: String| Refused {
        span: value.span(),
        reason,
    };
    let DeValue::String(text) = value.get_ref() else {
        return Err(refused("the relays: not a text".to_owned()));
    };
    if line.is_none() {
        return Ok(Some(RelaySource::File(text.as_ref().into())));
    }
    match FetchedRelays::from_text(text) {
        Ok(relays) => Ok(Some(relays.into())),
        Err(why) => Err(refused(format!("{}: {why}", FetchedRelays::NAME))),
    }
}

/// Takes the chosen server out of a file of version 1, where its key alone names it.
fn take_chosen_key(document: &mut DeTable<'_>) -> Option<Ed25519Public> {
    let key = document.get("server")?.get_ref().as_str()?;
    let key = Ed25519Public::from_hex(key).ok()?;
    document.remove("server");
    Some(key)
}
