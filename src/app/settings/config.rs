//! What a person has decided: servers, relay list, folders, look; and where settings and data live.
//!
//! `config.toml` is [`Config`] by serde, with a version. Keys that this version does not know are kept and written back, unless they look like a misspelling of one that protects something:
//! such a file cannot be understood. A file that cannot be understood stays as it is until the person says otherwise, and
//! nothing is sent meanwhile.

use std::io;
use std::ops::Range;
use std::path::PathBuf;

use serde::{Deserialize, Deserializer, Serialize};
use toml::de::DeTable;
use zeroize::Zeroizing;

pub use super::error::{ConfigError, UnreadSettings};
use super::home::usual_downloads;
pub use super::home::{HOME_VARIABLE, Home};
pub use super::look::{Contrast, Display, Renderer, Theme};
use super::misspelled::{self, Misspelled};
pub use super::servers::{ServerChoice, ServerEntry};
use super::text;
use crate::app::relays::set::RelaySource;
use crate::app::words::l10n::Language;
use crate::disk::kept::{ChangeError, Kept, PutAside, Record};
pub use crate::disk::private::NotPrivate;
pub use crate::net::socks::{ParseProxyError, SocksProxy};
use crate::protocol::address::ServerAddress;
use crate::protocol::capability::AccessWord;

const VERSION: i64 = 1;

/// The settings of a person, in the form of their file.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Config {
    /// Version of the file's form.
    version: i64,
    /// The server that new files go to.
    #[serde(rename = "server", with = "text")]
    pub chosen: ServerChoice,
    /// Where the relays are from.
    #[serde(flatten, with = "text::relays")]
    pub relays: RelaySource,
    /// Lists on which the rules of paths may yield where the list is too short for them.
    #[serde(
        rename = "short_lists_allowed",
        with = "text::list",
        skip_serializing_if = "Vec::is_empty"
    )]
    pub short_lists: Vec<RelaySource>,
    /// Whether a pointer names the relay list, when that is one by URL, for recipients who have none.
    pub pointer_carries_relay_list: bool,
    /// The proxy to the first relay, and to servers without relays; without one connections are direct.
    #[serde(with = "text::optional", skip_serializing_if = "Option::is_none")]
    pub proxy: Option<SocksProxy>,
    /// Where received files go; without one see [`Config::download_folder`].
    #[serde(skip_serializing_if = "Option::is_none")]
    pub download_folder: Option<PathBuf>,
    /// How the window looks.
    pub theme: Theme,
    /// How strong the window's colours are.
    pub contrast: Contrast,
    /// Whether nothing in the window moves, whatever the system says.
    pub reduced_motion: bool,
    /// What the window speaks; without one the system's language, where it can.
    #[serde(with = "text::language", skip_serializing_if = "Option::is_none")]
    pub language: Option<Language>,
    /// Size of everything in the window, per cent.
    pub zoom: u16,
    /// Whether the window puts a pointer on the clipboard as soon as it is there.
    pub copy_when_done: bool,
    /// Whether the window takes a copied pointer off the clipboard after a minute.
    pub clear_clipboard: bool,
    /// Whether the window hides pointers while another one is in front.
    pub mask_pointers: bool,
    /// Whether the first start's card was read.
    pub welcomed: bool,
    /// Whether a pointer holds the file's name.
    pub name_in_pointer: bool,
    /// Whether finished transfers are kept for the next start.
    pub history: bool,
    /// Whether the desktop says when a transfer ends while the window is not in front.
    pub notify: bool,
    /// Whether it then names the file.
    pub notify_names: bool,
    /// Which display system the window opens on.
    pub display: Display,
    /// What draws the window.
    pub renderer: Renderer,
    /// How many files the window shares at the same time: 1 to [`MAX_PARALLEL`].
    #[serde(deserialize_with = "possible_parallel")]
    pub parallel_shares: u8,
    /// The file servers that were added, in the person's order.
    // Tables come last in TOML.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub servers: Vec<ServerEntry>,
    /// Keys of newer versions.
    #[serde(flatten)]
    unknown: toml::Table,
}

/// How many files can be shared at the same time.
pub const MAX_PARALLEL: u8 = 4;

