// SPDX-License-Identifier: Apache-2.0
//! Plotters: sectors from a source of pieces, by an encoder, into buffers or into a farm
//! (docs/spec/03, section 6).
//!
//! The declarations of `furrow/c/plotter.h`, which says what they mean.

use std::os::raw::{c_char, c_uint, c_void};

use crate::{
    furrow_encoder, furrow_farm, furrow_gate, furrow_library, furrow_piece_source,
    furrow_sector_plan, furrow_status, Opaque,
};

/// A plotter.
#[repr(C)]
pub struct furrow_plotter {
    _opaque: Opaque,
}

#[repr(C)]
#[derive(Clone, Copy)]
pub struct furrow_plotter_options {
    pub size: usize,
    pub encoder: *mut furrow_encoder,
    pub source: *mut furrow_piece_source,
    pub gate: *mut furrow_gate,
    pub sectors_in_memory: u32,
    pub attempts: u32,
    pub first_delay_ms: u32,
    pub longest_delay_ms: u32,
    pub reserved: [u64; 8],
}

/// How far a sector is.
pub type furrow_plot_stage = c_uint;
pub const FURROW_PLOT_DOWNLOADING: furrow_plot_stage = 1;
pub const FURROW_PLOT_DOWNLOADED: furrow_plot_stage = 2;
pub const FURROW_PLOT_ENCODING: furrow_plot_stage = 3;
/// A record is done.
pub const FURROW_PLOT_RECORD: furrow_plot_stage = 4;
/// Encoded and laid out.
pub const FURROW_PLOT_ENCODED: furrow_plot_stage = 5;
/// It is being written into the farm.
pub const FURROW_PLOT_WRITING: furrow_plot_stage = 6;
pub const FURROW_PLOT_FINISHED: furrow_plot_stage = 7;
pub const FURROW_PLOT_FAILED: furrow_plot_stage = 8;
/// The encoders failed with the sector; it is made anew, from the first stage on.
pub const FURROW_PLOT_TRYING_AGAIN: furrow_plot_stage = 9;

/// What a caller is told of a sector.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct furrow_plot_event {
    pub size: usize,
    pub stage: furrow_plot_stage,
    pub sector_index: u16,
    pub reserved0: u16,
    pub seconds: f64,
    pub records_done: u64,
    pub message: *const c_char,
}

/// Told of progress.
pub type furrow_on_plot_event =
    Option<unsafe extern "C" fn(user: *mut c_void, event: *const furrow_plot_event)>;

/// A sector to plot into buffers.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct furrow_plot_sector_request {
    pub size: usize,
    pub plan: *const furrow_sector_plan,
    pub sector: *mut u8,
    pub sector_size: usize,
    pub metadata: *mut u8,
    pub metadata_size: usize,
    pub piece_indices: *mut u64,
    pub piece_index_count: usize,
    pub plotted_sector: *mut u8,
    pub plotted_sector_size: usize,
    pub abort_flag: *const u8,
    pub on_event: furrow_on_plot_event,
    pub user: *mut c_void,
    pub reserved: [u64; 8],
}

/// Sectors to plot into a farm.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct furrow_plot_farm_request {
    pub size: usize,
    pub farm: *mut furrow_farm,
    pub history_size: u64,
    pub most_sectors: u32,
    pub reserved0: u32,
    pub abort_flag: *const u8,
    pub on_event: furrow_on_plot_event,
    pub user: *mut c_void,
    pub reserved: [u64; 8],
}

extern "C" {
    /// Sets all of it to the defaults.
    pub fn furrow_plotter_options_init(options: *mut furrow_plotter_options, size: usize);
    /// Makes a plotter.
    pub fn furrow_plotter_create(
        library: *mut furrow_library,
        options: *const furrow_plotter_options,
        plotter: *mut *mut furrow_plotter,
    ) -> furrow_status;
    /// Destroys a plotter.
    pub fn furrow_plotter_destroy(plotter: *mut furrow_plotter);
    /// Sets all of it to zero but the size.
    pub fn furrow_plot_sector_request_init(request: *mut furrow_plot_sector_request, size: usize);
    /// Plots one sector.
    pub fn furrow_plotter_plot_sector(
        plotter: *mut furrow_plotter,
        request: *const furrow_plot_sector_request,
    ) -> furrow_status;
    /// Sets all of it to zero but the size.
    pub fn furrow_plot_farm_request_init(request: *mut furrow_plot_farm_request, size: usize);
    /// Plots sectors into a farm, the next one being downloaded and the one before being written
    /// while one is encoded.
    pub fn furrow_plotter_plot_farm(
        plotter: *mut furrow_plotter,
        request: *const furrow_plot_farm_request,
        given_up: *mut usize,
    ) -> furrow_status;
}
