// SPDX-License-Identifier: Apache-2.0
//! Where pieces come from: a trait of the caller, a piece store on disk, or a farm.

use std::error::Error as StdError;
use std::fmt;
use std::os::raw::c_void;
use std::path::Path;
use std::ptr::{null_mut, NonNull};
use std::sync::atomic::AtomicBool;
use std::sync::Arc;
use std::time::Duration;

use crate::batch::Batch;
use crate::c_struct::{c_struct, path_for_c};
use crate::callback::{catch, catch_and_warn, fail_callback, flag_pointer, text_of_error};
use crate::error::{check, check_outcome};
use crate::library::no_handle;
use crate::{ffi, Error, Farm, Hash, Library, Outcome, Piece};

/// Whether a getter has a piece.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Found {
    /// It was written.
    Here,
    /// This source does not have it. Plotters try to rebuild it from others of its segment.
    Missing,
}

/// Gets one piece at a time. Pieces have to be valid: the library does not verify them again
/// ([`Piece::verify`] does).
pub trait PieceGetter: Send + Sync {
    /// Writes a piece. Called from threads of the library, several at once
    /// ([`SourceOptions::concurrency`]). It has to return: nothing ends the call that waits for it.
    /// An error, or a panic, means that the piece is not to be had at the moment.
    fn get_piece(&self, piece_index: u64, piece: &mut Piece) -> Result<Found, Box<dyn StdError>>;
}

/// Gets many pieces at once, and answers when it has them: for whoever asks a network.
pub trait BatchGetter: Send + Sync {
    /// Begins to get all pieces of the batch, and returns. Answers are given to the batch in any
    /// order, from any thread, before or after this returns. May be called by several threads at
    /// once. When the batch is dropped, also by a panic, pieces without an answer have failed.
    fn get_pieces(&self, batch: Batch);
}

/// How a getter is asked.
#[derive(Clone, Copy, Debug)]
pub struct SourceOptions {
    concurrency: u32,
    patience: Duration,
}

impl Default for SourceOptions {
    fn default() -> Self {
        let defaults = c_struct!(
            furrow_piece_source_callbacks,
            furrow_piece_source_callbacks_init
        );
        Self {
            concurrency: defaults.concurrency,
            patience: Duration::from_millis(defaults.patience_ms.into()),
        }
    }
}

impl SourceOptions {
    /// The defaults.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Calls of [`PieceGetter::get_piece`] at the same time, 1 to 64; the default is 8.
    #[must_use]
    pub fn concurrency(mut self, calls: u32) -> Self {
        self.concurrency = calls;
        self
    }

    /// How long a batch may be without any answer before the pieces that are left have failed, in
    /// whole milliseconds; zero, the default, means for ever.
    #[must_use]
    pub fn patience(mut self, patience: Duration) -> Self {
        self.patience = patience;
        self
    }

    fn for_c(self) -> Result<ffi::furrow_piece_source_callbacks, Error> {
        let mut callbacks = c_struct!(
            furrow_piece_source_callbacks,
            furrow_piece_source_callbacks_init
        );
        callbacks.concurrency = self.concurrency;
        callbacks.patience_ms = milliseconds("the patience of a source", self.patience)?;
        Ok(callbacks)
    }
}

/// A duration as C wants it.
pub(crate) fn milliseconds(name: &str, duration: Duration) -> Result<u32, Error> {
    duration
        .as_millis()
        .try_into()
        .map_err(|_| Error::argument(format!("furrow: {name} is too long: {duration:?}")))
}

/// A source of pieces. Clones are the same source; several plotters may use it.
#[derive(Clone, Debug)]
pub struct PieceSource(Arc<Inner>);

struct Inner {
    handle: NonNull<ffi::furrow_piece_source>,
    /// Behind the handle, so that it is dropped after the source is gone.
    _library: Library,
}

// SAFETY: every function of the interface may be called from any thread, also on the same handle at
// the same time; getters are Send and Sync.
unsafe impl Send for Inner {}
// SAFETY: as above.
unsafe impl Sync for Inner {}

impl Drop for Inner {
    fn drop(&mut self) {
        // SAFETY: calls borrow the source and plotters have it, so this is the last one.
        unsafe { ffi::furrow_piece_source_destroy(self.handle.as_ptr()) };
    }
}

impl fmt::Debug for Inner {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.handle.fmt(formatter)
    }
}

/// History that the pieces of a source are of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct History {
    /// Segments of it.
    pub history_size: u64,
    /// Of the chain.
    pub genesis_root: Hash,
}

