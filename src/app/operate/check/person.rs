//! What a person uses: settings, folders, relay list and servers.

use std::path::Path;

use super::{Report, clock, relay};
use crate::app::client::ProxyOverride;
use crate::app::relays::{ListState, NetworkId, RelaySource, Relays, SourceView};
use crate::app::settings::{Home, Settings};
use crate::app::words::l10n::{Language, in_language};
use crate::app::words::units::size_for_operators;
use crate::net::SocksProxy;
use crate::protocol::relay_list::{NetworkKind, RelayList};

/// The program that runs the check; its advice names commands on the command line and controls in the window.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Asker<'a> {
    /// `cloak check`.
    CommandLine {
        /// Asks each relay of the list, which then sees this computer's address, or its proxy's, as a first relay does.
        ask_relays: bool,
        /// The proxy to ask them through, in place of the one in the settings.
        proxy: Option<&'a ProxyOverride>,
    },
    /// The window, where nothing is sent.
    Window,
}

impl Asker<'_> {
    /// The one of two pieces of advice that fits this program.
    const fn advice(self, command_line: &'static str, window: &'static str) -> &'static str {
        match self {
            Self::CommandLine { .. } => command_line,
            Self::Window => window,
        }
    }
}

/// Checks what a person uses at `now` (unix seconds).
pub async fn person(home: &Home, now: u64, asker: Asker<'_>) -> Report {
    let mut report = Report::default();
    let mut config = match Settings::load(home) {
        Ok(config) => config,
        Err(unread) => {
            // What they name is unknown, and the default settings are not what this person uses.
            report.failed(
                "settings",
                unread.to_string(),
                asker.advice(
                    "correct the file, or move it away and choose again; until then nothing is sent",
                    "correct the file, or use the default settings; until then nothing is sent",
                ),
            );
            return report;
        }
    };
    report.ok("settings", format!("{}", home.config_file().display()));
    if let Asker::CommandLine {
        proxy: Some(proxy), ..
    } = asker
    {
        proxy.clone().apply_to(&mut config);
    }
    clock::clock(&mut report, now);
    folder(&mut report, "settings folder", &home.config_dir);
    if home.data_dir != home.config_dir {
        folder(&mut report, "data folder", &home.data_dir);
    }
    let downloads = config.download_folder();
    if downloads.is_dir() {
        folder(&mut report, "download folder", &downloads);
    } else {
        report.failed(
            "download folder",
            format!("{} is not there", downloads.display()),
            "make it, or choose another in Settings",
        );
    }
    let list = list(&mut report, home, &config, now, asker);
    let relays = list.as_ref().and_then(|view| view.list.as_ref());
    servers(&mut report, &config, relays);
    if let (Some(view), Some(relays)) = (&list, relays) {
        let proxy = config.proxy.as_ref();
        ask(&mut report, view.kind, relays, proxy, asker).await;
    }
    report
}

fn folder(report: &mut Report, part: &'static str, folder: &Path) {
    // One that is made later is tried where it will be made.
    let mut there = folder;
    while !there.exists() {
        match there.parent() {
            Some(parent) if !parent.as_os_str().is_empty() => there = parent,
            _ => break,
        }
    }
    if let Err(error) = tempfile::NamedTempFile::new_in(there) {
        report.failed(
            part,
            format!("{} cannot be written: {error}", folder.display()),
            "check who owns it and that the disk is not full",
        );
        return;
    }
    match fs4::available_space(there) {
        Ok(bytes) if bytes < LITTLE => report.warning(
            part,
            format!(
                "{} has {} left",
                folder.display(),
                size_for_operators(bytes)
            ),
            "make room on the disk",
        ),
        Ok(bytes) => report.ok(
            part,
            format!(
                "{} can be written, {} left",
                folder.display(),
                size_for_operators(bytes)
            ),
        ),
        Err(_unknown) => report.ok(part, format!("{} can be written", folder.display())),
    }
}

