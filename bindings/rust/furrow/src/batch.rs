// SPDX-License-Identifier: Apache-2.0
//! Pieces that a getter is asked for together.

use std::fmt;
use std::ptr::{null, NonNull};

use crate::c_struct::message_for_c;
use crate::error::check_outcome;
use crate::{ffi, Error, Library, Outcome, Piece};

/// Pieces that a [`crate::BatchGetter`] is asked for. Answers may be given from any thread, in any
/// order, also when nobody waits for them any more. Dropping it says that no further answer comes.
pub struct Batch {
    handle: NonNull<ffi::furrow_piece_batch>,
    piece_indices: Vec<u64>,
    process: u32,
    /// Behind the handle, so that it is dropped last.
    _library: Library,
}

// SAFETY: answers may be given from any thread, several at once.
unsafe impl Send for Batch {}
// SAFETY: as above.
unsafe impl Sync for Batch {}

impl Batch {
    /// # Safety
    /// A batch that nobody else releases, and so many indices.
    pub(crate) unsafe fn own(
        batch: *mut ffi::furrow_piece_batch,
        piece_indices: *const u64,
        count: usize,
        library: &Library,
    ) -> Self {
        let handle = NonNull::new(batch).expect("a batch");
        let piece_indices = if count == 0 {
            Vec::new()
        } else {
            // SAFETY: so many indices.
            unsafe { std::slice::from_raw_parts(piece_indices, count) }.to_vec()
        };
        let process = std::process::id();
        Self {
            handle,
            piece_indices,
            process,
            _library: library.clone(),
        }
    }

    /// The pieces that are wanted, each once.
    #[must_use]
    pub fn piece_indices(&self) -> &[u64] {
        &self.piece_indices
    }

    /// Here is a piece. An error for one that the batch does not ask for, or that was answered
    /// already; [`Outcome::Aborted`] when nobody waits for it any more.
    pub fn answer(&self, piece_index: u64, piece: &Piece) -> Result<Outcome, Error> {
        self.give(piece_index, ffi::FURROW_OK, piece.as_ptr(), "")
    }

    /// The source does not have a piece. Returns as [`Batch::answer`].
    pub fn missing(&self, piece_index: u64) -> Result<Outcome, Error> {
        self.give(piece_index, ffi::FURROW_UNAVAILABLE, null(), "")
    }

    /// A piece could not be got. Returns as [`Batch::answer`].
    pub fn fail(&self, piece_index: u64, why: &str) -> Result<Outcome, Error> {
        self.give(piece_index, ffi::FURROW_CALLBACK_FAILED, null(), why)
    }

    /// Whether nobody waits for the batch any more.
    #[must_use]
    pub fn is_over(&self) -> bool {
        // SAFETY: a batch that was not released.
        !self.is_of_this_process()
            || unsafe { ffi::furrow_piece_batch_is_over(self.handle.as_ptr()) } != 0
    }

    fn give(
        &self,
        piece_index: u64,
        status: ffi::furrow_status,
        piece: *const u8,
        message: &str,
    ) -> Result<Outcome, Error> {
        if !self.is_of_this_process() {
            return Err(Error::argument(
                "furrow: the batch is of the process that forked this one",
            ));
        }
        let message = message_for_c(message);
        // SAFETY: a batch that was not released, a piece or NULL, a text that ends with a zero.
        check_outcome(unsafe {
            ffi::furrow_piece_batch_answer(
                self.handle.as_ptr(),
                piece_index,
                status,
                piece,
                message.as_ptr(),
            )
        })
    }

    /// In the child of a fork nobody waits, and what the library has locked may stay so.
    fn is_of_this_process(&self) -> bool {
        std::process::id() == self.process
    }
}

impl Drop for Batch {
    fn drop(&mut self) {
        if self.is_of_this_process() {
            // SAFETY: once, and the last call with it.
            unsafe { ffi::furrow_piece_batch_release(self.handle.as_ptr()) };
        }
    }
}

impl fmt::Debug for Batch {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_tuple("Batch")
            .field(&self.piece_indices)
            .finish()
    }
}
