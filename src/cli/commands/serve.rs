//! `cloak serve`.

use tokio_util::sync::CancellationToken;

use crate::cli::CliError;
use crate::cli::args::Serve;
use crate::cli::terminal::{self, print_line};
use crate::server::{Server, ServerConfig};
use crate::wire::{key_file, random};

pub(crate) async fn run(args: Serve, cancel: &CancellationToken) -> Result<(), CliError> {
    let failed = |error: &dyn std::error::Error| {
        CliError::Other(format!("the file server did not start: {error}"))
    };
    if args.listen.ip().is_unspecified() && args.public_url.is_none() {
        return Err(CliError::Usage(
            "a server that listens on every address needs --public-url, the one that last relays reach it at"
                .to_owned(),
        ));
    }
    let key = key_file::load_or_create(&args.store.join("server.key"), &mut random::system())
        .map_err(|error| failed(&error))?;
    let mut config = ServerConfig::new(args.listen, args.store, key);
    config.public_url = args.public_url;
    let server = Server::start(config)
        .await
        .map_err(|error| failed(&error))?;
    print_line(&server.address().to_string())?;
    terminal::note(
        "the file server is up; its address is the line above, and server.key in its folder is its identity",
    );
    if !server.addr().ip().is_loopback() {
        terminal::note("warning: it listens beyond this computer and takes uploads from everybody");
    }
    cancel.cancelled().await;
    server.stop().await;
    Ok(())
}
