// SPDX-License-Identifier: Apache-2.0
//! Sectors: what decides their contents, how large they are, and a piece back out of one.

use std::fs::File;
use std::io;
use std::os::raw::c_void;
use std::os::unix::fs::FileExt;

use crate::c_struct::c_struct;
use crate::callback::{catch, fail_callback, text_of_error, user_pointer};
use crate::error::check;
use crate::plain::block_of_bytes;
use crate::{ffi, Error, Hash, Library, Piece};

block_of_bytes!(
    /// The metadata of a sector as farms keep them, their checksum included.
    SectorMetadata,
    ffi::FURROW_SECTOR_METADATA_SIZE
);

/// Where a sector is, and of what: everything that decides its contents. Sizes of history are counts
/// of segments. The default has the parameters of a development chain, and zeros.
///
/// ```
/// use furrow::SectorPlan;
///
/// let mut plan = SectorPlan::default();
/// plan.public_key_hash = [1; 32];
/// plan.pieces_in_sector = 2;
/// plan.history_size = 1;
/// assert_eq!(plan.piece_indices()?.len(), 2);
/// # Ok::<(), furrow::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct SectorPlan {
    /// BLAKE3 of the public key: [`public_key_hash`].
    pub public_key_hash: Hash,
    /// See [`shard_commitments_root`].
    pub shard_commitments_root: Hash,
    /// Farms have none above 65533.
    pub sector_index: u16,
    /// 1 to [`SectorPlan::MAX_PIECES`].
    pub pieces_in_sector: u16,
    /// Of the protocol, whatever `pieces_in_sector` is, at least 1.
    pub max_pieces_in_sector: u16,
    /// Segments of history when the sector is created, at least 1.
    pub history_size: u64,
    /// A parameter of the chain: how many last segments are recent, at least 1.
    pub recent_segments: u64,
    /// A parameter of the chain: share of pieces from recent history, numerator.
    pub recent_history_numerator: u64,
    /// A parameter of the chain: share of pieces from recent history, denominator.
    pub recent_history_denominator: u64,
    /// A parameter of the chain, at least 1.
    pub min_sector_lifetime: u64,
}

impl Default for SectorPlan {
    fn default() -> Self {
        Self::from_c(&c_struct!(furrow_sector_plan, furrow_sector_plan_init))
    }
}

impl SectorPlan {
    /// Most pieces in a sector.
    pub const MAX_PIECES: usize = ffi::FURROW_MAX_PIECES_IN_SECTOR;

    pub(crate) fn from_c(plan: &ffi::furrow_sector_plan) -> Self {
        Self {
            public_key_hash: plan.public_key_hash,
            shard_commitments_root: plan.shard_commitments_root,
            sector_index: plan.sector_index,
            pieces_in_sector: plan.pieces_in_sector,
            max_pieces_in_sector: plan.max_pieces_in_sector,
            history_size: plan.history_size,
            recent_segments: plan.recent_segments,
            recent_history_numerator: plan.recent_history_numerator,
            recent_history_denominator: plan.recent_history_denominator,
            min_sector_lifetime: plan.min_sector_lifetime,
        }
    }

    pub(crate) fn to_c(self) -> ffi::furrow_sector_plan {
        let mut plan = c_struct!(furrow_sector_plan, furrow_sector_plan_init);
        plan.public_key_hash = self.public_key_hash;
        plan.shard_commitments_root = self.shard_commitments_root;
        plan.sector_index = self.sector_index;
        plan.pieces_in_sector = self.pieces_in_sector;
        plan.max_pieces_in_sector = self.max_pieces_in_sector;
        plan.history_size = self.history_size;
        plan.recent_segments = self.recent_segments;
        plan.recent_history_numerator = self.recent_history_numerator;
        plan.recent_history_denominator = self.recent_history_denominator;
        plan.min_sector_lifetime = self.min_sector_lifetime;
        plan
    }

    /// Id of the sector.
    pub fn sector_id(&self) -> Result<Hash, Error> {
        let mut id = [0; 32];
        // SAFETY: a plan, and where to write.
        check(unsafe { ffi::furrow_sector_id(&self.to_c(), id.as_mut_ptr()) })?;
        Ok(id)
    }

    /// Indices of the pieces of the sector, by piece offset. The same piece may come more than once.
    pub fn piece_indices(&self) -> Result<Vec<u64>, Error> {
        let mut indices = vec![0; self.pieces_in_sector.into()];
        // SAFETY: a plan, and room for so many.
        check(unsafe {
            ffi::furrow_sector_piece_indices(&self.to_c(), indices.as_mut_ptr(), indices.len())
        })?;
        Ok(indices)
    }
}

/// Hash of an Ed25519 public key, as sectors use it.
pub fn public_key_hash(public_key: &[u8; 32]) -> Result<Hash, Error> {
    let mut hash = [0; 32];
    // SAFETY: buffers of their sizes.
    check(unsafe { ffi::furrow_public_key_hash(public_key.as_ptr(), hash.as_mut_ptr()) })?;
    Ok(hash)
}

