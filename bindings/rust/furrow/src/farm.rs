// SPDX-License-Identifier: Apache-2.0
//! Farms on disk: a directory with a key, sectors and their metadata.

use std::fmt;
use std::path::Path;
use std::ptr::{null_mut, NonNull};
use std::sync::Arc;

use crate::c_struct::{c_struct, path_for_c, text_from_array};
use crate::error::check;
use crate::library::no_handle;
use crate::{ffi, Error, Hash, Library, SectorMetadata, SectorPlan};

/// Why a farm is opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum FarmMode {
    /// To look at one that exists. Changes nothing.
    Read,
    /// To plot into one that exists; takes its lock.
    Plot,
    /// The same; when there is none, it is created.
    Create,
}

/// How a farm is opened, and what a new one is to be.
///
/// ```no_run
/// use furrow::{Farm, FarmMode, FarmOptions, Library};
///
/// let library = Library::new()?;
/// let options = FarmOptions::new(FarmMode::Create).genesis_root([7; 32]).min_sectors(10);
/// let farm = Farm::open(&library, "/mnt/farm", &options)?;
/// # Ok::<(), furrow::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct FarmOptions {
    mode: FarmMode,
    pieces_in_sector: u32,
    allocated_space: u64,
    min_sectors: u32,
    cache_percentage: Option<u8>,
    genesis_root: Option<Hash>,
    chain: Option<SectorPlan>,
}

impl FarmOptions {
    /// The farm as it is.
    #[must_use]
    pub fn new(mode: FarmMode) -> Self {
        Self {
            mode,
            pieces_in_sector: 0,
            allocated_space: 0,
            min_sectors: 0,
            cache_percentage: None,
            genesis_root: None,
            chain: None,
        }
    }

    /// Pieces in a sector; the default is what the farm has, 1000 in a new one. Another number than
    /// that of the farm is a mismatch.
    #[must_use]
    pub fn pieces_in_sector(mut self, pieces: u32) -> Self {
        self.pieces_in_sector = pieces;
        self
    }

    /// Bytes of all files of the farm; a new farm needs this or [`FarmOptions::min_sectors`].
    #[must_use]
    pub fn allocated_space(mut self, bytes: u64) -> Self {
        self.allocated_space = bytes;
        self
    }

    /// Instead of bytes: room for so many sectors at least.
    #[must_use]
    pub fn min_sectors(mut self, sectors: u32) -> Self {
        self.min_sectors = sectors;
        self
    }

    /// Share of the space, 0 to 99, that is left to a piece cache of a farmer; the default is what the
    /// farm has, or 1 in a new one.
    #[must_use]
    pub fn cache_percentage(mut self, percentage: u8) -> Self {
        self.cache_percentage = Some(percentage);
        self
    }

    /// Chain of the farm. Needed by a new one, checked otherwise.
    #[must_use]
    pub fn genesis_root(mut self, root: Hash) -> Self {
        self.genesis_root = Some(root);
        self
    }

    /// Parameters of the chain (the last four of a plan and `max_pieces_in_sector`) of a new farm,
    /// checked otherwise; the default is those of a development chain, not checked.
    #[must_use]
    pub fn chain(mut self, parameters: &SectorPlan) -> Self {
        self.chain = Some(*parameters);
        self
    }
}

/// An open farm. Clones are the same farm; it is closed with the last of them and of the sources
/// that read it.
#[derive(Clone, Debug)]
pub struct Farm(Arc<Inner>);

struct Inner {
    handle: NonNull<ffi::furrow_farm>,
    library: Library,
}

// SAFETY: every function of the interface may be called from any thread, also on the same handle at
// the same time.
unsafe impl Send for Inner {}
// SAFETY: as above.
unsafe impl Sync for Inner {}

impl Drop for Inner {
    fn drop(&mut self) {
        // SAFETY: calls borrow the farm, so this is the last one.
        unsafe { ffi::furrow_farm_destroy(self.handle.as_ptr()) };
    }
}

impl fmt::Debug for Inner {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.handle.fmt(formatter)
    }
}

