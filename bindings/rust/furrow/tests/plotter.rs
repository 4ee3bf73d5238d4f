// SPDX-License-Identifier: Apache-2.0
//! Sectors from getters, compared with those of the reference; into farms; aborted.

mod support;

use std::error::Error as StdError;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::Mutex;
use std::time::Duration;

use furrow::{
    ErrorKind, Farm, FarmMode, FarmOptions, FarmSector, Found, Gate, Library, Outcome, Piece,
    PieceGetter, PieceSource, PlotStage, PlotWatch, Plotter, PlotterOptions, SectorPlan,
    SectorReader, SourceOptions, Status,
};
use support::golden::{self, Case};
use support::{cpu_encoder, fill_from_stream, has_warning, library_with_log, Folder};

/// Pieces of a sector of the vectors: the one at offset i is made of two seeds plus i.
struct GoldenPieces {
    indices: Vec<u64>,
    header_seed: u64,
    record_seed: u64,
}

impl GoldenPieces {
    fn new(case: &Case) -> Self {
        Self {
            indices: case["piece_indexes"]
                .iter()
                .map(|index| index.parse().unwrap())
                .collect(),
            header_seed: golden::number(case, "first_header_seed"),
            record_seed: golden::number(case, "first_record_seed"),
        }
    }

    fn fill(&self, offset: u64, piece: &mut Piece) {
        let (header, record) = piece.split_at_mut(Piece::HEADER_SIZE);
        fill_from_stream(self.header_seed + offset, header);
        fill_from_stream(self.record_seed + offset, record);
    }
}

impl PieceGetter for GoldenPieces {
    fn get_piece(&self, index: u64, piece: &mut Piece) -> Result<Found, Box<dyn StdError>> {
        let offset = self
            .indices
            .iter()
            .position(|known| *known == index)
            .ok_or("not of this")?;
        self.fill(offset as u64, piece);
        Ok(Found::Here)
    }
}

/// Pieces whose bytes follow from their index.
struct AnyPieces;

impl PieceGetter for AnyPieces {
    fn get_piece(&self, index: u64, piece: &mut Piece) -> Result<Found, Box<dyn StdError>> {
        fill_from_stream(index, piece.as_mut());
        Ok(Found::Here)
    }
}

fn plan_of(case: &Case) -> SectorPlan {
    let mut plan = SectorPlan::default();
    plan.public_key_hash = golden::hash(case, "public_key_hash");
    plan.shard_commitments_root = golden::hash(case, "shard_commitments_root");
    plan.sector_index = golden::number(case, "sector_index") as u16;
    plan.pieces_in_sector = golden::number(case, "pieces_in_sector") as u16;
    plan.history_size = golden::number(case, "history_size");
    plan
}

fn small_plan() -> SectorPlan {
    let mut plan = SectorPlan::default();
    plan.public_key_hash = [1; 32];
    plan.shard_commitments_root = [2; 32];
    plan.pieces_in_sector = 2;
    plan.history_size = 3;
    plan
}

fn plotter_of(library: &Library, getter: impl PieceGetter + 'static) -> Plotter {
    let source = PieceSource::from_getter(library, getter, SourceOptions::new()).unwrap();
    let options = PlotterOptions::new().attempts(1);
    Plotter::new(library, &cpu_encoder(library, 2), &source, &options).unwrap()
}

