//! Where relays are from: lists by URL with their refusals, the mirror they come through later, what a pointer offers a
//! recipient without relays, and the commands that make and choose lists. Session's network has a file of its own.

use std::collections::HashMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Output;

use cloakroom::app::error::AppError;
use cloakroom::app::relays::{ListState, RelaySourceError, Relays, UseFor};
use cloakroom::app::settings::{Home, Settings};
use cloakroom::app::transfer::call::{Call, CallContext};
use cloakroom::app::transfer::program::Program;
use cloakroom::app::transfer::routed_server::Route;
use cloakroom::app::transfer::share::{ShareRequest, share};
use cloakroom::app::words::who_saw_what::RequestShown;
use cloakroom::net::relay_source::FetchError;
use cloakroom::protocol::keys::Identity;
use cloakroom::protocol::pointer::Pointer;
use cloakroom::protocol::relay_list::{
    ListRefused, ListSource, RelayDescriptor, RelayList, RelayListError, Serves, sign,
};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::network::place::Place;
use crate::support::{Process, cloak, printed_pointer, said, with_input};

const DAY: u64 = 24 * 3_600;

#[tokio::test(flavor = "multi_thread")]
async fn a_list_is_fetched_from_its_host_once_and_later_through_a_server_that_mirrors_it() {
    let place = Place::start().await;
    let host = place.host();
    let person = Person::new();
    let first = place.list("first", 10, 90);
    host.put(&first, &place.signature(&first));
    let added = person.add(&place).await.unwrap();
    assert_eq!(added.name, "first");
    assert_eq!(host.asked(), ["/relays.json", "/relays.json.sig"]);
    for head in host.heads() {
        for header in ["cookie:", "referer:", "user-agent:", "authorization:"] {
            assert!(!head.contains(header), "{head}");
        }
    }

    // The same day nobody is asked.
    let second = place.list("second", 5, 90);
    place.mirror(&second, &place.signature(&second));
    person.share(&place).await;
    assert_eq!(person.held(&place), "first");

    person.days_pass(1);
    let shared = person.share(&place).await;
    assert_eq!(person.held(&place), "second");
    assert_eq!(person.problem(), None);
    assert!(
        shared.len() >= 2,
        "what was asked for beside the file is among what was shown"
    );

    // And from then on not for a day again.
    let third = place.list("third", 4, 90);
    place.mirror(&third, &place.signature(&third));
    person.share(&place).await;
    assert_eq!(person.held(&place), "second");
    person.days_pass(1);
    person.share(&place).await;
    assert_eq!(person.held(&place), "third");

    assert_eq!(host.asked().len(), 2, "the list's host heard of none of it");
}

