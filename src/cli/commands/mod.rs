//! One file a command.

pub(super) mod demo;
pub(super) mod get;
pub(super) mod info;
pub(super) mod relay;
pub(super) mod relay_list;
pub(super) mod relays;
pub(super) mod serve;
pub(super) mod share;
pub(super) mod up;

use tokio_util::sync::CancellationToken;

use super::CliError;
use super::args::Way;
use super::terminal;
use crate::app::config::{Config, Home};
use crate::app::error::AppError;
use crate::app::message::UserMessage;
use crate::app::relays::{RelaySet, RelaySource, Relays};
use crate::app::session::Session;
use crate::protocol::address::ServerAddress;

/// The session of this person and their settings.
fn open_session() -> Result<(Session, Config), CliError> {
    let home = Home::find().map_err(AppError::from)?;
    let (config, problem) = Config::load(&home);
    if let Some(problem) = problem {
        terminal::print_message("warning", &UserMessage::from(&problem));
    }
    Ok((Session::new(home), config))
}

/// The relays for `server`: those of `--relays`, else those of the settings, else what was accepted for it.
async fn relays(
    session: &Session,
    way: &Way,
    config: &Config,
    server: &ServerAddress,
    cancel: &CancellationToken,
) -> Result<Option<RelaySet>, AppError> {
    let chosen = match &way.relays {
        Some(path) => RelaySource::File(path.clone()),
        None => config.relays.clone(),
    };
    Relays::of(session.home())
        .for_server(session, &chosen, server, cancel)
        .await
}
