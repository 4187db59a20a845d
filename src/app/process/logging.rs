//! Log lines on standard error: of this program only, and quiet unless asked.

use std::io;
use std::str::FromStr as _;

use tracing::level_filters::LevelFilter;
use tracing::{Metadata, Subscriber};
use tracing_subscriber::filter::filter_fn;
use tracing_subscriber::fmt::MakeWriter;
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::{Layer as _, Registry, fmt};

/// Starts logging to standard error. `RUST_LOG` sets how much, never whose: other crates would write names and
/// addresses.
pub fn start() {
    start_at(None);
}

/// Starts logging at the level that a configuration names.
pub(crate) fn start_at(level: Option<LevelFilter>) {
    let wanted = match level {
        Some(level) => level.to_string(),
        None => std::env::var("RUST_LOG").unwrap_or_default(),
    };
    // Another subscriber in this process, a test's, keeps its place.
    tracing::subscriber::set_global_default(subscriber(&wanted, io::stderr)).ok();
}

/// What [`start`] installs, writing elsewhere.
pub fn subscriber<W>(wanted: &str, writer: W) -> impl Subscriber + Send + Sync + use<W>
where
    W: for<'a> MakeWriter<'a> + Send + Sync + 'static,
{
    let lines = fmt::layer()
        .with_writer(writer)
        .with_ansi(false)
        // Standard error may lie on a full disk; then a line is lost, and not the program with it.
        .log_internal_errors(false)
        .with_filter(filter_fn(is_ours));
    Registry::default().with(level(wanted)).with(lines)
}

fn is_ours(metadata: &Metadata<'_>) -> bool {
    let target = metadata.target();
    target == OURS
        || target
            .strip_prefix(OURS)
            .is_some_and(|rest| rest.starts_with("::"))
}

/// The level of `debug`, `cloakroom=debug` or a longer list; warnings when it names none.
fn level(wanted: &str) -> LevelFilter {
    wanted
        .split(',')
        .filter_map(|part| part.rsplit('=').next())
        .map(str::trim)
        .filter(|word| !word.is_empty())
        .filter_map(|word| LevelFilter::from_str(word).ok())
        .max()
        .unwrap_or(LevelFilter::WARN)
}

const OURS: &str = "cloakroom";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_level_is_found_in_every_usual_form() {
        assert_eq!(level(""), LevelFilter::WARN);
        assert_eq!(level("nonsense"), LevelFilter::WARN);
        assert_eq!(level("debug"), LevelFilter::DEBUG);
        assert_eq!(level("hyper=trace"), LevelFilter::TRACE);
        assert_eq!(level("cloakroom=info,hyper=off"), LevelFilter::INFO);
    }
}
