//! A grid in the making: which columns groups determine, which levels are new, and where numbers are held.

use super::grid::{GridGroup, GroupKind, Hold, Request};
use crate::equation::plan::{Plan, SetId, SetKind};
use crate::tables::{Cell, Cells, Flat};
use std::collections::{BTreeMap, BTreeSet};

/// A whole number as an integer, any other as it is.
pub(super) fn number(value: f64) -> Cell<'static> {
    match value.fract() == 0.0 && value.abs() < f64::from(i32::MAX) {
        true => Cell::Integer(value as i64),
        false => Cell::Real(value),
    }
}

/// The label of a level in a row of the grid.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Label {
    /// Numbers stand by size, before texts.
    Integer(i64),
    Text(String),
}

impl Label {
    fn of(cell: Cell<'_>) -> Label {
        match cell {
            Cell::Integer(value) => Label::Integer(value),
            Cell::Real(value) if matches!(number(value), Cell::Integer(_)) => {
                Label::Integer(value as i64)
            }
            other => Label::Text(other.label().unwrap_or_default()),
        }
    }

    pub(super) fn cell(&self) -> Cell<'_> {
        match self {
            Label::Integer(value) => Cell::Integer(*value),
            Label::Text(text) => Cell::Text(text),
        }
    }
}

/// The points of each group: every combination of the values that vary, the first varying fastest.
pub(super) struct Points {
    /// A number for each column that varies.
    pub(super) values: Vec<Vec<f64>>,
    /// How many of them make one curve.
    along: usize,
    /// What varies besides the first.
    others: Vec<String>,
}

impl Points {
    pub(super) fn new(vary: &[(String, Vec<f64>)]) -> Points {
        let mut values: Vec<Vec<f64>> = vec![Vec::new()];
        for (_, own) in vary.iter().rev() {
            let longer = |point: Vec<f64>| {
                let first = own.iter();
                first.map(move |value| [&[*value], point.as_slice()].concat())
            };
            values = values.into_iter().flat_map(longer).collect();
        }
        Points {
            along: vary.first().map_or(1, |(_, own)| own.len()),
            others: vary.iter().skip(1).map(|(name, _)| name.clone()).collect(),
            values,
        }
    }
}

/// A grid in the making.
pub(super) struct Draft<'a> {
    plan: &'a Plan,
    rows: &'a Flat,
    request: &'a Request,
    /// The columns that vary, by their place in the request.
    vary: Vec<usize>,
    /// The columns that groups are made by.
    by: Vec<usize>,
    /// Columns of levels that groups lie in.
    pub(super) determined: Vec<usize>,
    /// Columns of levels that are neither.
    pub(super) undetermined: Vec<usize>,
    /// The rows of each group.
    pub(super) groups: Vec<Vec<usize>>,
}

