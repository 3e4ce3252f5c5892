//! How many observations each group has: along the maps of the data, from the outcomes to the groups.

use crate::equation::plan::{InputSource, Plan, SetId, SetKind};
use std::collections::VecDeque;

/// The elements of a set that those of another belong to, counted from 1.
struct Map {
    from: SetId,
    to: SetId,
    values: Vec<i64>,
}

/// Counts the observations of every group: of every combination of elements of the sets `groups`, the last varying
/// fastest. `size` gives a set's number of elements and `values` the integers of a variable of the data block. `None`
/// where observations cannot be told apart by these groups.
pub fn observations(
    plan: &Plan,
    groups: &[SetId],
    size: &dyn Fn(SetId) -> usize,
    values: &dyn Fn(&str) -> Option<Vec<i64>>,
) -> Option<Vec<usize>> {
    let maps = maps(plan, values);
    let total = groups.iter().map(|set| size(*set)).product();
    let mut counts = vec![0usize; total];
    let mut is_counted = false;
    for observed in &plan.observed {
        // What an observation belongs to, for each letter on its left; each other letter only multiplies them.
        let starts: Vec<(SetId, Vec<i64>)> = match long(plan, &observed.outcome, values) {
            Some(starts) => starts,
            None => grid(&observed.over, size),
        };
        let rows = starts.first().map_or(0, |(_, values)| values.len());
        let elements = groups.iter().map(|group| belonging(&starts, *group, &maps));
        let Some(elements) = elements.collect::<Option<Vec<Vec<Vec<i64>>>>>() else {
            continue;
        };
        is_counted = true;
        for row in 0..rows {
            let mut places = vec![0usize];
            for (group, choices) in groups.iter().zip(&elements) {
                let found = choices.iter().map(|values| values[row] as usize - 1);
                let found: Vec<usize> = found.collect();
                let step = |place: usize| found.iter().map(move |at| place * size(*group) + at);
                places = places.into_iter().flat_map(step).collect();
            }
            for place in places {
                counts[place] += 1;
            }
        }
    }
    is_counted.then_some(counts)
}

fn maps(plan: &Plan, values: &dyn Fn(&str) -> Option<Vec<i64>>) -> Vec<Map> {
    let mut maps = Vec::new();
    for input in &plan.inputs {
        let ends = match input.source {
            InputSource::Map(column) => {
                let column = &plan.columns[column];
                match (column.over.as_slice(), column.levels_of) {
                    ([from], Some(to)) => Some((*from, to)),
                    _ => None,
                }
            }
            InputSource::Membership {
                combination,
                carrier,
            } => Some((carrier, combination)),
            InputSource::PartOf { combination, part } => match &plan.sets[combination.0].kind {
                SetKind::Combinations { parts, .. } => {
                    let to = parts.get(part).and_then(|part| part.set);
                    to.map(|to| (combination, to))
                }
                _ => None,
            },
            _ => None,
        };
        if let Some((from, to)) = ends
            && let Some(values) = values(&input.name)
        {
            maps.push(Map { from, to, values });
        }
    }
    maps
}

/// The elements that the rows of a long column belong to; `None` if the outcome is no long column.
fn long(
    plan: &Plan,
    outcome: &str,
    values: &dyn Fn(&str) -> Option<Vec<i64>>,
) -> Option<Vec<(SetId, Vec<i64>)>> {
    let mut starts = Vec::new();
    for input in &plan.inputs {
        if let InputSource::LongPosition { column, axis } = input.source {
            let column = &plan.columns[column];
            if column.name == outcome {
                starts.push((*column.over.get(axis)?, values(&input.name)?));
            }
        }
    }
    (!starts.is_empty()).then_some(starts)
}

