//! `cloak host`: the operator of a network invites people and relays, and says which relays belong to it. The running server
//! does it.

use serde_json::json;

use crate::app::operate::store;
use crate::app::process::logging;
use crate::cli::CliError;
use crate::cli::args::{HostCommand, HostKey, HostNewWords};
use crate::cli::operator_settings::{OperatorArgs, ServerLayer};
use crate::cli::terminal::{date, note, print_json, print_json_text, print_line};
use crate::server::network::command::{
    Invited, NetworkAnswer, NetworkCommand, NetworkReport, RelayReport,
};
use crate::server::operate::control::{ControlRequest, ControlResponse};

pub(crate) async fn run(command: HostCommand) -> Result<(), CliError> {
    match command {
        HostCommand::Approve(args) => {
            let key = args.relay.to_hex();
            decide(&args, NetworkCommand::Approve { key }, "approved").await
        }
        HostCommand::Block(args) => {
            let key = args.relay.to_hex();
            decide(&args, NetworkCommand::Block { key }, "out for good").await
        }
        HostCommand::Invite(args) => {
            let to = match (args.relay, args.without_access_word) {
                (true, _) => Invited::Relays,
                (false, false) => Invited::Friends,
                (false, true) => Invited::FriendsWithoutAccessWord,
            };
            let command = NetworkCommand::Invite {
                to,
                valid_secs: args.expires,
            };
            match ask(&args.operator, command).await? {
                NetworkAnswer::Invitation { word } => Ok(print_line(&word)?),
                other => Err(not_done(other)),
            }
        }
        HostCommand::NewWords(args) => new_words(&args).await,
        HostCommand::Relays(args) if args.entries => {
            match ask(&args.operator, NetworkCommand::Entries).await? {
                NetworkAnswer::Entries { entries } => {
                    for entry in &entries {
                        print_json_text(entry)?;
                    }
                    Ok(())
                }
                other => Err(not_done(other)),
            }
        }
        HostCommand::Relays(args) => match ask(&args.operator, NetworkCommand::Relays).await? {
            NetworkAnswer::Relays(report) if args.json => {
                let json = serde_json::to_string(&report).expect("plain fields serialise");
                Ok(print_json_text(&json)?)
            }
            NetworkAnswer::Relays(report) => print_report(&report),
            other => Err(not_done(other)),
        },
        HostCommand::Remove(args) => {
            let key = args.relay.to_hex();
            decide(
                &args,
                NetworkCommand::Remove { key },
                "out until you approve it",
            )
            .await
        }
    }
}

async fn new_words(args: &HostNewWords) -> Result<(), CliError> {
    if args.join {
        done(ask(&args.operator, NetworkCommand::NewJoinWord).await?)?;
        note(
            "there is a new join word; the one before it ends in seven days (cloak host invite --relay prints an invitation with the new one)",
        );
    }
    if args.access {
        match ask(&args.operator, NetworkCommand::NewAccessWord).await? {
            NetworkAnswer::AccessWord { word } => print_line(&word)?,
            other => return Err(not_done(other)),
        }
        note(
            "the line above is the new access word; the one before it ends in seven days, so send everybody a new invitation (cloak host invite). It is kept beside the store; write it into the settings of the server too, as access_word",
        );
    }
    Ok(())
}

/// Decides about one relay, and says what has become of it.
async fn decide(args: &HostKey, command: NetworkCommand, words: &str) -> Result<(), CliError> {
    let listed = done(ask(&args.operator, command).await?)?;
    let key = args.relay.to_hex();
    if args.json {
        print_json(&json!({ "key": key, "listed": listed }))?;
        return Ok(());
    }
    note(&format!("{key}: {words}; relays in the list: {listed}"));
    if listed < 3 {
        note(
            "warning: with fewer than three relays there is no list, and nobody can use the network",
        );
    }
    Ok(())
}

async fn ask(
    operator: &OperatorArgs<ServerLayer>,
    command: NetworkCommand,
) -> Result<NetworkAnswer, CliError> {
    let settings = operator.read()?;
    logging::start_at(settings.log);
    settings
        .validate()
        .map_err(|reason| CliError::Usage(reason.to_owned()))?;
    let request = ControlRequest::Network { command };
    let response = store::run(&settings, &request).await;
    match response.map_err(|error| CliError::Other(error.to_string()))? {
        ControlResponse::Network { answer } => Ok(answer),
        _ => Err(CliError::Other(
            "no server that keeps a network runs here on this store; start it with cloak serve --network NAME, or name its store by --config or --store (with a bucket also its --network and --key)"
                .to_owned(),
        )),
    }
}

/// Number of relays in the list.
fn done(answer: NetworkAnswer) -> Result<usize, CliError> {
    match answer {
        NetworkAnswer::Done { listed } => Ok(listed),
        other => Err(not_done(other)),
    }
}

fn not_done(answer: NetworkAnswer) -> CliError {
    match answer {
        NetworkAnswer::Failed => CliError::Other(
            "the server could not keep it; cloak check server says what is wrong with its store"
                .to_owned(),
        ),
        NetworkAnswer::Refused { why } => CliError::Other(why),
        NetworkAnswer::Unknown => {
            note(
                "the network knows no relay with this key; cloak host relays prints those it knows",
            );
            CliError::NotThere
        }
        NetworkAnswer::AccessWord { .. }
        | NetworkAnswer::Done { .. }
        | NetworkAnswer::Entries { .. }
        | NetworkAnswer::Invitation { .. }
        | NetworkAnswer::Relays(_) => {
            CliError::Other("the server answers something else than it was asked".to_owned())
        }
    }
}

fn print_report(report: &NetworkReport) -> Result<(), CliError> {
    for relay in report.relays.iter().chain(&report.failed) {
        print_line(&line(relay))?;
    }
    if report.relays.is_empty() && report.failed.is_empty() {
        note("no relay has joined yet; cloak host invite --relay prints the invitation for relays");
    }
    Ok(())
}

/// One relay: its key, address, operator, how it stands, and since when.
fn line(relay: &RelayReport) -> String {
    let detail = relay.detail.as_deref().unwrap_or_default();
    let state = match relay.state.as_str() {
        "answering" => "answers".to_owned(),
        "blocked" => "blocked by you".to_owned(),
        "failed" => format!("refused: {detail}"),
        "kept" => "silent for two days, kept because fewer than three answer".to_owned(),
        "missing" => format!("no answer for {detail} hours"),
        "removed" => "removed by you".to_owned(),
        "silent" => "silent for two days, out of the list".to_owned(),
        "waiting" => "waits for cloak host approve".to_owned(),
        other => other.to_owned(),
    };
    let address = relay.address.as_deref().unwrap_or("-");
    let operator = match relay.operator.as_str() {
        "" => "-".to_owned(),
        name => format!("{name:?}"),
    };
    let at = relay
        .at
        .map_or_else(String::new, |at| format!(" ({})", date(at)));
    format!("{} {address} {operator} {state}{at}", relay.key)
}
