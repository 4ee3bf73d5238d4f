// SPDX-License-Identifier: Apache-2.0
//! Plotting of proof-of-archival-storage farms, on CUDA devices and on CPUs, by libfurrow.
//!
//! A [`Library`] is what everything is made from: an [`Encoder`] encodes records, a [`Plotter`] makes
//! sectors of the pieces of a [`PieceSource`], a [`Farm`] keeps them on disk, and a [`SectorReader`]
//! gives a piece back. [`Encoder`] shows how a farmer plots with it in ten lines.
//!
//! # Rules
//!
//! * **Handles** (library, gate, encoder, source, plotter, farm) are cheap to clone: clones are the
//!   same thing. What is made from others keeps them, so they may be dropped in any order. All may be
//!   used from any thread, by several at the same time.
//! * **Aborting**: an abort flag is an `AtomicBool` that the library looks at every two milliseconds.
//!   Setting it and leaving it set ends the call; that is an [`Outcome`], not an error. A pulse that
//!   is shorter may be missed.
//! * **Closures and traits** of the user are called from threads of the library, several at once where
//!   they have to be `Sync`. A panic in one does not unwind into the library: what has to answer has
//!   failed ([`ErrorKind::Callback`]), what is only told something has not, and the log of the library
//!   gets a [`Level::Warning`]. With `panic = "abort"` it ends the process, as everywhere.
//! * **The process**: the library prints nothing, ends no process, installs no signal handler and
//!   changes neither locale nor umask nor the environment. After a fork, handles of the parent are
//!   errors in the child ([`Status::InvalidArgument`]), and dropping them does nothing.
//! * **Large arrays** ([`Record`], [`Piece`], [`SectorMetadata`]) are made in a box or a vector
//!   (`new_boxed`, `new_zero_vec`) and never stand on a stack.

#![deny(missing_docs)]
#![deny(unsafe_op_in_unsafe_fn)]
#![cfg(unix)]

use furrow_sys as ffi;

mod batch;
mod c_struct;
mod callback;
mod device;
mod encoder;
mod encoder_config;
pub mod erasure;
mod error;
mod farm;
mod gate;
mod hash;
mod library;
mod memory;
mod piece;
mod piece_source;
mod plain;
mod plotter;
mod proofs;
mod record;
mod sector;

pub use batch::Batch;
pub use device::{Device, Devices};
pub use encoder::{EncodeRequest, Encoded, Encoder, EncoderInfo, EncoderMember, EncoderState};
pub use encoder_config::{EncoderConfig, EncoderKind};
pub use error::{Error, ErrorKind, Outcome, Status};
pub use farm::{Farm, FarmInfo, FarmMode, FarmOptions, FarmSector, PiecePlace};
pub use gate::{Gate, Pause};
pub use hash::{hash, hash_many, Hash};
pub use library::{version, Level, Library, LibraryBuilder};
pub use memory::{MemoryPlan, MemoryRequest};
pub use piece::{Piece, Rebuilt, SuperSegmentHeader};
pub use piece_source::{BatchGetter, Found, History, PieceGetter, PieceSource, SourceOptions};
pub use plotter::{
    FarmPlot, PlotEvent, PlotStage, PlotWatch, PlottedSector, Plotter, PlotterOptions,
};
pub use proofs::{is_proof_valid, proof_seed, Proof, Proofs};
pub use record::{ContentsMap, FoundProofs, Record};
pub use sector::{
    plotted_sector_size, public_key_hash, sector_size, shard_commitments_root, ReadAt,
    SectorMetadata, SectorPlan, SectorReader,
};
