//! What becomes of a list that was fetched: taken, or refused with the reason while the last good one serves.
//!
//! A list is good when its pinned key signed exactly these bytes, its time has come and has not passed, and it is not
//! older than the one held. Who fetched it, from where and by which way makes no difference.

use std::io;

use data_encoding::HEXLOWER;
use thiserror::Error;

use super::{RelayList, RelayListError, signature_is_good};
use crate::protocol::keys::Ed25519Public;

/// The list of one source: the key it must be signed with, and the last good one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HeldList {
    key: Ed25519Public,
    good: Option<Good>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Good {
    list: RelayList,
    text: String,
    signature: String,
}

/// What a good offer was.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OfferOutcome {
    /// A list that differs from the one held, or the first.
    New,
    /// The one held already.
    Same,
}

/// When the list is to be asked for again. Only ever looked at when a transfer is asked for anyway.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refresh {
    /// Before the transfer: it ends soon.
    Before,
    /// Beside the transfer.
    Beside,
    /// Not yet: it was asked for within the last day.
    NotYet,
}

/// Why an offered list is refused.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum ListRefused {
    /// The text is not a relay list, or the list has expired.
    #[error(transparent)]
    List(#[from] RelayListError),
    /// `issued` lies in the future by more than clocks differ.
    #[error("the list is dated in the future; if it is not, the clock of this computer is wrong")]
    NotYet,
    /// `issued` lies before that of the one held.
    #[error("the list is older than the one that is held")]
    Older,
    /// The list has another text than the one held, though both are dated the same.
    #[error("the list is not the one that is held, though both are dated the same")]
    SameDate,
    /// The list is so large that no file server could hand it on.
    #[error("the list is larger than file servers can hand on ({MAX_ANSWER_LEN} bytes)")]
    TooLarge,
    /// The list has no signature.
    #[error("the list is not signed")]
    Unsigned,
    /// The signature is none, or not of the pinned key over exactly these bytes.
    #[error("the list is not signed by the key it was added with")]
    WronglySigned,
}

impl HeldList {
    /// No list yet.
    #[must_use]
    pub const fn new(key: Ed25519Public) -> Self {
        Self { key, good: None }
    }

    /// The list as it was kept: its signature is checked again, its time is not, so that `issued` never goes back.
    /// What was damaged meanwhile is no list.
    #[must_use]
    pub(crate) fn resume(key: Ed25519Public, text: &str, signature: &str) -> Self {
        let good = check(&key, text.as_bytes(), Some(signature)).ok();
        Self { key, good }
    }

    /// Takes a list that was fetched, if it is good at `now` (unix seconds).
    ///
    /// # Errors
    /// [`ListRefused`] with the first reason found; what was held stays. `issued` must grow with every other text.
    pub fn offer(
        &mut self,
        list: &[u8],
        signature: Option<&str>,
        now: u64,
    ) -> Result<OfferOutcome, ListRefused> {
        let offered = check(&self.key, list, signature)?;
        if now >= offered.list.expires {
            return Err(RelayListError::Expired.into());
        }
        if offered.list.issued > now.saturating_add(CLOCKS_DIFFER_SECS) {
            return Err(ListRefused::NotYet);
        }
        match &self.good {
            Some(held) if offered.list.issued < held.list.issued => Err(ListRefused::Older),
            Some(held) if held.text == offered.text => Ok(OfferOutcome::Same),
            // Whoever can alternate between two lists chooses whom this person's requests go through.
            Some(held) if offered.list.issued == held.list.issued => Err(ListRefused::SameDate),
            _ => {
                self.good = Some(offered);
                Ok(OfferOutcome::New)
            }
        }
    }

    /// The last good list, while its time lasts.
    #[must_use]
    pub fn usable(&self, now: u64) -> Option<&RelayList> {
        self.last().filter(|list| now < list.expires)
    }

    /// The last good list, whether its time has passed or not.
    #[must_use]
    pub(crate) fn last(&self) -> Option<&RelayList> {
        self.good.as_ref().map(|good| &good.list)
    }

    /// The exact bytes of the last good list and their signature, to be kept.
    #[must_use]
    pub(crate) fn kept(&self) -> Option<(&str, &str)> {
        self.good
            .as_ref()
            .map(|good| (good.text.as_str(), good.signature.as_str()))
    }

