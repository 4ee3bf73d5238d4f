// SPDX-License-Identifier: Apache-2.0
//! In the child of a fork, handles of the parent are errors, and dropping them does nothing.

mod support;

use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Mutex};

use furrow::{
    Batch, BatchGetter, Farm, FarmMode, FarmOptions, Gate, Library, Piece, PieceSource, PlotWatch,
    Plotter, PlotterOptions, Record, SectorPlan, SourceOptions, Status,
};
use support::{cpu_encoder, Folder};

mod c {
    extern "C" {
        pub fn fork() -> i32;
        pub fn waitpid(process: i32, status: *mut i32, options: i32) -> i32;
        pub fn _exit(code: i32) -> !;
    }
}

struct Kept(Arc<Mutex<Option<Batch>>>);

impl BatchGetter for Kept {
    fn get_pieces(&self, batch: Batch) {
        let _ = batch.missing(batch.piece_indices()[0]);
        *self.0.lock().unwrap() = Some(batch);
    }
}

/// Alone in its program, because only the thread that forks is in the child.
#[test]
fn handles_of_the_parent_are_errors() {
    let folder = Folder::new("fork");
    let library = Library::builder().on_log(|_, _| ()).build().unwrap();
    let gate = Gate::new().unwrap();
    let pause = gate.pause().unwrap();
    let mut encoder = cpu_encoder(&library, 1);
    let batch = Arc::new(Mutex::new(None));
    let getter = Kept(Arc::clone(&batch));
    let source = PieceSource::from_batches(&library, getter, SourceOptions::new()).unwrap();
    assert!(source.get_piece(1, &mut Piece::new_boxed(), None).is_err());
    let batch = batch.lock().unwrap().take().unwrap();
    let plotter = Plotter::new(&library, &encoder, &source, &PlotterOptions::new()).unwrap();
    let options = FarmOptions::new(FarmMode::Create)
        .pieces_in_sector(1)
        .min_sectors(1)
        .genesis_root([1; 32]);
    let farm = Farm::open(&library, folder.join("farm"), &options).unwrap();

    // SAFETY: the child touches nothing but what is said to be allowed there, and ends by _exit.
    let child = unsafe { c::fork() };
    if child == 0 {
        let refused = |status| u8::from(status == Status::InvalidArgument);
        let never = AtomicBool::new(false);
        let mut records = Record::new_zero_vec(1);
        let answers = [
            refused(library.kept_memory().unwrap_err().status()),
            refused(gate.pause().unwrap_err().status()),
            refused(
                encoder
                    .encode_records(&[1; 32], &mut records, &never)
                    .unwrap_err()
                    .status(),
            ),
            refused(
                source
                    .get_piece(1, &mut Piece::new_boxed(), None)
                    .unwrap_err()
                    .status(),
            ),
            refused(
                plotter
                    .plot_sector(&SectorPlan::default(), PlotWatch::new())
                    .unwrap_err()
                    .status(),
            ),
            refused(farm.info().unwrap_err().status()),
            refused(batch.missing(1).unwrap_err().status()),
            u8::from(batch.is_over()),
        ];
        drop((pause, gate, encoder, plotter, farm, batch, source, library));
        // New ones can be made.
        let is_new_one_right = Library::new().and_then(|library| library.kept_memory()) == Ok(0);
        let n_right = answers.iter().sum::<u8>() + u8::from(is_new_one_right);
        // SAFETY: ends the child without what the parent has registered.
        unsafe { c::_exit(i32::from(n_right)) };
    }
    assert!(child > 0);
    let mut status = 0;
    // SAFETY: where to write.
    assert_eq!(unsafe { c::waitpid(child, &mut status, 0) }, child);
    assert_eq!(
        (status & 0x7f, status >> 8),
        (0, 9),
        "signal, and answers that are right"
    );
    // The parent has lost nothing.
    assert!(farm.info().is_ok() && library.kept_memory().is_ok());
    drop(pause);
}