impl Default for Config {
    fn default() -> Self {
        Self {
            version: VERSION,
            servers: Vec::new(),
            chosen: ServerChoice::BuiltIn,
            relays: RelaySource::BuiltIn,
            short_lists: Vec::new(),
            pointer_carries_relay_list: false,
            proxy: None,
            download_folder: None,
            theme: Theme::System,
            contrast: Contrast::System,
            reduced_motion: false,
            language: None,
            zoom: 100,
            copy_when_done: false,
            clear_clipboard: false,
            mask_pointers: false,
            welcomed: false,
            name_in_pointer: true,
            history: true,
            notify: true,
            notify_names: false,
            display: Display::Auto,
            renderer: Renderer::Auto,
            parallel_shares: 2,
            unknown: toml::Table::new(),
        }
    }
}

impl Config {
    /// Reads the settings; without a file they are the default ones. The file is left alone, whatever is in it.
    ///
    /// # Errors
    /// [`UnreadSettings`] for a file that is there and cannot be read or understood. The default settings would send
    /// past a proxy or to a server that it may have named, so there are none.
    pub fn load(home: &Home) -> Result<Self, UnreadSettings> {
        Ok(kept(home).read()?.unwrap_or_default())
    }

    /// Puts aside a file of settings that cannot be read or understood, so that the default settings apply from now on.
    /// Returns where it is then: beside its old place, under a name that ends in `.broken`.
    ///
    /// # Errors
    /// [`ConfigError::Newer`] for a file that a newer version wrote, which stays for that version, and
    /// [`ConfigError::Write`]. The file is untouched then.
    pub fn put_aside(home: &Home) -> Result<Option<PathBuf>, ConfigError> {
        let kept = kept(home);
        let held = kept.hold().map_err(ChangeError::from)?;
        let aside = match kept.read() {
            Ok(_) => None,
            Err(_unread) => Some(kept.put_aside()?),
        };
        drop(held);
        Ok(aside)
    }

    /// Writes the settings whole or not at all, readable by nobody else.
    ///
    /// # Errors
    /// [`ConfigError::Write`]; the old file is untouched then.
    pub fn save(&self, home: &Home) -> Result<(), ConfigError> {
        Ok(kept(home).replace(self).map_err(ChangeError::from)?)
    }

    /// Writes what differs from `before` into the settings as the file has them by now: what another program or window
    /// of this person changed meanwhile stays. Blocking while one of those writes.
    ///
    /// # Errors
    /// Those of [`Config::load`] when the file cannot be understood any more, and [`ConfigError::Write`]; the old file is
    /// untouched then.
    pub fn save_changes(&self, before: &Self, home: &Home) -> Result<(), ConfigError> {
        let kept = kept(home);
        let mut draft = kept.begin()?;
        draft.record = Some(match &draft.record {
            Some(there) => self.over(before, there)?,
            None => self.clone(),
        });
        Ok(draft.save().map_err(ChangeError::from)?)
    }

    /// The settings `there`, with what differs between `before` and these.
    fn over(&self, before: &Self, there: &Self) -> Result<Self, ConfigError> {
        let servers = merge(
            &self.servers,
            &before.servers,
            &there.servers,
            |one, other| one.address.key == other.address.key,
        );
        let short_lists = merge(
            &self.short_lists,
            &before.short_lists,
            &there.short_lists,
            RelaySource::eq,
        );
        let relays = changed(&self.relays, &before.relays, &there.relays);
        let chosen = changed(&self.chosen, &before.chosen, &there.chosen);
        // The rest is key by key; what depends on each other stays out of that.
        let alone = |config: &Self| {
            let config = Self {
                servers: Vec::new(),
                short_lists: Vec::new(),
                relays: RelaySource::BuiltIn,
                ..config.clone()
            };
            toml::Table::try_from(config.without_gone_choice()).map_err(|error| unwritable(&error))
        };
        let (now, before, mut keys) = (alone(self)?, alone(before)?, alone(there)?);
        for key in before.keys().chain(now.keys()) {
            match (before.get(key), now.get(key)) {
                (was, is) if was == is => {}
                (_, Some(value)) => drop(keys.insert(key.clone(), value.clone())),
                (_, None) => drop(keys.remove(key)),
            }
        }
        let alone: Self = keys.try_into().map_err(|error: toml::de::Error| {
            let reason = error.message().to_owned();
            ConfigError::Invalid { line: None, reason }
        })?;
        Ok(Self {
            servers,
            chosen,
            relays,
            short_lists,
            ..alone
        })
    }

