//! Session's service nodes: what its seeds are asked, what they answer, and the relay list that comes of it.
//!
//! These are other people's computers, run for another network; whoever uses them says so. The answer is not signed:
//! what vouches for it is the pinned certificate of the seed that gave it.

use core::fmt;
use core::net::IpAddr;

use serde::de::{Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Serialize};
use thiserror::Error;

use super::{RelayDescriptor, RelayList, RelayListError, Serves};
use crate::protocol::json::{self, Scalar, TextLimits};
use crate::protocol::keys::{Ed25519Public, X25519Public};

/// What a seed is asked, at [`ENDPOINT`].
pub(crate) const REQUEST: &str = r#"{"jsonrpc":"2.0","method":"get_n_service_nodes","params":{"active_only":true,"fields":{"public_ip":true,"storage_port":true,"pubkey_x25519":true,"pubkey_ed25519":true,"requested_unlock_height":true,"height":true}}}"#;

/// Where a seed answers it.
pub(crate) const ENDPOINT: &str = "/json_rpc";

/// Bytes an answer may have.
pub const MAX_ANSWER_LEN: usize = 4 * 1_048_576;

/// The nodes that a seed named, as they are kept.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SessionNodes {
    version: u32,
    /// When they were fetched, unix seconds.
    fetched: u64,
    /// The network's height then; it grows by one in about two minutes.
    height: u64,
    nodes: Vec<NodeEntry>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct NodeEntry {
    ed25519: String,
    host: IpAddr,
    port: u16,
    /// At which height it leaves the network; 0 when it has not asked to.
    #[serde(default)]
    leaves: u64,
}

/// Why an answer gives no nodes.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum NodesError {
    /// Not the JSON that was asked for.
    #[error("the seed's answer cannot be read")]
    Malformed,
    /// Fewer than three nodes with all that a relay needs.
    #[error("the seed named {0} nodes that can be used; a path needs three")]
    TooFew(usize),
}

#[derive(Deserialize)]
struct NodesAnswer {
    result: AnswerResult,
}

#[derive(Deserialize)]
struct AnswerResult {
    service_node_states: States,
    #[serde(default)]
    height: u64,
}

/// The entries that are nodes, each checked as soon as it is read, so that only nodes take memory.
struct States(Vec<NodeEntry>);

impl<'de> Deserialize<'de> for States {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct OfStates;
        impl<'de> Visitor<'de> for OfStates {
            type Value = States;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("states of nodes")
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<States, A::Error> {
                let mut nodes = Vec::new();
                while let Some(NodeState(node)) = seq.next_element()? {
                    nodes.extend(node);
                }
                Ok(States(nodes))
            }
        }

        deserializer.deserialize_seq(OfStates)
    }
}

/// The node of one entry, when it has all that a relay needs; anything may stand in an entry's place.
struct NodeState(Option<NodeEntry>);

impl<'de> Deserialize<'de> for NodeState {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct OfState;
        impl<'de> Visitor<'de> for OfState {
            type Value = NodeState;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("the state of a node")
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<NodeState, A::Error> {
                let mut members = NodeMembers::default();
                json::read_members(map, |name, value| {
                    let member = match name {
                        "public_ip" => &mut members.ip,
                        "storage_port" => &mut members.port,
                        "pubkey_x25519" => &mut members.x25519,
                        "pubkey_ed25519" => &mut members.ed25519,
                        "requested_unlock_height" => &mut members.leaves,
                        _ => return,
                    };
                    *member = Some(value);
                })?;
                Ok(NodeState(members.into_node()))
            }

            // A value of any other kind is no node; an error here would cost the whole list.
            fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<NodeState, A::Error> {
                while seq.next_element::<IgnoredAny>()?.is_some() {}
                Ok(NodeState(None))
            }

            fn visit_bool<E>(self, _: bool) -> Result<NodeState, E> {
                Ok(NodeState(None))
            }

            fn visit_i64<E>(self, _: i64) -> Result<NodeState, E> {
                Ok(NodeState(None))
            }

            fn visit_u64<E>(self, _: u64) -> Result<NodeState, E> {
                Ok(NodeState(None))
            }

            fn visit_f64<E>(self, _: f64) -> Result<NodeState, E> {
                Ok(NodeState(None))
            }

            fn visit_str<E>(self, _: &str) -> Result<NodeState, E> {
                Ok(NodeState(None))
            }

            fn visit_unit<E>(self) -> Result<NodeState, E> {
                Ok(NodeState(None))
            }
        }

        deserializer.deserialize_any(OfState)
    }
}

