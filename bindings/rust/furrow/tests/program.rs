// SPDX-License-Identifier: Apache-2.0
//! With the furrow program and what it has made: the ctest rust.bindings runs these, with its program
//! in FURROW_PROGRAM, and in FURROW_FIXTURES a piece store (`store`) and a farm plotted from it
//! (`farm`).

mod support;

use std::error::Error as StdError;
use std::fs::{self, OpenOptions};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use furrow::{
    ErrorKind, Farm, FarmMode, FarmOptions, FarmSector, Found, Library, Outcome, Piece,
    PieceGetter, PieceSource, PlotWatch, Plotter, PlotterOptions, SourceOptions, Status,
};
use support::{cpu_encoder, golden, Folder};

fn from_environment(name: &str) -> PathBuf {
    std::env::var_os(name)
        .unwrap_or_else(|| panic!("{name} is not set"))
        .into()
}

fn open_store(library: &Library) -> PieceSource {
    PieceSource::open_store(library, from_environment("FURROW_FIXTURES").join("store")).unwrap()
}

#[test]
#[ignore = "needs FURROW_FIXTURES"]
fn sectors_are_those_of_the_program() {
    let library = Library::new().unwrap();
    let farm = from_environment("FURROW_FIXTURES").join("farm");
    let farm = Farm::open(&library, farm, &FarmOptions::new(FarmMode::Read)).unwrap();
    let source = open_store(&library);
    assert_eq!(
        source.history().unwrap().genesis_root,
        farm.info().unwrap().genesis_root
    );
    let options = PlotterOptions::new();
    let plotter = Plotter::new(&library, &cpu_encoder(&library, 2), &source, &options).unwrap();
    for sector_index in 0..2 {
        let history_size = match farm.sector(sector_index).unwrap() {
            FarmSector::Plotted { history_size, .. } => history_size,
            other => panic!("sector {sector_index}: {other:?}"),
        };
        let plan = farm.plan_sector(sector_index, history_size).unwrap();
        let plotted = plotter
            .plot_sector(&plan, PlotWatch::new())
            .unwrap()
            .unwrap();
        let mut on_disk = vec![0; plotted.sector.len()];
        farm.read_sector(sector_index, 0, &mut on_disk).unwrap();
        assert!(plotted.sector == on_disk, "sector {sector_index}");
        assert!(plotted.metadata == farm.sector_metadata(sector_index).unwrap());
    }
    let known = source.history().unwrap().history_size;
    let plan = farm.plan_sector(0, known + 1).unwrap();
    let error = plotter.plot_sector(&plan, PlotWatch::new()).err().unwrap();
    assert_eq!(error.status(), Status::InvalidArgument);
    assert!(error.to_string().contains("history_size"), "{error}");
}

/// As a farmer would have it: a getter of its own, whatever stands behind it.
struct Forwarding(PieceSource);

impl PieceGetter for Forwarding {
    fn get_piece(&self, index: u64, piece: &mut Piece) -> Result<Found, Box<dyn StdError>> {
        match self.0.get_piece(index, piece, None)? {
            Outcome::Complete => Ok(Found::Here),
            Outcome::Aborted => Ok(Found::Missing),
        }
    }
}

fn scrub(farm: &Path) -> bool {
    let answer = Command::new(from_environment("FURROW_PROGRAM"))
        .args(["scrub", "--farm"])
        .arg(farm)
        .output()
        .unwrap();
    println!("{}", String::from_utf8_lossy(&answer.stdout));
    println!("{}", String::from_utf8_lossy(&answer.stderr));
    answer.status.success()
}

#[test]
#[ignore = "needs FURROW_PROGRAM and FURROW_FIXTURES"]
fn the_program_accepts_a_farm_of_this_crate() {
    let (library, folder) = (Library::new().unwrap(), Folder::new("the_program_accepts"));
    let store = open_store(&library);
    let history = store.history().unwrap();
    let options = FarmOptions::new(FarmMode::Create)
        .pieces_in_sector(2)
        .min_sectors(2)
        .genesis_root(history.genesis_root);
    let path = folder.join("farm");
    let farm = Farm::open(&library, &path, &options).unwrap();
    let source =
        PieceSource::from_getter(&library, Forwarding(store), SourceOptions::new()).unwrap();
    let encoder = cpu_encoder(&library, 2);
    let plotter = Plotter::new(&library, &encoder, &source, &PlotterOptions::new()).unwrap();
    let plot = plotter.plot_farm(&farm, history.history_size, Some(2), PlotWatch::new());
    assert_eq!(plot.unwrap().outcome, Outcome::Complete);
    assert_eq!(farm.info().unwrap().sector_count, 2);
    drop(farm);
    assert!(scrub(&path));
    // That it would have seen if something were wrong:
    let plot_file = OpenOptions::new()
        .read(true)
        .write(true)
        .open(path.join("plot.bin"))
        .unwrap();
    let mut byte = [0];
    plot_file.read_exact_at(&mut byte, 70_000).unwrap();
    plot_file.write_all_at(&[byte[0] ^ 1], 70_000).unwrap();
    assert!(!scrub(&path));
}

/// The header of the super segment that the first segment of the store is in.
fn super_segment_header() -> [u8; 92] {
    let path = from_environment("FURROW_FIXTURES").join("store/manifest.json");
    let manifest = fs::read_to_string(path).unwrap();
    let (_, rest) = manifest.split_once("\"super_segment_header\"").unwrap();
    let digits = rest.split('"').nth(1).unwrap();
    golden::bytes(digits).try_into().unwrap()
}

#[test]
#[ignore = "needs FURROW_FIXTURES"]
fn pieces_are_verified_and_rebuilt() {
    const DAMAGED: u64 = 100;
    let library = Library::new().unwrap();
    let source = open_store(&library);
    let header = super_segment_header();
    let get = |index| {
        let mut piece = Piece::new_boxed();
        assert_eq!(
            source.get_piece(index, &mut piece, None).unwrap(),
            Outcome::Complete
        );
        piece
    };
    let expected = get(5);
    expected.verify(&library, 5, &header).unwrap();
    let error = expected.verify(&library, 6, &header).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::PieceInvalid);
    let root = header[8..40].try_into().unwrap();
    let num_segments = u32::from_le_bytes(header[88..].try_into().unwrap());
    assert!(expected.is_valid(&library, 5, &root, num_segments).unwrap());
    assert!(!expected.is_valid(&library, 6, &root, num_segments).unwrap());

    // Half of the segment and one more, which is damaged.
    let mut others: Vec<Box<Piece>> = (DAMAGED..DAMAGED + 129).map(get).collect();
    others[0][Piece::SIZE - 1] ^= 1;
    let mut pieces = [None; Piece::IN_SEGMENT];
    for (position, piece) in (DAMAGED as usize..).zip(&others) {
        pieces[position] = Some(&**piece);
    }
    let rebuilt = Piece::rebuild(&library, 5, &pieces, Some(&header), 0).unwrap();
    assert!(rebuilt.piece == expected && rebuilt.rejected == 1);
    pieces[DAMAGED as usize + 1] = None;
    let error = Piece::rebuild(&library, 5, &pieces, Some(&header), 0).unwrap_err();
    assert_eq!(
        (error.kind(), error.segment_index()),
        (ErrorKind::NotEnoughPieces, Some(0))
    );
}
