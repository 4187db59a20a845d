//! What can be asked for on the command line.

use std::path::PathBuf;

use clap::builder::Resettable;
use clap::{Args, CommandFactory as _, FromArgMatches as _, Parser, Subcommand, ValueEnum};

use super::operator_settings::{OperatorArgs, RelayLayer, ServerLayer};
use crate::app::client::ProxyOverride;
use crate::app::relays::RelaySource;
use crate::app::words::units::parse_seconds;
use crate::net::socks::ParseProxyError;
use crate::protocol::address::ServerAddress;
use crate::protocol::capability::AccessWord;
use crate::protocol::file_api::MAX_RECEIPTS;
use crate::protocol::keys::{Ed25519Public, ParseKeyError};
use crate::protocol::relay_list::ListSource;

/// Private file sharing: padded, sealed, and carried by onion requests to a server that cannot read it.
#[derive(Parser)]
#[command(name = "cloak", version, about, after_help = EXIT_CODES, arg_required_else_help = true)]
pub(super) struct Cli {
    #[command(subcommand)]
    pub(super) command: Command,
}

impl Cli {
    /// Reads the arguments of this process and the variables that stand in for them.
    ///
    /// # Errors
    /// What cannot be understood, and also help and version.
    pub(super) fn read() -> Result<Self, clap::Error> {
        let command = without_empty_variables(Self::command());
        let read = command
            .try_get_matches()
            .and_then(|matches| Self::from_arg_matches(&matches));
        read.or_else(|error| Self::sample().ok_or(error))
    }

    /// Reads the arguments again without variables, when they ask for the sample of a configuration. The sample names the
    /// right values, so it is printed to whoever has a wrong one in a variable.
    fn sample() -> Option<Self> {
        let matches = without_variables(Self::command()).try_get_matches().ok()?;
        let cli = Self::from_arg_matches(&matches).ok()?;
        let is_asked_for = match &cli.command {
            Command::Relay(relay) => relay.print_config,
            Command::Serve(serve) => serve.print_config,
            _ => false,
        };
        is_asked_for.then_some(cli)
    }
}

fn without_variables(command: clap::Command) -> clap::Command {
    command
        .mut_args(|arg| arg.env(Resettable::Reset))
        .mut_subcommands(without_variables)
}

/// Takes a variable that is set to nothing as one that is not set: that is what `VARIABLE=` means in an environment file.
fn without_empty_variables(command: clap::Command) -> clap::Command {
    command
        .mut_args(|arg| {
            let variable = arg.get_env().and_then(std::env::var_os);
            if variable.is_some_and(|value| value.is_empty()) {
                arg.env(Resettable::Reset)
            } else {
                arg
            }
        })
        .mut_subcommands(without_empty_variables)
}

#[derive(Subcommand)]
pub(super) enum Command {
    /// Say whether a file server, a relay, or what you use yourself is as it should be, and what to do
    Check(CheckArgs),
    /// Print a script by which a shell completes the commands and options of this program
    Completions(Completions),
    /// Remove the server's copy of a file that you shared
    Delete(ManageArgs),
    /// Share a file or folder through a network of its own on this computer, fetch it back, and tell who saw what
    Demo(Demo),
    /// Have the server keep a file for longer
    Extend(Extend),
    /// Fetch the file that a pointer describes, verify it and save it
    Get(GetArgs),
    /// Invite people and relays to the network that your file server keeps, and say which relays belong to it
    #[command(subcommand)]
    Host(HostCommand),
    /// Say what a pointer describes, without any network
    Info(Info),
    /// Join a network by an invitation: its relays are contacted, and nobody else
    Join(JoinArgs),
    /// Write the man pages of this program, one a command
    #[command(hide = true)]
    Man(Man),
    /// Say which networks you use, or choose, rename, leave one, or invite somebody to it
    Networks(NetworksArgs),
    /// Run a relay
    Relay(RelayArgs),
    /// Make, sign and check relay lists, to hand them out
    #[command(subcommand)]
    RelayList(RelayListCommand),
    /// Say or change which relays are used for servers of no network
    Relays(RelaysArgs),
    /// Remove your settings, history, records and the history's key from this computer
    RemoveData(RemoveData),
    /// List transfers that were interrupted, go on with them, or give them up
    Resume(ResumeArgs),
    /// Run a file server
    Serve(Serve),
    /// Share files and folders, and print the pointer that the recipient needs
    Share(ShareArgs),
    /// Take away files that a server stores, for its operator
    #[command(subcommand)]
    Store(StoreCommand),
    /// Ask how long the server keeps a file that you shared, and how often it was downloaded
    Status(ManageArgs),
    /// Run the built-in network (a file server and three relays, on loopback) until it is stopped
    Up(Up),
}