    /// The server that new files go to, with what the person decided about it; `None` for the built-in network.
    #[must_use]
    pub fn chosen_entry(&self) -> Option<&ServerEntry> {
        match self.chosen {
            ServerChoice::BuiltIn => None,
            ServerChoice::Server(key) => {
                self.servers.iter().find(|server| server.address.key == key)
            }
        }
    }

    /// What the person decided about the server with this address; `None` for one that they did not add.
    #[must_use]
    pub fn entry(&self, server: &ServerAddress) -> Option<&ServerEntry> {
        self.servers.iter().find(|entry| entry.address == *server)
    }

    /// The access word that the person keeps with a server.
    #[must_use]
    pub fn access_word(&self, server: &ServerAddress) -> Option<&AccessWord> {
        self.entry(server)?.access_word.as_ref()
    }

    /// The address of the server that new files go to; `None` for the built-in network.
    #[must_use]
    pub fn chosen_server(&self) -> Option<&ServerAddress> {
        self.chosen_entry().map(|server| &server.address)
    }

    /// The folder that received files are saved in: the chosen one, else the system's for downloads, else `Downloads` in
    /// the home folder if it exists, else the home folder, else the current folder.
    #[must_use]
    pub fn download_folder(&self) -> PathBuf {
        self.download_folder.clone().unwrap_or_else(usual_downloads)
    }
}

impl Record for Config {
    type Why = ConfigError;

    fn parse(bytes: &[u8]) -> Result<Self, ConfigError> {
        let invalid = |reason: &str| ConfigError::Invalid {
            line: None,
            reason: reason.to_owned(),
        };
        let text =
            &crate::protocol::text::decode(bytes).map_err(|_not_text| invalid("it is not text"))?;
        let line_at = |at: usize| {
            text.get(..at)
                .map(|before| before.matches('\n').count() + 1)
        };
        let located = |error: toml::de::Error| ConfigError::Invalid {
            line: match error.span() {
                // Of a value that is one of several keys, serde does not say where it stands.
                Some(Range { start: 0, end: 0 }) => start_of_relays(text).and_then(line_at),
                span => span.and_then(|span| line_at(span.start)),
            },
            reason: error.message().to_owned(),
        };
        // The version first: a newer file may have another form.
        let table: toml::Table = toml::from_str(text).map_err(located)?;
        match table.get("version").and_then(toml::Value::as_integer) {
            Some(VERSION) => {}
            Some(newer) if newer > VERSION => return Err(ConfigError::Newer),
            _ => return Err(invalid("it has no version")),
        }
        let config: Self = toml::from_str(text).map_err(located)?;
        if let Some(misspelled) = config.misspelled(text) {
            let before = text.get(..misspelled.at).unwrap_or_default();
            return Err(ConfigError::Misspelled {
                line: before.matches('\n').count() + 1,
                key: misspelled.key,
                meant: misspelled.meant,
            });
        }
        match config.chosen {
            ServerChoice::Server(_) if config.chosen_entry().is_none() => {
                Err(invalid("the chosen server is not in the list"))
            }
            _ => Ok(config),
        }
    }

    fn to_bytes(&self) -> io::Result<Zeroizing<Vec<u8>>> {
        let text = toml::to_string(&self.without_gone_choice()).map_err(io::Error::other)?;
        Ok(Zeroizing::new(text.into_bytes()))
    }
}

/// Only on the person's word.
impl PutAside for Config {}

