// SPDX-License-Identifier: Apache-2.0
//! Getters of the user: one piece at a time, in batches, failing in every way.

mod support;

use std::error::Error as StdError;
use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use furrow::{
    Batch, BatchGetter, ErrorKind, Found, Library, Outcome, Piece, PieceGetter, PieceSource,
    SourceOptions, Status,
};
use support::{fill_from_stream, has_warning, library_with_log, Folder};

/// An error with a cause.
#[derive(Debug)]
struct Broken(Option<Box<Broken>>);

impl fmt::Display for Broken {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(if self.0.is_some() {
            "outer trouble"
        } else {
            "inner\0trouble"
        })
    }
}

impl StdError for Broken {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.0
            .as_deref()
            .map(|cause| cause as &(dyn StdError + 'static))
    }
}

/// Every index is another way to answer.
struct Moody {
    _alive: Arc<()>,
}

impl PieceGetter for Moody {
    fn get_piece(&self, index: u64, piece: &mut Piece) -> Result<Found, Box<dyn StdError>> {
        match index {
            1 => Ok(Found::Missing),
            2 => Err(Box::new(Broken(Some(Box::new(Broken(None)))))),
            3 => panic!("index {index} is unlucky"),
            _ => {
                assert!(piece.iter().all(|byte| *byte == 0));
                fill_from_stream(index, piece.as_mut());
                Ok(Found::Here)
            }
        }
    }
}

#[test]
fn a_getter_of_one_piece_at_a_time() {
    let (library, alive) = (Library::new().unwrap(), Arc::new(()));
    let getter = Moody {
        _alive: Arc::clone(&alive),
    };
    let source = PieceSource::from_getter(&library, getter, SourceOptions::new()).unwrap();
    let mut piece = Piece::new_boxed();
    assert_eq!(
        source.get_piece(0, &mut piece, None).unwrap(),
        Outcome::Complete
    );
    let mut expected = Piece::new_boxed();
    fill_from_stream(0, (*expected).as_mut());
    assert!(piece == expected);

    let error = source.get_piece(1, &mut piece, None).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::PieceMissing);
    assert_eq!(
        (error.status(), error.piece_index()),
        (Status::Unavailable, Some(1))
    );
    let error = source.get_piece(2, &mut piece, None).unwrap_err();
    assert_eq!(
        (error.status(), error.kind()),
        (Status::CallbackFailed, ErrorKind::Callback)
    );
    assert!(
        error.message().contains("outer trouble: inner trouble"),
        "{error}"
    );
    let error = source.get_piece(3, &mut piece, None).unwrap_err();
    assert_eq!(
        (error.kind(), error.piece_index()),
        (ErrorKind::Callback, Some(3))
    );
    assert!(
        error.message().contains("panicked: index 3 is unlucky"),
        "{error}"
    );
    assert!(piece == expected); // as it was

    let second = source.clone();
    drop((library, source));
    assert_eq!(Arc::strong_count(&alive), 2);
    assert!(second.get_piece(4, &mut piece, None).is_ok());
    drop(second);
    assert_eq!(Arc::strong_count(&alive), 1);
}

#[test]
fn options_that_are_refused_give_the_getter_back() {
    let (library, alive) = (Library::new().unwrap(), Arc::new(()));
    let getter = Moody {
        _alive: Arc::clone(&alive),
    };
    let error = PieceSource::from_getter(&library, getter, SourceOptions::new().concurrency(65));
    assert_eq!(error.unwrap_err().status(), Status::InvalidArgument);
    assert_eq!(Arc::strong_count(&alive), 1);
    let getter = Moody {
        _alive: Arc::clone(&alive),
    };
    let patience = SourceOptions::new().patience(Duration::from_secs(u64::MAX));
    let error = PieceSource::from_getter(&library, getter, patience).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Argument);
    assert_eq!(Arc::strong_count(&alive), 1);
}

/// Keeps its batches, for the test to answer.
#[derive(Clone, Default)]
struct Kept(Arc<Mutex<Vec<Batch>>>);

impl BatchGetter for Kept {
    fn get_pieces(&self, batch: Batch) {
        self.0.lock().unwrap().push(batch);
    }
}

impl Kept {
    fn wait(&self) -> Batch {
        loop {
            if let Some(batch) = self.0.lock().unwrap().pop() {
                return batch;
            }
            std::thread::sleep(Duration::from_millis(1));
        }
    }
}

