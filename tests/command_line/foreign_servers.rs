//! Our client at Session's file server, by recorded exchanges: each form of it answers as the real one was seen to.

use std::fs;
use std::path::Path;
use std::process::Output;
use std::time::{SystemTime, UNIX_EPOCH};

use cloakroom::protocol::pointer::Pointer;
use serde_json::Value;
use tempfile::{TempDir, tempdir};

use crate::command_line::person::expect;
use crate::command_line::stand_in::{self, SessionServer, StandIn};
use crate::support::{cloak, printed_pointer, said, with_input};

/// Somebody who uses one server, straight.
struct Person<'a> {
    home: TempDir,
    server: &'a StandIn,
}

impl<'a> Person<'a> {
    fn of(server: &'a StandIn) -> Self {
        let home = tempdir().unwrap();
        fs::write(home.path().join("a.txt"), b"content").unwrap();
        Self { home, server }
    }

    fn share(&self, more: &[&str]) -> Output {
        let (file, address) = (self.path("a.txt"), self.server.address.to_string());
        let share = ["share", &file, "--server", &address];
        self.run(&[&share[..], more].concat(), "")
    }

    fn run(&self, args: &[&str], input: &str) -> Output {
        let mut run = cloak(self.home.path());
        run.args(args).arg("--direct");
        with_input(run, input)
    }

    /// Whether the pointer brings back what was shared.
    fn gets(&self, pointer: &str) -> bool {
        let out = self.path("back");
        let got = self.run(&["get", "-", "--out", &out], pointer);
        expect(&got, 0, "");
        let same = fs::read(&out).unwrap() == b"content";
        fs::remove_file(out).unwrap();
        same
    }

    fn path(&self, name: &str) -> String {
        let path: &Path = &self.home.path().join(name);
        path.to_str().unwrap().to_owned()
    }
}

const EACH: [SessionServer; 3] = [
    SessionServer::Of2024,
    SessionServer::NumberIds,
    SessionServer::HashIds {
        max_ttl: 30.0 * DAY,
    },
];

#[test]
fn a_file_goes_to_each_form_and_comes_back_with_its_expiry() {
    for form in EACH {
        let server = StandIn::of_session(form);
        let person = Person::of(&server);
        let shared = person.share(&["--json"]);
        expect(&shared, 0, "");
        let shared: Value = serde_json::from_slice(&shared.stdout).unwrap();
        let expires = shared["expires"].as_u64().unwrap();
        assert!(
            is_in(SessionServer::USUAL_SECS, expires),
            "{form:?}: {shared}"
        );
        assert_eq!(
            (&shared["kept_as_asked"], &shared["manageable"]),
            (&Value::Bool(true), &Value::Bool(false))
        );
        let pointer = shared["pointer"].as_str().unwrap();
        assert!(person.gets(pointer), "{form:?}");
        let asked_info = server
            .requests()
            .iter()
            .any(|(asked, _)| asked.ends_with("/info") && asked.starts_with("GET /file/"));
        assert_eq!(asked_info, form == SessionServer::Of2024, "{form:?}");
    }
}

/// The file is stored then, and its key is needed: an error would lose it.
#[test]
fn a_server_that_never_says_when_a_file_expires_still_gives_a_pointer() {
    let server = StandIn::start(|head, _body| match head.method.as_str() {
        "POST" => (stand_in::json(200, "{\"id\": \"77\"}"), false),
        _ => (stand_in::json(404, "{\"status_code\": 404}"), false),
    });
    let person = Person::of(&server);
    let pointer = printed_pointer(&person.share(&[]));
    assert_eq!(Pointer::find(&pointer).unwrap().expires, None);

    let asked = person.share(&["--ttl", "2d"]);
    expect(&asked, 0, "does not say how long");
    assert!(said(&asked).contains("2 days"), "{}", said(&asked));
}

#[test]
fn a_time_that_the_server_passes_over_is_said() {
    for (form, met) in [
        (SessionServer::Of2024, false),
        (SessionServer::NumberIds, false),
        (EACH[2], true),
    ] {
        let server = StandIn::of_session(form);
        let person = Person::of(&server);
        let shared = person.share(&["--ttl", "2d"]);
        assert!(person.gets(&printed_pointer(&shared)));
        let words = said(&shared);
        assert_eq!(words.contains("not for 2 days"), !met, "{form:?}: {words}");
        let shared = person.share(&["--ttl", "2d", "--json"]);
        let shared: Value = serde_json::from_slice(&shared.stdout).unwrap();
        assert_eq!(shared["kept_as_asked"], Value::Bool(met), "{form:?}");
        let kept = if met {
            2.0 * DAY
        } else {
            SessionServer::USUAL_SECS
        };
        assert!(is_in(kept, shared["expires"].as_u64().unwrap()), "{form:?}");
    }
}

#[test]
fn a_time_that_is_too_long_is_named_where_the_server_gives_no_reason() {
    let server = StandIn::of_session(EACH[2]);
    let person = Person::of(&server);
    expect(&person.share(&["--ttl", "90d"]), 8, "90 days");
    let pointer = printed_pointer(&person.share(&[]));
    let extend = |ttl| person.run(&["extend", "-", "--ttl", ttl], &pointer);
    expect(&extend("90d"), 8, "90 days");
    expect(&extend("29d"), 0, "");
}

#[test]
fn what_cannot_be_managed_there_is_no_fault_of_the_person() {
    for form in EACH {
        let server = StandIn::of_session(form);
        let person = Person::of(&server);
        let pointer = printed_pointer(&person.share(&[]));
        for command in ["delete", "status"] {
            let refused = person.run(&[command, "-"], &pointer);
            expect(&refused, 8, "does not let a file be managed");
        }
        let extended = person.run(&["extend", "-"], &pointer);
        if form == EACH[2] {
            expect(&extended, 0, "");
        } else {
            expect(&extended, 8, "does not keep this file for longer");
        }
        server.seen.lock().unwrap().clear();
        let gone = pointer_to_other_file(&person);
        expect(&person.run(&["extend", "-"], &gone), 5, "");
    }
}

/// A pointer whose file the server has not.
fn pointer_to_other_file(person: &Person<'_>) -> String {
    let other = StandIn::start(|_head, _body| (stand_in::json(200, "{\"id\": \"5\"}"), false));
    let file = person.path("a.txt");
    let address = other.address.to_string();
    let shared = person.run(&["share", &file, "--server", &address], "");
    let mut pointer = Pointer::find(&printed_pointer(&shared)).unwrap();
    pointer.server = person.server.address.clone();
    pointer.to_text().as_str().to_owned()
}

fn is_in(secs: f64, expires: u64) -> bool {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    let expected = now.as_secs_f64() + secs;
    (expires as f64 - expected).abs() < 3_600.0
}

const DAY: f64 = 86_400.0;
