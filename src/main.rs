//! The desktop application.
#![cfg_attr(not(debug_assertions), windows_subsystem = "windows")]

use std::process::ExitCode;
use std::sync::Arc;

use cloakroom::app::message::UserMessage;
use cloakroom::gui::worker::Backend;

fn main() -> ExitCode {
    cloakroom::gui::run(std::env::args_os().skip(1), backend)
}

fn backend() -> Result<Arc<dyn Backend>, UserMessage> {
    Err(UserMessage {
        what: "The window cannot open yet.".to_owned(),
        why: "Nothing to carry out its work is built in.".to_owned(),
        next: "Use the command line.".to_owned(),
    })
}
