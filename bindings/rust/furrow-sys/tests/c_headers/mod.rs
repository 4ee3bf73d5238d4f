// SPDX-License-Identifier: Apache-2.0
//! Reads the headers of the C interface, which keep to few forms: macros with a number, enumerations
//! whose values are written out, structs, handles, types of callbacks, functions. Anything else is a
//! panic, not something to pass over.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

/// Words and signs of a text, without comments.
pub fn tokens(text: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut word = String::new();
    for character in text.chars() {
        if character.is_alphanumeric() || character == '_' {
            word.push(character);
            continue;
        }
        if !word.is_empty() {
            found.push(std::mem::take(&mut word));
        }
        if !character.is_whitespace() {
            found.push(character.to_string());
        }
    }
    if !word.is_empty() {
        found.push(word);
    }
    found
}

/// A member or a parameter.
struct Variable {
    name: String,
    /// In Rust, tokens joined by blanks.
    rust_type: String,
}

enum Item {
    /// The value of a macro.
    Number(u64),
    Enumeration(Vec<(String, u64)>),
    Struct(Vec<Variable>),
    Handle,
    /// In Rust.
    CallbackType(String),
    /// In Rust, from the name on.
    Function(String),
}

/// All declarations, by name.
pub struct Headers(BTreeMap<String, Item>);

impl Headers {
    pub fn read(include: &Path) -> Self {
        let mut items = BTreeMap::new();
        let mut n_files = 0;
        for entry in fs::read_dir(include.join("furrow/c")).unwrap() {
            let path = entry.unwrap().path();
            if path.extension().map_or(false, |extension| extension == "h") {
                let text = fs::read_to_string(&path).unwrap();
                read_items(&without_comments(&text), &mut items);
                n_files += 1;
            }
        }
        assert!(n_files > 0, "no headers in {}", include.display());
        Self(items)
    }

    /// As the crate has to declare them: tokens joined by blanks, by name.
    pub fn as_rust(&self) -> BTreeMap<String, String> {
        let mut all = BTreeMap::new();
        for (name, item) in &self.0 {
            let text = match item {
                Item::Number(value) => format!("const = {value}"),
                Item::Enumeration(values) => {
                    for (value_name, value) in values {
                        all.insert(value_name.clone(), format!("const {name} = {value}"));
                    }
                    String::from("type c_uint")
                }
                Item::Struct(members) => format!("struct {{ {} }}", list(members)),
                Item::Handle => String::from("struct { _opaque : Opaque , }"),
                Item::CallbackType(text) => format!("type Option < {text} >"),
                Item::Function(text) => format!("fn {text}"),
            };
            all.insert(name.clone(), text);
        }
        all
    }

    /// A C program that prints what `layouts_are_those_of_the_c_compiler` compares.
    pub fn layout_program(&self) -> String {
        let mut lines = String::new();
        let mut print = |name: &str, value: &str| {
            lines += &format!("  printf(\"{name}=%llu\\n\", (unsigned long long)({value}));\n");
        };
        for (name, item) in &self.0 {
            match item {
                Item::Number(_) => print(name, name),
                Item::Enumeration(values) => {
                    print(name, &format!("sizeof({name})"));
                    for (value_name, _) in values {
                        print(value_name, value_name);
                    }
                }
                Item::Struct(members) => {
                    print(name, &format!("sizeof({name})"));
                    for Variable { name: member, .. } in members {
                        print(
                            &format!("{name}.{member}"),
                            &format!("offsetof({name}, {member})"),
                        );
                        print(
                            &format!("{name}.{member} size"),
                            &format!("sizeof((({name}*)NULL)->{member})"),
                        );
                    }
                }
                Item::Handle | Item::CallbackType(_) | Item::Function(_) => {}
            }
        }
        format!(
            "#include <stddef.h>\n#include <stdio.h>\n#include \"furrow/furrow.h\"\n\
             int main(void) {{\n{lines}  return 0;\n}}\n"
        )
    }
}

fn without_comments(text: &str) -> String {
    let mut rest = text;
    let mut kept = String::new();
    while let Some(begin) = rest.find("/*") {
        kept += &rest[..begin];
        let end = begin + rest[begin..].find("*/").expect("a comment without an end");
        rest = &rest[end + 2..];
    }
    kept + rest
}

/// Macros with a number become items; what else the preprocessor is told is passed over, and so is
/// what is for C++ alone.
fn read_items(text: &str, items: &mut BTreeMap<String, Item>) {
    let mut code = String::new();
    let mut is_for_cpp = false;
    for line in text.lines() {
        if line.starts_with("#ifdef __cplusplus") {
            is_for_cpp = true;
        } else if is_for_cpp {
            is_for_cpp = !line.starts_with("#endif");
        } else if let Some(definition) = line.strip_prefix("#define ") {
            read_macro(definition, items);
        } else if !line.starts_with('#') {
            code += line;
            code.push('\n');
        }
    }
    let mut statement = Vec::new();
    let mut depth = 0;
    for token in tokens(&code) {
        match token.as_str() {
            "{" | "(" => depth += 1,
            "}" | ")" => depth -= 1,
            _ => {}
        }
        if depth == 0 && token == ";" {
            let (name, item) = read_statement(&statement);
            let before = items.insert(name, item);
            assert!(before.is_none(), "declared twice: {}", statement.join(" "));
            statement.clear();
        } else {
            statement.push(token);
        }
    }
    assert!(
        statement.is_empty(),
        "not understood: {}",
        statement.join(" ")
    );
}

