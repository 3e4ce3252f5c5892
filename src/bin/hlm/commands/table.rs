//! Which rows of a summary fit a screen: every variable is shown, large ones in part.

use hlm::run::Draws;
use hlm::summary::Summary;

/// Rows that a screen holds beside what else is printed (a guess at common heights).
const ROWS: usize = 30;

/// A table for the screen.
pub struct ShortTable {
    /// Summaries of all parameters and of what else is in the table, for warnings.
    pub summary: Summary,
    /// The places among the summary's rows that are shown.
    shown: Vec<usize>,
    /// What is not shown, in words; empty if nothing.
    left_out: String,
}

/// A variable's columns: the first and how many.
struct Variable<'a> {
    name: &'a str,
    first: usize,
    count: usize,
    /// How many of them are shown.
    shown: usize,
}

impl ShortTable {
    /// Summarises what the screen shows, and all parameters, which are the first `parameters` columns.
    pub fn new(draws: &Draws, parameters: usize) -> ShortTable {
        let mut variables = variables(draws);
        let split = variables.partition_point(|variable| variable.first < parameters);
        // `lp__` takes a row too.
        let mut rows = ROWS - 1;
        let (own, others) = variables.split_at_mut(split);
        rows -= share(rows, own);
        share(rows, others);

        let mut places: Vec<usize> = (0..parameters).collect();
        for variable in &variables[split..] {
            places.extend(variable.first..variable.first + variable.shown);
        }
        let is_shown = |place: usize| {
            variables
                .iter()
                .any(|variable| (variable.first..variable.first + variable.shown).contains(&place))
        };
        let summary = draws.summary_of(places.iter().copied());
        // `lp__`, where there is one, comes before the variables.
        let leading = summary.rows.len() - places.len();
        let rows = (leading..).zip(&places);
        let rows = rows.filter(|(_, place)| is_shown(**place));
        ShortTable {
            left_out: left_out(&variables),
            shown: (0..leading).chain(rows.map(|(row, _)| row)).collect(),
            summary,
        }
    }

    /// The table, with a line that says what is missing and how to see it. `all` says what shows every row.
    pub fn to_text(&self, all: &str) -> String {
        let rows = self.shown.iter().map(|&row| self.summary.rows[row].clone());
        let shown = Summary {
            rows: rows.collect(),
            ..self.summary.clone()
        };
        let mut text = shown.to_text();
        if !self.left_out.is_empty() {
            text.push_str(&format!("… and {}; see all with {all}\n", self.left_out));
        }
        text
    }
}

/// The variables of a run, in order.
fn variables(draws: &Draws) -> Vec<Variable<'_>> {
    let mut variables: Vec<Variable<'_>> = Vec::new();
    for (place, column) in draws.columns().iter().enumerate() {
        let name = column.name.split(['.', ':']).next().unwrap_or_default();
        match variables.last_mut() {
            Some(last) if last.name == name => last.count += 1,
            _ => variables.push(Variable {
                name,
                first: place,
                count: 1,
                shown: 0,
            }),
        }
    }
    variables
}

/// Shares out so many rows: small variables whole, then large ones equally, until none are left. Returns how many.
fn share(rows: usize, variables: &mut [Variable<'_>]) -> usize {
    let mut left = rows;
    let mut order: Vec<usize> = (0..variables.len()).collect();
    order.sort_by_key(|&at| variables[at].count);
    for (position, &at) in order.iter().enumerate() {
        let fair = left / (order.len() - position);
        variables[at].shown = variables[at].count.min(fair);
        left -= variables[at].shown;
    }
    rows - left
}

/// `77 more of alpha[85], 919 of y_rep[919]`.
fn left_out(variables: &[Variable<'_>]) -> String {
    let hidden = variables
        .iter()
        .filter(|variable| variable.shown < variable.count);
    let hidden: Vec<String> = hidden
        .map(|variable| {
            let Variable {
                name, count, shown, ..
            } = variable;
            match (count, shown) {
                (1, _) => name.to_string(),
                (_, 0) => format!("the {count} of {name}"),
                _ => format!("{} more of {name}", count - shown),
            }
        })
        .collect();
    /// A sentence names at most so many variables.
    const NAMED: usize = 6;
    match hidden.len() {
        0..=NAMED => hidden.join(", "),
        count => format!(
            "{}, and {} more variables",
            hidden[..NAMED].join(", "),
            count - NAMED
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shares(rows: usize, counts: &[usize]) -> Vec<usize> {
        let mut variables: Vec<Variable<'_>> = counts
            .iter()
            .map(|&count| Variable {
                name: "x",
                first: 0,
                count,
                shown: 0,
            })
            .collect();
        let total = share(rows, &mut variables);
        let shown: Vec<usize> = variables.iter().map(|variable| variable.shown).collect();
        assert_eq!(total, shown.iter().sum::<usize>());
        shown
    }

    #[test]
    fn small_variables_are_whole_and_large_ones_share() {
        assert_eq!(shares(29, &[8, 1, 1, 8]), [8, 1, 1, 8]);
        assert_eq!(shares(20, &[85, 1, 1]), [18, 1, 1]);
        assert_eq!(shares(20, &[85, 1, 919, 3]), [8, 1, 8, 3]);
        assert_eq!(shares(2, &[1, 1, 1]), [0, 1, 1]);
        assert_eq!(shares(0, &[5]), [0]);
        assert_eq!(shares(7, &[]), Vec::<usize>::new());
    }
}
