//! Closure (3a): the terms that a letter stands for, given the letters that are free.
//!
//! Maps (county: i → j), parts of combinations (c → s) and memberships (i → c) are edges between index sets. A letter
//! that is not free stands for every term that edges build from the free ones; it is usable if there is exactly one.

use super::tree::{LetterId, Model, NameId, SetId, SetKind, Subscript};

/// A way from the elements of one set to those of another.
#[derive(Clone, Copy, Debug)]
enum Edge {
    /// A column whose values are levels.
    Map(NameId),
    /// A part of a combination, by its place.
    Part(SetId, usize),
    /// An element's combination.
    Membership(SetId),
}

/// The letters that are free at a place: those of the left side, then those of the reductions around it.
#[derive(Clone, Debug, Default)]
pub(super) struct Scope {
    /// The letters.
    pub free: Vec<LetterId>,
    /// Where a reduction's letters determine a left letter, both agree: the left letter and its term in theirs.
    pub agreeing: Vec<(LetterId, Subscript)>,
}

impl Scope {
    /// A scope without reductions.
    pub fn of(free: Vec<LetterId>) -> Scope {
        Scope {
            free,
            agreeing: Vec::new(),
        }
    }

    /// The terms that a letter stands for: one if it is usable.
    pub fn terms(&self, model: &Model, letter: LetterId) -> Vec<Subscript> {
        if self.free.contains(&letter) {
            return vec![Subscript::Letter(letter)];
        }
        let mut visiting = Vec::new();
        let terms = self.reached(model, model.letters[letter.0].set, &mut visiting);
        self.without_agreeing(model, terms)
    }

    /// Leaves out terms in left letters that are, since a reduction agrees with them, terms in its letters as well.
    fn without_agreeing(&self, model: &Model, terms: Vec<Subscript>) -> Vec<Subscript> {
        if terms.len() < 2 {
            return terms;
        }
        let same_elsewhere = |term: &Subscript| {
            self.agreeing.iter().any(|(letter, by)| {
                term.root() == Some(*letter) && terms.contains(&model.substitute(term, *letter, by))
            })
        };
        let kept = terms.iter().filter(|term| !same_elsewhere(term));
        kept.cloned().collect()
    }

    /// The terms of a set's elements: its free letters, or else what edges build.
    fn over(&self, model: &Model, set: SetId, visiting: &mut Vec<SetId>) -> Vec<Subscript> {
        let free: Vec<Subscript> = (self.free.iter())
            .filter(|letter| model.letters[letter.0].set == set)
            .map(|letter| Subscript::Letter(*letter))
            .collect();
        if free.is_empty() {
            self.reached(model, set, visiting)
        } else {
            free
        }
    }

    fn reached(&self, model: &Model, set: SetId, visiting: &mut Vec<SetId>) -> Vec<Subscript> {
        if visiting.contains(&set) {
            return Vec::new();
        }
        visiting.push(set);
        let mut terms = Vec::new();
        for (edge, source) in edges_into(model, set) {
            for of in self.over(model, source, visiting) {
                let term = follow(model, edge, of);
                if !terms.contains(&term) {
                    terms.push(term);
                }
            }
        }
        visiting.pop();
        terms
    }
}

/// The term that an edge builds.
fn follow(model: &Model, edge: Edge, of: Subscript) -> Subscript {
    match edge {
        Edge::Map(column) => Subscript::Map {
            column,
            of: Box::new(of),
        },
        Edge::Part(combination, part) => model.part_of(combination, part, &of),
        Edge::Membership(combination) => Subscript::Membership {
            combination,
            of: Box::new(of),
        },
    }
}

/// The edges that end in a set, with the sets in which they begin.
fn edges_into(model: &Model, set: SetId) -> Vec<(Edge, SetId)> {
    let mut edges = Vec::new();
    for (position, name) in model.names.iter().enumerate() {
        if name.levels_of == Some(set)
            && let [source] = name.axes.as_slice()
        {
            edges.push((Edge::Map(NameId(position)), *source));
        }
    }
    for (position, other) in model.sets.iter().enumerate() {
        let combination = SetId(position);
        if let SetKind::Combinations { parts, .. } = &other.kind {
            for (part, term) in parts.iter().enumerate() {
                if model.set_of(term) == Some(set) {
                    edges.push((Edge::Part(combination, part), combination));
                }
            }
        }
    }
    if let Some((parts, letter)) = model.parts(set)
        && !parts.is_empty()
    {
        edges.push((Edge::Membership(set), model.letters[letter.0].set));
    }
    edges
}
