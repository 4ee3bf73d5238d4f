// SPDX-License-Identifier: Apache-2.0
//! Plots one small sector from a getter of its own, and reads a piece back out of it.
//!
//!     plot_sector [PIECES]
//!
//! PIECES in the sector, 2 unless given. A farmer has pieces of archived history from its network;
//! these are made up of their index.

use std::error::Error;
use std::process::ExitCode;

use furrow::{
    Encoder, EncoderConfig, Found, Library, Piece, PieceGetter, PieceSource, PlotStage, PlotWatch,
    Plotter, PlotterOptions, SectorPlan, SectorReader, SourceOptions,
};

struct MadeUpPieces;

impl PieceGetter for MadeUpPieces {
    fn get_piece(&self, piece_index: u64, piece: &mut Piece) -> Result<Found, Box<dyn Error>> {
        for (position, part) in (0_u64..).zip(piece.chunks_mut(32)) {
            let message = [piece_index.to_le_bytes(), position.to_le_bytes()].concat();
            part.copy_from_slice(&furrow::hash(&message)?[..part.len()]);
        }
        Ok(Found::Here)
    }
}

fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("plot_sector: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run() -> Result<(), Box<dyn Error>> {
    let mut plan = SectorPlan::default();
    plan.public_key_hash = furrow::public_key_hash(&[1; 32])?;
    plan.shard_commitments_root = [2; 32];
    plan.pieces_in_sector = match std::env::args().nth(1) {
        Some(pieces) => pieces.parse()?,
        None => 2,
    };
    plan.history_size = 1;

    let library = Library::builder()
        .on_log(|level, line| eprintln!("{level:?}: {line}"))
        .build()?;
    let encoder = Encoder::new(&library, &EncoderConfig::new())?;
    let source = PieceSource::from_getter(&library, MadeUpPieces, SourceOptions::new())?;
    let plotter = Plotter::new(&library, &encoder, &source, &PlotterOptions::new())?;
    println!("encoder: {}", encoder.info()?.name);

    let tell = |event: &furrow::PlotEvent<'_>| {
        if let PlotStage::Record(done) = event.stage {
            eprintln!("{done} of {} records", plan.pieces_in_sector);
        }
    };
    let sector = plotter
        .plot_sector(&plan, PlotWatch::new().on_event(&tell))?
        .ok_or("aborted, which nobody asked for")?;
    println!(
        "sector: {} bytes, pieces {:?}",
        sector.sector.len(),
        sector.piece_indices
    );

    let reader = SectorReader::new(&library, plan.sector_id()?, sector.metadata);
    let piece = reader.read_piece(&sector.sector, 0)?;
    let mut expected = Piece::new_boxed();
    MadeUpPieces.get_piece(sector.piece_indices[0], &mut expected)?;
    if piece != expected {
        return Err("the piece that was read is not the one that was plotted".into());
    }
    println!("piece {}: read back", sector.piece_indices[0]);
    Ok(())
}