impl<'a> Draft<'a> {
    pub(super) fn new(
        plan: &'a Plan,
        rows: &'a Flat,
        request: &'a Request,
    ) -> Result<Draft<'a>, String> {
        let mut draft = Draft {
            plan,
            rows,
            request,
            vary: Vec::new(),
            by: Vec::new(),
            determined: Vec::new(),
            undetermined: Vec::new(),
            groups: Vec::new(),
        };
        for (name, _) in &request.vary {
            let place = draft.find(name)?;
            let is_text = (0..rows.rows).any(|row| matches!(rows.cell(place, row), Cell::Text(_)));
            if is_text {
                return Err(format!(
                    "`{name}` holds labels, not numbers; for a curve each: `--by {name}`"
                ));
            }
            draft.vary.push(place);
        }
        for (name, _) in &request.at_column {
            draft.find(name)?;
        }
        for name in &request.by {
            let place = draft.find(name)?;
            if draft.vary.contains(&place) {
                return Err(format!("`{name}` cannot vary and make groups at once"));
            }
            draft.by.push(place);
        }
        let by = members(rows, &draft.by);
        for place in 0..rows.columns.len() {
            let is_chosen = draft.by.contains(&place) || draft.vary.contains(&place);
            if rows.columns[place].is_outcome || is_chosen || !draft.is_level(place) {
                continue;
            }
            match is_constant_within(rows, place, &by) {
                true => draft.determined.push(place),
                false => draft.undetermined.push(place),
            }
        }
        draft.groups = match request.group {
            GroupKind::Known => by,
            // One group per combination of what the named levels determine: a new country in each region.
            GroupKind::New | GroupKind::None => members(rows, &draft.determined),
        };
        draft.verify()?;
        Ok(draft)
    }

    fn name(&self, place: usize) -> &'a str {
        &self.rows.columns[place].column.name
    }

    fn find(&self, name: &str) -> Result<usize, String> {
        let place = self.rows.find(name);
        match place {
            Some(place) if self.rows.columns[place].is_outcome => {
                Err(format!("`{name}` is what is predicted"))
            }
            Some(place) => Ok(place),
            None => {
                let columns = self.rows.columns.iter();
                let names = columns.filter(|column| !column.is_outcome);
                let names: Vec<&str> = names.map(|column| &*column.column.name).collect();
                Err(format!(
                    "the model reads no column `{name}`; it reads {}",
                    names.join(", ")
                ))
            }
        }
    }

    /// Whether a column holds labels that index sets are made of.
    fn is_level(&self, place: usize) -> bool {
        let name = self.name(place);
        self.rows.columns[place].levels_of.is_some()
            || self.plan.sets.iter().any(|set| match &set.kind {
                SetKind::Combinations { parts, .. } => {
                    let mut columns = parts.iter().filter_map(|part| part.path.last());
                    columns.any(|column| self.plan.columns[*column].name == name)
                }
                _ => false,
            })
    }

    /// The sets that are made of a column's labels, combinations among them.
    fn sets_of(&self, place: usize) -> Vec<SetId> {
        let name = self.name(place);
        let is_it = |column: &usize| self.plan.columns[*column].name == name;
        let sets = self.plan.sets.iter().enumerate();
        let made = sets.filter(|(at, set)| match &set.kind {
            SetKind::Levels { columns, .. } => columns.iter().any(is_it),
            SetKind::Combinations { parts, .. } => {
                parts.iter().filter_map(|part| part.path.last()).any(is_it)
            }
            SetKind::Rows | SetKind::Fixed(_) => {
                self.rows.columns[place].levels_of == Some(SetId(*at))
            }
        });
        made.map(|(at, _)| SetId(at)).collect()
    }

    /// Whether the file fixes the levels of a column, so that there is no new one.
    fn is_closed(&self, place: usize) -> bool {
        let set = self.rows.columns[place].levels_of;
        set.is_some_and(|set| match &self.plan.sets[set.0].kind {
            SetKind::Levels { order, .. } => order.is_some(),
            SetKind::Fixed(_) => true,
            SetKind::Rows | SetKind::Combinations { .. } => false,
        })
    }

    fn verify(&self) -> Result<(), String> {
        let is_new = self.request.group == GroupKind::New;
        for &place in &self.by {
            let name = self.name(place);
            if self.request.group != GroupKind::Known && !self.is_level(place) {
                return Err(format!(
                    "`{name}` has no levels of which there could be a new one or none; vary it, or hold it: `--at {name}=1`"
                ));
            }
            if is_new && self.is_closed(place) {
                return Err(format!(
                    "`{name}` has no new level: the model declares its levels with `in`"
                ));
            }
        }
        if self.request.group != GroupKind::Known && self.by.is_empty() {
            return Err(format!(
                "say of which level: `--group {} --by {}`",
                self.request.group.word(),
                self.level_names()
            ));
        }
        for &place in &self.undetermined {
            let sets = self.sets_of(place);
            if sets.iter().any(|set| self.plan.sets[set.0].is_lagged) {
                let name = self.name(place);
                return Err(format!(
                    "what happens at one `{name}` depends on the one before: say which, `--vary {name}=1:10:1`"
                ));
            }
        }
        for (at, place) in self.vary.iter().enumerate() {
            let keys = self.keys(*place);
            let is_fresh = keys.iter().any(|key| self.is_fresh(*key));
            if !self.is_level(*place) && !keys.is_empty() && !is_fresh {
                let name = &self.request.vary[at].0;
                let keys: Vec<&str> = keys.iter().map(|key| self.name(*key)).collect();
                return Err(format!(
                    "each {} has its own `{name}`, which cannot vary; for one that the fit does not know: `--by {} --group new`",
                    keys.join(" and "),
                    keys.join(",")
                ));
            }
        }
        Ok(())
    }

    fn level_names(&self) -> String {
        let places = (0..self.rows.columns.len())
            .filter(|place| self.is_level(*place) && !self.rows.columns[*place].is_outcome);
        let names: Vec<&str> = places.map(|place| self.name(place)).collect();
        names.join(",")
    }

    /// The columns that hold a set's labels.
    fn columns_of(&self, set: SetId) -> Vec<usize> {
        let find = |column: &usize| self.rows.find(&self.plan.columns[*column].name);
        match &self.plan.sets[set.0].kind {
            SetKind::Levels { columns, .. } => columns.iter().filter_map(find).collect(),
            SetKind::Combinations { parts, .. } => {
                let last = parts.iter().filter_map(|part| part.path.last());
                last.filter_map(find).collect()
            }
            SetKind::Rows | SetKind::Fixed(_) => Vec::new(),
        }
    }

    /// The columns of labels that a column has a value for each combination of; none of a column of rows.
    fn keys(&self, place: usize) -> Vec<usize> {
        let over = &self.rows.columns[place].over;
        let is_rows = |set: &SetId| matches!(self.plan.sets[set.0].kind, SetKind::Rows);
        if over.iter().any(is_rows) {
            return Vec::new();
        }
        over.iter().flat_map(|set| self.columns_of(*set)).collect()
    }

    /// Whether something varies that a level of a column, or what it lies in, has one value of: then each point needs a
    /// level of its own.
    fn varies_by_level(&self, place: usize) -> bool {
        let levels = members(self.rows, &[place]);
        let keys = self.vary.iter().filter(|varied| !self.is_level(**varied));
        let mut keys = keys.flat_map(|varied| self.keys(*varied));
        keys.any(|key| key == place || is_constant_within(self.rows, key, &levels))
    }

    /// Whether a column of labels has one that the fit does not know.
    fn is_fresh(&self, place: usize) -> bool {
        let is_by = self.by.contains(&place) && self.request.group != GroupKind::Known;
        is_by || self.undetermined.contains(&place)
    }

    /// The place of a column among those that vary.
    pub(super) fn varied(&self, place: usize) -> Option<usize> {
        self.vary.iter().position(|own| *own == place)
    }

    /// Something for each row of the grid, from its group and its point.
    pub(super) fn each<'p, T: 'p>(
        &'p self,
        points: &'p Points,
        make: impl Fn(usize, usize) -> T + Copy + 'p,
    ) -> impl Iterator<Item = T> + 'p {
        let count = points.values.len();
        (0..self.groups.len())
            .flat_map(move |group| (0..count).map(move |point| make(group, point)))
    }

    /// The labels of the columns that hold such, for each row of the grid.
    pub(super) fn labels(&self, points: &Points) -> Result<BTreeMap<usize, Vec<Label>>, String> {
        let mut labels = BTreeMap::new();
        for place in 0..self.rows.columns.len() {
            let column = &self.rows.columns[place];
            let is_label = self.is_level(place) || self.by.contains(&place);
            if column.is_outcome || !is_label {
                continue;
            }
            let own: Vec<Label> = if let Some(varied) = self.varied(place) {
                let values = self.each(points, |_, point| points.values[point][varied]);
                values.map(|value| Label::of(number(value))).collect()
            } else if self.is_fresh(place) && !self.is_closed(place) {
                let new = NewLabels::of(self, place);
                let one_each = self.varies_by_level(place);
                self.each(points, |group, point| {
                    new.label(group, one_each.then_some((point, points.values.len())))
                })
                .collect()
            } else {
                let cell = |group: usize, _| self.rows.cell(place, self.groups[group][0]);
                self.each(points, cell).map(Label::of).collect()
            };
            labels.insert(place, own);
        }
        Ok(labels)
    }

    /// The numbers of a column: those of its levels where the fit knows them, else where they are held.
    pub(super) fn numbers(
        &self,
        place: usize,
        labels: &BTreeMap<usize, Vec<Label>>,
        points: &Points,
        held: &mut Vec<(String, f64)>,
    ) -> Cells {
        let column = &self.rows.columns[place];
        let keys = self.keys(place);
        let mut known: BTreeMap<Vec<Label>, f64> = BTreeMap::new();
        let mut all = Vec::new();
        for row in 0..self.rows.rows {
            let Some(value) = self.rows.cell(place, row).number() else {
                continue;
            };
            if keys.is_empty() {
                all.push(value);
                continue;
            }
            let key = keys.iter().map(|key| Label::of(self.rows.cell(*key, row)));
            known.insert(key.collect(), value);
        }
        all.extend(known.values());
        let at = self.hold(column.column.name.as_str(), column.is_integer, all);
        let mut is_held = false;
        let count = self.groups.len() * points.values.len();
        let values: Vec<f64> = (0..count)
            .map(|row| {
                let key = keys.iter().map(|key| labels[key][row].clone());
                let own = known.get(&key.collect::<Vec<_>>());
                is_held |= own.is_none();
                own.copied().unwrap_or(at)
            })
            .collect();
        if is_held {
            held.push((column.column.name.clone(), at));
        }
        match column.is_integer {
            true => Cells::of(values.into_iter().map(number)),
            false => Cells::Real(values),
        }
    }

    /// Where numbers are held.
    fn hold(&self, name: &str, is_integer: bool, mut numbers: Vec<f64>) -> f64 {
        let mut given = self.request.at_column.iter();
        if let Some((_, value)) = given.find(|(own, _)| own == name) {
            return *value;
        }
        let value = match self.request.at {
            Hold::Value(value) => return value,
            Hold::Mean => numbers.iter().sum::<f64>() / numbers.len() as f64,
            Hold::Median => {
                numbers.sort_unstable_by(f64::total_cmp);
                crate::summary::quantile_of_sorted(&numbers, 0.5)
            }
        };
        match is_integer {
            true => value.round(),
            false => value,
        }
    }

    /// The sets whose effects are at their location: those of levels that nothing chooses, and without groups those that
    /// groups are made by.
    pub(super) fn without(&self) -> Vec<SetId> {
        let by: &[usize] = match self.request.group {
            GroupKind::None => &self.by,
            GroupKind::Known | GroupKind::New => &[],
        };
        let columns = self.undetermined.iter().chain(by);
        let sets: BTreeSet<SetId> = columns.flat_map(|place| self.sets_of(*place)).collect();
        sets.into_iter().collect()
    }

    /// The groups, one for each of the values that vary besides the first.
    pub(super) fn grid_groups(&self, points: &Points) -> Vec<GridGroup> {
        let named = match self.request.group {
            GroupKind::Known => &self.by,
            GroupKind::New | GroupKind::None => &self.determined,
        };
        let mut groups = Vec::new();
        for (at, members) in self.groups.iter().enumerate() {
            let label = self.group_label(named, members[0]);
            for first in (0..points.values.len()).step_by(points.along.max(1)) {
                let others = points
                    .others
                    .iter()
                    .zip(&points.values[first][1.min(points.values[first].len())..]);
                let words = others.map(|(name, value)| format!("{name} {value}"));
                let label = std::iter::once(label.clone()).filter(|label| !label.is_empty());
                let label: Vec<String> = label.chain(words).collect();
                let start = at * points.values.len() + first;
                groups.push(GridGroup {
                    label: label.join(", "),
                    rows: start..start + points.along,
                    members: members.clone(),
                });
            }
        }
        groups
    }

    fn group_label(&self, named: &[usize], member: usize) -> String {
        let label = |column: &usize| self.rows.cell(*column, member).label().unwrap_or_default();
        let words = named.iter().map(label).collect::<Vec<_>>().join(", ");
        let what = self.request.by.join(" and ");
        match (self.request.group, words.is_empty()) {
            // The subtitle says what is new.
            (GroupKind::Known, _) | (_, false) => words,
            (GroupKind::New, true) => format!("new {what}"),
            (GroupKind::None, true) => format!("any {what}"),
        }
    }
}