    /// Whether it is to be asked for, when that was done last at `asked` (unix seconds).
    #[must_use]
    pub(crate) fn refresh(&self, asked: Option<u64>, now: u64) -> Refresh {
        // A clock that was set back must not keep the list from being asked for.
        let today = asked
            .and_then(|asked| now.checked_sub(asked))
            .is_some_and(|age| age < REFRESH_SECS);
        match self.last() {
            _ if today => Refresh::NotYet,
            Some(list) if list.expires.saturating_sub(now) > ENDS_SOON_SECS => Refresh::Beside,
            _ => Refresh::Before,
        }
    }
}

impl HeldList {
    /// Whether the list of a network, which its server keeps, is to be asked for again, when that was done last at `asked`
    /// (unix seconds): when a third of its life is left, at most once an hour.
    #[must_use]
    pub(crate) fn refresh_of_network(&self, asked: u64, now: u64) -> Refresh {
        let just_asked = now.checked_sub(asked).is_some_and(|age| age < HOUR_SECS);
        let Some(list) = self.usable(now) else {
            return Refresh::Before;
        };
        let left = list.expires.saturating_sub(now);
        let life = list.expires.saturating_sub(list.issued);
        match left {
            _ if just_asked || left > life / 3 => Refresh::NotYet,
            left if left > ENDS_SOON_SECS => Refresh::Beside,
            _ => Refresh::Before,
        }
    }

    /// How many relays of the list that is held `newer` lacks, and how many the held one has; nothing where none is held.
    #[must_use]
    pub(crate) fn lacking(&self, newer: &RelayList) -> (usize, usize) {
        let Some(held) = self.last() else {
            return (0, 0);
        };
        let gone = held.relays.iter();
        let gone = gone.filter(|relay| newer.find(&relay.key).is_none());
        (gone.count(), held.relays.len())
    }
}

/// Signature first: nothing else of an unsigned list is looked at.
fn check(key: &Ed25519Public, list: &[u8], signature: Option<&str>) -> Result<Good, ListRefused> {
    if list.len() > MAX_ANSWER_LEN {
        return Err(ListRefused::TooLarge);
    }
    let signature = signature.map(str::trim).unwrap_or_default();
    if signature.is_empty() {
        return Err(ListRefused::Unsigned);
    }
    let bytes: [u8; 64] = HEXLOWER
        .decode(signature.as_bytes())
        .ok()
        .and_then(|bytes| bytes.try_into().ok())
        .ok_or(ListRefused::WronglySigned)?;
    if !signature_is_good(key, list, &bytes) {
        return Err(ListRefused::WronglySigned);
    }
    let text = str::from_utf8(list)
        .map_err(|_why| RelayListError::Malformed("it is not text".to_owned()))?;
    if !can_be_mirrored(text) {
        return Err(ListRefused::TooLarge);
    }
    Ok(Good {
        list: RelayList::read(list)?,
        text: text.to_owned(),
        signature: signature.to_owned(),
    })
}

/// Whether a file server can hand the list on: its answer has the length of that with the smallest blob.
#[must_use]
pub fn can_be_mirrored(list: &str) -> bool {
    // In the answer the text is a JSON string, beside its signature.
    let mut room = ByteCounter(MAX_ANSWER_LEN - SIGNATURE_ROOM);
    serde_json::to_writer(&mut room, list).is_ok()
}

/// Takes so many bytes and keeps none.
struct ByteCounter(usize);

impl io::Write for ByteCounter {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let left = self.0.checked_sub(bytes.len());
        self.0 = left.ok_or(io::ErrorKind::FileTooLarge)?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// The smallest blob.
const MAX_ANSWER_LEN: usize = 65_536;
/// 128 digits and the names around them.
const SIGNATURE_ROOM: usize = 256;
/// How far a list may be dated in the future, in seconds, because clocks differ.
pub const CLOCKS_DIFFER_SECS: u64 = 3_600;
const REFRESH_SECS: u64 = 24 * 3_600;
const ENDS_SOON_SECS: u64 = 2 * 24 * 3_600;
const HOUR_SECS: u64 = 3_600;

#[cfg(test)]
mod tests {
    use core::net::IpAddr;

    use super::*;
    use crate::protocol::keys::Identity;
    use crate::protocol::relay_list::{RelayDescriptor, Serves, sign};

    const NOW: u64 = 1_800_000_000;
    const DAY: u64 = 24 * 3_600;

