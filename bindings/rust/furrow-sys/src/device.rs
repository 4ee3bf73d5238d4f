// SPDX-License-Identifier: Apache-2.0
//! The CUDA devices of the machine.
//!
//! The declarations of `furrow/c/device.h`, which says what they mean.

use std::os::raw::c_char;

use crate::{furrow_library, furrow_status, Opaque};

/// The devices at one moment.
#[repr(C)]
pub struct furrow_device_list {
    _opaque: Opaque,
}

/// One device.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct furrow_device {
    pub size: usize,
    pub index: i32,
    pub compute_major: i32,
    pub compute_minor: i32,
    pub multiprocessors: i32,
    pub clock_khz: i32,
    pub memory_clock_khz: i32,
    pub total_bytes: u64,
    pub free_bytes: u64,
    pub uuid: [c_char; 64],
    pub pci_id: [c_char; 32],
    pub name: [c_char; 256],
    pub unusable_reason: [c_char; 512],
    pub reserved: [u64; 8],
}

extern "C" {
    /// Asks the driver, for at most 10 seconds; no device gets a context.
    pub fn furrow_device_list_create(
        library: *mut furrow_library,
        list: *mut *mut furrow_device_list,
    ) -> furrow_status;
    /// Destroys a list.
    pub fn furrow_device_list_destroy(list: *mut furrow_device_list);
    /// How many devices there are.
    pub fn furrow_device_list_count(
        list: *mut furrow_device_list,
        count: *mut usize,
    ) -> furrow_status;
    /// Why there are none; "" when there are.
    pub fn furrow_device_list_problem(
        list: *mut furrow_device_list,
        buffer: *mut c_char,
        buffer_size: usize,
    ) -> furrow_status;
    /// One device of a list.
    pub fn furrow_device_list_get(
        list: *mut furrow_device_list,
        position: usize,
        device: *mut furrow_device,
    ) -> furrow_status;
    /// Lets a device prove itself.
    pub fn furrow_device_list_check(
        list: *mut furrow_device_list,
        position: usize,
        device: *mut furrow_device,
    ) -> furrow_status;
}
