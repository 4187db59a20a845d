//! Who saw what of requests that did not end well: whoever was asked saw something, and the person is told of it all the
//! same.

use std::fs;
use std::path::Path;
use std::process::Output;

use cloakroom::app::error::AppError;
use cloakroom::app::settings::{Home, Settings};
use cloakroom::app::transfer::call::{Call, CallContext};
use cloakroom::app::transfer::program::Program;
use cloakroom::app::transfer::share::{ShareRequest, share};
use cloakroom::app::transfer::stage::{ProgressSink, Stage};
use cloakroom::app::words::who_saw_what::Asked;
use cloakroom::protocol::disclosure::{Fact, Role, Saw, ShownOutcome};
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;

use crate::support::{Network, cloak, content, said, with_input};

/// Runs `cloak` against the network, with the pointer on standard input if there is one.
fn run(network: &Network, pointer: Option<&str>, args: &[&str]) -> Output {
    let mut command = cloak(network.home());
    command.args(args).arg("--relays").arg(network.list());
    match pointer {
        Some(pointer) => with_input(command, pointer),
        None => command.output().unwrap(),
    }
}

fn object(output: &Output) -> Value {
    serde_json::from_slice(&output.stdout).unwrap_or_else(|_| panic!("{}", said(output)))
}

fn path(path: &Path) -> &str {
    path.to_str().unwrap()
}

#[test]
fn a_dead_server_leaves_nobody_unnamed() {
    let mut network = Network::start();
    let file = network.file("a.bin", &content(5_000));
    let pointer = network.pointer_to(&file);
    let to = network.server.first_line.clone();
    network.server.kill();
    let share = ["share", path(&file), "--server", &to, "--who-saw-what"];
    let folder = network.received();
    fs::create_dir_all(&folder).unwrap();
    let get = ["get", "-", "--out", path(&folder), "--who-saw-what"];
    let runs = [
        (None, &share[..]),
        (Some(pointer.as_str()), &get[..]),
        (Some(&pointer), &["delete", "-", "--who-saw-what"]),
        (Some(&pointer), &["extend", "-", "--who-saw-what"]),
        (Some(&pointer), &["status", "-", "--who-saw-what"]),
    ];
    // Each on a thread of its own: most of the time goes by between the tries.
    std::thread::scope(|threads| {
        for (pointer, args) in runs {
            let network = &network;
            threads.spawn(move || nobody_is_left_unnamed(network, pointer, args));
        }
    });
}

/// Runs a command against a dead server, which names everybody on the way to people and to programs.
fn nobody_is_left_unnamed(network: &Network, pointer: Option<&str>, args: &[&str]) {
    let output = run(network, pointer, args);
    assert_eq!(output.status.code(), Some(4), "{}", said(&output));
    let told = said(&output);
    assert!(
        told.contains("First relay 127.0.0.1:") && told.contains("your IP address"),
        "{args:?}: {told}"
    );
    assert!(output.stdout.is_empty(), "{args:?}");

    let args = [args, &["--json"]].concat();
    let object = object(&run(network, pointer, &args));
    let tries = object["who_saw_what"].as_array().unwrap();
    assert!(object["error"].is_string() && tries.len() > 1, "{object}");
    let guard = &tries[0]["parties"][0];
    assert_eq!(
        (&guard["role"], &guard["saw"]),
        (&"guard".into(), &"certainly".into())
    );
    let server = &tries[0]["parties"][3];
    assert_eq!(
        (&server["role"], &server["saw"]),
        (&"server".into(), &"perhaps".into())
    );
}

#[test]
fn with_json_what_went_well_is_told_in_the_same_object() {
    let network = Network::start();
    let file = network.file("a.bin", &content(5_000));
    let to = &network.server.first_line;
    let share = ["share", path(&file), "--server", to, "--json"];
    assert!(
        object(&run(&network, None, &share))
            .get("who_saw_what")
            .is_none()
    );
    let shared = object(&run(
        &network,
        None,
        &[&share[..], &["--who-saw-what"]].concat(),
    ));
    let pointer = shared["pointer"].as_str().unwrap();
    let last = |object: &Value| {
        object["who_saw_what"]
            .as_array()
            .unwrap()
            .last()
            .unwrap()
            .clone()
    };
    assert_eq!(last(&shared)["asked"], "upload");
    let args = ["status", "-", "--json", "--who-saw-what"];
    let status = object(&run(&network, Some(pointer), &args));
    assert_eq!(
        last(&status)["outcome"],
        json!({ "kind": "answered", "status": 200 })
    );
    let args = ["delete", "-", "--json", "--who-saw-what"];
    let deleted = object(&run(&network, Some(pointer), &args));
    assert_eq!(
        (&deleted["deleted"], &last(&deleted)["asked"]),
        (&true.into(), &"delete".into())
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cancelled_upload_tells_who_may_have_seen_it() {
    let folder = tempfile::tempdir().unwrap();
    let program = Program::new(Home::in_folder(folder.path()), Settings::default());
    let network = program.builtin_server().await.unwrap();
    let file = folder.path().join("a.bin");
    fs::write(&file, content(300_000)).unwrap();
    let cancel = CancellationToken::new();
    let cancels = cancel.clone();
    let progress = ProgressSink::new(move |stage| {
        if matches!(stage, Stage::Connect(_) | Stage::Upload { .. }) {
            cancels.cancel();
        }
    });
    let context = CallContext::new(&cancel).with_progress(progress);
    let call = Call::new(&program, network, &context);
    let shared = share(&call, ShareRequest::new(vec![file])).await;
    let shown = call.log().requests();
    assert!(matches!(shared, Err(AppError::Cancelled)));
    let upload = shown.last().unwrap();
    assert_eq!(upload.asked, Asked::Upload);
    let attempt = upload.attempts.last().unwrap();
    assert_eq!(attempt.outcome, ShownOutcome::Sent);
    let guard = attempt.parties().remove(0);
    assert_eq!((guard.role, guard.saw), (Role::Guard, Saw::Perhaps));
    assert!(guard.shown.contains(&Fact::ClientAddress));
    drop(call);
    program.close().await;
}
