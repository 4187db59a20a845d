//! One file a command.

pub(super) mod check;
pub(super) mod demo;
pub(super) mod get;
pub(super) mod info;
pub(super) mod manage;
pub(super) mod relay;
pub(super) mod relay_list;
pub(super) mod relays;
pub(super) mod serve;
pub(super) mod share;
pub(super) mod store;
pub(super) mod up;

use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;
use zeroize::Zeroizing;

use super::CliError;
use super::args::{Access, ProxyArg, RouteArgs};
use super::terminal;
use crate::app::error::AppError;
use crate::app::relays::{RelaySet, RelaySource, Relays, or_offer, with_offer};
use crate::app::settings::config::{Config, Home};
use crate::app::transfer::network::Network;
use crate::app::transfer::session::Session;
use crate::app::words::who_saw_what::{self, RequestShown};
use crate::protocol::address::ServerAddress;
use crate::protocol::capability::AccessWord;
use crate::protocol::pointer::Pointer;
use crate::protocol::text;

/// The session of this person and their settings.
fn open_session() -> Result<(Session, Config), CliError> {
    let home = Home::find().map_err(AppError::from)?;
    let config = Config::load(&home).map_err(AppError::from)?;
    let session = Session::new(home);
    session.set_proxy(config.proxy.clone());
    session.allow_short(config.short_lists.clone());
    Ok((session, config))
}

/// Goes out as `--proxy` says, when it says something.
fn use_proxy(session: &Session, way: &RouteArgs) {
    match &way.proxy {
        Some(ProxyArg::Through(proxy)) => session.set_proxy(Some(proxy.clone())),
        Some(ProxyArg::None) => session.set_proxy(None),
        None => {}
    }
}

/// The relays for `server`: those of `--relays`, else those of the settings, else what was accepted for it.
async fn relays(
    session: &Session,
    way: &RouteArgs,
    config: &Config,
    server: &ServerAddress,
    shown: &mut Vec<RequestShown>,
    cancel: &CancellationToken,
) -> Result<Option<RelaySet>, AppError> {
    let chosen = match &way.relays {
        // The same file is the same list from whichever folder.
        Some(path) => RelaySource::File(std::path::absolute(path).unwrap_or_else(|_| path.clone())),
        None => config.relays.clone(),
    };
    Relays::of(session.home())
        .for_server(session, &chosen, server, shown, cancel)
        .await
}

/// The way to the server that a pointer names.
async fn network_of(
    session: &Session,
    config: &Config,
    way: &RouteArgs,
    pointer: &Pointer,
    shown: &mut Vec<RequestShown>,
    cancel: &CancellationToken,
) -> Result<Network, CliError> {
    use_proxy(session, way);
    let server = &pointer.server;
    let listed = config.servers.iter().find(|entry| entry.address == *server);
    let direct = way.direct || listed.is_some_and(|entry| entry.direct);
    let relays = if direct {
        None
    } else {
        let relays = relays(session, way, config, server, shown, cancel).await;
        or_offer(relays, pointer)?
    };
    let network = if listed.is_some() {
        session.network_to_known(server, relays, direct).await
    } else {
        session.network_to(server, relays, direct).await
    };
    let network = network.map_err(|error| with_offer(error, pointer))?;
    session.hold_builtin(&network);
    if direct {
        terminal::note(DIRECT);
    }
    Ok(network)
}

/// The word that was given for this command, else the one that the person keeps with the server.
fn access_word(
    access: &Access,
    config: &Config,
    server: &ServerAddress,
) -> Result<Option<AccessWord>, CliError> {
    let Some(path) = &access.access_word_file else {
        let given = access.access_word.as_ref();
        return Ok(given.or_else(|| config.access_word(server)).cloned());
    };
    let name = path.display();
    let text = std::fs::read(path).map(Zeroizing::new).map_err(|error| {
        CliError::Usage(format!(
            "the access word cannot be read from {name}: {error}"
        ))
    })?;
    let word = text::decode(&text)
        .ok()
        .and_then(|text| AccessWord::parse(text.lines().next()?.trim()).ok());
    word.map(Some)
        .ok_or_else(|| CliError::Usage(format!("{name} does not begin with an access word")))
}

/// OperatorArgs of a file that expires by the server's clock.
const CLOCKS_DIFFER: &str = "this computer's clock and the server's differ by an hour or more: the file expires by the server's; check the clock here";
const DIRECT: &str = "going straight to the server: it sees this computer's address";

/// How a command tells which party was shown what: not at all, on standard error, or in its one JSON object.
#[derive(Clone, Copy)]
struct Telling {
    who_saw_what: bool,
    json: bool,
}

impl Telling {
    const fn of(who_saw_what: bool, json: bool) -> Self {
        Self { who_saw_what, json }
    }

    /// Tells it when the command has ended; one that failed has no other object.
    fn end<T>(self, result: Result<T, CliError>, shown: &[RequestShown]) -> Result<T, CliError> {
        match (&result, self.json) {
            _ if !self.who_saw_what => {}
            (_, false) => {
                for line in who_saw_what::lines(shown) {
                    terminal::note(&line);
                }
            }
            (Err(failure), true) => {
                let object = json!({ "error": failure.to_string() });
                // What failed counts, also when it cannot be printed.
                terminal::print_json(&self.with(object, shown)).ok();
            }
            (Ok(_), true) => {}
        }
        result
    }

    /// The object of a command that went well.
    fn with(self, mut object: Value, shown: &[RequestShown]) -> Value {
        if self.who_saw_what
            && let Some(members) = object.as_object_mut()
        {
            members.insert("who_saw_what".to_owned(), who_saw_what::to_json(shown));
        }
        object
    }
}
