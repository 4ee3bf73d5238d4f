// SPDX-License-Identifier: Apache-2.0
//! The Reed-Solomon code over GF(2^16) of records and segments.

use crate::error::check;
use crate::{ffi, Error, Record};

/// Computes parity shards of source shards. All have the same even length, at least 2; there are at
/// most 65536 in all.
pub fn extend(source: &[&[u8]], parity: &mut [&mut [u8]]) -> Result<(), Error> {
    let lengths = source.iter().map(|shard| shard.len());
    let size = common_length(lengths.chain(parity.iter().map(|shard| shard.len())))?;
    let source: Vec<*const u8> = source.iter().map(|shard| shard.as_ptr()).collect();
    let parity: Vec<*mut u8> = parity.iter_mut().map(|shard| shard.as_mut_ptr()).collect();
    // SAFETY: so many shards, each of so many bytes.
    check(unsafe {
        ffi::furrow_erasure_extend(
            source.as_ptr(),
            source.len(),
            parity.as_ptr(),
            parity.len(),
            size,
        )
    })
}

/// One of the shards that [`recover`] works on.
#[derive(Debug)]
pub enum Shard<'a> {
    /// It is there.
    Present(&'a [u8]),
    /// It is to be written.
    Wanted(&'a mut [u8]),
    /// Parity that is neither there nor wanted.
    Ignored,
}

/// Recovers shards from any `source_count` of them. The first `source_count` are the source, none of
/// which may be ignored; the others are parity.
pub fn recover(shards: &mut [Shard<'_>], source_count: usize) -> Result<(), Error> {
    let size = common_length(shards.iter().filter_map(|shard| match shard {
        Shard::Present(bytes) => Some(bytes.len()),
        Shard::Wanted(bytes) => Some(bytes.len()),
        Shard::Ignored => None,
    }))?;
    let parity_count = shards.len().checked_sub(source_count).ok_or_else(|| {
        Error::argument(format!(
            "furrow: source shards: expected at most {}, actual {source_count}",
            shards.len()
        ))
    })?;
    let mut pointers = Vec::with_capacity(shards.len());
    let mut states = Vec::with_capacity(shards.len());
    for shard in shards {
        let (pointer, state) = match shard {
            // What is present is read alone.
            Shard::Present(bytes) => (bytes.as_ptr() as *mut u8, ffi::FURROW_SHARD_PRESENT),
            Shard::Wanted(bytes) => (bytes.as_mut_ptr(), ffi::FURROW_SHARD_WANTED),
            Shard::Ignored => (std::ptr::null_mut(), ffi::FURROW_SHARD_IGNORED),
        };
        pointers.push(pointer);
        states.push(state);
    }
    // SAFETY: so many shards with a state each; those that are used are of so many bytes.
    check(unsafe {
        ffi::furrow_erasure_recover(
            pointers.as_ptr(),
            states.as_ptr(),
            source_count,
            parity_count,
            size,
        )
    })
}

/// Computes the 32768 parity chunks of a record.
pub fn extend_record(record: &Record) -> Result<Box<Record>, Error> {
    let mut parity = Record::new_boxed();
    // SAFETY: records of their size.
    check(unsafe {
        ffi::furrow_erasure_extend_record(
            record.as_bytes().as_ptr(),
            parity.as_bytes_mut().as_mut_ptr(),
        )
    })?;
    Ok(parity)
}

fn common_length(lengths: impl Iterator<Item = usize>) -> Result<usize, Error> {
    let mut common = None;
    for length in lengths {
        match common {
            Some(expected) if expected != length => {
                return Err(Error::argument(format!(
                    "furrow: length of a shard: expected {expected}, actual {length}"
                )));
            }
            _ => common = Some(length),
        }
    }
    Ok(common.unwrap_or(0))
}
