//! The desktop application.
#![cfg_attr(not(debug_assertions), windows_subsystem = "windows")]

use std::process::ExitCode;
use std::sync::Arc;

use cloakroom::app::process::core_dumps;
use cloakroom::app::process::logging;
use cloakroom::app::words::message::UserMessage;
use cloakroom::gui::backend::App;
use cloakroom::gui::worker::Backend;

fn main() -> ExitCode {
    core_dumps::forbid();
    logging::start();
    cloakroom::gui::run(std::env::args_os().skip(1), backend)
}

fn backend() -> Result<Arc<dyn Backend>, UserMessage> {
    Ok(Arc::new(App::of_this_person()?))
}
