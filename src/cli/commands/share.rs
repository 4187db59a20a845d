//! `cloak share`.

use serde_json::json;
use tokio_util::sync::CancellationToken;

use super::{DIRECT, access_word, open_session, relays};
use crate::app::share::{self, Receipts, ShareRequest};
use crate::cli::CliError;
use crate::cli::args::Share;
use crate::cli::terminal::{self, Bar, print_json, print_line};

pub(crate) async fn run(args: Share, cancel: &CancellationToken) -> Result<(), CliError> {
    let (session, config) = open_session()?;
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
                relays(&session, &args.way, &config, server, cancel).await?
            };
            session.network_for_sharing(server, relays, direct).await?
        }
        None if direct => session.builtin_network().await?.without_relays(),
        None => session.builtin_network().await?,
    };
    session.hold_builtin(&network);
    if direct {
        terminal::note(DIRECT);
    }
    let receipts = match (args.count, args.max_downloads) {
        (_, Some(max)) => Receipts::Limited(max),
        (true, None) => Receipts::Counted,
        (false, None) => Receipts::Unasked,
    };
    if receipts != Receipts::Unasked {
        terminal::note(Receipts::COURTESY);
    }
    let request = ShareRequest {
        ttl_secs: args.ttl,
        name_in_pointer: !args.no_name,
        receipts,
        access: access_word(&args.access, &config, network.server())?,
        ..ShareRequest::new(args.file)
    };
    let bar = Bar::new();
    let shared = share::share(&session, &network, request, &bar.tell(), cancel).await;
    drop(bar);
    drop(network);
    session.close().await;
    let shared = shared?;
    if shared.builtin {
        terminal::note(
            "the built-in network was used: nothing left this computer, and the pointer works on it only",
        );
    }
    let text = shared.pointer.to_text();
    if args.json {
        let object = json!({
            "pointer": text.as_str(),
            "size": shared.pointer.content_len,
            "sent_as": shared.class.blob_len(),
            "expires": shared.pointer.expires,
            "server": shared.pointer.server.to_string(),
            "this_computer_only": shared.builtin,
            "manageable": shared.manageable,
            "seconds": shared.took.as_secs_f64(),
        });
        print_json(&object)?;
    } else {
        print_line(text.as_str())?;
    }
    Ok(())
}
