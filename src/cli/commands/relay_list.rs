//! `cloak relay-list`.

use crate::app::error::AppError;
use crate::cli::CliError;
use crate::cli::args::NewRelayList;
use crate::cli::terminal::print_line;
use crate::protocol::relay_list::{RelayDescriptor, RelayList};
use crate::wire::clock;

pub(crate) fn new(args: &NewRelayList) -> Result<(), CliError> {
    let mut relays = Vec::new();
    for file in &args.files {
        let text =
            std::fs::read_to_string(file).map_err(|error| AppError::RelayFile(error.kind()))?;
        for line in text.lines().filter(|line| !line.trim().is_empty()) {
            relays.push(RelayDescriptor::parse(line).map_err(AppError::from)?);
        }
    }
    let now = (clock::system())();
    let list = RelayList::join(&args.name, now, now.saturating_add(args.valid_for), relays)
        .map_err(AppError::from)?;
    print_line(list.to_json().trim_end())?;
    Ok(())
}