/// The members of one entry, as they stand there.
#[derive(Default)]
struct NodeMembers<'a> {
    ip: Option<Scalar<'a>>,
    port: Option<Scalar<'a>>,
    x25519: Option<Scalar<'a>>,
    ed25519: Option<Scalar<'a>>,
    leaves: Option<Scalar<'a>>,
}

impl SessionNodes {
    /// Reads what a seed answered at `now` (unix seconds). Entries that lack something, or whose keys do not belong
    /// together, are dropped, and so is every further one of a key.
    ///
    /// # Errors
    /// [`NodesError`].
    pub fn read_answer(bytes: &[u8], now: u64) -> Result<Self, NodesError> {
        let answer: NodesAnswer =
            json::parse(bytes, LIMITS).map_err(|_why| NodesError::Malformed)?;
        let mut nodes = answer.result.service_node_states.0;
        nodes.sort_by(|one, other| one.ed25519.cmp(&other.ed25519));
        nodes.dedup_by(|one, other| one.ed25519 == other.ed25519);
        let nodes = Self {
            version: 1,
            fetched: now,
            height: answer.result.height,
            nodes,
        };
        nodes.usable(now)?;
        Ok(nodes)
    }

    /// Reads what [`SessionNodes::to_json`] wrote.
    ///
    /// # Errors
    /// [`NodesError::Malformed`].
    pub fn read_kept(bytes: &[u8]) -> Result<Self, NodesError> {
        json::parse(bytes, LIMITS)
            .ok()
            .filter(|nodes: &Self| nodes.version == 1)
            .ok_or(NodesError::Malformed)
    }

    /// The nodes as a file keeps them.
    #[must_use]
    pub fn to_json(&self) -> String {
        serde_json::to_string(self).expect("plain fields serialise")
    }

    /// When they were fetched, unix seconds.
    #[must_use]
    pub(crate) const fn fetched(&self) -> u64 {
        self.fetched
    }

    /// The relay list they make at `now` (unix seconds), without those that have left by then.
    ///
    /// # Errors
    /// [`NodesError::TooFew`].
    pub(crate) fn usable(&self, now: u64) -> Result<RelayList, NodesError> {
        let height = self
            .height
            .saturating_add(now.saturating_sub(self.fetched) / SECS_PER_BLOCK);
        let relays = self
            .nodes
            .iter()
            .filter(|node| node.leaves == 0 || node.leaves > height)
            .filter_map(NodeEntry::descriptor)
            .collect();
        RelayList::join(
            "Session service nodes",
            self.fetched,
            self.fetched.saturating_add(GOOD_FOR_SECS),
            relays,
        )
        .map_err(|error| match error {
            RelayListError::TooFew(count) => NodesError::TooFew(count),
            _ => NodesError::Malformed,
        })
    }
}

impl NodeMembers<'_> {
    fn into_node(self) -> Option<NodeEntry> {
        let host: IpAddr = self.ip?.as_str()?.parse().ok()?;
        let nowhere = match host {
            IpAddr::V4(ip) => ip.is_unspecified() || ip.is_broadcast(),
            IpAddr::V6(ip) => ip.is_unspecified(),
        };
        let port = u16::try_from(self.port?.as_u64()?).ok()?;
        if nowhere || port == 0 {
            return None;
        }
        let key = Ed25519Public::from_hex(self.ed25519?.as_str()?).ok()?;
        let x25519 = X25519Public::from_hex(self.x25519?.as_str()?).ok()?;
        let leaves = match self.leaves {
            None => 0,
            Some(height) => height.as_u64()?,
        };
        (x25519 == key.to_x25519()).then(|| NodeEntry {
            ed25519: key.to_hex(),
            host,
            port,
            leaves,
        })
    }
}

impl NodeEntry {
    fn descriptor(&self) -> Option<RelayDescriptor> {
        Some(RelayDescriptor {
            key: Ed25519Public::from_hex(&self.ed25519).ok()?,
            host: self.host,
            port: self.port,
            operator: String::new(),
            serves: Serves::Any,
        })
    }
}

