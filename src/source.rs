//! Source texts, and places in them: the leaf that every compiler phase may import.

use std::fmt;

/// Names one source text of a [`SourceMap`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SourceId(pub u32);

/// A half-open range of bytes in one source text.
///
/// Spans order by source, then start, then end: the order in which a reader meets them.
#[derive(Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Span {
    /// The text that the range lies in.
    pub source: SourceId,
    /// Offset of the first byte.
    pub start: u32,
    /// Offset one past the last byte.
    pub end: u32,
}

impl Span {
    /// The bytes `start..end` of `source`.
    pub fn new(source: SourceId, start: u32, end: u32) -> Span {
        Span { source, start, end }
    }

    /// The smallest span that covers both; `self` alone when they lie in different sources
    /// (a construct that begins in an included file and ends outside of it).
    pub fn to(self, other: Span) -> Span {
        if self.source != other.source {
            return self;
        }
        Span {
            source: self.source,
            start: self.start.min(other.start),
            end: self.end.max(other.end),
        }
    }

    /// The range as array indices.
    pub fn range(self) -> std::ops::Range<usize> {
        self.start as usize..self.end as usize
    }
}

/// Short, so that a dump of a syntax tree stays readable: `@0:12..17`.
impl fmt::Debug for Span {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "@{}:{}..{}", self.source.0, self.start, self.end)
    }
}

/// A line and a column, both counted from 1; the column counts characters, not bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LineColumn {
    /// Line number, from 1.
    pub line: usize,
    /// Character position in the line, from 1.
    pub column: usize,
}

/// One text with the name that messages show for it.
#[derive(Clone, Debug)]
struct Source {
    name: String,
    text: String,
    /// Offset of the first byte of each line.
    line_starts: Vec<u32>,
}

/// Every source text of a session: the program, what it includes, the library, lines of the REPL.
///
/// Texts are only ever added, so a [`Span`] stays valid as long as its map.
#[derive(Clone, Debug, Default)]
pub struct SourceMap {
    sources: Vec<Source>,
}

impl SourceMap {
    /// An empty map.
    pub fn new() -> SourceMap {
        SourceMap::default()
    }

    /// Adds a text under a name (a path, or something like `<stdin>`).
    pub fn add(&mut self, name: impl Into<String>, text: impl Into<String>) -> SourceId {
        let text = text.into();
        let line_starts = std::iter::once(0)
            .chain(text.match_indices('\n').map(|(at, _)| at as u32 + 1))
            .collect();
        self.sources.push(Source {
            name: name.into(),
            text,
            line_starts,
        });
        SourceId(self.sources.len() as u32 - 1)
    }

    /// Gives another name to texts for whose present name `name` has one.
    pub fn rename(&mut self, name: impl Fn(&str) -> Option<String>) {
        for source in &mut self.sources {
            if let Some(new) = name(&source.name) {
                source.name = new;
            }
        }
    }

    /// The name the text was added under; empty for an id of another map.
    pub fn name(&self, source: SourceId) -> &str {
        self.get(source).map_or("", |source| &source.name)
    }

    /// The whole text; empty for an id of another map.
    pub fn text(&self, source: SourceId) -> &str {
        self.get(source).map_or("", |source| &source.text)
    }

    /// The text that a span covers; empty where the span does not fit its source.
    pub fn snippet(&self, span: Span) -> &str {
        self.text(span.source).get(span.range()).unwrap_or("")
    }

    /// Line and column of a byte offset; offsets beyond the end count as the end.
    pub fn line_column(&self, source: SourceId, offset: u32) -> LineColumn {
        let Some(source) = self.get(source) else {
            return LineColumn { line: 1, column: 1 };
        };
        let line = source.line_starts.partition_point(|&start| start <= offset);
        let start = source.line_starts[line - 1] as usize;
        let end = source.text.len().min(offset as usize);
        let before = source.text.get(start..end).unwrap_or("");
        LineColumn {
            line,
            column: before.chars().count() + 1,
        }
    }

    /// The bytes of a line, counted from 0, its line break included; `None` beyond the last line.
    pub fn line_range(&self, source: SourceId, line: usize) -> Option<std::ops::Range<usize>> {
        let source = self.get(source)?;
        let start = *source.line_starts.get(line)? as usize;
        let end = source
            .line_starts
            .get(line + 1)
            .map_or(source.text.len(), |&next| next as usize);
        Some(start..end)
    }

    /// How many lines the text has; 0 for an id of another map.
    pub fn line_count(&self, source: SourceId) -> usize {
        self.get(source)
            .map_or(0, |source| source.line_starts.len())
    }

    /// Every source with its name and text, in the order of addition.
    pub fn iter(&self) -> impl Iterator<Item = (SourceId, &str, &str)> {
        self.sources.iter().enumerate().map(|(at, source)| {
            (
                SourceId(at as u32),
                source.name.as_str(),
                source.text.as_str(),
            )
        })
    }

    fn get(&self, source: SourceId) -> Option<&Source> {
        self.sources.get(source.0 as usize)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_and_columns_count_from_one_in_characters() {
        let mut sources = SourceMap::new();
        let id = sources.add("a", "σ = 1;\nmu = 2;\n");
        let at = |offset| {
            let place = sources.line_column(id, offset);
            (place.line, place.column)
        };
        assert_eq!(at(0), (1, 1));
        assert_eq!(at(3), (1, 3));
        assert_eq!(at(7), (1, 7));
        assert_eq!(at(8), (2, 1));
        assert_eq!(at(16), (3, 1));
        assert_eq!(at(99), (3, 1));
    }

    #[test]
    fn spans_join_within_one_source_only() {
        let first = Span::new(SourceId(0), 2, 4);
        assert_eq!(
            first.to(Span::new(SourceId(0), 7, 9)),
            Span::new(SourceId(0), 2, 9)
        );
        assert_eq!(first.to(Span::new(SourceId(1), 7, 9)), first);
    }

    #[test]
    fn snippets_are_safe_for_any_span() {
        let mut sources = SourceMap::new();
        let id = sources.add("a", "σ");
        assert_eq!(sources.snippet(Span::new(id, 0, 2)), "σ");
        assert_eq!(sources.snippet(Span::new(id, 1, 2)), "");
        assert_eq!(sources.snippet(Span::new(SourceId(7), 0, 1)), "");
    }
}