/// Every combination of elements of the sets on the left.
fn grid(over: &[SetId], size: &dyn Fn(SetId) -> usize) -> Vec<(SetId, Vec<i64>)> {
    let total: usize = over.iter().map(|set| size(*set)).product();
    let mut inner = total;
    let start = |set: &SetId| {
        inner /= size(*set).max(1);
        let each = inner.max(1);
        let values = (0..total).map(|row| (row / each % size(*set).max(1)) as i64 + 1);
        (*set, values.collect())
    };
    over.iter().map(start).collect()
}

/// The elements of a group that rows belong to, by each of the shortest ways of maps (home and away are two).
fn belonging(starts: &[(SetId, Vec<i64>)], group: SetId, maps: &[Map]) -> Option<Vec<Vec<i64>>> {
    let mut open: VecDeque<(usize, SetId, Vec<i64>)> = VecDeque::new();
    for (set, values) in starts {
        open.push_back((0, *set, values.clone()));
    }
    let mut found: Option<(usize, Vec<Vec<i64>>)> = None;
    while let Some((steps, set, values)) = open.pop_front() {
        if let Some((fewest, ways)) = &mut found {
            if steps > *fewest {
                break;
            }
            if set == group {
                ways.push(values);
            }
            continue;
        }
        if set == group {
            found = Some((steps, vec![values]));
            continue;
        }
        // Index sets are declared acyclically, so every way ends.
        for map in maps.iter().filter(|map| map.from == set) {
            let next = values
                .iter()
                .map(|at| map.values.get(*at as usize - 1).copied());
            if let Some(next) = next.collect::<Option<Vec<i64>>>() {
                open.push_back((steps + 1, map.to, next));
            }
        }
    }
    found.map(|(_, ways)| ways)
}

#[cfg(test)]
mod tests {
    use super::observations;
    use crate::equation::plan::{Column, Input, InputSource, Observed, Plan, Set, SetId, SetKind};
    use crate::source::Span;

    fn column(name: &str, over: &[usize], levels_of: Option<usize>) -> Column {
        Column {
            name: name.to_string(),
            over: over.iter().map(|set| SetId(*set)).collect(),
            levels_of: levels_of.map(SetId),
            is_integer: true,
            is_needed: true,
            is_observed: false,
            can_impute: false,
            is_used_elsewhere: false,
            span: Span::default(),
        }
    }

    /// Rows i of games between teams t of leagues l: home and away map i to t, league maps t to l.
    fn plan() -> Plan {
        let set = || Set {
            letters: vec!["x".to_string()],
            kind: SetKind::Rows,
            is_lagged: false,
            is_ordinal: false,
            span: Span::default(),
        };
        let input = |name: &str, column: usize| Input {
            name: name.to_string(),
            source: InputSource::Map(column),
        };
        Plan {
            sets: vec![set(), set(), set()],
            columns: vec![
                column("home", &[0], Some(1)),
                column("away", &[0], Some(1)),
                column("league", &[1], Some(2)),
            ],
            inputs: vec![input("home", 0), input("away", 1), input("league", 2)],
            observed: vec![Observed {
                outcome: "win".to_string(),
                replicate: None,
                log_lik: None,
                mean: None,
                over: vec![SetId(0)],
            }],
            ..Plan::default()
        }
    }

    #[test]
    fn observations_are_counted_along_maps() {
        let size = |set: SetId| [4, 3, 2][set.0];
        let values = |name: &str| {
            Some(match name {
                "home" => vec![1, 1, 2, 3],
                "away" => vec![2, 3, 3, 1],
                _ => vec![1, 1, 2],
            })
        };
        let counted = |groups: &[usize]| {
            let groups: Vec<SetId> = groups.iter().map(|set| SetId(*set)).collect();
            observations(&plan(), &groups, &size, &values)
        };
        assert_eq!(counted(&[0]), Some(vec![1; 4]));
        // Each game counts for both of its teams.
        assert_eq!(counted(&[1]), Some(vec![3, 2, 3]));
        assert_eq!(counted(&[2]), Some(vec![5, 3]));
    }
}
