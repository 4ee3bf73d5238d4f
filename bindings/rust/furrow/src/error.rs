// SPDX-License-Identifier: Apache-2.0
//! What calls fail with.

use std::fmt;

use crate::c_struct::{c_struct, text_from_c};
use crate::ffi;

/// What became of a call that did not succeed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Status {
    /// A stop was requested.
    Cancelled,
    /// An argument is wrong; nothing was done.
    InvalidArgument,
    /// Memory ran short.
    OutOfMemory,
    /// The encoder cannot encode: a record without enough proofs, a lost device and nothing to stand
    /// in for it, or a device that gave wrong bytes.
    EncoderFailed,
    /// A defect of the library.
    InternalError,
    /// The system starts no more threads.
    ResourceExhausted,
    /// The operating system refused: missing file, permission, full disk.
    Io,
    /// Bytes that were read are damaged.
    Corrupt,
    /// Intact, but of another identity, chain, version or size than asked for.
    Mismatch,
    /// Something that is needed is not there: a piece, a proof, a farm, a lock.
    Unavailable,
    /// A callback failed or panicked, or gave no answer in time.
    CallbackFailed,
    /// A status that this crate does not know.
    Other,
}

impl Status {
    fn from_c(status: ffi::furrow_status) -> Self {
        match status {
            ffi::FURROW_CANCELLED => Self::Cancelled,
            ffi::FURROW_INVALID_ARGUMENT => Self::InvalidArgument,
            ffi::FURROW_OUT_OF_MEMORY => Self::OutOfMemory,
            ffi::FURROW_ENCODER_FAILED => Self::EncoderFailed,
            ffi::FURROW_INTERNAL_ERROR => Self::InternalError,
            ffi::FURROW_RESOURCE_EXHAUSTED => Self::ResourceExhausted,
            ffi::FURROW_IO_ERROR => Self::Io,
            ffi::FURROW_CORRUPT => Self::Corrupt,
            ffi::FURROW_MISMATCH => Self::Mismatch,
            ffi::FURROW_UNAVAILABLE => Self::Unavailable,
            ffi::FURROW_CALLBACK_FAILED => Self::CallbackFailed,
            _ => Self::Other,
        }
    }
}

