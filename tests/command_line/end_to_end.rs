//! The main job by real processes: one file server, three relays, share and get, and everything that can go wrong on
//! the way. Each failure has its own exit code and words, and nothing is saved or stored by it.

use std::fs;
use std::io::{Read as _, Write as _};
use std::net::{Ipv6Addr, Shutdown, TcpListener, TcpStream};
use std::path::{Path, PathBuf};

use cloakroom::protocol::address::ServerAddress;
use cloakroom::protocol::digest::Digest;
use cloakroom::protocol::file_api::{FileRequest, Upload};
use cloakroom::protocol::onion::HopCipher;
use cloakroom::protocol::pointer::{Pointer, PointerKey};
use cloakroom::protocol::relay_list::RelayDescriptor;
use cloakroom::protocol::seal::FileKey;
use cloakroom::protocol::size_class::SizeClass;

use crate::support::relays::sealed_through;
use crate::support::{
    Network, Process, RECORD_LEN, cloak, content, pointer_id, said, with_input, write_list,
};

#[test]
fn every_size_comes_back_byte_for_byte() {
    let network = Network::start();
    let mut sizes = vec![0, 1];
    for class in SizeClass::ALL {
        sizes.extend([class.capacity() - 1, class.capacity(), class.capacity() + 1]);
    }
    assert_eq!(
        sizes.pop(),
        Some(9_998_913),
        "the last one is refused by another test"
    );
    for (number, size) in sizes.into_iter().enumerate() {
        let name = format!("file {number} (größe) [x].bin");
        let sent = content(size);
        let pointer = network.pointer_to(&network.file(&name, &sent));
        let output = network.get(&pointer);
        assert!(output.status.success(), "{size}: {}", said(&output));
        let saved = String::from_utf8(output.stdout).unwrap();
        let saved = Path::new(saved.trim_end());
        assert_eq!(
            saved.file_name().unwrap().to_str(),
            Some(name.as_str()),
            "a harmless name is kept"
        );
        assert!(
            fs::read(saved).unwrap() == sent,
            "{size} bytes came back changed"
        );

        let blob = network
            .stored()
            .into_iter()
            .find(|path| path.ends_with(pointer_id(&pointer)))
            .unwrap();
        let blob_len = fs::metadata(blob).unwrap().len() - RECORD_LEN;
        assert!(
            SizeClass::ALL
                .iter()
                .any(|class| class.blob_len() as u64 == blob_len),
            "{blob_len} is no class"
        );
        fs::remove_file(saved).unwrap();
    }
}

#[test]
fn a_file_that_is_one_byte_too_large_for_one_blob_goes_in_two_parts() {
    let network = Network::start();
    let large = network.file("large.bin", &content(9_998_913));
    let pointer = network.pointer_to(&large);
    assert_eq!(network.stored().len(), 3, "two parts and their list");
    assert!(network.get(&pointer).status.success());
    let [saved] = network.received_files().try_into().unwrap();
    assert!(fs::read(saved).unwrap() == fs::read(large).unwrap());
}

#[test]
fn a_bit_flipped_in_the_stored_blob_is_noticed_wherever_it_is() {
    let network = Network::start();
    let pointer = network.pointer_to(&network.file("a.txt", b"content"));
    let blob = network.stored().pop().unwrap();
    let whole = fs::read(&blob).unwrap();
    let first = usize::try_from(RECORD_LEN).unwrap();
    // Commitment, nonce, header, content, padding, tag.
    for at in [
        first,
        first + 33,
        first + 50,
        first + 1_080,
        whole.len() / 2,
        whole.len() - 1,
    ] {
        let mut changed = whole.clone();
        changed[at] ^= 0x10;
        fs::write(&blob, changed).unwrap();
        let output = network.get(&pointer);
        assert_eq!(output.status.code(), Some(6), "{}", said(&output));
        assert!(said(&output).contains("SHA-256"), "{}", said(&output));
        assert!(network.received_files().is_empty());
    }
    fs::write(&blob, whole).unwrap();
    assert!(network.get(&pointer).status.success());
}

#[test]
fn a_wrong_digest_a_wrong_key_and_a_wrong_description_are_told_apart() {
    let network = Network::start();
    let text = network.pointer_to(&network.file("a.txt", b"content"));
    let changed = |change: fn(&mut Pointer)| {
        let mut pointer = Pointer::find(&text).unwrap();
        change(&mut pointer);
        let output = network.get(pointer.to_text().as_str());
        assert_eq!(output.status.code(), Some(6), "{}", said(&output));
        assert!(network.received_files().is_empty());
        said(&output)
    };
    assert!(changed(|pointer| pointer.digest = Digest::of(b"other")).contains("SHA-256"));
    assert!(
        changed(|pointer| pointer.key = PointerKey::Whole(FileKey::from_bytes([7; 32])))
            .contains("key does not belong")
    );
    assert!(changed(|pointer| pointer.content_len = 8).contains("does not describe this file"));
    assert!(
        changed(|pointer| pointer.name = Some("b.txt".to_owned()))
            .contains("does not describe this file")
    );
}