/// Root of the shard commitments of a farmer for a history size, in segments, at least 1. Takes a
/// good part of a second: keep it.
pub fn shard_commitments_root(
    library: &Library,
    shard_commitments_seed: &Hash,
    history_size: u64,
) -> Result<Hash, Error> {
    let mut root = [0; 32];
    // SAFETY: a library and buffers of their sizes.
    check(unsafe {
        ffi::furrow_shard_commitments_root(
            library.as_ptr(),
            shard_commitments_seed.as_ptr(),
            history_size,
            root.as_mut_ptr(),
        )
    })?;
    Ok(root)
}

/// Bytes of a sector with so many pieces; 0 for a number that no sector has.
#[must_use]
pub fn sector_size(pieces_in_sector: usize) -> usize {
    // SAFETY: a number.
    unsafe { ffi::furrow_sector_size(pieces_in_sector) }
}

/// Bytes of [`crate::PlottedSector::scale`] with so many pieces; 0 for a number that no sector has.
#[must_use]
pub fn plotted_sector_size(pieces_in_sector: usize) -> usize {
    // SAFETY: a number.
    unsafe { ffi::furrow_plotted_sector_size(pieces_in_sector) }
}

/// The bytes of a sector, wherever they are. Closures `Fn(u64, &mut [u8]) -> io::Result<()>` are such.
pub trait ReadAt {
    /// Fills `bytes` with those from `offset` on, counted from the start of the sector.
    fn read_at(&self, offset: u64, bytes: &mut [u8]) -> io::Result<()>;
}

impl<F: Fn(u64, &mut [u8]) -> io::Result<()>> ReadAt for F {
    fn read_at(&self, offset: u64, bytes: &mut [u8]) -> io::Result<()> {
        self(offset, bytes)
    }
}

/// A file that holds the sector and nothing before it.
impl ReadAt for File {
    fn read_at(&self, offset: u64, bytes: &mut [u8]) -> io::Result<()> {
        self.read_exact_at(bytes, offset)
    }
}

impl ReadAt for [u8] {
    fn read_at(&self, offset: u64, bytes: &mut [u8]) -> io::Result<()> {
        let begin = usize::try_from(offset).unwrap_or(usize::MAX);
        let found = begin
            .checked_add(bytes.len())
            .and_then(|end| self.get(begin..end));
        bytes.copy_from_slice(found.ok_or(io::ErrorKind::UnexpectedEof)?);
        Ok(())
    }
}

impl ReadAt for Vec<u8> {
    fn read_at(&self, offset: u64, bytes: &mut [u8]) -> io::Result<()> {
        self.as_slice().read_at(offset, bytes)
    }
}

/// A sector to read pieces out of.
#[derive(Clone, Debug)]
pub struct SectorReader {
    library: Library,
    sector_id: Hash,
    metadata: Box<SectorMetadata>,
}

impl SectorReader {
    /// A sector with this id and these metadata, which are verified when a piece is read.
    #[must_use]
    pub fn new(library: &Library, sector_id: Hash, metadata: Box<SectorMetadata>) -> Self {
        Self {
            library: library.clone(),
            sector_id,
            metadata,
        }
    }

    /// Reads a piece, unmasks and recovers it, and verifies its checksum. Takes about as long as
    /// encoding a record on one thread, and 84 MiB of working memory, which the library keeps. Not
    /// the whole sector is read; `bytes` are read on the calling thread. What fails or panics there
    /// is the error of the call ([`crate::ErrorKind::Callback`]).
    pub fn read_piece<B: ReadAt + ?Sized>(
        &self,
        bytes: &B,
        piece_offset: u16,
    ) -> Result<Box<Piece>, Error> {
        let mut piece = Piece::new_boxed();
        let source = Bytes(bytes);
        let mut request = c_struct!(furrow_read_piece_request, furrow_read_piece_request_init);
        request.sector_id = self.sector_id.as_ptr();
        request.sector_metadata = self.metadata.as_ptr();
        request.piece_offset = piece_offset.into();
        request.read_at = Some(read_at::<B>);
        request.user = user_pointer(&source);
        request.piece = piece.as_mut_ptr();
        // SAFETY: a library, buffers of their sizes, and what the callback gets lives until the call
        // returns.
        check(unsafe { ffi::furrow_sector_read_piece(self.library.as_ptr(), &request) })?;
        Ok(piece)
    }
}

/// A reader of any kind, also one without a size, behind a pointer of one word.
struct Bytes<'a, B: ?Sized>(&'a B);

unsafe extern "C" fn read_at<B: ReadAt + ?Sized>(
    user: *mut c_void,
    offset: u64,
    bytes: *mut u8,
    size: usize,
) -> ffi::furrow_status {
    if size == 0 {
        return ffi::FURROW_OK;
    }
    // SAFETY: what read_piece has given, on its thread; so many bytes that nobody else uses during
    // the call, zeroed because Rust reads nothing that nobody has written.
    let (source, bytes) = unsafe {
        std::ptr::write_bytes(bytes, 0, size);
        (
            &*user.cast::<Bytes<'_, B>>(),
            std::slice::from_raw_parts_mut(bytes, size),
        )
    };
    match catch(|| {
        source
            .0
            .read_at(offset, bytes)
            .map_err(|error| text_of_error(&error))
    }) {
        Ok(Ok(())) => ffi::FURROW_OK,
        Ok(Err(text)) => fail_callback(&text),
        Err(text) => fail_callback(&format!("the reader of the sector panicked: {text}")),
    }
}
