// SPDX-License-Identifier: Apache-2.0
//! The declarations of this crate are those of the C headers: all of them, and no others. Both are
//! read and compared as text, and what a C compiler makes of the headers is compared with what Rust
//! makes of the crate. So a header that changes fails here until the crate follows.

mod c_headers;
mod rust_sources;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use furrow_sys::*;

use c_headers::Headers;

/// FURROW_INCLUDE_DIR, or the headers of the repository that this crate stands in.
fn include_directory() -> PathBuf {
    let directory = match std::env::var_os("FURROW_INCLUDE_DIR") {
        Some(directory) => PathBuf::from(directory),
        None => Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../include"),
    };
    assert!(
        directory.join("furrow/furrow.h").is_file(),
        "no furrow/furrow.h in {}: set FURROW_INCLUDE_DIR",
        directory.display()
    );
    directory
}

#[test]
fn declarations_are_those_of_the_headers() {
    let headers = Headers::read(&include_directory());
    let crate_sources = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let in_rust = rust_sources::declarations(&crate_sources);
    let in_c: BTreeMap<String, String> = headers.as_rust();
    assert!(in_c.len() > 200, "only {} declarations found", in_c.len());
    for (name, expected) in &in_c {
        match in_rust.get(name) {
            Some(actual) => assert_eq!(actual, expected, "{name} differs from its header"),
            None => panic!("{name} is not declared; its header has: {expected}"),
        }
    }
    for name in in_rust.keys() {
        assert!(in_c.contains_key(name), "{name} is in no header");
    }
}

/// Value of each constant, size of each type, and size and offset of each member.
type Layout = BTreeMap<String, u64>;

/// The offset of a member, without a value of the struct.
macro_rules! offset_of {
    ($name:ident, $member:ident) => {{
        let value = std::mem::MaybeUninit::<$name>::uninit();
        // SAFETY: only the address of the member is taken, which is in bounds of the value.
        let member = unsafe { std::ptr::addr_of!((*value.as_ptr()).$member) };
        member as usize - value.as_ptr() as usize
    }};
}

fn size_of_pointee<T>(_: *const T) -> usize {
    std::mem::size_of::<T>()
}

macro_rules! structs {
    ($($name:ident { $($member:ident),* })*) => {
        fn add_structs(layout: &mut Layout) {
            $(
                layout.insert(stringify!($name).into(), std::mem::size_of::<$name>() as u64);
                $(
                    let value = std::mem::MaybeUninit::<$name>::uninit();
                    // SAFETY: as above.
                    let member = unsafe { std::ptr::addr_of!((*value.as_ptr()).$member) };
                    let path = concat!(stringify!($name), ".", stringify!($member));
                    layout.insert(path.into(), offset_of!($name, $member) as u64);
                    layout.insert(format!("{path} size"), size_of_pointee(member) as u64);
                )*
            )*
        }
    };
}

macro_rules! constants {
    ($($name:ident)*) => {
        fn add_constants(layout: &mut Layout) {
            $(layout.insert(stringify!($name).into(), $name as u64);)*
        }
    };
}

macro_rules! enumerations {
    ($($name:ident)*) => {
        fn add_enumerations(layout: &mut Layout) {
            $(layout.insert(stringify!($name).into(), std::mem::size_of::<$name>() as u64);)*
        }
    };
}

include!("names/mod.rs");

#[test]
fn layouts_are_those_of_the_c_compiler() {
    let headers = Headers::read(&include_directory());
    let expected = ask_compiler(&headers.layout_program());
    let mut actual = Layout::new();
    add_structs(&mut actual);
    add_constants(&mut actual);
    add_enumerations(&mut actual);
    for (name, value) in &expected {
        assert_eq!(
            actual.get(name),
            Some(value),
            "{name}; None: add it to tests/names/mod.rs"
        );
    }
    assert_eq!(
        actual.len(),
        expected.len(),
        "tests/names/mod.rs has what no header has"
    );
}

/// Compiles a program and runs it; it prints lines of a name, "=" and a number.
fn ask_compiler(program: &str) -> Layout {
    let directory = PathBuf::from(env!("CARGO_TARGET_TMPDIR"));
    let source = directory.join("layouts.c");
    let compiled = directory.join("layouts");
    fs::write(&source, program).unwrap();
    let compiler = std::env::var("CC").unwrap_or_else(|_| String::from("cc"));
    let status = Command::new(&compiler)
        .args(["-std=c11", "-Wall", "-Werror", "-I"])
        .arg(include_directory())
        .arg("-o")
        .args([&compiled, &source])
        .status()
        .unwrap_or_else(|error| panic!("{compiler}: {error}"));
    assert!(status.success(), "{compiler}: {status}");
    let answer = Command::new(&compiled).output().unwrap();
    assert!(answer.status.success());
    String::from_utf8(answer.stdout)
        .unwrap()
        .lines()
        .map(|line| {
            let (name, value) = line.split_once('=').unwrap();
            (String::from(name), value.parse().unwrap())
        })
        .collect()
}
