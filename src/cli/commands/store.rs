//! `cloak store remove` and `cloak store block`: an operator takes files out of a store, also while a server runs on it.

use serde_json::json;
use tokio_util::sync::CancellationToken;

use crate::app::error::AppError;
use crate::app::operate::store;
use crate::app::process::logging;
use crate::cli::CliError;
use crate::cli::args::{StoreCommand, StoreDeed};
use crate::cli::terminal::{self, note, print_json};
use crate::disk::key_file;
use crate::protocol::address::{FileId, FileLink};
use crate::protocol::keys::Ed25519Public;
use crate::protocol::pointer::{self, Pointer};
use crate::server::config::ServerSettings;
use crate::server::operate::control::{ControlRequest, ControlResponse};

pub(crate) async fn run(args: StoreCommand, cancel: &CancellationToken) -> Result<(), CliError> {
    let (deed, block) = match args {
        StoreCommand::Block(deed) => (deed, true),
        StoreCommand::Remove(deed) => (deed, false),
    };
    let settings = deed.operator.read()?;
    logging::start_at(settings.log);
    settings
        .validate()
        .map_err(|reason| CliError::Usage(reason.to_owned()))?;
    let mut missing = 0;
    for id in ids(&deed, &settings, cancel).await? {
        let id = id.as_str().to_owned();
        let request = if block {
            ControlRequest::Block { id: id.clone() }
        } else {
            ControlRequest::Remove { id: id.clone() }
        };
        let response = store::run(&settings, &request).await;
        let response = response.map_err(|error| CliError::Other(error.to_string()))?;
        let (found, done, words) = match response {
            ControlResponse::Removed { found: true } => {
                (true, true, "removed: nobody can fetch it any more")
            }
            ControlResponse::Removed { found: false } => (
                false,
                false,
                "not there: it is unknown, expired or was removed before",
            ),
            ControlResponse::Blocked { found: true } => (
                true,
                true,
                "removed, and nothing can be stored under its id again",
            ),
            ControlResponse::Blocked { found: false } => (
                false,
                true,
                "blocked: it was not there, and nothing can be stored under its id",
            ),
            ControlResponse::Foreign => {
                return Err(CliError::Usage(
                    "this id is none of this server's: its ids have 22 characters".to_owned(),
                ));
            }
            ControlResponse::Checked(_)
            | ControlResponse::Failed
            | ControlResponse::Network { .. }
            | ControlResponse::NoNetwork => {
                return Err(CliError::Other(
                    "the store did not do it; cloak check server says what is wrong with it"
                        .to_owned(),
                ));
            }
        };
        missing += usize::from(!done);
        if deed.json {
            print_json(&json!({ "id": id, "found": found, "blocked": block }))?;
        } else {
            note(&format!("{id}: {words}"));
        }
    }
    if missing > 0 {
        return Err(CliError::NotThere);
    }
    Ok(())
}

/// The files that are meant, each by its pointer, link or id.
async fn ids(
    deed: &StoreDeed,
    settings: &ServerSettings,
    cancel: &CancellationToken,
) -> Result<Vec<FileId>, CliError> {
    let mut ids = Vec::new();
    for file in &deed.files {
        let text = terminal::pointer_text(file, cancel).await?;
        let text = text.trim();
        let (id, server) = if let Ok(id) = FileId::parse(text)
            && !pointer::begins(text)
        {
            (id, None)
        } else if let Ok(link) = text.parse::<FileLink>() {
            (link.id, Some(link.server.key))
        } else {
            let pointer = Pointer::find(text).map_err(AppError::from)?;
            (pointer.id, Some(pointer.server.key))
        };
        if let Some(server) = server
            && !own_keys(settings).contains(&server)
        {
            return Err(CliError::Usage(
                "this pointer names another file server, so that nothing was done; give the id alone if you mean it"
                    .to_owned(),
            ));
        }
        ids.push(id);
    }
    Ok(ids)
}

/// The keys that people may know this server by.
fn own_keys(settings: &ServerSettings) -> Vec<Ed25519Public> {
    let present = settings.key_file();
    present
        .iter()
        .chain(&settings.previous_key_paths)
        .filter_map(|path| key_file::load(path).ok())
        .map(|key| key.public())
        .collect()
}
