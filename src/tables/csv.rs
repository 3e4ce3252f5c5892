//! Tables from CSV: comma, semicolon or tab between fields, a heading on the first line, UTF-8.

use std::ops::Range;

use super::table::{CellsBuilder, QUOTED_NA, Survey, Table, TableColumn, Text, column_name};
use crate::diag::{Code, Diagnostic};
use crate::source::{SourceId, SourceMap, Span};

/// Reads a table; its text is added to `texts` under `name`.
///
/// # Errors
/// Text that is not UTF-8, no heading, rows of another length than the heading.
pub fn read_csv(texts: &mut SourceMap, name: &str, bytes: &[u8]) -> Result<Table, Box<Diagnostic>> {
    let source = texts.add(name, String::from_utf8_lossy(bytes));
    let fault = |title: String, range: Range<usize>, label: &str| {
        let span = Span::new(source, range.start as u32, range.end as u32);
        Diagnostic::error(Code::TableFile, title, span, label)
    };
    if u32::try_from(bytes.len()).is_err() {
        return Err(fault(format!("{name} is larger than four gigabytes"), 0..0, "").into());
    }
    if let Err(error) = std::str::from_utf8(bytes) {
        let at = error.valid_up_to();
        return Err(fault(
            format!("{name} is not text in UTF-8"),
            at..at + char::REPLACEMENT_CHARACTER.len_utf8(),
            "this character is in another encoding",
        )
        .with_hint("save the file as UTF-8")
        .into());
    }
    if bytes.iter().all(u8::is_ascii_whitespace) {
        return Err(fault(format!("{name} is empty"), 0..0, "")
            .with_hint("the first line of a table names its columns")
            .into());
    }
    // Spreadsheets write a byte order mark, which is no part of the first heading.
    let mark = if bytes.starts_with(b"\xEF\xBB\xBF") {
        3
    } else {
        0
    };
    let delimiter = delimiter(&bytes[mark..]);
    let unreadable = |error: csv::Error| fault(format!("{name} cannot be read: {error}"), 0..0, "");
    let mut records = Records::new(bytes, mark, delimiter);
    let headings: Vec<String> = records
        .reader
        .headers()
        .map_err(unreadable)?
        .iter()
        .map(|heading| heading.trim().to_string())
        .collect();
    let mut surveys: Vec<Survey> = headings.iter().map(|_| Survey::default()).collect();
    let mut starts = Vec::new();
    while let Some(start) = records.next().map_err(unreadable)? {
        let record = &records.record;
        if record.len() != headings.len() {
            return Err(other_length(source, name, bytes, start, record, headings.len()).into());
        }
        starts.push(start as u32);
        for (at, (survey, field)) in surveys.iter_mut().zip(record).enumerate() {
            match field == QUOTED_NA && is_quoted(bytes, start, delimiter, at) {
                true => survey.see_quoted_na(),
                false => survey.see(field),
            }
        }
    }
    let builders = surveys.into_iter();
    let mut builders: Vec<CellsBuilder> = builders
        .map(|survey| survey.builder(starts.len()))
        .collect();
    let mut records = Records::new(bytes, mark, delimiter);
    while let Some(start) = records.next().map_err(unreadable)? {
        for (at, (builder, field)) in builders.iter_mut().zip(&records.record).enumerate() {
            match field == QUOTED_NA && is_quoted(bytes, start, delimiter, at) {
                true => builder.push_quoted_na(),
                false => builder.push(field),
            }
        }
    }
    let columns = headings.into_iter().zip(builders);
    let columns = columns.map(|(heading, builder)| TableColumn {
        name: column_name(&heading),
        heading,
        cells: builder.finish(),
    });
    Ok(Table {
        name: name.to_string(),
        columns: columns.collect(),
        rows: starts.len(),
        text: Some(Text {
            source,
            heading: skip_line_breaks(bytes, mark) as u32,
            starts,
            delimiter,
        }),
    })
}

/// The rows of a table, one after another.
struct Records<'b> {
    bytes: &'b [u8],
    /// Where the heading begins.
    mark: usize,
    reader: csv::Reader<&'b [u8]>,
    /// The row that was read last.
    record: csv::StringRecord,
}