#[derive(Args)]
#[command(after_help = COMPLETIONS_HELP)]
pub(super) struct Completions {
    /// The shell to print it for
    pub(super) shell: ShellName,
}

/// A shell that completions can be printed for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum ShellName {
    Bash,
    Fish,
    #[value(name = "powershell")]
    PowerShell,
    Zsh,
}

#[derive(Args)]
pub(super) struct Man {
    /// The folder to write them to; files of the same names in it are replaced
    #[arg(value_name = "FOLDER")]
    pub(super) folder: PathBuf,
}

#[derive(Args)]
pub(super) struct Demo {
    /// The file or folder
    #[arg(value_name = "PATH")]
    pub(super) file: PathBuf,
    /// Use six relays, and kill one of the path in the middle of the upload [default: guard]
    #[arg(long, value_name = "WHICH", num_args = 0..=1, default_missing_value = "guard", require_equals = true)]
    pub(super) kill_relay: Option<KillTarget>,
}

/// The place on a path of the relay that `demo --kill-relay` kills.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum KillTarget {
    /// The first relay
    Guard,
    /// The one between the others
    Middle,
    /// The last relay
    Last,
}

#[derive(Args)]
pub(super) struct GetArgs {
    /// `-` to read the pointer from standard input (as an argument, other users of this computer can see it), or the
    /// pointer
    pub(super) pointer: String,
    /// The folder or file to save to; an existing file is never overwritten [default: the current folder]
    #[arg(long, value_name = "PATH")]
    pub(super) out: Option<PathBuf>,
    /// Of a folder, fetch only the file at PATH, or everything in the folder at PATH, as --list shows it; can be given
    /// several times
    #[arg(long, value_name = "PATH", conflicts_with = "list")]
    pub(super) only: Vec<String>,
    /// Say what a folder holds, and save nothing
    #[arg(long)]
    pub(super) list: bool,
    /// Go on with an interrupted download of the same pointer, if there is one
    #[arg(long, conflicts_with_all = ["list", "only", "out"])]
    pub(super) resume: bool,
    #[command(flatten)]
    pub(super) network: NetworkArg,
    #[command(flatten)]
    pub(super) route: RouteArgs,
    /// Fetch the relay list that the pointer names from its host, which then sees this computer's address or your proxy's, once, and use it for this pointer's server
    #[arg(long, conflicts_with = "direct")]
    pub(super) accept_relay_list: bool,
    /// Where the text holds an invitation beside the pointer, to the network of its server: join that network first
    #[arg(long, conflicts_with_all = ["direct", "relays"])]
    pub(super) join: bool,
    /// Do not tell the sender, who asked for it, that you have the file
    #[arg(long)]
    pub(super) no_receipt: bool,
    /// Say on standard error (with --json in its object) which party of the path was shown what, try by try
    #[arg(long)]
    pub(super) who_saw_what: bool,
    /// Print one JSON object
    #[arg(long)]
    pub(super) json: bool,
}

/// Something that the person who shared a file does with it afterwards.
#[derive(Args)]
pub(super) struct ManageArgs {
    /// `-` to read the pointer from standard input (as an argument, other users of this computer can see it), or the
    /// pointer
    pub(super) pointer: String,
    #[command(flatten)]
    pub(super) network: NetworkArg,
    #[command(flatten)]
    pub(super) route: RouteArgs,
    /// Say on standard error (with --json in its object) which party of the path was shown what, try by try
    #[arg(long)]
    pub(super) who_saw_what: bool,
    /// Print one JSON object
    #[arg(long)]
    pub(super) json: bool,
}

#[derive(Args)]
pub(super) struct Extend {
    #[command(flatten)]
    pub(super) manage: ManageArgs,
    /// How long from now the server should keep it at least, such as 7d or 12h [default: the server's]
    #[arg(long, value_name = "TIME", value_parser = parse_seconds)]
    pub(super) ttl: Option<u64>,
}

