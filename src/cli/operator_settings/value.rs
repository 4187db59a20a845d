//! Values of operators' settings: each type is read from texts by one function, whether a flag, a variable or a file has
//! them.

use std::{
    ffi::OsStr,
    fmt::{self, Display},
    marker::PhantomData,
    net::{IpAddr, SocketAddr},
    num::NonZeroU16,
    path::PathBuf,
    str::FromStr,
    time::Duration,
};

use clap::{
    Arg, Command, Error,
    builder::{TypedValueParser, ValueParserFactory},
    error::ErrorKind,
    parser::ValueSource,
};
use serde::de::{self, Deserialize, Deserializer, SeqAccess, Visitor};
use tracing::level_filters::LevelFilter;
use zeroize::Zeroizing;

use crate::{
    app::words::units::{parse_bytes, parse_seconds},
    protocol::{
        address::ServerUrl,
        capability::{AccessWord, work::WorkBase},
        invitation::Invitation,
        keys::Ed25519Public,
        network::JoinRule,
        relay_list::Serves,
    },
    relay::config::JoinSource,
    server::store::location::StoreLocation,
    wire::holder::{IpNetwork, networks},
};

/// The value of one setting.
#[derive(Clone)]
pub(super) struct Setting<T>(pub(super) T);

/// A type of values.
pub(super) trait SettingValue: Clone + Send + Sync + Sized + 'static {
    /// How a file has it.
    const FORM: FileForm = FileForm::Text;

    /// Reads a value of several texts in [`FileForm::List`], of one in the others.
    ///
    /// # Errors
    /// What is wrong with it and what is wanted in its place, without a secret.
    fn read(texts: &[String]) -> Result<Self, String>;
}

/// How a file has a value. Flags and variables have a text, with commas between those of a list.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum FileForm {
    /// An array of texts and numbers; one of them may stand alone.
    List,
    /// true or false, without quotes.
    Switch,
    /// A text in quotes, or a whole number.
    Text,
}

impl Display for FileForm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::List => "a list such as [\"one\", \"two\"]",
            Self::Switch => "true or false, without quotes",
            Self::Text => "a text in quotes or a whole number",
        })
    }
}

impl<T: SettingValue> ValueParserFactory for Setting<T> {
    type Parser = SettingParser<T>;

    fn value_parser() -> Self::Parser {
        SettingParser(PhantomData)
    }
}

/// Reads the value of a flag, or of the variable that stands in for it. An error names the one that has it.
#[derive(Clone)]
pub(super) struct SettingParser<T>(PhantomData<fn() -> T>);

impl<T: SettingValue> TypedValueParser for SettingParser<T> {
    type Value = Setting<T>;

    fn parse_ref(
        &self,
        command: &Command,
        arg: Option<&Arg>,
        value: &OsStr,
    ) -> Result<Self::Value, Error> {
        self.parse_ref_(command, arg, value, ValueSource::CommandLine)
    }

    fn parse_ref_(
        &self,
        command: &Command,
        arg: Option<&Arg>,
        value: &OsStr,
        source: ValueSource,
    ) -> Result<Self::Value, Error> {
        let read = value
            .to_str()
            .ok_or_else(|| "the value is not text in UTF-8".to_owned())
            .and_then(|text| match T::FORM {
                FileForm::List => T::read(&text.split(',').map(str::to_owned).collect::<Vec<_>>()),
                FileForm::Switch | FileForm::Text => T::read(&[text.to_owned()]),
            });
        read.map(Setting).map_err(|reason| {
            let variable = arg
                .filter(|_arg| source == ValueSource::EnvVariable)
                .and_then(Arg::get_env);
            let place = match (variable, arg.and_then(Arg::get_long)) {
                (Some(variable), _) => variable.to_string_lossy().into_owned(),
                (None, flag) => format!("--{}", flag.unwrap_or_default()),
            };
            let message = format!("{place}: {reason}");
            command.clone().error(ErrorKind::ValueValidation, message)
        })
    }
}

impl<'de, T: SettingValue> Deserialize<'de> for Setting<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(FileValue(PhantomData))
    }
}

/// Reads the value of a setting in a file.
struct FileValue<T>(PhantomData<fn() -> T>);

impl<T: SettingValue> FileValue<T> {
    fn one<E: de::Error>(form: FileForm, text: String) -> Result<Setting<T>, E> {
        let fits = (form == FileForm::Switch) == (T::FORM == FileForm::Switch);
        if fits {
            Self::several(&[text])
        } else {
            Err(Self::other_form())
        }
    }

