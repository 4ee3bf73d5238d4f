// SPDX-License-Identifier: Apache-2.0
//! What all headers of the C interface have in common: versions, statuses, and the rules of
//! structs, buffers and callbacks.
//!
//! The declarations of `furrow/c/base.h`, which says what they mean.

use std::os::raw::{c_char, c_uint};

/// Version of the library that these headers belong to.
pub const FURROW_VERSION_MAJOR: u32 = 0;
pub const FURROW_VERSION_MINOR: u32 = 1;
pub const FURROW_VERSION_PATCH: u32 = 0;

/// Version of this interface.
pub const FURROW_ABI_VERSION: u32 = 3;

/// Bytes of identifiers, hashes, roots and seeds.
pub const FURROW_HASH_SIZE: usize = 32;

/// Bytes of a record.
pub const FURROW_RECORD_SIZE: usize = 1048576;

/// Bytes of the contents-map entry of one record.
pub const FURROW_FOUND_PROOFS_SIZE: usize = 8192;

/// What became of a call.
pub type furrow_status = c_uint;
pub const FURROW_OK: furrow_status = 0;
/// A stop was requested, by an abort flag or because a handle is being destroyed.
pub const FURROW_CANCELLED: furrow_status = 1;
/// An argument is wrong; nothing was done.
pub const FURROW_INVALID_ARGUMENT: furrow_status = 2;
/// Memory ran short.
pub const FURROW_OUT_OF_MEMORY: furrow_status = 3;
/// The encoder cannot encode.
pub const FURROW_ENCODER_FAILED: furrow_status = 4;
/// A defect of the library; please report it with the text of furrow_last_error().
pub const FURROW_INTERNAL_ERROR: furrow_status = 5;
/// The system starts no more threads (limits of processes or of address space).
pub const FURROW_RESOURCE_EXHAUSTED: furrow_status = 6;
/// The operating system refused.
pub const FURROW_IO_ERROR: furrow_status = 7;
/// Bytes that were read are damaged.
pub const FURROW_CORRUPT: furrow_status = 8;
/// Intact, but of another identity, chain, version or size than asked for.
pub const FURROW_MISMATCH: furrow_status = 9;
/// Something that is needed is not there.
pub const FURROW_UNAVAILABLE: furrow_status = 10;
/// A callback failed, or gave no answer in time.
pub const FURROW_CALLBACK_FAILED: furrow_status = 11;

extern "C" {
    /// FURROW_ABI_VERSION of the library that is loaded.
    pub fn furrow_abi_version() -> u32;
    /// Version of the library as text, such as "0.1.0".
    pub fn furrow_version() -> *const c_char;
    /// Constant name of a status, such as "FURROW_OK"; "unknown status" for any other value.
    pub fn furrow_status_name(status: furrow_status) -> *const c_char;
}