impl<'b> Records<'b> {
    fn new(bytes: &'b [u8], mark: usize, delimiter: u8) -> Records<'b> {
        Records {
            bytes,
            mark,
            reader: csv::ReaderBuilder::new()
                .delimiter(delimiter)
                .flexible(true)
                .from_reader(&bytes[mark..]),
            record: csv::StringRecord::new(),
        }
    }

    /// Reads the next row that is not blank; where it begins.
    fn next(&mut self) -> Result<Option<usize>, csv::Error> {
        while self.reader.read_record(&mut self.record)? {
            // A line of spaces is as blank as an empty one, but for a table of one column.
            let width = self.reader.headers()?.len();
            let is_blank = self.record.len() == 1 && self.record[0].trim().is_empty();
            if is_blank && width != 1 {
                continue;
            }
            let start = self.record.position().map_or(0, |at| at.byte() as usize) + self.mark;
            return Ok(Some(skip_line_breaks(self.bytes, start)));
        }
        Ok(None)
    }
}

/// Whether a field of the row that starts at `start` is in quotation marks.
fn is_quoted(bytes: &[u8], start: usize, delimiter: u8, field: usize) -> bool {
    let range = field_range(bytes, start, delimiter, field);
    bytes.get(range.end) == Some(&b'"')
}

/// What separates fields: the comma, unless the heading has none and has tabs or semicolons instead.
fn delimiter(bytes: &[u8]) -> u8 {
    let heading = bytes
        .split(|&byte| byte == b'\n')
        .next()
        .unwrap_or_default();
    let has = |delimiter: &u8| heading.contains(delimiter);
    let candidates = [b',', b'\t', b';'];
    candidates.into_iter().find(has).unwrap_or(b',')
}

fn skip_line_breaks(bytes: &[u8], mut at: usize) -> usize {
    while matches!(bytes.get(at), Some(b'\n' | b'\r')) {
        at += 1;
    }
    at
}

/// A row that does not have one field a column.
fn other_length(
    source: SourceId,
    name: &str,
    bytes: &[u8],
    start: usize,
    record: &csv::StringRecord,
    expected: usize,
) -> Diagnostic {
    let line = bytes[start..].iter().position(|&byte| byte == b'\n');
    let end = line.map_or(bytes.len(), |length| start + length);
    let found = record.len();
    let fields = if found == 1 { "field" } else { "fields" };
    let fault = Diagnostic::error(
        Code::TableFile,
        format!("a row of {name} has {found} {fields}, but the heading has {expected}"),
        Span::new(source, start as u32, end as u32),
        format!("{found} {fields}"),
    );
    if record.iter().any(|field| field.contains('\n')) {
        return fault.with_hint("a quotation mark in this row may have no partner");
    }
    fault.with_hint("text that contains the separator needs quotation marks around it")
}

/// The bytes of a field of the row that starts at `start`, without quotation marks; an empty range at the end of the
/// row for a field that it does not have.
pub fn field_range(bytes: &[u8], start: usize, delimiter: u8, field: usize) -> Range<usize> {
    let mut at = start.min(bytes.len());
    let mut count = 0;
    loop {
        let begin = at;
        let mut is_quoted = bytes.get(at) == Some(&b'"');
        at += usize::from(is_quoted);
        let has_quotes = is_quoted;
        while let Some(&byte) = bytes.get(at) {
            if is_quoted {
                // A doubled quotation mark closes and opens again.
                is_quoted = byte != b'"';
            } else if byte == b'"' {
                is_quoted = has_quotes;
            } else if byte == delimiter || byte == b'\n' || byte == b'\r' {
                break;
            }
            at += 1;
        }
        if count == field {
            let inner = usize::from(has_quotes && at >= begin + 2 && bytes[at - 1] == b'"');
            return begin + inner..at - inner;
        }
        if bytes.get(at) != Some(&delimiter) {
            return at..at;
        }
        at += 1;
        count += 1;
    }
}

#[cfg(test)]
mod tests {
    use super::super::table::Cells;
    use super::*;
    use proptest::prelude::*;

    fn read(text: &str) -> (SourceMap, Result<Table, Box<Diagnostic>>) {
        let mut texts = SourceMap::new();
        let table = read_csv(&mut texts, "t.csv", text.as_bytes());
        (texts, table)
    }