/// Labels that no level of a column has: one for each combination of what its levels lie in, as a new country in each
/// region.
struct NewLabels {
    /// The largest, of integers.
    largest: Option<i64>,
    /// Of texts.
    words: Vec<String>,
    /// Which of the labels each group has.
    of_group: Vec<usize>,
}

impl NewLabels {
    fn of(draft: &Draft<'_>, place: usize) -> NewLabels {
        let rows = draft.rows;
        let levels = members(rows, &[place]);
        let named = match draft.request.group {
            GroupKind::Known => &draft.by,
            GroupKind::New | GroupKind::None => &draft.determined,
        };
        let parents: Vec<usize> = (named.iter().copied())
            .filter(|parent| is_constant_within(rows, *parent, &levels))
            .collect();
        let within = |group: &Vec<usize>| -> Vec<Label> {
            let parents = parents.iter();
            parents
                .map(|parent| Label::of(rows.cell(*parent, group[0])))
                .collect()
        };
        let all: BTreeSet<Vec<Label>> = draft.groups.iter().map(within).collect();
        let all: Vec<Vec<Label>> = all.into_iter().collect();
        let taken: BTreeSet<Label> = (levels.iter())
            .map(|level| Label::of(rows.cell(place, level[0])))
            .collect();
        let word = |within: &Vec<Label>| {
            let within: Vec<String> = within
                .iter()
                .filter_map(|label| label.cell().label())
                .collect();
            let mut word = match within.is_empty() || all.len() == 1 {
                true => format!("new {}", draft.name(place)),
                false => format!("new {} in {}", draft.name(place), within.join(", ")),
            };
            while taken.contains(&Label::Text(word.clone())) {
                word.push('+');
            }
            word
        };
        let integers = taken.iter().map(|label| match label {
            Label::Integer(value) => Some(*value),
            Label::Text(_) => None,
        });
        let integers: Option<Vec<i64>> = integers.collect();
        let place_of = |group| all.binary_search(&within(group)).unwrap_or(0);
        NewLabels {
            largest: integers.map(|labels| labels.last().copied().unwrap_or(0)),
            words: all.iter().map(word).collect(),
            of_group: draft.groups.iter().map(place_of).collect(),
        }
    }