impl Config {
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
        let servers = document
            .get("servers")
            .and_then(|servers| servers.get_ref().as_array());
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

/// A number that a person wrote into the file can be any; the nearest that is possible is meant.
fn possible_parallel<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u8, D::Error> {
    u8::deserialize(deserializer).map(|number| number.clamp(1, MAX_PARALLEL))
}

/// Where the key of the relays begins in `text`, in bytes.
fn start_of_relays(text: &str) -> Option<usize> {
    let document = DeTable::parse(text).ok()?.into_inner();
    let is_one = |key: &str| key == "relays" || key == "relay_list_file";
    let mut starts = document.iter().map(|(key, _)| key);
    starts
        .find(|key| is_one(key.get_ref()))
        .map(|key| key.span().start)
}

fn unwritable(error: &toml::ser::Error) -> ConfigError {
    ConfigError::Invalid {
        line: None,
        reason: error.to_string(),
    }
}

fn kept(home: &Home) -> Kept<Config> {
    Kept::in_file(home.config_file())
}

/// What a value comes to that can have changed on both sides: the change here counts.
fn changed<T: Clone + PartialEq>(now: &T, before: &T, there: &T) -> T {
    if now == before { there } else { now }.clone()
}

/// What a list comes to that can have changed on both sides, entry by entry; `same` says which are one entry.
fn merge<T: Clone + PartialEq>(
    now: &[T],
    before: &[T],
    there: &[T],
    same: impl Fn(&T, &T) -> bool,
) -> Vec<T> {
    let find = |list: &[T], entry: &T| list.iter().find(|other| same(other, entry)).cloned();
    let kept = now.iter().filter_map(|entry| {
        // One that did not change here is what it is there, or gone.
        if find(before, entry).as_ref() == Some(entry) {
            find(there, entry)
        } else {
            Some(entry.clone())
        }
    });
    let new = |entry: &&T| find(before, entry).is_none() && find(now, entry).is_none();
    kept.chain(there.iter().filter(new).cloned()).collect()
}

#[cfg(test)]
mod tests {
    use std::fs;

    use tempfile::tempdir;

    use super::*;

    const KEY: &str = "b32a74b3de569ef8e48ab8c6bfa1f533c06d5d643725c9a269c1e0f25364cbe2";

    fn full() -> Config {
        let address: ServerAddress = format!("https://files.example.org#p={KEY}")
            .parse()
            .unwrap();
        Config {
            chosen: ServerChoice::Server(address.key),
            servers: vec![ServerEntry {
                direct: true,
                access_word: Some(AccessWord::parse("open \"sesame\"").unwrap()),
                ..ServerEntry::new("Ours \"quoted\" é", address)
            }],
            relays: RelaySource::File("/lists/relays.json".into()),
            pointer_carries_relay_list: true,
            proxy: Some("socks5://me:secret@127.0.0.1:9050".parse().unwrap()),
            download_folder: Some("/in here".into()),
            theme: Theme::Dark,
            contrast: Contrast::High,
            reduced_motion: true,
            language: Some(Language::SimplifiedChinese),
            zoom: 150,
            copy_when_done: true,
            clear_clipboard: true,
            mask_pointers: true,
            name_in_pointer: false,
            history: false,
            notify: false,
            notify_names: true,
            display: Display::Wayland,
            renderer: Renderer::Glow,
            parallel_shares: 4,
            ..Config::default()
        }
    }

    #[test]
    fn settings_come_back_as_they_were_kept() {
        let folder = tempdir().unwrap();
        let home = Home::in_folder(folder.path().join("new/folder"));
        assert_eq!(Config::load(&home), Ok(Config::default()));
        for config in [Config::default(), full()] {
            config.save(&home).unwrap();
            assert_eq!(Config::load(&home), Ok(config));
        }
        assert_eq!(fs::read_dir(&home.config_dir).unwrap().count(), 1);
    }

    #[test]
    fn the_form_of_the_file_is_fixed() {
        let text = toml::to_string(&full()).unwrap();
        let expected = format!(
            "version = 1\nserver = \"{KEY}\"\nrelay_list_file = \"/lists/relays.json\"\npointer_carries_relay_list = true\n\
             proxy = \"socks5://me:secret@127.0.0.1:9050\"\ndownload_folder = \"/in here\"\ntheme = \"dark\"\ncontrast = \"high\"\nreduced_motion = true\nlanguage = \"zh-Hans\"\nzoom = 150\n\
             copy_when_done = true\nclear_clipboard = true\nmask_pointers = true\nwelcomed = false\nname_in_pointer = false\n\
             history = false\nnotify = false\nnotify_names = true\ndisplay = \"wayland\"\nrenderer = \"glow\"\nparallel_shares = 4\n\n[[servers]]\n\
             name = 'Ours \"quoted\" é'\naddress = \"https://files.example.org#p={KEY}\"\ndirect = true\naccess_word = 'open \"sesame\"'\n"
        );
        assert_eq!(text, expected);
    }

