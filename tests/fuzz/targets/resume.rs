//! The state of a transfer in parts: files of any bytes, and records of any content under the right key. Never a panic;
//! what is read is written the same again.
#![no_main]

mod bounded;

use bounded::bounded;
use cloakroom::protocol::resume::{
    EncodedRecord, Log, LogEnd, LogWriter, RecipientRecord, RecipientState, ResumeKey,
    SenderRecord, SenderState,
};
use libfuzzer_sys::fuzz_target;
use rand_chacha::ChaCha20Rng;
use rand_core::SeedableRng as _;

/// State beside the records: a few bytes for each part of the plan that they begin with.
const STATE_OF_MANY_PARTS: usize = 32 * 1024 * 1024;

fuzz_target!(|bytes: &[u8]| {
    let key = ResumeKey::from_bytes([1; 32]);
    drop(bounded(bytes.len(), || {
        Log::read(bytes, &key).map(Log::recovered)
    }));
    let file = [LogWriter::new(&key).header(), bytes].concat();
    let recovered = bounded(file.len(), || read(&file, &key).1);
    assert!(recovered <= file.len());

    // Each record behind its length.
    let mut records = Vec::new();
    let mut left = bytes;
    while let Some((len, rest)) = left.split_first_chunk() {
        let len = usize::from(u16::from_le_bytes(*len)).min(rest.len());
        let (record, rest) = rest.split_at(len);
        records.push(record);
        left = rest;
    }
    for record in &records {
        if let Ok(read) = bounded(record.len(), || SenderRecord::decode(record)) {
            assert_written_alike(&read.encode(), record, &key);
        }
        if let Ok(read) = bounded(record.len(), || RecipientRecord::decode(record)) {
            assert_written_alike(&read.encode(), record, &key);
        }
    }
    let len = bytes.len() + STATE_OF_MANY_PARTS;
    if let Ok(state) = bounded(len, || SenderState::replay(&mut records.iter())) {
        drop(bounded(len, || state.part_list()));
        let _hour = state.earliest_hour();
    }
    if let Ok(state) = bounded(len, || RecipientState::replay(&mut records.iter())) {
        assert!(state.list().is_some() || state.written() == 0);
    }
});

/// The records of a file, and how many of its bytes are good.
fn read(file: &[u8], key: &ResumeKey) -> (usize, usize) {
    let Ok(mut log) = Log::read(file, key) else {
        panic!("the beginning is right");
    };
    let count = log.by_ref().count();
    (count, log.recovered().good_len)
}

/// Seals a record and reads it again.
fn assert_written_alike(encoded: &EncodedRecord, record: &[u8], key: &ResumeKey) {
    let mut writer = LogWriter::new(key);
    let mut file = writer.header().to_vec();
    let sealed = writer.seal(encoded, &mut ChaCha20Rng::seed_from_u64(7));
    file.extend(sealed.expect("the input is shorter than the longest record"));
    let Ok(mut log) = Log::read(&file, key) else {
        panic!("it was just written");
    };
    assert!(log.next().is_some_and(|read| **read == *record));
    assert_eq!(log.recovered().end, LogEnd::Whole);
}
