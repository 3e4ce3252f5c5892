//! The library's sources, as they were when the program was built.

include!(concat!(env!("OUT_DIR"), "/stdlib.rs"));

/// The files of the library, by their path under `stdlib/`, in alphabetical order.
pub fn files() -> &'static [(&'static str, &'static str)] {
    FILES
}
