// SPDX-License-Identifier: Apache-2.0
//! Pieces of archived history: their validity, and rebuilding one from others of its segment
//! (docs/spec/05, sections 9 to 12).
//!
//! The declarations of `furrow/c/piece.h`, which says what they mean.

use std::os::raw::c_int;

use crate::{furrow_library, furrow_status};

/// Bytes of a piece.
pub const FURROW_PIECE_SIZE: usize = 1049560;
pub const FURROW_PIECE_HEADER_SIZE: usize = 984;

/// Pieces of a segment; any half of them give the others.
pub const FURROW_PIECES_IN_SEGMENT: usize = 256;

/// Bytes of the header of a super segment, all integers little-endian.
pub const FURROW_SUPER_SEGMENT_HEADER_SIZE: usize = 92;

/// A piece to rebuild.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct furrow_rebuild_request {
    pub size: usize,
    pub piece_index: u64,
    pub pieces: *const *const u8,
    pub super_segment_header: *const u8,
    pub piece: *mut u8,
    pub threads: u32,
    pub reserved0: u32,
    pub reserved: [u64; 8],
}

extern "C" {
    /// Whether a piece is the one with this index, in a super segment that is known.
    pub fn furrow_piece_verify(
        library: *mut furrow_library,
        piece: *const u8,
        piece_index: u64,
        super_segment_header: *const u8,
    ) -> furrow_status;
    /// The same where only the root of the super segment and its number of segments are known, and
    /// the position in the segment.
    pub fn furrow_piece_is_valid(
        library: *mut furrow_library,
        piece: *const u8,
        position: u8,
        super_segment_root: *const u8,
        num_segments: u32,
        is_valid: *mut c_int,
    ) -> furrow_status;
    /// Sets all of it to zero but the size, and threads to 1.
    pub fn furrow_rebuild_request_init(request: *mut furrow_rebuild_request, size: usize);
    /// Rebuilds a piece.
    pub fn furrow_piece_rebuild(
        library: *mut furrow_library,
        request: *const furrow_rebuild_request,
        rejected: *mut usize,
    ) -> furrow_status;
}
