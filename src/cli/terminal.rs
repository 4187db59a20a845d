//! The terminal's rules: where things are printed, when there is a bar, what ends a command.

use std::borrow::Cow;
use std::io::{self, BufRead, IsTerminal as _, Read as _};
use std::path::Path;
use std::process::ExitCode;
use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use jiff::Timestamp;
use serde_json::Value;
use tokio_util::sync::CancellationToken;
use zeroize::Zeroizing;

use super::commands::remove_data;
use super::{CliError, StoredFile};
use crate::app::error::{AppError, ServerRefusal};
use crate::app::process::streams::{self, OutputError};
use crate::app::relays::RelaySourceError;
use crate::app::transfer::share::ASKED_FROM;
use crate::app::transfer::stage::{ProgressSink, Stage};
use crate::app::words::harmless::harmless;
use crate::app::words::message::UserMessage;
use crate::app::words::units::size;
use crate::protocol::exchange::Failure;
use crate::protocol::pointer::Pointer;
use crate::protocol::text;

/// Prints a line for people and programs, made [`harmless`].
pub(super) fn print_line(line: &str) -> Result<(), OutputError> {
    print_text(&format!("{}\n", harmless(line)))
}

/// Prints a text of this program's own, of any number of lines.
pub(super) fn print_text(text: &str) -> Result<(), OutputError> {
    streams::write_output(text.as_bytes())
}

/// Prints a path as it is, so that a script can use it.
pub(super) fn print_path(path: &Path) -> Result<(), OutputError> {
    #[cfg(unix)]
    let mut line = std::os::unix::ffi::OsStrExt::as_bytes(path.as_os_str()).to_vec();
    #[cfg(not(unix))]
    let mut line = path.display().to_string().into_bytes();
    line.push(b'\n');
    streams::write_output(&line)
}

/// Prints one JSON object on one line.
pub(super) fn print_json(object: &Value) -> Result<(), OutputError> {
    print_json_text(&object.to_string())
}

/// Prints a text that is JSON in ASCII, with escapes for the rest: a name in it is hostile text and may try to fool a
/// terminal, and must not change for the program that reads it.
pub(super) fn print_json_text(json: &str) -> Result<(), OutputError> {
    let mut text = String::new();
    for letter in json.trim_end().chars() {
        if matches!(letter, ' '..='~' | '\n') {
            text.push(letter);
        } else {
            let mut units = [0; 2];
            for unit in letter.encode_utf16(&mut units) {
                text.push_str(&format!("\\u{unit:04x}"));
            }
        }
    }
    text.push('\n');
    print_text(&text)
}

/// Prints what a server or relay begins with. It runs on when that cannot be printed, and says so.
pub(super) fn announce(printed: Result<(), OutputError>) {
    if let Err(error) = printed {
        note(&format!("warning: {error}; it runs all the same"));
    }
}

/// Says how a command ended, and gives the exit code for it.
pub(super) fn end(result: Result<(), CliError>) -> ExitCode {
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            print_failure(&failure);
            ExitCode::from(failure.exit_code())
        }
    }
}

/// Says on standard error what happened, why, and what next.
fn print_failure(failure: &CliError) {
    match failure {
        CliError::App(error) => {
            print_message("error", &UserMessage::from(error));
            if let Some(options) = options_against(error) {
                note(&format!("  {options}"));
            }
        }
        // As every program behind a pipe: whoever read it has seen enough.
        CliError::Output(error) if error.is_closed_pipe() => {}
        CliError::Output(error) => {
            note(&format!("error: {error}"));
            note("  make room where standard output leads, or send it elsewhere");
        }
        CliError::PointerLost { cause, file } => {
            note("error: the file has no pointer");
            note(&format!("  {cause}"));
            note(match file {
                StoredFile::TakenBack => {
                    "  the file was deleted from the server again; make room where standard output leads, and share it once more"
                }
                StoredFile::Left => {
                    "  the file stays at the server until it expires, and nobody can open it; make room where standard output leads, and share it once more"
                }
            });
        }
        CliError::Removal(error) => {
            note(&format!("error: {error}"));
            note(&format!("  {}", remove_data::remedy(error)));
        }
        // It has been said.
        CliError::Found | CliError::NotThere => {}
        CliError::Other(text) | CliError::Usage(text) => note(&format!("error: {text}")),
    }
}

