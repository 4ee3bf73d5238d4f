// SPDX-License-Identifier: Apache-2.0
//! Golden vectors of the reference: those of FURROW_GOLDEN_DIR, or of the repository that this crate
//! stands in.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use furrow::Hash;

/// The texts and numbers of a case by name, as they stand there; of what stands deeper, all.
pub type Case = BTreeMap<String, Vec<String>>;

/// The elements of "cases".
pub fn cases(file: &str) -> Vec<Case> {
    let directory = match std::env::var_os("FURROW_GOLDEN_DIR") {
        Some(directory) => PathBuf::from(directory),
        None => Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../tests/golden"),
    };
    let path = directory.join(file);
    let text = std::fs::read_to_string(&path)
        .unwrap_or_else(|error| panic!("{}: {error}; set FURROW_GOLDEN_DIR", path.display()));
    let cases = read(&text);
    assert!(!cases.is_empty(), "no cases in {}", path.display());
    cases
}

/// The files are written by a program, one value a line: the depth of a brace is all that is needed
/// to tell cases apart.
fn read(text: &str) -> Vec<Case> {
    let mut found = Vec::new();
    let mut case = Case::new();
    let mut names = Vec::new();
    let mut depth = 0;
    for line in text.lines() {
        let line = line.trim().trim_end_matches(',');
        let (name, value) = match line.split_once(": ") {
            Some((name, value)) => (name.trim_matches('"').to_owned(), value),
            None => (names.last().cloned().unwrap_or_default(), line),
        };
        match value {
            "{" | "[" => {
                names.push(name);
                depth += 1;
            }
            "}" | "]" => {
                names.pop();
                depth -= 1;
                let is_case = depth == 2 && names.last().map_or(false, |name| name == "cases");
                if is_case {
                    found.push(std::mem::take(&mut case));
                }
            }
            _ => case
                .entry(name)
                .or_default()
                .push(value.trim_matches('"').to_owned()),
        }
    }
    found
}

/// The only value of a name.
pub fn text<'a>(case: &'a Case, name: &str) -> &'a str {
    match case.get(name).map(Vec::as_slice) {
        Some([value]) => value,
        other => panic!("{name}: {other:?}"),
    }
}

pub fn number(case: &Case, name: &str) -> u64 {
    let value = text(case, name);
    let parsed = match value.strip_prefix("0x") {
        Some(digits) => u64::from_str_radix(digits, 16),
        None => value.parse(),
    };
    parsed.unwrap_or_else(|error| panic!("{name}: {value}: {error}"))
}

pub fn hash(case: &Case, name: &str) -> Hash {
    bytes(text(case, name)).try_into().unwrap()
}

pub fn bytes(digits: &str) -> Vec<u8> {
    (0..digits.len())
        .step_by(2)
        .map(|at| u8::from_str_radix(&digits[at..at + 2], 16).unwrap())
        .collect()
}