#[test]
fn a_file_that_the_server_does_not_have_is_its_own_failure() {
    let network = Network::start();
    let pointer = network.pointer_to(&network.file("a.txt", b"content"));
    fs::remove_file(network.stored().pop().unwrap()).unwrap();
    let output = network.get(&pointer);
    assert_eq!(output.status.code(), Some(5), "{}", said(&output));
    assert!(said(&output).contains("does not have this file"));
    assert!(network.received_files().is_empty());
}

#[test]
fn a_blob_that_was_cut_short_is_refused() {
    let network = Network::start();
    let pointer = network.pointer_to(&network.file("a.txt", b"content"));
    let blob = network.stored().pop().unwrap();
    let whole = fs::read(&blob).unwrap();
    fs::write(&blob, &whole[..whole.len() - 1_000]).unwrap();
    let output = network.get(&pointer);
    assert_eq!(output.status.code(), Some(8), "{}", said(&output));
    assert!(network.received_files().is_empty());
}

#[test]
fn an_answer_that_is_cut_off_is_no_answer() {
    let (network, list) = behind_wires(usize::MAX, 20_000);
    let pointer = network.pointer_to(&network.file("a.txt", b"content"));
    let output = network.get_with(&pointer, &list);
    assert_eq!(output.status.code(), Some(4), "{}", said(&output));
    assert!(
        said(&output).contains("connection broke"),
        "{}",
        said(&output)
    );
    assert!(network.received_files().is_empty());
}

#[test]
fn an_upload_that_is_cut_off_on_its_way_leaves_nothing() {
    let (network, list) = behind_wires(40_000, usize::MAX);
    let file = network.file("a.txt", b"content");
    let output = network.share_with(&file, &list);
    assert_eq!(output.status.code(), Some(4), "{}", said(&output));
    assert!(
        said(&output).contains("connection broke") && output.stdout.is_empty(),
        "{}",
        said(&output)
    );
    assert_eq!(files_in_store(&network), ["lock", "server.key"]);
}

#[test]
fn an_upload_that_breaks_at_the_server_leaves_nothing() {
    let network = Network::start();
    let address: ServerAddress = network.server.first_line.parse().unwrap();
    let upload = FileRequest::Upload(Upload::new(content(65_536)));
    let built = sealed_through(&[], &address, &upload, HopCipher::XChaCha20, true);
    for sent in [0, 1, built.body.len() / 2, built.body.len() - 1] {
        let mut server = TcpStream::connect((address.url.host(), address.url.port())).unwrap();
        let head = format!(
            "POST /oxen/v4/lsrpc HTTP/1.1\r\nHost: {}:{}\r\nContent-Length: {}\r\n\r\n",
            address.url.host(),
            address.url.port(),
            built.body.len()
        );
        server.write_all(head.as_bytes()).unwrap();
        server.write_all(&built.body[..sent]).unwrap();
        server.shutdown(Shutdown::Write).unwrap();
        // Only when the server has let go of the connection is it done with the request.
        let mut answer = Vec::new();
        server.read_to_end(&mut answer).ok();
        assert!(
            !answer.starts_with(b"HTTP/1.1 200"),
            "{sent} bytes were enough"
        );
        assert_eq!(files_in_store(&network), ["lock", "server.key"]);
    }
    network.pointer_to(&network.file("a.txt", b"content"));
    assert_eq!(network.stored().len(), 1, "and it goes on");
}

#[test]
fn a_dead_relay_ends_in_words_when_there_are_no_others() {
    // Each network on a thread of its own: most of the time goes by between the tries.
    std::thread::scope(|threads| {
        for dead in 0..3 {
            threads.spawn(move || {
                let mut network = Network::start();
                let file = network.file("a.txt", b"content");
                let pointer = network.pointer_to(&file);
                let stored = network.stored().len();
                network.relays[dead].kill();
                for output in [network.get(&pointer), network.share(&file)] {
                    assert_eq!(output.status.code(), Some(4), "{}", said(&output));
                    assert!(
                        said(&output).contains("relay")
                            && said(&output).contains("could not be reached"),
                        "{}",
                        said(&output)
                    );
                }
                assert!(network.received_files().is_empty() && network.stored().len() == stored);
            });
        }
    });
}

#[test]
fn a_dead_server_is_told_from_a_dead_relay() {
    let mut network = Network::start();
    let file = network.file("a.txt", b"content");
    let pointer = network.pointer_to(&file);
    network.server.kill();
    for output in [network.get(&pointer), network.share(&file)] {
        assert_eq!(output.status.code(), Some(4), "{}", said(&output));
        assert!(
            said(&output).contains("file server could not be reached"),
            "{}",
            said(&output)
        );
    }
    assert!(network.received_files().is_empty());
}