    #[test]
    fn every_source_of_relays_is_kept() {
        let line = format!("https://example.org/relays.json#k={KEY}");
        let path = std::path::absolute("/lists/a.json").unwrap();
        let written_path = toml::Value::String(path.to_str().unwrap().to_owned());
        for (relays, text) in [
            (RelaySource::BuiltIn, String::new()),
            (RelaySource::Session, "relays = \"session\"\n".to_owned()),
            (
                RelaySource::Url(line.parse().unwrap()),
                format!("relays = \"{line}\"\n"),
            ),
            (
                RelaySource::File(path),
                format!("relay_list_file = {written_path}\n"),
            ),
        ] {
            let config = Config {
                short_lists: Vec::from_iter(
                    (relays != RelaySource::BuiltIn).then(|| relays.clone()),
                ),
                relays,
                ..Config::default()
            };
            let written = toml::to_string(&config).unwrap();
            assert!(written.contains(&text), "{written}");
            assert_eq!(Config::parse(written.as_bytes()), Ok(config));
        }
        for wrong in ["relays = \"http://x\"", "relays = 7", "relay_list_file = 3"] {
            let text = format!("version = 1\n\n{wrong}\nzoom = 110\n");
            let refused = Config::parse(text.as_bytes());
            assert!(
                matches!(refused, Err(ConfigError::Invalid { line: Some(3), .. })),
                "{wrong}: {refused:?}"
            );
        }
    }

    #[test]
    fn a_number_of_shares_that_cannot_be_is_the_nearest_that_can() {
        for (written, decided) in [(0, 1), (3, 3), (200, MAX_PARALLEL)] {
            let text = format!("version = 1\nparallel_shares = {written}");
            let config = Config::parse(text.as_bytes()).unwrap();
            assert_eq!(config.parallel_shares, decided);
        }
    }

    #[test]
    fn a_short_file_has_the_defaults() {
        assert_eq!(Config::parse(b"version = 1"), Ok(Config::default()));
    }

    #[test]
    fn unknown_keys_are_written_back() {
        let folder = tempdir().unwrap();
        let home = Home::in_folder(folder.path());
        fs::write(
            home.config_file(),
            format!(
                "version = 1\nlater = \"x\"\n[more]\na = 1\n\
                 [[servers]]\nname = \"x\"\naddress = \"http://x#p={KEY}\"\nlatest = 2\n"
            ),
        )
        .unwrap();
        let mut config = Config::load(&home).unwrap();
        config.theme = Theme::Light;
        config.servers[0].name = "y".to_owned();
        config.save(&home).unwrap();
        let table: toml::Table =
            toml::from_str(&fs::read_to_string(home.config_file()).unwrap()).unwrap();
        assert_eq!(table["later"].as_str(), Some("x"));
        assert_eq!(table["more"]["a"].as_integer(), Some(1));
        assert_eq!(table["theme"].as_str(), Some("light"));
        assert_eq!(table["servers"][0]["name"].as_str(), Some("y"));
        assert_eq!(table["servers"][0]["latest"].as_integer(), Some(2));
        assert_eq!(Config::load(&home), Ok(config));
    }

