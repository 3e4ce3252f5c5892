//! The rows of a prediction: a grid over some columns, for each group, with the other columns held.

use crate::equation::plan::{Plan, SetId, SetKind};
use crate::tables::{Cell, Cells, Table, TableColumn};

/// What the user asks for.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Request {
    /// Columns that vary, with their values; the first is the curve's horizontal axis.
    pub vary: Vec<(String, Vec<f64>)>,
    /// Where all other numbers are held.
    pub at: Hold,
    /// Where some of them are held.
    pub at_column: Vec<(String, f64)>,
    /// The columns that groups are made by.
    pub by: Vec<String>,
    /// Which groups.
    pub group: GroupKind,
}

/// Where numbers are held that do not vary.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub enum Hold {
    /// At their mean over the rows of the fit.
    #[default]
    Mean,
    /// At their median.
    Median,
    /// At a value.
    Value(f64),
}

/// Which groups a prediction is for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum GroupKind {
    /// Those of the fit.
    #[default]
    Known,
    /// A new one, drawn from the distribution of its level.
    New,
    /// None: effects at the location of their prior.
    None,
}

impl GroupKind {
    /// As on the command line.
    pub fn word(self) -> &'static str {
        match self {
            GroupKind::Known => "known",
            GroupKind::New => "new",
            GroupKind::None => "none",
        }
    }
}

/// The rows to predict.
#[derive(Clone, Debug)]
pub struct Grid {
    /// The table.
    pub table: Table,
    /// The groups, in the order of their rows.
    pub groups: Vec<GridGroup>,
    /// The values of the first column that varies, for each row.
    pub x: Vec<f64>,
    /// Columns of levels that no group determines: effects over them are at their location.
    pub undetermined: Vec<String>,
    /// The numbers that were held, and where.
    pub held: Vec<(String, f64)>,
    /// Columns of levels with a label that the fit does not know.
    pub fresh: Vec<(String, String)>,
}

/// A table of levels with a row for each new level that it should know: its numbers are held as those of the rows are.
///
/// A table that has no such column, or more than one, stays as it is.
pub fn with_new_levels(table: &Table, grid: &Grid, request: &Request) -> Table {
    let mut table = table.clone();
    let new: Vec<(usize, &String)> = (grid.fresh.iter())
        .filter_map(|(name, label)| Some((table.find(name)?, label)))
        .collect();
    let [(place, label)] = new.as_slice() else {
        return table;
    };
    for at in 0..table.columns.len() {
        let held = hold(&table.columns[at], request);
        let first = table.cell(at, 0).label();
        let cells = &mut table.columns[at].cells;
        match held {
            _ if at == *place => cells.push_label(label),
            Some(value) => *cells = Cells::Real(numbers(cells).chain([value]).collect()),
            None => cells.push_label(&first.unwrap_or_default()),
        }
    }
    table.rows += 1;
    // The new row has no place in the file.
    table.text = None;
    table
}

fn numbers(cells: &Cells) -> impl Iterator<Item = f64> + use<> {
    let count = match cells {
        Cells::Integer(values) => values.len(),
        Cells::Real(values) => values.len(),
        Cells::Text { codes, .. } => codes.len(),
    };
    let values: Vec<f64> = (0..count)
        .map(|row| cells.get(row).number().unwrap_or(f64::NAN))
        .collect();
    values.into_iter()
}

/// The rows of one group.
#[derive(Clone, Debug, PartialEq)]
pub struct GridGroup {
    /// What it is called.
    pub label: String,
    /// Its rows of the grid.
    pub rows: std::ops::Range<usize>,
    /// The rows of the fit's table that belong to it.
    pub members: Vec<usize>,
}

/// The columns of levels that maps and combinations of a plan use, by their set.
pub fn level_columns(plan: &Plan) -> Vec<(String, SetId)> {
    let mut columns = Vec::new();
    for (place, set) in plan.sets.iter().enumerate() {
        let SetKind::Levels { columns: own, .. } = &set.kind else {
            continue;
        };
        columns.extend(
            own.iter()
                .map(|column| (plan.columns[*column].name.clone(), SetId(place))),
        );
    }
    let others = plan
        .columns
        .iter()
        .filter_map(|column| Some((column.name.clone(), column.levels_of?)));
    columns.extend(others);
    columns.sort();
    columns.dedup();
    columns
}