#[test]
fn a_server_with_another_key_is_refused() {
    let network = Network::start();
    let file = network.file("a.txt", b"content");
    let mut other = cloak(network.home());
    other
        .args(["serve", "--listen", "127.0.0.1:0", "--store"])
        .arg(network.home().join("other"));
    let other = Process::start(other);
    let port = |address: &str| address.split_once('#').unwrap().0.to_owned();
    let (_, key) = network.server.first_line.split_once('#').unwrap();
    let address = format!("{}#{key}", port(&other.first_line));
    let mut share = cloak(network.home());
    share
        .arg("share")
        .arg(&file)
        .args(["--server", &address, "--relays"])
        .arg(network.list());
    // What the server with this key said of itself was kept; forgetting it makes the share ask again.
    fs::remove_file(network.home().join("network.json")).ok();
    let output = share.output().unwrap();
    assert_eq!(output.status.code(), Some(4), "{}", said(&output));
    assert!(
        said(&output).contains("does not hold the key"),
        "{}",
        said(&output)
    );
}

#[test]
fn without_relays_it_goes_straight_and_says_so_only_when_asked() {
    let network = Network::start();
    let file = network.file("a.txt", b"content");
    let share = |extra: &[&str]| {
        let mut share = cloak(network.home());
        share
            .arg("share")
            .arg(&file)
            .args(["--server", &network.server.first_line])
            .args(extra)
            .output()
            .unwrap()
    };
    let refused = share(&[]);
    assert_eq!(refused.status.code(), Some(4), "{}", said(&refused));
    let output = share(&["--direct"]);
    assert!(output.status.success(), "{}", said(&output));
    assert!(String::from_utf8_lossy(&output.stderr).contains("sees this computer's address"));
    let mut get = cloak(network.home());
    get.args(["get", "-", "--direct", "--out"])
        .arg(network.home().join("copy.txt"));
    let output = with_input(get, &String::from_utf8(output.stdout).unwrap());
    assert!(output.status.success(), "{}", said(&output));
    assert_eq!(
        fs::read(network.home().join("copy.txt")).unwrap(),
        b"content"
    );
}

#[test]
fn nothing_is_ever_overwritten() {
    let network = Network::start();
    let pointer = network.pointer_to(&network.file("report.pdf", b"content"));
    for expected in ["report.pdf", "report (1).pdf", "report (2).pdf"] {
        let output = network.get(&pointer);
        assert!(output.status.success(), "{}", said(&output));
        assert!(
            String::from_utf8(output.stdout)
                .unwrap()
                .trim_end()
                .ends_with(expected)
        );
    }
    assert_eq!(
        network.received_files().len(),
        3,
        "and no temporary file stays"
    );
}

/// An address of this computer where nobody else takes the ports of the wires.
const WIRES: &str = "127.0.93.1";

/// A network whose relays are reached by their public address over wires that carry `up` bytes of a connection to
/// them and `down` from them and then cut it; and the list that has those addresses. Among each other, and for whoever
/// uses the network's own list, nothing is cut.
fn behind_wires(up: usize, down: usize) -> (Network, PathBuf) {
    let network = Network::start_with(
        cloak,
        &["--listen", "[::1]:0", "--public-host", WIRES],
        |entry| {
            let relay = RelayDescriptor::parse(entry).unwrap();
            let host = Ipv6Addr::LOCALHOST.into();
            RelayDescriptor { host, ..relay }.to_json()
        },
    );
    for relay in &network.relays {
        let RelayDescriptor { host, port, .. } = RelayDescriptor::parse(&relay.first_line).unwrap();
        let wire = TcpListener::bind((host, port)).unwrap();
        std::thread::spawn(move || {
            for client in wire.incoming().map(Result::unwrap) {
                let relay = TcpStream::connect((Ipv6Addr::LOCALHOST, port)).unwrap();
                let (back, forth) = (relay.try_clone().unwrap(), client.try_clone().unwrap());
                std::thread::spawn(move || carry(forth, relay, up));
                std::thread::spawn(move || carry(back, client, down));
            }
        });
    }
    let folder = network.home().join("wires");
    fs::create_dir(&folder).unwrap();
    let entries: Vec<_> = network
        .relays
        .iter()
        .map(|relay| relay.first_line.clone())
        .collect();
    write_list(&folder, &entries);
    (network, folder.join("relays.json"))
}

fn carry(mut from: TcpStream, mut to: TcpStream, mut left: usize) {
    let mut buffer = [0; 4_096];
    while left > 0 {
        let Ok(read @ 1..) = from.read(&mut buffer) else {
            break;
        };
        if to.write_all(&buffer[..read.min(left)]).is_err() {
            break;
        }
        left -= read.min(left);
    }
    from.shutdown(Shutdown::Both).ok();
    to.shutdown(Shutdown::Both).ok();
}

/// The name of everything in the server's folder that is no folder, hidden files too; not the hour it noted
/// and the socket for its operator's commands.
fn files_in_store(network: &Network) -> Vec<String> {
    let mut names = Vec::new();
    let mut folders = vec![network.home().join("store")];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap().map(Result::unwrap) {
            if entry.file_type().unwrap().is_dir() {
                if entry.file_name() != "clock" {
                    folders.push(entry.path());
                }
            } else if entry.file_name() != "control" {
                names.push(entry.file_name().into_string().unwrap());
            }
        }
    }
    names.sort();
    names
}
