// SPDX-License-Identifier: Apache-2.0
//! Hooks and logs: called, let go, and panicking.

mod support;

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use furrow::{EncodeRequest, Level, Library, Proofs, Record};
use support::{cpu_encoder, has_warning, library_with_log};

#[test]
fn hooks_see_the_beginning_and_end_of_each_thread() {
    let started = Arc::new(Mutex::new(Vec::new()));
    let ended = Arc::new(Mutex::new(Vec::new()));
    let (at_start, at_end) = (Arc::clone(&started), Arc::clone(&ended));
    let library = Library::builder()
        .on_thread_start(move |name| at_start.lock().unwrap().push(name.to_owned()))
        .on_thread_end(move |name| at_end.lock().unwrap().push(name.to_owned()))
        .build()
        .unwrap();
    let mut encoder = cpu_encoder(&library, 2);
    let never = AtomicBool::new(false);
    encoder
        .encode_records(&[1; 32], &mut Record::new_zero_vec(2), &never)
        .unwrap();
    drop(encoder);
    let mut started = started.lock().unwrap().clone();
    let mut ended = ended.lock().unwrap().clone();
    started.sort();
    ended.sort();
    assert!(started.iter().any(|name| name == "fw-abort"), "{started:?}");
    assert_eq!(started, ended);
}

#[test]
fn hooks_may_panic() {
    let (log, n_hooks) = (
        Arc::new(Mutex::new(Vec::new())),
        Arc::new(AtomicUsize::new(0)),
    );
    let (writer, counter) = (Arc::clone(&log), Arc::clone(&n_hooks));
    let library = Library::builder()
        .on_log(move |level, line| writer.lock().unwrap().push((level, line.to_owned())))
        .on_thread_start(move |name| {
            counter.fetch_add(1, Ordering::Relaxed);
            panic!("no {name}");
        })
        .on_thread_end(|_| panic!("never over"))
        .build()
        .unwrap();
    let mut encoder = cpu_encoder(&library, 1);
    let never = AtomicBool::new(false);
    let map = encoder
        .encode_records(&[2; 32], &mut Record::new_zero_vec(1), &never)
        .unwrap();
    assert!(map.is_done(0));
    drop(encoder);
    assert!(n_hooks.load(Ordering::Relaxed) > 0);
    assert!(
        has_warning(&log, &["start", "panicked", "no fw-abort"]),
        "{log:?}"
    );
    assert!(has_warning(&log, &["end", "panicked", "never over"]));
}

#[test]
fn a_log_may_panic() {
    let n_lines = Arc::new(AtomicUsize::new(0));
    let counter = Arc::clone(&n_lines);
    let library = Library::builder()
        .on_log(move |_, line| {
            counter.fetch_add(1, Ordering::Relaxed);
            panic!("{line}");
        })
        .build()
        .unwrap();
    let encoder = cpu_encoder(&library, 1);
    let mut records = Record::new_zero_vec(1);
    let progress = |_| panic!("what is to be logged");
    encoder
        .encode(EncodeRequest::new(&[3; 32], &mut records).progress(&progress))
        .unwrap();
    assert_eq!(n_lines.load(Ordering::Relaxed), 1);
}

#[test]
fn closures_live_as_long_as_anything_of_the_library() {
    let alive = Arc::new(());
    let captured = Arc::clone(&alive);
    let library = Library::builder()
        .on_log(move |_, _| {
            let _ = &captured;
        })
        .build()
        .unwrap();
    let encoder = cpu_encoder(&library, 1);
    drop(library);
    assert_eq!(Arc::strong_count(&alive), 2);
    drop(encoder);
    assert_eq!(Arc::strong_count(&alive), 1);
}

#[test]
fn memory_is_kept_and_released() {
    let library = Library::new().unwrap();
    assert_eq!(library.kept_memory().unwrap(), 0);
    Proofs::make(&library, &[4; 32], None).unwrap().unwrap();
    assert!(library.kept_memory().unwrap() > 0);
    library.release_memory().unwrap();
    assert_eq!(library.kept_memory().unwrap(), 0);
}

#[test]
fn several_libraries_know_nothing_of_one_another() {
    let (first, first_log) = library_with_log();
    let (second, second_log) = library_with_log();
    let progress = |_| panic!("of the second");
    for (library, does_panic) in [(&first, false), (&second, true)] {
        let mut records = Record::new_zero_vec(1);
        let mut request = EncodeRequest::new(&[5; 32], &mut records);
        if does_panic {
            request = request.progress(&progress);
        }
        cpu_encoder(library, 1).encode(request).unwrap();
    }
    assert!(first_log.lock().unwrap().is_empty());
    assert_eq!(second_log.lock().unwrap().len(), 1);
    assert_eq!(second_log.lock().unwrap()[0].0, Level::Warning);
    assert_eq!(furrow::version(), env!("CARGO_PKG_VERSION"));
}

/// What base.h allows, and no less: a compiler error if not.
#[test]
fn handles_go_to_other_threads() {
    fn shared<T: Send + Sync>() {}
    shared::<Library>();
    shared::<furrow::Gate>();
    shared::<furrow::Pause>();
    shared::<furrow::Encoder>();
    shared::<furrow::PieceSource>();
    shared::<furrow::Batch>();
    shared::<furrow::Plotter>();
    shared::<furrow::Farm>();
    shared::<furrow::Devices>();
    shared::<furrow::SectorReader>();
    shared::<furrow::Error>();
}
