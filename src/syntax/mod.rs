//! Text to syntax tree and back: tokens, grammar, tree, canonical printing.

pub mod ast;