#[test]
fn golden_sectors_and_their_pieces() {
    let library = Library::new().unwrap();
    let mut n_checked = 0;
    for case in golden::cases("sector.json") {
        let plan = plan_of(&case);
        assert_eq!(plan.sector_id().unwrap(), golden::hash(&case, "sector_id"));
        let pieces = GoldenPieces::new(&case);
        assert_eq!(plan.piece_indices().unwrap(), pieces.indices);
        let is_any_twice =
            (1..pieces.indices.len()).any(|at| pieces.indices[..at].contains(&pieces.indices[at]));
        if is_any_twice || plan.pieces_in_sector > 2 {
            continue; // the vectors give each place a piece of its own, whatever its index
        }
        let mut expected = Piece::new_boxed();
        pieces.fill(0, &mut expected);
        let plotted = plotter_of(&library, pieces).plot_sector(&plan, PlotWatch::new());
        let plotted = plotted.unwrap().unwrap();
        let hash_of = |bytes: &[u8]| furrow::hash(bytes).unwrap();
        assert_eq!(
            hash_of(&plotted.sector),
            golden::hash(&case, "sector_blake3")
        );
        assert_eq!(
            hash_of(plotted.metadata.as_ref().as_ref()),
            golden::hash(&case, "sector_metadata_blake3")
        );
        assert_eq!(plotted.piece_indices, plan.piece_indices().unwrap());
        assert_eq!(plotted.scale[..32], plan.sector_id().unwrap());

        let reader = SectorReader::new(
            &library,
            plan.sector_id().unwrap(),
            plotted.metadata.clone(),
        );
        let piece = reader.read_piece(&plotted.sector, 0).unwrap();
        assert!(piece == expected && piece.record() == expected.record());
        n_checked += 1;
    }
    assert_eq!(n_checked, 2);
}

#[test]
fn readers_of_all_kinds() {
    let (library, plan) = (Library::new().unwrap(), small_plan());
    let plotted = plotter_of(&library, AnyPieces).plot_sector(&plan, PlotWatch::new());
    let plotted = plotted.unwrap().unwrap();
    let reader = SectorReader::new(
        &library,
        plan.sector_id().unwrap(),
        plotted.metadata.clone(),
    );
    let mut expected = Piece::new_boxed();
    fill_from_stream(plotted.piece_indices[1], (*expected).as_mut());
    assert!(reader.read_piece(plotted.sector.as_slice(), 1).unwrap() == expected);

    let folder = Folder::new("readers_of_all_kinds");
    std::fs::write(folder.join("sector"), &plotted.sector).unwrap();
    let file = std::fs::File::open(folder.join("sector")).unwrap();
    assert!(reader.read_piece(&file, 1).unwrap() == expected);

    let closure = |offset: u64, bytes: &mut [u8]| {
        let begin = offset as usize;
        bytes.copy_from_slice(&plotted.sector[begin..begin + bytes.len()]);
        Ok(())
    };
    assert!(reader.read_piece(&closure, 1).unwrap() == expected);

    let error = reader.read_piece(&plotted.sector[..1000], 1).unwrap_err();
    assert_eq!(
        (error.status(), error.kind()),
        (Status::CallbackFailed, ErrorKind::Callback)
    );
    let panicking = |_: u64, _: &mut [u8]| panic!("the disk is on fire");
    let error = reader.read_piece(&panicking, 1).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Callback);
    assert!(error.message().contains("the disk is on fire"), "{error}");

    assert_eq!(
        reader.read_piece(&plotted.sector, 2).unwrap_err().kind(),
        ErrorKind::Argument
    );
    let mut damaged = plotted.sector.clone();
    damaged[0] ^= 1;
    assert_eq!(
        reader.read_piece(&damaged, 1).unwrap_err().status(),
        Status::Corrupt
    );
}

#[test]
fn events_come_in_their_order_and_may_panic() {
    let (library, log) = library_with_log();
    let told = Mutex::new(Vec::new());
    let on_event = |event: &furrow::PlotEvent<'_>| {
        assert_eq!(event.sector_index, 0);
        let name = match event.stage {
            PlotStage::Downloading => "downloading",
            PlotStage::Downloaded(time) => {
                assert!(time < Duration::from_secs(3600));
                "downloaded"
            }
            PlotStage::Encoding => "encoding",
            PlotStage::Record(_) => "record",
            PlotStage::Encoded(_) => "encoded",
            PlotStage::Finished(_) => "finished",
            other => panic!("not expected: {other:?}"),
        };
        told.lock().unwrap().push(name);
        assert_ne!(name, "encoded", "told too much");
    };
    let plotter = plotter_of(&library, AnyPieces);
    let watch = PlotWatch::new().on_event(&on_event);
    let plotted = plotter.plot_sector(&small_plan(), watch).unwrap();
    assert!(plotted.is_some());
    let told = told.into_inner().unwrap();
    let expected = [
        "downloading",
        "downloaded",
        "encoding",
        "record",
        "record",
        "encoded",
        "finished",
    ];
    assert_eq!(told, expected);
    assert!(has_warning(&log, &["events", "panicked", "told too much"]));
}

