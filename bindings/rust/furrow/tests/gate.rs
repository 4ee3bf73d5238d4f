// SPDX-License-Identifier: Apache-2.0
//! Work waits at a gate, however many have closed it, and goes on.

mod support;

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use furrow::{EncodeRequest, Encoder, EncoderConfig, EncoderKind, Gate, Library, Outcome, Record};

fn encoder_with(gate: &Gate) -> Encoder {
    let config = EncoderConfig::new()
        .kind(EncoderKind::Cpu)
        .threads(1)
        .gate(gate);
    Encoder::new(&Library::new().unwrap(), &config).unwrap()
}

#[test]
fn nothing_is_encoded_while_anybody_pauses() {
    let gate = Gate::new().unwrap();
    let encoder = encoder_with(&gate);
    let (first, second) = (gate.pause().unwrap(), gate.pause().unwrap());
    drop(first);
    let abort = AtomicBool::new(false);
    let mut records = Record::new_zero_vec(1);
    let encoded = std::thread::scope(|scope| {
        scope.spawn(|| {
            // Longer than a record takes: without the pause it would be done.
            std::thread::sleep(Duration::from_secs(2));
            abort.store(true, Ordering::Relaxed);
        });
        encoder
            .encode(EncodeRequest::new(&[1; 32], &mut records).abort(&abort))
            .unwrap()
    });
    assert_eq!(encoded.outcome, Outcome::Aborted);
    assert!(!encoded.map.is_done(0) && records == Record::new_zero_vec(1));
    drop(second);
    let encoded = encoder
        .encode(EncodeRequest::new(&[1; 32], &mut records))
        .unwrap();
    assert_eq!(encoded.outcome, Outcome::Complete);
}

#[test]
fn a_pause_ends_where_it_is_dropped() {
    let gate = Gate::new().unwrap();
    let encoder = encoder_with(&gate);
    let pause = gate.pause().unwrap();
    drop(gate); // the pause keeps it
    let mut records = Record::new_zero_vec(1);
    std::thread::scope(|scope| {
        scope.spawn(move || drop(pause));
        let encoded = encoder
            .encode(EncodeRequest::new(&[2; 32], &mut records))
            .unwrap();
        assert_eq!(encoded.outcome, Outcome::Complete);
    });
}