    /// To pass over them would send past the proxy, or keep what was not to be kept.
    #[test]
    fn misspelled_keys_that_protect_something_stop_the_settings() {
        let server = format!("[[servers]]\nname = \"x\"\naddress = \"http://x#p={KEY}\"\n");
        let folder = tempdir().unwrap();
        let home = Home::in_folder(folder.path());
        for (text, line, key, meant) in [
            (
                "version = 1\nproxi = \"socks5://127.0.0.1:9050\"\n",
                2,
                "proxi",
                "proxy",
            ),
            ("version = 1\n\n\"Proxy\" = 1\n", 3, "Proxy", "proxy"),
            (
                "version = 1\nrelay_lists = \"session\"\n",
                2,
                "relay_lists",
                "relays",
            ),
            (
                "version = 1\n[privacy]\nhistory = false\n",
                3,
                "history",
                "history",
            ),
            // A line at the end of the file belongs to the last server.
            (
                &format!("version = 1\n{server}proxy = \"socks5://x:1\"\n"),
                5,
                "proxy",
                "proxy",
            ),
            (
                &format!("version = 1\n{server}access-word = \"x\"\n"),
                5,
                "access-word",
                "access_word",
            ),
        ] {
            fs::write(home.config_file(), text).unwrap();
            let unread = Config::load(&home).unwrap_err();
            let key = key.to_owned();
            assert_eq!(unread.error, ConfigError::Misspelled { line, key, meant });
            let saved = full().save_changes(&Config::default(), &home);
            assert_eq!(saved, Err(unread.error));
            assert_eq!(fs::read_to_string(home.config_file()).unwrap(), text);
        }
    }

    fn entry(name: &str, seed: u8) -> ServerEntry {
        let key = crate::protocol::keys::Identity::from_seed([seed; 32]).public();
        let address = format!("http://{name}.example#p={}", key.to_hex());
        ServerEntry::new(name, address.parse().unwrap())
    }

    #[test]
    fn what_another_program_changed_meanwhile_stays() {
        let folder = tempdir().unwrap();
        let home = Home::in_folder(folder.path());
        let before = Config {
            relays: RelaySource::File("/lists/old.json".into()),
            proxy: Some("socks5://127.0.0.1:9050".parse().unwrap()),
            ..Config::default()
        };
        before.save(&home).unwrap();
        let there = Config {
            relays: RelaySource::Session,
            short_lists: vec![RelaySource::Session],
            zoom: 117,
            ..before.clone()
        };
        there.save_changes(&before, &home).unwrap();
        let mut text = fs::read_to_string(home.config_file()).unwrap();
        text.insert_str(0, "later = 7\n");
        fs::write(home.config_file(), text).unwrap();

        let now = Config {
            theme: Theme::Dark,
            proxy: None,
            short_lists: vec![RelaySource::BuiltIn],
            ..before.clone()
        };
        now.save_changes(&before, &home).unwrap();
        let kept = Config::load(&home).unwrap();
        assert_eq!(kept.relays, RelaySource::Session);
        assert_eq!(
            kept.short_lists,
            [RelaySource::BuiltIn, RelaySource::Session]
        );
        assert_eq!((kept.zoom, kept.theme), (117, Theme::Dark));
        assert_eq!(kept.proxy, None);
        assert_eq!(kept.unknown["later"].as_integer(), Some(7));
    }

    #[test]
    fn what_both_changed_is_as_the_later_one_wants_it() {
        let folder = tempdir().unwrap();
        let home = Home::in_folder(folder.path());
        let before = Config::default();
        let one = Config {
            relays: RelaySource::Session,
            ..before.clone()
        };
        let other = Config {
            relays: RelaySource::File("/lists/a.json".into()),
            ..before.clone()
        };
        one.save_changes(&before, &home).unwrap();
        other.save_changes(&before, &home).unwrap();
        assert_eq!(Config::load(&home).unwrap(), other);
        before.save_changes(&other, &home).unwrap();
        assert_eq!(Config::load(&home).unwrap(), before);
    }