/// What the command line has against it; the sentences of the use cases are everybody's and name no options.
fn options_against(error: &AppError) -> Option<Cow<'static, str>> {
    let options = match error {
        AppError::NoRelays => {
            "on the command line: cloak join, cloak networks add, --relays FILE, or --direct"
        }
        AppError::RelaysOffered(_) => "on the command line: --accept-relay-list",
        AppError::Server(ServerRefusal::AccessWord { .. }) => {
            "on the command line: --access-word WORD"
        }
        AppError::Settings(_) => {
            "on the command line: move the file away to go on with the default settings"
        }
        AppError::Proxy(_) => "on the command line: --proxy socks5://HOST:PORT",
        AppError::RelaySource(RelaySourceError::ManyGone { .. }) => {
            "on the command line: cloak networks relays NAME shows the list, and --accept uses it"
        }
        AppError::Transfer(why) => match (&why.waits, &why.exchange.failure) {
            (Some(waits), _) => {
                return Some(Cow::Owned(format!(
                    "on the command line: cloak networks relays {} shows the list, and --accept uses it",
                    shell_word(&waits.network)
                )));
            }
            (None, Failure::NoPath(_)) => "on the command line: cloak networks relax",
            (None, _) => return None,
        },
        _ => return None,
    };
    Some(Cow::Borrowed(options))
}

/// A text as one word of a shell's command line: in single quotes where a shell would read something else.
fn shell_word(text: &str) -> Cow<'_, str> {
    let is_plain = |letter: char| letter.is_alphanumeric() || "-_.:/".contains(letter);
    if !text.is_empty() && text.chars().all(is_plain) {
        return Cow::Borrowed(text);
    }
    Cow::Owned(format!("'{}'", text.replace('\'', r"'\''")))
}

/// Says a message of three sentences on standard error.
pub(super) fn print_message(kind: &str, message: &UserMessage) {
    let UserMessage {
        what, why, next, ..
    } = message;
    note(&format!("{kind}: {}", lower_first(what)));
    note(&format!("  {}", lower_first(why)));
    note(&format!("  {}", lower_first(next)));
}

/// Says one line on standard error, made [`harmless`]: all that is said there comes through here.
pub(super) fn note(text: &str) {
    streams::write_error_line(&harmless(text));
}

/// Says a sentence of the use cases on standard error, as the command line writes them.
pub(super) fn say(sentence: &str) {
    note(&lower_first(sentence));
}

/// A sentence as terminals begin it, with a small letter.
fn lower_first(text: &str) -> String {
    let mut letters = text.chars();
    let first = letters.next();
    // A word in capitals stays one.
    if letters.clone().next().is_some_and(char::is_uppercase) {
        return text.to_owned();
    }
    first
        .map(|first| first.to_lowercase().chain(letters).collect())
        .unwrap_or_default()
}

/// A bar on standard error when that is a terminal; silent otherwise. It goes away with the value.
pub(super) struct Bar(ProgressBar);

impl Bar {
    pub(super) fn new() -> Self {
        let bar =
            ProgressBar::with_draw_target(Some(SCALE), ProgressDrawTarget::stderr_with_hz(10));
        if let Ok(style) = ProgressStyle::with_template("{msg:<22} {bar:32} {percent:>3}%") {
            bar.set_style(style);
        }
        Self(bar)
    }

    /// Shows progress on this bar.
    pub(super) fn sink(&self) -> ProgressSink {
        let bar = self.0.clone();
        ProgressSink::new(move |stage| show(&bar, stage))
    }
}

impl Drop for Bar {
    fn drop(&mut self) {
        self.0.finish_and_clear();
    }
}

fn show(bar: &ProgressBar, stage: Stage) {
    // Never back, and full only when the server has confirmed.
    bar.set_position(bar.position().max(position(stage)));
    bar.set_message(match stage {
        Stage::Pad => "Padding",
        Stage::Seal => "Sealing",
        Stage::FindPath | Stage::Connect(_) => "Finding a path",
        Stage::Upload { .. } => "Sending",
        Stage::Crossing => "Crossing the relays",
        Stage::Download { .. } => "Receiving",
        Stage::Parts(_) => "Moving parts",
        Stage::Waiting { .. } => "Waiting for the server",
        Stage::Work { .. } => "Working for the server",
        Stage::Verify => "Verifying",
        Stage::Open => "Opening",
        Stage::Save => "Saving",
        Stage::TellSender => "Telling the sender",
    });
}