#[derive(Args)]
pub(super) struct Info {
    /// `-` to read the pointer from standard input, or the pointer
    pub(super) pointer: String,
    /// Print one JSON object
    #[arg(long)]
    pub(super) json: bool,
}

#[derive(Args)]
pub(super) struct ShareArgs {
    /// Files and folders; several of them are shared as one folder
    #[arg(required = true, value_name = "PATH")]
    pub(super) paths: Vec<PathBuf>,
    /// Share each of them for itself, and print one pointer each
    #[arg(long)]
    pub(super) each: bool,
    /// Go on with an interrupted share of the same files, if there is one
    #[arg(long)]
    pub(super) resume: bool,
    /// The file server's address, as its operator gave it [default: the one of the settings, else the built-in one]
    #[arg(long, value_name = "ADDRESS", conflicts_with = "network")]
    pub(super) server: Option<ServerAddress>,
    #[command(flatten)]
    pub(super) network: NetworkArg,
    #[command(flatten)]
    pub(super) route: RouteArgs,
    /// How long the server should keep it, such as 7d or 12h [default: the server's]
    #[arg(long, value_name = "TIME", value_parser = parse_seconds)]
    pub(super) ttl: Option<u64>,
    /// Leave the name out of the pointer; the recipient still gets it from the sealed file
    #[arg(long)]
    pub(super) no_name: bool,
    /// Name the relay list in the pointer, for recipients without relays; it must be one by URL
    #[arg(long, conflicts_with = "direct")]
    pub(super) with_relay_list: bool,
    /// Print an invitation to the network, without the access word, in a line before the pointer: whoever has nothing pastes both
    #[arg(long, conflicts_with_all = ["direct", "relays"])]
    pub(super) with_invitation: bool,
    /// Ask recipients to tell of their download, so that `cloak status` can count them
    #[arg(long, conflicts_with = "max_downloads")]
    pub(super) count: bool,
    /// Count downloads, and have the server remove the file after N of them
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=i64::from(MAX_RECEIPTS)))]
    pub(super) max_downloads: Option<u32>,
    #[command(flatten)]
    pub(super) access: Access,
    /// Say on standard error (with --json in its object) which party of the path was shown what, try by try
    #[arg(long)]
    pub(super) who_saw_what: bool,
    /// Print one JSON object
    #[arg(long)]
    pub(super) json: bool,
}

#[derive(Args)]
pub(super) struct ResumeArgs {
    /// The ids of the transfers, as they are listed without any, or `all`
    #[arg(value_name = "ID")]
    pub(super) which: Vec<String>,
    /// Give them up: delete what the server has of a share, remove what has come of a download
    #[arg(long, requires = "which")]
    pub(super) discard: bool,
    #[command(flatten)]
    pub(super) route: RouteArgs,
    /// Say on standard error (with --json in its object) which party of the path was shown what, try by try
    #[arg(long)]
    pub(super) who_saw_what: bool,
    /// Print one JSON object for each
    #[arg(long)]
    pub(super) json: bool,
}

#[derive(Args)]
#[command(after_help = REMOVE_DATA_HELP)]
pub(super) struct RemoveData {
    /// Remove it without asking
    #[arg(long)]
    pub(super) yes: bool,
    /// Leave the history's key in the system's keyring
    #[arg(long)]
    pub(super) leave_key: bool,
}

/// The word of a server's operator.
#[derive(Args)]
pub(super) struct Access {
    /// The access word, if the server asks for one (as an argument, other users of this computer can see it) [default:
    /// the one kept with the server in the settings]
    #[arg(long, value_name = "WORD", value_parser = AccessWord::parse, env = "CLOAKROOM_ACCESS_WORD", hide_env_values = true)]
    pub(super) access_word: Option<AccessWord>,
    /// A file whose first line is the access word
    #[arg(long, value_name = "FILE", conflicts_with = "access_word")]
    pub(super) access_word_file: Option<PathBuf>,
}

/// A network with its server and its relays.
#[derive(Args)]
pub(super) struct NetworkArg {
    /// A network of yours, as `cloak networks` calls it, with its server and its relays [default: the one in use; of a pointer the one of its server]
    #[arg(long, value_name = "NAME", conflicts_with_all = ["relays", "direct"])]
    pub(super) network: Option<String>,
}