    #[test]
    fn quotes_marks_and_line_ends_are_as_spreadsheets_write_them() {
        let text = "\u{feff}\"a b\",y\r\n\"x, \"\"1\"\"\",2\r\n\r\nz,NA\r\n";
        let (texts, table) = read(text);
        let table = table.unwrap();
        let names: Vec<&str> = table
            .columns
            .iter()
            .map(|column| column.name.as_str())
            .collect();
        assert_eq!(names, ["a_b", "y"]);
        assert_eq!(table.rows, 2);
        assert_eq!(table.cell(0, 0).label().as_deref(), Some("x, \"1\""));
        assert_eq!(table.columns[1].cells, Cells::Integer(vec![Some(2), None]));
        let shown = |column, row| texts.snippet(table.cell_span(&texts, column, row).unwrap());
        assert_eq!(shown(0, 0), "x, \"\"1\"\"");
        assert_eq!((shown(1, 0), shown(0, 1), shown(1, 1)), ("2", "z", "NA"));
        assert_eq!(texts.snippet(table.heading_span(&texts, 0).unwrap()), "a b");
    }

    #[test]
    fn quotes_tell_namibia_from_nothing() {
        let table = read("country,y\n\"NA\",1\nNA,2\n\"DE\",\"3\"\n").1.unwrap();
        let labels: Vec<Option<String>> = (0..3).map(|row| table.cell(0, row).label()).collect();
        assert_eq!(
            labels,
            [Some("NA".to_string()), None, Some("DE".to_string())]
        );
    }

    #[test]
    fn semicolons_and_tabs_are_found_out() {
        for text in ["a;b\n1;2\n", "a\tb\n1\t2\n"] {
            assert_eq!(read(text).1.unwrap().columns.len(), 2, "{text:?}");
        }
    }

    #[test]
    fn faults_point_into_the_file() {
        let (texts, table) = read("a,b\n1,2\n3\n");
        let fault = table.unwrap_err();
        assert_eq!(
            fault.title,
            "a row of t.csv has 1 field, but the heading has 2"
        );
        assert_eq!(texts.snippet(fault.label.span), "3");
        assert_eq!(read("").1.unwrap_err().title, "t.csv is empty");
        let mut texts = SourceMap::new();
        let fault = read_csv(&mut texts, "t.csv", b"a\n\xE9\n").unwrap_err();
        assert!(fault.title.contains("UTF-8"), "{fault:?}");
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_or_refused(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            let mut texts = SourceMap::new();
            let _ = read_csv(&mut texts, "t.csv", &bytes);
        }

        #[test]
        fn every_cell_has_a_place(
            text in "([ab0-9.\"]{0,4}[,\n\r;\"]){0,40}",
            column in 0usize..6,
        ) {
            let (texts, table) = read(&text);
            if let Ok(table) = table {
                for row in 0..table.rows {
                    let place = table.cell_span(&texts, column, row).unwrap();
                    prop_assert!(place.end as usize <= text.len() && place.start <= place.end);
                }
            }
        }

        /// What a writer of CSV writes, the reader reads, each cell in its place.
        #[test]
        fn written_tables_are_read_back(rows in proptest::collection::vec(
            ("[a-z,\" \n]{1,6}x", -1000i64..1000), 1..20)) {
            let mut writer = csv::Writer::from_writer(Vec::new());
            writer.write_record(["label", "n"]).unwrap();
            for (label, number) in &rows {
                writer.write_record([label, &number.to_string()]).unwrap();
            }
            let bytes = writer.into_inner().unwrap();
            let mut texts = SourceMap::new();
            let table = read_csv(&mut texts, "t.csv", &bytes).unwrap();
            prop_assert_eq!(table.rows, rows.len());
            for (row, (label, number)) in rows.iter().enumerate() {
                prop_assert_eq!(table.cell(0, row).label().unwrap(), label.trim());
                let place = table.cell_span(&texts, 0, row).unwrap();
                prop_assert_eq!(texts.snippet(place).replace("\"\"", "\""), label.as_str());
                prop_assert_eq!(table.cell(1, row), super::super::table::Cell::Integer(*number));
                let place = table.cell_span(&texts, 1, row).unwrap();
                prop_assert_eq!(texts.snippet(place), number.to_string());
            }
        }
    }
}
