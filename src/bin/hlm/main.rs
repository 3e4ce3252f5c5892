//! The command line of hlm.

fn main() {}
