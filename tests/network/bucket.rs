//! One network that two servers keep together in a bucket: either may be asked, either may die.

use std::sync::Arc;
use std::time::Duration;

use cloakroom::protocol::network::{Admitted, JoinAnswer, JoinRule, ListSigner, Membership};
use cloakroom::server::network::command::{NetworkAnswer, NetworkCommand};
use cloakroom::server::network::{NetworkConfig, OpenNetworkError};
use cloakroom::server::store::location::StoreLocation;
use cloakroom::server::{Server, ServerConfig, StartServerError};
use futures_util::TryStreamExt as _;
use object_store::memory::InMemory;
use object_store::path::Path;
use object_store::{ObjectStore, ObjectStoreExt as _};

use super::world::{HOUR, World, identity, key, wait_for};

/// Over this bucket, whose lists wait only as long as a test can.
fn over(bucket: &Arc<dyn ObjectStore>) -> impl FnOnce(&mut ServerConfig) + use<> {
    let location = StoreLocation::Objects(Arc::clone(bucket));
    move |config| {
        config.settings.store = location;
        config.settings.store_timeout = Duration::from_millis(500);
    }
}

fn bucket() -> Arc<dyn ObjectStore> {
    Arc::new(InMemory::new())
}

async fn registers(bucket: &Arc<dyn ObjectStore>) -> Vec<Path> {
    let network = Path::from("network");
    let found = bucket.list(Some(&network)).try_collect::<Vec<_>>().await;
    found.unwrap().into_iter().map(|it| it.location).collect()
}

/// Waits until both servers hand out one list of so many relays.
async fn one_list(one: &World, other: &World, count: usize) {
    wait_for("one list", || async {
        let lists = [one.list().await, other.list().await];
        let [Some((list, signed)), Some((_, others))] = lists else {
            return false;
        };
        list.relays.len() == count && signed == others
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn servers_over_one_bucket_keep_one_list_and_either_of_them_is_enough() {
    let bucket = bucket();
    let one = World::start_with(JoinRule::Open, over(&bucket)).await;
    let other = one.second(over(&bucket)).await;
    wait_for("one join word", || async {
        // Each has heard of the other one with the next look.
        one.report().await;
        other.report().await;
        one.join_word() == other.join_word()
    })
    .await;
    let mut relays = Vec::new();
    for seed in 1..=3 {
        relays.push(one.join(seed).await);
    }
    one_list(&one, &other, 3).await;
    // A relay that joins at the other server stands in the list of both, with the next hour.
    relays.push(other.join(4).await);
    one.pass(HOUR);
    one_list(&one, &other, 4).await;
    assert_eq!(one.state(4).await.as_deref(), Some("answering"));

    // What is decided at one of them holds at the other.
    let removed = other.command(NetworkCommand::Remove { key: key(3) }).await;
    assert_eq!(removed, NetworkAnswer::Done { listed: 3 });
    assert_eq!(one.state(3).await.as_deref(), Some("removed"));
    one.pass(HOUR);
    one_list(&one, &other, 3).await;
    assert!(matches!(
        one.command(NetworkCommand::NewJoinWord).await,
        NetworkAnswer::Done { .. }
    ));
    let word = one.join_word();
    other.report().await;
    assert!(other.join_word() == word);

    // In the bucket there is one object in the end, and nothing of it can be read.
    wait_for("one object", || async {
        registers(&bucket).await.len() == 1
    })
    .await;
    let object = registers(&bucket).await.remove(0);
    let bytes = bucket.get(&object).await.unwrap().bytes().await.unwrap();
    for known in [key(1), word.to_hex().to_string(), "Ann".to_owned()] {
        let mut windows = bytes.windows(known.len());
        assert!(!windows.any(|window| window == known.as_bytes()), "{known}");
    }

    // One of them dies. The other goes on, and one that comes in its place knows all of it.
    let World { server, .. } = one;
    server.stop().await;
    other.pass(24 * HOUR);
    wait_for("the list of the next day", || async {
        let now = other.now.load(std::sync::atomic::Ordering::SeqCst);
        let list = other.list().await;
        list.is_some_and(|(list, _)| now - list.issued < HOUR && list.relays.len() == 3)
    })
    .await;
    let third = other.second(over(&bucket)).await;
    one_list(&other, &third, 3).await;
    assert_eq!(third.state(3).await.as_deref(), Some("removed"));
    assert!(third.join_word() == word);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_with_other_keys_begins_no_second_network_in_the_bucket() {
    let bucket = bucket();
    let world = World::start_with(JoinRule::Open, over(&bucket)).await;
    let before = registers(&bucket).await;
    let listen = "127.0.0.1:0".parse().unwrap();
    let location = StoreLocation::Objects(Arc::clone(&bucket));
    let mut config = ServerConfig::new(listen, location, identity(200));
    config.network = Some(NetworkConfig {
        name: "Ann's friends".to_owned(),
        joining: JoinRule::Open,
        allow_private: true,
        signer: ListSigner::Here(identity(99)),
    });
    let refused = Server::start(config).await.err().unwrap();
    assert!(
        matches!(
            &refused,
            StartServerError::Network(OpenNetworkError::Shared { .. })
        ),
        "{refused}"
    );
    let said = refused.to_string();
    assert!(
        said.contains("another key signs") && said.contains("list.key"),
        "{said}"
    );
    assert_eq!(registers(&bucket).await, before);
    drop(world);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_network_moves_from_a_folder_into_a_bucket_with_its_relays() {
    let world = World::start(JoinRule::Open).await;
    let relay = world.join(1).await;
    let word = world.join_word();
    let kept = world.folder.path().join("store").join("network.json");
    let key_path = world.folder.path().join("server.key");
    std::fs::copy(kept, key_path.with_file_name("network.json")).unwrap();
    let bucket = bucket();
    let moved = world
        .replace_server(|config| {
            over(&bucket)(config);
            config.settings.key_path = Some(key_path);
        })
        .await;
    assert!(moved.join_word() == word);
    assert!(moved.state(1).await.is_some());
    assert_eq!(registers(&bucket).await.len(), 1);
    // The relay need not join again.
    relay.die().await;
    let file = moved.folder.path().join("1.join");
    assert!(Membership::from_bytes(&std::fs::read(file).unwrap()).is_ok());
    moved.pass(60);
    let back = moved.relay(1, 1, |_config| ()).await;
    back.answered(JoinAnswer::Admitted(Admitted::Listed)).await;
}
