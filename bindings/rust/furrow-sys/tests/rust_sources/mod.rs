// SPDX-License-Identifier: Apache-2.0
//! Reads the sources of the crate, which are nothing but declarations, into the form that
//! `c_headers` gives those of the headers.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use crate::c_headers::tokens;

/// Of all modules but lib.rs: tokens joined by blanks, by name.
pub fn declarations(directory: &Path) -> BTreeMap<String, String> {
    let mut found = BTreeMap::new();
    for entry in fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        if path.file_name().map_or(true, |name| name == "lib.rs") {
            continue;
        }
        let text = fs::read_to_string(&path).unwrap();
        let code: Vec<&str> = text
            .lines()
            .filter(|line| {
                let line = line.trim_start();
                !line.starts_with("//") && !line.starts_with("#[")
            })
            .collect();
        let code = code.join("\n").replace("extern \"C\" {", "");
        let words = tokens(&code);
        for (name, text) in items_of(&words) {
            assert!(
                found.insert(name.clone(), text).is_none(),
                "{name} is declared twice"
            );
        }
    }
    found
}

/// Declarations begin with "pub" and end with ";", or with "}" for a struct.
fn items_of(words: &[String]) -> Vec<(String, String)> {
    let mut items = Vec::new();
    let mut at = 0;
    while at < words.len() {
        if words[at] != "pub" {
            at += 1;
            continue;
        }
        let kind = words[at + 1].as_str();
        let name = words[at + 2].clone();
        let last = if kind == "struct" { "}" } else { ";" };
        let mut depth = 0;
        let length = words[at..]
            .iter()
            .position(|word| {
                match word.as_str() {
                    "[" | "(" => depth += 1,
                    "]" | ")" => depth -= 1,
                    _ => {}
                }
                depth == 0 && word == last
            })
            .unwrap_or_else(|| panic!("{name} has no end"));
        let body = &words[at + 3..at + length];
        items.push((name, canonical(kind, body)));
        at += length + 1;
    }
    items
}

fn canonical(kind: &str, body: &[String]) -> String {
    let text = body
        .iter()
        .filter(|word| *word != "pub")
        .map(String::as_str);
    let joined = text.collect::<Vec<_>>().join(" ");
    // As it is tokenised, which splits it: "->" and the name of the calling convention.
    let joined = joined.replace("- >", "->").replace("\" C \"", "\"C\"");
    let joined = with_last_comma(&joined);
    match kind {
        // ": TYPE = value", where the types of macros are chosen here.
        "const" => {
            let (constant_type, value) = joined[2..].split_once(" = ").unwrap();
            match constant_type {
                "u32" | "usize" => format!("const = {value}"),
                _ => format!("const {constant_type} = {value}"),
            }
        }
        "type" => format!("type {}", joined.strip_prefix("= ").unwrap()),
        "struct" => format!("struct {joined} }}"),
        "fn" => format!("fn {joined}"),
        _ => panic!("not understood: pub {kind} {joined}"),
    }
}

/// Lists have a comma behind their last element, as rustfmt leaves it when it breaks lines.
fn with_last_comma(text: &str) -> String {
    let words: Vec<&str> = text.split(' ').collect();
    let mut result: Vec<&str> = Vec::new();
    for word in words {
        let last = result.last().copied().unwrap_or("(");
        if word == ")" && last != "(" && last != "," {
            result.push(",");
        }
        result.push(word);
    }
    // One for all arguments of a generic type is rustfmt's, too.
    result.join(" ").replace(", >", ">")
}
