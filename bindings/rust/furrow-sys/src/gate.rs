// SPDX-License-Identifier: Apache-2.0
//! A gate makes encoders and plotters pause while a farmer proves (docs/spec/03, section 6.4).
//!
//! The declarations of `furrow/c/gate.h`, which says what they mean.

use crate::{furrow_status, Opaque};

/// Open at first.
#[repr(C)]
pub struct furrow_gate {
    _opaque: Opaque,
}

extern "C" {
    /// Makes a gate.
    pub fn furrow_gate_create(gate: *mut *mut furrow_gate) -> furrow_status;
    /// Destroys a gate.
    pub fn furrow_gate_destroy(gate: *mut furrow_gate);
    /// Closes the gate and returns at once.
    pub fn furrow_gate_close(gate: *mut furrow_gate) -> furrow_status;
    /// Takes one closing back.
    pub fn furrow_gate_open(gate: *mut furrow_gate) -> furrow_status;
}
