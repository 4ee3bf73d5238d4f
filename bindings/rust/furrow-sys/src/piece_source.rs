// SPDX-License-Identifier: Apache-2.0
//! Where pieces come from: callbacks of the caller, a piece store on disk, or a farm.
//!
//! The declarations of `furrow/c/piece_source.h`, which says what they mean.

use std::os::raw::{c_char, c_int, c_void};

use crate::{furrow_farm, furrow_library, furrow_status, Opaque, FURROW_HASH_SIZE};

/// A source of pieces.
#[repr(C)]
pub struct furrow_piece_source {
    _opaque: Opaque,
}

/// A batch of pieces that a source of the caller is asked for.
#[repr(C)]
pub struct furrow_piece_batch {
    _opaque: Opaque,
}

/// A source of the caller.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct furrow_piece_source_callbacks {
    pub size: usize,
    pub user: *mut c_void,
    pub get_piece: Option<
        unsafe extern "C" fn(user: *mut c_void, piece_index: u64, piece: *mut u8) -> furrow_status,
    >,
    pub get_pieces: Option<
        unsafe extern "C" fn(
            user: *mut c_void,
            piece_indices: *const u64,
            count: usize,
            batch: *mut furrow_piece_batch,
        ),
    >,
    pub on_destroy: Option<unsafe extern "C" fn(user: *mut c_void)>,
    pub concurrency: u32,
    pub patience_ms: u32,
    pub reserved: [u64; 8],
}

/// What a source knows of the history that its pieces are of.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct furrow_history {
    pub size: usize,
    pub history_size: u64,
    pub genesis_root: [u8; FURROW_HASH_SIZE],
    pub reserved: [u64; 8],
}

extern "C" {
    /// Takes the answer for one piece of a batch.
    pub fn furrow_piece_batch_answer(
        batch: *mut furrow_piece_batch,
        piece_index: u64,
        status: furrow_status,
        piece: *const u8,
        message: *const c_char,
    ) -> furrow_status;
    /// Whether nobody waits for the batch any more.
    pub fn furrow_piece_batch_is_over(batch: *const furrow_piece_batch) -> c_int;
    /// Says that no further answer comes; pieces without one have failed.
    pub fn furrow_piece_batch_release(batch: *mut furrow_piece_batch);
    /// Sets all of it to the defaults.
    pub fn furrow_piece_source_callbacks_init(
        callbacks: *mut furrow_piece_source_callbacks,
        size: usize,
    );
    /// Makes a source of callbacks.
    pub fn furrow_piece_source_create(
        library: *mut furrow_library,
        callbacks: *const furrow_piece_source_callbacks,
        source: *mut *mut furrow_piece_source,
    ) -> furrow_status;
    /// Opens a piece store, as `furrow archive` makes them.
    pub fn furrow_piece_source_open_store(
        library: *mut furrow_library,
        directory: *const c_char,
        source: *mut *mut furrow_piece_source,
    ) -> furrow_status;
    /// Pieces that sectors of a farm hold.
    pub fn furrow_piece_source_of_farm(
        farm: *mut furrow_farm,
        threads: u32,
        source: *mut *mut furrow_piece_source,
    ) -> furrow_status;
    /// Destroys a source.
    pub fn furrow_piece_source_destroy(source: *mut furrow_piece_source);
    /// The history of a piece store.
    pub fn furrow_piece_source_get_history(
        source: *mut furrow_piece_source,
        history: *mut furrow_history,
    ) -> furrow_status;
    /// Gets one piece.
    pub fn furrow_piece_source_get_piece(
        source: *mut furrow_piece_source,
        piece_index: u64,
        piece: *mut u8,
        abort_flag: *const u8,
    ) -> furrow_status;
}