    fn several<E: de::Error>(texts: &[String]) -> Result<Setting<T>, E> {
        T::read(texts).map(Setting).map_err(E::custom)
    }

    /// Told without the value, which may be a secret.
    fn other_form<E: de::Error>() -> E {
        E::custom(format!("{} is wanted here", T::FORM))
    }
}

impl<'de, T: SettingValue> Visitor<'de> for FileValue<T> {
    type Value = Setting<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        T::FORM.fmt(f)
    }

    fn visit_bool<E: de::Error>(self, value: bool) -> Result<Self::Value, E> {
        Self::one(FileForm::Switch, value.to_string())
    }

    fn visit_i64<E: de::Error>(self, value: i64) -> Result<Self::Value, E> {
        Self::one(FileForm::Text, value.to_string())
    }

    // Some access words are longer numbers than the two above.
    fn visit_u64<E: de::Error>(self, value: u64) -> Result<Self::Value, E> {
        Self::one(FileForm::Text, value.to_string())
    }

    fn visit_i128<E: de::Error>(self, value: i128) -> Result<Self::Value, E> {
        Self::one(FileForm::Text, value.to_string())
    }

    fn visit_u128<E: de::Error>(self, value: u128) -> Result<Self::Value, E> {
        Self::one(FileForm::Text, value.to_string())
    }

    fn visit_f64<E: de::Error>(self, _value: f64) -> Result<Self::Value, E> {
        Err(Self::other_form())
    }

    fn visit_str<E: de::Error>(self, value: &str) -> Result<Self::Value, E> {
        Self::one(FileForm::Text, value.to_owned())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Self::Value, A::Error> {
        if T::FORM != FileForm::List {
            return Err(Self::other_form());
        }
        let mut texts = Vec::new();
        while let Some(Setting(text)) = items.next_element::<Setting<String>>()? {
            texts.push(text);
        }
        Self::several(&texts)
    }
}

/// A size.
#[derive(Clone, Copy)]
pub(super) struct SizeBytes(u64);

impl From<SizeBytes> for u64 {
    fn from(size: SizeBytes) -> Self {
        size.0
    }
}

impl SettingValue for SizeBytes {
    fn read(texts: &[String]) -> Result<Self, String> {
        parse_bytes(one(texts)?).map(Self)
    }
}

/// A time in whole seconds.
#[derive(Clone, Copy)]
pub(super) struct TimeSecs(u64);

impl From<TimeSecs> for u64 {
    fn from(time: TimeSecs) -> Self {
        time.0
    }
}

impl From<TimeSecs> for Duration {
    fn from(time: TimeSecs) -> Self {
        Self::from_secs(time.0)
    }
}

impl SettingValue for TimeSecs {
    fn read(texts: &[String]) -> Result<Self, String> {
        parse_seconds(one(texts)?).map(Self)
    }
}

impl SettingValue for AccessWord {
    fn read(texts: &[String]) -> Result<Self, String> {
        // Told without the word itself: errors are printed.
        Self::parse(one(texts)?).map_err(|error| error.to_string())
    }
}

impl SettingValue for IpAddr {
    fn read(texts: &[String]) -> Result<Self, String> {
        parse(texts, "an IP address, such as 203.0.113.7")
    }
}

impl SettingValue for JoinSource {
    fn read(texts: &[String]) -> Result<Self, String> {
        match one(texts)?.trim() {
            "" => Err("an invitation, a file that holds one, or - is wanted here".to_owned()),
            "-" => Ok(Self::Stdin),
            text if Invitation::may_be(text) => Ok(Self::Word(Zeroizing::new(text.to_owned()))),
            path => Ok(Self::File(PathBuf::from(path))),
        }
    }
}

impl SettingValue for Ed25519Public {
    fn read(texts: &[String]) -> Result<Self, String> {
        Self::from_hex(one(texts)?.trim()).map_err(|why| {
            format!("{why}; wanted is the public one, as cloak relay-list key prints it")
        })
    }
}

impl SettingValue for JoinRule {
    fn read(texts: &[String]) -> Result<Self, String> {
        match one(texts)?.trim() {
            "ask" => Ok(Self::Ask),
            "open" => Ok(Self::Open),
            other => Err(format!("{other:?} is neither open nor ask")),
        }
    }
}

impl SettingValue for LevelFilter {
    fn read(texts: &[String]) -> Result<Self, String> {
        let text = one(texts)?;
        let named = ["off", "error", "warn", "info", "debug", "trace"]
            .into_iter()
            .find(|name| name.eq_ignore_ascii_case(text.trim()));
        named
            .and_then(|name| name.parse().ok())
            .ok_or_else(|| format!("{text:?} is none of off, error, warn, info, debug and trace"))
    }
}

