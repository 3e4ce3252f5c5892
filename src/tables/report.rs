//! What is said about tables: the cell, the declaration, and what to write instead.

use super::binder::{Binder, Found, Holding};
use super::elements::Elements;
use super::levels::{Level, nearest};
use super::table::Cell;
use crate::diag::{Code, Diagnostic};
use crate::equation::plan::{Column, SetId, SetKind};
use crate::io::data_json::DataError;
use crate::source::Span;

/// How many names, rows or labels a message lists before it says "and … more".
const LISTED: usize = 6;

/// Where a value is: in which holding, at which row.
pub(super) type Place = (Holding, usize);

impl Binder<'_> {
    /// The file of a holding, and where a value stands in it if that is text.
    fn file(&self, (holding, row): Place) -> (String, Option<Span>) {
        match holding {
            Holding::Constant => ("the model".to_string(), None),
            Holding::Table { table, column } => {
                let table = self.table(table);
                let span = table.cell_span(&self.sources.texts, column, row);
                (table.name.clone(), span)
            }
            Holding::Value { file, entry } => {
                let values = &self.sources.values[file];
                let text = self.sources.texts.text(values.source).as_bytes();
                let value = self.sources.entry((file, entry)).value.as_ref().ok();
                let range = value.and_then(|value| value.element_span(text, row));
                let span = range.map(|at| Span::new(values.source, at.start as u32, at.end as u32));
                (values.name.clone(), span)
            }
        }
    }

    /// A finding at a value, with the declaration beside it.
    fn at_value(
        &self,
        code: Code,
        title: String,
        place: Place,
        label: impl Into<String>,
        column: &Column,
    ) -> Diagnostic {
        let declared = format!("`{}` is declared here", column.name);
        match self.file(place).1 {
            Some(span) => {
                Diagnostic::error(code, title, span, label).with_secondary(column.span, declared)
            }
            None => Diagnostic::error(code, title, column.span, declared),
        }
    }

    /// `row 12 of houses.csv`
    fn row_of(&self, place: Place) -> String {
        format!("row {} of {}", place.1 + 1, self.file(place).0)
    }

    /// What the elements of a set are called: `county`.
    pub(super) fn kind_of(&self, set: SetId) -> String {
        let set = &self.plan.sets[set.0];
        match &set.kind {
            SetKind::Rows => "row".to_string(),
            SetKind::Levels { columns, .. } if columns.len() == 1 => {
                self.plan.columns[columns[0]].name.clone()
            }
            _ => set.letters.first().cloned().unwrap_or_default(),
        }
    }

    pub(super) fn letter_of(&self, set: SetId) -> String {
        self.plan.sets[set.0]
            .letters
            .first()
            .cloned()
            .unwrap_or_default()
    }

    fn table_names(&self) -> String {
        let names: Vec<String> = self
            .sources
            .tables()
            .map(|table| format!("`{}`", table.name))
            .collect();
        names.join(", ")
    }

    /// Every name under which something was given.
    fn given_names(&self) -> Vec<String> {
        let columns = self.sources.tables().flat_map(|table| &table.columns);
        let mut names: Vec<String> = columns.map(|column| column.name.clone()).collect();
        for values in &self.sources.values {
            names.extend(values.data.entries().iter().map(|entry| entry.name.clone()));
        }
        names
    }

    /// No table has all the columns of a row letter.
    pub(super) fn report_no_table(&mut self, set: SetId, required: &[(usize, Vec<String>)]) {
        let letter = self.letter_of(set);
        let span = self.plan.columns[required[0].0].span;
        if self.sources.is_empty() {
            let names: Vec<String> = required
                .iter()
                .map(|(_, names)| quoted(&names[0]))
                .collect();
            let title = format!("there are no data: the model needs {}", listed(&names));
            let fault = Diagnostic::error(Code::MissingData, title, span, "declared here");
            self.faults
                .push(fault.with_hint("name the file: `--data FILE`"));
            return;
        }
        let lacks = |table: usize| -> Vec<&(usize, Vec<String>)> {
            let is_absent =
                |(_, names): &&(usize, Vec<String>)| self.column_of(table, names).is_none();
            required.iter().filter(is_absent).collect()
        };
        let tables = (0..self.sources.tables.len()).filter(|table| !self.is_of_fit(*table));
        let nearest_table = tables.min_by_key(|&table| lacks(table).len());
        let Some(table) = nearest_table else {
            let (column, names) = &required[0];
            let column = &self.plan.columns[*column];
            let title = format!("the data do not have `{}`", names[0]);
            let fault = Diagnostic::error(Code::MissingData, title, column.span, "declared here");
            self.faults.push(self.with_near_name(fault, &names[0]));
            return;
        };
        let absent = lacks(table);
        let name = &self.table(table).name;
        let names: Vec<String> = absent.iter().map(|(_, names)| quoted(&names[0])).collect();
        let noun = if names.len() == 1 {
            "column"
        } else {
            "columns"
        };
        let title = format!("{name} does not have the {noun} {}", listed(&names));
        let declared = self.plan.columns[absent[0].0].span;
        let mut fault = Diagnostic::error(Code::NoColumn, title, declared, "declared here");
        for (_, spellings) in &absent {
            let columns = self
                .table(table)
                .columns
                .iter()
                .map(|column| column.name.as_str());
            if let Some(near) = nearest(&spellings[0], columns) {
                fault =
                    fault.with_note(format!("{name} has `{near}`; is that `{}`?", spellings[0]));
            }
        }
        let columns: Vec<String> = self
            .table(table)
            .columns
            .iter()
            .map(|column| quoted(&column.name))
            .collect();
        fault = fault.with_note(format!("{name} has {}", listed(&columns)));
        if self.sources.tables.len() > 1 {
            fault = fault.with_hint(format!(
                "one table must have all columns over {letter}; `--data {letter}=FILE` says which one it is"
            ));
        }
        self.faults.push(fault);
    }

    /// Several tables have all the columns of a row letter.
    pub(super) fn report_several_tables(
        &mut self,
        set: SetId,
        tables: &[usize],
        required: &[(usize, Vec<String>)],
    ) {
        let letter = self.letter_of(set);
        let names: Vec<String> = tables
            .iter()
            .map(|&table| self.table(table).name.clone())
            .collect();
        let columns: Vec<String> = required
            .iter()
            .map(|(_, names)| quoted(&names[0]))
            .collect();
        let fault = Diagnostic::error(
            Code::WhichTable,
            format!(
                "{} all have the columns of {letter}: {}",
                listed(&names),
                listed(&columns)
            ),
            self.plan.sets[set.0].span,
            "whose rows are these?",
        );
        let hint = format!("say which: `--data {letter}={}`", names[0]);
        self.faults.push(fault.with_hint(hint));
    }

    /// Nothing says how many rows there are.
    pub(super) fn report_no_rows(&mut self, set: SetId) {
        let letter = self.letter_of(set);
        let fault = Diagnostic::error(
            Code::MissingData,
            format!("the data do not say how many rows {letter} has"),
            self.plan.sets[set.0].span,
            "no column is over this index alone",
        );
        let hint = format!("give its table outright: `--data {letter}=FILE`");
        self.faults.push(fault.with_hint(hint));
    }

    /// A value without letters is not given.
    pub(super) fn report_no_value(&mut self, column: &Column) {
        let name = &column.name;
        let title = format!("the data do not have `{name}`");
        let mut fault =
            Diagnostic::error(Code::MissingData, title, column.span, "one value is needed");
        let is_column = self
            .sources
            .tables()
            .any(|table| table.find(name).is_some());
        if is_column {
            fault = fault.with_note(format!(
                "a table has a column `{name}`; if the model means its values, give it its index: `{name}[i]`"
            ));
        }
        self.faults.push(fault.with_hint(format!(
            "set it: `--set {name}=VALUE`, or give it in a JSON file"
        )));
    }

    /// No source has a column over levels.
    pub(super) fn report_no_column(&mut self, column: &Column) {
        let name = &column.name;
        let declared = "declared here";
        if self.sources.is_empty() {
            let title = format!("there are no data: the model needs `{name}`");
            let fault = Diagnostic::error(Code::MissingData, title, column.span, declared);
            self.faults
                .push(fault.with_hint("name the file: `--data FILE`"));
            return;
        }
        let holders: Vec<String> = self
            .sources
            .tables()
            .filter(|table| table.find(name).is_some())
            .map(|table| table.name.clone())
            .collect();
        let kinds: Vec<String> = column
            .over
            .iter()
            .map(|&set| quoted(&self.kind_of(set)))
            .collect();
        let kinds = listed(&kinds);
        if holders.is_empty() {
            let title = format!("the data do not have `{name}`");
            let fault = Diagnostic::error(Code::NoColumn, title, column.span, declared);
            let fault = fault.with_note(match self.sources.tables.is_empty() {
                true => "an array of this name is needed".to_string(),
                false => format!("the tables are {}", self.table_names()),
            });
            self.faults.push(self.with_near_name(fault, name));
            return;
        }
        let letter = column
            .over
            .first()
            .map(|&set| self.letter_of(set))
            .unwrap_or_default();
        let fault = Diagnostic::error(
            Code::NoColumn,
            format!(
                "{} has `{name}`, but no column that says whose it is",
                listed(&holders)
            ),
            column.span,
            format!("one value is needed for each {kinds}"),
        );
        self.faults.push(fault.with_hint(format!(
            "the table needs {kinds} beside `{name}`; or give it outright, with the labels first: `--data {letter}={}`",
            holders[0]
        )));
    }

    fn with_near_name(&self, fault: Diagnostic, wanted: &str) -> Diagnostic {
        let names = self.given_names();
        match nearest(wanted, names.iter().map(String::as_str)) {
            Some(near) => fault.with_hint(format!("the data have `{near}`; is that `{wanted}`?")),
            None => fault,
        }
    }

    /// An array has other sizes than the sets of its letters.
    pub(super) fn report_shape(
        &mut self,
        column: &Column,
        place: (usize, usize),
        found: &[usize],
        wanted: &[usize],
    ) {
        let name = &column.name;
        let shape = |dims: &[usize]| match dims {
            [] => "a single value".to_string(),
            [one] => format!("{one} values"),
            several => {
                let sizes: Vec<String> = several.iter().map(usize::to_string).collect();
                format!("{} values", sizes.join(" x "))
            }
        };
        let sizes: Vec<String> = column
            .over
            .iter()
            .zip(wanted)
            .map(|(&set, size)| format!("{} has {size}", self.letter_of(set)))
            .collect();
        let title = match sizes.is_empty() {
            true => format!("`{name}` has {}, but no letters", shape(found)),
            false => format!("`{name}` has {}, but {}", shape(found), sizes.join(" and ")),
        };
        let fault = self.at_entry(Code::WrongShape, title, place, column);
        self.faults.push(fault);
    }

    /// A finding at the name of an entry of a JSON file.
    fn at_entry(
        &self,
        code: Code,
        title: String,
        place: (usize, usize),
        column: &Column,
    ) -> Diagnostic {
        let source = self.sources.values[place.0].source;
        let name = &self.sources.entry(place).name_span;
        let span = Span::new(source, name.start as u32, name.end as u32);
        Diagnostic::error(code, title, span, "given here")
            .with_secondary(column.span, format!("`{}` is declared here", column.name))
    }

    /// What JSON has under a name is no array of numbers.
    pub(super) fn report_unusable(
        &mut self,
        column: &Column,
        place: (usize, usize),
        error: &DataError,
    ) {
        let title = format!("`{}` cannot be read: {}", column.name, error.problem);
        let fault = self.at_entry(Code::UnusableData, title, place, column);
        self.faults.push(fault);
    }

    /// Several tables have a column over levels.
    pub(super) fn report_several_joins(&mut self, place: usize, axes: &[SetId], tables: &[usize]) {
        let column = &self.plan.columns[place];
        let names: Vec<String> = tables
            .iter()
            .map(|&table| self.table(table).name.clone())
            .collect();
        let letter = axes
            .first()
            .map(|&set| self.letter_of(set))
            .unwrap_or_default();
        let fault = Diagnostic::error(
            Code::WhichTable,
            format!("`{}` is in {}", column.name, listed(&names)),
            column.span,
            "which of them?",
        );
        let hint = format!("say which: `--data {letter}={}`", names[0]);
        self.faults.push(fault.with_hint(hint));
    }

    /// Several columns of a table have one name.
    pub(super) fn report_one_name(&mut self, place: usize, table: usize, columns: &[usize]) {
        let column = &self.plan.columns[place];
        let table = self.table(table);
        let headings: Vec<String> = columns
            .iter()
            .map(|&at| format!("\"{}\"", table.columns[at].heading))
            .collect();
        let title = format!(
            "{} has {} columns called `{}`",
            table.name,
            columns.len(),
            table.columns[columns[0]].name
        );
        let texts = &self.sources.texts;
        let span = table.heading_span(texts, columns[1]).unwrap_or(column.span);
        let fault = Diagnostic::error(Code::WhichTable, title, span, "the second one")
            .with_note(format!(
                "the headings are {}; other characters than letters, digits and _ count as _",
                listed(&headings)
            ))
            .with_hint("rename one of them");
        self.faults.push(fault);
    }

    /// A value differs between rows of one level: E3 where it is itself a level.
    pub(super) fn report_varying(
        &mut self,
        place: usize,
        axes: &[SetId],
        element: usize,
        first: Place,
        second: Place,
    ) {
        let column = &self.plan.columns[place];
        let name = &column.name;
        let labels = self.axes_labels(axes, element);
        let kinds: Vec<String> = axes.iter().map(|&set| self.kind_of(set)).collect();
        let of: Vec<String> = kinds
            .iter()
            .zip(&labels)
            .map(|(kind, label)| format!("{kind} \"{label}\""))
            .collect();
        let of = of.join(", ");
        let shown = |place: Place| self.held(place.0, place.1).label().unwrap_or_default();
        let (a, b) = (shown(first), shown(second));
        let (i, j) = (first.1 + 1, second.1 + 1);
        let (i, j) = match (self.file(first).0, self.file(second).0) {
            (one, other) if one == other => (format!("row {i}"), format!("row {j}")),
            (one, other) => (format!("row {i} of {one}"), format!("row {j} of {other}")),
        };
        let fault = match column.levels_of {
            Some(set) => {
                let title = format!("{of} is in {name} {a} ({i}) and {name} {b} ({j})");
                let fault =
                    self.at_value(Code::NotNested, title, second, format!("here {b}"), column);
                let letter = self.letter_of(set);
                let own = axes
                    .first()
                    .map(|&set| self.letter_of(set))
                    .unwrap_or_default();
                let level = self.level_term(axes);
                fault.with_hint(format!(
                    "if names repeat across {name}s: `index {own} = ({letter}, {level})`"
                ))
            }
            None => {
                let title = format!(
                    "`{name}` should be one number per {}, but {of} has {a} ({i}) and {b} ({j})",
                    kinds.join(" and ")
                );
                let fault = self.at_value(
                    Code::NotConstant,
                    title,
                    second,
                    format!("here {b}"),
                    column,
                );
                fault.with_hint(match self.is_from_fit(first) {
                    true => format!(
                        "what the fit knows keeps its value: leave `{name}` out of the new rows, or give the {} another name",
                        kinds.join(" and ")
                    ),
                    false => {
                        format!("if it varies from row to row, give it the rows' letter: `{name}[i]`")
                    }
                })
            }
        };
        let fault = match self.file(first).1 {
            Some(span) => fault.with_secondary(span, format!("here {a}")),
            None => fault,
        };
        self.faults.push(fault);
    }

    /// `class[i]`, the map behind the first axis.
    fn level_term(&self, axes: &[SetId]) -> String {
        let kind = axes.first().map(|set| &self.plan.sets[set.0].kind);
        let Some(SetKind::Levels { columns, .. }) = kind else {
            return String::new();
        };
        let column = &self.plan.columns[columns[0]];
        let over = column
            .over
            .first()
            .map(|&set| self.letter_of(set))
            .unwrap_or_default();
        format!("{}[{over}]", column.name)
    }

    /// Levels that no row of the table is about.
    pub(super) fn report_without_row(
        &mut self,
        place: usize,
        axes: &[SetId],
        without: &[usize],
        table: usize,
    ) {
        let column = &self.plan.columns[place];
        let labels: Vec<String> = without
            .iter()
            .take(LISTED + 1)
            .map(|&element| self.axes_labels(axes, element).join(", "))
            .map(|label| format!("\"{label}\""))
            .collect();
        let kinds: Vec<String> = axes.iter().map(|&set| self.kind_of(set)).collect();
        let shown = listed_of(&labels, without.len());
        let name = &self.table(table).name;
        let title = format!("{name} has no row for {} {shown}", kinds.join(" and "));
        let label = format!(
            "`{}` needs a value for each {}",
            column.name,
            kinds.join(" and ")
        );
        let fault = Diagnostic::error(Code::LevelWithoutRow, title, column.span, label);
        let hint = match self.sources.fitted {
            Some(_) => format!(
                "give the new rows a column `{}`, or a further table of new rows for each {}",
                column.name,
                kinds.join(" and ")
            ),
            None => "add the rows, or see whether the labels are spelled alike in both tables (leading zeros, capitals, \
                     spaces)"
                .to_string(),
        };
        self.faults.push(fault.with_hint(hint));
    }

    /// Cells that are missing.
    pub(super) fn report_missing(&mut self, place: usize, found: &Found, missing: &[usize]) {
        let column = &self.plan.columns[place];
        let first = found.place(missing[0]);
        let name = self.holding_name(first.0, column);
        let theirs: Vec<usize> = missing
            .iter()
            .map(|&element| found.place(element))
            .filter(|(holding, _)| *holding == first.0)
            .map(|(_, row)| row + 1)
            .collect();
        let file = self.file(first).0;
        let title = match (
            theirs.len(),
            self.is_in_table(found) || column.over.len() == 1,
        ) {
            (1, true) => format!("`{name}` is missing in row {} of {file}", theirs[0]),
            (count, true) => {
                let rows: Vec<String> = theirs
                    .iter()
                    .take(LISTED + 1)
                    .map(usize::to_string)
                    .collect();
                format!(
                    "`{name}` is missing in {count} rows of {file}: {}",
                    listed_of(&rows, count)
                )
            }
            (count, false) => format!("{count} values of `{name}` are missing in {file}"),
        };
        let mut fault = self.at_value(Code::MissingCells, title, first, "no value", column);
        if self.sources.fitted.is_some() {
            self.faults
                .push(fault.with_hint("a prediction needs a value; only outcomes may be missing"));
            return;
        }
        let mut ways = Vec::new();
        if self.can_omit(column) {
            let of_level = match self.is_by_row(column) || self.is_long(column) {
                true => "leaves these rows out".to_string(),
                false => format!(
                    "leaves out all rows of such a {}",
                    self.kind_of(column.over[0])
                ),
            };
            ways.push(format!("`--na omit` {of_level}"));
        }
        if column.is_observed && !column.is_used_elsewhere {
            ways.push("`--na drop` passes over them in this outcome alone".to_string());
        }
        if column.can_impute && !column.is_integer && column.levels_of.is_none() {
            ways.push("`--na impute` makes unknowns of them".to_string());
        } else if ways.len() < 2 && !column.is_observed && column.levels_of.is_none() {
            fault = fault.with_note(format!(
                "with a statement `{0}[…] ~ …` of its own, `--na impute` could make unknowns of them",
                column.name
            ));
        }
        if !ways.is_empty() {
            fault = fault.with_hint(ways.join("; "));
        }
        self.faults.push(fault);
    }

    /// Two rows give one element.
    pub(super) fn report_repeated(
        &mut self,
        place: usize,
        position: &[usize],
        holding: Holding,
        rows: (usize, usize),
    ) {
        let column = &self.plan.columns[place];
        let mut labels = Vec::new();
        for (&set, &at) in column.over.iter().zip(position) {
            let label = self.elements(set).map(|elements| elements.label(at));
            labels.push(label.unwrap_or_default());
        }
        let title = format!(
            "rows {} and {} both give {}[{}]",
            rows.0 + 1,
            rows.1 + 1,
            column.name,
            labels.join(", ")
        );
        let second = (holding, rows.1);
        let fault = self.at_value(Code::RepeatedRow, title, second, "given again", column);
        let fault = match self.file((holding, rows.0)).1 {
            Some(span) => fault.with_secondary(span, "given here"),
            None => fault,
        };
        let letters: Vec<String> = column.over.iter().map(|&set| self.letter_of(set)).collect();
        self.faults.push(fault.with_hint(format!(
            "if several rows per ({}) are meant, give the outcome the rows' letter: `{}[i]`",
            letters.join(", "),
            column.name
        )));
    }

    /// A cell that is no number, or no integer where one is needed.
    pub(super) fn report_no_number(&mut self, place: usize, at: Place, cell: Cell<'_>) {
        let column = &self.plan.columns[place];
        let name = self.holding_name(at.0, column);
        let shown = cell.label().unwrap_or_default();
        let where_ = self.row_of(at);
        let fault = match cell {
            Cell::Text(_) => {
                let title = format!(
                    "`{name}` holds text, but the model computes with it: \"{shown}\" in {where_}"
                );
                let fault = self.at_value(Code::NotANumber, title, at, "not a number", column);
                match shown.replace(',', ".").parse::<f64>() {
                    Ok(_) => fault.with_hint("write decimals with a point"),
                    Err(_) => fault.with_hint(format!(
                        "compare it with a label, `{} == \"{shown}\"`, or make it levels: `index g = {0}`",
                        self.term(column)
                    )),
                }
            }
            _ => {
                let title = format!("`{name}` must hold integers, but {where_} has {shown}");
                self.at_value(Code::NotInteger, title, at, "not an integer", column)
            }
        };
        self.faults.push(fault);
    }

    /// `sex[i]`
    fn term(&self, column: &Column) -> String {
        let letters: Vec<String> = column.over.iter().map(|&set| self.letter_of(set)).collect();
        format!("{}[{}]", column.name, letters.join(", "))
    }

    /// An end of a range that is no integer.
    pub(super) fn report_not_integer(&mut self, place: usize, at: Place) {
        let column = &self.plan.columns[place];
        let title = format!("`{}` must be an integer: a range ends there", column.name);
        let fault = self.at_value(Code::NotInteger, title, at, "not an integer", column);
        self.faults.push(fault);
    }

    /// A range of more elements than can be meant.
    pub(super) fn report_long_range(&mut self, from: i64, to: i64) {
        let title = format!("the range {from}:{to} has too many elements");
        self.faults
            .push(Diagnostic::error(Code::BadSize, title, Span::default(), ""));
    }

    /// Labels outside of a set.
    pub(super) fn report_unknown_levels(
        &mut self,
        place: usize,
        set: SetId,
        found: &Found,
        unknown: &[(Level<'_>, usize)],
        elements: &Elements,
    ) {
        let column = &self.plan.columns[place];
        let (level, element) = unknown[0];
        let at = found.place(element);
        let label = level.label();
        let letter = self.letter_of(set);
        let labels = elements.all_labels();
        let title = match &self.plan.sets[set.0].kind {
            SetKind::Rows => format!(
                "`{}` is \"{label}\" in {}, but {letter} has no such row",
                column.name,
                self.row_of(at)
            ),
            _ => format!(
                "`{}` is \"{label}\" in {}, which is not among the levels of {letter}",
                column.name,
                self.row_of(at)
            ),
        };
        let mut fault = self.at_value(Code::UnknownLevel, title, at, "not a level", column);
        fault = fault.with_note(match self.is_rows(set) {
            true => format!("rows are called by their numbers, 1 to {}", labels.len()),
            false => {
                let quoted: Vec<String> = labels
                    .iter()
                    .take(LISTED + 1)
                    .map(|label| format!("\"{label}\""))
                    .collect();
                format!("the levels are {}", listed_of(&quoted, labels.len()))
            }
        });
        if unknown.len() > 1 {
            let others: Vec<String> = unknown[1..]
                .iter()
                .take(LISTED + 1)
                .map(|(level, _)| format!("\"{}\"", level.label()))
                .collect();
            fault = fault.with_note(format!("nor are {}", listed_of(&others, unknown.len() - 1)));
        }
        if let Some(near) = nearest(&label, labels.iter().map(String::as_str)) {
            fault = fault.with_hint(format!("is it \"{near}\"?"));
        }
        self.faults.push(fault);
    }

    /// A label of the model that no level has.
    pub(super) fn report_no_such_level(&mut self, set: SetId, label: &str, elements: &Elements) {
        let letter = self.letter_of(set);
        let labels = elements.all_labels();
        let quoted: Vec<String> = labels
            .iter()
            .take(LISTED + 1)
            .map(|label| format!("\"{label}\""))
            .collect();
        let fault = Diagnostic::error(
            Code::UnknownLevel,
            format!("the model names \"{label}\", which is not among the levels of {letter}"),
            self.plan.sets[set.0].span,
            "its levels come from the data",
        )
        .with_note(format!(
            "the levels are {}",
            listed_of(&quoted, labels.len())
        ));
        let near = nearest(label, labels.iter().map(String::as_str));
        self.faults.push(match near {
            Some(near) => fault.with_hint(format!("is it \"{near}\"?")),
            None => fault,
        });
    }

    /// Levels of JSON that do not count from 1.
    pub(super) fn report_uncountable(&mut self, set: SetId, columns: &[usize], level: Level<'_>) {
        let column = &self.plan.columns[columns[0]];
        let fault = Diagnostic::error(
            Code::UnknownLevel,
            format!(
                "`{}` has {}, but levels in JSON are 1, 2, …",
                column.name,
                level.label()
            ),
            column.span,
            "declared here",
        )
        .with_secondary(
            self.plan.sets[set.0].span,
            "its levels are those of this index",
        );
        self.faults.push(
            fault.with_hint(
                "count the levels from 1, or give a table, whose labels may be anything",
            ),
        );
    }

    /// E12: text without an order as an ordered outcome.
    pub(super) fn report_unordered(
        &mut self,
        set: SetId,
        place: usize,
        at: Place,
        labels: &[String],
    ) {
        let column = &self.plan.columns[place];
        let name = &column.name;
        let title = format!(
            "`{name}` has levels {} (alphabetical); give their order",
            listed(labels)
        );
        let fault = self.at_value(
            Code::LevelOrder,
            title,
            at,
            "text has no order of its own",
            column,
        );
        self.faults.push(fault.with_hint(format!(
            "from lowest to highest: `index {} = {} in {{{}}}`",
            self.letter_of(set),
            self.term(column),
            labels.join(", ")
        )));
    }

    /// A lag along levels that are text.
    pub(super) fn report_lag_of_text(&mut self, set: SetId, place: usize, at: Place) {
        let column = &self.plan.columns[place];
        let letter = self.letter_of(set);
        let shown = self.held(at.0, at.1).label().unwrap_or_default();
        let title = format!(
            "the model reaches from one {letter} to the one before, but `{}` holds text, \"{shown}\"",
            column.name
        );
        let fault = self.at_value(Code::LevelOrder, title, at, "not an integer", column);
        self.faults.push(fault.with_hint(format!(
            "number the levels, or give their order: `index {letter} = {} in {{…}}`",
            self.term(column)
        )));
    }

    /// E12: a lag along levels with gaps.
    pub(super) fn report_gaps(
        &mut self,
        set: SetId,
        columns: &[usize],
        numbers: &[i64],
        labels: &[String],
    ) {
        let column = &self.plan.columns[columns[0]];
        let (name, letter) = (&column.name, self.letter_of(set));
        let is_whole = numbers.len() == labels.len();
        let title = if is_whole {
            let gaps = numbers
                .windows(2)
                .filter(|pair| pair[1] > pair[0].saturating_add(1));
            let gaps: Vec<String> = gaps
                .map(|pair| match (pair[0] + 1, pair[1] - 1) {
                    (from, to) if from == to => from.to_string(),
                    (from, to) => format!("{from} to {to}"),
                })
                .collect();
            let verb = if gaps.len() == 1 && !gaps[0].contains(' ') {
                "is"
            } else {
                "are"
            };
            format!(
                "`{name}` has gaps: {} {verb} missing, but the model reaches from one {letter} to the one before",
                listed(&gaps)
            )
        } else {
            format!(
                "the model reaches from one {letter} to the one before, but `{name}` holds other numbers than integers"
            )
        };
        let fault = Diagnostic::error(
            Code::LevelOrder,
            title,
            self.plan.sets[set.0].span,
            "declared here",
        );
        self.faults.push(match (numbers.first(), numbers.last()) {
            (Some(first), Some(last)) if is_whole => fault.with_hint(format!(
                "to keep places for the gaps: `index {letter} = {} in {first}:{last}`",
                self.term(column)
            )),
            _ => fault.with_hint("number the levels"),
        });
    }

    /// A level's label that is used as a number and is none.
    pub(super) fn report_no_level_values(&mut self, set: SetId, labels: &[String]) {
        let is_text = |label: &&String| label.parse::<i32>().is_err();
        let label = labels.iter().find(is_text).cloned().unwrap_or_default();
        let letter = self.letter_of(set);
        let fault = Diagnostic::error(
            Code::NotANumber,
            format!("the model computes with {letter}, but \"{label}\" is not an integer"),
            self.plan.sets[set.0].span,
            "declared here",
        );
        self.faults.push(fault);
    }

    /// Says how many rows are left out, and why.
    pub(super) fn note_omitted(
        &mut self,
        table: Option<usize>,
        total: usize,
        kept: usize,
        counts: &[(String, usize)],
    ) {
        let reasons: Vec<String> = counts
            .iter()
            .map(|(name, count)| format!("`{name}` in {count}"))
            .collect();
        let file = table
            .map(|table| format!(" of {}", self.table(table).name))
            .unwrap_or_default();
        let omitted = total - kept;
        let (rows, verb) = if total == 1 {
            ("row", "is")
        } else {
            ("rows", "are")
        };
        self.notes.push(format!(
            "{omitted} of {total} {rows}{file} {verb} left out for missing values: {}",
            listed(&reasons)
        ));
    }

    /// Says how many missing values a column has that are no fault.
    pub(super) fn note_missing(&mut self, place: usize, count: usize) {
        let column = &self.plan.columns[place];
        let values = if count == 1 { "value" } else { "values" };
        let name = &column.name;
        use super::MissingPolicy::*;
        self.notes.push(match self.policy(column) {
            Impute => format!("{count} missing {values} of `{name}` become unknowns"),
            _ => format!("{count} missing {values} of the outcome `{name}` are passed over"),
        });
    }

    /// Says which rows of a table of levels are not used.
    pub(super) fn note_surplus(&mut self, axes: &[SetId], table: usize, surplus: &[usize]) {
        if surplus.is_empty() {
            return;
        }
        let kinds: Vec<String> = axes.iter().map(|&set| self.kind_of(set)).collect();
        let name = &self.table(table).name;
        let (rows, verb) = match surplus.len() {
            1 => ("row", "is"),
            _ => ("rows", "are"),
        };
        let numbers: Vec<String> = surplus
            .iter()
            .take(LISTED + 1)
            .map(|row| (row + 1).to_string())
            .collect();
        let note = format!(
            "{} {rows} of {name} {verb} about no {} of the data, and not used: {rows} {}",
            surplus.len(),
            kinds.join(" and "),
            listed_of(&numbers, surplus.len())
        );
        if !self.notes.contains(&note) {
            self.notes.push(note);
        }
    }
}

fn quoted(name: &str) -> String {
    format!("`{name}`")
}

/// `a, b and c`, or `a, b, … and 7 more`.
fn listed(names: &[String]) -> String {
    listed_of(names, names.len())
}

/// The same where only the first of `count` are at hand.
fn listed_of(names: &[String], count: usize) -> String {
    if count > LISTED {
        let shown = &names[..LISTED.min(names.len())];
        return format!("{} and {} more", shown.join(", "), count - shown.len());
    }
    match names {
        [] => String::new(),
        [only] => only.clone(),
        [before @ .., last] => format!("{} and {last}", before.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_are_short() {
        let names: Vec<String> = ('a'..='j').map(String::from).collect();
        assert_eq!(listed(&names[..1]), "a");
        assert_eq!(listed(&names[..3]), "a, b and c");
        assert_eq!(listed(&names), "a, b, c, d, e, f and 4 more");
        assert_eq!(listed_of(&names[..7], 100), "a, b, c, d, e, f and 94 more");
    }
}
