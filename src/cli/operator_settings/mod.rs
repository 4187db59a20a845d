//! Operators' settings from flags, environment variables and a file, over the defaults: the first of them that names a
//! setting decides it. A key or a value of the file that is wrong is refused here, with file and line.
//!
//! Flags and variables make one layer of settings, a file another; `server` and `relay` say which settings there are,
//! `value` how each is written. The decided settings, their defaults, and which of them contradict each other are known
//! to [`crate::server::config`] and [`crate::relay::config`]. The layers stand in the command line's room: nothing else
//! reads them, and the window needs no parser of arguments of this kind.

mod relay;
mod server;
mod value;

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use clap::{Arg, Args, Command};
use serde::de::DeserializeOwned;
use toml::de::{DeTable, DeValue};

pub use self::relay::RelayLayer;
pub use self::server::ServerLayer;
use self::value::Setting;
use super::CliError;
use crate::protocol::text;

/// The settings that one source names, flags with variables or a file.
pub trait SettingsLayer: Args + Clone + DeserializeOwned {
    /// The decided settings.
    type Settings: Default;

    /// A file with every setting, what it does and its default, or an example where there is no default to write.
    const SAMPLE: &'static str;

    /// Sets in `settings` all that this layer names; its relative paths begin at `folder`.
    fn apply(self, folder: &Path, settings: &mut Self::Settings);
}

/// The flags of an operator's command.
#[derive(Args)]
pub(super) struct OperatorArgs<L: SettingsLayer> {
    /// A file with settings; --print-config prints one
    #[arg(long, env = "CLOAKROOM_CONFIG", value_name = "FILE")]
    config: Option<PathBuf>,
    // Boxed, since it is many times as large as the arguments of other commands.
    #[command(flatten)]
    layer: Box<L>,
}

impl<L: SettingsLayer> OperatorArgs<L> {
    /// The decided settings. Blocking, small.
    pub(super) fn read(&self) -> Result<L::Settings, CliError> {
        let mut settings = L::Settings::default();
        if let Some(path) = &self.config {
            let layer: L = read_file(path).map_err(|error| CliError::Usage(error.to_string()))?;
            let folder = path.parent().unwrap_or_else(|| Path::new(""));
            layer.apply(folder, &mut settings);
        }
        L::clone(&self.layer).apply(Path::new(""), &mut settings);
        Ok(settings)
    }

    /// The file with settings.
    pub(super) fn file(&self) -> Option<&Path> {
        self.config.as_deref()
    }
}

/// Sets `setting` to the value of a layer that has one.
fn put<T, S: From<T>>(value: Option<Setting<T>>, setting: &mut S) {
    if let Some(Setting(value)) = value {
        *setting = value.into();
    }
}

/// Completes the argument of a setting: its help ends with the default that stands in `sample`, and shows no value of a
/// variable, since one is a secret.
fn finish_arg(arg: Arg, sample: &str) -> Arg {
    let key = arg.get_id().as_str();
    let default = sample
        .lines()
        .find_map(|line| line.strip_prefix(key)?.strip_prefix(" = "));
    let help = match (arg.get_help(), default) {
        (Some(help), Some(default)) => {
            format!("{help} [default: {}]", default.trim_matches('"'))
        }
        (help, _) => help.map(ToString::to_string).unwrap_or_default(),
    };
    arg.help(help).hide_env_values(true)
}

fn read_file<L: SettingsLayer>(path: &Path) -> Result<L, OperatorSettingsError> {
    let unreadable = |cause| OperatorSettingsError::Read {
        path: path.to_owned(),
        cause,
    };
    let bytes = fs::read(path).map_err(unreadable)?;
    let text = text::decode(&bytes)
        .map_err(|error| unreadable(io::Error::new(io::ErrorKind::InvalidData, error)))?;
    read_text(&text, &path.display().to_string())
}

