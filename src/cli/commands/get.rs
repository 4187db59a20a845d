//! `cloak get`.

use serde_json::json;
use tokio_util::sync::CancellationToken;

use super::{open_session, relays};
use crate::app::error::AppError;
use crate::app::get;
use crate::app::message::UserMessage;
use crate::app::relays::with_offer;
use crate::app::save::SaveTo;
use crate::cli::CliError;
use crate::cli::args::Get;
use crate::cli::terminal::{self, Bar, pointer_text, print_json, print_path};
use crate::protocol::pointer::Pointer;

pub(crate) async fn run(args: Get, cancel: &CancellationToken) -> Result<(), CliError> {
    let text = pointer_text(&args.pointer, cancel).await?;
    let pointer = Pointer::find(&text).map_err(AppError::from)?;
    get::check_supported(&pointer)?;

    let (session, config) = open_session()?;
    let listed = config
        .servers
        .iter()
        .find(|entry| entry.address == pointer.server);
    let direct = args.way.direct || listed.is_some_and(|entry| entry.direct);
    let relays = if direct {
        None
    } else {
        relays(&session, &args.way, &config, &pointer.server, cancel).await?
    };
    let network = session
        .network_to(&pointer.server, relays, direct)
        .await
        .map_err(|error| with_offer(error, &pointer))?;
    session.hold_builtin(&network);
    if direct {
        terminal::note("going straight to the server: it sees this computer's address");
    }
    let to = SaveTo::from_choice(args.out);
    let bar = Bar::new();
    let fetched = get::get(&session, &network, pointer, to, &bar.tell(), cancel).await;
    drop(bar);
    drop(network);
    session.close().await;
    let fetched = fetched?;
    if let Some(disagreement) = &fetched.findings.disagreement {
        let warning = UserMessage::from(disagreement);
        terminal::note(&format!(
            "{} {} {}",
            warning.what, warning.why, warning.next
        ));
    }
    if args.json {
        let object = json!({
            "path": fetched.path.to_string_lossy(),
            "size": fetched.content_len,
            "seconds": fetched.took.as_secs_f64(),
        });
        print_json(&object)?;
    } else {
        print_path(&fetched.path)?;
    }
    Ok(())
}
