//! The command line of Cloakroom.

use std::process::ExitCode;

fn main() -> ExitCode {
    cloakroom::cli::run()
}