/// The route to the server.
#[derive(Args)]
pub(super) struct RouteArgs {
    /// A relay list, in place of the relays that the settings have for the server
    #[arg(long, value_name = "FILE", conflicts_with = "direct")]
    pub(super) relays: Option<PathBuf>,
    /// Go to the server without relays, so that it sees this computer's address or your proxy's [default: as the settings say of this server]
    #[arg(long)]
    pub(super) direct: bool,
    /// A SOCKS5 proxy to the first relay, such as socks5://127.0.0.1:9050, or none [default: the one of the settings]
    #[arg(long, value_name = "URL", env = "CLOAKROOM_PROXY", hide_env_values = true, value_parser = parse_proxy)]
    pub(super) proxy: Option<ProxyOverride>,
}

fn parse_proxy(text: &str) -> Result<ProxyOverride, ParseProxyError> {
    if text == "none" {
        return Ok(ProxyOverride::None);
    }
    text.parse().map(ProxyOverride::Through)
}

#[derive(Args)]
pub(super) struct JoinArgs {
    /// `-` to read the invitation from standard input (as an argument, other users of this computer can see it), a file that holds it, or the invitation; `session` for the network of the Session messenger, or a file NAME.toml that describes another of its kind
    pub(super) invitation: String,
    /// Say what joining would mean, and ask nobody
    #[arg(long)]
    pub(super) look: bool,
    /// Use the relays of the invitation for a server that you use through others
    #[arg(long)]
    pub(super) replace: bool,
    /// Let rules of paths yield in this network, where its relays are too few for them
    #[arg(long)]
    pub(super) relax: bool,
    /// Fetch the relay list from the host that the invitation names, which then sees this computer's address or your proxy's
    #[arg(long)]
    pub(super) ask_list_host: bool,
    /// A SOCKS5 proxy to the first relay, such as socks5://127.0.0.1:9050, or none [default: the one of the settings]
    #[arg(long, value_name = "URL", env = "CLOAKROOM_PROXY", hide_env_values = true, value_parser = parse_proxy)]
    pub(super) proxy: Option<ProxyOverride>,
    /// Say on standard error (with --json in its object) which party of the path was shown what, try by try
    #[arg(long)]
    pub(super) who_saw_what: bool,
    /// Print one JSON object
    #[arg(long)]
    pub(super) json: bool,
}

#[derive(Args)]
pub(super) struct NetworksArgs {
    /// Print one JSON object
    #[arg(long)]
    pub(super) json: bool,
    #[command(subcommand)]
    pub(super) command: Option<NetworksCommand>,
}

#[derive(Subcommand)]
pub(super) enum NetworksCommand {
    /// Put a network together by hand, of a file server and relays that lead there. New files go there if they stayed on this computer before
    Add {
        /// Address of the file server, as its operator hands it out: its URL with #p= and 64 letters and digits
        address: ServerAddress,
        /// What to call it [default: the server's host]
        #[arg(long)]
        name: Option<String>,
        /// Where its relays are from: `session` (the service nodes of the Session messenger), a file with a list, which is copied, or the line of a list, whose host then sees this computer's address or your proxy's
        #[arg(long, value_name = "SOURCE")]
        relays: Option<RelaySource>,
        /// Go to the server without relays, so that it sees this computer's address or your proxy's
        #[arg(long, conflicts_with = "relays")]
        direct: bool,
    },
    /// Print an invitation to a network, for somebody who is to use it
    Invite {
        /// The network [default: the one in use]
        name: Option<String>,
        /// How long somebody can join by it
        #[arg(long, value_name = "TIME", default_value = "30d", value_parser = parse_seconds)]
        expires: u64,
        /// Leave out the access word that you keep: whoever joins can receive, and share once they have the word
        #[arg(long)]
        without_access_word: bool,
    },
    /// Leave a network; what you shared there can still be managed
    Leave {
        /// The network
        name: String,
    },
    /// Relax the rules of paths in a network that has too few relays for them: relays of one part of the internet or one operator on one path, a former guard as middle or last. Who saw what says each time which rule yielded
    Relax {
        /// The network [default: the one in use]
        name: Option<String>,
        /// Hold every rule again
        #[arg(long)]
        off: bool,
    },
    /// Say which relays a network has, and which ones are set aside
    Relays {
        /// The network [default: the one in use]
        name: Option<String>,
        /// Use the newest list, which waits since it lacks more than half of the relays
        #[arg(long)]
        accept: bool,
        /// Use other relays, of a network that was put together by hand: as with `cloak networks add --relays`
        #[arg(long, value_name = "SOURCE", conflicts_with = "accept")]
        r#use: Option<RelaySource>,
        /// Forget the relays of a network that was put together by hand
        #[arg(long, conflicts_with_all = ["accept", "use"])]
        forget: bool,
    },
    /// Call a network otherwise
    Rename {
        /// The network
        name: String,
        /// Its new name
        new_name: String,
    },
    /// Send new files to this network; `built-in` keeps them on this computer
    Use {
        /// The network
        name: String,
    },
}