impl PieceSource {
    /// Pieces of a getter, which is dropped when nothing uses the source any more.
    pub fn from_getter<G: PieceGetter + 'static>(
        library: &Library,
        getter: G,
        options: SourceOptions,
    ) -> Result<Self, Error> {
        let mut callbacks = options.for_c()?;
        callbacks.get_piece = Some(get_piece::<G>);
        Self::of(library, getter, callbacks)
    }

    /// Pieces of a getter of batches, which is dropped when nothing uses the source any more.
    pub fn from_batches<G: BatchGetter + 'static>(
        library: &Library,
        getter: G,
        options: SourceOptions,
    ) -> Result<Self, Error> {
        let mut callbacks = options.for_c()?;
        callbacks.get_pieces = Some(get_pieces::<G>);
        Self::of(library, getter, callbacks)
    }

    fn of<G: Send + Sync + 'static>(
        library: &Library,
        getter: G,
        mut callbacks: ffi::furrow_piece_source_callbacks,
    ) -> Result<Self, Error> {
        let served = Box::into_raw(Box::new(Served {
            getter,
            library: library.clone(),
        }));
        callbacks.user = served.cast();
        callbacks.on_destroy = Some(on_destroy::<G>);
        let mut handle = null_mut();
        // SAFETY: what the callbacks get lives until on_destroy.
        let made = check(unsafe {
            ffi::furrow_piece_source_create(library.as_ptr(), &callbacks, &mut handle)
        });
        if let Err(error) = made {
            // SAFETY: there is no source, so on_destroy is not called.
            drop(unsafe { Box::from_raw(served) });
            return Err(error);
        }
        Self::own(handle, library)
    }

    /// A piece store, as `furrow archive` makes them. What it reads is verified.
    pub fn open_store(library: &Library, directory: impl AsRef<Path>) -> Result<Self, Error> {
        let directory = path_for_c(directory.as_ref())?;
        let mut handle = null_mut();
        // SAFETY: a library, a text that ends with a zero, and where to write.
        check(unsafe {
            ffi::furrow_piece_source_open_store(library.as_ptr(), directory.as_ptr(), &mut handle)
        })?;
        Self::own(handle, library)
    }

    /// Pieces that sectors of a farm hold. Making one out of a sector takes about as long as
    /// encoding it. `threads` is how many are read at the same time, each with 84 MiB of working
    /// memory; 0 means one for each processor that the process may use. The farm stays open as long
    /// as there is the source.
    pub fn of_farm(farm: &Farm, threads: u32) -> Result<Self, Error> {
        let mut handle = null_mut();
        // SAFETY: a farm, and where to write.
        check(unsafe { ffi::furrow_piece_source_of_farm(farm.as_ptr(), threads, &mut handle) })?;
        Self::own(handle, farm.library())
    }

    fn own(handle: *mut ffi::furrow_piece_source, library: &Library) -> Result<Self, Error> {
        let handle = NonNull::new(handle).ok_or_else(no_handle)?;
        Ok(Self(Arc::new(Inner {
            handle,
            _library: library.clone(),
        })))
    }

    /// The history of a piece store. Other sources do not know it
    /// ([`crate::Status::Unavailable`]).
    pub fn history(&self) -> Result<History, Error> {
        let mut history = c_struct!(furrow_history);
        // SAFETY: a source, and a struct whose size is set.
        check(unsafe { ffi::furrow_piece_source_get_history(self.as_ptr(), &mut history) })?;
        Ok(History {
            history_size: history.history_size,
            genesis_root: history.genesis_root,
        })
    }

    /// Gets one piece. One that the source does not have is [`crate::ErrorKind::PieceMissing`].
    pub fn get_piece(
        &self,
        piece_index: u64,
        piece: &mut Piece,
        abort: Option<&AtomicBool>,
    ) -> Result<Outcome, Error> {
        // SAFETY: a source, and a piece that is borrowed until the call returns.
        check_outcome(unsafe {
            ffi::furrow_piece_source_get_piece(
                self.as_ptr(),
                piece_index,
                piece.as_mut_ptr(),
                flag_pointer(abort),
            )
        })
    }

    pub(crate) fn as_ptr(&self) -> *mut ffi::furrow_piece_source {
        self.0.handle.as_ptr()
    }
}

/// What C has the address of: a getter, and who is told when it panics.
struct Served<G> {
    getter: G,
    library: Library,
}

unsafe extern "C" fn get_piece<G: PieceGetter>(
    user: *mut c_void,
    piece_index: u64,
    piece: *mut u8,
) -> ffi::furrow_status {
    // SAFETY: it lives until on_destroy, and is Sync.
    let served = unsafe { &*user.cast::<Served<G>>() };
    // SAFETY: so many bytes that nobody else uses during the call; zeroed, because Rust reads nothing
    // that nobody has written.
    let piece = unsafe {
        std::ptr::write_bytes(piece, 0, Piece::SIZE);
        &mut *piece.cast::<Piece>()
    };
    let answer = catch(|| {
        served
            .getter
            .get_piece(piece_index, piece)
            .map_err(|error| text_of_error(&*error))
    });
    match answer {
        Ok(Ok(Found::Here)) => ffi::FURROW_OK,
        Ok(Ok(Found::Missing)) => ffi::FURROW_UNAVAILABLE,
        Ok(Err(text)) => fail_callback(&text),
        Err(text) => fail_callback(&format!("the getter panicked: {text}")),
    }
}

unsafe extern "C" fn get_pieces<G: BatchGetter>(
    user: *mut c_void,
    piece_indices: *const u64,
    count: usize,
    batch: *mut ffi::furrow_piece_batch,
) {
    // SAFETY: it lives until on_destroy, and is Sync.
    let served = unsafe { &*user.cast::<Served<G>>() };
    catch_and_warn(&served.library, "a getter of pieces", || {
        // SAFETY: so many indices, until this returns; the batch is ours to release.
        let batch = unsafe { Batch::own(batch, piece_indices, count, &served.library) };
        served.getter.get_pieces(batch);
    });
}

unsafe extern "C" fn on_destroy<G>(user: *mut c_void) {
    // SAFETY: made by Box::into_raw, and not used any more.
    let served = unsafe { Box::from_raw(user.cast::<Served<G>>()) };
    let library = served.library.clone();
    catch_and_warn(&library, "a getter of pieces that was dropped", || {
        drop(served)
    });
}
