// SPDX-License-Identifier: Apache-2.0
//! Proofs of space (docs/spec/02).
//!
//! The declarations of `furrow/c/proofs.h`, which says what they mean.

use std::os::raw::c_int;

use crate::{furrow_library, furrow_status};

/// Bytes of a proof.
pub const FURROW_PROOF_SIZE: usize = 160;

/// Most proofs that a seed has; a record needs as many.
pub const FURROW_MAX_PROOFS: usize = 32768;

/// Proofs of one seed to make.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct furrow_proofs_request {
    pub size: usize,
    pub seed: *const u8,
    pub found_proofs: *mut u8,
    pub hashes: *mut u8,
    pub proofs: *mut u8,
    pub abort_flag: *const u8,
    pub reserved: [u64; 8],
}

extern "C" {
    /// Sets all of it to zero but the size.
    pub fn furrow_proofs_request_init(request: *mut furrow_proofs_request, size: usize);
    /// Makes the proofs of a seed, on the calling thread, with 84 MiB of working memory that the
    /// library keeps.
    pub fn furrow_proofs_make(
        library: *mut furrow_library,
        request: *const furrow_proofs_request,
        count: *mut usize,
    ) -> furrow_status;
    /// Whether a proof is one of this seed for this s-bucket.
    pub fn furrow_proof_verify(
        seed: *const u8,
        s_bucket: u16,
        proof: *const u8,
        is_valid: *mut c_int,
    ) -> furrow_status;
    /// Seed of the proofs of a record.
    pub fn furrow_proof_seed(
        sector_id: *const u8,
        piece_offset: usize,
        seed: *mut u8,
    ) -> furrow_status;
}