fn read_macro(definition: &str, items: &mut BTreeMap<String, Item>) {
    let (name, value) = definition.split_once(' ').unwrap_or((definition, ""));
    let is_guard = value.is_empty() && name.ends_with("_H");
    if is_guard || name == "FURROW_API" {
        return;
    }
    let number = value.trim().trim_end_matches('u').parse();
    items.insert(
        name.into(),
        Item::Number(number.unwrap_or_else(|_| panic!("not a number: {definition}"))),
    );
}

fn read_statement(words: &[String]) -> (String, Item) {
    let text: Vec<&str> = words.iter().map(String::as_str).collect();
    match text.as_slice() {
        ["typedef", "enum", name, "FURROW_ENUM", "{", values @ .., "}", same] if name == same => {
            (String::from(*name), Item::Enumeration(read_values(values)))
        }
        ["typedef", "struct", name, "{", members @ .., "}", same] if name == same => {
            let members = split(members, ";")
                .iter()
                .map(|member| read_variable(member))
                .collect();
            (String::from(*name), Item::Struct(members))
        }
        ["typedef", "struct", name, same] if name == same => (String::from(*name), Item::Handle),
        ["typedef", callback @ ..] => {
            let Variable { name, rust_type } = read_variable(callback);
            let inner = rust_type
                .strip_prefix("Option < ")
                .and_then(|t| t.strip_suffix(" >"));
            let inner = inner.unwrap_or_else(|| panic!("not a callback: {}", text.join(" ")));
            (name, Item::CallbackType(inner.into()))
        }
        ["FURROW_API", function @ .., ")"] => {
            let open = function.iter().position(|word| *word == "(").unwrap();
            let (name, result) = function[..open].split_last().unwrap();
            let signature = signature(result, &function[open + 1..]);
            (String::from(*name), Item::Function(signature))
        }
        _ => panic!("not understood: {}", text.join(" ")),
    }
}

fn read_values(words: &[&str]) -> Vec<(String, u64)> {
    split(words, ",")
        .iter()
        .map(|value| match value {
            [name, "=", number] => (String::from(*name), number.parse().unwrap()),
            _ => panic!("not understood: {}", value.join(" ")),
        })
        .collect()
}

/// "TYPE name", "TYPE name[N]", or "RESULT (*name)(parameters)".
fn read_variable(words: &[&str]) -> Variable {
    if let Some(star) = words.windows(2).position(|pair| pair == ["(", "*"]) {
        let signature = signature(&words[..star], &words[star + 5..words.len() - 1]);
        return Variable {
            name: String::from(words[star + 2]),
            rust_type: format!("Option < unsafe extern \"C\" fn {signature} >"),
        };
    }
    match words {
        [element @ .., name, "[", size, "]"] => Variable {
            name: String::from(*name),
            rust_type: format!("[ {} ; {size} ]", type_of(element)),
        },
        [variable_type @ .., name] => Variable {
            name: String::from(*name),
            rust_type: type_of(variable_type),
        },
        [] => panic!("an empty declaration"),
    }
}

/// "( name : TYPE , ) -> RESULT".
fn signature(result: &[&str], parameters: &[&str]) -> String {
    let parameters = match parameters {
        ["void"] => Vec::new(),
        _ => split(parameters, ",")
            .iter()
            .map(|parameter| read_variable(parameter))
            .collect(),
    };
    let result = match result {
        ["void"] => String::new(),
        _ => format!(" -> {}", type_of(result)),
    };
    format!("( {} ){result}", list(&parameters)).replace("(  )", "( )")
}

fn list(variables: &[Variable]) -> String {
    let texts: Vec<String> = variables
        .iter()
        .map(|variable| format!("{} : {} ,", variable.name, variable.rust_type))
        .collect();
    texts.join(" ")
}

fn split<'a>(words: &'a [&'a str], separator: &str) -> Vec<&'a [&'a str]> {
    words
        .split(|word| *word == separator)
        .filter(|part| !part.is_empty())
        .collect()
}

/// A type of C in Rust: "const uint8_t * const *" is "* const * const u8".
fn type_of(words: &[&str]) -> String {
    let mut is_const = false;
    let mut text = String::new();
    for word in words {
        match *word {
            "const" => is_const = true,
            "volatile" => {}
            "*" => {
                let pointer = if is_const { "* const" } else { "* mut" };
                text = format!("{pointer} {text}");
                is_const = false;
            }
            name => {
                assert!(text.is_empty(), "not a type: {}", words.join(" "));
                text = String::from(type_name(name));
            }
        }
    }
    text
}

fn type_name(name: &str) -> &str {
    match name {
        "size_t" => "usize",
        "uint8_t" => "u8",
        "uint16_t" => "u16",
        "uint32_t" => "u32",
        "uint64_t" => "u64",
        "int32_t" => "i32",
        "double" => "f64",
        "int" => "c_int",
        "char" => "c_char",
        "void" => "c_void",
        _ => {
            assert!(name.starts_with("furrow_"), "unknown type {name}");
            name
        }
    }
}