/// The work of uploads; 0 is none.
impl SettingValue for Option<WorkBase> {
    /// A list, so that the eight numbers of version 0.1 are told what to write instead.
    const FORM: FileForm = FileForm::List;

    fn read(texts: &[String]) -> Result<Self, String> {
        let base = |bits: &str| WorkBase::from_bits(bits.parse().ok()?);
        match trimmed(texts)?.as_slice() {
            ["0"] => Ok(None),
            [bits] if base(bits).is_some() => Ok(base(bits)),
            other => Err(format!(
                "{:?} is not the number of bits for all sizes: write one of 0, 14, 16, 18, 20 or 22 (version 0.1 took \
                 eight numbers: write the first of them, rounded up to one of these)",
                other.join(", ")
            )),
        }
    }
}

impl SettingValue for NonZeroU16 {
    fn read(texts: &[String]) -> Result<Self, String> {
        parse(texts, "a port, 1 to 65535")
    }
}

impl SettingValue for PathBuf {
    fn read(texts: &[String]) -> Result<Self, String> {
        match trimmed(texts)?.as_slice() {
            [path] => Ok(Self::from(path)),
            _ => Err("one path is wanted here".to_owned()),
        }
    }
}

impl SettingValue for Serves {
    const FORM: FileForm = FileForm::List;

    fn read(texts: &[String]) -> Result<Self, String> {
        match trimmed(texts)?.as_slice() {
            ["any"] => Ok(Self::Any),
            ["none"] | [] => Ok(Self::None),
            hosts => {
                let named =
                    |host: &&str| !["any", "none"].contains(host) && !host.contains(['/', ' ']);
                if !hosts.iter().all(named) {
                    return Err("give any, none, or names of hosts".to_owned());
                }
                let hosts = hosts.iter().map(|host| host.to_ascii_lowercase());
                Ok(Self::Hosts(hosts.collect()))
            }
        }
    }
}

impl SettingValue for ServerUrl {
    fn read(texts: &[String]) -> Result<Self, String> {
        Self::normalise(one(texts)?).map_err(|error| error.to_string())
    }
}

impl SettingValue for SocketAddr {
    fn read(texts: &[String]) -> Result<Self, String> {
        parse(texts, "an address with a port, such as 127.0.0.1:8787")
    }
}

impl SettingValue for StoreLocation {
    fn read(texts: &[String]) -> Result<Self, String> {
        let location = one(texts)?.trim().parse::<Self>();
        location.map_err(|error| error.to_string())
    }
}

impl SettingValue for String {
    fn read(texts: &[String]) -> Result<Self, String> {
        one(texts).map(|text| text.trim().to_owned())
    }
}

impl SettingValue for Vec<IpNetwork> {
    const FORM: FileForm = FileForm::List;

    fn read(texts: &[String]) -> Result<Self, String> {
        networks(&trimmed(texts)?)
    }
}

impl SettingValue for Vec<PathBuf> {
    const FORM: FileForm = FileForm::List;

    fn read(texts: &[String]) -> Result<Self, String> {
        Ok(trimmed(texts)?.into_iter().map(PathBuf::from).collect())
    }
}

impl SettingValue for bool {
    const FORM: FileForm = FileForm::Switch;

    fn read(texts: &[String]) -> Result<Self, String> {
        match one(texts)?.trim() {
            "true" | "1" | "yes" | "on" => Ok(true),
            "false" | "0" | "no" | "off" => Ok(false),
            other => Err(format!("{other:?} is neither true nor false")),
        }
    }
}

impl SettingValue for usize {
    fn read(texts: &[String]) -> Result<Self, String> {
        parse(texts, "a number")
    }
}

fn one(texts: &[String]) -> Result<&str, String> {
    match texts {
        [text] => Ok(text),
        _ => Err("one value is wanted here".to_owned()),
    }
}

/// The texts without spaces at their ends; none is empty.
fn trimmed(texts: &[String]) -> Result<Vec<&str>, String> {
    let texts: Vec<_> = texts.iter().map(|text| text.trim()).collect();
    if texts.iter().any(|text| text.is_empty()) {
        return Err("one of the values is empty".to_owned());
    }
    Ok(texts)
}

/// `wanted` says what the text should have been.
fn parse<T: FromStr>(texts: &[String], wanted: &str) -> Result<T, String> {
    let text = one(texts)?;
    let read = text.trim().parse();
    read.map_err(|_why| format!("{text:?} is not {wanted}"))
}
