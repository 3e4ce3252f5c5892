//! Text to syntax tree and back: tokens, grammar, tree, canonical printing.

pub mod ast;
mod build;
mod classes;
mod depth;
pub mod equation;
mod explain;
mod format;
mod lexer;
mod lines;
mod list;
mod parse;
mod token;
mod validate;
mod walk;

pub use classes::{TokenClass, token_classes};
pub use format::{
    format_equations, format_expression, format_function, format_item, format_program,
    format_program_with_notes, format_statement, format_type, format_unsized_type,
};
pub use lexer::{Included, NoIncludes, ResolveInclude};
pub use lines::{continues_line, equation_line_is_complete};
pub use list::list_tokens;
pub use parse::{
    Form, LibraryFunction, parse, parse_expression, parse_form, parse_functions,
    parse_labelled_expression, parse_library, parse_library_part, parse_statements,
};

lalrpop_util::lalrpop_mod!(
    #[allow(
        clippy::all,
        clippy::unwrap_used,
        missing_docs,
        unused,
        unreachable_pub
    )]
    grammar,
    "/hlm.rs"
);