#[test]
fn a_batch_is_answered_from_any_thread() {
    let (library, kept) = (Library::new().unwrap(), Kept::default());
    let source = PieceSource::from_batches(&library, kept.clone(), SourceOptions::new()).unwrap();
    let mut expected = Piece::new_boxed();
    fill_from_stream(9, (*expected).as_mut());
    std::thread::scope(|scope| {
        let asking = scope.spawn(|| {
            let mut piece = Piece::new_boxed();
            let outcome = source.get_piece(9, &mut piece, None).unwrap();
            (piece, outcome)
        });
        let batch = kept.wait();
        assert_eq!(batch.piece_indices(), [9]);
        assert!(!batch.is_over());
        let error = batch.answer(8, &expected).unwrap_err();
        assert_eq!(
            (error.status(), error.piece_index()),
            (Status::InvalidArgument, Some(8))
        );
        assert_eq!(batch.answer(9, &expected).unwrap(), Outcome::Complete);
        let (piece, outcome) = asking.join().unwrap();
        assert!(piece == expected && outcome == Outcome::Complete);
        // Nobody waits any more.
        assert!(batch.is_over());
        assert_eq!(batch.answer(9, &expected).unwrap(), Outcome::Aborted);
    });
    for (answer, status) in [
        (Batch::missing as fn(&Batch, u64) -> _, Status::Unavailable),
        (
            |batch: &Batch, index| batch.fail(index, "a\0network"),
            Status::CallbackFailed,
        ),
        (|_: &Batch, _| Ok(Outcome::Complete), Status::CallbackFailed), // dropped without an answer
    ] {
        let error = std::thread::scope(|scope| {
            let asking = scope.spawn(|| source.get_piece(7, &mut Piece::new_boxed(), None));
            answer(&kept.wait(), 7).unwrap();
            asking.join().unwrap().unwrap_err()
        });
        assert_eq!(
            (error.status(), error.piece_index()),
            (status, Some(7)),
            "{error}"
        );
    }
}

#[test]
fn a_batch_outlives_its_source_and_library() {
    let kept = Kept::default();
    let batch = {
        let library = Library::new().unwrap();
        let options = SourceOptions::new().patience(Duration::from_millis(20));
        let source = PieceSource::from_batches(&library, kept.clone(), options).unwrap();
        let error = source
            .get_piece(3, &mut Piece::new_boxed(), None)
            .unwrap_err();
        assert_eq!(
            (error.kind(), error.piece_index()),
            (ErrorKind::CallbackSilent, Some(3))
        );
        kept.wait()
    };
    assert!(batch.is_over());
    assert_eq!(
        batch.answer(3, &Piece::new_boxed()).unwrap(),
        Outcome::Aborted
    );
}

#[test]
fn waiting_for_a_batch_is_aborted_from_another_thread() {
    let (library, kept) = (Library::new().unwrap(), Kept::default());
    let source = PieceSource::from_batches(&library, kept.clone(), SourceOptions::new()).unwrap();
    let abort = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let asking = scope.spawn(|| source.get_piece(5, &mut Piece::new_boxed(), Some(&abort)));
        let batch = kept.wait();
        abort.store(true, Ordering::Relaxed);
        assert_eq!(asking.join().unwrap().unwrap(), Outcome::Aborted);
        assert!(batch.is_over());
    });
}

struct Panicking;

impl BatchGetter for Panicking {
    fn get_pieces(&self, batch: Batch) {
        panic!("no batch of {:?}", batch.piece_indices());
    }
}

impl Drop for Panicking {
    fn drop(&mut self) {
        panic!("no end either");
    }
}

#[test]
fn a_getter_of_batches_may_panic() {
    let (library, log) = library_with_log();
    let source = PieceSource::from_batches(&library, Panicking, SourceOptions::new()).unwrap();
    let error = source
        .get_piece(6, &mut Piece::new_boxed(), None)
        .unwrap_err();
    assert_eq!(
        (error.kind(), error.piece_index()),
        (ErrorKind::Callback, Some(6))
    );
    assert!(has_warning(&log, &["panicked", "no batch of [6]"]));
    drop(source);
    assert!(has_warning(&log, &["panicked", "no end either"]));
}

#[test]
fn a_store_that_is_not_there() {
    let folder = Folder::new("a_store_that_is_not_there");
    let error = PieceSource::open_store(&Library::new().unwrap(), folder.join("no")).unwrap_err();
    assert_eq!((error.status(), error.kind()), (Status::Io, ErrorKind::Io));
    assert!(
        error
            .path()
            .unwrap()
            .contains("a_store_that_is_not_there/no"),
        "{error:?}"
    );
    assert_eq!(error.os_error(), Some(2));
}
