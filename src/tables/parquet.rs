//! Tables from Parquet: flat columns of numbers, booleans, text and dates.

use bytes::Bytes;
use parquet::errors::ParquetError;
use parquet::file::reader::{FileReader, SerializedFileReader};
use parquet::record::Field;

use super::table::{CellsBuilder, Survey, Table, TableColumn, column_name};
use crate::diag::{Code, Diagnostic};
use crate::source::Span;

/// Reads a table. Its cells are typed as those of CSV are: whole numbers are integers, whatever they were stored as.
///
/// # Errors
/// What is not Parquet, compressed by another codec than Snappy, gzip or LZ4, or nested.
pub fn read_parquet(name: &str, bytes: Vec<u8>) -> Result<Table, Box<Diagnostic>> {
    let fault = |error: String| {
        let title = format!("{name} cannot be read: {error}");
        Box::new(Diagnostic::error(
            Code::TableFile,
            title,
            Span::default(),
            "",
        ))
    };
    let in_words = |error: ParquetError| fault(error.to_string());
    let reader = SerializedFileReader::new(Bytes::from(bytes)).map_err(in_words)?;
    let fields = reader.metadata().file_metadata().schema().get_fields();
    let headings: Vec<String> = fields
        .iter()
        .map(|field| field.name().to_string())
        .collect();
    let mut surveys: Vec<Survey> = headings.iter().map(|_| Survey::default()).collect();
    let mut rows = 0;
    for row in reader.get_row_iter(None).map_err(in_words)? {
        let row = row.map_err(in_words)?;
        for ((heading, field), survey) in row.get_column_iter().zip(&mut surveys) {
            let text = text(field)
                .ok_or_else(|| fault(format!("its column `{heading}` holds no single values")))?;
            survey.see(&text);
        }
        rows += 1;
    }
    let mut builders: Vec<CellsBuilder> = surveys
        .into_iter()
        .map(|survey| survey.builder(rows))
        .collect();
    for row in reader.get_row_iter(None).map_err(in_words)? {
        let row = row.map_err(in_words)?;
        for ((_, field), builder) in row.get_column_iter().zip(&mut builders) {
            builder.push(&text(field).unwrap_or_default());
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
        text: None,
        columns: columns.collect(),
        rows,
    })
}

/// A value as CSV would have it; empty where it is missing. `None` for lists, maps and groups.
fn text(field: &Field) -> Option<String> {
    Some(match field {
        Field::Null => String::new(),
        Field::Str(text) => text.clone(),
        Field::Float(value) => value.to_string(),
        Field::Double(value) => value.to_string(),
        Field::Group(_) | Field::ListInternal(_) | Field::MapInternal(_) | Field::Bytes(_) => {
            return None;
        }
        // Booleans, integers, decimals, dates and times print plainly.
        other => other.to_string(),
    })
}

#[cfg(test)]
mod tests {
    use super::super::table::Cells;
    use super::*;
    use parquet::data_type::{ByteArray, ByteArrayType, DoubleType, Int64Type};
    use parquet::file::writer::SerializedFileWriter;
    use parquet::schema::parser::parse_message_type;
    use std::sync::Arc;

    fn written() -> Vec<u8> {
        let schema = "message t { REQUIRED BYTE_ARRAY country (UTF8); REQUIRED INT64 n; OPTIONAL DOUBLE log.y; }";
        let schema = Arc::new(parse_message_type(schema).unwrap());
        let mut bytes = Vec::new();
        let mut writer = SerializedFileWriter::new(&mut bytes, schema, Default::default()).unwrap();
        let mut group = writer.next_row_group().unwrap();
        let mut column = group.next_column().unwrap().unwrap();
        let labels = ["US", "DE", "US"].map(ByteArray::from);
        column
            .typed::<ByteArrayType>()
            .write_batch(&labels, None, None)
            .unwrap();
        column.close().unwrap();
        let mut column = group.next_column().unwrap().unwrap();
        column
            .typed::<Int64Type>()
            .write_batch(&[1, 2, 3], None, None)
            .unwrap();
        column.close().unwrap();
        let mut column = group.next_column().unwrap().unwrap();
        let levels = [1, 0, 1];
        column
            .typed::<DoubleType>()
            .write_batch(&[0.5, 2.0], Some(&levels), None)
            .unwrap();
        column.close().unwrap();
        group.close().unwrap();
        writer.close().unwrap();
        bytes
    }

    #[test]
    fn columns_are_typed_as_those_of_csv() {
        let table = read_parquet("t.parquet", written()).unwrap();
        assert_eq!(table.rows, 3);
        assert_eq!(table.cell(0, 1).label().as_deref(), Some("DE"));
        assert_eq!(
            table.columns[1].cells,
            Cells::Integer(vec![Some(1), Some(2), Some(3)])
        );
        assert_eq!(table.columns[2].name, "log_y");
        assert_eq!(table.cell(2, 0).number(), Some(0.5));
        assert!(table.cell(2, 1).is_missing());
    }

    #[test]
    fn other_bytes_are_refused() {
        let fault = read_parquet("t.parquet", b"PAR1 not really PAR1".to_vec()).unwrap_err();
        assert!(
            fault.title.starts_with("t.parquet cannot be read"),
            "{fault:?}"
        );
    }
}
