// SPDX-License-Identifier: Apache-2.0
//! Says where libfurrow is: in FURROW_LIB_DIR, else where the program pkg-config has it, else where
//! the linker looks by itself. Crates that depend on this one find the folder in DEP_FURROW_LIB_DIR.

use std::env;
use std::process::Command;

fn main() {
    for variable in ["FURROW_LIB_DIR", "PKG_CONFIG", "PKG_CONFIG_PATH"] {
        println!("cargo:rerun-if-env-changed={variable}");
    }
    println!("cargo:rerun-if-changed=build.rs");
    println!("cargo:rustc-link-lib=dylib=furrow");
    let directories = match env::var("FURROW_LIB_DIR") {
        Ok(directory) if !directory.is_empty() => vec![directory],
        _ => directories_of(&ask_pkg_config().unwrap_or_default()),
    };
    for directory in &directories {
        println!("cargo:rustc-link-search=native={directory}");
    }
    if let Some(directory) = directories.first() {
        println!("cargo:lib_dir={directory}");
    }
}

/// None without pkg-config, and when it does not know the library.
fn ask_pkg_config() -> Option<String> {
    let program = env::var("PKG_CONFIG").unwrap_or_else(|_| String::from("pkg-config"));
    let answer = Command::new(program)
        .args(["--libs", "furrow"])
        .output()
        .ok()?;
    if answer.status.success() {
        String::from_utf8(answer.stdout).ok()
    } else {
        None
    }
}

/// The directories behind -L. Blanks in their names have a backslash in front of them.
fn directories_of(flags: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    let mut characters = flags.chars();
    while let Some(character) = characters.next() {
        match character {
            '\\' => words.last_mut().unwrap().extend(characters.next()),
            _ if character.is_whitespace() => words.push(String::new()),
            _ => words.last_mut().unwrap().push(character),
        }
    }
    words
        .iter()
        .filter_map(|word| word.strip_prefix("-L").map(String::from))
        .collect()
}
