// SPDX-License-Identifier: Apache-2.0
//! Encoders: records of a sector into their encoded form, on CUDA devices and on the CPU. The
//! bytes are the same on all of them (docs/spec/03, section 2).
//!
//! The declarations of `furrow/c/encoder.h`, which says what they mean.

use std::os::raw::{c_char, c_uint, c_void};

use crate::{furrow_gate, furrow_library, furrow_status, Opaque};
pub const FURROW_SECTOR_ID_SIZE: usize = 32;

/// Most records in one call.
pub const FURROW_MAX_RECORDS: usize = 65535;

/// An encoder.
#[repr(C)]
pub struct furrow_encoder {
    _opaque: Opaque,
}

/// Options of furrow_encoder_create, which are what they were in version 1.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct furrow_encoder_options {
    pub size: usize,
    pub kind: *const c_char,
    pub threads: u32,
}

/// What an encoder is to be made of.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct furrow_encoder_config {
    pub size: usize,
    pub kind: *const c_char,
    pub devices: *const *const c_char,
    pub device_count: usize,
    pub threads: u32,
    pub verify_records: u32,
    pub device_memory_limit: u64,
    pub pinned_memory_limit: u64,
    pub gate: *mut furrow_gate,
    pub reserved: [u64; 8],
}

/// Records to encode in one call.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct furrow_encode_request {
    pub size: usize,
    pub sector_id: *const u8,
    pub records: *mut u8,
    pub record_count: usize,
    pub first_offset: usize,
    pub contents_map: *mut u8,
    pub abort_flag: *const u8,
    pub on_record: Option<unsafe extern "C" fn(user: *mut c_void, piece_offset: usize)>,
    pub user: *mut c_void,
    pub reserved: [u64; 8],
}

/// An encoder at one moment.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct furrow_encoder_info {
    pub size: usize,
    pub name: [c_char; 256],
    pub note: [c_char; 512],
    pub simd_target: [c_char; 16],
    pub threads: u32,
    pub member_count: u32,
    pub running_calls: u32,
    pub reserved0: u32,
    pub records_done: u64,
    pub host_bytes: u64,
    pub device_bytes: u64,
    pub reserved: [u64; 8],
}

pub type furrow_encoder_state = c_uint;
pub const FURROW_ENCODER_IDLE: furrow_encoder_state = 0;
pub const FURROW_ENCODER_WORKING: furrow_encoder_state = 1;
/// It is used no more; the others have its work.
pub const FURROW_ENCODER_LOST: furrow_encoder_state = 2;

/// One device of an encoder, or the CPU.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct furrow_encoder_member {
    pub size: usize,
    pub name: [c_char; 256],
    pub state: furrow_encoder_state,
    pub reserved0: u32,
    pub records_done: u64,
    pub reserved: [u64; 8],
}

extern "C" {
    /// Sets all of it to the defaults.
    pub fn furrow_encoder_config_init(config: *mut furrow_encoder_config, size: usize);
    /// Creates an encoder without a library.
    pub fn furrow_encoder_create(
        options: *const furrow_encoder_options,
        encoder: *mut *mut furrow_encoder,
    ) -> furrow_status;
    /// Makes an encoder.
    pub fn furrow_encoder_open(
        library: *mut furrow_library,
        config: *const furrow_encoder_config,
        encoder: *mut *mut furrow_encoder,
    ) -> furrow_status;
    /// Destroys an encoder.
    pub fn furrow_encoder_destroy(encoder: *mut furrow_encoder);
    /// Sets all of it to zero but the size.
    pub fn furrow_encode_request_init(request: *mut furrow_encode_request, size: usize);
    /// Encodes records of one sector in place.
    pub fn furrow_encoder_encode(
        encoder: *mut furrow_encoder,
        request: *const furrow_encode_request,
    ) -> furrow_status;
    /// Encodes the first records of one sector in place.
    pub fn furrow_encode_records(
        encoder: *mut furrow_encoder,
        sector_id: *const u8,
        records: *mut u8,
        record_count: usize,
        contents_map: *mut u8,
        abort_flag: *const u8,
    ) -> furrow_status;
    /// Encodes records of one sector from any piece offset on.
    pub fn furrow_encode_records_at(
        encoder: *mut furrow_encoder,
        sector_id: *const u8,
        first_offset: usize,
        records: *mut u8,
        record_count: usize,
        contents_map: *mut u8,
        abort_flag: *const u8,
    ) -> furrow_status;
    /// What an encoder is and does.
    pub fn furrow_encoder_get_info(
        encoder: *mut furrow_encoder,
        info: *mut furrow_encoder_info,
    ) -> furrow_status;
    /// One device of an encoder, or the CPU.
    pub fn furrow_encoder_get_member(
        encoder: *mut furrow_encoder,
        position: usize,
        member: *mut furrow_encoder_member,
    ) -> furrow_status;
}
