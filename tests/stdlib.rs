//! The library: every file parses alone, and every function is documented.

use hlm::diag::render;
use hlm::source::SourceMap;
use hlm::stdlib::files;
use hlm::syntax::parse_library;

#[test]
fn every_file_parses_alone() {
    for (name, text) in files() {
        let mut sources = SourceMap::new();
        let source = sources.add(*name, *text);
        if let Err(found) = parse_library(&sources, source) {
            panic!("{}", render(&sources, &found, false));
        }
    }
}
