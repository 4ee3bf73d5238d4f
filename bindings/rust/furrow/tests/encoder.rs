// SPDX-License-Identifier: Apache-2.0
//! Encoders against the vectors of the reference, used by many, aborted, and told nonsense.

mod support;

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::Mutex;

use furrow::{
    EncodeRequest, Encoder, EncoderConfig, EncoderKind, EncoderState, ErrorKind, Library, Outcome,
    Record, Status,
};
use support::{cpu_encoder, fill_from_stream, golden, has_warning, library_with_log};

fn records_from(seed: u64, count: usize) -> Vec<Record> {
    let mut records = Record::new_zero_vec(count);
    for (record, seed) in records.iter_mut().zip(seed..) {
        fill_from_stream(seed, record.as_bytes_mut());
    }
    records
}

#[test]
fn golden_records() {
    let encoder = cpu_encoder(&Library::new().unwrap(), 1);
    let mut n_checked = 0;
    for case in golden::cases("record_encoding.json") {
        let offset = golden::number(&case, "piece_offset") as u16;
        if case.contains_key("special") || offset == u16::MAX {
            continue; // no call has a record at the last of 65536 offsets
        }
        let sector_id = golden::hash(&case, "sector_id");
        let mut records = records_from(golden::number(&case, "record_seed"), 1);
        let request = EncodeRequest::new(&sector_id, &mut records).first_offset(offset);
        let encoded = encoder.encode(request).unwrap();
        assert_eq!(encoded.outcome, Outcome::Complete);
        assert!(encoded.map.is_done(0) && !encoded.map.is_done(1));
        let hash_of = |bytes: &[u8]| furrow::hash(bytes).unwrap();
        assert_eq!(
            hash_of(records[0].as_bytes()),
            golden::hash(&case, "encoded_record_blake3"),
            "piece offset {offset}"
        );
        assert_eq!(
            hash_of(encoded.map.as_bytes()),
            golden::hash(&case, "record_chunks_used_blake3")
        );
        let found = &encoded.map[0];
        assert_eq!(found.count() as u64, golden::number(&case, "num_used"));
        assert!(found.is_set(golden::number(&case, "first_used_s_bucket") as u16));
        assert!(found.is_set(golden::number(&case, "last_used_s_bucket") as u16));
        n_checked += 1;
        if n_checked == 3 {
            break; // tenths of a second each, and there is nothing more to learn about the bindings
        }
    }
    assert_eq!(n_checked, 3);
}

#[test]
fn threads_share_one_encoder() {
    let library = Library::new().unwrap();
    let encoder = cpu_encoder(&library, 2);
    let mut expected = records_from(1, 2);
    let map = encoder
        .clone()
        .encode_records(&[5; 32], &mut expected, &AtomicBool::new(false));
    let map = map.unwrap();
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                let mut records = records_from(1, 2);
                let mut mine = encoder.clone();
                let never = AtomicBool::new(false);
                let actual = mine.encode_records(&[5; 32], &mut records, &never).unwrap();
                assert!(actual == map && records == expected);
            });
        }
    });
    let info = encoder.info().unwrap();
    assert_eq!(
        (info.threads, info.running_calls, info.records_done),
        (2, 0, 10)
    );
    assert!(info.name.contains("cpu") && info.note.is_none() && info.device_bytes == 0);
    let members = encoder.members().unwrap();
    assert_eq!(members.len(), 1);
    assert_eq!(
        (members[0].state, members[0].records_done),
        (EncoderState::Idle, 10)
    );
}

#[test]
fn an_abort_from_another_thread_leaves_each_record_done_or_as_it_was() {
    const COUNT: usize = 8;
    let library = Library::new().unwrap();
    let encoder = cpu_encoder(&library, 1);
    let abort = AtomicBool::new(false);
    let n_done = AtomicUsize::new(0);
    let mut records = records_from(20, COUNT);
    let encoded = std::thread::scope(|scope| {
        scope.spawn(|| {
            while n_done.load(Ordering::Relaxed) == 0 {
                std::thread::yield_now();
            }
            abort.store(true, Ordering::Relaxed);
        });
        let count = |_| {
            n_done.fetch_add(1, Ordering::Relaxed);
        };
        let request = EncodeRequest::new(&[6; 32], &mut records)
            .abort(&abort)
            .progress(&count);
        encoder.encode(request).unwrap()
    });
    assert_eq!(encoded.outcome, Outcome::Aborted);
    let done = (0..COUNT)
        .filter(|position| encoded.map.is_done(*position))
        .count();
    assert!(
        0 < done && done < COUNT && done == n_done.load(Ordering::Relaxed),
        "{done}"
    );
    let source = records_from(20, COUNT);
    let mut expected = records_from(20, 1);
    let first = encoder
        .encode(EncodeRequest::new(&[6; 32], &mut expected))
        .unwrap();
    assert!(records[0] == expected[0] && encoded.map[0] == first.map[0]);
    for position in 0..COUNT {
        assert_eq!(
            encoded.map.is_done(position),
            records[position] != source[position]
        );
    }
}

