//! Programs and data that someone mangled: reading, checking and binding end in diagnostics or in a posterior, never in a panic.
//!
//! Every program of tests/ and examples/ is taken to pieces, and pieces are cut, doubled, swapped, moved between programs and
//! replaced. `PROPTEST_CASES=20000 cargo test --release --test mutations` looks longer.

#![allow(clippy::unwrap_used)]

use std::path::{Path, PathBuf};
use std::sync::LazyLock;

use hlm::equation;
use hlm::model::{BindOptions, Model};
use hlm::source::SourceMap;
use hlm::syntax::{Form, NoIncludes, parse_form};
use proptest::prelude::*;

/// A program, in pieces, with the data beside it if there are any.
struct Specimen {
    name: String,
    program: Vec<String>,
    data: Option<Vec<String>>,
}

static SPECIMENS: LazyLock<Vec<Specimen>> = LazyLock::new(|| {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut files = Vec::new();
    for folder in ["tests", "examples"] {
        collect(&root.join(folder), &mut files);
    }
    files.sort();
    files.iter().map(|path| specimen(path)).collect()
});

/// Words that a mangled program is given: of every phase, and of what it does not expect.
const WORDS: [&str; 36] = [
    "real",
    "int",
    "vector",
    "matrix",
    "array",
    "simplex",
    "tuple",
    "complex",
    "cov_matrix",
    "void",
    "data",
    "for",
    "if",
    "return",
    "target",
    "normal",
    "lpdf",
    "_rng",
    "~",
    "|",
    "'",
    ".*",
    "[",
    "]",
    "(",
    ")",
    "{",
    "}",
    "<",
    ">",
    ",",
    ";",
    "0",
    "-1",
    "3",
    "1e308",
];

/// Loops that a mangled program would never leave, and data that are not small, are of no use here.
const UNBOUNDED: [&str; 2] = ["while", "ode_"];
const LARGEST_DATA: usize = 20_000;

fn collect(folder: &Path, files: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let extension = path.extension().unwrap_or_default().to_string_lossy();
        if path.is_dir() {
            collect(&path, files);
        } else if ["hlm", "stan", "stanfunctions"].contains(&&*extension) {
            files.push(path);
        }
    }
}

fn specimen(path: &Path) -> Specimen {
    let folder = path.parent().unwrap();
    let stem = folder.file_name().unwrap();
    let beside = [
        path.with_extension("json"),
        folder.join(stem).with_extension("json"),
    ];
    let data = beside
        .iter()
        .find_map(|path| std::fs::read_to_string(path).ok());
    let text = String::from_utf8_lossy(&std::fs::read(path).unwrap()).into_owned();
    Specimen {
        name: path.file_name().unwrap().to_string_lossy().into_owned(),
        program: pieces(&text),
        data: data
            .filter(|data| data.len() < LARGEST_DATA)
            .map(|data| pieces(&data)),
    }
}

/// A text in words, runs of blanks, and single characters.
fn pieces(text: &str) -> Vec<String> {
    let kind = |c: char| (c.is_alphanumeric() || c == '_' || c == '.', c == ' ');
    let mut pieces: Vec<String> = Vec::new();
    for c in text.chars() {
        let joins = kind(c) != (false, false);
        match pieces.last_mut() {
            Some(last) if joins && last.ends_with(|before| kind(before) == kind(c)) => last.push(c),
            _ => pieces.push(c.to_string()),
        }
    }
    pieces
}

/// What a piece is: a name, a number, blanks, or a sign.
fn kind(piece: &str) -> u8 {
    match piece.chars().next() {
        Some(c) if c.is_ascii_digit() || c == '.' => 0,
        Some(c) if c.is_alphanumeric() || c == '_' => 1,
        Some(c) if c.is_whitespace() => 2,
        _ => 3,
    }
}

/// One thing that happens to a text. Positions are taken modulo its length.
#[derive(Clone, Debug)]
enum Mutation {
    Cut(usize, usize),
    Double(usize, usize),
    Swap(usize, usize),
    Word(usize, usize),
    /// A piece gives way to another of its kind in the same text: what passes the parser, and often the checker.
    Exchange(usize, usize),
    /// Pieces of another program.
    Graft(usize, usize, usize),
    /// The rest is lost.
    Truncate(usize),
}