/// Makes the grid from the table of the fit's rows.
///
/// # Errors
/// A sentence on a column that is not there or holds no numbers.
pub fn grid(plan: &Plan, rows: &Table, request: &Request) -> Result<Grid, String> {
    let find = |name: &String| {
        rows.find(name).ok_or_else(|| {
            let names: Vec<&str> = rows
                .columns
                .iter()
                .map(|column| column.name.as_str())
                .collect();
            format!(
                "{} has no column `{name}`; it has {}",
                rows.name,
                names.join(", ")
            )
        })
    };
    for name in request.vary.iter().map(|(name, _)| name) {
        find(name)?;
    }
    for (name, _) in &request.at_column {
        find(name)?;
    }
    let by: Vec<usize> = request.by.iter().map(find).collect::<Result<_, _>>()?;
    let levels: Vec<usize> = (level_columns(plan).iter())
        .filter_map(|(name, _)| rows.find(name))
        .filter(|column| !is_outcome(plan, &rows.columns[*column].name))
        .collect();
    let groups = members(rows, &by);
    let determined: Vec<usize> = (levels.iter().copied())
        .filter(|column| !by.contains(column) && is_constant_within(rows, *column, &groups))
        .collect();
    let undetermined: Vec<usize> = (levels.iter().copied())
        .filter(|column| !by.contains(column) && !determined.contains(column))
        .collect();
    let groups = match request.group {
        GroupKind::Known => groups,
        // One group per combination of what the named levels determine: a new country in each region.
        GroupKind::New | GroupKind::None => members(rows, &determined),
    };
    let points = points(&request.vary);
    let (mut held, mut fresh) = (Vec::new(), Vec::new());
    let mut columns = Vec::new();
    for (place, column) in rows.columns.iter().enumerate() {
        let varied = request
            .vary
            .iter()
            .position(|(name, _)| *name == column.name);
        let cells = if let Some(varied) = varied {
            let values = groups
                .iter()
                .flat_map(|_| points.iter().map(|point| point[varied]));
            Cells::Real(values.collect())
        } else if levels.contains(&place) || by.contains(&place) {
            let is_chosen = request.group == GroupKind::Known && by.contains(&place);
            let new = (!is_chosen && !determined.contains(&place)).then(|| new_label(rows, place));
            let label = |members: &Vec<usize>| match &new {
                Some(label) => label.clone(),
                None => rows.cell(place, members[0]).label().unwrap_or_default(),
            };
            fresh.extend(new.clone().map(|label| (column.name.clone(), label)));
            repeated(groups.iter().map(label), points.len(), &column.cells)
        } else if let Some(value) = hold(column, request) {
            if is_used(plan, &column.name) {
                held.push((column.name.clone(), value));
            }
            Cells::Real(vec![value; groups.len() * points.len()])
        } else {
            let label =
                |members: &Vec<usize>| rows.cell(place, members[0]).label().unwrap_or_default();
            repeated(groups.iter().map(label), points.len(), &column.cells)
        };
        columns.push(TableColumn {
            heading: column.heading.clone(),
            name: column.name.clone(),
            cells,
        });
    }
    let named = match request.group {
        GroupKind::Known => &by,
        GroupKind::New | GroupKind::None => &determined,
    };
    let grid_groups = groups.iter().enumerate().map(|(place, members)| GridGroup {
        label: group_label(rows, named, members[0], request),
        rows: place * points.len()..(place + 1) * points.len(),
        members: members.clone(),
    });
    let x = groups.iter().flat_map(|_| {
        points
            .iter()
            .map(|point| point.first().copied().unwrap_or(0.0))
    });
    let names = |places: &[usize]| {
        places
            .iter()
            .map(|place| rows.columns[*place].name.clone())
            .collect()
    };
    Ok(Grid {
        groups: grid_groups.collect(),
        x: x.collect(),
        undetermined: names(&undetermined),
        held,
        fresh,
        table: Table {
            name: "the grid".to_string(),
            text: None,
            rows: groups.len() * points.len(),
            columns,
        },
    })
}

fn is_outcome(plan: &Plan, name: &str) -> bool {
    plan.columns
        .iter()
        .any(|column| column.name == name && column.is_observed)
}

/// Whether a model uses a column of numbers, by its name or as a label of a set that collects columns.
fn is_used(plan: &Plan, name: &str) -> bool {
    let by_name = plan
        .columns
        .iter()
        .any(|column| column.name == name && !column.is_observed);
    let by_label = plan.sets.iter().any(|set| match &set.kind {
        SetKind::Fixed(crate::equation::plan::Fixed::Labels(labels)) => {
            labels.iter().any(|label| label == name)
        }
        _ => false,
    });
    by_name || by_label
}

