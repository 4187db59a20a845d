//! `cloak join`: joins a network by an invitation.

use std::path::Path;

use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;
use zeroize::Zeroizing;

use super::{ServerCommand, Telling, open_client};
use crate::app::client::{Client, Override};
use crate::app::error::AppError;
use crate::app::relays::{RelaySource, RelaySourceError, ServiceNodeNetwork};
use crate::app::settings::{Change, Settings};
use crate::app::transfer::call::CallContext;
use crate::app::transfer::join::{
    self, JoinChoice, JoinError, JoinOffer, Joined, JoinedState, Meets,
};
use crate::app::transfer::join_nodes;
use crate::app::words::message::UserMessage;
use crate::app::words::relay_sources::source_shows;
use crate::cli::CliError;
use crate::cli::args::JoinArgs;
use crate::cli::terminal::{self, print_json, print_line};
use crate::protocol::invitation::Invitation;
use crate::protocol::pointer::Pointer;
use crate::protocol::text;
use crate::wire::random;

pub(crate) async fn run(args: JoinArgs, cancel: &CancellationToken) -> Result<(), CliError> {
    let telling = Telling::of(args.who_saw_what, args.json);
    let context = CallContext::new(cancel);
    let ended = join_or_look(&args, telling, &context).await;
    telling.end(ended, &context.log)
}

async fn join_or_look(
    args: &JoinArgs,
    telling: Telling,
    context: &CallContext,
) -> Result<(), CliError> {
    let over = Override {
        proxy: args.proxy.clone(),
        ..Override::default()
    };
    let client = open_client()?.with_override(over);
    if let Some(network) = service_node_network(&args.invitation)? {
        return join_service_nodes(&client, &network, args, telling, context).await;
    }
    let text = invitation_text(&args.invitation, &context.cancel).await?;
    let now = client.program().now();
    let invitation = Invitation::find(&text, now).map_err(AppError::from)?;
    let offer = JoinOffer::look(invitation, client.settings(), now, &mut random::system())
        .map_err(AppError::from)?;
    if args.look {
        if args.json {
            return Ok(print_json(&object(&offer))?);
        }
        for line in about(&offer) {
            print_line(&line)?;
        }
        return Ok(());
    }
    for line in about(&offer) {
        terminal::note(&line);
    }
    let choice = JoinChoice {
        replace: args.replace,
        relax: args.relax,
        ask_list_host: args.ask_list_host,
    };
    let joined = join::join(&client, &offer, choice, context)
        .await
        .map_err(|error| explained(&offer, error))?;
    keep(&client, &joined.changes)?;
    note_outcome(&joined, &offer);
    print_joined(object(&offer), &joined, args, telling, context)
}

/// The network of service nodes that an argument names: Session's, or that of a file.
fn service_node_network(argument: &str) -> Result<Option<ServiceNodeNetwork>, CliError> {
    Ok(match argument.parse() {
        Ok(RelaySource::Session) => Some(ServiceNodeNetwork::session()),
        Ok(RelaySource::ServiceNodes(path)) => {
            let read = ServiceNodeNetwork::read(&path).map_err(RelaySourceError::from);
            Some(read.map_err(AppError::from)?)
        }
        _ => None,
    })
}

/// Joins a network of service nodes, or says what that would mean.
async fn join_service_nodes(
    client: &Client,
    network: &ServiceNodeNetwork,
    args: &JoinArgs,
    telling: Telling,
    context: &CallContext,
) -> Result<(), CliError> {
    let host = network.server.url.authority();
    let mut lines = vec![format!("the network {:?} of {host}", network.name)];
    lines.extend(source_shows(
        &network.source,
        client.settings().proxy.is_some(),
    ));
    lines.push(
        "this program was tried with stand-ins for such nodes, never with the real network"
            .to_owned(),
    );
    let described = json!({
        "name": network.name,
        "server": network.server.to_string(),
        "seeds": network.seeds.iter().map(|seed| &seed.url).collect::<Vec<_>>(),
    });
    if args.look {
        if args.json {
            return Ok(print_json(&described)?);
        }
        for line in lines {
            print_line(&line)?;
        }
        return Ok(());
    }
    for line in lines {
        terminal::note(&line);
    }
    let choice = JoinChoice {
        replace: args.replace,
        ..JoinChoice::default()
    };
    let joined = join_nodes::join(client, network, choice, context).await;
    let joined = joined?;
    keep(client, &joined.changes)?;
    note_state(&joined);
    print_joined(described, &joined, args, telling, context)
}

