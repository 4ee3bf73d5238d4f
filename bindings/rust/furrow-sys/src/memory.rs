// SPDX-License-Identifier: Apache-2.0
//! What a configuration will take in memory, before anything is made.
//!
//! The declarations of `furrow/c/memory.h`, which says what they mean.

use std::os::raw::c_char;

use crate::{furrow_library, furrow_status};

/// What the memory of plotting depends on.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct furrow_memory_request {
    pub size: usize,
    pub pieces_in_sector: u32,
    pub threads: u32,
    pub devices: *const *const c_char,
    pub device_count: usize,
    pub device_memory_limit: u64,
    pub pinned_memory_limit: u64,
    pub sectors_in_memory: u32,
    pub output_buffers: u32,
    pub reserved: [u64; 8],
}

/// The most that it takes, in bytes.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct furrow_memory_plan {
    pub size: usize,
    pub host_bytes: u64,
    pub encoder_bytes: u64,
    pub sector_bytes: u64,
    pub device_host_bytes: u64,
    pub device_bytes: u64,
    pub sectors_in_memory: u32,
    pub output_buffers: u32,
    pub reserved: [u64; 8],
}

extern "C" {
    /// Sets all of it to the defaults.
    pub fn furrow_memory_request_init(request: *mut furrow_memory_request, size: usize);
    /// Plans memory.
    pub fn furrow_memory_plan_get(
        library: *mut furrow_library,
        request: *const furrow_memory_request,
        plan: *mut furrow_memory_plan,
    ) -> furrow_status;
}
