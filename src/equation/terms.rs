//! Terms, the elements that subscripts name as functions of a statement's letters: their sets, roots and spelling.

use super::tree::{LetterId, Model, NameId, SetId, SetKind, Subscript};

impl Model {
    /// The set that a subscript's elements belong to; `None` for a whole axis and for columns without levels.
    pub fn set_of(&self, subscript: &Subscript) -> Option<SetId> {
        match subscript {
            Subscript::Letter(letter) => Some(self.letters[letter.0].set),
            Subscript::Map { column, .. } => self.names[column.0].levels_of,
            Subscript::Part {
                combination, part, ..
            } => self
                .parts(*combination)
                .and_then(|(parts, _)| parts.get(*part))
                .and_then(|part| self.set_of(part)),
            Subscript::Membership { combination, .. } => Some(*combination),
            Subscript::Shift { of, .. } => self.set_of(of),
            Subscript::Label { set, .. } | Subscript::First(set) | Subscript::Last(set) => {
                Some(*set)
            }
            Subscript::All => None,
            Subscript::Range { lower, upper } => {
                let end = lower.as_deref().or(upper.as_deref());
                end.and_then(|end| self.set_of(end))
            }
        }
    }

    /// The parts of a set of combinations, and the letter that their terms start from.
    pub fn parts(&self, combination: SetId) -> Option<(&[Subscript], LetterId)> {
        match &self.sets[combination.0].kind {
            SetKind::Combinations { parts, letter } => Some((parts, *letter)),
            SetKind::Rows | SetKind::Levels { .. } | SetKind::Fixed(_) => None,
        }
    }

    /// A part of the combination that `of` names. The part of a membership is the part's own column.
    pub(super) fn part_of(&self, combination: SetId, part: usize, of: &Subscript) -> Subscript {
        if let Subscript::Membership {
            combination: same,
            of: element,
        } = of
            && *same == combination
            && let Some((parts, letter)) = self.parts(combination)
        {
            return self.substitute(&parts[part], letter, element);
        }
        Subscript::Part {
            combination,
            part,
            of: Box::new(of.clone()),
        }
    }

    /// A term with another element in the place of a letter.
    pub(super) fn substitute(
        &self,
        term: &Subscript,
        letter: LetterId,
        by: &Subscript,
    ) -> Subscript {
        match term {
            Subscript::Letter(found) if *found == letter => by.clone(),
            Subscript::Map { column, of } => Subscript::Map {
                column: *column,
                of: Box::new(self.substitute(of, letter, by)),
            },
            Subscript::Part {
                combination,
                part,
                of,
            } => self.part_of(*combination, *part, &self.substitute(of, letter, by)),
            Subscript::Membership { combination, of } => Subscript::Membership {
                combination: *combination,
                of: Box::new(self.substitute(of, letter, by)),
            },
            Subscript::Shift { of, by: steps } => Subscript::Shift {
                of: Box::new(self.substitute(of, letter, by)),
                by: steps.clone(),
            },
            Subscript::Letter(_)
            | Subscript::Label { .. }
            | Subscript::First(_)
            | Subscript::Last(_)
            | Subscript::All
            | Subscript::Range { .. } => term.clone(),
        }
    }

    /// A term as one would write it: `region[country[i]]`, `c`.
    pub fn term_text(&self, term: &Subscript) -> String {
        match term {
            Subscript::Letter(letter) => self.letters[letter.0].name.clone(),
            Subscript::Map { column, of } => {
                format!("{}[{}]", self.names[column.0].name, self.term_text(of))
            }
            // A part or a membership is written as the letter that it is the term of.
            Subscript::Part { .. } | Subscript::Membership { .. } => match self.set_of(term) {
                Some(set) => self.sets[set.0].name.clone(),
                None => String::from("…"),
            },
            Subscript::Shift { of, by } => {
                let steps = self.expr_text(by);
                match steps.strip_prefix('-') {
                    Some(earlier) => format!("{}-{earlier}", self.term_text(of)),
                    None => format!("{}+{steps}", self.term_text(of)),
                }
            }
            Subscript::Label { set, label } => self.label_text(*set, label),
            Subscript::First(set) => format!("first({})", self.sets[set.0].name),
            Subscript::Last(set) => format!("last({})", self.sets[set.0].name),
            Subscript::All => String::new(),
            Subscript::Range { lower, upper } => {
                let end = |end: &Option<Box<Subscript>>| match end {
                    Some(end) => self.term_text(end),
                    None => String::new(),
                };
                format!("{}:{}", end(lower), end(upper))
            }
        }
    }

    /// A label as one would write it in a subscript: quoted, unless it is an integer or listed in the file.
    fn label_text(&self, set: SetId, label: &str) -> String {
        let listed = self.listed_labels(set);
        if label.parse::<i64>().is_ok() || listed.contains(&label) {
            label.to_owned()
        } else {
            format!("\"{label}\"")
        }
    }

    /// The letters that stand for a set's elements, for messages: `[j, k]`.
    pub(super) fn axes_text(&self, axes: &[SetId]) -> String {
        let letters: Vec<&str> = axes
            .iter()
            .map(|set| self.sets[set.0].name.as_str())
            .collect();
        letters.join(", ")
    }

    /// What one element of a set is called: the column that holds the levels, or `row`, or the letter.
    pub(super) fn noun(&self, set: SetId) -> String {
        let found = &self.sets[set.0];
        match &found.kind {
            SetKind::Rows => String::from("row"),
            SetKind::Levels { columns, .. } => match columns.as_slice() {
                [column] => self.names[column.0].name.clone(),
                _ => found.name.clone(),
            },
            SetKind::Fixed(_) => found.name.clone(),
            SetKind::Combinations { .. } => String::from("combination"),
        }
    }

    /// Whether a set is one that the file spells out (R1): labels or a range.
    pub(super) fn is_fixed(&self, set: SetId) -> bool {
        matches!(self.sets[set.0].kind, SetKind::Fixed(_))
    }
}

impl Subscript {
    /// Whether it names one element, as opposed to a whole axis or a part of one.
    pub fn is_single(&self) -> bool {
        !matches!(self, Subscript::All | Subscript::Range { .. })
    }

    /// The letter that a term starts from, if it starts from one.
    pub fn root(&self) -> Option<LetterId> {
        match self {
            Subscript::Letter(letter) => Some(*letter),
            Subscript::Map { of, .. }
            | Subscript::Part { of, .. }
            | Subscript::Membership { of, .. }
            | Subscript::Shift { of, .. } => of.root(),
            Subscript::Label { .. }
            | Subscript::First(_)
            | Subscript::Last(_)
            | Subscript::All
            | Subscript::Range { .. } => None,
        }
    }

    /// What a column is asked about on the way of a term: `i` for `region[country[i]]` and `country`.
    pub(super) fn passes_through(&self, column: NameId) -> Option<&Subscript> {
        match self {
            Subscript::Map { column: found, of } if *found == column => Some(of),
            Subscript::Map { of, .. }
            | Subscript::Part { of, .. }
            | Subscript::Membership { of, .. }
            | Subscript::Shift { of, .. } => of.passes_through(column),
            Subscript::Letter(_)
            | Subscript::Label { .. }
            | Subscript::First(_)
            | Subscript::Last(_)
            | Subscript::All
            | Subscript::Range { .. } => None,
        }
    }
}