#[test]
fn aborting() {
    let library = Library::new().unwrap();
    let plotter = plotter_of(&library, AnyPieces);
    let flag = AtomicBool::new(true);
    let plotted = plotter.plot_sector(&small_plan(), PlotWatch::new().abort(&flag));
    assert!(plotted.unwrap().is_none());
    // While it is encoded, from a thread of the library.
    let flag = AtomicBool::new(false);
    let on_event = |event: &furrow::PlotEvent<'_>| {
        if event.stage == PlotStage::Downloading {
            flag.store(true, Ordering::Relaxed);
        }
    };
    let mut plan = small_plan();
    plan.pieces_in_sector = 30;
    let watch = PlotWatch::new().abort(&flag).on_event(&on_event);
    assert!(plotter.plot_sector(&plan, watch).unwrap().is_none());
}

/// A getter that never has what it is asked for, for one reason or another.
struct Hopeless;

impl PieceGetter for Hopeless {
    fn get_piece(&self, index: u64, _: &mut Piece) -> Result<Found, Box<dyn StdError>> {
        match index % 2 {
            0 => Ok(Found::Missing),
            _ => Err("no network".into()),
        }
    }
}

#[test]
fn a_getter_that_fails_is_an_error_of_the_sector() {
    let (library, log) = library_with_log();
    let error = plotter_of(&library, Hopeless)
        .plot_sector(&small_plan(), PlotWatch::new())
        .unwrap_err();
    assert!(
        matches!(error.status(), Status::Unavailable | Status::CallbackFailed),
        "{error:?}, {log:?}"
    );
}

#[test]
fn wrong_plans_and_options() {
    let library = Library::new().unwrap();
    let plotter = plotter_of(&library, AnyPieces);
    for pieces_in_sector in [0, 1001, u16::MAX] {
        let mut plan = small_plan();
        plan.pieces_in_sector = pieces_in_sector;
        let error = plotter.plot_sector(&plan, PlotWatch::new()).unwrap_err();
        assert_eq!(error.status(), Status::InvalidArgument);
    }
    let source = PieceSource::from_getter(&library, AnyPieces, SourceOptions::new()).unwrap();
    let encoder = cpu_encoder(&library, 1);
    for options in [
        PlotterOptions::new().sectors_in_memory(0),
        PlotterOptions::new().delays(Duration::ZERO, Duration::from_secs(u64::MAX)),
    ] {
        let error = Plotter::new(&library, &encoder, &source, &options).unwrap_err();
        assert_eq!(error.status(), Status::InvalidArgument);
    }
}

#[test]
fn several_threads_plot_and_what_a_plotter_is_made_of_may_go() {
    let library = Library::new().unwrap();
    let plotter = {
        let source = PieceSource::from_getter(&library, AnyPieces, SourceOptions::new()).unwrap();
        let encoder = cpu_encoder(&library, 2);
        let gate = Gate::new().unwrap();
        let options = PlotterOptions::new().gate(&gate).sectors_in_memory(1);
        Plotter::new(&library, &encoder, &source, &options).unwrap()
    };
    drop(library);
    let plan = small_plan();
    std::thread::scope(|scope| {
        let plot = || {
            plotter
                .plot_sector(&plan, PlotWatch::new())
                .unwrap()
                .unwrap()
        };
        let first = scope.spawn(plot);
        let second = scope.spawn(plot);
        assert!(first.join().unwrap() == second.join().unwrap());
    });
}

