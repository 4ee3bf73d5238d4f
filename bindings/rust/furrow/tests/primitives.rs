// SPDX-License-Identifier: Apache-2.0
//! Proofs, hashes, the erasure code, memory and devices.

mod support;

use std::sync::atomic::AtomicBool;

use furrow::erasure::{self, Shard};
use furrow::{
    is_proof_valid, proof_seed, Devices, ErrorKind, Library, MemoryRequest, Piece, Proofs, Record,
    Status,
};
use support::{fill_from_stream, golden};

#[test]
fn golden_proofs() {
    let library = Library::new().unwrap();
    let case = golden::cases("pos.json").swap_remove(0);
    let seed = golden::hash(&case, "seed");
    let made = Proofs::make(&library, &seed, None).unwrap().unwrap();
    let n_found = golden::number(&case, "num_set_bits") as usize;
    assert_eq!(made.found.count(), n_found);
    assert_eq!((made.proofs.len(), made.hashes.len()), (n_found, n_found));
    let hash_of = |bytes: &[u8]| furrow::hash(bytes).unwrap();
    assert_eq!(
        hash_of((*made.found).as_ref()),
        golden::hash(&case, "found_proofs_blake3")
    );
    let all = made.proofs.concat();
    assert_eq!(hash_of(&all), golden::hash(&case, "proofs_blake3"));
    assert_eq!(
        hash_of(&made.hashes.concat()),
        golden::hash(&case, "proof_hashes_blake3")
    );
    assert_eq!(
        furrow::hash_many(&made.proofs[..100]).unwrap(),
        made.hashes[..100]
    );

    let s_bucket = golden::number(&case, "last_set_s_bucket") as u16;
    assert!(made.found.is_set(s_bucket));
    assert!(is_proof_valid(&seed, s_bucket, &made.proofs[n_found - 1]).unwrap());
    assert!(!is_proof_valid(&seed, s_bucket, &made.proofs[0]).unwrap());
    let aborted = Proofs::make(&library, &seed, Some(&AtomicBool::new(true))).unwrap();
    assert!(aborted.is_none());
}

#[test]
fn golden_seeds_and_parity() {
    let case = golden::cases("record_encoding.json").swap_remove(1);
    let offset = golden::number(&case, "piece_offset") as u16;
    let seed = proof_seed(&golden::hash(&case, "sector_id"), offset).unwrap();
    assert_eq!(seed, golden::hash(&case, "pos_seed"));
    let mut record = Record::new_boxed();
    fill_from_stream(golden::number(&case, "record_seed"), record.as_bytes_mut());
    let parity = erasure::extend_record(&record).unwrap();
    let hash = furrow::hash(parity.as_bytes()).unwrap();
    assert_eq!(hash, golden::hash(&case, "parity_chunks_blake3"));
}

#[test]
fn shards_come_back() {
    let mut shards = vec![[0_u8; 64]; 4];
    for (shard, seed) in shards.iter_mut().zip(1..) {
        fill_from_stream(seed, shard);
    }
    let mut parity = vec![[0_u8; 64]; 4];
    let source: Vec<&[u8]> = shards.iter().map(|shard| &shard[..]).collect();
    let mut wanted: Vec<&mut [u8]> = parity.iter_mut().map(|shard| &mut shard[..]).collect();
    erasure::extend(&source, &mut wanted).unwrap();

    let (mut first, mut third) = ([0; 64], [0; 64]);
    let mut given = vec![
        Shard::Wanted(&mut first),
        Shard::Present(&shards[1]),
        Shard::Wanted(&mut third),
        Shard::Present(&shards[3]),
        Shard::Ignored,
        Shard::Present(&parity[1]),
        Shard::Present(&parity[2]),
        Shard::Ignored,
    ];
    erasure::recover(&mut given, 4).unwrap();
    given[5] = Shard::Ignored;
    let error = erasure::recover(&mut given, 4).unwrap_err();
    assert_eq!(
        (error.status(), error.kind()),
        (Status::Unavailable, ErrorKind::Shards)
    );
    let error = erasure::recover(&mut given, 9).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Argument);
    drop(given);
    assert_eq!((first, third), (shards[0], shards[2]));

    let short = [0; 62];
    let error = erasure::extend(&[&shards[0], &short], &mut [&mut first]).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Argument);
    let error = erasure::extend(&[], &mut []).unwrap_err();
    assert_eq!(error.status(), Status::InvalidArgument);
}