    /// The label of a group's new level, or of a point of it among so many.
    fn label(&self, group: usize, point: Option<(usize, usize)>) -> Label {
        let of = self.of_group[group];
        match (self.largest, point) {
            (Some(largest), None) => Label::Integer(largest + 1 + of as i64),
            (Some(largest), Some((at, count))) => {
                Label::Integer(largest + 1 + (of * count + at) as i64)
            }
            (None, None) => Label::Text(self.words[of].clone()),
            (None, Some((at, _))) => Label::Text(format!("{} {}", self.words[of], at + 1)),
        }
    }
}

/// Rows by their combination of labels, in the order of the labels.
fn members(rows: &Flat, by: &[usize]) -> Vec<Vec<usize>> {
    let mut groups: BTreeMap<Vec<Label>, Vec<usize>> = BTreeMap::new();
    for row in 0..rows.rows {
        let key = by.iter().map(|column| Label::of(rows.cell(*column, row)));
        groups.entry(key.collect()).or_default().push(row);
    }
    groups.into_values().collect()
}

fn is_constant_within(rows: &Flat, column: usize, groups: &[Vec<usize>]) -> bool {
    groups.iter().all(|members| {
        let first = members
            .first()
            .map(|row| Label::of(rows.cell(column, *row)));
        let mut labels = members.iter().map(|row| Label::of(rows.cell(column, *row)));
        labels.all(|label| Some(label) == first)
    })
}
