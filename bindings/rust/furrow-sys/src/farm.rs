// SPDX-License-Identifier: Apache-2.0
//! Farms on disk: a directory with a key, sectors and their metadata (docs/spec/06).
//!
//! The declarations of `furrow/c/farm.h`, which says what they mean.

use std::os::raw::{c_char, c_uint};

use crate::{furrow_library, furrow_sector_plan, furrow_status, Opaque, FURROW_HASH_SIZE};

/// An open farm.
#[repr(C)]
pub struct furrow_farm {
    _opaque: Opaque,
}

/// Why a farm is opened.
pub type furrow_farm_mode = c_uint;
/// To look at one that exists.
pub const FURROW_FARM_READ: furrow_farm_mode = 0;
/// To plot into one that exists; takes its lock.
pub const FURROW_FARM_PLOT: furrow_farm_mode = 1;
/// The same; when there is none, it is created.
pub const FURROW_FARM_CREATE: furrow_farm_mode = 2;

#[repr(C)]
#[derive(Clone, Copy)]
pub struct furrow_farm_options {
    pub size: usize,
    pub mode: furrow_farm_mode,
    pub pieces_in_sector: u32,
    pub allocated_space: u64,
    pub min_sectors: u32,
    pub cache_percentage: u32,
    pub genesis_root: *const u8,
    pub chain: *const furrow_sector_plan,
    pub reserved: [u64; 8],
}

#[repr(C)]
#[derive(Clone, Copy)]
pub struct furrow_farm_info {
    pub size: usize,
    pub genesis_root: [u8; FURROW_HASH_SIZE],
    pub public_key: [u8; FURROW_HASH_SIZE],
    pub public_key_hash: [u8; FURROW_HASH_SIZE],
    pub shard_commitments_seed: [u8; FURROW_HASH_SIZE],
    pub id: [c_char; 32],
    pub allocated_space: u64,
    pub sector_size: u64,
    pub pieces_in_sector: u32,
    pub sector_count: u32,
    pub sector_room: u32,
    pub reserved0: u32,
    pub reserved: [u64; 8],
}

pub type furrow_sector_state = c_uint;
pub const FURROW_SECTOR_NOT_PLOTTED: furrow_sector_state = 0;
pub const FURROW_SECTOR_PLOTTED: furrow_sector_state = 1;
/// Counted, but holds nothing.
pub const FURROW_SECTOR_LOST: furrow_sector_state = 2;
/// Counted, but its slot is unreadable; in farms open for reading.
pub const FURROW_SECTOR_DAMAGED: furrow_sector_state = 3;

#[repr(C)]
#[derive(Clone, Copy)]
pub struct furrow_farm_sector {
    pub size: usize,
    pub state: furrow_sector_state,
    pub reserved0: u32,
    pub history_size: u64,
    pub sector_id: [u8; FURROW_HASH_SIZE],
    pub reserved: [u64; 8],
}

/// Where a piece is in a farm.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct furrow_piece_place {
    pub sector_index: u16,
    pub piece_offset: u16,
}

extern "C" {
    /// Sets all of it to the defaults.
    pub fn furrow_farm_options_init(options: *mut furrow_farm_options, size: usize);
    /// Opens a farm, or creates it.
    pub fn furrow_farm_open(
        library: *mut furrow_library,
        directory: *const c_char,
        options: *const furrow_farm_options,
        farm: *mut *mut furrow_farm,
    ) -> furrow_status;
    /// Closes a farm and releases its lock, as soon as no source uses it any more.
    pub fn furrow_farm_destroy(farm: *mut furrow_farm);
    /// What a farm is.
    pub fn furrow_farm_get_info(
        farm: *mut furrow_farm,
        info: *mut furrow_farm_info,
    ) -> furrow_status;
    /// One sector of a farm.
    pub fn furrow_farm_get_sector(
        farm: *mut furrow_farm,
        sector_index: u32,
        sector: *mut furrow_farm_sector,
    ) -> furrow_status;
    /// Metadata of a plotted sector.
    pub fn furrow_farm_sector_metadata(
        farm: *mut furrow_farm,
        sector_index: u32,
        metadata: *mut u8,
    ) -> furrow_status;
    /// Reads bytes of a sector as they are on disk.
    pub fn furrow_farm_read_sector(
        farm: *mut furrow_farm,
        sector_index: u32,
        offset: u64,
        bytes: *mut u8,
        size: usize,
    ) -> furrow_status;
    /// What plotting a sector of this farm at a history size needs to know.
    pub fn furrow_farm_plan_sector(
        farm: *mut furrow_farm,
        sector_index: u32,
        history_size: u64,
        plan: *mut furrow_sector_plan,
    ) -> furrow_status;
    /// Writes a sector and its metadata, each durable before the next begins; a sector that was
    /// there is replaced.
    pub fn furrow_farm_write_sector(
        farm: *mut furrow_farm,
        sector_index: u32,
        sector: *const u8,
        sector_size: usize,
        metadata: *const u8,
    ) -> furrow_status;
    /// All places of a piece in plotted sectors, by sector, then by offset.
    pub fn furrow_farm_find_piece(
        farm: *mut furrow_farm,
        piece_index: u64,
        places: *mut furrow_piece_place,
        capacity: usize,
        count: *mut usize,
    ) -> furrow_status;
}