/// The invitation in a text to the network of a pointer's server, where the person does not use that server yet.
///
/// # Errors
/// [`AppError::Join`] when nobody can join by it. A damaged invitation is none: the pointer may do without.
pub(super) fn invited_to(
    pointer: &Pointer,
    text: &str,
    client: &Client,
) -> Result<Option<JoinOffer>, CliError> {
    let settings = client.settings();
    let now = client.program().now();
    let Ok(invitation) = Invitation::find(text, now) else {
        return Ok(None);
    };
    let is_known = settings.entry(&pointer.server).is_some();
    if is_known || invitation.parts().server != pointer.server {
        return Ok(None);
    }
    let offer = JoinOffer::look(invitation, settings, now, &mut random::system());
    Ok(Some(offer.map_err(AppError::from)?))
}

/// Joins the network of a pointer's server before the file is fetched. Returns a client that is a member.
pub(super) async fn join_first(
    command: &ServerCommand,
    client: &Client,
    offer: &JoinOffer,
) -> Result<Client, CliError> {
    for line in about(offer) {
        terminal::note(&line);
    }
    let joined = join::join(client, offer, JoinChoice::default(), &command.context).await;
    let joined = joined.map_err(|error| explained(offer, error))?;
    keep(client, &joined.changes)?;
    note_outcome(&joined, offer);
    let mut settings = client.settings().clone();
    let changes = joined.changes.iter();
    changes.for_each(|change| settings.apply(change));
    Ok(client.with_settings(settings))
}

/// Makes the changes in the settings as their file has them.
fn keep(client: &Client, changes: &[Change]) -> Result<(), CliError> {
    let home = client.program().home();
    // As the file has them: this command can have decided otherwise for itself, as about the proxy.
    let mut settings = Settings::load(home).map_err(AppError::from)?;
    changes.iter().for_each(|change| settings.apply(change));
    let kept = settings.save_changes(changes, home);
    Ok(kept.map_err(AppError::from)?)
}

/// What joining means, before anybody is asked.
fn about(offer: &JoinOffer) -> Vec<String> {
    let mut lines = vec![format!(
        "the network {:?} of {}",
        offer.name(),
        offer.host()
    )];
    if offer.is_in_own_network() {
        lines.push("it is in your own network, not on the internet".to_owned());
    }
    let operators = offer.operators();
    let by = if operators.is_empty() {
        "whose operators do not say who they are".to_owned()
    } else {
        format!("of {} (they call themselves so)", operators.join(", "))
    };
    lines.push(format!("it begins with {} relays {by}", offer.relays()));
    lines.push(
        "whoever made the invitation chose the server and the relays: if they run them all, they can see your address and when you send or fetch, not what is in your files"
            .to_owned(),
    );
    lines.push(format!(
        "members who compare these words find the same: {}",
        offer.words().join(" ")
    ));
    match offer.meets() {
        Meets::Nothing => {}
        Meets::Member(_) => lines.push(
            "you are a member already: its server's address, access word and first relays are renewed"
                .to_owned(),
        ),
        Meets::OtherRelays(known) => lines.push(format!(
            "it leads to a server that you use already, {}, through other relays: --replace uses those of the invitation",
            known.url.authority()
        )),
    }
    if offer.is_for_relays() {
        lines.push(
            "the invitation is for adding a relay; you join as a member, and its join word is not kept"
                .to_owned(),
        );
    }
    if let Some(why) = offer.no_path() {
        let message = UserMessage::from(&AppError::from(JoinError::NoPath(why.clone())));
        lines.push(format!(
            "its relays make no path that hides you: {} --relax joins all the same",
            message.why
        ));
    }
    lines
}

