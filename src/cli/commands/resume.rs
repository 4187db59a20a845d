//! `cloak resume`: lists unfinished transfers, goes on with them, or gives them up.

use serde_json::json;
use tokio_util::sync::CancellationToken;

use super::{ServerCommand, Telling, get, share};
use crate::app::client::{Client, Destination};
use crate::app::error::AppError;
use crate::app::process::streams;
use crate::app::transfer::parts::resume::{
    self, AboutTransfer, Listed, OpenTransfer, Resumed, UnfinishedError, UnfinishedId,
};
use crate::app::words::message::UserMessage;
use crate::app::words::units::{percent, size};
use crate::cli::CliError;
use crate::cli::args::ResumeArgs;
use crate::cli::terminal::{self, Bar, print_json, print_line};

pub(crate) async fn run(args: ResumeArgs, cancel: &CancellationToken) -> Result<(), CliError> {
    streams::check_output()?;
    let telling = Telling::of(args.who_saw_what, args.json);
    let command = ServerCommand::new(&args.route, telling, cancel);
    let work = async |client: &Client| {
        if args.which.is_empty() {
            return list(&command, client);
        }
        let ids = chosen(client, &args.which)?;
        let mut failed = None;
        for id in ids {
            let ended = if args.discard {
                discard(&command, client, &id).await
            } else {
                go_on(&command, client, &id).await
            };
            match ended {
                Ok(()) => {}
                Err(CliError::App(AppError::Cancelled)) => return Err(AppError::Cancelled.into()),
                // The others may still go on; the last failure is that of the command.
                Err(error) => {
                    if let Some(before) = failed.replace(error) {
                        terminal::note(&format!("{}: {before}", id.as_str()));
                    }
                }
            }
        }
        failed.map_or(Ok(()), Err)
    };
    command.run(work).await
}

/// The ids that were named, or those of all transfers that nobody else goes on with.
fn chosen(client: &Client, which: &[String]) -> Result<Vec<UnfinishedId>, CliError> {
    if let [all] = which
        && all == "all"
    {
        let listed = resume::list(client.program()).map_err(AppError::from)?;
        let free = listed
            .into_iter()
            .filter(|listed| listed.about != Err(UnfinishedError::UnderWay));
        return Ok(free.map(|listed| listed.id).collect());
    }
    which
        .iter()
        .map(|text| {
            UnfinishedId::parse(text).ok_or_else(|| {
                CliError::Usage(format!(
                    "{text:?} is no id of an unfinished transfer: `cloak resume` lists them"
                ))
            })
        })
        .collect()
}

fn list(command: &ServerCommand, client: &Client) -> Result<(), CliError> {
    let listed = resume::list(client.program()).map_err(AppError::from)?;
    if command.telling.json {
        for transfer in &listed {
            print_json(&json_of(transfer))?;
        }
        return Ok(());
    }
    if listed.is_empty() {
        terminal::note("there are no unfinished transfers");
    }
    for Listed { id, about } in &listed {
        let said = match about {
            Ok(about) => line_of(about),
            Err(error) => error.to_string(),
        };
        print_line(&format!("{}  {said}", id.as_str()))?;
    }
    Ok(())
}

fn line_of(about: &AboutTransfer) -> String {
    let what = if about.is_share { "share" } else { "get" };
    let name = about.name.as_deref().unwrap_or("several files");
    let done = percent(thousandths(about));
    let len = size(about.len);
    let server = about.server.url.authority();
    format!("{what:<5}  {done:>4} of {len}  {name:?}  {server}")
}

fn thousandths(about: &AboutTransfer) -> u64 {
    let done = u128::from(about.done) * 100;
    done.checked_div(u128::from(about.len))
        .and_then(|percent| u64::try_from(percent).ok())
        .unwrap_or(0)
}

fn json_of(listed: &Listed) -> serde_json::Value {
    let id = listed.id.as_str();
    match &listed.about {
        Ok(about) => json!({
            "id": id,
            "what": if about.is_share { "share" } else { "get" },
            "name": about.name,
            "size": about.len,
            "done": about.done,
            "server": about.server.to_string(),
        }),
        Err(error) => json!({ "id": id, "error": error.to_string() }),
    }
}

/// Goes on with one transfer, and prints what the command that began it would have printed.
async fn go_on(
    command: &ServerCommand,
    client: &Client,
    id: &UnfinishedId,
) -> Result<(), CliError> {
    let transfer = OpenTransfer::open(client.program(), id).map_err(AppError::from)?;
    resumed(command, client, transfer).await
}

/// As [`go_on`], of a transfer that is open.
pub(super) async fn resumed(
    command: &ServerCommand,
    client: &Client,
    transfer: OpenTransfer,
) -> Result<(), CliError> {
    let call = {
        let to = match (transfer.share_server(), transfer.pointer()) {
            (Some(server), _) => Destination::Server(server),
            (None, Some(pointer)) => Destination::SourceOf(pointer),
            (None, None) => Destination::Chosen,
        };
        command.call(client, to).await?
    };
    let bar = Bar::new();
    let ended = transfer
        .resume(&call.clone().with_progress(bar.sink()))
        .await;
    drop(bar);
    match ended? {
        Resumed::Shared(shared) => share::print_or_take_back(command, &call, &shared, None).await,
        Resumed::Fetched(fetched) => get::print(command, &fetched),
    }
}

async fn discard(
    command: &ServerCommand,
    client: &Client,
    id: &UnfinishedId,
) -> Result<(), CliError> {
    let transfer = match OpenTransfer::open(client.program(), id) {
        Ok(transfer) => transfer,
        Err(error @ (UnfinishedError::UnderWay | UnfinishedError::Unknown)) => {
            return Err(AppError::from(error).into());
        }
        // Nothing can be told of it, so nothing can be deleted at a server.
        Err(_) => {
            resume::forget_unread(client.program(), id).map_err(AppError::from)?;
            return Ok(());
        }
    };
    let Some(server) = transfer.share_server() else {
        transfer.forget().map_err(AppError::from)?;
        return Ok(());
    };
    let call = match command.call(client, Destination::Server(server)).await {
        Ok(call) => call,
        Err(error) => {
            let UserMessage { what, why, .. } = (&error).into();
            terminal::note(&format!(
                "what the server has of it could not be deleted and is gone when it expires: {what} {why}"
            ));
            transfer.forget().map_err(AppError::from)?;
            return Ok(());
        }
    };
    let discarded = transfer.discard_share(&call).await?;
    if discarded.left > 0 {
        terminal::note(&format!(
            "{} parts could not be deleted at the server; they are gone when they expire",
            discarded.left
        ));
    }
    Ok(())
}