#[derive(Args)]
pub(super) struct Serve {
    #[command(flatten)]
    pub(super) operator: OperatorArgs<ServerLayer>,
    /// Print a configuration file with every setting, what it does and its default, and end
    #[arg(long)]
    pub(super) print_config: bool,
    /// Take the clock of this machine as right, when the server said that it jumped
    #[arg(long)]
    pub(super) accept_clock: bool,
    /// Begin with an empty store where this server had one before
    #[arg(long)]
    pub(super) new_store: bool,
}

#[derive(Args)]
pub(super) struct RelayArgs {
    #[command(flatten)]
    pub(super) operator: OperatorArgs<RelayLayer>,
    /// Print a configuration file with every setting, what it does and its default, and end
    #[arg(long)]
    pub(super) print_config: bool,
    /// Print the list entry that the same settings would serve, and end
    #[arg(long)]
    pub(super) print_descriptor: bool,
}

#[derive(Args)]
pub(super) struct CheckArgs {
    #[command(subcommand)]
    pub(super) what: Option<CheckWhat>,
    /// Connect to the relays of your list; each sees this computer's address, or your proxy's
    #[arg(long)]
    pub(super) network: bool,
    /// A SOCKS5 proxy to other computers, such as socks5://127.0.0.1:9050, or none [default: the one of your settings]
    #[arg(long, global = true, value_name = "URL", env = "CLOAKROOM_PROXY", hide_env_values = true, value_parser = parse_proxy)]
    pub(super) proxy: Option<ProxyOverride>,
    /// Print one JSON object
    #[arg(long, global = true)]
    pub(super) json: bool,
}

#[derive(Subcommand)]
pub(super) enum CheckWhat {
    /// Whether the running file server with these settings can write and read its store; for health checks of containers
    Health(CheckHealth),
    /// A relay with these settings, running or not
    Relay(CheckRelay),
    /// A file server with these settings, running or not
    Server(CheckServer),
}

#[derive(Args)]
pub(super) struct CheckHealth {
    #[command(flatten)]
    pub(super) operator: OperatorArgs<ServerLayer>,
}

#[derive(Args)]
pub(super) struct CheckRelay {
    #[command(flatten)]
    pub(super) operator: OperatorArgs<RelayLayer>,
}

#[derive(Args)]
pub(super) struct CheckServer {
    #[command(flatten)]
    pub(super) operator: OperatorArgs<ServerLayer>,
    /// Send a small file there and back, and delete it, through the relays of this list
    #[arg(long, value_name = "LIST")]
    pub(super) through: Option<PathBuf>,
}

#[derive(Subcommand)]
pub(super) enum StoreCommand {
    /// Remove files, and let nothing be stored under their ids again
    Block(StoreDeed),
    /// Remove files
    Remove(StoreDeed),
}

#[derive(Args)]
pub(super) struct StoreDeed {
    #[command(flatten)]
    pub(super) operator: OperatorArgs<ServerLayer>,
    /// The files: the pointer, link or id of each; `-` reads one from standard input
    #[arg(required = true, value_name = "FILE")]
    pub(super) files: Vec<String>,
    /// Print one JSON object a file
    #[arg(long)]
    pub(super) json: bool,
}

