// SPDX-License-Identifier: Apache-2.0
//! The Reed-Solomon code over GF(2^16) of records and segments (docs/spec/04).
//!
//! The declarations of `furrow/c/erasure.h`, which says what they mean.

use std::os::raw::c_uint;

use crate::furrow_status;

/// What is to be done with a shard.
pub type furrow_shard_state = c_uint;
/// Parity that is neither there nor wanted.
pub const FURROW_SHARD_IGNORED: furrow_shard_state = 0;
/// Its bytes are there, and read.
pub const FURROW_SHARD_PRESENT: furrow_shard_state = 1;
/// It is written.
pub const FURROW_SHARD_WANTED: furrow_shard_state = 2;

extern "C" {
    /// Computes parity shards of source shards.
    pub fn furrow_erasure_extend(
        source: *const *const u8,
        source_count: usize,
        parity: *const *mut u8,
        parity_count: usize,
        shard_size: usize,
    ) -> furrow_status;
    /// Recovers shards from any source_count of them.
    pub fn furrow_erasure_recover(
        shards: *const *mut u8,
        states: *const furrow_shard_state,
        source_count: usize,
        parity_count: usize,
        shard_size: usize,
    ) -> furrow_status;
    /// Computes the 32768 parity chunks of a record.
    pub fn furrow_erasure_extend_record(record: *const u8, parity: *mut u8) -> furrow_status;
}
