//! Tests of the parser.

use super::*;
use crate::syntax::lexer::NoIncludes;

fn parsed(text: &str) -> Result<Program, Vec<Diagnostic>> {
    let mut sources = SourceMap::new();
    let id = sources.add("test", text);
    parse(&mut sources, id, &mut NoIncludes)
}

#[test]
fn empty_programs_parse() {
    assert_eq!(parsed(""), Ok(Program::default()));
}
