//! `cloak completions`: prints a script by which a shell completes commands and options.

use clap::CommandFactory as _;
use clap_complete::Generator;
use clap_complete::shells::{Bash, Fish, PowerShell, Zsh};

use crate::cli::CliError;
use crate::cli::args::{Cli, Completions, ShellName};
use crate::cli::terminal::print_text;

pub(crate) fn run(args: &Completions) -> Result<(), CliError> {
    let script = match args.shell {
        ShellName::Bash => script(Bash),
        ShellName::Fish => script(Fish),
        ShellName::PowerShell => script(PowerShell),
        ShellName::Zsh => script(Zsh),
    };
    Ok(print_text(&script)?)
}

fn script(shell: impl Generator) -> String {
    let mut command = without_hidden_subcommands(&Cli::command());
    let mut script = Vec::new();
    // Into memory first: the generators panic where an output is closed.
    clap_complete::generate(shell, &mut command, NAME, &mut script);
    String::from_utf8_lossy(&script).into_owned()
}

/// The generators offer hidden subcommands too.
fn without_hidden_subcommands(command: &clap::Command) -> clap::Command {
    let shown = command.get_subcommands().filter(|sub| !sub.is_hide_set());
    clap::Command::new(NAME)
        .version(env!("CARGO_PKG_VERSION"))
        .args(command.get_arguments())
        .subcommands(shown)
}

/// The program that is completed.
const NAME: &str = "cloak";
