//! Tables at the prompt: what is in them, in words, and their columns as values.

use hlm::interp::{Container, Value};
use hlm::tables::{Cells, Table, TableColumn};
use hlm::types::Ty;

/// Labels that a sentence lists before it only counts.
const LISTED: usize = 6;

/// What is in a table, a line for the whole and one for each column.
pub fn describe(table: &Table) -> String {
    let rows = match table.rows {
        1 => "1 row".to_string(),
        rows => format!("{rows} rows"),
    };
    let width = table
        .columns
        .iter()
        .map(|column| column.name.chars().count());
    let width = width.max().unwrap_or(0);
    let mut text = format!("{}: {rows}\n", table.name);
    for column in &table.columns {
        text.push_str(&format!("  {:<width$}  {}\n", column.name, content(column)));
    }
    text
}

fn content(column: &TableColumn) -> String {
    let (mut text, missing) = match &column.cells {
        Cells::Integer(values) => {
            let known = values.iter().flatten();
            let range = known.clone().min().zip(known.max());
            let missing = values.iter().filter(|value| value.is_none()).count();
            (range_in_words("whole numbers", range), missing)
        }
        Cells::Real(values) => {
            let known = values.iter().copied().filter(|value| !value.is_nan());
            let range = known.clone().reduce(f64::min).zip(known.reduce(f64::max));
            let missing = values.iter().filter(|value| value.is_nan()).count();
            (range_in_words("numbers", range), missing)
        }
        Cells::Text { codes, texts } => {
            let mut sorted = texts.clone();
            sorted.sort();
            let listed = match sorted.len() {
                count if count > LISTED => {
                    format!("{}, … {count} in all", sorted[..LISTED].join(", "))
                }
                _ => sorted.join(", "),
            };
            let missing = codes.iter().filter(|code| code.is_none()).count();
            (format!("levels {listed}"), missing)
        }
    };
    if missing > 0 {
        text.push_str(&format!("; {missing} missing"));
    }
    text
}

fn range_in_words<T: std::fmt::Display>(what: &str, range: Option<(T, T)>) -> String {
    match range {
        Some((least, most)) => format!("{what} from {least} to {most}"),
        None => format!("{what}, none of them there"),
    }
}

/// The texts of a column, each once.
pub fn labels(column: &TableColumn) -> Vec<String> {
    match &column.cells {
        Cells::Text { texts, .. } => texts.clone(),
        Cells::Integer(_) | Cells::Real(_) => Vec::new(),
    }
}

/// The column as the language holds it: an array of integers, or a vector. `None` for text, and where cells are missing.
pub fn value(column: &TableColumn) -> Option<Value> {
    match &column.cells {
        Cells::Integer(values) => {
            let values: Vec<i64> = values.iter().copied().collect::<Option<_>>()?;
            let ty = Ty::Int.array_of(1);
            Some(Value::Container(Container::ints(
                ty,
                vec![values.len()],
                values,
            )))
        }
        Cells::Real(values) => {
            let is_whole = values.iter().all(|value| !value.is_nan());
            is_whole.then(|| Value::Container(Container::vector(values.clone())))
        }
        Cells::Text { .. } => None,
    }
}