#[derive(Subcommand)]
pub(super) enum HostCommand {
    /// List a relay that waits or was removed
    Approve(HostKey),
    /// Take a relay out for good; whoever comes to its address with a new key waits until you approve it
    Block(HostKey),
    /// Print an invitation, for people who may use the network or for a relay that may join it
    Invite(HostInvite),
    /// Draw a new join word, access word or both; the ones before go on for seven days
    NewWords(HostNewWords),
    /// Print the relays that the network knows, and how they stand
    Relays(HostRelays),
    /// Take a relay out until you approve it
    Remove(HostKey),
}

#[derive(Args)]
pub(super) struct HostKey {
    #[command(flatten)]
    pub(super) operator: OperatorArgs<ServerLayer>,
    /// The relay's key of 64 letters and digits, as `cloak host relays` prints it
    #[arg(value_name = "KEY", value_parser = parse_key)]
    pub(super) relay: Ed25519Public,
    /// Print one JSON object
    #[arg(long)]
    pub(super) json: bool,
}

fn parse_key(text: &str) -> Result<Ed25519Public, ParseKeyError> {
    Ed25519Public::from_hex(text)
}

#[derive(Args)]
pub(super) struct HostInvite {
    #[command(flatten)]
    pub(super) operator: OperatorArgs<ServerLayer>,
    /// For a relay that may join, instead of people
    #[arg(long)]
    pub(super) relay: bool,
    /// How long people or relays can join by it [default: 30d, for relays 7d]
    #[arg(long, value_name = "TIME", value_parser = parse_seconds)]
    pub(super) expires: Option<u64>,
    /// Leave out the word that the server asks uploads for
    #[arg(long, conflicts_with = "relay")]
    pub(super) without_access_word: bool,
}

#[derive(Args)]
pub(super) struct HostNewWords {
    #[command(flatten)]
    pub(super) operator: OperatorArgs<ServerLayer>,
    /// The word by which relays join
    #[arg(long, required_unless_present = "access")]
    pub(super) join: bool,
    /// The word that uploads must have: printed, and in the invitations for people from now on
    #[arg(long)]
    pub(super) access: bool,
}

#[derive(Args)]
pub(super) struct HostRelays {
    #[command(flatten)]
    pub(super) operator: OperatorArgs<ServerLayer>,
    /// Print the entries of those that belong in a list, for `cloak relay-list new`: where you sign the list yourself
    #[arg(long, conflicts_with = "json")]
    pub(super) entries: bool,
    /// Print one JSON object
    #[arg(long)]
    pub(super) json: bool,
}

#[derive(Subcommand)]
pub(super) enum RelayListCommand {
    /// Add relays to a list by the entries that they print, each in place of its old one, and date it anew
    Add(AddToRelayList),
    /// Print the public half of the key that signs a list
    Key(RelayListKey),
    /// Join the entries that relays print into an unsigned list, on standard output
    New(NewRelayList),
    /// Sign a list: writes its .sig and prints the line that people add it by
    Sign(SignRelayList),
    /// Say what holds of a list and what not
    Verify(VerifyRelayList),
}

#[derive(Args)]
pub(super) struct AddToRelayList {
    /// The list
    #[arg(value_name = "LIST")]
    pub(super) list: PathBuf,
    /// Files with one or more entries, one a line
    #[arg(required = true, value_name = "FILE")]
    pub(super) files: Vec<PathBuf>,
    /// How long it is good for, from now
    #[arg(long, value_name = "TIME", default_value = "90d", value_parser = parse_seconds)]
    pub(super) valid_for: u64,
}

#[derive(Args)]
pub(super) struct RelayListKey {
    /// The key; made when it is missing
    #[arg(long, value_name = "FILE", default_value = "relay-list.key")]
    pub(super) key: PathBuf,
}

#[derive(Args)]
pub(super) struct SignRelayList {
    /// The list
    #[arg(value_name = "LIST")]
    pub(super) list: PathBuf,
    /// The key that signs it; made when it is missing
    #[arg(long, value_name = "FILE", default_value = "relay-list.key")]
    pub(super) key: PathBuf,
    /// Where the list will be, to print the line that people add it by; without it the public key is printed
    #[arg(long, value_name = "URL")]
    pub(super) url: Option<String>,
}

