// SPDX-License-Identifier: Apache-2.0
//! Sectors: what decides their contents, how large they are, and a piece back out of one
//! (docs/spec/01, section 9, and docs/spec/03).
//!
//! The declarations of `furrow/c/sector.h`, which says what they mean.

use std::os::raw::c_void;

use crate::{furrow_library, furrow_status, FURROW_HASH_SIZE};

/// Bytes of the metadata of a sector, its checksum included (docs/spec/03, section 4.1).
pub const FURROW_SECTOR_METADATA_SIZE: usize = 131116;

/// Most pieces in a sector.
pub const FURROW_MAX_PIECES_IN_SECTOR: usize = 1000;

/// Where a sector is, and of what.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct furrow_sector_plan {
    pub size: usize,
    pub public_key_hash: [u8; FURROW_HASH_SIZE],
    pub shard_commitments_root: [u8; FURROW_HASH_SIZE],
    pub sector_index: u16,
    pub pieces_in_sector: u16,
    pub max_pieces_in_sector: u16,
    pub reserved0: u16,
    pub history_size: u64,
    pub recent_segments: u64,
    pub recent_history_numerator: u64,
    pub recent_history_denominator: u64,
    pub min_sector_lifetime: u64,
    pub reserved: [u64; 8],
}

/// Reads bytes of a sector.
pub type furrow_read_at = Option<
    unsafe extern "C" fn(
        user: *mut c_void,
        offset: u64,
        bytes: *mut u8,
        size: usize,
    ) -> furrow_status,
>;

/// A piece to read out of a sector.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct furrow_read_piece_request {
    pub size: usize,
    pub sector_id: *const u8,
    pub sector_metadata: *const u8,
    pub piece_offset: usize,
    pub read_at: furrow_read_at,
    pub user: *mut c_void,
    pub piece: *mut u8,
    pub reserved: [u64; 8],
}

extern "C" {
    /// Sets the parameters of the chain to their defaults and the rest to zero.
    pub fn furrow_sector_plan_init(plan: *mut furrow_sector_plan, size: usize);
    /// Hash of a public key, as sectors use it.
    pub fn furrow_public_key_hash(public_key: *const u8, hash: *mut u8) -> furrow_status;
    /// Root of the shard commitments of a farmer for a history size.
    pub fn furrow_shard_commitments_root(
        library: *mut furrow_library,
        shard_commitments_seed: *const u8,
        history_size: u64,
        root: *mut u8,
    ) -> furrow_status;
    /// Id of the sector that is planned.
    pub fn furrow_sector_id(plan: *const furrow_sector_plan, sector_id: *mut u8) -> furrow_status;
    /// Indices of the pieces of the sector, by piece offset.
    pub fn furrow_sector_piece_indices(
        plan: *const furrow_sector_plan,
        piece_indices: *mut u64,
        count: usize,
    ) -> furrow_status;
    /// Bytes of a sector with this many pieces; 0 for a number that no sector has.
    pub fn furrow_sector_size(pieces_in_sector: usize) -> usize;
    /// Bytes of what plotting a sector leaves behind besides the sector, in SCALE.
    pub fn furrow_plotted_sector_size(pieces_in_sector: usize) -> usize;
    /// Sets all of it to zero but the size.
    pub fn furrow_read_piece_request_init(request: *mut furrow_read_piece_request, size: usize);
    /// Reads a piece out of a sector, unmasks and recovers it, and verifies its checksum.
    pub fn furrow_sector_read_piece(
        library: *mut furrow_library,
        request: *const furrow_read_piece_request,
    ) -> furrow_status;
}
