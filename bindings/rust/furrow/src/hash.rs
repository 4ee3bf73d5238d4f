// SPDX-License-Identifier: Apache-2.0
//! BLAKE3 with digests of 32 bytes.

use crate::error::check;
use crate::{ffi, Error};

/// Hashes, identifiers, roots, seeds and keys.
pub type Hash = [u8; ffi::FURROW_HASH_SIZE];

/// BLAKE3 of a message.
///
/// ```
/// let empty = furrow::hash(b"")?;
/// assert_eq!(empty[..4], [0xaf, 0x13, 0x49, 0xb9]);
/// # Ok::<(), furrow::Error>(())
/// ```
pub fn hash(message: &[u8]) -> Result<Hash, Error> {
    let mut hash = [0; 32];
    // SAFETY: so many bytes, and where to write.
    check(unsafe { ffi::furrow_hash(message.as_ptr(), message.len(), hash.as_mut_ptr()) })?;
    Ok(hash)
}

/// BLAKE3 of many messages of the same length, 4 to 1024 bytes and a multiple of 4: several at once,
/// by SIMD.
pub fn hash_many<const LENGTH: usize>(messages: &[[u8; LENGTH]]) -> Result<Vec<Hash>, Error> {
    let mut hashes = vec![[0; 32]; messages.len()];
    // SAFETY: so many messages back to back, and room for as many hashes.
    check(unsafe {
        ffi::furrow_hash_many(
            messages.as_ptr().cast(),
            LENGTH,
            LENGTH,
            messages.len(),
            hashes.as_mut_ptr().cast(),
        )
    })?;
    Ok(hashes)
}
