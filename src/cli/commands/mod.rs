//! One file a command.

pub(super) mod check;
pub(super) mod completions;
pub(super) mod demo;
pub(super) mod get;
pub(super) mod host;
pub(super) mod info;
pub(super) mod join;
pub(super) mod man;
pub(super) mod manage;
pub(super) mod networks;
pub(super) mod relay;
pub(super) mod relay_list;
pub(super) mod relays;
pub(super) mod remove_data;
pub(super) mod resume;
pub(super) mod serve;
pub(super) mod share;
pub(super) mod store;
pub(super) mod up;

use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;
use zeroize::Zeroizing;

use self::networks::NamedNetwork;
use super::CliError;
use super::args::{Access, NetworkArg, RouteArgs};
use super::terminal;
use crate::app::client::{Client, Destination, Override};
use crate::app::error::AppError;
use crate::app::relays::RelaySource;
use crate::app::settings::Home;
use crate::app::transfer::call::{Call, CallContext, ShownLog};
use crate::app::words::who_saw_what;
use crate::protocol::capability::AccessWord;
use crate::protocol::pointer::Pointer;
use crate::protocol::text;

/// A client under the settings of this person.
fn open_client() -> Result<Client, CliError> {
    let home = Home::find().map_err(AppError::from)?;
    Ok(Client::open(home).map_err(AppError::from)?)
}

/// One command that talks to a server, as it was asked for.
struct ServerCommand {
    over: Override,
    /// The network that was named.
    network: Option<String>,
    telling: Telling,
    context: CallContext,
}

impl ServerCommand {
    fn new(route: &RouteArgs, telling: Telling, cancel: &CancellationToken) -> Self {
        let relays = route.relays.as_ref().map(|path| {
            // The same file is the same list from whichever folder.
            RelaySource::File(std::path::absolute(path).unwrap_or_else(|_| path.clone()))
        });
        Self {
            over: Override {
                relays,
                direct: route.direct,
                proxy: route.proxy.clone(),
                access_word: None,
            },
            network: None,
            telling,
            context: CallContext::new(cancel),
        }
    }

    /// This command, in the network that was named.
    fn in_network(self, named: &NetworkArg) -> Self {
        Self {
            network: named.network.clone(),
            ..self
        }
    }

    /// Runs `work` to its end: the built-in network is stopped, if it ran here, and which party was shown what is told.
    async fn run<T>(
        &self,
        work: impl AsyncFnOnce(&Client) -> Result<T, CliError>,
    ) -> Result<T, CliError> {
        let done = match open_client() {
            Ok(client) => {
                let done = work(&client.with_override(self.over.clone())).await;
                client.close().await;
                done
            }
            Err(failure) => Err(failure),
        };
        self.telling.end(done, &self.context.log)
    }

    /// Begins a call, and says if its server sees this computer's address, or its proxy's.
    async fn call(&self, client: &Client, to: Destination<'_>) -> Result<Call, AppError> {
        let call = client.call(to, &self.context).await?;
        if call.routed().is_direct() {
            // The built-in network is on this computer and never reached through a proxy.
            let proxy = client.settings().proxy.is_some() && !call.routed().is_builtin();
            terminal::note(if proxy {
                "going to the server without relays: it sees your proxy's address"
            } else {
                "going straight to the server: it sees this computer's address"
            });
        }
        Ok(call)
    }

    /// The server of the network that was named; `None` when none was. The built-in network has no such address.
    ///
    /// # Errors
    /// [`CliError::Usage`] when there is no such network.
    fn named(&self, client: &Client) -> Result<Option<NamedNetwork>, CliError> {
        let name = self.network.as_deref();
        name.map(|name| networks::find(client.settings(), name))
            .transpose()
    }

    /// The pointer of an argument, or of standard input when that is `-`.
    ///
    /// # Errors
    /// [`CliError::Usage`] also for a pointer to another server than that of the network that was named.
    async fn pointer(&self, client: &Client, argument: &str) -> Result<Pointer, CliError> {
        let text = terminal::pointer_text(argument, &self.context.cancel).await?;
        self.pointer_in(client, &text)
    }

    /// The pointer in a text, as [`ServerCommand::pointer`].
    fn pointer_in(&self, client: &Client, text: &str) -> Result<Pointer, CliError> {
        let pointer = Pointer::find(text).map_err(AppError::from)?;
        let is_there = match self.named(client)? {
            None => true,
            Some(NamedNetwork::BuiltIn) => client.program().is_builtin(&pointer.server),
            Some(NamedNetwork::Server(server)) => server.address == pointer.server,
        };
        if is_there {
            return Ok(pointer);
        }
        Err(CliError::Usage(format!(
            "the pointer names the server {}, which is not the one of that network; leave out --network",
            pointer.server.url.authority()
        )))
    }

    /// The object of a command that went well.
    fn object(&self, object: Value) -> Value {
        self.telling.with(object, &self.context.log)
    }
}

/// The access word that was given for this command.
fn access_word(access: &Access) -> Result<Option<AccessWord>, CliError> {
    let Some(path) = &access.access_word_file else {
        return Ok(access.access_word.clone());
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

/// Said of a file that expires by the server's clock.
const CLOCKS_DIFFER: &str = "this computer's clock and the server's differ by an hour or more: the file expires by the server's; check the clock here";

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
    fn end<T>(self, result: Result<T, CliError>, log: &ShownLog) -> Result<T, CliError> {
        match (&result, self.json) {
            _ if !self.who_saw_what => {}
            (_, false) => {
                for line in who_saw_what::lines(&log.shown()) {
                    terminal::note(&line);
                }
            }
            (Err(failure), true) => {
                let object = json!({ "error": failure.to_string() });
                // What failed counts, also when it cannot be printed.
                terminal::print_json(&self.with(object, log)).ok();
            }
            (Ok(_), true) => {}
        }
        result
    }

    /// The object of a command that went well.
    fn with(self, mut object: Value, log: &ShownLog) -> Value {
        if self.who_saw_what
            && let Some(members) = object.as_object_mut()
        {
            let shown = log.shown();
            members.insert("who_saw_what".to_owned(), who_saw_what::to_json(&shown));
            members.insert(
                "who_saw_what_together".to_owned(),
                who_saw_what::totals_to_json(&shown),
            );
        }
        object
    }
}
