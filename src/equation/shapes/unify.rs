//! The index sets of axes: those that a relation ties together are the same set.

use super::{Axes, Found, Relation, Shapes, single};
use crate::diag::Diagnostic;
use crate::equation::tree::SetId;

/// Axes by number, merged as relations demand (union-find).
#[derive(Clone, Debug, Default)]
pub(super) struct Slots {
    parents: Vec<usize>,
    sets: Vec<Option<SetId>>,
}

impl Slots {
    fn fresh(&mut self, set: Option<SetId>) -> usize {
        self.parents.push(self.parents.len());
        self.sets.push(set);
        self.parents.len() - 1
    }

    fn root(&self, mut slot: usize) -> usize {
        while self.parents[slot] != slot {
            slot = self.parents[slot];
        }
        slot
    }

    pub(super) fn set(&self, slot: usize) -> Option<SetId> {
        self.sets[self.root(slot)]
    }

    /// Makes two axes one.
    ///
    /// # Errors
    /// Their sets, if they are different ones.
    fn merge(&mut self, one: usize, other: usize) -> Result<(), (SetId, SetId)> {
        let (one, other) = (self.root(one), self.root(other));
        if one == other {
            return Ok(());
        }
        match (self.sets[one], self.sets[other]) {
            (Some(first), Some(second)) if first != second => return Err((first, second)),
            (None, found) => self.sets[one] = found,
            (Some(_), _) => {}
        }
        self.parents[other] = one;
        Ok(())
    }
}

/// Two members whose axes should run over the same set and do not.
#[derive(Clone, Copy, Debug)]
pub(super) struct Clash {
    /// The relation.
    pub relation: usize,
    /// The member where it showed, by its place among the members, and its set.
    pub here: (usize, SetId),
    /// The set that other members have.
    pub there: SetId,
}

/// The axes of names and nodes as slots.
#[derive(Clone, Debug, Default)]
pub(super) struct Unified {
    pub slots: Slots,
    pub names: Vec<Vec<usize>>,
    pub nodes: Vec<Vec<usize>>,
    pub clashes: Vec<Clash>,
}

