// SPDX-License-Identifier: Apache-2.0
//! The CUDA devices of the machine.

use std::os::raw::c_char;
use std::ptr::{null_mut, NonNull};

use crate::c_struct::{c_struct, text_from_array};
use crate::error::check;
use crate::library::no_handle;
use crate::{ffi, Error, Library};

/// One device. Texts are empty and numbers 0 where it does not say.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Device {
    /// Among those that `CUDA_VISIBLE_DEVICES` leaves.
    pub index: i32,
    /// Compute capability, before the point.
    pub compute_major: i32,
    /// Compute capability, behind the point.
    pub compute_minor: i32,
    /// How many multiprocessors it has.
    pub multiprocessors: i32,
    /// Highest clock, in kHz.
    pub clock_khz: i32,
    /// Highest clock of its memory, in kHz.
    pub memory_clock_khz: i32,
    /// Bytes of memory.
    pub total_bytes: u64,
    /// Bytes that are free; 0 until [`Devices::check`].
    pub free_bytes: u64,
    /// Such as "GPU-01234567-89ab-cdef-0123-456789abcdef".
    pub uuid: String,
    /// Such as "0000:65:00.0".
    pub pci_id: String,
    /// What it is sold as.
    pub name: String,
    /// Why the library cannot use it, if it cannot.
    pub unusable_reason: Option<String>,
}

/// The devices at one moment.
#[derive(Debug)]
pub struct Devices {
    handle: NonNull<ffi::furrow_device_list>,
    /// Behind the handle, so that it is dropped last.
    _library: Library,
}

// SAFETY: every function of the interface may be called from any thread, also on the same handle at
// the same time.
unsafe impl Send for Devices {}
// SAFETY: as above.
unsafe impl Sync for Devices {}

impl Drop for Devices {
    fn drop(&mut self) {
        // SAFETY: calls borrow the list, so this is the last one.
        unsafe { ffi::furrow_device_list_destroy(self.handle.as_ptr()) };
    }
}

impl Devices {
    /// Asks the driver, for at most 10 seconds; no device gets a context. That there is no driver, no
    /// device, or that the library was built without CUDA is no error: there are none then
    /// ([`Devices::problem`]).
    pub fn query(library: &Library) -> Result<Self, Error> {
        let mut handle = null_mut();
        // SAFETY: a library, and where to write.
        check(unsafe { ffi::furrow_device_list_create(library.as_ptr(), &mut handle) })?;
        let handle = NonNull::new(handle).ok_or_else(no_handle)?;
        Ok(Self {
            handle,
            _library: library.clone(),
        })
    }

    /// How many there are.
    pub fn count(&self) -> Result<usize, Error> {
        let mut count = 0;
        // SAFETY: a list, and where to write.
        check(unsafe { ffi::furrow_device_list_count(self.handle.as_ptr(), &mut count) })?;
        Ok(count)
    }

    /// Why there are none, if there are none.
    pub fn problem(&self) -> Result<Option<String>, Error> {
        let mut text = vec![0 as c_char; 1024];
        // SAFETY: a list, and room for so many characters.
        check(unsafe {
            ffi::furrow_device_list_problem(self.handle.as_ptr(), text.as_mut_ptr(), text.len())
        })?;
        Ok(Some(text_from_array(&text)).filter(|text| !text.is_empty()))
    }

    /// The device at a position; they are in the order of their indexes.
    pub fn get(&self, position: usize) -> Result<Device, Error> {
        let mut device = c_struct!(furrow_device);
        // SAFETY: a list, and a struct whose size is set.
        check(unsafe { ffi::furrow_device_list_get(self.handle.as_ptr(), position, &mut device) })?;
        Ok(Device::from_c(&device))
    }

    /// All of them.
    pub fn all(&self) -> Result<Vec<Device>, Error> {
        (0..self.count()?)
            .map(|position| self.get(position))
            .collect()
    }

    /// Lets a device prove itself: it encodes a record whose encoded form is known. It has a context
    /// from then on. One that fails is no error, but says why it cannot be used.
    pub fn check(&self, position: usize) -> Result<Device, Error> {
        let mut device = c_struct!(furrow_device);
        // SAFETY: a list, and a struct whose size is set.
        check(unsafe {
            ffi::furrow_device_list_check(self.handle.as_ptr(), position, &mut device)
        })?;
        Ok(Device::from_c(&device))
    }
}

impl Device {
    fn from_c(device: &ffi::furrow_device) -> Self {
        let reason = text_from_array(&device.unusable_reason);
        Self {
            index: device.index,
            compute_major: device.compute_major,
            compute_minor: device.compute_minor,
            multiprocessors: device.multiprocessors,
            clock_khz: device.clock_khz,
            memory_clock_khz: device.memory_clock_khz,
            total_bytes: device.total_bytes,
            free_bytes: device.free_bytes,
            uuid: text_from_array(&device.uuid),
            pci_id: text_from_array(&device.pci_id),
            name: text_from_array(&device.name),
            unusable_reason: Some(reason).filter(|reason| !reason.is_empty()),
        }
    }
}