fn object(offer: &JoinOffer) -> Value {
    json!({
        "name": offer.name(),
        "server": offer.server().to_string(),
        "relays": offer.relays(),
        "operators": offer.operators(),
        "words": offer.words().join(" "),
        "own_network": offer.is_in_own_network(),
        "member": matches!(offer.meets(), Meets::Member(_)),
        "other_relays": matches!(offer.meets(), Meets::OtherRelays(_)),
        "has_path": offer.no_path().is_none(),
    })
}

/// Prints the name of a network that was joined, or an object of what it is and what came of joining.
fn print_joined(
    mut described: Value,
    joined: &Joined,
    args: &JoinArgs,
    telling: Telling,
    context: &CallContext,
) -> Result<(), CliError> {
    if !args.json {
        return Ok(print_line(&joined.name)?);
    }
    let (state, why) = match &joined.state {
        JoinedState::Works(_) => ("works", None),
        JoinedState::OnlyReceives(why) => ("only-receives", Some(why.to_string())),
        JoinedState::NotNow(why) => ("not-now", Some(why.to_string())),
    };
    if let Some(members) = described.as_object_mut() {
        members.insert("name".to_owned(), json!(joined.name));
        members.insert("state".to_owned(), json!(state));
        members.insert("why".to_owned(), json!(why));
        members.insert("listed_relays".to_owned(), json!(joined.relays));
    }
    Ok(print_json(&telling.with(described, &context.log))?)
}

fn note_state(joined: &Joined) {
    let sentence = |why: &AppError| UserMessage::from(why).in_one_line();
    match &joined.state {
        JoinedState::Works(checked) => {
            let deleted = match checked.delete {
                Some(_) => "and was deleted",
                None => "and stays until the server deletes it",
            };
            terminal::note(&format!(
                "joined: {} relays; a small file went up, came back {deleted} ({} ms, {} ms)",
                joined.relays,
                checked.upload.as_millis(),
                checked.download.as_millis()
            ));
        }
        JoinedState::OnlyReceives(why) => {
            terminal::note(&format!(
                "joined: {} relays; you can receive, sending does not work now: {}",
                joined.relays,
                sentence(why)
            ));
        }
        JoinedState::NotNow(why) => {
            terminal::note(&format!(
                "the network is saved; it does not answer now, and is asked again with the first transfer: {}",
                sentence(why)
            ));
        }
    }
}

/// Says what came of joining by an invitation, and what it offers where nobody answered.
fn note_outcome(joined: &Joined, offer: &JoinOffer) {
    note_state(joined);
    if let JoinedState::NotNow(_) = joined.state {
        note_list_host(offer);
    }
}

/// Adds what the invitation offers where its relays do not answer.
fn explained(offer: &JoinOffer, error: AppError) -> CliError {
    if let AppError::Transfer(_) = error {
        note_list_host(offer);
    }
    error.into()
}

fn note_list_host(offer: &JoinOffer) {
    if let Some(host) = offer.list_host() {
        terminal::note(&format!(
            "the list is at {host} too, which would see this computer's address, or your proxy's: --ask-list-host fetches it there"
        ));
    }
}

/// The argument, what the file of this name holds, or standard input for `-`.
async fn invitation_text(
    argument: &str,
    cancel: &CancellationToken,
) -> Result<Zeroizing<String>, CliError> {
    const MAX_FILE_LEN: u64 = 64 * 1024;
    if argument == "-" {
        // The clock decides below whether it is still good.
        let is_whole = |text: &str| Invitation::find(text, 0).is_ok();
        return terminal::standard_input("invitation", is_whole, cancel).await;
    }
    let path = Path::new(argument);
    if Invitation::may_be(argument) || !path.is_file() {
        return Ok(Zeroizing::new(argument.to_owned()));
    }
    let cannot = |why: &dyn std::fmt::Display| {
        CliError::Usage(format!("{} cannot be read: {why}", path.display()))
    };
    let len = std::fs::metadata(path)
        .map_err(|error| cannot(&error))?
        .len();
    if len > MAX_FILE_LEN {
        return Err(cannot(&"it is too large for an invitation"));
    }
    let bytes = std::fs::read(path).map(Zeroizing::new);
    let bytes = bytes.map_err(|error| cannot(&error))?;
    text::decode(&bytes).map_err(|_not_text| cannot(&"it is not text"))
}