/// What a farm is.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct FarmInfo {
    /// Of the chain.
    pub genesis_root: Hash,
    /// Ed25519.
    pub public_key: Hash,
    /// As sectors use it.
    pub public_key_hash: Hash,
    /// For [`crate::shard_commitments_root`].
    pub shard_commitments_seed: Hash,
    /// ULID, 26 characters.
    pub id: String,
    /// Bytes of all files.
    pub allocated_space: u64,
    /// Bytes of one sector.
    pub sector_size: u64,
    /// Pieces in a sector.
    pub pieces_in_sector: u32,
    /// Sectors 0 .. `sector_count` - 1 exist.
    pub sector_count: u32,
    /// Sectors that there is room for.
    pub sector_room: u32,
}

/// What a sector of a farm holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum FarmSector {
    /// It was never plotted.
    NotPlotted,
    /// It is plotted.
    #[non_exhaustive]
    Plotted {
        /// Segments of history when it was plotted.
        history_size: u64,
        /// Its id.
        sector_id: Hash,
    },
    /// Counted, but holds nothing: to be plotted again.
    Lost,
    /// Counted, but its slot is unreadable; in farms open for reading.
    Damaged,
}

/// Where a piece is in a farm.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub struct PiecePlace {
    /// In which sector.
    pub sector_index: u16,
    /// Where in it.
    pub piece_offset: u16,
}

impl Farm {
    /// Opens a farm, or creates it. Whatever else comes of it, a farm that was there is as before,
    /// and one that was not leaves no files. Damage that is found and repaired is a warning of the
    /// library. The directory of a new farm is made, its parent is not.
    pub fn open(
        library: &Library,
        directory: impl AsRef<Path>,
        options: &FarmOptions,
    ) -> Result<Self, Error> {
        let directory = path_for_c(directory.as_ref())?;
        let chain = options.chain.map(SectorPlan::to_c);
        let mut wanted = c_struct!(furrow_farm_options, furrow_farm_options_init);
        wanted.mode = match options.mode {
            FarmMode::Read => ffi::FURROW_FARM_READ,
            FarmMode::Plot => ffi::FURROW_FARM_PLOT,
            FarmMode::Create => ffi::FURROW_FARM_CREATE,
        };
        wanted.pieces_in_sector = options.pieces_in_sector;
        wanted.allocated_space = options.allocated_space;
        wanted.min_sectors = options.min_sectors;
        if let Some(percentage) = options.cache_percentage {
            if percentage > 99 {
                return Err(Error::argument(format!(
                    "furrow: share of a piece cache: expected 0 to 99, actual {percentage}"
                )));
            }
            wanted.cache_percentage = percentage.into();
        }
        if let Some(root) = &options.genesis_root {
            wanted.genesis_root = root.as_ptr();
        }
        if let Some(chain) = &chain {
            wanted.chain = chain;
        }
        let mut handle = null_mut();
        // SAFETY: a library, a text that ends with a zero, options, and where to write.
        check(unsafe {
            ffi::furrow_farm_open(library.as_ptr(), directory.as_ptr(), &wanted, &mut handle)
        })?;
        let handle = NonNull::new(handle).ok_or_else(no_handle)?;
        Ok(Self(Arc::new(Inner {
            handle,
            library: library.clone(),
        })))
    }

    /// What the farm is.
    pub fn info(&self) -> Result<FarmInfo, Error> {
        let mut info = c_struct!(furrow_farm_info);
        // SAFETY: a farm, and a struct whose size is set.
        check(unsafe { ffi::furrow_farm_get_info(self.as_ptr(), &mut info) })?;
        Ok(FarmInfo {
            genesis_root: info.genesis_root,
            public_key: info.public_key,
            public_key_hash: info.public_key_hash,
            shard_commitments_seed: info.shard_commitments_seed,
            id: text_from_array(&info.id),
            allocated_space: info.allocated_space,
            sector_size: info.sector_size,
            pieces_in_sector: info.pieces_in_sector,
            sector_count: info.sector_count,
            sector_room: info.sector_room,
        })
    }

