// SPDX-License-Identifier: Apache-2.0
//! Pieces of archived history: their validity, and rebuilding one from others of its segment.

use std::os::raw::c_int;

use crate::c_struct::c_struct;
use crate::error::check;
use crate::plain::block_of_bytes;
use crate::{ffi, Error, Hash, Library, Record};

block_of_bytes!(
    /// A piece of archived history: a header of 984 bytes, then a [`Record`].
    Piece,
    ffi::FURROW_PIECE_SIZE
);

/// Header of a super segment, 92 bytes, all integers little-endian: u64 index; root; hash of the
/// previous header; u64 largest segment index; u64 block number; u32 segments in it.
pub type SuperSegmentHeader = [u8; ffi::FURROW_SUPER_SEGMENT_HEADER_SIZE];

impl Piece {
    /// Bytes of the header of a piece.
    pub const HEADER_SIZE: usize = ffi::FURROW_PIECE_HEADER_SIZE;
    /// Pieces of a segment; any half of them give the others. Piece i is at position i modulo this.
    pub const IN_SEGMENT: usize = ffi::FURROW_PIECES_IN_SEGMENT;

    /// The record of the piece.
    #[must_use]
    pub fn record(&self) -> &Record {
        let bytes = &self[Self::HEADER_SIZE..];
        assert_eq!(bytes.len(), Record::SIZE);
        // SAFETY: a record is so many bytes, and needs no alignment.
        unsafe { &*bytes.as_ptr().cast::<Record>() }
    }

    /// Whether this is the piece with this index, in a super segment that is known: header, record,
    /// parity root and both proofs. The error says what is wrong ([`crate::ErrorKind::PieceInvalid`]).
    pub fn verify(
        &self,
        library: &Library,
        piece_index: u64,
        header: &SuperSegmentHeader,
    ) -> Result<(), Error> {
        // SAFETY: a library and buffers of their sizes.
        check(unsafe {
            ffi::furrow_piece_verify(
                library.as_ptr(),
                self.as_ptr(),
                piece_index,
                header.as_ptr(),
            )
        })
    }

    /// The same where only the root of the super segment and its number of segments are known, and
    /// the position in the segment.
    pub fn is_valid(
        &self,
        library: &Library,
        position: u8,
        super_segment_root: &Hash,
        num_segments: u32,
    ) -> Result<bool, Error> {
        let mut is_valid: c_int = 0;
        // SAFETY: a library, buffers of their sizes, and where to write.
        check(unsafe {
            ffi::furrow_piece_is_valid(
                library.as_ptr(),
                self.as_ptr(),
                position,
                super_segment_root.as_ptr(),
                num_segments,
                &mut is_valid,
            )
        })?;
        Ok(is_valid != 0)
    }

    /// Rebuilds the piece with this index from others of its segment, by position, of which at least
    /// 128 have to be valid. They are verified against the super segment if its header is given;
    /// otherwise what most of them agree on counts. What comes out is verified: it is right, or this
    /// is an error. `threads` work; 0 means one for each processor.
    pub fn rebuild(
        library: &Library,
        piece_index: u64,
        pieces: &[Option<&Piece>; Piece::IN_SEGMENT],
        header: Option<&SuperSegmentHeader>,
        threads: u32,
    ) -> Result<Rebuilt, Error> {
        let pointers: Vec<*const u8> = pieces
            .iter()
            .map(|piece| piece.map_or(std::ptr::null(), |piece| piece.as_ptr()))
            .collect();
        let mut piece = Self::new_boxed();
        let mut rejected = 0;
        let mut request = c_struct!(furrow_rebuild_request, furrow_rebuild_request_init);
        request.piece_index = piece_index;
        request.pieces = pointers.as_ptr();
        request.super_segment_header = header.map_or(std::ptr::null(), |header| header.as_ptr());
        request.piece = piece.as_mut_ptr();
        request.threads = threads;
        // SAFETY: a library, buffers of their sizes, a pointer for each position, where to write.
        check(unsafe { ffi::furrow_piece_rebuild(library.as_ptr(), &request, &mut rejected) })?;
        Ok(Rebuilt { piece, rejected })
    }
}

/// What [`Piece::rebuild`] has made.
#[derive(Debug)]
#[non_exhaustive]
pub struct Rebuilt {
    /// The piece, verified.
    pub piece: Box<Piece>,
    /// How many of the given pieces are not valid.
    pub rejected: usize,
}
