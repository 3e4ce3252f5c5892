//! Builds the parser from `grammar/hlm.lalrpop` and the list of the library's files from `stdlib/`.

use std::error::Error;
use std::fmt::Write;
use std::fs;
use std::path::{Path, PathBuf};

fn main() -> Result<(), Box<dyn Error>> {
    println!("cargo:rerun-if-changed=build.rs");
    println!("cargo:rerun-if-changed=grammar/hlm.lalrpop");
    println!("cargo:rerun-if-changed=stdlib");
    let out_dir = PathBuf::from(std::env::var("OUT_DIR")?);
    lalrpop::Configuration::new()
        .set_in_dir("grammar")
        .set_out_dir(&out_dir)
        .process()?;
    fs::write(out_dir.join("stdlib.rs"), library_list()?)?;
    Ok(())
}

/// A Rust constant that holds the name and text of every file of the library.
fn library_list() -> Result<String, Box<dyn Error>> {
    let root = Path::new(&std::env::var("CARGO_MANIFEST_DIR")?).join("stdlib");
    let mut files = Vec::new();
    collect(&root, &mut files)?;
    files.sort();
    let mut list = String::from("const FILES: &[(&str, &str)] = &[\n");
    for file in files {
        let name = Path::new("stdlib").join(file.strip_prefix(&root)?);
        let name = name.to_string_lossy().replace('\\', "/");
        writeln!(list, "    ({name:?}, include_str!({file:?})),")?;
    }
    list.push_str("];\n");
    Ok(list)
}

fn collect(folder: &Path, files: &mut Vec<PathBuf>) -> Result<(), Box<dyn Error>> {
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            collect(&path, files)?;
        } else if path.extension().is_some_and(|extension| extension == "hlm") {
            files.push(path);
        }
    }
    Ok(())
}