#[test]
fn hashes_of_wrong_lengths() {
    assert!(furrow::hash_many::<8>(&[]).unwrap().is_empty());
    assert_eq!(
        furrow::hash_many(&[[0; 3]]).unwrap_err().status(),
        Status::InvalidArgument
    );
    assert_eq!(
        furrow::hash_many(&[[1; 8]]).unwrap()[0],
        furrow::hash(&[1; 8]).unwrap()
    );
}

#[test]
fn pieces_that_are_none() {
    let (library, piece) = (Library::new().unwrap(), Piece::new_boxed());
    let error = piece.verify(&library, 0, &[0; 92]).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::PieceInvalid);
    assert!(!piece.is_valid(&library, 0, &[1; 32], 1).unwrap());
    let error = Piece::rebuild(&library, 5, &[None; Piece::IN_SEGMENT], None, 1).unwrap_err();
    assert_eq!(
        (error.status(), error.kind()),
        (Status::Unavailable, ErrorKind::NotEnoughPieces)
    );
    assert_eq!(error.segment_index(), Some(0));
}

#[test]
fn large_arrays_in_a_small_stack() {
    let work = || {
        let mut record = Record::new_boxed();
        record[32767][31] = 1;
        assert_eq!(record.as_bytes()[Record::SIZE - 1], 1);
        let mut piece = Piece::new_boxed();
        piece[Piece::SIZE - 1] = 2;
        assert_eq!(piece.record().as_bytes()[Record::SIZE - 1], 2);
        assert!(piece.clone() == piece && record.clone() == record);
        assert!(Piece::from_bytes(&piece[..]).unwrap() == piece);
        assert!(Piece::from_bytes(&piece[1..]).is_none());
        assert_eq!(Record::new_zero_vec(3).len(), 3);
        assert!(Record::new_zero_vec(0).is_empty());
        assert_eq!(
            format!("{piece:?} {record:?}"),
            "Piece(1049560 bytes) Record(1048576 bytes)"
        );
    };
    std::thread::Builder::new()
        .stack_size(128 << 10)
        .spawn(work)
        .unwrap()
        .join()
        .unwrap();
}

#[test]
fn memory_is_planned() {
    let library = Library::new().unwrap();
    let request = MemoryRequest {
        pieces_in_sector: 10,
        threads: 2,
        ..MemoryRequest::default()
    };
    let plan = request.plan(&library).unwrap();
    assert!(plan.encoder_bytes > 0 && plan.sector_bytes >= 10 << 20 && plan.device_bytes == 0);
    assert!(plan.host_bytes >= plan.encoder_bytes + plan.sector_bytes);
    assert!(plan.sectors_in_memory > 0);
    let unknown = MemoryRequest {
        devices: vec!["no such".into()],
        ..request
    };
    assert!(unknown.plan(&library).is_err());
}

#[test]
fn devices_or_the_reason_for_none() {
    let devices = Devices::query(&Library::new().unwrap()).unwrap();
    let all = devices.all().unwrap();
    assert_eq!(devices.problem().unwrap().is_some(), all.is_empty());
    for (position, device) in all.iter().enumerate() {
        assert!(!device.name.is_empty() && device.multiprocessors > 0);
        let checked = devices.check(position).unwrap();
        assert_eq!(checked.uuid, device.uuid);
        assert!(checked.unusable_reason.is_some() || checked.free_bytes > 0);
    }
    assert_eq!(
        devices.get(all.len()).unwrap_err().status(),
        Status::InvalidArgument
    );
}