    /// What a sector holds; its index is less than `sector_room`. Takes a good part of a second for
    /// the first that is plotted of each history size.
    pub fn sector(&self, sector_index: u32) -> Result<FarmSector, Error> {
        let mut sector = c_struct!(furrow_farm_sector);
        // SAFETY: a farm, and a struct whose size is set.
        check(unsafe { ffi::furrow_farm_get_sector(self.as_ptr(), sector_index, &mut sector) })?;
        Ok(match sector.state {
            ffi::FURROW_SECTOR_NOT_PLOTTED => FarmSector::NotPlotted,
            ffi::FURROW_SECTOR_PLOTTED => FarmSector::Plotted {
                history_size: sector.history_size,
                sector_id: sector.sector_id,
            },
            ffi::FURROW_SECTOR_LOST => FarmSector::Lost,
            _ => FarmSector::Damaged,
        })
    }

    /// Metadata of a plotted sector. One that holds nothing is [`crate::ErrorKind::SectorEmpty`].
    pub fn sector_metadata(&self, sector_index: u32) -> Result<Box<SectorMetadata>, Error> {
        let mut metadata = SectorMetadata::new_boxed();
        // SAFETY: a farm, and a buffer of its size.
        check(unsafe {
            ffi::furrow_farm_sector_metadata(self.as_ptr(), sector_index, metadata.as_mut_ptr())
        })?;
        Ok(metadata)
    }

    /// Reads bytes of a sector as they are on disk, from `offset` on.
    pub fn read_sector(
        &self,
        sector_index: u32,
        offset: u64,
        bytes: &mut [u8],
    ) -> Result<(), Error> {
        // SAFETY: a farm, and room for so many bytes.
        check(unsafe {
            ffi::furrow_farm_read_sector(
                self.as_ptr(),
                sector_index,
                offset,
                bytes.as_mut_ptr(),
                bytes.len(),
            )
        })
    }

    /// What plotting a sector of this farm at a history size needs to know. Takes a good part of a
    /// second for the first of each history size.
    pub fn plan_sector(&self, sector_index: u32, history_size: u64) -> Result<SectorPlan, Error> {
        let mut plan = c_struct!(furrow_sector_plan);
        // SAFETY: a farm, and a struct whose size is set.
        check(unsafe {
            ffi::furrow_farm_plan_sector(self.as_ptr(), sector_index, history_size, &mut plan)
        })?;
        Ok(SectorPlan::from_c(&plan))
    }

    /// Writes a sector and its metadata, each durable before the next begins; a sector that was there
    /// is replaced. Sectors before it that are not there are counted as lost. A crash at any moment
    /// leaves the old sector, the new one, or one that is known to be lost.
    pub fn write_sector(
        &self,
        sector_index: u32,
        sector: &[u8],
        metadata: &SectorMetadata,
    ) -> Result<(), Error> {
        // SAFETY: a farm, so many bytes, and metadata of their size.
        check(unsafe {
            ffi::furrow_farm_write_sector(
                self.as_ptr(),
                sector_index,
                sector.as_ptr(),
                sector.len(),
                metadata.as_ptr(),
            )
        })
    }

    /// All places of a piece in plotted sectors, by sector, then by offset.
    pub fn find_piece(&self, piece_index: u64) -> Result<Vec<PiecePlace>, Error> {
        let mut places = Vec::new();
        loop {
            let mut count = 0;
            // SAFETY: a farm, and room for so many places.
            check(unsafe {
                ffi::furrow_farm_find_piece(
                    self.as_ptr(),
                    piece_index,
                    places.as_mut_ptr(),
                    places.len(),
                    &mut count,
                )
            })?;
            if count <= places.len() {
                places.truncate(count);
                break;
            }
            // Sectors may be plotted meanwhile, so there may be more next time.
            places.resize(
                count,
                ffi::furrow_piece_place {
                    sector_index: 0,
                    piece_offset: 0,
                },
            );
        }
        let of_c = |place: ffi::furrow_piece_place| PiecePlace {
            sector_index: place.sector_index,
            piece_offset: place.piece_offset,
        };
        Ok(places.into_iter().map(of_c).collect())
    }

    pub(crate) fn as_ptr(&self) -> *mut ffi::furrow_farm {
        self.0.handle.as_ptr()
    }

    pub(crate) fn library(&self) -> &Library {
        &self.0.library
    }
}
