//! Settings of a server or relay from flags, environment and file, highest precedence first.

use std::marker::PhantomData;
use std::path::{Path, PathBuf};

use clap::parser::ValueSource;
use clap::{Arg, ArgAction, ArgMatches, Args, Command, Error, FromArgMatches, value_parser};

use super::CliError;
use crate::wire::settings::{self, Given, Setting, Settings, Shape};

/// Settings of `S` as they were said, not read yet.
pub(super) struct OperatorArgs<S> {
    config: Option<PathBuf>,
    values: Vec<Value>,
    of: PhantomData<S>,
}

struct Value {
    key: &'static str,
    place: String,
    texts: Vec<String>,
}

impl<S: Settings> OperatorArgs<S> {
    /// The file's values, over them the environment's, over them the command line's.
    pub(super) fn read(&self) -> Result<S, CliError> {
        let mut read = S::default();
        let wrong = |error: settings::SettingsError| CliError::Usage(error.to_string());
        if let Some(path) = &self.config {
            settings::read(&mut read, path).map_err(wrong)?;
        }
        for Value { key, place, texts } in &self.values {
            let setting = S::table().iter().find(|setting| setting.key == *key);
            if let Some(setting) = setting {
                let given = Given::new(texts, Path::new(""));
                settings::set(&mut read, setting, place, &given).map_err(wrong)?;
            }
        }
        Ok(read)
    }

    /// The file that was named.
    pub(super) fn file(&self) -> Option<&Path> {
        self.config.as_deref()
    }
}

impl<S: Settings> Args for OperatorArgs<S> {
    fn augment_args(command: Command) -> Command {
        let config = Arg::new(CONFIG)
            .long(CONFIG)
            .env("CLOAKROOM_CONFIG")
            .value_name("FILE")
            .value_parser(value_parser!(PathBuf))
            .help("A file with settings; --print-config prints one");
        S::table()
            .iter()
            .fold(command.arg(config), |command, setting| {
                command.arg(arg(setting))
            })
    }

    fn augment_args_for_update(command: Command) -> Command {
        Self::augment_args(command)
    }
}

impl<S: Settings> FromArgMatches for OperatorArgs<S> {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, Error> {
        let value = |setting: &Setting<S>| {
            let texts: Vec<String> = matches
                .get_many::<String>(setting.key)?
                .map(String::to_owned)
                .collect();
            let place = match matches.value_source(setting.key)? {
                ValueSource::EnvVariable => setting.variable.to_owned(),
                _ => format!("--{}", setting.flag),
            };
            Some(Value {
                key: setting.key,
                place,
                texts,
            })
        };
        Ok(Self {
            config: matches.get_one::<PathBuf>(CONFIG).cloned(),
            values: S::table().iter().filter_map(value).collect(),
            of: PhantomData,
        })
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), Error> {
        *self = Self::from_arg_matches(matches)?;
        Ok(())
    }
}

fn arg<S>(setting: &Setting<S>) -> Arg {
    let mut help = setting.help.to_owned();
    if let settings::Sample::Default(value) = setting.sample {
        help.push_str(&format!(" [default: {}]", value.trim_matches('"')));
    }
    let arg = Arg::new(setting.key)
        .long(setting.flag)
        .env(setting.variable)
        .hide_env_values(true)
        .help(help)
        .action(ArgAction::Set);
    match setting.shape {
        Shape::Switch => arg
            .num_args(0..=1)
            .require_equals(true)
            .default_missing_value("true")
            .value_name("BOOL"),
        Shape::Text => arg.value_name(setting.value).allow_hyphen_values(false),
        Shape::List => arg.value_name(setting.value).value_delimiter(','),
    }
}

const CONFIG: &str = "config";

#[cfg(test)]
mod tests {
    use super::*;
    use crate::relay::config::RelaySettings;
    use crate::server::config::ServerSettings;

    #[test]
    fn each_key_has_a_flag_and_a_variable_of_its_name() {
        names_agree::<ServerSettings>();
        names_agree::<RelaySettings>();
    }

    fn names_agree<S: Settings>() {
        for Setting {
            key,
            flag,
            variable,
            ..
        } in S::table()
        {
            assert_eq!(*flag, key.replace('_', "-"));
            assert_eq!(*variable, format!("CLOAKROOM_{}", key.to_uppercase()));
        }
    }

    #[test]
    fn the_command_line_wins_over_the_environment_and_that_over_the_file() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("relay.toml");
        std::fs::write(&file, "operator = \"file\"\nmax_memory = \"64 MiB\"\n").unwrap();
        let command = RelaySaid::augment_args(Command::new("relay"));
        let matches = command.get_matches_from([
            "relay",
            "--config",
            file.to_str().unwrap(),
            "--operator",
            "flag",
            "--serves",
            "a.example,b.example",
            "--allow-private",
        ]);
        let read = RelaySaid::from_arg_matches(&matches)
            .unwrap()
            .read()
            .unwrap();
        assert_eq!(
            (read.operator.as_str(), read.max_memory),
            ("flag", 64 << 20)
        );
        assert!(read.allow_private && read.serves.includes("b.example"));
    }

    type RelaySaid = OperatorArgs<RelaySettings>;
}