macro_rules! kinds {
    ($($(#[$attribute:meta])* $kind:ident = $c:ident,)*) => {
        /// What went wrong, finer than the [`Status`].
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        #[non_exhaustive]
        pub enum ErrorKind {
            $($(#[$attribute])* $kind,)*
        }

        impl ErrorKind {
            fn from_c(kind: ffi::furrow_error_kind) -> Self {
                match kind {
                    $(ffi::$c => Self::$kind,)*
                    _ => Self::Other,
                }
            }
        }
    };
}

kinds! {
    /// None of the others, or one that this crate does not know.
    Other = FURROW_ERROR_OTHER,
    /// An argument is wrong.
    Argument = FURROW_ERROR_ARGUMENT,
    /// A stop was requested.
    Cancelled = FURROW_ERROR_CANCELLED,
    /// Memory ran short.
    Memory = FURROW_ERROR_MEMORY,
    /// The system starts no more threads.
    Threads = FURROW_ERROR_THREADS,
    /// A defect of the library.
    Internal = FURROW_ERROR_INTERNAL,
    /// A closure or a trait of the caller failed or panicked.
    Callback = FURROW_ERROR_CALLBACK,
    /// It gave no answer in the time that it has.
    CallbackSilent = FURROW_ERROR_CALLBACK_SILENT,
    /// No device where one is needed, or a library that was built without CUDA.
    NoDevice = FURROW_ERROR_NO_DEVICE,
    /// A device is lost.
    DeviceLost = FURROW_ERROR_DEVICE_LOST,
    /// A device gave wrong bytes: [`Error::piece_offset`].
    WrongEncoding = FURROW_ERROR_WRONG_ENCODING,
    /// A record has fewer than 32768 proofs: [`Error::piece_offset`].
    TooFewProofs = FURROW_ERROR_TOO_FEW_PROOFS,
    /// An encoder cannot encode, for another reason.
    Encoder = FURROW_ERROR_ENCODER,
    /// A system call failed: [`Error::path`], [`Error::os_error`].
    Io = FURROW_ERROR_IO,
    /// A checksum is not that of its contents.
    Checksum = FURROW_ERROR_CHECKSUM,
    /// A byte string has another length than its format demands.
    Length = FURROW_ERROR_LENGTH,
    /// Bytes are not what their format allows.
    Malformed = FURROW_ERROR_MALFORMED,
    /// A piece is not the one that it was asked for as: [`Error::piece_index`].
    PieceInvalid = FURROW_ERROR_PIECE_INVALID,
    /// A piece is not to be had, and cannot be rebuilt: [`Error::piece_index`].
    PieceMissing = FURROW_ERROR_PIECE_MISSING,
    /// A source of pieces refuses as a whole.
    PieceSource = FURROW_ERROR_PIECE_SOURCE,
    /// Fewer than 128 valid pieces of a segment: [`Error::segment_index`].
    NotEnoughPieces = FURROW_ERROR_NOT_ENOUGH_PIECES,
    /// A piece that was read from a sector does not have its checksum, or cannot be decoded.
    SectorDamaged = FURROW_ERROR_SECTOR_DAMAGED,
    /// Too few shards are present, or too many asked for.
    Shards = FURROW_ERROR_SHARDS,
    /// There is no farm.
    FarmNotFound = FURROW_ERROR_FARM_NOT_FOUND,
    /// Another process, or another handle, has the lock of the farm.
    FarmInUse = FURROW_ERROR_FARM_IN_USE,
    /// The farm is intact, but of another key, chain, size or version.
    FarmMismatch = FURROW_ERROR_FARM_MISMATCH,
    /// No room: for one sector, for all that are plotted, or more than a farm can have.
    FarmSpace = FURROW_ERROR_FARM_SPACE,
    /// The farm is gone.
    FarmGone = FURROW_ERROR_FARM_GONE,
    /// The sector is counted but holds nothing: [`Error::sector_index`].
    SectorEmpty = FURROW_ERROR_SECTOR_EMPTY,
    /// A file of the farm, or a slot of its metadata, is damaged.
    FarmDamaged = FURROW_ERROR_FARM_DAMAGED,
}

/// Why a call failed: a text for people, a kind and fields for programs.
#[derive(Clone, PartialEq, Eq)]
pub struct Error(Box<Fields>);

#[derive(Clone, PartialEq, Eq)]
struct Fields {
    status: Status,
    kind: ErrorKind,
    message: String,
    piece_index: Option<u64>,
    segment_index: Option<u64>,
    sector_index: Option<u16>,
    piece_offset: Option<u16>,
    byte_offset: Option<u64>,
    os_error: Option<i32>,
    path: Option<String>,
    expected: Option<String>,
    actual: Option<String>,
}

impl Error {
    /// What became of the call.
    #[must_use]
    pub fn status(&self) -> Status {
        self.0.status
    }

    /// What went wrong.
    #[must_use]
    pub fn kind(&self) -> ErrorKind {
        self.0.kind
    }

    /// The text for people: one line, with everything escaped that a terminal would obey.
    #[must_use]
    pub fn message(&self) -> &str {
        &self.0.message
    }

    /// The piece that it is about.
    #[must_use]
    pub fn piece_index(&self) -> Option<u64> {
        self.0.piece_index
    }

    /// The segment that it is about.
    #[must_use]
    pub fn segment_index(&self) -> Option<u64> {
        self.0.segment_index
    }

    /// The sector that it is about.
    #[must_use]
    pub fn sector_index(&self) -> Option<u16> {
        self.0.sector_index
    }

    /// The place in the sector that it is about.
    #[must_use]
    pub fn piece_offset(&self) -> Option<u16> {
        self.0.piece_offset
    }

    /// Where in a file or another thing of bytes.
    #[must_use]
    pub fn byte_offset(&self) -> Option<u64> {
        self.0.byte_offset
    }

    /// The error number of the system call that failed (`errno`).
    #[must_use]
    pub fn os_error(&self) -> Option<i32> {
        self.0.os_error
    }

    /// The file or directory that it is about, printable: what a terminal would obey is escaped.
    #[must_use]
    pub fn path(&self) -> Option<&str> {
        self.0.path.as_deref()
    }

    /// What should have been, printable.
    #[must_use]
    pub fn expected(&self) -> Option<&str> {
        self.0.expected.as_deref()
    }

    /// What was instead, printable.
    #[must_use]
    pub fn actual(&self) -> Option<&str> {
        self.0.actual.as_deref()
    }

    /// Something that this crate refuses before the library sees it.
    pub(crate) fn argument(message: impl Into<String>) -> Self {
        Self::new(Status::InvalidArgument, ErrorKind::Argument, message.into())
    }

    pub(crate) fn new(status: Status, kind: ErrorKind, message: String) -> Self {
        Self(Box::new(Fields {
            status,
            kind,
            message,
            piece_index: None,
            segment_index: None,
            sector_index: None,
            piece_offset: None,
            byte_offset: None,
            os_error: None,
            path: None,
            expected: None,
            actual: None,
        }))
    }

    /// What the last call on this thread failed with, which returned `status`.
    fn last(status: ffi::furrow_status) -> Self {
        let mut error = c_struct!(furrow_error);
        // SAFETY: its size is set.
        let found = unsafe { ffi::furrow_last_error_get(&mut error) };
        if found != ffi::FURROW_OK || error.status != status {
            // SAFETY: a constant text.
            let name = unsafe { text_from_c(ffi::furrow_status_name(status)) };
            return Self::new(Status::from_c(status), ErrorKind::Other, name);
        }
        let has = |field| error.fields & field != 0;
        // SAFETY: texts of an error are valid until the next call on this thread.
        let text = |text| Some(unsafe { text_from_c(text) }).filter(|text| !text.is_empty());
        Self(Box::new(Fields {
            status: Status::from_c(status),
            kind: ErrorKind::from_c(error.kind),
            message: text(error.message).unwrap_or_default(),
            piece_index: Some(error.piece_index).filter(|_| has(ffi::FURROW_HAS_PIECE_INDEX)),
            segment_index: Some(error.segment_index).filter(|_| has(ffi::FURROW_HAS_SEGMENT_INDEX)),
            sector_index: Some(error.sector_index).filter(|_| has(ffi::FURROW_HAS_SECTOR_INDEX)),
            piece_offset: Some(error.piece_offset).filter(|_| has(ffi::FURROW_HAS_PIECE_OFFSET)),
            byte_offset: Some(error.byte_offset).filter(|_| has(ffi::FURROW_HAS_BYTE_OFFSET)),
            os_error: Some(error.system_error).filter(|_| has(ffi::FURROW_HAS_SYSTEM_ERROR)),
            path: text(error.path),
            expected: text(error.expected),
            actual: text(error.actual),
        }))
    }
}

impl fmt::Display for Error {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0.message)
    }
}

fn add_field(all: &mut fmt::DebugStruct<'_, '_>, name: &str, field: &Option<impl fmt::Debug>) {
    if let Some(value) = field {
        all.field(name, value);
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Fields {
            status,
            kind,
            message,
            ..
        } = &*self.0;
        let mut all = formatter.debug_struct("Error");
        all.field("status", status)
            .field("kind", kind)
            .field("message", message);
        add_field(&mut all, "piece_index", &self.0.piece_index);
        add_field(&mut all, "segment_index", &self.0.segment_index);
        add_field(&mut all, "sector_index", &self.0.sector_index);
        add_field(&mut all, "piece_offset", &self.0.piece_offset);
        add_field(&mut all, "byte_offset", &self.0.byte_offset);
        add_field(&mut all, "os_error", &self.0.os_error);
        add_field(&mut all, "path", &self.0.path);
        add_field(&mut all, "expected", &self.0.expected);
        add_field(&mut all, "actual", &self.0.actual);
        all.finish()
    }
}

impl std::error::Error for Error {}

/// For readers that read through a [`crate::Farm`].
impl From<Error> for std::io::Error {
    fn from(error: Error) -> Self {
        Self::new(std::io::ErrorKind::Other, error)
    }
}

/// Whether work came to its end. That it was aborted is no error.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Outcome {
    /// All of it is done.
    Complete,
    /// The abort flag was set before it was done.
    Aborted,
}

/// Of a call on this thread that has just returned.
pub(crate) fn check(status: ffi::furrow_status) -> Result<(), Error> {
    match status {
        ffi::FURROW_OK => Ok(()),
        _ => Err(Error::last(status)),
    }
}

/// The same of a call that can be aborted.
pub(crate) fn check_outcome(status: ffi::furrow_status) -> Result<Outcome, Error> {
    match status {
        ffi::FURROW_CANCELLED => Ok(Outcome::Aborted),
        _ => check(status).map(|()| Outcome::Complete),
    }
}
