//! One file a command.

pub(super) mod demo;
pub(super) mod get;
pub(super) mod info;
pub(super) mod relay;
pub(super) mod relay_list;
pub(super) mod serve;
pub(super) mod share;
pub(super) mod up;

use super::CliError;
use super::args::Way;
use super::terminal;
use crate::app::config::{Config, Home};
use crate::app::error::AppError;
use crate::app::message::UserMessage;
use crate::app::relay_file;
use crate::app::session::Session;
use crate::protocol::relay_list::RelayList;

/// The session of this person and their settings.
fn open_session() -> Result<(Session, Config), CliError> {
    let home = Home::find().map_err(AppError::from)?;
    let (config, problem) = Config::load(&home);
    if let Some(problem) = problem {
        terminal::print_message("warning", &UserMessage::from(&problem));
    }
    Ok((Session::new(home), config))
}

/// The list of `--relays`, else the one of the settings.
fn relays(session: &Session, way: &Way, config: &Config) -> Result<Option<RelayList>, AppError> {
    let path = way.relays.as_ref().or(config.relay_list_file.as_ref());
    path.map(|path| relay_file::read(path, session.now()))
        .transpose()
}
