//! The terminal's rules: where things are printed, when there is a bar, what ends a command.

use std::io::{self, Read as _, Write as _};
use std::path::Path;
use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use jiff::Timestamp;
use serde_json::Value;
use tokio_util::sync::CancellationToken;
use zeroize::Zeroizing;

use super::CliError;
use crate::app::error::{AppError, ServerRefusal};
use crate::app::harmless::harmless;
use crate::app::message::UserMessage;
use crate::app::network::{Moved, Stage, Tell};
use crate::protocol::text;

/// Prints a line for people and programs, made [`harmless`].
pub(super) fn print_line(line: &str) -> io::Result<()> {
    print_text(&format!("{}\n", harmless(line)))
}

/// Prints a text of this program's own, of any number of lines.
pub(super) fn print_text(text: &str) -> io::Result<()> {
    let mut out = io::stdout().lock();
    out.write_all(text.as_bytes())?;
    out.flush()
}

/// Prints a path as it is, so that a script can use it.
pub(super) fn print_path(path: &Path) -> io::Result<()> {
    let mut out = io::stdout().lock();
    #[cfg(unix)]
    out.write_all(std::os::unix::ffi::OsStrExt::as_bytes(path.as_os_str()))?;
    #[cfg(not(unix))]
    write!(out, "{}", path.display())?;
    writeln!(out)?;
    out.flush()
}

/// Prints one JSON object on one line.
pub(super) fn print_json(object: &Value) -> io::Result<()> {
    print_json_text(&object.to_string())
}

/// Prints a text that is JSON in ASCII, with escapes for the rest: a name in it is hostile text and may try to fool a
/// terminal, and must not change for the program that reads it.
pub(super) fn print_json_text(json: &str) -> io::Result<()> {
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

/// Says on standard error what happened, why, and what next.
pub(super) fn print_failure(failure: &CliError) {
    match failure {
        CliError::App(error) => {
            print_message("error", &UserMessage::from(error));
            if let Some(options) = options_against(error) {
                note(&format!("  {options}"));
            }
        }
        // There is nobody left to tell.
        CliError::Output(_) => {}
        // It has been said.
        CliError::Found | CliError::NotThere => {}
        CliError::Other(text) | CliError::Usage(text) => note(&format!("error: {text}")),
    }
}

/// What the command line has against it; the sentences of the use cases are everybody's and name no options.
const fn options_against(error: &AppError) -> Option<&'static str> {
    match error {
        AppError::NoRelays => {
            Some("on the command line: --relays FILE, cloak relays add LINE, or --direct")
        }
        AppError::RelaysOffered(_) => Some("on the command line: --accept-relay-list"),
        AppError::Server(ServerRefusal::AccessWord { .. }) => {
            Some("on the command line: --access-word WORD")
        }
        AppError::Proxy(_) => Some("on the command line: --proxy socks5://HOST:PORT"),
        _ => None,
    }
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
    eprintln!("{}", harmless(text));
}

/// Says a sentence of the use cases on standard error, as the command line writes them.
pub(super) fn say(sentence: &str) {
    note(&lower_first(sentence));
}

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

    pub(super) fn tell(&self) -> Tell {
        let bar = self.0.clone();
        Tell::new(move |stage| show(&bar, stage))
    }
}

impl Drop for Bar {
    fn drop(&mut self) {
        self.0.finish_and_clear();
    }
}

fn show(bar: &ProgressBar, stage: Stage) {
    let message = match stage {
        Stage::Pad => "Padding",
        Stage::Seal => "Sealing",
        Stage::FindPath | Stage::Moved(Moved::Connecting) => "Finding a path",
        Stage::Moved(Moved::Sending { sent, total }) => {
            advance(bar, sent, total);
            "Sending"
        }
        Stage::Moved(Moved::Crossing) => "Crossing the relays",
        Stage::Moved(Moved::Receiving { received, total }) => {
            advance(bar, received, total);
            "Receiving"
        }
        Stage::Work { permille } => {
            advance(bar, u64::from(permille) * WORK_SHARE, SCALE * SCALE);
            "Working for the server"
        }
        Stage::Verify => "Verifying",
        Stage::Open => "Opening",
        Stage::Save => "Saving",
        Stage::TellSender => "Telling the sender",
    };
    bar.set_message(message);
}

/// Never back, and full only when the server has confirmed.
fn advance(bar: &ProgressBar, done: u64, total: u64) {
    let part = (done.saturating_mul(SCALE)).checked_div(total).unwrap_or(0);
    bar.set_position(bar.position().max(part.min(SCALE - 1)));
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

/// The argument, or what standard input holds when it is `-`.
pub(super) async fn pointer_text(
    argument: &str,
    cancel: &CancellationToken,
) -> Result<Zeroizing<String>, CliError> {
    if argument != "-" {
        return Ok(Zeroizing::new(argument.to_owned()));
    }
    // On a thread of its own, which an interrupt leaves behind: a read of a terminal cannot be called back.
    let read = tokio::task::spawn_blocking(|| {
        let mut text = Zeroizing::new(Vec::new());
        let stdin = io::stdin().lock();
        stdin
            .take(INPUT_LEN)
            .read_to_end(&mut text)
            .map(|_len| text)
    });
    let read = tokio::select! {
        () = cancel.cancelled() => return Err(AppError::Cancelled.into()),
        read = read => read.map_err(io::Error::other).flatten(),
    };
    let text = read
        .map_err(|error| CliError::Usage(format!("standard input could not be read: {error}")))?;
    // A pointer is found in a mail of any other encoding, too.
    Ok(text::decode(&text)
        .unwrap_or_else(|_not_text| Zeroizing::new(String::from_utf8_lossy(&text).into_owned())))
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

const SCALE: u64 = 1_000;
/// The part of the bar, in thousandths, that work before an upload takes.
const WORK_SHARE: u64 = 300;
/// One byte more than a pointer is looked for in, so that too long is noticed.
const INPUT_LEN: u64 = 64 * 1_024 + 1;
