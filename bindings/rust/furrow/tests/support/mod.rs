// SPDX-License-Identifier: Apache-2.0
//! What several tests need.
#![allow(dead_code)] // each of them uses a part

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use furrow::{Encoder, EncoderConfig, EncoderKind, Level, Library};

pub mod golden;

/// What a library said.
pub type Log = Mutex<Vec<(Level, String)>>;

pub fn library_with_log() -> (Library, Arc<Log>) {
    let log = Arc::new(Mutex::new(Vec::new()));
    let writer = Arc::clone(&log);
    let library = Library::builder()
        .on_log(move |level, line| writer.lock().unwrap().push((level, line.to_owned())))
        .build()
        .unwrap();
    (library, log)
}

/// Whether a warning has all of these texts.
pub fn has_warning(log: &Log, texts: &[&str]) -> bool {
    log.lock().unwrap().iter().any(|(level, line)| {
        *level == Level::Warning && texts.iter().all(|text| line.contains(text))
    })
}

pub fn cpu_encoder(library: &Library, threads: u32) -> Encoder {
    let config = EncoderConfig::new().kind(EncoderKind::Cpu).threads(threads);
    Encoder::new(library, &config).unwrap()
}

/// The first bytes that a seed gives (tests/golden/README.md, "Conventions").
pub fn fill_from_stream(seed: u64, bytes: &mut [u8]) {
    let mut state = seed;
    for part in bytes.chunks_mut(8) {
        state = state.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = state;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^= z >> 31;
        part.copy_from_slice(&z.to_le_bytes()[..part.len()]);
    }
}

/// An empty folder, removed with the value.
pub struct Folder(PathBuf);

impl Folder {
    pub fn new(name: &str) -> Self {
        let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
        let _ = std::fs::remove_dir_all(&path);
        std::fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    pub fn join(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}