#[derive(Args)]
pub(super) struct VerifyRelayList {
    /// The list: a file with its .sig beside it, or the line that people add it by, which is then fetched
    #[arg(value_name = "LIST")]
    pub(super) list: String,
    /// The public key that should have signed a file
    #[arg(long, value_name = "HEX", value_parser = Ed25519Public::from_hex)]
    pub(super) key: Option<Ed25519Public>,
}

#[derive(Args)]
pub(super) struct RelaysArgs {
    #[command(subcommand)]
    pub(super) command: Option<RelaysCommand>,
}

/// What can be done with the relays of the network in use, for which `cloak networks` has longer commands too.
#[derive(Subcommand)]
pub(super) enum RelaysCommand {
    /// Fetch a signed list from its host, which then sees this computer's address or your proxy's, and use its relays
    Add {
        /// The list as its maker gave it: https://…/relays.json#k=… with its key of 64 letters and digits
        line: ListSource,
    },
    /// Relax the rules of paths for a list that is too short for them: relays of one part of the internet or one operator on one path, a former guard as middle or last. Who saw what says each time which rule yielded
    Relax {
        /// `session`, a file, or the line of a list [default: the one in use]
        source: Option<RelaySource>,
        /// Hold every rule on that list again
        #[arg(long)]
        off: bool,
    },
    /// Forget a source, and stop using it
    Remove {
        /// `session`, a file, or the line of a list [default: the one in use]
        source: Option<RelaySource>,
    },
    /// Say which relays are used, how old they are, which ones are set aside, and which other lists are kept (as without a command)
    Show {
        /// Print one JSON object
        #[arg(long)]
        json: bool,
    },
    /// Use other relays
    Use {
        /// `session` (the service nodes of the Session messenger), a file with a list, which is copied, or the line of a list, which is fetched if it is not here
        source: RelaySource,
    },
}

#[derive(Args)]
pub(super) struct NewRelayList {
    /// Files with one or more entries, one a line
    #[arg(required = true, value_name = "FILE")]
    pub(super) files: Vec<PathBuf>,
    /// A name for people
    #[arg(long, default_value = "")]
    pub(super) name: String,
    /// Write it to FILE, whole or not at all, instead of standard output
    #[arg(long, value_name = "FILE")]
    pub(super) out: Option<PathBuf>,
    /// How long it is good for
    #[arg(long, value_name = "TIME", default_value = "90d", value_parser = parse_seconds)]
    pub(super) valid_for: u64,
}

#[derive(Args)]
pub(super) struct Up {
    /// Keep everything in DIR, as CLOAKROOM_HOME would
    #[arg(long, value_name = "DIR")]
    pub(super) dir: Option<PathBuf>,
}

const COMPLETIONS_HELP: &str = "\
Where to keep them, for yourself alone:
  bash        cloak completions bash > ~/.local/share/bash-completion/completions/cloak
  zsh         cloak completions zsh > a file _cloak in a folder of $fpath
  fish        cloak completions fish > ~/.config/fish/completions/cloak.fish
  powershell  cloak completions powershell >> $PROFILE

Packages of Cloakroom bring these files along.";

const REMOVE_DATA_HELP: &str = "\
It says what there is and asks before anything goes; the paths of what is gone go to standard output. Only files of \
Cloakroom's own names go. Nothing is removed while the window, a transfer or the built-in network runs. Programs, and the \
keys and stores of file servers and relays that you run, stay.";

const EXIT_CODES: &str = "\
Exit codes:
    0  done
    1  any other error
    2  wrong usage, or a wrong configuration
    3  the pointer is missing, damaged or too new
    4  the path or the network failed
    5  the file is not on the server
    6  what came does not match the pointer; nothing was saved
    7  a file or folder of this computer
    8  the server refused
  130  cancelled

Pointers and data go to standard output, everything else to standard error.
Settings and data are in the usual folders of the system, or in CLOAKROOM_HOME.";

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;

    #[test]
    fn the_arguments_are_consistent() {
        Cli::command().debug_assert();
    }

    #[test]
    fn a_proxy_is_a_url_or_none() {
        assert_eq!(parse_proxy("none"), Ok(ProxyOverride::None));
        assert!(matches!(
            parse_proxy("socks5://127.0.0.1:9050"),
            Ok(ProxyOverride::Through(_))
        ));
        assert_eq!(parse_proxy("127.0.0.1:9050"), Err(ParseProxyError::Scheme));
    }
}
