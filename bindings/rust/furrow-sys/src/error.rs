// SPDX-License-Identifier: Apache-2.0
//! What the last call on this thread failed with: a text for people, a kind and fields for
//! programs. Every function that returns a status sets it, also to "none" when it succeeds.
//!
//! The declarations of `furrow/c/error.h`, which says what they mean.

use std::os::raw::{c_char, c_uint};

use crate::furrow_status;

/// What went wrong, finer than the status.
pub type furrow_error_kind = c_uint;
pub const FURROW_ERROR_NONE: furrow_error_kind = 0;
/// None of the others; the status says what there is to say.
pub const FURROW_ERROR_OTHER: furrow_error_kind = 1;
pub const FURROW_ERROR_ARGUMENT: furrow_error_kind = 2;
pub const FURROW_ERROR_CANCELLED: furrow_error_kind = 3;
pub const FURROW_ERROR_MEMORY: furrow_error_kind = 4;
pub const FURROW_ERROR_THREADS: furrow_error_kind = 5;
pub const FURROW_ERROR_INTERNAL: furrow_error_kind = 6;
/// A callback of the caller failed.
pub const FURROW_ERROR_CALLBACK: furrow_error_kind = 7;
/// A callback gave no answer in the time that it has.
pub const FURROW_ERROR_CALLBACK_SILENT: furrow_error_kind = 8;
/// No device where one is needed, or a library that was built without CUDA.
pub const FURROW_ERROR_NO_DEVICE: furrow_error_kind = 20;
pub const FURROW_ERROR_DEVICE_LOST: furrow_error_kind = 21;
/// A device gave wrong bytes.
pub const FURROW_ERROR_WRONG_ENCODING: furrow_error_kind = 22;
/// A record has fewer than 32768 proofs.
pub const FURROW_ERROR_TOO_FEW_PROOFS: furrow_error_kind = 23;
pub const FURROW_ERROR_ENCODER: furrow_error_kind = 24;
/// A system call failed.
pub const FURROW_ERROR_IO: furrow_error_kind = 40;
/// A checksum is not that of its contents.
pub const FURROW_ERROR_CHECKSUM: furrow_error_kind = 41;
/// A byte string has another length than its format demands.
pub const FURROW_ERROR_LENGTH: furrow_error_kind = 42;
pub const FURROW_ERROR_MALFORMED: furrow_error_kind = 43;
/// A piece is not the one that it was asked for as.
pub const FURROW_ERROR_PIECE_INVALID: furrow_error_kind = 60;
/// A piece is not to be had, and cannot be rebuilt.
pub const FURROW_ERROR_PIECE_MISSING: furrow_error_kind = 61;
/// A source of pieces refuses as a whole.
pub const FURROW_ERROR_PIECE_SOURCE: furrow_error_kind = 62;
/// Fewer than 128 valid pieces of a segment.
pub const FURROW_ERROR_NOT_ENOUGH_PIECES: furrow_error_kind = 63;
/// A piece that was read from a sector does not have its checksum, or cannot be decoded.
pub const FURROW_ERROR_SECTOR_DAMAGED: furrow_error_kind = 64;
/// Too few shards are present, or too many asked for.
pub const FURROW_ERROR_SHARDS: furrow_error_kind = 65;
pub const FURROW_ERROR_FARM_NOT_FOUND: furrow_error_kind = 80;
/// Another process, or another handle, has the lock of the farm.
pub const FURROW_ERROR_FARM_IN_USE: furrow_error_kind = 81;
/// The farm is intact, but of another key, chain, size or version.
pub const FURROW_ERROR_FARM_MISMATCH: furrow_error_kind = 82;
/// No room.
pub const FURROW_ERROR_FARM_SPACE: furrow_error_kind = 83;
pub const FURROW_ERROR_FARM_GONE: furrow_error_kind = 84;
/// The sector is counted but holds nothing.
pub const FURROW_ERROR_SECTOR_EMPTY: furrow_error_kind = 85;
/// A file of the farm, or a slot of its metadata, is damaged.
pub const FURROW_ERROR_FARM_DAMAGED: furrow_error_kind = 86;

/// Which of the numbers in furrow_error were set.
pub type furrow_error_fields = c_uint;
pub const FURROW_HAS_PIECE_INDEX: furrow_error_fields = 1;
pub const FURROW_HAS_SEGMENT_INDEX: furrow_error_fields = 2;
pub const FURROW_HAS_SECTOR_INDEX: furrow_error_fields = 4;
pub const FURROW_HAS_PIECE_OFFSET: furrow_error_fields = 8;
pub const FURROW_HAS_BYTE_OFFSET: furrow_error_fields = 16;
pub const FURROW_HAS_SYSTEM_ERROR: furrow_error_fields = 32;

/// An error and its fields.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct furrow_error {
    pub size: usize,
    pub status: furrow_status,
    pub kind: furrow_error_kind,
    pub fields: u32,
    pub system_error: i32,
    pub piece_index: u64,
    pub segment_index: u64,
    pub byte_offset: u64,
    pub sector_index: u16,
    pub piece_offset: u16,
    pub reserved0: u32,
    pub message: *const c_char,
    pub path: *const c_char,
    pub expected: *const c_char,
    pub actual: *const c_char,
    pub reserved: [u64; 8],
}

extern "C" {
    /// Text of the last error of the calling thread; "" when there was none.
    pub fn furrow_last_error() -> *const c_char;
    /// The last error of the calling thread with its fields.
    pub fn furrow_last_error_get(error: *mut furrow_error) -> furrow_status;
    /// Constant name of a kind, such as "FURROW_ERROR_IO"; "unknown kind" for any other value.
    pub fn furrow_error_kind_name(kind: furrow_error_kind) -> *const c_char;
    /// For callbacks that are about to return a failure.
    pub fn furrow_set_callback_error(text: *const c_char);
}