/// Where the bar stands at a stage, in thousandths.
fn position(stage: Stage) -> u64 {
    let (done, total, full) = match stage {
        Stage::Parts(moved) => (moved.done, moved.total, SCALE - 1),
        Stage::Work { permille } => (permille.into(), 1_000, WORK_SHARE),
        Stage::Upload { sent, total } => (sent, total, SCALE - 1),
        Stage::Download { received, total } => (received, total, SCALE - 1),
        _ => return 0,
    };
    let part = done.saturating_mul(full).checked_div(total).unwrap_or(0);
    part.min(full)
}

/// Ends with the first interrupt (Ctrl+C) or request to end.
pub(super) async fn interrupted() {
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        if let Ok(mut ended) = signal(SignalKind::terminate()) {
            tokio::select! {
                _ = tokio::signal::ctrl_c() => {}
                _ = ended.recv() => {}
            }
            return;
        }
    }
    if tokio::signal::ctrl_c().await.is_err() {
        // Without a handler the system ends the program itself.
        std::future::pending::<()>().await;
    }
}

/// The argument, or what standard input holds when it is `-`. At a terminal it says what it waits for, and waits for no
/// more than a line that ends a pointer.
pub(super) async fn pointer_text(
    argument: &str,
    cancel: &CancellationToken,
) -> Result<Zeroizing<String>, CliError> {
    if argument != "-" {
        return Ok(Zeroizing::new(argument.to_owned()));
    }
    standard_input("pointer", |text| Pointer::find(text).is_ok(), cancel).await
}

/// Asks once before a transfer of more than a gigabyte, where a person can answer: standard input and error are a terminal.
/// Elsewhere it goes on: a script has decided already.
///
/// # Errors
/// [`AppError::Cancelled`] when the answer is no, or none.
pub(super) async fn ask_if_large(
    len_bytes: u64,
    about: &str,
    cancel: &CancellationToken,
) -> Result<(), CliError> {
    let can_answer = io::stdin().is_terminal() && io::stderr().is_terminal();
    if len_bytes <= ASKED_FROM || !can_answer {
        return Ok(());
    }
    note(&format!("{about} {}; go on? [y/N]", size(len_bytes)));
    // On a thread of its own, which an interrupt leaves behind: a read of a terminal cannot be called back.
    let read = tokio::task::spawn_blocking(|| {
        let mut line = String::new();
        io::stdin()
            .lock()
            .take(INPUT_LEN)
            .read_line(&mut line)
            .map(|_len| line)
    });
    let answer = tokio::select! {
        () = cancel.cancelled() => return Err(AppError::Cancelled.into()),
        read = read => read.map_err(io::Error::other).flatten(),
    };
    if answer.is_ok_and(|answer| is_yes(&answer)) {
        Ok(())
    } else {
        Err(AppError::Cancelled.into())
    }
}

fn is_yes(answer: &str) -> bool {
    let answer = answer.trim();
    answer.eq_ignore_ascii_case("y") || answer.eq_ignore_ascii_case("yes")
}

/// What standard input holds. At a terminal it says that it waits for a `thing`, and waits for no more than a line with which
/// the text `is_whole`.
pub(super) async fn standard_input(
    thing: &'static str,
    is_whole: fn(&str) -> bool,
    cancel: &CancellationToken,
) -> Result<Zeroizing<String>, CliError> {
    // On a thread of its own, which an interrupt leaves behind: a read of a terminal cannot be called back.
    let read = tokio::task::spawn_blocking(move || {
        let stdin = io::stdin().lock();
        if stdin.is_terminal() {
            note(&format!(
                "paste the {thing} and press Enter ({END_OF_INPUT} ends it)"
            ));
            read_lines(stdin, is_whole)
        } else {
            let mut text = Zeroizing::new(Vec::new());
            stdin
                .take(INPUT_LEN)
                .read_to_end(&mut text)
                .map(|_len| text)
        }
    });
    let read = tokio::select! {
        () = cancel.cancelled() => return Err(AppError::Cancelled.into()),
        read = read => read.map_err(io::Error::other).flatten(),
    };
    let text = read
        .map_err(|error| CliError::Usage(format!("standard input could not be read: {error}")))?;
    // A word is found in a mail of any other encoding, too.
    Ok(text::decode(&text)
        .unwrap_or_else(|_not_text| Zeroizing::new(String::from_utf8_lossy(&text).into_owned())))
}