fn mutation() -> impl Strategy<Value = Mutation> {
    let any = any::<usize>;
    prop_oneof![
        4 => (any(), 1_usize..8).prop_map(|(at, count)| Mutation::Cut(at, count)),
        3 => (any(), 1_usize..8).prop_map(|(at, count)| Mutation::Double(at, count)),
        4 => (any(), any()).prop_map(|(at, other)| Mutation::Swap(at, other)),
        4 => (any(), any()).prop_map(|(at, word)| Mutation::Word(at, word)),
        16 => (any(), any()).prop_map(|(at, other)| Mutation::Exchange(at, other)),
        3 => (any(), any(), any()).prop_map(|(at, program, from)| Mutation::Graft(at, program, from)),
        1 => any().prop_map(Mutation::Truncate),
    ]
}

fn mutate(pieces: &mut Vec<String>, mutation: &Mutation) {
    /// How many pieces come over from another program.
    const GRAFTED: usize = 12;
    let length = pieces.len();
    if length == 0 {
        return;
    }
    let range = |at: usize, count: usize| at % length..(at % length + count).min(length);
    match *mutation {
        Mutation::Cut(at, count) => drop(pieces.drain(range(at, count))),
        Mutation::Double(at, count) => {
            let copy = pieces[range(at, count)].to_vec();
            let at = at % length;
            pieces.splice(at..at, copy);
        }
        Mutation::Swap(at, other) => pieces.swap(at % length, other % length),
        Mutation::Word(at, word) => pieces[at % length] = WORDS[word % WORDS.len()].to_string(),
        Mutation::Exchange(at, other) => {
            let at = at % length;
            let alike = |piece: &&String| kind(piece) == kind(&pieces[at]);
            let others: Vec<&String> = pieces.iter().filter(alike).collect();
            pieces[at] = others[other % others.len()].clone();
        }
        Mutation::Graft(at, program, from) => {
            let donor = &SPECIMENS[program % SPECIMENS.len()].program;
            let from = from % donor.len().max(1);
            let graft = donor[from..(from + GRAFTED).min(donor.len())].to_vec();
            let at = at % length;
            pieces.splice(at..at, graft);
        }
        Mutation::Truncate(at) => pieces.truncate(at % length),
    }
}

fn mangled(pieces: &[String], mutations: &[Mutation]) -> String {
    let mut pieces = pieces.to_vec();
    for mutation in mutations {
        mutate(&mut pieces, mutation);
    }
    pieces.concat()
}

/// Everything that is done with a program before it is sampled; what it says does not matter here.
fn digest(name: &str, program: &str, data: Option<&str>) {
    let mut sources = SourceMap::new();
    let source = sources.add(name, program);
    if let Ok(Form::Equation(program)) = parse_form(&mut sources, source, &mut NoIncludes) {
        let _ = equation::resolve(&program);
    }
    let model = match Model::from_text(name, program) {
        Ok(model) => model,
        Err(failure) => {
            assert!(!failure.render(false).is_empty());
            return;
        }
    };
    if UNBOUNDED.iter().any(|word| program.contains(word)) {
        return;
    }
    let data = data.unwrap_or("{}");
    if let Err(failure) = model.bind_json("data.json", data.as_bytes(), &BindOptions::default()) {
        assert!(!failure.render(false).is_empty());
    }
}

proptest! {
    #![proptest_config(ProptestConfig { max_shrink_iters: 500, ..ProptestConfig::default() })]

    #[test]
    fn mangled_programs_end_in_diagnostics(
        specimen in any::<usize>(),
        mutations in proptest::collection::vec(mutation(), 1..3),
    ) {
        let specimen = &SPECIMENS[specimen % SPECIMENS.len()];
        let data = specimen.data.as_ref().map(|data| data.concat());
        digest(&specimen.name, &mangled(&specimen.program, &mutations), data.as_deref());
    }

    #[test]
    fn mangled_data_end_in_diagnostics(
        specimen in any::<usize>(),
        mutations in proptest::collection::vec(mutation(), 1..3),
    ) {
        let with_data: Vec<&Specimen> = SPECIMENS.iter().filter(|specimen| specimen.data.is_some()).collect();
        let specimen = with_data[specimen % with_data.len()];
        let data = specimen.data.as_ref().map(|data| mangled(data, &mutations));
        digest(&specimen.name, &specimen.program.concat(), data.as_deref());
    }
}

#[test]
fn pieces_make_up_their_text() {
    assert_eq!(
        pieces("a_1  + 2.5;\n"),
        ["a_1", "  ", "+", " ", "2.5", ";", "\n"]
    );
    assert!(
        SPECIMENS
            .iter()
            .filter(|specimen| specimen.data.is_some())
            .count()
            > 40
    );
}
