//! The equation form: a model diagram, transliterated, becomes a block-form program and a plan for its tables.
//!
//! `docs/equation-form.md` is the language reference. Nothing after this room knows that a program was written in it.

pub mod plan;
pub mod tree;