#[test]
fn a_flag_that_is_set_before_is_a_success_with_an_empty_map() {
    let mut encoder = cpu_encoder(&Library::new().unwrap(), 1);
    let mut records = records_from(30, 2);
    let map = encoder
        .encode_records(&[7; 32], &mut records, &AtomicBool::new(true))
        .unwrap();
    assert!(map.len() == 2 && !map.is_done(0) && !map.is_done(1));
    assert!(records == records_from(30, 2));
}

#[test]
fn progress_is_told_each_record_and_may_panic() {
    let (library, log) = library_with_log();
    let encoder = cpu_encoder(&library, 2);
    let told = Mutex::new(Vec::new());
    let progress = |offset| {
        told.lock().unwrap().push(offset);
        if offset == 101 {
            std::panic::panic_any(Bomb);
        }
        assert_ne!(offset, 102, "not this one");
    };
    let mut records = records_from(40, 4);
    let request = EncodeRequest::new(&[8; 32], &mut records)
        .first_offset(100)
        .progress(&progress);
    let encoded = encoder.encode(request).unwrap();
    assert_eq!(encoded.outcome, Outcome::Complete);
    let mut told = told
        .into_inner()
        .unwrap_or_else(|poisoned| poisoned.into_inner());
    told.sort_unstable();
    assert_eq!(told, [100, 101, 102, 103]);
    assert!(has_warning(&log, &["progress", "panicked", "not this one"]));
    assert!(has_warning(&log, &["progress", "panicked", "no text"]));
}

/// What panics once more when the panic is over.
struct Bomb;

impl Drop for Bomb {
    fn drop(&mut self) {
        panic!("dropped");
    }
}

#[test]
fn an_encoder_outlives_its_library() {
    let library = Library::new().unwrap();
    let mut encoder = cpu_encoder(&library, 1);
    drop(library);
    let mut records = records_from(50, 1);
    let map = encoder
        .encode_records(&[9; 32], &mut records, &AtomicBool::new(false))
        .unwrap();
    assert!(map.is_done(0));
}

#[test]
fn wrong_arguments() {
    let library = Library::new().unwrap();
    let many = EncoderConfig::new()
        .kind(EncoderKind::Cpu)
        .threads(1_000_000);
    let error = Encoder::new(&library, &many).unwrap_err();
    assert_eq!(
        (error.status(), error.kind()),
        (Status::InvalidArgument, ErrorKind::Argument)
    );
    assert!(error.message().contains("1000000") && error.to_string() == error.message());
    assert!(error.piece_index().is_none() && error.os_error().is_none());

    let no_device = EncoderConfig::new()
        .kind(EncoderKind::Cuda)
        .device("GPU-no-such-device");
    assert!(Encoder::new(&library, &no_device).is_err());

    let with_zero = EncoderConfig::new().kind(EncoderKind::Cuda).device("0\0");
    let error = Encoder::new(&library, &with_zero).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Argument);

    let encoder = cpu_encoder(&library, 1);
    let mut records = Record::new_zero_vec(2);
    let request = EncodeRequest::new(&[1; 32], &mut records).first_offset(u16::MAX - 1);
    let error = encoder.encode(request).unwrap_err();
    assert_eq!(error.status(), Status::InvalidArgument);
    assert_eq!(error.expected(), Some("65535"));
    assert!(records == Record::new_zero_vec(2));
}

#[test]
fn records_of_somebody_else() {
    let mut theirs = Record::new_zero_vec(2);
    theirs[1][32767] = [5; 32];
    // The type that a farmer has is the same array behind another name.
    let arrays: &mut [[[u8; 32]; 32768]] =
        unsafe { std::slice::from_raw_parts_mut(theirs.as_mut_ptr().cast(), theirs.len()) };
    let records = Record::slice_from_chunks_mut(arrays);
    assert_eq!(records.len(), 2);
    assert_eq!(records[1].as_bytes()[Record::SIZE - 32..], [5; 32]);
    records[0][0] = [6; 32];
    assert_eq!(theirs[0].as_bytes()[..32], [6; 32]);
}