/// The relays that transfers use, when their list can be used.
fn list(
    report: &mut Report,
    home: &Home,
    config: &Settings,
    now: u64,
    asker: Asker<'_>,
) -> Option<SourceView> {
    const PART: &str = "relay list";
    let source = match config.chosen_entry() {
        None => {
            report.skipped(
                PART,
                "only the built-in network is used, and it hides nothing",
                asker.advice(
                    "cloak join joins a network by an invitation",
                    "paste an invitation under Receive",
                ),
            );
            return None;
        }
        Some(entry) => match &entry.relays {
            Some(RelaySource::Network(network)) => {
                return list_of_network(report, home, network, now, asker);
            }
            Some(source) => source,
            None => {
                let why = "the network in use has none";
                let advice = asker.advice(
                    "choose some with cloak networks relays --use",
                    "choose some in Settings, under Relays",
                );
                if entry.direct {
                    report.skipped(PART, why, advice);
                } else {
                    report.failed(PART, why, advice);
                }
                return None;
            }
        },
    };
    // Its reasons are in the language that is spoken, and the report is in English.
    let view = in_language(Language::English, || Relays::of(home).view(source, now));
    let view = match view {
        Ok(view) => view,
        Err(unread) => {
            report.failed(
                PART,
                unread.to_string(),
                "move that file away and add your lists again",
            );
            return None;
        }
    };
    match &view.state {
        ListState::Good => {
            let count = view.list.as_ref().map_or(0, |list| list.relays.len());
            match &view.problem {
                None if view.ends_soon(now) => report.warning(
                    PART,
                    format!("{count} relays; {ENDS_SOON}"),
                    "ask whoever makes the list for a newer one",
                ),
                None => report.ok(PART, format!("{count} relays")),
                Some(problem) => report.warning(
                    PART,
                    format!(
                        "{count} relays; a newer list did not come: {}",
                        problem.detail
                    ),
                    asker.advice(
                        "cloak networks relays says more",
                        "Settings say more, under Relays",
                    ),
                ),
            }
            Some(view)
        }
        ListState::Ended => {
            report.failed(
                PART,
                "its time has passed",
                "ask whoever makes it for a new one",
            );
            None
        }
        ListState::Missing(why) => {
            let why = why.as_deref().unwrap_or("it was never fetched");
            report.failed(
                PART,
                format!("it cannot be used: {why}"),
                asker.advice(
                    "choose it again with cloak networks relays --use",
                    "choose it again in Settings, under Relays",
                ),
            );
            None
        }
    }
}

/// Said of a list that is good for less than three days more.
const ENDS_SOON: &str = "the list ends within three days, and no newer one came";

/// The relays of the network that new files go to.
fn list_of_network(
    report: &mut Report,
    home: &Home,
    network: &NetworkId,
    now: u64,
    asker: Asker<'_>,
) -> Option<SourceView> {
    const PART: &str = "relay list";
    let view = match Relays::of(home).view_network(network, now) {
        Ok(view) => view,
        Err(unread) => {
            report.failed(
                PART,
                unread.to_string(),
                "move that file away and join your networks again",
            );
            return None;
        }
    };
    let count = view
        .source
        .list
        .as_ref()
        .map_or(0, |list| list.relays.len());
    if let Some(waiting) = &view.waiting {
        report.warning(
            PART,
            format!(
                "a newer list of {} relays lacks more than half of the {count} before, and waits until you look at it",
                waiting.relays.len()
            ),
            asker.advice(
                "ask whoever runs the network, then cloak networks relays --accept",
                "ask whoever runs the network, then use the list in Settings",
            ),
        );
        return Some(view.source);
    }
    match (&view.source.state, &view.source.problem) {
        (ListState::Good, None) if view.source.ends_soon(now) => report.warning(
            PART,
            format!("{count} relays of the network; {ENDS_SOON}"),
            "send or fetch something in this network, which asks for a newer list",
        ),
        (ListState::Good, None) => report.ok(PART, format!("{count} relays of the network")),
        (ListState::Good, Some(problem)) => report.warning(
            PART,
            format!(
                "{count} relays of the network; a newer list did not come: {}",
                problem.detail
            ),
            "it is asked for again with a transfer",
        ),
        (ListState::Ended, _) => report.warning(
            PART,
            "its time has passed",
            "nothing: the next transfer asks the network's server for a newer one",
        ),
        (ListState::Missing(_), _) => report.warning(
            PART,
            "it did not come yet",
            "nothing: the next transfer asks the network's server for it",
        ),
    }
    Some(view.source)
}

fn servers(report: &mut Report, config: &Settings, list: Option<&RelayList>) {
    const PART: &str = "servers";
    let Some(chosen) = config.chosen_entry() else {
        report.ok(
            PART,
            "new files stay in the built-in network, on this computer",
        );
        return;
    };
    let host = chosen.address.url.host();
    let served =
        list.is_some_and(|list| list.relays.iter().any(|relay| relay.serves.includes(host)));
    if chosen.direct {
        report.warning(
            PART,
            format!(
                "{} is reached without relays and sees {} address",
                chosen.shown_name(),
                match config.proxy {
                    None => "this computer's",
                    Some(_) => "your proxy's",
                }
            ),
            "choose a relay list that serves it",
        );
    } else if served {
        report.ok(
            PART,
            format!("{} can be reached through the relays", chosen.shown_name()),
        );
    } else {
        report.failed(
            PART,
            format!("no relay of yours serves {}", chosen.shown_name()),
            "choose a relay list that its operator recommends",
        );
    }
}

async fn ask(
    report: &mut Report,
    kind: NetworkKind,
    list: &RelayList,
    proxy: Option<&SocksProxy>,
    asker: Asker<'_>,
) {
    const PART: &str = "relays";
    let is_to_ask = matches!(
        asker,
        Asker::CommandLine {
            ask_relays: true,
            ..
        }
    );
    if !is_to_ask {
        report.skipped(
            PART,
            match proxy {
                None => "they were not asked: each would see this computer's address",
                Some(_) => "they were not asked: each would see your proxy's address",
            },
            asker.advice("--network asks them", "a test of a server tries them"),
        );
        return;
    }
    if kind == NetworkKind::Session {
        report.skipped(
            PART,
            "Session's relays do not show who they are, so asking them proves nothing",
            "a transfer tries them",
        );
        return;
    }
    let all: Vec<_> = list.relays.iter().collect();
    let answered = match relay::reach(&all, proxy).await {
        Ok(answered) => answered,
        Err(failure) => {
            report.failed(PART, failure.to_string(), relay::PROXY_ADVICE);
            return;
        }
    };
    let what = format!(
        "{answered} of {} answer with their key{}",
        all.len(),
        relay::through(proxy)
    );
    if answered < 3 {
        report.failed(
            PART,
            what,
            "a path needs three: look whether the network here lets you reach them, or get a newer list",
        );
    } else {
        report.ok(PART, what);
    }
}