/// Reads lines until they are whole, or the input ends.
fn read_lines(input: impl BufRead, is_whole: fn(&str) -> bool) -> io::Result<Zeroizing<Vec<u8>>> {
    let mut input = input.take(INPUT_LEN);
    let mut text = Zeroizing::new(Vec::new());
    while input.read_until(b'\n', &mut text)? > 0 {
        if is_whole(&String::from_utf8_lossy(&text)) {
            break;
        }
    }
    Ok(text)
}

/// `1.25 s`.
pub(super) fn seconds(time: Duration) -> String {
    format!("{:.2} s", time.as_secs_f64())
}

/// `2026-12-06T07:00:00Z`.
pub(super) fn date(unix_secs: u64) -> String {
    let seconds = i64::try_from(unix_secs)
        .ok()
        .and_then(|seconds| Timestamp::from_second(seconds).ok());
    seconds.map_or_else(|| "unknown".to_owned(), |at| at.to_string())
}

#[cfg(windows)]
const END_OF_INPUT: &str = "Ctrl+Z and Enter";
#[cfg(not(windows))]
const END_OF_INPUT: &str = "Ctrl+D";

const SCALE: u64 = 1_000;
/// The part of the bar, in thousandths, that work before an upload takes.
const WORK_SHARE: u64 = 300;
/// One byte more than a pointer is looked for in, so that too long is noticed.
const INPUT_LEN: u64 = 64 * 1_024 + 1;

#[cfg(test)]
mod tests {
    use super::*;

    const POINTER: &str = "cloak15cq8sxtgw368que69uhkv6tvv4ejuetcv9khqmr99ehhyecptqstx2n5k009d8hcuj9t334l586n8srdt4jrwfwf5f5urc8j2djvhcszwepr2mz3dye8snrkvex5c6mc235hqc64dp9hwq6cyqp53mz46acs9th9ehs7chgtkqjsp9am2ezrcrn52kkeedr59f7hzpzcyzsln6vhyl9q65ra0heezgxqkseywup3asn75tl56jgaz5uv9ue2gpgcxv9j3puj";

    #[test]
    fn a_name_is_one_word_of_a_command_line() {
        for (name, word) in [
            ("Choir", "Choir"),
            ("files.example:8787", "files.example:8787"),
            ("Ann's friends", r"'Ann'\''s friends'"),
            ("a; rm b", "'a; rm b'"),
            ("", "''"),
        ] {
            assert_eq!(shell_word(name), word);
        }
    }

    #[test]
    fn nothing_but_a_yes_is_one() {
        for yes in ["y\n", "Y\r\n", " yes \n", "YES"] {
            assert!(is_yes(yes), "{yes:?}");
        }
        for no in ["", "\n", "n\n", "no\n", "yesterday\n", "ja\n"] {
            assert!(!is_yes(no), "{no:?}");
        }
    }

    #[test]
    fn at_a_terminal_the_line_that_ends_a_pointer_is_the_last_one_that_is_read() {
        let (start, rest) = POINTER.split_at(POINTER.len() / 2);
        for input in [
            format!("{POINTER}\nmore\n"),
            format!("here it is:\n{POINTER}\nmore\n"),
            format!("{start}\n{rest}\nmore\n"),
        ] {
            let mut input = input.as_bytes();
            let text = read_lines(&mut input, |text| Pointer::find(text).is_ok()).unwrap();
            assert!(Pointer::find(&String::from_utf8_lossy(&text)).is_ok());
            assert_eq!(input, b"more\n");
        }
        let text = read_lines(&b"nothing\nat all"[..], |_| false).unwrap();
        assert_eq!(*text, b"nothing\nat all", "to its end");
    }
}