#[test]
fn a_farm_is_plotted_found_and_read() {
    const HISTORY: u64 = 3;
    let (library, folder) = (Library::new().unwrap(), Folder::new("a_farm_is_plotted"));
    let options = FarmOptions::new(FarmMode::Create)
        .pieces_in_sector(2)
        .min_sectors(2)
        .genesis_root([7; 32])
        .cache_percentage(0);
    let farm = Farm::open(&library, folder.join("farm"), &options).unwrap();
    let plotter = plotter_of(&library, AnyPieces);

    let told = Mutex::new(Vec::new());
    let on_event = |event: &furrow::PlotEvent<'_>| {
        if let PlotStage::Writing | PlotStage::Finished(_) = event.stage {
            told.lock().unwrap().push(event.sector_index);
        }
    };
    let none = plotter
        .plot_farm(&farm, HISTORY, Some(0), PlotWatch::new())
        .unwrap();
    assert_eq!(
        (none.outcome, farm.info().unwrap().sector_count),
        (Outcome::Complete, 0)
    );
    let watch = PlotWatch::new().on_event(&on_event);
    let plot = plotter.plot_farm(&farm, HISTORY, Some(1), watch).unwrap();
    assert_eq!((plot.outcome, plot.given_up), (Outcome::Complete, 0));
    assert_eq!(told.lock().unwrap()[..], [0, 0]);

    // The second one by hand.
    let plan = farm.plan_sector(1, HISTORY).unwrap();
    let plotted = plotter
        .plot_sector(&plan, PlotWatch::new())
        .unwrap()
        .unwrap();
    assert_eq!(farm.sector(1).unwrap(), FarmSector::NotPlotted);
    farm.write_sector(1, &plotted.sector, &plotted.metadata)
        .unwrap();
    let sector_id = match farm.sector(1).unwrap() {
        FarmSector::Plotted {
            history_size: HISTORY,
            sector_id,
            ..
        } => sector_id,
        other => panic!("{other:?}"),
    };
    assert_eq!(sector_id, plan.sector_id().unwrap());
    let mut on_disk = vec![0; plotted.sector.len()];
    farm.read_sector(1, 0, &mut on_disk).unwrap();
    assert!(on_disk == plotted.sector && farm.sector_metadata(1).unwrap() == plotted.metadata);

    let piece_index = plotted.piece_indices[1];
    let places = farm.find_piece(piece_index).unwrap();
    let place = places.iter().find(|place| place.sector_index == 1).unwrap();
    assert_eq!(
        plotted.piece_indices[usize::from(place.piece_offset)],
        piece_index
    );
    assert!(farm.find_piece(u64::MAX).unwrap().is_empty());

    let mut expected = Piece::new_boxed();
    fill_from_stream(piece_index, (*expected).as_mut());
    let reader = SectorReader::new(&library, sector_id, farm.sector_metadata(1).unwrap());
    let of_farm = |offset: u64, bytes: &mut [u8]| Ok(farm.read_sector(1, offset, bytes)?);
    assert!(reader.read_piece(&of_farm, place.piece_offset).unwrap() == expected);

    // The source keeps the farm, and its lock.
    let source = PieceSource::of_farm(&farm, 1).unwrap();
    drop(farm);
    let mut piece = Piece::new_boxed();
    assert_eq!(
        source.get_piece(piece_index, &mut piece, None).unwrap(),
        Outcome::Complete
    );
    assert!(piece == expected);
    assert_eq!(source.history().unwrap_err().status(), Status::Unavailable);
    let again = FarmOptions::new(FarmMode::Plot);
    let error = Farm::open(&library, folder.join("farm"), &again).unwrap_err();
    assert_eq!(
        (error.status(), error.kind()),
        (Status::Unavailable, ErrorKind::FarmInUse)
    );
    drop(source);
    Farm::open(&library, folder.join("farm"), &again).unwrap();
}