    fn signer() -> Identity {
        Identity::from_seed([9; 32])
    }

    fn list(issued: u64, expires: u64) -> String {
        let relays = (1..=3).map(|seed| RelayDescriptor {
            key: Identity::from_seed([seed; 32]).public(),
            host: IpAddr::from([192, 0, 2, seed]),
            port: 22_021,
            operator: String::new(),
            serves: Serves::Any,
        });
        RelayList {
            name: "ours".to_owned(),
            issued,
            expires,
            relays: relays.collect(),
        }
        .to_json()
    }

    fn offer(held: &mut HeldList, text: &str, now: u64) -> Result<OfferOutcome, ListRefused> {
        held.offer(
            text.as_bytes(),
            Some(&sign(&signer(), text.as_bytes())),
            now,
        )
    }

    fn holding() -> HeldList {
        let mut held = HeldList::new(signer().public());
        assert_eq!(
            offer(&mut held, &list(NOW, NOW + 90 * DAY), NOW),
            Ok(OfferOutcome::New)
        );
        held
    }

    #[test]
    fn the_list_of_a_network_is_asked_for_when_a_third_of_its_life_is_left() {
        let mut held = HeldList::new(signer().public());
        let never = 0;
        assert_eq!(held.refresh_of_network(never, NOW), Refresh::Before);
        let life = 15 * DAY;
        offer(&mut held, &list(NOW, NOW + life), NOW).unwrap();
        for (days, due) in [
            (0, Refresh::NotYet),
            (9, Refresh::NotYet),
            (10, Refresh::Beside),
            (12, Refresh::Beside),
            (13, Refresh::Before),
            (15, Refresh::Before),
            (200, Refresh::Before),
        ] {
            let now = NOW + days * DAY;
            assert_eq!(held.refresh_of_network(never, now), due, "{days}");
            if days < 15 {
                assert_eq!(held.refresh_of_network(now - 60, now), Refresh::NotYet);
            }
            assert_eq!(held.refresh_of_network(now - 3_600, now), due, "{days}");
        }
    }

    #[test]
    fn what_a_newer_list_lacks_is_counted_by_keys() {
        let held = holding();
        let mut newer = RelayList::read(list(NOW + 1, NOW + 2).as_bytes()).unwrap();
        assert_eq!(held.lacking(&newer), (0, 3));
        newer.relays[0].key = Identity::from_seed([4; 32]).public();
        newer.relays[1].port += 1;
        assert_eq!(held.lacking(&newer), (1, 3));
        assert_eq!(HeldList::new(signer().public()).lacking(&newer), (0, 0));
    }

    /// Whether this is the reason that was expected.
    type Expected = fn(&ListRefused) -> bool;

    #[test]
    fn every_refusal_has_its_reason_and_the_last_good_one_serves() {
        let held = holding();
        let good = list(NOW + 1, NOW + 2);
        let sig = sign(&signer(), good.as_bytes());
        let stranger = sign(&Identity::from_seed([8; 32]), good.as_bytes());
        let two = good.replace("\"relays\": [", "\"relays\":[],\"x\":[");
        let few = format!(
            "{{\"version\":1,\"name\":\"\",\"issued\":{NOW},\"expires\":{},\"relays\":[]}}",
            NOW + 5
        );
        let swapped = good.replace(
            &Identity::from_seed([1; 32]).public().to_x25519().to_hex(),
            &Identity::from_seed([2; 32]).public().to_x25519().to_hex(),
        );
        let newer = good.replace("\"version\": 1", "\"version\": 2");
        let large = format!("{good}{}", " ".repeat(MAX_ANSWER_LEN));
        let escaped = format!("{good}{}", "\n".repeat(MAX_ANSWER_LEN / 2));
        let signed = |text: &str| Some(sign(&signer(), text.as_bytes()));
        let cases: Vec<(&str, Option<String>, u64, Expected)> = vec![
            (&good, None, NOW, |why| *why == ListRefused::Unsigned),
            (&good, Some("\n".to_owned()), NOW, |why| {
                *why == ListRefused::Unsigned
            }),
            (&good, Some(stranger), NOW, |why| {
                *why == ListRefused::WronglySigned
            }),
            (&good, Some(sig[2..].to_owned()), NOW, |why| {
                *why == ListRefused::WronglySigned
            }),
            (&two, Some(sig.clone()), NOW, |why| {
                *why == ListRefused::WronglySigned
            }),
            (&good, Some(sig.clone()), NOW + 2, |why| {
                *why == ListRefused::List(RelayListError::Expired)
            }),
            (&good, Some(sig), NOW - 3_600, |why| {
                *why == ListRefused::NotYet
            }),
            (&few, signed(&few), NOW, |why| {
                *why == ListRefused::List(RelayListError::TooFew(0))
            }),
            (&swapped, signed(&swapped), NOW, |why| {
                matches!(why, ListRefused::List(RelayListError::Entry { .. }))
            }),
            (&newer, signed(&newer), NOW, |why| {
                *why == ListRefused::List(RelayListError::Newer)
            }),
            (&large, signed(&large), NOW, |why| {
                *why == ListRefused::TooLarge
            }),
            (&escaped, signed(&escaped), NOW, |why| {
                *why == ListRefused::TooLarge
            }),
            ("<html>", signed("<html>"), NOW, |why| {
                matches!(why, ListRefused::List(RelayListError::Malformed(_)))
            }),
        ];
        for (number, (text, signature, now, expected)) in cases.into_iter().enumerate() {
            let mut offered = held.clone();
            let why = offered
                .offer(text.as_bytes(), signature.as_deref(), now)
                .unwrap_err();
            assert!(expected(&why), "case {number}: {why}");
            assert_eq!(offered, held, "case {number} changed what is held");
        }
    }

