// SPDX-License-Identifier: Apache-2.0
//! Farms: opened, refused, written by hand. `plotter.rs` plots them.

mod support;

use furrow::{
    sector_size, ErrorKind, Farm, FarmMode, FarmOptions, FarmSector, Library, SectorMetadata,
    SectorPlan, Status,
};
use support::Folder;

fn new_farm() -> FarmOptions {
    FarmOptions::new(FarmMode::Create)
        .pieces_in_sector(1)
        .min_sectors(3)
        .genesis_root([1; 32])
        .cache_percentage(0)
}

#[test]
fn a_farm_that_is_not_there() {
    let (library, folder) = (
        Library::new().unwrap(),
        Folder::new("a_farm_that_is_not_there"),
    );
    for mode in [FarmMode::Read, FarmMode::Plot] {
        let path = folder.join("farm");
        let error = Farm::open(&library, &path, &FarmOptions::new(mode)).unwrap_err();
        assert_eq!(
            (error.status(), error.kind()),
            (Status::Unavailable, ErrorKind::FarmNotFound)
        );
        assert!(
            error.message().contains("a_farm_that_is_not_there/farm"),
            "{error}"
        );
        assert!(!path.exists());
    }
    let error = Farm::open(&library, "with\0zero", &FarmOptions::new(FarmMode::Read)).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Argument);
}

#[test]
fn a_new_farm() {
    let (library, folder) = (Library::new().unwrap(), Folder::new("a_new_farm"));
    let mut chain = SectorPlan::default();
    chain.recent_segments = 9;
    let farm = Farm::open(&library, folder.join("farm"), &new_farm().chain(&chain)).unwrap();
    let info = farm.info().unwrap();
    assert_eq!((info.genesis_root, info.pieces_in_sector), ([1; 32], 1));
    assert_eq!(
        (info.sector_count, info.sector_size),
        (0, sector_size(1) as u64)
    );
    assert!(info.sector_room >= 3 && info.allocated_space >= 3 * info.sector_size);
    assert_eq!(info.id.len(), 26);
    assert_eq!(
        furrow::public_key_hash(&info.public_key).unwrap(),
        info.public_key_hash
    );
    assert_eq!(farm.sector(0).unwrap(), FarmSector::NotPlotted);

    let plan = farm.plan_sector(2, 4).unwrap();
    assert_eq!(plan.public_key_hash, info.public_key_hash);
    let root = furrow::shard_commitments_root(&library, &info.shard_commitments_seed, 4).unwrap();
    assert_eq!(plan.shard_commitments_root, root);
    assert_eq!((plan.sector_index, plan.pieces_in_sector), (2, 1));
    assert_eq!((plan.history_size, plan.recent_segments), (4, 9));

    let error = Farm::open(&library, folder.join("farm"), &new_farm()).unwrap_err();
    assert_eq!(
        (error.status(), error.kind()),
        (Status::Unavailable, ErrorKind::FarmInUse)
    );
    drop(farm);
    let other = new_farm().genesis_root([2; 32]);
    let error = Farm::open(&library, folder.join("farm"), &other).unwrap_err();
    assert_eq!(
        (error.status(), error.kind()),
        (Status::Mismatch, ErrorKind::FarmMismatch)
    );
    let wrong = new_farm().cache_percentage(100);
    let error = Farm::open(&library, folder.join("farm"), &wrong).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Argument);
}

#[test]
fn what_is_written_is_looked_at() {
    let (library, folder) = (Library::new().unwrap(), Folder::new("what_is_written"));
    let farm = Farm::open(&library, folder.join("farm"), &new_farm()).unwrap();
    let sector = vec![0; sector_size(1)];
    let damaged = SectorMetadata::new_boxed();
    let error = farm.write_sector(0, &sector, &damaged).unwrap_err();
    assert_eq!(error.status(), Status::Corrupt);
    assert_eq!(farm.info().unwrap().sector_count, 0);
    assert_eq!(
        farm.sector(u32::MAX).unwrap_err().status(),
        Status::InvalidArgument
    );
    assert!(farm.sector_metadata(0).is_err());
    assert!(farm.read_sector(0, 0, &mut [0; 8]).is_err());
    assert!(SectorMetadata::from_bytes(&[0; 3]).is_none());
}

#[test]
fn a_farm_for_reading_is_not_written() {
    let (library, folder) = (Library::new().unwrap(), Folder::new("a_farm_for_reading"));
    let path = folder.join("farm");
    drop(Farm::open(&library, &path, &new_farm()).unwrap());
    let farm = Farm::open(&library, &path, &FarmOptions::new(FarmMode::Read)).unwrap();
    let second = Farm::open(&library, &path, &FarmOptions::new(FarmMode::Read)).unwrap();
    assert_eq!(farm.info().unwrap(), second.info().unwrap());
    let sector = vec![0; sector_size(1)];
    let error = farm
        .write_sector(0, &sector, &SectorMetadata::new_boxed())
        .unwrap_err();
    assert!(
        matches!(error.status(), Status::InvalidArgument | Status::Corrupt),
        "{error:?}"
    );
}