    #[test]
    fn servers_are_added_changed_and_removed_one_by_one() {
        let folder = tempdir().unwrap();
        let home = Home::in_folder(folder.path());
        let choice = |entry: &ServerEntry| ServerChoice::Server(entry.address.key);
        let (a, b, c, d) = (entry("a", 1), entry("b", 2), entry("c", 3), entry("d", 4));
        let before = Config {
            servers: vec![a.clone(), b.clone(), c.clone()],
            chosen: choice(&a),
            ..Config::default()
        };
        let renamed = ServerEntry {
            name: "Friends".to_owned(),
            ..b.clone()
        };
        Config {
            servers: vec![renamed.clone(), c.clone(), d.clone()],
            chosen: choice(&d),
            ..Config::default()
        }
        .save(&home)
        .unwrap();
        let direct = ServerEntry { direct: true, ..c };
        let now = Config {
            servers: vec![a, b, direct.clone()],
            ..before.clone()
        };
        now.save_changes(&before, &home).unwrap();
        let kept = Config::load(&home).unwrap();
        assert_eq!(kept.servers, [renamed.clone(), direct.clone(), d.clone()]);
        assert_eq!(kept.chosen, choice(&d));

        // The chosen one is gone there, and nothing else was chosen here.
        let less = Config {
            servers: vec![renamed.clone(), direct.clone()],
            ..kept.clone()
        };
        less.save_changes(&kept, &home).unwrap();
        let kept = Config::load(&home).unwrap();
        assert_eq!(kept.servers, [renamed, direct]);
        assert_eq!(kept.chosen, ServerChoice::BuiltIn);
    }

    #[test]
    fn a_file_that_went_meanwhile_is_written_whole_and_one_that_broke_is_left_alone() {
        let folder = tempdir().unwrap();
        let home = Home::in_folder(folder.path().join("new/folder"));
        let before = full();
        let now = Config {
            theme: Theme::Light,
            ..full()
        };
        now.save_changes(&before, &home).unwrap();
        assert_eq!(Config::load(&home), Ok(now.clone()));
        fs::write(home.config_file(), "theme = [").unwrap();
        let broken = now.save_changes(&before, &home);
        assert!(
            matches!(broken, Err(ConfigError::Invalid { .. })),
            "{broken:?}"
        );
        assert_eq!(fs::read_to_string(home.config_file()).unwrap(), "theme = [");
        fs::remove_file(home.config_file()).unwrap();
        fs::create_dir(home.config_file()).unwrap();
        let read = now.save_changes(&before, &home);
        assert!(matches!(read, Err(ConfigError::Read(_))), "{read:?}");
    }

    #[test]
    fn who_changes_the_settings_waits_for_who_does_already() {
        let folder = tempdir().unwrap();
        let home = Home::in_folder(folder.path());
        let held = kept(&home).hold().unwrap();
        let (told, heard) = std::sync::mpsc::channel();
        std::thread::scope(|scope| {
            scope.spawn(|| {
                let before = Config::default();
                let now = Config {
                    zoom: 150,
                    ..before.clone()
                };
                now.save_changes(&before, &home).unwrap();
                told.send(()).unwrap();
            });
            let there = Config {
                theme: Theme::Dark,
                ..Config::default()
            };
            there.save(&home).unwrap();
            assert!(heard.try_recv().is_err());
            drop(held);
            heard.recv().unwrap();
        });
        let kept = Config::load(&home).unwrap();
        assert_eq!((kept.zoom, kept.theme), (150, Theme::Dark));
    }

    #[test]
    fn broken_files_stay_until_the_person_says_so_and_then_go_aside_each_under_its_own_name() {
        let folder = tempdir().unwrap();
        let home = Home::in_folder(folder.path());
        let bad_server =
            format!("version = 1\n[[servers]]\nname = \"x\"\naddress = \"ftp://x#p={KEY}\"\n");
        let bad_word = format!(
            "version = 1\n[[servers]]\nname = \"x\"\naddress = \"http://x#p={KEY}\"\naccess_word = \"\"\n"
        );
        let gone = format!("version = 1\nserver = \"{KEY}\"\n");
        let bad_proxy = "version = 1\nproxy = \"http://127.0.0.1:8080\"\n";
        for (number, (text, line)) in [
            ("version = 1\ntheme = [", Some(2)),
            ("version = 1\n\ntheme = \"pink\"", Some(3)),
            ("theme = \"dark\"", None),
            (&bad_server, Some(4)),
            (&bad_word, Some(5)),
            (&gone, None),
            (bad_proxy, Some(2)),
        ]
        .into_iter()
        .enumerate()
        {
            fs::write(home.config_file(), text).unwrap();
            // No start is quieter than the one before.
            for _start in 0..2 {
                let unread = Config::load(&home).unwrap_err();
                assert_eq!(unread.file, home.config_file());
                assert!(
                    matches!(unread.error, ConfigError::Invalid { line: at, .. } if at == line),
                    "{unread:?}"
                );
            }
            let aside = if number == 0 {
                "config.toml.broken".to_owned()
            } else {
                format!("config.toml.broken.{number}")
            };
            let aside = folder.path().join(aside);
            assert_eq!(Config::put_aside(&home), Ok(Some(aside.clone())));
            assert_eq!(fs::read_to_string(aside).unwrap(), text);
            assert_eq!(Config::load(&home), Ok(Config::default()));
        }
    }