    #[test]
    fn issued_never_goes_back_not_even_after_a_restart_or_the_end() {
        let held = holding();
        let (text, signature) = held.kept().unwrap();
        let mut resumed = HeldList::resume(signer().public(), text, signature);
        assert_eq!(resumed, held);
        let older = list(NOW - 1, NOW + 400 * DAY);
        assert_eq!(
            offer(&mut resumed, &older, NOW + 100 * DAY),
            Err(ListRefused::Older)
        );
        assert_eq!(resumed.usable(NOW + 90 * DAY), None);
        assert_eq!(
            offer(&mut resumed, &list(NOW, NOW + 90 * DAY), NOW),
            Ok(OfferOutcome::Same)
        );
        let other = list(NOW, NOW + 91 * DAY);
        assert_eq!(
            offer(&mut resumed, &other, NOW),
            Err(ListRefused::SameDate),
            "two texts of one date"
        );
        let newer = list(NOW + 1, NOW + 91 * DAY);
        assert_eq!(offer(&mut resumed, &newer, NOW), Ok(OfferOutcome::New));
        assert_eq!(resumed.usable(NOW).unwrap().issued, NOW + 1);
    }

    #[test]
    fn what_was_damaged_on_disk_is_no_list() {
        let held = holding();
        let (text, signature) = held.kept().unwrap();
        let damaged = text.replace("ours", "theirs");
        for (text, signature) in [(damaged.as_str(), signature), (text, ""), ("", signature)] {
            let resumed = HeldList::resume(signer().public(), text, signature);
            assert_eq!(resumed, HeldList::new(signer().public()));
        }
        let other = Identity::from_seed([8; 32]).public();
        assert_eq!(HeldList::resume(other, text, signature).last(), None);
    }

    #[test]
    fn a_clock_may_be_an_hour_off() {
        let mut held = HeldList::new(signer().public());
        let text = list(NOW, NOW + DAY);
        assert_eq!(
            offer(&mut held, &text, NOW - 3_601),
            Err(ListRefused::NotYet)
        );
        assert_eq!(offer(&mut held, &text, NOW - 3_600), Ok(OfferOutcome::New));
    }

    #[test]
    fn it_is_asked_for_once_a_day_and_sooner_than_the_transfer_near_its_end() {
        let held = holding();
        for (asked, now, expected) in [
            (None, NOW, Refresh::Beside),
            (Some(NOW), NOW + DAY - 1, Refresh::NotYet),
            (Some(NOW), NOW + DAY, Refresh::Beside),
            (Some(NOW + 1), NOW, Refresh::Beside),
            (Some(NOW), NOW + 88 * DAY, Refresh::Before),
            (Some(NOW + 88 * DAY), NOW + 88 * DAY + 1, Refresh::NotYet),
        ] {
            assert_eq!(held.refresh(asked, now), expected, "{asked:?} {now}");
        }
    }
}