const LIMITS: TextLimits = TextLimits {
    text: MAX_ANSWER_LEN,
    string: 1_024,
};
/// Two weeks without any seed, and the nodes have moved on.
const GOOD_FOR_SECS: u64 = 14 * 24 * 3_600;
const SECS_PER_BLOCK: u64 = 120;

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::{Value, json};

    use super::*;
    use crate::protocol::keys::Identity;

    const NOW: u64 = 1_800_000_000;

    fn state(seed: u8) -> Value {
        let key = Identity::from_seed([seed; 32]).public();
        json!({
            "public_ip": format!("192.0.2.{seed}"),
            "storage_port": 22_021,
            "pubkey_x25519": key.to_x25519().to_hex(),
            "pubkey_ed25519": key.to_hex(),
            "requested_unlock_height": 0,
        })
    }

    fn answer(states: &[Value]) -> Vec<u8> {
        json!({"jsonrpc": "2.0", "id": "0", "result": {"service_node_states": states, "height": 1000, "status": "OK"}})
            .to_string()
            .into_bytes()
    }

    fn with(mut state: Value, key: &str, value: Value) -> Value {
        state[key] = value;
        state
    }

    fn without(mut state: Value, key: &str) -> Value {
        state.as_object_mut().unwrap().shift_remove(key);
        state
    }

    #[test]
    fn a_seed_is_asked_for_exactly_the_fields_that_are_used() {
        let request: Value = serde_json::from_str(REQUEST).unwrap();
        assert_eq!(request["method"], "get_n_service_nodes");
        assert_eq!(request["params"]["active_only"], true);
        let fields = request["params"]["fields"].as_object().unwrap();
        let mut names: Vec<_> = fields.keys().map(String::as_str).collect();
        names.sort_unstable();
        assert_eq!(
            names,
            [
                "height",
                "pubkey_ed25519",
                "pubkey_x25519",
                "public_ip",
                "requested_unlock_height",
                "storage_port"
            ]
        );
    }

    #[test]
    fn whole_entries_become_relays_and_others_are_dropped() {
        let other = Identity::from_seed([77; 32]).public();
        let states = [
            state(3),
            state(1),
            state(2),
            with(state(1), "public_ip", json!("192.0.2.99")),
            with(state(4), "public_ip", json!("")),
            with(state(5), "public_ip", json!("0.0.0.0")),
            with(state(6), "public_ip", json!("255.255.255.255")),
            with(state(7), "public_ip", json!("node.example")),
            with(state(8), "storage_port", json!(0)),
            with(state(9), "storage_port", json!(70_000)),
            with(
                state(10),
                "pubkey_x25519",
                json!(other.to_x25519().to_hex()),
            ),
            with(state(11), "pubkey_x25519", json!("")),
            with(state(12), "pubkey_ed25519", json!("00".repeat(32))),
            without(state(13), "pubkey_ed25519"),
            without(state(14), "public_ip"),
            json!("nonsense"),
        ];
        let nodes = SessionNodes::read_answer(&answer(&states), NOW).unwrap();
        let list = nodes.usable(NOW).unwrap();
        let mut hosts: Vec<_> = list
            .relays
            .iter()
            .map(|relay| relay.host.to_string())
            .collect();
        hosts.sort();
        assert_eq!(hosts, ["192.0.2.1", "192.0.2.2", "192.0.2.3"]);
        assert!(
            list.relays
                .iter()
                .all(|relay| relay.port == 22_021 && relay.serves == Serves::Any)
        );
        assert_eq!((list.issued, nodes.fetched()), (NOW, NOW));
        assert_eq!(
            SessionNodes::read_kept(nodes.to_json().as_bytes()),
            Ok(nodes)
        );
    }

    #[test]
    fn a_node_that_leaves_is_used_until_then() {
        let mut states: Vec<_> = (1..=4).map(state).collect();
        states[0] = with(state(1), "requested_unlock_height", json!(1_010));
        let nodes = SessionNodes::read_answer(&answer(&states), NOW).unwrap();
        assert_eq!(nodes.usable(NOW + 10 * 120 - 1).unwrap().relays.len(), 4);
        assert_eq!(nodes.usable(NOW + 10 * 120).unwrap().relays.len(), 3);
    }

    #[test]
    fn answers_without_three_nodes_are_refused() {
        for (bytes, error) in [
            (answer(&[state(1), state(2)]), NodesError::TooFew(2)),
            (answer(&[]), NodesError::TooFew(0)),
            (b"{}".to_vec(), NodesError::Malformed),
            (b"<html>".to_vec(), NodesError::Malformed),
            (vec![b' '; MAX_ANSWER_LEN + 1], NodesError::Malformed),
        ] {
            assert_eq!(SessionNodes::read_answer(&bytes, NOW), Err(error));
        }
        assert_eq!(SessionNodes::read_kept(b"{}"), Err(NodesError::Malformed));
    }

    proptest! {
        #[test]
        fn no_answer_panics(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            drop(SessionNodes::read_answer(&bytes, NOW));
            drop(SessionNodes::read_kept(&bytes));
        }
    }
}
