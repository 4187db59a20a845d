//! `cloak up`: the built-in network in the foreground.

use tokio_util::sync::CancellationToken;

use crate::app::error::AppError;
use crate::app::operate::builtin::BuiltIn;
use crate::app::settings::Home;
use crate::cli::CliError;
use crate::cli::args::Up;
use crate::cli::terminal::{self, print_line, print_path};

pub(crate) async fn run(args: Up, cancel: &CancellationToken) -> Result<(), CliError> {
    let home = match &args.dir {
        Some(folder) => Home::in_folder(folder).checked(),
        None => Home::find(),
    }
    .map_err(AppError::from)?;
    let folder = home.builtin_dir();
    let network = BuiltIn::start_or_join(&folder)
        .await
        .map_err(AppError::from)?;
    if !network.is_own() {
        return Err(CliError::Other(
            "the built-in network already runs in another process".to_owned(),
        ));
    }
    let printed = print_line(&network.server().to_string())
        .and_then(|()| print_path(&BuiltIn::relay_list_path(&folder)));
    terminal::announce(printed);
    terminal::note("the built-in network is up, on this computer only; stop it with Ctrl+C");
    cancel.cancelled().await;
    network.stop().await;
    Ok(())
}
