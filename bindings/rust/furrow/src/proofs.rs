// SPDX-License-Identifier: Apache-2.0
//! Proofs of space.

use std::os::raw::c_int;
use std::sync::atomic::AtomicBool;

use crate::c_struct::c_struct;
use crate::callback::flag_pointer;
use crate::error::{check, check_outcome};
use crate::{ffi, Error, FoundProofs, Hash, Library, Outcome};

/// A proof of space.
pub type Proof = [u8; ffi::FURROW_PROOF_SIZE];

/// The proofs of a seed.
#[derive(Debug)]
#[non_exhaustive]
pub struct Proofs {
    /// The s-buckets with a proof, the first [`Proofs::MAX`] of them at most.
    pub found: Box<FoundProofs>,
    /// The proofs, in the order of the s-buckets.
    pub proofs: Vec<Proof>,
    /// BLAKE3 of each proof, in the same order.
    pub hashes: Vec<Hash>,
}

impl Proofs {
    /// Most proofs that a seed has; a record needs as many.
    pub const MAX: usize = ffi::FURROW_MAX_PROOFS;

    /// Makes the proofs of a seed, on the calling thread, with 84 MiB of working memory that the
    /// library keeps. Takes a tenth of a second or two. None when it was aborted.
    pub fn make(
        library: &Library,
        seed: &Hash,
        abort: Option<&AtomicBool>,
    ) -> Result<Option<Self>, Error> {
        let mut made = Self {
            found: FoundProofs::new_boxed(),
            proofs: vec![[0; ffi::FURROW_PROOF_SIZE]; Self::MAX],
            hashes: vec![[0; ffi::FURROW_HASH_SIZE]; Self::MAX],
        };
        let mut request = c_struct!(furrow_proofs_request, furrow_proofs_request_init);
        request.seed = seed.as_ptr();
        request.found_proofs = made.found.as_mut_ptr();
        request.proofs = made.proofs.as_mut_ptr().cast();
        request.hashes = made.hashes.as_mut_ptr().cast();
        request.abort_flag = flag_pointer(abort);
        let mut count = 0;
        // SAFETY: a library, buffers with room for as many as there can be, and where to write.
        let outcome = check_outcome(unsafe {
            ffi::furrow_proofs_make(library.as_ptr(), &request, &mut count)
        })?;
        made.proofs.truncate(count);
        made.hashes.truncate(count);
        Ok(Some(made).filter(|_| outcome == Outcome::Complete))
    }
}

/// Whether a proof is one of this seed for this s-bucket. Takes microseconds.
pub fn is_proof_valid(seed: &Hash, s_bucket: u16, proof: &Proof) -> Result<bool, Error> {
    let mut is_valid: c_int = 0;
    // SAFETY: buffers of their sizes, and where to write.
    check(unsafe {
        ffi::furrow_proof_verify(seed.as_ptr(), s_bucket, proof.as_ptr(), &mut is_valid)
    })?;
    Ok(is_valid != 0)
}

/// Seed of the proofs of a record: of its sector and its place there.
pub fn proof_seed(sector_id: &Hash, piece_offset: u16) -> Result<Hash, Error> {
    let mut seed = [0; 32];
    // SAFETY: buffers of their sizes.
    check(unsafe {
        ffi::furrow_proof_seed(sector_id.as_ptr(), piece_offset.into(), seed.as_mut_ptr())
    })?;
    Ok(seed)
}
