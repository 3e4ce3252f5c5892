//! Collects the numbers of one variable into flat arrays, and checks that they form a rectangle.

use std::collections::BTreeMap;
use std::ops::Range;

use super::{DataKind, DataProblem, DataValue, FirstReal, MissingElement, RealReason};
use crate::shared::Shared;

/// What is wrong, and where.
pub(super) type Fault = (DataProblem, Range<usize>);

/// One number as read.
#[derive(Clone, Copy)]
pub(super) enum Scalar {
    Int(i64),
    BigInt(f64),
    Real(f64),
    Missing,
}

/// Collects one variable, or one slot over all tuples of an array.
#[derive(Default)]
pub(super) struct Builder {
    /// Length of the arrays at each level, known once the first of them is closed.
    lengths: Vec<Option<usize>>,
    content: Content,
    ints: Vec<i64>,
    reals: Vec<f64>,
    missing: Vec<MissingElement>,
    first_real: Option<FirstReal>,
    pub(super) slots: BTreeMap<usize, Builder>,
    /// Tuples seen so far.
    tuples: usize,
    /// Whole values read into this builder: one for a variable, one per tuple for a slot.
    pub(super) values: usize,
    pub(super) span: Option<Range<usize>>,
    /// The first problem; what follows it is only checked to be JSON.
    fault: Option<Fault>,
}

#[derive(Default, Clone, Copy, PartialEq)]
enum Content {
    #[default]
    Nothing,
    Numbers,
    Tuples,
}

impl Content {
    fn describe(self) -> &'static str {
        match self {
            Content::Nothing => "an array",
            Content::Numbers => "a number",
            Content::Tuples => "a tuple",
        }
    }
}

impl Builder {
    pub(super) fn fault(&mut self, problem: DataProblem, span: Range<usize>) {
        self.fault.get_or_insert((problem, span));
    }

    pub(super) fn open_array(&mut self, level: usize, start: usize) {
        if level < self.lengths.len() {
            return;
        }
        if self.content == Content::Nothing {
            self.lengths.push(None);
        } else {
            let expected = self.content.describe();
            self.fault(
                DataProblem::MixedElements {
                    expected,
                    found: "an array",
                },
                start..start + 1,
            );
        }
    }

    pub(super) fn close_array(&mut self, level: usize, length: usize, span: Range<usize>) {
        match self.lengths.get_mut(level) {
            Some(Some(expected)) if *expected != length => {
                let problem = DataProblem::Ragged {
                    expected: *expected,
                    found: length,
                };
                self.fault(problem, span);
            }
            Some(known) => *known = Some(length),
            None => {}
        }
    }

    /// Checks that a number or tuple may stand at `level`, beside what was seen before.
    fn accept(&mut self, content: Content, level: usize, span: Range<usize>) -> bool {
        let in_place = level == self.lengths.len();
        if !in_place || (self.content != Content::Nothing && self.content != content) {
            let expected = if level < self.lengths.len() {
                "an array"
            } else {
                self.content.describe()
            };
            self.fault(
                DataProblem::MixedElements {
                    expected,
                    found: content.describe(),
                },
                span,
            );
        }
        self.content = content;
        self.fault.is_none()
    }

    pub(super) fn push(&mut self, scalar: Scalar, level: usize, span: Range<usize>) {
        if !self.accept(Content::Numbers, level, span.clone()) {
            return;
        }
        let index = self.ints.len().max(self.reals.len());
        if let Scalar::Missing = scalar {
            self.missing.push(MissingElement {
                index,
                span: span.clone(),
            });
        }
        let (value, reason) = match scalar {
            Scalar::Int(value) if self.first_real.is_none() => return self.ints.push(value),
            Scalar::Missing if self.first_real.is_none() => return self.ints.push(0),
            Scalar::Int(value) => return self.reals.push(value as f64),
            Scalar::Missing => return self.reals.push(f64::NAN),
            Scalar::BigInt(value) => (value, RealReason::BeyondInt32),
            Scalar::Real(value) => (value, RealReason::Written),
        };
        if self.first_real.is_none() {
            self.first_real = Some(FirstReal {
                index,
                span,
                reason,
            });
            self.reals = std::mem::take(&mut self.ints)
                .into_iter()
                .map(|value| value as f64)
                .collect();
            for element in &self.missing {
                self.reals[element.index] = f64::NAN;
            }
        }
        self.reals.push(value);
    }

    pub(super) fn open_tuple(&mut self, level: usize, start: usize) {
        self.accept(Content::Tuples, level, start..start + 1);
    }

    pub(super) fn close_tuple(&mut self, keys: usize, span: Range<usize>) {
        self.tuples += 1;
        let tuples = self.tuples;
        let expected = if tuples == 1 { keys } else { self.slots.len() };
        // The count of a slot's values tells a repeated or absent key apart from one value per tuple.
        let is_complete = self.fault.is_some()
            || keys > 0
                && keys == self.slots.len()
                && self.slots.keys().copied().eq(1..=keys)
                && self.slots.values().all(|slot| slot.values == tuples);
        if !is_complete {
            self.fault(DataProblem::TupleSlots { expected }, span.clone());
        }
        if let Some(fault) = self.slots.values_mut().find_map(|slot| slot.fault.take()) {
            self.fault.get_or_insert(fault);
        }
    }

    /// The finished value; `outer` are the sizes of the arrays around a tuple's slot.
    pub(super) fn finish(self, outer: &[usize]) -> Result<DataValue, Fault> {
        if let Some(fault) = self.fault {
            return Err(fault);
        }
        let mut dims = outer.to_vec();
        dims.extend(self.lengths.iter().map(|length| length.unwrap_or(0)));
        let kind = match self.content {
            Content::Tuples => {
                let slots = self.slots.into_values().map(|slot| slot.finish(&dims));
                DataKind::Tuple(slots.collect::<Result<_, _>>()?)
            }
            Content::Nothing | Content::Numbers if self.first_real.is_some() => {
                DataKind::Real(exact(self.reals))
            }
            Content::Nothing | Content::Numbers => DataKind::Int(exact(self.ints)),
        };
        let span = self.span.unwrap_or(0..0);
        Ok(DataValue {
            kind,
            dims,
            span,
            missing: self.missing,
            first_real: self.first_real,
        })
    }
}

/// The numbers without the room for more that they grew with.
fn exact<T>(mut values: Vec<T>) -> Shared<T> {
    values.shrink_to_fit();
    values.into()
}