    #[test]
    fn a_newer_versions_file_stays_and_readable_settings_are_never_put_aside() {
        let folder = tempdir().unwrap();
        let home = Home::in_folder(folder.path());
        let newer = "version = 2\nproxy = \"elsewhere\"\n";
        fs::write(home.config_file(), newer).unwrap();
        assert_eq!(Config::load(&home).unwrap_err().error, ConfigError::Newer);
        assert_eq!(Config::put_aside(&home), Err(ConfigError::Newer));
        let saved = full().save_changes(&Config::default(), &home);
        assert_eq!(saved, Err(ConfigError::Newer));
        assert_eq!(fs::read_to_string(home.config_file()).unwrap(), newer);

        full().save(&home).unwrap();
        assert_eq!(Config::put_aside(&home), Ok(None));
        assert_eq!(Config::load(&home), Ok(full()));
    }

    /// A link to a disk that is not there is no reason to start afresh.
    #[cfg(unix)]
    #[test]
    fn a_link_that_leads_nowhere_is_a_file_that_cannot_be_read() {
        let folder = tempdir().unwrap();
        let home = Home::in_folder(folder.path());
        std::os::unix::fs::symlink("/nowhere/config.toml", home.config_file()).unwrap();
        let unread = Config::load(&home).unwrap_err();
        assert!(matches!(unread.error, ConfigError::Read(_)), "{unread:?}");
    }

    /// Windows' Notepad writes such files.
    #[test]
    fn settings_in_utf_16_are_read() {
        let folder = tempdir().unwrap();
        let home = Home::in_folder(folder.path());
        full().save(&home).unwrap();
        let text = fs::read_to_string(home.config_file()).unwrap();
        let mut bytes = vec![0xff, 0xfe];
        bytes.extend(text.encode_utf16().flat_map(u16::to_le_bytes));
        fs::write(home.config_file(), bytes).unwrap();
        assert_eq!(Config::load(&home), Ok(full()));
    }

    #[test]
    fn other_bytes_and_newer_files_are_told() {
        assert!(matches!(
            Config::parse(b"\xff\xfe"),
            Err(ConfigError::Invalid { .. })
        ));
        assert_eq!(
            Config::parse(b"version = 2\ntheme = 7"),
            Err(ConfigError::Newer)
        );
        assert!(matches!(
            Config::parse(b"version = 0"),
            Err(ConfigError::Invalid { .. })
        ));
        assert!(matches!(
            Config::parse(b""),
            Err(ConfigError::Invalid { .. })
        ));
    }

    #[test]
    fn what_cannot_be_read_or_written_is_told() {
        let folder = tempdir().unwrap();
        let home = Home::in_folder(folder.path());
        fs::create_dir(home.config_file()).unwrap();
        let unread = Config::load(&home).unwrap_err();
        assert!(matches!(unread.error, ConfigError::Read(_)), "{unread:?}");
        let config = Config::default();
        assert!(matches!(config.save(&home), Err(ConfigError::Write(_))));
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }

    #[test]
    fn the_choice_of_a_removed_server_falls_back() {
        let mut config = full();
        config.servers.clear();
        assert!(config.chosen_server().is_none());
        assert_eq!(config.without_gone_choice().chosen, ServerChoice::BuiltIn);
    }

    #[cfg(unix)]
    #[test]
    fn settings_are_readable_by_nobody_else() {
        use std::os::unix::fs::PermissionsExt as _;
        use std::path::Path;

        let folder = tempdir().unwrap();
        let home = Home::in_folder(folder.path().join("home"));
        full().save(&home).unwrap();
        let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!(mode(&home.config_file()), 0o600);
        assert_eq!(mode(&home.config_dir), 0o700);
    }
}
