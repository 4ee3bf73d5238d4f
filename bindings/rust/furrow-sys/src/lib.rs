// SPDX-License-Identifier: Apache-2.0
//! The C interface of libfurrow as it is: a module for each header, all of them without a line of
//! logic. What the declarations mean is said in the headers (`include/furrow/c`), the rules that all
//! of them keep in `base.h`. The crate `furrow` is what programs want.
//!
//! Enumerations are integers: a library that is newer than this crate has values that it does not
//! know. `tests/headers.rs` compares everything here with the headers.

#![allow(non_camel_case_types)]

mod base;
mod device;
mod encoder;
mod erasure;
mod error;
mod farm;
mod gate;
mod hash;
mod library;
mod memory;
mod piece;
mod piece_source;
mod plotter;
mod proofs;
mod sector;

pub use base::*;
pub use device::*;
pub use encoder::*;
pub use erasure::*;
pub use error::*;
pub use farm::*;
pub use gate::*;
pub use hash::*;
pub use library::*;
pub use memory::*;
pub use piece::*;
pub use piece_source::*;
pub use plotter::*;
pub use proofs::*;
pub use sector::*;

/// Contents of handles: nobody's business, and nothing that Rust may conclude something from.
#[repr(C)]
struct Opaque {
    _bytes: [u8; 0],
    _marker: std::marker::PhantomData<(*mut u8, std::marker::PhantomPinned)>,
}
