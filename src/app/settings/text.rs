//! Settings that are texts in the file and parsed values here.

use std::fmt::Display;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use crate::app::relays::set::RelaySource;
use crate::app::words::l10n::Language;
use crate::net::socks::SocksProxy;
use crate::protocol::address::ServerAddress;
use crate::protocol::capability::AccessWord;
use crate::protocol::keys::Ed25519Public;

/// A value that the file holds as a text.
pub(super) trait FromText: Sized {
    /// What the value is, for the sentence about one that was refused.
    const NAME: &'static str;

    /// Parses the text.
    ///
    /// # Errors
    /// Why it was refused, as the end of a sentence.
    fn from_text(text: &str) -> Result<Self, impl Display>;

    /// Returns the text that [`FromText::from_text`] takes.
    fn to_text(&self) -> String;
}

impl FromText for ServerAddress {
    const NAME: &'static str = "the address of a server";

    fn from_text(text: &str) -> Result<Self, impl Display> {
        text.parse::<Self>()
    }

    fn to_text(&self) -> String {
        self.to_string()
    }
}

impl FromText for AccessWord {
    const NAME: &'static str = "the access word of a server";

    fn from_text(text: &str) -> Result<Self, impl Display> {
        Self::parse(text)
    }

    fn to_text(&self) -> String {
        self.as_str().to_owned()
    }
}

impl FromText for Ed25519Public {
    const NAME: &'static str = "the key that signs the relay list of a network";

    fn from_text(text: &str) -> Result<Self, impl Display> {
        Self::from_hex(text)
    }

    fn to_text(&self) -> String {
        self.to_hex()
    }
}

impl FromText for SocksProxy {
    const NAME: &'static str = "the proxy";

    fn from_text(text: &str) -> Result<Self, impl Display> {
        text.parse::<Self>()
    }

    fn to_text(&self) -> String {
        self.to_secret_text()
    }
}

impl FromText for RelaySource {
    const NAME: &'static str = "a relay list";

    fn from_text(text: &str) -> Result<Self, impl Display> {
        text.parse::<Self>()
    }

    fn to_text(&self) -> String {
        self.to_line()
    }
}

/// Writes the text of a value.
///
/// # Errors
/// Those of the serializer.
pub(super) fn serialize<T: FromText, S: Serializer>(
    value: &T,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    value.to_text().serialize(serializer)
}

/// Parses a value from its text.
///
/// # Errors
/// A sentence that names the value and says why it was refused.
pub(super) fn deserialize<'de, T: FromText, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<T, D::Error> {
    parse(&String::deserialize(deserializer)?)
}

fn parse<T: FromText, E: de::Error>(text: &str) -> Result<T, E> {
    T::from_text(text).map_err(|why| E::custom(format_args!("{}: {why}", T::NAME)))
}

/// Values that may be missing.
pub(super) mod optional {
    use super::{Deserialize as _, Deserializer, FromText, Serialize as _, Serializer, parse};

    pub(in super::super) fn serialize<T: FromText, S: Serializer>(
        value: &Option<T>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        value.as_ref().map(T::to_text).serialize(serializer)
    }

    pub(in super::super) fn deserialize<'de, T: FromText, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Option<T>, D::Error> {
        let text = Option::<String>::deserialize(deserializer)?;
        text.as_deref().map(parse).transpose()
    }
}

/// Lists of values.
pub(super) mod list {
    use super::{Deserialize as _, Deserializer, FromText, Serializer, parse};

    pub(in super::super) fn serialize<T: FromText, S: Serializer>(
        values: &[T],
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(values.iter().map(T::to_text))
    }

    pub(in super::super) fn deserialize<'de, T: FromText, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Vec<T>, D::Error> {
        let texts = Vec::<String>::deserialize(deserializer)?;
        texts.iter().map(|text| parse(text)).collect()
    }
}

/// The language of the window: a tag (BCP 47); one that this version does not speak is the system's.
pub(super) mod language {
    use super::{Deserialize as _, Deserializer, Language, Serialize as _, Serializer};

    #[expect(clippy::ref_option, reason = "serde hands a reference to the field")]
    pub(in super::super) fn serialize<S: Serializer>(
        language: &Option<Language>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        language.map(Language::tag).serialize(serializer)
    }

    pub(in super::super) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Option<Language>, D::Error> {
        let tag = Option::<String>::deserialize(deserializer)?;
        Ok(tag.as_deref().and_then(Language::from_tag))
    }
}
