//! `cloak man`: writes the man pages that packages install, one a command.

use std::fs;
use std::io;
use std::path::Path;

use clap::CommandFactory as _;
use clap_mangen::Man;

use crate::cli::CliError;
use crate::cli::args;

pub(crate) fn run(args: &args::Man) -> Result<(), CliError> {
    let mut command = args::Cli::command().disable_help_subcommand(true);
    // Gives each subcommand its whole name, such as `cloak relay-list`.
    command.build();
    fs::create_dir_all(&args.folder)
        .and_then(|()| write_pages(&command, &args.folder))
        .map_err(|error| {
            CliError::Other(format!(
                "the man pages could not be written to {}: {error}",
                args.folder.display()
            ))
        })
}

/// Writes the pages of `command` and of the commands under it.
fn write_pages(command: &clap::Command, folder: &Path) -> io::Result<()> {
    let shown = command.get_subcommands().filter(|sub| !sub.is_hide_set());
    for subcommand in shown {
        write_pages(subcommand, folder)?;
    }
    let man = Man::new(command.clone())
        // An empty one would be left out, and the others be taken for it.
        .date(" ")
        .source(concat!("Cloakroom ", env!("CARGO_PKG_VERSION")))
        .manual("User Commands");
    let file_name = man.get_filename();
    let title = file_name.trim_end_matches(".1").to_uppercase();
    let mut page = Vec::new();
    man.title(title).render(&mut page)?;
    let page = String::from_utf8_lossy(&page).replace("\n.SH EXTRA\n", "\n.SH NOTES\n");
    let see_also = if command.get_name() == ROOT {
        SEE_WINDOW
    } else {
        SEE_ROOT
    };
    fs::write(folder.join(file_name), format!("{page}{see_also}"))
}

/// The program itself, whose page lists the others.
const ROOT: &str = "cloak";
const SEE_ROOT: &str = ".SH \"SEE ALSO\"\n.BR cloak (1)\n";
const SEE_WINDOW: &str = ".SH \"SEE ALSO\"\n.BR cloakroom (1)\n";
