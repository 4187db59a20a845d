//! `cloak share`.

use serde_json::json;
use tokio_util::sync::CancellationToken;

use super::{CLOCKS_DIFFER, DIRECT, Telling, access_word, open_session, relays, use_proxy};
use crate::app::process::streams::{self, OutputError};
use crate::app::transfer::manage;
use crate::app::transfer::share::{self, Receipts, ShareRequest, Shared};
use crate::app::words::l10n::duration;
use crate::app::words::who_saw_what::RequestShown;
use crate::cli::args::ShareArgs;
use crate::cli::terminal::{self, Bar, date, print_json, print_line};
use crate::cli::{CliError, StoredFile};
use crate::protocol::pointer::Pointer;

pub(crate) async fn run(args: ShareArgs, cancel: &CancellationToken) -> Result<(), CliError> {
    // A stored file is of no use without its pointer.
    streams::check_output()?;
    let telling = Telling::of(args.who_saw_what, args.json);
    let mut shown = Vec::new();
    let shared = share(args, telling, &mut shown, cancel).await;
    let shared = telling.end(shared, &shown)?;
    if shared.builtin {
        terminal::note(
            "the built-in network was used: nothing left this computer, and the pointer works on it only",
        );
    }
    let text = shared.pointer.to_text();
    if shared.pointer.relay_list.is_some()
        && Pointer::find(text.as_str()).is_ok_and(|found| found.relay_list.is_none())
    {
        terminal::note("the pointer does not name the relay list: the two together are too long");
    }
    if shared.by_server_clock {
        terminal::note(CLOCKS_DIFFER);
    }
    if let Some(secs) = shared.unmet_ttl_secs {
        let asked = duration(secs);
        terminal::note(&match shared.pointer.expires {
            Some(expires) => {
                format!(
                    "the server keeps the file until {}, not for {asked}",
                    date(expires)
                )
            }
            None => format!(
                "the server does not say how long it keeps the file; it was asked for {asked}"
            ),
        });
    }
    Ok(())
}

/// Prints the pointer, alone or with what else a program wants to know.
fn print(shared: &Shared, telling: Telling, shown: &[RequestShown]) -> Result<(), OutputError> {
    let text = shared.pointer.to_text();
    if telling.json {
        let object = json!({
            "pointer": text.as_str(),
            "size": shared.pointer.content_len,
            "sent_as": shared.class.blob_len(),
            "expires": shared.pointer.expires,
            "server": shared.pointer.server.to_string(),
            "this_computer_only": shared.builtin,
            "manageable": shared.manageable,
            "by_server_clock": shared.by_server_clock,
            "kept_as_asked": shared.unmet_ttl_secs.is_none(),
            "seconds": shared.took.as_secs_f64(),
        });
        print_json(&telling.with(object, shown))
    } else {
        print_line(text.as_str())
    }
}

/// Shares the file and prints its pointer; without a pointer nothing stays at the server that can be deleted.
async fn share(
    args: ShareArgs,
    telling: Telling,
    shown: &mut Vec<RequestShown>,
    cancel: &CancellationToken,
) -> Result<Shared, CliError> {
    let (session, config) = open_session()?;
    use_proxy(&session, &args.way);
    let chosen = config.chosen_entry();
    // Going straight there is the person's word about one server of the settings, or about this command.
    let direct =
        args.way.direct || args.server.is_none() && chosen.is_some_and(|entry| entry.direct);
    let server = args
        .server
        .or_else(|| chosen.map(|entry| entry.address.clone()));
    let network = match &server {
        Some(server) => {
            let relays = if direct {
                None
            } else {
                relays(&session, &args.way, &config, server, shown, cancel).await?
            };
            session.network_to_known(server, relays, direct).await?
        }
        None if direct => session.builtin_network().await?.without_relays(),
        None => session.builtin_network().await?,
    };
    session.hold_builtin(&network);
    if direct {
        terminal::note(DIRECT);
    }
    if args.with_relay_list && network.relay_line().is_none() {
        return Err(CliError::Usage(
            "there is no relay list that a pointer could name: it must be one by URL, added with cloak relays add"
                .to_owned(),
        ));
    }
    let receipts = match (args.count, args.max_downloads) {
        (_, Some(max)) => Receipts::Limited(max),
        (true, None) => Receipts::Counted,
        (false, None) => Receipts::Unasked,
    };
    if receipts != Receipts::Unasked {
        terminal::say(Receipts::COURTESY);
    }
    let request = ShareRequest {
        ttl_secs: args.ttl,
        name_in_pointer: !args.no_name,
        receipts,
        access: access_word(&args.access, &config, network.server())?,
        carry_relay_list: args.with_relay_list || config.pointer_carries_relay_list,
        ..ShareRequest::new(args.file)
    };
    let bar = Bar::new();
    let shared = share::share(&session, &network, request, &bar.tell(), shown, cancel).await;
    drop(bar);
    let shared = match shared {
        Ok(shared) => match print(&shared, telling, shown) {
            Ok(()) => Ok(shared),
            Err(cause) => {
                let taken_back =
                    manage::take_back(&session, &network, &shared.pointer, shown, cancel).await;
                let file = if taken_back.is_ok() {
                    StoredFile::TakenBack
                } else {
                    StoredFile::Left
                };
                Err(CliError::PointerLost { cause, file })
            }
        },
        Err(error) => Err(error.into()),
    };
    drop(network);
    session.close().await;
    shared
}
