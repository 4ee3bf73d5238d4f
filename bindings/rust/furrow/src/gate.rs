// SPDX-License-Identifier: Apache-2.0
//! Gates: encoders and plotters pause while a farmer proves.

use std::ptr::{null_mut, NonNull};
use std::sync::Arc;

use crate::error::check;
use crate::library::no_handle;
use crate::{ffi, Error};

/// Where encoders and plotters wait while it is closed; open at first. Clones are the same gate. It
/// may belong to any number of encoders and plotters. When the last clone is dropped, what waits at
/// it goes on.
///
/// ```
/// let gate = furrow::Gate::new()?;
/// let pause = gate.pause()?;  // work pauses, within milliseconds on a CPU
/// // ... prove ...
/// drop(pause);  // and goes on
/// # Ok::<(), furrow::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct Gate(Arc<Inner>);

#[derive(Debug)]
struct Inner(NonNull<ffi::furrow_gate>);

// SAFETY: every function of the interface may be called from any thread, also on the same handle at
// the same time.
unsafe impl Send for Inner {}
// SAFETY: as above.
unsafe impl Sync for Inner {}

impl Drop for Inner {
    fn drop(&mut self) {
        // SAFETY: the last call with this handle.
        unsafe { ffi::furrow_gate_destroy(self.0.as_ptr()) };
    }
}

impl Gate {
    /// A gate, open.
    pub fn new() -> Result<Self, Error> {
        let mut handle = null_mut();
        // SAFETY: where to write.
        check(unsafe { ffi::furrow_gate_create(&mut handle) })?;
        Ok(Self(Arc::new(Inner(
            NonNull::new(handle).ok_or_else(no_handle)?,
        ))))
    }

    /// Closes the gate until the pause is dropped, and returns at once. Work pauses where it is: on
    /// the CPU inside a record, within milliseconds; a device ends the batches that it has. There may
    /// be several pauses at once; the gate opens with the last of them.
    pub fn pause(&self) -> Result<Pause, Error> {
        // SAFETY: a gate.
        check(unsafe { ffi::furrow_gate_close(self.as_ptr()) })?;
        Ok(Pause { gate: self.clone() })
    }

    pub(crate) fn as_ptr(&self) -> *mut ffi::furrow_gate {
        self.0 .0.as_ptr()
    }
}

/// Keeps a [`Gate`] closed.
#[derive(Debug)]
#[must_use = "the gate opens when the pause is dropped"]
pub struct Pause {
    gate: Gate,
}

impl Drop for Pause {
    fn drop(&mut self) {
        // Fails in the child of a fork alone, where nobody waits.
        // SAFETY: a gate.
        let _ = unsafe { ffi::furrow_gate_open(self.gate.as_ptr()) };
    }
}