/// Free space below which a warning is given: room for about ten of the largest files.
const LITTLE: u64 = 100 << 20;

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;
    use crate::app::operate::check::Finding;
    use crate::app::words::l10n;
    use crate::protocol::keys::Identity;
    use crate::protocol::relay_list::{RelayDescriptor, Serves};

    /// Settings with a network whose list is not there.
    fn with_missing_list() -> String {
        let key = Identity::from_seed([7; 32]).public().to_hex();
        let address = format!("http://files.example#p={key}");
        format!(
            "version = 3\nnetwork = \"{address}\"\n[[networks]]\nname = \"\"\naddress = \"{address}\"\n\
             relay_list_file = \"/nowhere/relays.json\"\n"
        )
    }

    /// Checks a person's settings whose file holds the text `config`, and returns the findings.
    async fn findings(config: &str, asker: Asker<'_>) -> Vec<Finding> {
        let folder = tempfile::tempdir().unwrap();
        let home = Home {
            config_dir: folder.path().to_owned(),
            data_dir: folder.path().to_owned(),
        };
        fs::write(home.config_file(), config).unwrap();
        person(&home, 1_800_000_000, asker).await.findings
    }

    /// The advice that checking a person's settings gives, whose file holds the text `config`.
    async fn advice(config: &str, asker: Asker<'_>) -> String {
        let findings = findings(config, asker).await.into_iter();
        let next = findings.map(|finding| finding.next);
        next.collect::<Vec<_>>().join("; ")
    }

    /// A list of three relays that ends so many seconds from now is in use.
    async fn finding_of_list_ending_in(secs: u64) -> Finding {
        const NOW: u64 = 1_800_000_000;
        let relays = [1, 2, 3].map(|seed| RelayDescriptor {
            key: Identity::from_seed([seed; 32]).public(),
            host: [198, 51, 100, seed].into(),
            port: 8_790,
            operator: String::new(),
            serves: Serves::Any,
        });
        let list = RelayList::join("ours", NOW - 1, NOW + secs, relays.into()).unwrap();
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("relays.json");
        fs::write(&file, list.to_compact_json()).unwrap();
        let file = toml::Value::String(file.to_str().unwrap().to_owned());
        let config = with_missing_list().replace("\"/nowhere/relays.json\"", &file.to_string());
        let findings = findings(&config, Asker::Window).await;
        let mut lists = findings.into_iter();
        lists.find(|finding| finding.part == "relay list").unwrap()
    }

    #[tokio::test]
    async fn that_a_list_ends_is_said_three_days_before() {
        const DAY: u64 = 24 * 3_600;
        let good = finding_of_list_ending_in(3 * DAY).await;
        assert_eq!(good.what, "3 relays");
        let soon = finding_of_list_ending_in(3 * DAY - 1).await;
        assert!(soon.what.contains("within three days"), "{}", soon.what);
        assert!(soon.next.contains("ask whoever makes the list"));
        let ended = finding_of_list_ending_in(0).await;
        assert!(!ended.what.contains("within three days"), "{}", ended.what);
    }

    #[tokio::test]
    async fn diagnostics_are_english_whatever_the_window_speaks() {
        let config = &with_missing_list();
        let mut said = Vec::new();
        for language in Language::OFFERED {
            l10n::speak_here(language);
            let findings = findings(config, Asker::Window).await;
            let list = findings
                .into_iter()
                .find(|finding| finding.part == "relay list");
            said.push(list.unwrap().what);
        }
        assert!(
            said[0].starts_with("it cannot be used: There is no"),
            "{said:?}"
        );
        assert!(said.iter().all(|what| *what == said[0]), "{said:?}");
    }

    #[tokio::test]
    async fn the_window_is_told_of_no_command_and_the_command_line_of_its_own() {
        for (config, helps) in [
            ("version = 1\n", "paste an invitation"),
            (&with_missing_list(), "in Settings, under Relays"),
        ] {
            let window = advice(config, Asker::Window).await;
            assert!(window.contains(helps), "{window}");
            assert!(!window.contains("cloak "), "{window}");
            assert!(!window.contains("--"), "{window}");
            let asker = Asker::CommandLine {
                ask_relays: false,
                proxy: None,
            };
            let command_line = advice(config, asker).await;
            let names_one = ["cloak join", "cloak networks"].map(|one| command_line.contains(one));
            assert!(names_one.contains(&true), "{command_line}");
        }
    }
}
