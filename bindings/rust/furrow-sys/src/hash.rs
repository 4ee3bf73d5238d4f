// SPDX-License-Identifier: Apache-2.0
//! BLAKE3 with digests of 32 bytes.
//!
//! The declarations of `furrow/c/hash.h`, which says what they mean.

use crate::furrow_status;

extern "C" {
    /// Hash of one message of any length.
    pub fn furrow_hash(message: *const u8, size: usize, hash: *mut u8) -> furrow_status;
    /// Hashes of many messages of equal length.
    pub fn furrow_hash_many(
        messages: *const u8,
        length: usize,
        stride: usize,
        count: usize,
        hashes: *mut u8,
    ) -> furrow_status;
}