fn group_label(rows: &Table, by: &[usize], member: usize, request: &Request) -> String {
    let words: Vec<String> = (by.iter())
        .map(|column| rows.cell(*column, member).label().unwrap_or_default())
        .collect();
    let words = words.join(", ");
    let what = request.by.join(" and ");
    match (request.group, words.is_empty()) {
        (GroupKind::Known, _) => words,
        (GroupKind::New, true) => format!("new {what}"),
        (GroupKind::New, false) => format!("new {what}: {words}"),
        (GroupKind::None, true) => format!("any {what}"),
        (GroupKind::None, false) => format!("any {what}: {words}"),
    }
}

/// A label that no level has.
fn new_label(rows: &Table, column: usize) -> String {
    if let Cells::Integer(values) = &rows.columns[column].cells {
        let most = values.iter().flatten().max().copied().unwrap_or(0);
        return (most + 1).to_string();
    }
    let mut label = format!("new {}", rows.columns[column].name);
    let taken = |label: &str| {
        (0..rows.rows).any(|row| rows.cell(column, row).label().as_deref() == Some(label))
    };
    while taken(&label) {
        label.push('+');
    }
    label
}

/// Each label so many times, typed as the column that they are of.
fn repeated(labels: impl Iterator<Item = String>, times: usize, like: &Cells) -> Cells {
    let labels: Vec<String> = labels
        .flat_map(|label| std::iter::repeat_n(label, times))
        .collect();
    match like {
        Cells::Integer(_) => {
            Cells::Integer(labels.iter().map(|label| label.parse().ok()).collect())
        }
        Cells::Real(_) => Cells::Real(
            labels
                .iter()
                .map(|label| label.parse().unwrap_or(f64::NAN))
                .collect(),
        ),
        Cells::Text { .. } => {
            let mut texts: Vec<String> = Vec::new();
            let mut codes = Vec::new();
            for label in labels {
                let place = texts
                    .iter()
                    .position(|text| *text == label)
                    .unwrap_or_else(|| {
                        texts.push(label);
                        texts.len() - 1
                    });
                codes.push(u32::try_from(place).ok());
            }
            Cells::Text { codes, texts }
        }
    }
}

/// Rows of a table by their combination of labels, in the order of the labels.
fn members(rows: &Table, by: &[usize]) -> Vec<Vec<usize>> {
    let mut groups: Vec<(Vec<Key>, Vec<usize>)> = Vec::new();
    for row in 0..rows.rows {
        let key: Vec<Key> = by
            .iter()
            .map(|column| Key::of(rows.cell(*column, row)))
            .collect();
        match groups.binary_search_by(|(other, _)| other.cmp(&key)) {
            Ok(place) => groups[place].1.push(row),
            Err(place) => groups.insert(place, (key, vec![row])),
        }
    }
    groups.into_iter().map(|(_, members)| members).collect()
}

/// Labels in order: numbers by size, before texts.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Key {
    Integer(i64),
    Text(String),
}

impl Key {
    fn of(cell: Cell<'_>) -> Key {
        match cell {
            Cell::Integer(value) => Key::Integer(value),
            other => Key::Text(other.label().unwrap_or_default()),
        }
    }
}

fn is_constant_within(rows: &Table, column: usize, groups: &[Vec<usize>]) -> bool {
    groups.iter().all(|members| {
        let first = members.first().map(|row| rows.cell(column, *row));
        members
            .iter()
            .all(|row| Some(rows.cell(column, *row)) == first)
    })
}

/// Every combination of the values that vary, the first varying fastest.
fn points(vary: &[(String, Vec<f64>)]) -> Vec<Vec<f64>> {
    let mut points: Vec<Vec<f64>> = vec![Vec::new()];
    for (_, values) in vary.iter().rev() {
        let longer = |point: Vec<f64>| {
            values
                .iter()
                .map(move |value| [&[*value], point.as_slice()].concat())
        };
        points = points.into_iter().flat_map(longer).collect();
    }
    points
}

