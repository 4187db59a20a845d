//! `cloak check`: whether a file server, a relay, or what a person uses is as it should be, and what to do.

use serde_json::json;
use tokio_util::sync::CancellationToken;

use crate::app::client::{Client, Override, ProxyOverride};
use crate::app::error::AppError;
use crate::app::operate::check::{self, Asker, Checking, PartState, Report};
use crate::app::relays::RelaySet;
use crate::app::settings::{Home, Settings};
use crate::cli::CliError;
use crate::cli::args::{CheckArgs, CheckWhat};
use crate::cli::terminal::{print_json, print_line};

pub(crate) async fn run(args: &CheckArgs, cancel: &CancellationToken) -> Result<(), CliError> {
    if args.network && args.what.is_some() {
        return Err(CliError::Usage(
            "--network is for cloak check alone; a relay's check asks the relays of its list anyway, a server's with --through"
                .to_owned(),
        ));
    }
    let report = report(args, cancel).await?;
    if args.json {
        print_json(&as_json(&report))?;
    } else {
        for line in lines(&report) {
            print_line(&line)?;
        }
    }
    if report.is_ok() {
        Ok(())
    } else {
        Err(CliError::Found)
    }
}

async fn report(args: &CheckArgs, cancel: &CancellationToken) -> Result<Report, CliError> {
    match &args.what {
        None => {
            let client = client(args.proxy.clone())?;
            let program = client.program();
            let asker = Asker::CommandLine {
                ask_relays: args.network,
                proxy: args.proxy.as_ref(),
            };
            Ok(check::person(program.home(), program.now(), asker).await)
        }
        // Without a client: a container may have no home for a person.
        Some(CheckWhat::Health(health)) => {
            let settings = health.operator.read()?;
            Ok(check::health(&settings).await)
        }
        Some(CheckWhat::Relay(relay)) => {
            let settings = relay.operator.read()?.with_kept_network();
            let client = client(args.proxy.clone())?;
            Ok(check::relay(&settings, client.program()).await)
        }
        Some(CheckWhat::Server(server)) => {
            let settings = server.operator.read()?;
            let client = client(args.proxy.clone())?;
            let program = client.program();
            let relays = match &server.through {
                Some(path) => Some(RelaySet::from_file(path.clone(), program.now())?),
                None => None,
            };
            let checking = Checking {
                settings: &settings,
                file: server.operator.file(),
                relays,
                program,
            };
            tokio::select! {
                () = cancel.cancelled() => Err(AppError::Cancelled.into()),
                report = check::server(checking, cancel) => Ok(report),
            }
        }
    }
}

/// A client under this person's settings. Settings that cannot be read are told by the report, and left where they are; a
/// client without them sends nothing.
fn client(proxy: Option<ProxyOverride>) -> Result<Client, AppError> {
    let home = Home::find()?;
    let client = match Settings::load(&home) {
        Ok(settings) => Client::new(home, settings),
        Err(unread) => Client::new(home, Settings::default()).sending_nothing(unread),
    };
    Ok(client.with_override(Override {
        proxy,
        ..Override::default()
    }))
}

fn as_json(report: &Report) -> serde_json::Value {
    let findings: Vec<_> = report
        .findings
        .iter()
        .map(|finding| {
            json!({
                "part": finding.part,
                "state": finding.state.name(),
                "what": finding.what,
                "next": (!finding.next.is_empty()).then_some(&finding.next),
            })
        })
        .collect();
    json!({ "ok": report.is_ok(), "findings": findings })
}

/// A line each, and what to do at its end.
fn lines(report: &Report) -> Vec<String> {
    let widest = report.findings.iter().map(|finding| finding.part.len());
    let width = widest.max().unwrap_or(0);
    let mut lines: Vec<_> = report
        .findings
        .iter()
        .map(|finding| {
            let next = match finding.next.as_str() {
                "" => String::new(),
                next => format!("; {next}"),
            };
            format!(
                "{:<8} {:<width$}  {}{next}",
                finding.state.name(),
                finding.part,
                finding.what
            )
        })
        .collect();
    let count = |state| {
        let of = |finding: &&check::Finding| finding.state == state;
        report.findings.iter().filter(of).count()
    };
    lines.push(
        match (count(PartState::Failed), count(PartState::Warning)) {
            (0, 0) => "all is well".to_owned(),
            (0, warnings) => format!("it works; to look at: {warnings}"),
            (failures, _) => format!("it does not work; to mend: {failures}"),
        },
    );
    lines
}
