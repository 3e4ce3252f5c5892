//! Factors out of sums: what does not change in a loop is multiplied once, after it.
//!
//! `s += k · x` in every round is `s += k · Σ x` after the loop, and likewise for squares and products of such terms. Sums
//! that differ only in their factors then become one: value and derivatives of a normal density with one scale need the sums
//! of d, d² and d·x, as a person would write them.
//!
//! Only loops that are known to run are factored: one without rounds adds nothing, but an infinite factor times an empty
//! sum is NaN.

use super::{Definitions, integers, is_innermost};
use crate::builtins::{Kind, Prim};
use crate::loops::{Cell, CellId, Op, Procedure, Stmt, ValueId, blocks_mut};
use std::collections::{BTreeMap, BTreeSet};

/// Factors the sums of every innermost loop.
pub(super) fn factor(procedure: &mut Procedure) {
    let mut body = std::mem::take(&mut procedure.body);
    let factoring = &mut Factoring {
        procedure,
        constants: integers(&body),
    };
    factoring.block(&mut body);
    procedure.body = body;
}

struct Factoring<'p> {
    procedure: &'p mut Procedure,
    /// Integer constants.
    constants: BTreeMap<ValueId, i64>,
}

/// What is left of a term when its invariant factors are taken out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Core {
    Value(ValueId),
    Square(ValueId),
    Product(ValueId, ValueId),
}

/// A term of a sum: ± factors · core.
struct Term {
    negated: bool,
    factors: Vec<ValueId>,
    core: Core,
}

impl Factoring<'_> {
    fn block(&mut self, stmts: &mut Vec<Stmt>) {
        let mut result = Vec::with_capacity(stmts.len());
        for mut stmt in std::mem::take(stmts) {
            for block in blocks_mut(&mut stmt) {
                self.block(block);
            }
            match &mut stmt {
                Stmt::For {
                    start, end, body, ..
                } if self.is_less(*start, *end) && is_innermost(body) => {
                    let (before, after) = self.innermost(body);
                    result.extend(before);
                    result.push(stmt);
                    result.extend(after);
                }
                _ => result.push(stmt),
            }
        }
        *stmts = result;
    }

    /// Whether both are constants and the first is less than the second.
    fn is_less(&self, a: ValueId, b: ValueId) -> bool {
        match (self.constants.get(&a), self.constants.get(&b)) {
            (Some(a), Some(b)) => a < b,
            _ => false,
        }
    }

    /// Rewrites the sums of a body; returns the code before and after the loop.
    fn innermost(&mut self, body: &mut Vec<Stmt>) -> (Vec<Stmt>, Vec<Stmt>) {
        let (mut definitions, mut touched) = (BTreeMap::new(), BTreeSet::new());
        for stmt in body.iter() {
            match stmt {
                Stmt::Let(value, op) => {
                    definitions.insert(*value, op.clone());
                    if let Op::Get(cell) = op {
                        touched.insert(*cell);
                    }
                }
                Stmt::Set(cell, _) => {
                    touched.insert(*cell);
                }
                _ => {}
            }
        }
        let (mut before, mut after) = (Vec::new(), Vec::new());
        let mut sums: BTreeMap<Core, CellId> = BTreeMap::new();
        let mut result = Vec::with_capacity(body.len());
        for stmt in std::mem::take(body) {
            let term = match &stmt {
                Stmt::Add(cell, value) if !touched.contains(cell) => {
                    Some((*cell, peel(&definitions, *value)))
                }
                _ => None,
            };
            match term {
                Some((cell, Some(term))) if !term.factors.is_empty() || term.negated => {
                    let sum = match sums.get(&term.core) {
                        Some(&sum) => sum,
                        None => {
                            let sum = self.sum(term.core, &mut before, &mut result);
                            sums.insert(term.core, sum);
                            sum
                        }
                    };
                    self.scaled(cell, sum, &term, &mut after);
                }
                _ => result.push(stmt),
            }
        }
        *body = result;
        (before, after)
    }

    /// A new sum of a core over the loop.
    fn sum(&mut self, core: Core, before: &mut Vec<Stmt>, body: &mut Vec<Stmt>) -> CellId {
        let cell = CellId(self.procedure.cells.len() as u32);
        self.procedure.cells.push(Cell {
            name: "sum".to_string(),
            kind: Kind::Real,
        });
        let zero = self.procedure.fresh(Kind::Real);
        before.push(Stmt::Let(zero, Op::Real(0.0)));
        before.push(Stmt::Set(cell, zero));
        let value = match core {
            Core::Value(value) => value,
            Core::Square(value) => self.emit(Prim::Square, vec![value], body),
            Core::Product(a, b) => self.emit(Prim::Mul, vec![a, b], body),
        };
        body.push(Stmt::Add(cell, value));
        cell
    }

    /// `cell += ± factors · sum`
    fn scaled(&mut self, cell: CellId, sum: CellId, term: &Term, after: &mut Vec<Stmt>) {
        let mut value = self.procedure.fresh(Kind::Real);
        after.push(Stmt::Let(value, Op::Get(sum)));
        for &factor in &term.factors {
            value = self.emit(Prim::Mul, vec![value, factor], after);
        }
        if term.negated {
            value = self.emit(Prim::Neg, vec![value], after);
        }
        after.push(Stmt::Add(cell, value));
    }

    fn emit(&mut self, prim: Prim, args: Vec<ValueId>, code: &mut Vec<Stmt>) -> ValueId {
        let value = self.procedure.fresh(Kind::Real);
        code.push(Stmt::Let(value, Op::Prim(prim, args)));
        value
    }
}

/// Takes the invariant factors out of a value of the body; `None` if nothing but factors is left.
fn peel(definitions: &Definitions, value: ValueId) -> Option<Term> {
    let whole = || {
        Some(Term {
            negated: false,
            factors: Vec::new(),
            core: Core::Value(value),
        })
    };
    match definitions.get(&value)? {
        Op::Prim(Prim::Neg, args) => {
            let term = peel(definitions, args[0])?;
            Some(Term {
                negated: !term.negated,
                ..term
            })
        }
        Op::Prim(Prim::Mul, args) => {
            let (a, b) = (args[0], args[1]);
            match (definitions.contains_key(&a), definitions.contains_key(&b)) {
                (true, false) => with_factor(peel(definitions, a)?, b),
                (false, true) => with_factor(peel(definitions, b)?, a),
                _ => product(peel(definitions, a)?, peel(definitions, b)?).or_else(whole),
            }
        }
        Op::Prim(Prim::Square, args) => {
            let term = peel(definitions, args[0])?;
            let Core::Value(core) = term.core else {
                return whole();
            };
            let factors = term.factors.iter().chain(&term.factors).copied().collect();
            Some(Term {
                negated: false,
                factors,
                core: Core::Square(core),
            })
        }
        _ => whole(),
    }
}

fn with_factor(mut term: Term, factor: ValueId) -> Option<Term> {
    term.factors.push(factor);
    Some(term)
}

/// The product of two terms, if their cores are plain values.
fn product(a: Term, b: Term) -> Option<Term> {
    let (Core::Value(x), Core::Value(y)) = (a.core, b.core) else {
        return None;
    };
    let core = match x.cmp(&y) {
        std::cmp::Ordering::Equal => Core::Square(x),
        std::cmp::Ordering::Less => Core::Product(x, y),
        std::cmp::Ordering::Greater => Core::Product(y, x),
    };
    let factors = a.factors.into_iter().chain(b.factors).collect();
    Some(Term {
        negated: a.negated != b.negated,
        factors,
        core,
    })
}
