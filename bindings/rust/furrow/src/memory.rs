// SPDX-License-Identifier: Apache-2.0
//! What a configuration will take in memory, before anything is made.

use crate::c_struct::c_struct;
use crate::encoder_config::DeviceNames;
use crate::error::check;
use crate::{ffi, Error, Library};

/// What the memory of plotting depends on. Zeros are the defaults.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct MemoryRequest {
    /// Pieces in a sector; 0: encoders alone are meant.
    pub pieces_in_sector: u32,
    /// Threads that encode on the CPU; 0: one for each processor that the process may use.
    pub threads: u32,
    /// Devices that encode, as [`crate::EncoderConfig::device`] names them.
    pub devices: Vec<String>,
    /// Most bytes of memory on each device; 0: what is free.
    pub device_memory_limit: u64,
    /// Most bytes of pinned host memory for each device; 0: as much as its batches want.
    pub pinned_memory_limit: u64,
    /// Sectors that are downloaded or encoded at the same time; 0: as many as keep encoders busy.
    pub sectors_in_memory: u32,
    /// Sectors that are laid out or written at the same time; 0: as many as keep encoders busy.
    pub output_buffers: u32,
}

/// The most that it takes, in bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct MemoryPlan {
    /// Of the host, all of what follows.
    pub host_bytes: u64,
    /// Working memory of threads that encode.
    pub encoder_bytes: u64,
    /// Sectors that are downloaded, encoded, laid out and written.
    pub sector_bytes: u64,
    /// Pinned memory, and what drivers take.
    pub device_host_bytes: u64,
    /// On all devices together.
    pub device_bytes: u64,
    /// Sectors that are downloaded or encoded at the same time.
    pub sectors_in_memory: u32,
    /// Sectors that are laid out or written at the same time.
    pub output_buffers: u32,
}

impl MemoryRequest {
    /// Plans memory. Devices that are named get a context, since only then they say what is free.
    pub fn plan(&self, library: &Library) -> Result<MemoryPlan, Error> {
        let devices = DeviceNames::new(&self.devices)?;
        let mut request = c_struct!(furrow_memory_request, furrow_memory_request_init);
        request.pieces_in_sector = self.pieces_in_sector;
        request.threads = self.threads;
        request.devices = devices.as_ptr();
        request.device_count = devices.pointers.len();
        request.device_memory_limit = self.device_memory_limit;
        request.pinned_memory_limit = self.pinned_memory_limit;
        request.sectors_in_memory = self.sectors_in_memory;
        request.output_buffers = self.output_buffers;
        let mut plan = c_struct!(furrow_memory_plan);
        // SAFETY: a library, texts that end with a zero, and a struct whose size is set.
        check(unsafe { ffi::furrow_memory_plan_get(library.as_ptr(), &request, &mut plan) })?;
        Ok(MemoryPlan {
            host_bytes: plan.host_bytes,
            encoder_bytes: plan.encoder_bytes,
            sector_bytes: plan.sector_bytes,
            device_host_bytes: plan.device_host_bytes,
            device_bytes: plan.device_bytes,
            sectors_in_memory: plan.sectors_in_memory,
            output_buffers: plan.output_buffers,
        })
    }
}
