//! Tables for programs in block form: each column of numbers is an array of its name.

use super::sources::Sources;
use super::table::{Cell, Cells};
use crate::io::data_json::{Data, DataKind, DataValue, MissingElement};

/// The number of rows goes by this name, where one table is given and nothing else has the name.
const ROWS: &str = "N";

/// What sources hold for a program in block form.
#[derive(Clone, Debug, Default)]
pub struct Arrays {
    /// The values by name: columns of tables, then what JSON files and single values say.
    pub data: Data,
    /// Columns of text, with their table: no variable of a program in block form can hold them.
    pub text: Vec<(String, String)>,
}

impl Arrays {
    /// Whether anything goes by a name, the number of rows apart.
    pub fn has(&self, name: &str) -> bool {
        let is_text = self.text.iter().any(|(column, _)| column == name);
        is_text || (name != ROWS && self.data.get(name).is_some())
    }
}

/// Columns as arrays by name, `N` as the number of rows of the only table, and the values of JSON files as they are.
/// What comes later wins.
pub fn arrays(sources: &Sources) -> Arrays {
    let mut arrays = Arrays::default();
    if let [only] = sources.tables.as_slice() {
        let rows = DataValue::int(vec![only.table.rows as i64], Vec::new());
        arrays.data.set(ROWS, rows);
    }
    for table in sources.tables() {
        for column in &table.columns {
            match array(&column.cells, table.rows) {
                Some(value) => arrays.data.set(&column.name, value),
                None => arrays.text.push((column.name.clone(), table.name.clone())),
            }
        }
    }
    for values in &sources.values {
        for entry in values.data.entries() {
            if let Ok(value) = &entry.value {
                // Places in several files cannot be told apart.
                let value = DataValue {
                    span: 0..0,
                    ..value.clone()
                };
                arrays.data.set(&entry.name, value);
            }
        }
    }
    arrays
}

/// A column of numbers; `None` for text. Booleans are 0 and 1.
fn array(cells: &Cells, rows: usize) -> Option<DataValue> {
    let is_text = |row: &usize| matches!(cells.get(*row), Cell::Text(text) if Cell::Text(text).number().is_none());
    if (0..rows).any(|row| is_text(&row)) {
        return None;
    }
    let missing = (0..rows).filter(|&row| cells.get(row).is_missing());
    let missing = missing
        .map(|index| MissingElement { index, span: 0..0 })
        .collect();
    let numbers: Vec<Option<f64>> = (0..rows).map(|row| cells.get(row).number()).collect();
    let is_whole = |number: &Option<f64>| {
        number.is_none_or(|value| value.fract() == 0.0 && value.abs() <= f64::from(i32::MAX))
    };
    let kind = match matches!(cells, Cells::Integer(_) | Cells::Text { .. })
        && numbers.iter().all(is_whole)
    {
        true => DataKind::Int(
            numbers
                .iter()
                .map(|value| value.unwrap_or(0.0) as i64)
                .collect(),
        ),
        false => DataKind::Real(
            numbers
                .iter()
                .map(|value| value.unwrap_or(f64::NAN))
                .collect(),
        ),
    };
    Some(DataValue {
        kind,
        dims: vec![rows],
        span: 0..0,
        missing,
        first_real: None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::SourceMap;

    #[test]
    fn columns_become_arrays_and_text_does_not() {
        let mut sources = Sources::new(&SourceMap::new());
        let text = b"y,log.x,group,win\n1,0.5,a,TRUE\n2,NA,b,FALSE\n";
        sources.add_csv("t.csv", text, None).unwrap();
        sources.set("K", "3").unwrap();
        let arrays = arrays(&sources);
        let value = |name: &str| arrays.data.get(name).unwrap().value.clone().unwrap();
        assert_eq!(value("N").kind, DataKind::Int(vec![2].into()));
        assert_eq!(value("y").kind, DataKind::Int(vec![1, 2].into()));
        assert_eq!(value("win").kind, DataKind::Int(vec![1, 0].into()));
        assert_eq!(value("log_x").missing[0].index, 1);
        assert_eq!(value("K").kind, DataKind::Int(vec![3].into()));
        assert_eq!(arrays.text, [("group".to_string(), "t.csv".to_string())]);
    }
}
