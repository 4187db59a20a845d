//! `cloak serve`.

use tokio_util::sync::CancellationToken;

use crate::app::logging;
use crate::cli::CliError;
use crate::cli::args::Serve;
use crate::cli::terminal::{self, print_line, print_text};
use crate::server::config::ServerSettings;
use crate::server::files::Policy;
use crate::server::location::{ParseLocationError, StoreLocation};
use crate::server::{Server, ServerConfig};
use crate::wire::{key_file, random, settings};

pub(crate) async fn run(args: Serve, cancel: &CancellationToken) -> Result<(), CliError> {
    if args.print_config {
        print_text(&settings::sample::<ServerSettings>())?;
        return Ok(());
    }
    let told = args.said.read()?;
    logging::start_at(told.log.as_deref());
    let failed = |error: &dyn std::error::Error| {
        CliError::Other(format!("the file server did not start: {error}"))
    };
    told.judge()
        .map_err(|reason| CliError::Usage(reason.to_owned()))?;
    let key_path = told.key_file().unwrap_or_default();
    let key = key_file::load_or_create(&key_path, &mut random::system())
        .map_err(|error| failed(&error))?;
    let open_to_all = told.clone();
    let store: StoreLocation = told
        .store
        .parse()
        .map_err(|error: ParseLocationError| failed(&error))?;
    let mut config = ServerConfig::new(told.listen, store, key);
    config.public_url = told.public_url;
    config.plain_http = told.plain_http;
    config.policy = Policy {
        max_blob: told.max_blob,
        ttl_default: told.ttl_default,
        ttl_max: told.ttl_max,
    };
    config.max_total = told.max_total;
    config.max_memory = told.max_memory;
    config.sweep_every = told.sweep_every;
    config.relay_list = told.relay_list;
    let server = Server::start(config)
        .await
        .map_err(|error| failed(&error))?;
    print_line(&server.address().to_string())?;
    terminal::note(&format!(
        "the file server is up; its address is the line above, and {} is its identity",
        key_path.display()
    ));
    if open_to_all.is_open_to_all(server.addr()) {
        terminal::note(
            "warning: it can be reached from beyond this computer and takes uploads from everybody; set an access word or work",
        );
    }
    cancel.cancelled().await;
    server.stop().await;
    Ok(())
}
