// SPDX-License-Identifier: Apache-2.0
//! Records, and which s-buckets their encoded forms use.

use std::fmt;
use std::ops::{Deref, DerefMut};

use crate::ffi;
use crate::plain::{block_of_bytes, bytes_of, zeroed_box, zeroed_vec, Plain};

/// The record of a piece: 32768 chunks of 32 bytes, 1 MiB. It is nothing but the array of its
/// chunks, so that the records of a farmer can be taken for records of this crate
/// ([`Record::slice_from_chunks_mut`]) without copying them.
#[repr(transparent)]
#[derive(PartialEq, Eq)]
pub struct Record([[u8; Record::CHUNK_SIZE]; Record::NUM_CHUNKS]);

const _: () = assert!(std::mem::size_of::<Record>() == Record::SIZE);

// SAFETY: an array of arrays of bytes.
unsafe impl Plain for Record {}

impl Record {
    /// Chunks of a record.
    pub const NUM_CHUNKS: usize = 32768;
    /// Bytes of a chunk.
    pub const CHUNK_SIZE: usize = 32;
    /// Bytes of a record.
    pub const SIZE: usize = ffi::FURROW_RECORD_SIZE;

    /// A record of zeros, made where it stays: never on the stack.
    #[must_use]
    pub fn new_boxed() -> Box<Self> {
        zeroed_box()
    }

    /// Records of zeros, back to back.
    #[must_use]
    pub fn new_zero_vec(count: usize) -> Vec<Self> {
        zeroed_vec(count)
    }

    /// Records of somebody else's type, by their chunks.
    #[must_use]
    pub fn slice_from_chunks_mut(
        chunks: &mut [[[u8; Self::CHUNK_SIZE]; Self::NUM_CHUNKS]],
    ) -> &mut [Self] {
        // SAFETY: a record is the array of its chunks (repr(transparent)).
        unsafe { std::slice::from_raw_parts_mut(chunks.as_mut_ptr().cast(), chunks.len()) }
    }

    /// All bytes of the record.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        bytes_of(std::slice::from_ref(self))
    }

    /// All bytes of the record.
    #[must_use]
    pub fn as_bytes_mut(&mut self) -> &mut [u8] {
        // SAFETY: a record is SIZE bytes, and any bytes are a record.
        unsafe { std::slice::from_raw_parts_mut((self as *mut Self).cast(), Self::SIZE) }
    }
}

impl Deref for Record {
    type Target = [[u8; Record::CHUNK_SIZE]; Record::NUM_CHUNKS];
    fn deref(&self) -> &Self::Target {
        &self.0
    }
}

impl DerefMut for Record {
    fn deref_mut(&mut self) -> &mut Self::Target {
        &mut self.0
    }
}

impl Clone for Box<Record> {
    fn clone(&self) -> Self {
        let mut copy = Record::new_boxed();
        copy.0.copy_from_slice(&self.0);
        copy
    }
}

impl fmt::Debug for Record {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Record({} bytes)", Self::SIZE)
    }
}

block_of_bytes!(
    /// One bit for each of 65536 s-buckets, least significant bit of the first byte first: those
    /// that have a proof, and for a record those that its encoded chunks stand in.
    FoundProofs,
    ffi::FURROW_FOUND_PROOFS_SIZE
);

impl FoundProofs {
    /// Whether an s-bucket is one of them.
    #[must_use]
    pub fn is_set(&self, s_bucket: u16) -> bool {
        let bit = usize::from(s_bucket);
        self[bit / 8] >> (bit % 8) & 1 != 0
    }

    /// How many there are.
    #[must_use]
    pub fn count(&self) -> usize {
        self.iter().map(|byte| byte.count_ones() as usize).sum()
    }
}

/// The s-buckets that the records of a sector use, an entry for each record. One without any bit
/// belongs to a record that was not encoded.
#[derive(Debug, PartialEq, Eq)]
pub struct ContentsMap(Vec<FoundProofs>);

impl ContentsMap {
    /// A map for so many records, none of them encoded.
    #[must_use]
    pub fn new(record_count: usize) -> Self {
        Self(FoundProofs::new_zero_vec(record_count))
    }

    /// Whether a record was encoded; false for one that there is not.
    #[must_use]
    pub fn is_done(&self, position: usize) -> bool {
        self.0
            .get(position)
            .map_or(false, |entry| entry.iter().any(|byte| *byte != 0))
    }

    /// The entries back to back, as a sector begins with them.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        bytes_of(&self.0)
    }

    /// The entries.
    #[must_use]
    pub fn into_vec(self) -> Vec<FoundProofs> {
        self.0
    }
}

impl Deref for ContentsMap {
    type Target = [FoundProofs];
    fn deref(&self) -> &Self::Target {
        &self.0
    }
}

impl DerefMut for ContentsMap {
    fn deref_mut(&mut self) -> &mut Self::Target {
        &mut self.0
    }
}
