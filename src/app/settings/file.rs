//! The file of the settings, `config.toml`: [`Settings`] by serde, with a version. Keys that this version does not know are
//! kept and written back, unless they look like a misspelling of one that protects something: such a file cannot be
//! understood. A file that cannot be understood stays as it is until the person says otherwise, and nothing is sent
//! meanwhile. A file of an older version is read, and written in the form of this one with the next change; as it was it
//! stays beside the new one, as `config.v1` or `config.v2`.

#[cfg(test)]
mod tests;

use std::collections::BTreeSet;
use std::ops::Range;
use std::path::PathBuf;
use std::{fs, io};

use serde::Deserialize as _;
use toml::de::{DeTable, Deserializer};
use zeroize::Zeroizing;

use super::misspelled::{self, Misspelled};
use super::older::OlderForm;
use super::{
    Change, Home, ServerChoice, ServerEntry, Settings, SettingsError, UnreadSettings, VERSION,
};
use crate::disk::kept::{ChangeError, Kept, PutAside, Record};
use crate::disk::private;

impl Settings {
    /// Reads the settings; without a file they are the default ones. The file is left alone, whatever is in it.
    ///
    /// # Errors
    /// [`UnreadSettings`] for a file that is there and cannot be read or understood. The default settings would send
    /// past a proxy or to a server that it may have named, so there are none.
    pub fn load(home: &Home) -> Result<Self, UnreadSettings> {
        Ok(kept(home).read()?.unwrap_or_default())
    }

    /// Reads the settings anew, and puts aside a file that still cannot be read or understood, so that the default settings
    /// apply from now on. Returns what applies, and where the file is if it was put aside: beside its old place, under a name
    /// that ends in `.broken`.
    ///
    /// # Errors
    /// [`SettingsError::Newer`] for a file that a newer version wrote, which stays for that version, and
    /// [`SettingsError::Write`]. The file is untouched then.
    pub(crate) fn read_or_put_aside(home: &Home) -> Result<(Self, Option<PathBuf>), SettingsError> {
        let kept = kept(home);
        let held = kept.hold().map_err(ChangeError::from)?;
        let (read, aside) = match kept.read() {
            Ok(read) => (read, None),
            Err(_unread) => (None, Some(kept.put_aside()?)),
        };
        drop(held);
        Ok((read.unwrap_or_default(), aside))
    }

    /// Writes the settings whole or not at all, readable by nobody else.
    ///
    /// # Errors
    /// [`SettingsError::Write`]; the old file is untouched then.
    pub fn save(&self, home: &Home) -> Result<(), SettingsError> {
        keep_older_form(home).map_err(ChangeError::from)?;
        Ok(kept(home).replace(self).map_err(ChangeError::from)?)
    }

    /// Makes `changes` in the settings as the file has them by now: what another program or window of this person changed
    /// meanwhile stays. Where there is no file, these settings, which have the changes already, are written whole. Blocking
    /// while another program writes.
    ///
    /// # Errors
    /// Those of [`Settings::load`] when the file cannot be understood any more, and [`SettingsError::Write`]; the old file
    /// is untouched then.
    pub fn save_changes(&self, changes: &[Change], home: &Home) -> Result<(), SettingsError> {
        let kept = kept(home);
        let mut draft = kept.begin()?;
        match &mut draft.record {
            Some(there) => changes.iter().for_each(|change| there.apply(change)),
            None => draft.record = Some(self.clone()),
        }
        keep_older_form(home).map_err(ChangeError::from)?;
        Ok(draft.save().map_err(ChangeError::from)?)
    }
}

impl Record for Settings {
    type Why = SettingsError;

