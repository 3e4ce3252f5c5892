//! Builds the parser from `grammar/hlm.lalrpop`.

fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    println!("cargo:rerun-if-changed=grammar/hlm.lalrpop");
}