/// Where a column of numbers is held; `None` of one that has none.
fn hold(column: &TableColumn, request: &Request) -> Option<f64> {
    if let Some((_, value)) = request
        .at_column
        .iter()
        .find(|(name, _)| *name == column.name)
    {
        return Some(*value);
    }
    let mut numbers: Vec<f64> = match &column.cells {
        Cells::Integer(values) => values.iter().flatten().map(|value| *value as f64).collect(),
        Cells::Real(values) => values
            .iter()
            .copied()
            .filter(|value| !value.is_nan())
            .collect(),
        Cells::Text { .. } => return None,
    };
    match request.at {
        Hold::Value(value) => Some(value),
        Hold::Mean => Some(numbers.iter().sum::<f64>() / numbers.len() as f64),
        Hold::Median => {
            numbers.sort_unstable_by(f64::total_cmp);
            Some(crate::summary::quantile_of_sorted(&numbers, 0.5))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{GroupKind, Request, grid};
    use crate::equation::plan::{Column, Plan, Set, SetId, SetKind};
    use crate::source::{SourceMap, Span};
    use crate::tables::{Table, read_csv};

    /// Rows i of countries j in regions l, with numbers spend and y.
    fn plan() -> Plan {
        let column = |name: &str, over: usize, levels_of: Option<usize>, is_observed| Column {
            name: name.to_string(),
            over: vec![SetId(over)],
            levels_of: levels_of.map(SetId),
            is_integer: false,
            is_needed: true,
            is_observed,
            can_impute: false,
            is_used_elsewhere: false,
            span: Span::default(),
        };
        let set = |letter: &str, kind| Set {
            letters: vec![letter.to_string()],
            kind,
            is_lagged: false,
            is_ordinal: false,
            span: Span::default(),
        };
        let levels = |column| SetKind::Levels {
            columns: vec![column],
            order: None,
        };
        Plan {
            sets: vec![
                set("i", SetKind::Rows),
                set("j", levels(0)),
                set("l", levels(1)),
            ],
            columns: vec![
                column("country", 0, Some(1), false),
                column("region", 1, Some(2), false),
                column("spend", 0, None, false),
                column("y", 0, None, true),
            ],
            ..Plan::default()
        }
    }

    fn table() -> Table {
        let text = "country,region,spend,y\nUS,Americas,10,1\nDE,Europe,20,2\nUS,Americas,30,3\nFR,Europe,60,5\n";
        read_csv(&mut SourceMap::new(), "ads.csv", text.as_bytes()).unwrap()
    }

    fn request(by: &str, group: GroupKind) -> Request {
        Request {
            vary: vec![("spend".to_string(), vec![0.0, 50.0])],
            by: vec![by.to_string()],
            group,
            ..Request::default()
        }
    }

    #[test]
    fn known_groups_have_their_levels_and_what_these_determine() {
        let grid = grid(&plan(), &table(), &request("country", GroupKind::Known)).unwrap();
        let labels: Vec<&str> = grid
            .groups
            .iter()
            .map(|group| group.label.as_str())
            .collect();
        assert_eq!(labels, ["DE", "FR", "US"]);
        assert_eq!(grid.table.rows, 6);
        assert_eq!(grid.x, [0.0, 50.0, 0.0, 50.0, 0.0, 50.0]);
        assert_eq!(grid.groups[2].members, [0, 2]);
        let region = grid.table.find("region").unwrap();
        assert_eq!(
            grid.table.cell(region, 5).label().as_deref(),
            Some("Americas")
        );
        assert!(grid.undetermined.is_empty());
        assert!(grid.held.is_empty(), "{:?}", grid.held);
    }

    #[test]
    fn a_new_group_is_one_per_combination_of_what_it_lies_in() {
        let grid = grid(&plan(), &table(), &request("country", GroupKind::New)).unwrap();
        let labels: Vec<&str> = grid
            .groups
            .iter()
            .map(|group| group.label.as_str())
            .collect();
        assert_eq!(labels, ["new country: Americas", "new country: Europe"]);
        let country = grid.table.find("country").unwrap();
        assert_eq!(
            grid.table.cell(country, 0).label().as_deref(),
            Some("new country")
        );
    }

    #[test]
    fn levels_that_groups_do_not_determine_are_named() {
        let grid = grid(&plan(), &table(), &request("region", GroupKind::Known)).unwrap();
        assert_eq!(grid.undetermined, ["country"]);
        let fault = super::grid(&plan(), &table(), &request("planet", GroupKind::Known));
        assert!(fault.unwrap_err().contains("country, region, spend, y"));
    }
}