    fn parse(bytes: &[u8]) -> Result<Self, SettingsError> {
        let invalid = |reason: &str| SettingsError::Invalid {
            line: None,
            reason: reason.to_owned(),
        };
        let text =
            &crate::protocol::text::decode(bytes).map_err(|_not_text| invalid("it is not text"))?;
        let line_at = |at: usize| {
            text.get(..at)
                .map(|before| before.matches('\n').count() + 1)
        };
        let located = |error: toml::de::Error| SettingsError::Invalid {
            line: error
                .span()
                .and_then(|span: Range<usize>| line_at(span.start)),
            reason: error.message().to_owned(),
        };
        // The version first: a newer file may have another form.
        let table: toml::Table = toml::from_str(text).map_err(located)?;
        let version = match version_of(&table) {
            Some(known @ 1..=VERSION) => known,
            Some(newer) if newer > VERSION => return Err(SettingsError::Newer),
            _ => return Err(invalid("it has no version")),
        };
        let mut document = DeTable::parse(text).map_err(located)?;
        let older = (version < VERSION).then(|| OlderForm::take(document.get_mut(), version));
        let older = older
            .transpose()
            .map_err(|refused| SettingsError::Invalid {
                line: line_at(refused.span.start),
                reason: refused.reason,
            })?;
        let document = Deserializer::from(document);
        let mut config = Self::deserialize(document).map_err(located)?;
        if let Some(misspelled) = config.misspelled(text) {
            let before = text.get(..misspelled.at).unwrap_or_default();
            return Err(SettingsError::Misspelled {
                line: before.matches('\n').count() + 1,
                key: misspelled.key,
                meant: misspelled.meant,
            });
        }
        let mut seen = BTreeSet::new();
        let is_first = |server: &ServerEntry| seen.insert(server.address.clone());
        config.servers.retain(is_first);
        config.version = VERSION;
        let is_listed = match older {
            Some(older) => older.complete(&mut config),
            None => config.has_its_choice(),
        };
        is_listed
            .then_some(config)
            .ok_or_else(|| invalid("the chosen server is not in the list"))
    }

    fn to_bytes(&self) -> io::Result<Zeroizing<Vec<u8>>> {
        let text = toml::to_string(&self.without_gone_choice()).map_err(io::Error::other)?;
        Ok(Zeroizing::new(text.into_bytes()))
    }
}

/// Only on the person's word.
impl PutAside for Settings {}

impl Settings {
    /// These settings, where a choice whose server is gone from the list is the built-in network.
    fn without_gone_choice(&self) -> Self {
        let mut config = self.clone();
        if config.chosen_entry().is_none() {
            config.chosen = ServerChoice::BuiltIn;
        }
        config
    }

    /// The first key in `text`, from which these settings were read, that was probably meant as another one.
    fn misspelled(&self, text: &str) -> Option<Misspelled> {
        let document = DeTable::parse(text).ok()?.into_inner();
        let servers = document.get("networks").or_else(|| document.get("servers"));
        let servers = servers.and_then(|servers| servers.get_ref().as_array());
        let servers = servers.into_iter().flatten().zip(&self.servers);
        let in_servers = servers.filter_map(|(entry, server)| {
            let entry = entry.get_ref().as_table()?;
            misspelled::find(entry, |key| !server.unknown.contains_key(key))
        });
        misspelled::find(&document, |key| !self.unknown.contains_key(key))
            .into_iter()
            .chain(in_servers)
            .min_by_key(|misspelled| misspelled.at)
    }
}

/// Version of the form of a file.
fn version_of(table: &toml::Table) -> Option<i64> {
    table.get("version").and_then(toml::Value::as_integer)
}

/// Keeps the settings as an older version wrote them, beside those that are about to be written in today's form.
fn keep_older_form(home: &Home) -> io::Result<()> {
    let Ok(bytes) = fs::read(home.config_file()).map(Zeroizing::new) else {
        // What cannot be read is no settings of an older version; there may be none.
        return Ok(());
    };
    let text = crate::protocol::text::decode(&bytes).ok();
    let table = text.and_then(|text| toml::from_str(&text).ok());
    match table.as_ref().and_then(version_of) {
        Some(older) if (1..VERSION).contains(&older) => {
            private::write(&home.config_dir.join(older_name(older)), &bytes)
        }
        _ => Ok(()),
    }
}

/// Name under which the settings of an older version are kept.
fn older_name(version: i64) -> String {
    format!("config.v{version}")
}

/// The names under which the settings of older versions are kept, beside the file of the settings.
pub(crate) fn older_settings_names() -> Vec<String> {
    (1..VERSION).map(older_name).collect()
}

fn kept(home: &Home) -> Kept<Settings> {
    Kept::in_file(home.config_file())
}