#[tokio::test(flavor = "multi_thread")]
async fn lists_that_cannot_be_read_end_the_transfer_and_no_host_is_asked() {
    let place = Place::start().await;
    let host = place.host();
    let person = Person::new();
    let list = place.list("list", 10, 90);
    host.put(&list, &place.signature(&list));
    person.add(&place).await.unwrap();
    let asked = host.asked().len();
    let file = person.program.home().data_dir.join("relays.json");
    for text in ["{", r#"{"version":2}"#] {
        fs::write(&file, text).unwrap();
        let relays = person.relays_for(&place).await.map(drop);
        let added = person.add(&place).await.map(drop);
        for result in [relays, added] {
            let error = result.unwrap_err();
            let unread = matches!(
                &error,
                AppError::RelaySource(RelaySourceError::Unread(unread)) if unread.file == file
            );
            assert!(unread, "{error:?}");
        }
        assert_eq!(fs::read_to_string(&file).unwrap(), text);
    }
    assert_eq!(host.asked().len(), asked);
    fs::remove_file(&file).unwrap();
    person.add(&place).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_list_that_ends_soon_is_asked_for_before_the_transfer() {
    let place = Place::start().await;
    let person = Person::new();
    let ending = place.list("ending", 80, 1);
    place.host().put(&ending, &place.signature(&ending));
    person.add(&place).await.unwrap();
    let next = place.list("next", 1, 90);
    place.mirror(&next, &place.signature(&next));
    person.days_pass(1);
    let shared = person.share(&place).await;
    assert_eq!(person.held(&place), "next");
    let asked: Vec<_> = shared
        .iter()
        .map(|shown| format!("{:?}", shown.asked))
        .collect();
    let list = asked
        .iter()
        .position(|asked| asked.contains("RelayList"))
        .unwrap();
    let file = asked
        .iter()
        .position(|asked| asked.contains("Upload"))
        .unwrap();
    assert!(list < file, "{asked:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn every_refusal_of_a_mirror_keeps_its_reason_while_the_last_good_list_serves() {
    let place = Place::start().await;
    let person = Person::new();
    let good = place.list("good", 10, 90);
    place.host().put(&good, &place.signature(&good));
    person.add(&place).await.unwrap();

    let next = place.list("next", 5, 90);
    let older = place.list("older", 11, 90);
    let future = place.list("future", -1, 90);
    let stranger = sign(&Identity::from_seed([77; 32]), next.as_bytes());
    let changed = next.replace("next", "nett");
    for (list, signature, reason) in [
        (&next, stranger, "not signed by the key"),
        (&changed, place.signature(&next), "not signed by the key"),
        (&older, place.signature(&older), "older than the one"),
        (&future, place.signature(&future), "dated in the future"),
    ] {
        place.mirror(list, &signature);
        person.days_pass(1);
        person.share(&place).await;
        let problem = person.problem().unwrap();
        assert!(problem.contains(reason), "{problem}");
        assert_eq!(person.kept()["lists"][0]["problem_kind"], "refused");
        assert_eq!(person.held(&place), "good", "{reason}");
    }

    // What no client could take is not handed on at all, and then nothing is asked.
    place.mirror(&next, "");
    person.days_pass(1);
    assert_eq!(person.share(&place).await.len(), 2, "info and upload");
    assert_eq!(person.held(&place), "good");
}

/// Whether this is the reason that was expected.
type Expected = fn(&ListRefused) -> bool;

#[tokio::test(flavor = "multi_thread")]
async fn every_refusal_of_a_host_has_its_own_reason_and_the_last_good_list_serves() {
    let place = Place::start().await;
    let host = place.host();
    let person = Person::new();
    let good = place.list("good", 10, 90);
    host.put(&good, &place.signature(&good));
    person.add(&place).await.unwrap();

    let entries = place.entries();
    let next = place.list("next", 5, 90);
    let swapped = next.replace(
        &entries[0].key.to_x25519().to_hex(),
        &entries[1].key.to_x25519().to_hex(),
    );
    let two = serde_json::from_str::<Value>(&next).map(|mut list| {
        list["relays"].as_array_mut().unwrap().pop();
        list.to_string()
    });
    let signed: [(String, Expected); 7] = [
        (place.list("expired", 20, -1), |why| {
            *why == ListRefused::List(RelayListError::Expired)
        }),
        (place.list("future", -1, 90), |why| {
            *why == ListRefused::NotYet
        }),
        (place.list("older", 11, 90), |why| {
            *why == ListRefused::Older
        }),
        (two.unwrap(), |why| {
            *why == ListRefused::List(RelayListError::TooFew(2))
        }),
        (swapped, |why| {
            matches!(why, ListRefused::List(RelayListError::Entry { .. }))
        }),
        (format!("{next}{}", " ".repeat(65_536)), |why| {
            *why == ListRefused::TooLarge
        }),
        ("<html>Not here</html>".to_owned(), |why| {
            matches!(why, ListRefused::List(RelayListError::Malformed(_)))
        }),
    ];
    for (list, expected) in signed {
        host.put(&list, &place.signature(&list));
        match person.add(&place).await.unwrap_err() {
            AppError::RelaySource(RelaySourceError::Refused(why)) => {
                assert!(expected(&why), "{why}");
            }
            other => panic!("{other}"),
        }
        assert_eq!(person.held(&place), "good");
    }
    let unsigned: [(&str, ListRefused); 2] = [
        ("", ListRefused::Unsigned),
        (
            &sign(&Identity::from_seed([77; 32]), next.as_bytes()),
            ListRefused::WronglySigned,
        ),
    ];
    for (signature, expected) in unsigned {
        host.put(&next, signature);
        let error = person.add(&place).await.unwrap_err();
        assert!(
            matches!(&error, AppError::RelaySource(RelaySourceError::Refused(why)) if *why == expected),
            "{error}"
        );
    }
    for (status, expected) in [
        ("404 Not Found", FetchError::Status(404)),
        (
            "302 Found\r\nLocation: /elsewhere.json",
            FetchError::Redirected,
        ),
    ] {
        host.answer_with(status);
        let error = person.add(&place).await.unwrap_err();
        assert!(
            matches!(&error, AppError::RelaySource(RelaySourceError::Fetch { why, .. }) if *why == expected),
            "{error}"
        );
    }
    assert!(!host.asked().iter().any(|path| path.contains("elsewhere")));
    assert_eq!(person.held(&place), "good");
    person.share(&place).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_list_whose_time_has_passed_is_used_no_more_and_can_be_added_again() {
    let place = Place::start().await;
    let person = Person::new();
    let good = place.list("good", 10, 90);
    place.host().put(&good, &place.signature(&good));
    person.add(&place).await.unwrap();
    // A list of the past, good when it was fetched.
    let past = place.list("past", 100, -1);
    person.replace_kept(&past, &place.signature(&past));
    assert!(matches!(
        person.relays_for(&place).await,
        Err(AppError::RelaySource(RelaySourceError::Ended))
    ));
    let view = person
        .relays
        .view(&place.source(), person.program.now())
        .unwrap();
    assert_eq!(view.state, ListState::Ended);
    person.add(&place).await.unwrap();
    assert_eq!(person.held(&place), "good");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_recipient_without_relays_is_offered_the_list_that_the_pointer_names() {
    let place = Place::start().await;
    let host = place.host();
    let list = place.list("ours", 1, 90);
    host.put(&list, &place.signature(&list));
    let line = place.line.to_string();

    // The sender decides whether pointers carry it.
    let sender = CommandLine::new();
    let file = sender.file("a.txt", b"content");
    let server = place.server.address().to_string();
    let refused = sender.run(&["share", &file, "--server", &server, "--with-relay-list"]);
    assert_eq!(refused.status.code(), Some(4), "{}", said(&refused));
    let added = sender.run(&["networks", "add", &server, "--relays", &line]);
    assert!(added.status.success(), "{}", said(&added));
    let asked = host.asked().len();
    let without = printed_pointer(&sender.run(&["share", &file, "--server", &server]));
    assert_eq!(Pointer::find(&without).unwrap().relay_list, None);
    let with = sender.run(&["share", &file, "--server", &server, "--with-relay-list"]);
    let with = printed_pointer(&with);
    assert_eq!(Pointer::find(&with).unwrap().relay_list, Some(line.clone()));

    // The recipient is told who would see what, and how to accept; nothing is fetched before.
    let recipient = CommandLine::new();
    let told = recipient.get(&with, &[]);
    assert_eq!(told.status.code(), Some(4), "{}", said(&told));
    for words in ["127.0.0.1 this computer's address", "--accept-relay-list"] {
        assert!(said(&told).contains(words), "{}", said(&told));
    }
    assert_eq!(host.asked().len(), asked);

    let got = recipient.get(&with, &["--accept-relay-list", "--who-saw-what"]);
    assert!(got.status.success(), "{}", said(&got));
    for words in [
        "Fetched a relay list from its host",
        "Host of the list 127.0.0.1:",
        "Saw: your IP address, which relay list you use, when: ",
    ] {
        assert!(said(&got).contains(words), "{words}: {}", said(&got));
    }
    assert_eq!(host.asked().len(), asked + 2);
    assert_eq!(recipient.received(&got), b"content");

    // From then on for this server, without the flag, without the host; and for no other server.
    let again = recipient.get(&without, &[]);
    assert!(again.status.success(), "{}", said(&again));
    assert_eq!(host.asked().len(), asked + 2);
    let shown = said(&recipient.run(&["relays"]));
    assert!(
        shown.contains("accepted from a pointer")
            && shown.contains(&line)
            && shown.contains(&format!("for       {server}"))
            && shown.contains("ours"),
        "{shown}"
    );
    let mut other_key = Pointer::find(&without).unwrap();
    other_key.server.key = Identity::from_seed([99; 32]).public();
    let mut other_host = Pointer::find(&without).unwrap();
    other_host.server.url = "http://elsewhere.example".parse().unwrap();
    for other in [other_key, other_host] {
        let refused = recipient.get(other.to_text().as_str(), &[]);
        assert_eq!(refused.status.code(), Some(4), "{}", said(&refused));
        assert_eq!(host.asked().len(), asked + 2);
    }
}

#[test]
fn a_list_is_made_signed_and_checked_by_commands() {
    let maker = CommandLine::new();
    let entries: Vec<_> = (1..=4).map(|seed| entry(seed).to_json()).collect();
    let first = maker.file("first.txt", entries[..3].join("\n").as_bytes());
    let made = maker.run(&["relay-list", "new", &first, "--name", "ours"]);
    let list = maker.file("relays.json", &made.stdout);
    let key_file = maker.path("list.key");
    let sign = ["relay-list", "sign", &list, "--key", &key_file];

    let unsigned = maker.run(&["relay-list", "verify", &list]);
    assert_eq!(unsigned.status.code(), Some(1));
    assert!(
        said(&unsigned).contains("not signed"),
        "{}",
        said(&unsigned)
    );

    let url = "https://example.org/relays.json";
    let signed = maker.run(&[&sign[..], &["--url", url]].concat());
    assert!(signed.status.success(), "{}", said(&signed));
    let line: ListSource = String::from_utf8(signed.stdout)
        .unwrap()
        .trim()
        .parse()
        .unwrap();
    assert_eq!(line.url(), url);
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        let mode = fs::metadata(&key_file).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
    }
    let key = line.key().to_hex();
    let verify = ["relay-list", "verify", &list, "--key", &key];
    assert!(maker.run(&verify).status.success());
    let bad_url = maker.run(&[&sign[..], &["--url", "ftp://example.org/r.json"]].concat());
    assert_eq!(bad_url.status.code(), Some(2), "{}", said(&bad_url));

    let fourth = maker.file("fourth.txt", entries[3].as_bytes());
    let added = maker.run(&["relay-list", "add", &list, &fourth]);
    assert!(
        added.status.success() && said(&added).contains("sign the list again"),
        "{}",
        said(&added)
    );
    assert_eq!(maker.run(&verify).status.code(), Some(1));
    let again = maker.run(&sign);
    assert_eq!(
        String::from_utf8(again.stdout).unwrap().trim(),
        key,
        "the key stays"
    );
    let checked = maker.run(&verify);
    assert!(
        checked.status.success() && said(&checked).contains("names 4 relays"),
        "{}",
        said(&checked)
    );

    let changed = fs::read_to_string(&list).unwrap().replace("ours", "hers");
    fs::write(&list, changed).unwrap();
    let wrong = maker.run(&verify);
    assert!(
        said(&wrong).contains("wrong  it is not signed by this key"),
        "{}",
        said(&wrong)
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn relays_are_chosen_shown_and_removed_by_commands() {
    let place = Place::start().await;
    let host = place.host();
    let list = place.list("ours", 1, 90);
    host.put(&list, &place.signature(&list));
    let line = place.line.to_string();
    let person = CommandLine::new();
    assert!(said(&person.run(&["relays"])).contains("built-in"));

    let verified = person.run(&["relay-list", "verify", &line]);
    assert!(verified.status.success(), "{}", said(&verified));
    let refused = person.run(&["relays", "add", &line]);
    assert_eq!(refused.status.code(), Some(2), "{}", said(&refused));
    assert!(said(&refused).contains("cloak networks add"));
    let server = place.server.address().to_string();
    let network = person.run(&["networks", "add", &server, "--name", "Choir"]);
    assert!(
        said(&network).contains("no relays lead there yet"),
        "{}",
        said(&network)
    );
    assert!(said(&person.run(&["networks"])).contains("* Choir"));
    let added = person.run(&["relays", "add", &line]);
    assert!(
        added.status.success() && said(&added).contains("straight from 127.0.0.1"),
        "{}",
        said(&added)
    );
    let shown = person.run(&["relays", "show", "--json"]);
    let shown: Value = serde_json::from_slice(&shown.stdout).unwrap();
    let source = &shown["sources"][0];
    assert_eq!(
        (
            &source["source"],
            &source["in_use"],
            &source["state"],
            &source["relays"]
        ),
        (&json!(line), &json!(true), &json!("good"), &json!(3))
    );

    // Another source, and back, without asking anybody.
    let asked = host.asked().len();
    let session = person.run(&["relays", "use", "session"]);
    for words in ["Session messenger", "getsession.org", "may time out"] {
        assert!(said(&session).contains(words), "{}", said(&session));
    }
    assert!(said(&person.run(&["relays"])).contains("not fetched yet"));
    assert!(person.run(&["relays", "use", &line]).status.success());
    assert_eq!(host.asked().len(), asked);
    let other_key = Identity::from_seed([99; 32]).public().to_hex();
    let unknown = format!("{}#k={other_key}", place.line.url());
    let unknown = person.run(&["relays", "use", &unknown]);
    assert!(!unknown.status.success(), "{}", said(&unknown));
    let there = person.run(&["networks", "relays", "Choir"]);
    assert!(said(&there).contains(&line), "{}", said(&there));

    // Of a list in use, `show` knows the guards.
    let file = person.file("a.txt", b"content");
    printed_pointer(&person.run(&["share", &file]));
    assert!(said(&person.run(&["relays"])).contains("is a guard since"));

    assert!(person.run(&["relays", "remove"]).status.success());
    let left = said(&person.run(&["relays", "show"]));
    assert!(!left.contains(&line), "{left}");
    assert!(left.contains("no relays lead to Choir"), "{left}");
    for wrong in ["http://127.0.0.1/relays.json", "https://x/r.json#k=12"] {
        let refused = person.run(&["relays", "add", wrong]);
        assert_eq!(refused.status.code(), Some(2), "{}", said(&refused));
    }
}

#[test]
fn a_key_that_two_relays_share_is_named_and_leaves_no_list() {
    let maker = CommandLine::new();
    let mut shared = entry(1);
    shared.host = [192, 0, 2, 9].into();
    let ann = maker.file("ann.json", entry(1).to_json().as_bytes());
    let ben = maker.file("ben.json", shared.to_json().as_bytes());
    let cem = maker.file("cem.json", entry(3).to_json().as_bytes());
    let list = maker.path("relays.json");
    let make = || maker.run(&["relay-list", "new", &ann, &ben, &cem, "--out", &list]);

    let refused = make();
    assert_eq!(refused.status.code(), Some(2), "{}", said(&refused));
    for words in [
        "192.0.2.1:22021",
        "ann.json",
        "192.0.2.9:22021",
        "ben.json",
        "relay.key",
    ] {
        assert!(said(&refused).contains(words), "{}", said(&refused));
    }
    assert!(!Path::new(&list).exists());

    maker.file("ben.json", entry(2).to_json().as_bytes());
    let made = make();
    assert!(made.status.success(), "{}", said(&made));
    assert!(made.stdout.is_empty());
    let whole = fs::read(&list).unwrap();
    assert_eq!(RelayList::read(&whole).unwrap().relays.len(), 3);

    maker.file("ben.json", shared.to_json().as_bytes());
    assert_eq!(make().status.code(), Some(2));
    assert_eq!(fs::read(&list).unwrap(), whole, "the old one stays");
}

#[test]
fn a_relay_forwards_to_nobody_once_its_list_has_ended() {
    let maker = CommandLine::new();
    let entries: Vec<_> = (1..=3).map(|seed| entry(seed).to_json()).collect();
    let entries = maker.file("entries.txt", entries.join("\n").as_bytes());
    let make = |time| {
        let made = maker.run(&["relay-list", "new", &entries, "--valid-for", time]);
        assert!(made.status.success(), "{}", said(&made));
        made.stdout
    };
    let list = maker.file("relays.json", &make("10s"));
    let mut relay = cloak(&maker.folder.path().join("relay"));
    relay.args(["relay", "--listen", "127.0.0.1:0", "--relays", &list]);
    relay.args(["--key", &maker.path("relay.key")]);
    let mut relay = Process::start(relay);
    relay.wait_for("relay list read: 3 relays");
    relay.wait_for("the relay list has expired");
    maker.file("relays.json", &make("1h"));
    relay.wait_for("relay list read: 3 relays");
}

#[test]
fn rules_yield_on_a_short_list_only_when_the_person_says_so() {
    let person = CommandLine::new();
    let entries: Vec<_> = (1..=3).map(|seed| entry(seed).to_json()).collect();
    let entries = person.file("entries.txt", entries.join("\n").as_bytes());
    let made = person.run(&["relay-list", "new", &entries, "--name", "ours"]);
    let list = person.file("relays.json", &made.stdout);
    let key = Identity::from_seed([1; 32]).public().to_hex();
    let server = format!("http://files.example#p={key}");
    let added = person.run(&["networks", "add", &server, "--relays", &list]);
    assert!(added.status.success(), "{}", said(&added));
    // It was copied: nothing depends on the file any more.
    fs::remove_file(&list).unwrap();
    let may_yield = || {
        let shown = person.run(&["relays", "show", "--json"]);
        let shown: Value = serde_json::from_slice(&shown.stdout).unwrap();
        shown["sources"][0]["rules_may_yield"].clone()
    };
    assert_eq!(may_yield(), json!(false));
    assert!(person.run(&["relays", "relax"]).status.success());
    assert_eq!(may_yield(), json!(true));
    assert!(said(&person.run(&["relays"])).contains("may yield"));
    let strict = person.run(&["relays", "relax", "--off", &list]);
    assert!(strict.status.success(), "{}", said(&strict));
    assert_eq!(may_yield(), json!(false));
}

/// One person with a home of their own, who chose the list by URL.
struct Person {
    folder: TempDir,
    program: Program,
    relays: Relays,
}

impl Person {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let home = Home::in_folder(folder.path().join("home"));
        Self {
            relays: Relays::of(&home),
            program: Program::new(home, Settings::default()),
            folder,
        }
    }

    async fn add(&self, place: &Place) -> Result<RelayList, AppError> {
        let context = CallContext::default();
        self.relays
            .add(&self.program, &place.line, UseFor::All, &context)
            .await
    }

    async fn relays_for(
        &self,
        place: &Place,
    ) -> Result<cloakroom::app::relays::RelaySet, AppError> {
        let (server, context) = (place.server.address(), CallContext::default());
        self.relays
            .for_server(&self.program, Some(&place.source()), server, &context)
            .await
            .map(Option::unwrap)
    }

    /// What each party was shown.
    async fn share(&self, place: &Place) -> Vec<RequestShown> {
        let file = self.folder.path().join("a.txt");
        fs::write(&file, b"content").unwrap();
        let relays = self.relays_for(place).await.unwrap();
        let network = self
            .program
            .routed_server(place.server.address(), Some(Route::Relays(relays)))
            .await
            .unwrap();
        let call = Call::new(&self.program, network, &CallContext::default());
        share(&call, ShareRequest::new(vec![file])).await.unwrap();
        call.log().requests()
    }

    /// The name of the list that is held.
    fn held(&self, place: &Place) -> String {
        let view = self.relays.view(&place.source(), self.program.now());
        view.unwrap().list.unwrap().name
    }

    /// What was wrong the last time that a newer list was asked for.
    fn problem(&self) -> Option<String> {
        let kept = self.kept();
        kept["lists"][0]["problem"].as_str().map(str::to_owned)
    }

    /// Makes it so long since the list was asked for, and since servers said what they are.
    fn days_pass(&self, days: u64) {
        let mut kept = self.kept();
        let asked = kept["lists"][0]["asked"].as_u64().unwrap();
        kept["lists"][0]["asked"] = json!(asked - days * DAY);
        self.keep(&kept);
        let path = self.program.home().data_dir.join("network.json");
        let Ok(bytes) = fs::read(&path) else {
            return;
        };
        let mut network: Value = serde_json::from_slice(&bytes).unwrap();
        network["servers"] = json!(HashMap::<String, Value>::new());
        fs::write(path, network.to_string()).unwrap();
    }

    fn replace_kept(&self, list: &str, signature: &str) {
        let mut kept = self.kept();
        kept["lists"][0]["list"] = json!(list);
        kept["lists"][0]["signature"] = json!(signature);
        self.keep(&kept);
    }

    fn kept(&self) -> Value {
        serde_json::from_slice(&fs::read(self.kept_file()).unwrap()).unwrap()
    }

    fn keep(&self, kept: &Value) {
        fs::write(self.kept_file(), kept.to_string()).unwrap();
    }

    fn kept_file(&self) -> PathBuf {
        self.program.home().data_dir.join("relays.json")
    }
}

/// The command line with a home of its own.
pub(crate) struct CommandLine {
    folder: TempDir,
}

impl CommandLine {
    pub(crate) fn new() -> Self {
        Self {
            folder: tempfile::tempdir().unwrap(),
        }
    }

    pub(crate) fn path(&self, name: &str) -> String {
        self.folder.path().join(name).to_str().unwrap().to_owned()
    }

    pub(crate) fn file(&self, name: &str, content: &[u8]) -> String {
        fs::write(self.path(name), content).unwrap();
        self.path(name)
    }

    pub(crate) fn run(&self, args: &[&str]) -> Output {
        cloak(&self.folder.path().join("home"))
            .args(args)
            .output()
            .unwrap()
    }

    pub(crate) fn get(&self, pointer: &str, args: &[&str]) -> Output {
        let received = self.path("received");
        fs::create_dir_all(&received).unwrap();
        let mut get = cloak(&self.folder.path().join("home"));
        get.args(["get", "-", "--out", &received]).args(args);
        with_input(get, pointer)
    }

    pub(crate) fn received(&self, output: &Output) -> Vec<u8> {
        let path = String::from_utf8(output.stdout.clone()).unwrap();
        fs::read(path.trim_end()).unwrap()
    }
}

fn entry(seed: u8) -> RelayDescriptor {
    RelayDescriptor {
        key: Identity::from_seed([seed; 32]).public(),
        host: [192, 0, 2, seed].into(),
        port: 22_021,
        operator: String::new(),
        serves: Serves::Any,
    }
}