impl Shapes<'_> {
    /// Finds the sets of all axes.
    ///
    /// # Errors
    /// E7 for axes without a set, E9 for clashes, and what the three checks refuse.
    pub(super) fn unify(&self) -> Result<Found, Vec<Diagnostic>> {
        let unified = self.unified();
        // A vector over rows that nobody meant explains a clash better than the clash does.
        let mut faults = self.check_products(&unified);
        if faults.is_empty() {
            faults = unified
                .clashes
                .iter()
                .take(1)
                .map(|clash| self.clash(clash))
                .collect();
        }
        if faults.is_empty() {
            faults = self.check_bound(&unified);
        }
        if faults.is_empty() {
            faults = self.check_hidden(&unified);
        }
        if faults.is_empty() {
            faults = self.check_units(&unified);
        }
        if !faults.is_empty() {
            return Err(faults);
        }
        let sets = |axes: &Vec<usize>| -> Vec<SetId> {
            axes.iter()
                .filter_map(|slot| unified.slots.set(*slot))
                .collect()
        };
        Ok(Found {
            names: unified.names.iter().map(sets).collect(),
            nodes: unified.nodes.iter().map(sets).collect(),
        })
    }

    /// Ties together what is known; members whose rank is not are left out.
    pub(super) fn unified(&self) -> Unified {
        let mut unified = Unified::default();
        for (position, name) in self.model.names.iter().enumerate() {
            let hidden = single(self.ranks[self.nodes.len() + position]).unwrap_or(0);
            let shown = name.axes[..name.shown].iter();
            let mut axes: Vec<usize> = shown.map(|set| unified.slots.fresh(Some(*set))).collect();
            axes.extend((0..hidden).map(|_| unified.slots.fresh(None)));
            unified.names.push(axes);
        }
        for node in 0..self.nodes.len() {
            let rank = single(self.ranks[node]).unwrap_or(0);
            let axes = (0..rank).map(|_| unified.slots.fresh(None)).collect();
            unified.nodes.push(axes);
        }
        for (position, relation) in self.relations.iter().enumerate() {
            self.tie(position, relation, &mut unified);
        }
        unified
    }

    fn tie(&self, position: usize, relation: &Relation, unified: &mut Unified) {
        let mut pairs: Vec<(usize, usize, usize)> = Vec::new();
        let axes_of = |place: usize| unified.nodes[relation.members[place]].clone();
        match &relation.axes {
            Axes::Same => {
                for rank in 1..3 {
                    let places = 0..relation.members.len();
                    let mut equal = places.filter(|place| axes_of(*place).len() == rank);
                    let Some(first) = equal.next() else { continue };
                    for place in equal {
                        for (one, other) in axes_of(first).into_iter().zip(axes_of(place)) {
                            pairs.push((place, one, other));
                        }
                    }
                }
            }
            Axes::OfName { name, kept } => {
                let of_name = &unified.names[name.0];
                let shown = self.model.names[name.0].shown;
                let kept = kept.iter().map(|place| of_name[*place]);
                let all = kept.chain(of_name[shown..].iter().copied());
                for (one, other) in all.zip(axes_of(1)) {
                    pairs.push((1, one, other));
                }
            }
            Axes::Product => {
                let (left, right, result) = (axes_of(0), axes_of(1), axes_of(2));
                match (left.as_slice(), right.as_slice()) {
                    ([], all) => pairs.extend(matched(2, all, &result)),
                    (all, []) => pairs.extend(matched(2, all, &result)),
                    ([rest @ .., inner], [first, others @ ..]) => {
                        pairs.push((1, *inner, *first));
                        let outer: Vec<usize> = rest.iter().chain(others).copied().collect();
                        pairs.extend(matched(2, &outer, &result));
                    }
                }
            }
            Axes::Swapped => {
                let mut inside = axes_of(0);
                inside.reverse();
                pairs.extend(matched(1, &inside, &axes_of(1)));
            }
            Axes::Forms(forms) => {
                let fits = |form: &&Vec<String>| {
                    form.iter().enumerate().all(|(place, token)| {
                        let rank = if token == "_" { 0 } else { token.len() };
                        let found = axes_of(place).len();
                        // A number stands for a constant vector.
                        found == rank || found == 0
                    })
                };
                // The form that fits most exactly is the one with the fewest lifted numbers.
                let lifted = |form: &&Vec<String>| {
                    let places = form.iter().enumerate();
                    places
                        .filter(|(place, token)| *token != "_" && axes_of(*place).is_empty())
                        .count()
                };
                if let Some(form) = forms.iter().filter(fits).min_by_key(lifted) {
                    pairs.extend(lettered(form, axes_of));
                }
            }
            Axes::Free(None) => {}
            Axes::Free(Some(set)) => {
                let last = relation.members.len() - 1;
                let slot = unified.slots.fresh(Some(*set));
                if let [axis] = axes_of(last).as_slice() {
                    pairs.push((last, slot, *axis));
                }
            }
        }
        for (place, one, other) in pairs {
            if let Err((there, here)) = unified.slots.merge(one, other) {
                unified.clashes.push(Clash {
                    relation: position,
                    here: (place, here),
                    there,
                });
            }
        }
    }
}

/// Pairs of axes, for the member at `place`.
fn matched(place: usize, one: &[usize], other: &[usize]) -> Vec<(usize, usize, usize)> {
    let pairs = one.iter().zip(other);
    pairs.map(|(one, other)| (place, *one, *other)).collect()
}

/// Pairs of axes that a form's letters say are the same.
fn lettered(form: &[String], axes_of: impl Fn(usize) -> Vec<usize>) -> Vec<(usize, usize, usize)> {
    let mut first: Vec<(char, usize)> = Vec::new();
    let mut pairs = Vec::new();
    for (place, token) in form.iter().enumerate() {
        for (letter, axis) in token.chars().zip(axes_of(place)) {
            match first.iter().find(|(known, _)| *known == letter) {
                Some((_, known)) => pairs.push((place, *known, axis)),
                None => first.push((letter, axis)),
            }
        }
    }
    pairs
}