/// Reads the settings in `text`, which stands in the file called `name`.
///
/// # Errors
/// [`OperatorSettingsError`], for all that is no setting or no value of one.
pub fn read_text<L: SettingsLayer>(text: &str, name: &str) -> Result<L, OperatorSettingsError> {
    let place = |at: usize| {
        let before = text.get(..at).unwrap_or(text);
        format!("{name}, line {}", before.matches('\n').count() + 1)
    };
    let table = DeTable::parse(text).map_err(|error| OperatorSettingsError::Syntax {
        place: error
            .span()
            .map_or_else(|| name.to_owned(), |span| place(span.start)),
        reason: error.message().to_owned(),
    })?;
    let known = keys::<L>();
    for (key, value) in table.get_ref() {
        if !known.iter().any(|known| known == key.get_ref()) {
            return Err(OperatorSettingsError::Unknown {
                place: place(key.span().start),
                key: key.get_ref().to_string(),
                hint: hint(key.get_ref(), value.get_ref(), &known),
            });
        }
        if has_other_radix(value.get_ref()) {
            return Err(OperatorSettingsError::Value {
                place: format!("{}: {}", place(key.span().start), key.get_ref()),
                reason: "a number is written in decimal digits, and text in quotes".to_owned(),
            });
        }
    }
    toml::from_str(text).map_err(|error| {
        let wrong = error.span().and_then(|span| {
            let mut entries = table.get_ref().iter();
            entries.find(|(_key, value)| value.span().contains(&span.start))
        });
        OperatorSettingsError::Value {
            place: wrong.map_or_else(
                || name.to_owned(),
                |(key, _value)| format!("{}: {}", place(key.span().start), key.get_ref()),
            ),
            // Without the line itself, which may hold a secret.
            reason: error.message().to_owned(),
        }
    })
}

/// Whether a number in `value` is written otherwise than in decimal digits (`0xCAFE`): read as one it would become another
/// text than the one that stands there.
fn has_other_radix(value: &DeValue<'_>) -> bool {
    match value {
        DeValue::Integer(number) => number.radix() != 10,
        DeValue::Array(values) => values.iter().any(|value| has_other_radix(value.get_ref())),
        DeValue::String(_)
        | DeValue::Float(_)
        | DeValue::Boolean(_)
        | DeValue::Datetime(_)
        | DeValue::Table(_) => false,
    }
}

/// The names of all settings in a file.
fn keys<L: SettingsLayer>() -> Vec<String> {
    let command = L::augment_args(Command::new(""));
    let arguments = command.get_arguments();
    arguments.map(|arg| arg.get_id().to_string()).collect()
}

fn hint(key: &str, value: &DeValue<'_>, known: &[String]) -> String {
    if matches!(value, DeValue::Table(_)) {
        return "settings stand at the top of the file, in no [section]".to_owned();
    }
    let key = key.to_ascii_lowercase();
    let near = known
        .iter()
        .map(|known| (strsim::osa_distance(&key, known), known))
        .min()
        .filter(|(changes, known)| *changes <= 1 + known.len() / 4);
    match near {
        Some((_, known)) => format!("did you mean {known:?}?"),
        None => "--print-config shows all there are".to_owned(),
    }
}

/// Why a file with settings was refused.
#[derive(Debug, thiserror::Error)]
pub enum OperatorSettingsError {
    /// The file cannot be read.
    #[error("the configuration {} cannot be read ({cause}); check its name and who may read it", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// The reason that the system gave.
        cause: io::Error,
    },
    /// The file is not TOML.
    #[error("{place}: {reason}")]
    Syntax {
        /// File and line.
        place: String,
        /// What is wrong.
        reason: String,
    },
    /// The file has a key that is no setting.
    #[error("{place}: there is no setting {key:?}; {hint}")]
    Unknown {
        /// File and line.
        place: String,
        /// The key.
        key: String,
        /// The setting that was probably meant, or where to find all of them.
        hint: String,
    },
    /// The value cannot be one of its setting.
    #[error("{place}: {reason}")]
    Value {
        /// File, line and key.
        place: String,
        /// What is wrong.
        reason: String,
    },
}

#[cfg(test)]
mod tests;
