//! Sums of loops taken apart: a term with a logarithm in it leaves the logarithm to a sum of its own.
//!
//! `s += a - log(b)` becomes `s += a` and `s += -log(b)`. Code for many rounds takes the sum of nothing but logarithms as
//! the logarithm of a product.

use super::{Definitions, definitions, is_innermost};
use crate::builtins::{Kind, Prim};
use crate::loops::{Op, Procedure, Stmt, ValueId, blocks, blocks_mut, for_each_operand_inside};
use std::collections::BTreeSet;

/// Takes logarithms out of the terms of every innermost loop's sums.
pub(super) fn separate(procedure: &mut Procedure) {
    let mut body = std::mem::take(&mut procedure.body);
    let sums = Sums::of(&body, procedure.values.len());
    let separation = &mut Separation { procedure, sums };
    separation.block(&mut body);
    procedure.body = body;
}

struct Separation<'p> {
    procedure: &'p mut Procedure,
    sums: Sums,
}

/// What is added to a sum, or subtracted from it if that is true.
type Term = (ValueId, bool);

impl Separation<'_> {
    fn block(&mut self, stmts: &mut [Stmt]) {
        for stmt in stmts {
            for block in blocks_mut(stmt) {
                self.block(block);
            }
            if let Stmt::For { body, .. } = stmt
                && is_innermost(body)
            {
                self.innermost(body);
            }
        }
    }

    fn innermost(&mut self, body: &mut Vec<Stmt>) {
        let definitions = definitions(body);
        let mut result = Vec::with_capacity(body.len());
        for stmt in std::mem::take(body) {
            let Stmt::Add(cell, value) = stmt else {
                result.push(stmt);
                continue;
            };
            let mut terms = Vec::new();
            self.terms(&definitions, (value, false), &mut terms);
            let is_log = |(value, _): &Term| self.is_log(&definitions, *value);
            let (logs, rest): (Vec<Term>, Vec<Term>) = terms.into_iter().partition(is_log);
            if logs.is_empty() || logs.len() + rest.len() == 1 {
                result.push(stmt);
                continue;
            }
            let sums = logs.into_iter().map(|log| vec![log]).chain([rest]);
            for terms in sums {
                if let Some(sum) = self.sum(terms, &mut result) {
                    result.push(Stmt::Add(cell, sum));
                }
            }
        }
        *body = result;
    }

    /// The terms that a value is the sum of.
    fn terms(&self, definitions: &Definitions, (value, negated): Term, terms: &mut Vec<Term>) {
        let op = definitions.get(&value).filter(|_| self.sums.is_term(value));
        match op {
            Some(Op::Prim(Prim::Add, args)) => {
                self.terms(definitions, (args[0], negated), terms);
                self.terms(definitions, (args[1], negated), terms);
            }
            Some(Op::Prim(Prim::Sub, args)) => {
                self.terms(definitions, (args[0], negated), terms);
                self.terms(definitions, (args[1], !negated), terms);
            }
            Some(Op::Prim(Prim::Neg, args)) => {
                self.terms(definitions, (args[0], !negated), terms);
            }
            _ => terms.push((value, negated)),
        }
    }

    /// Whether a term is a logarithm, or one times something that does not change.
    fn is_log(&self, definitions: &Definitions, value: ValueId) -> bool {
        self.sums.is_term(value)
            && match definitions.get(&value) {
                Some(Op::Prim(Prim::Log | Prim::Log1p, _)) => true,
                Some(op @ Op::Prim(Prim::Mul, _)) => parts(definitions, op)
                    .iter()
                    .any(|part| self.is_log(definitions, *part)),
                _ => false,
            }
    }

    /// The sum of some terms; `None` if there are none.
    fn sum(&mut self, terms: Vec<Term>, code: &mut Vec<Stmt>) -> Option<ValueId> {
        let mut sum = None;
        for (value, negated) in terms {
            let op = match (sum, negated) {
                (None, false) => {
                    sum = Some(value);
                    continue;
                }
                (None, true) => Op::Prim(Prim::Neg, vec![value]),
                (Some(sum), false) => Op::Prim(Prim::Add, vec![sum, value]),
                (Some(sum), true) => Op::Prim(Prim::Sub, vec![sum, value]),
            };
            let next = self.procedure.fresh(Kind::Real);
            code.push(Stmt::Let(next, op));
            sum = Some(next);
        }
        sum
    }
}

/// The terms of sums: values that nothing but an addition to a cell uses, by way of sums, differences, negatives and
/// products with something that does not change in the loop.
pub(super) struct Sums {
    uses: Vec<u32>,
    terms: BTreeSet<ValueId>,
}

impl Sums {
    /// The terms of every innermost loop of some code, with so many values in all.
    pub fn of(body: &[Stmt], values: usize) -> Sums {
        let mut uses = vec![0_u32; values];
        for stmt in body {
            for_each_operand_inside(stmt, &mut |value| uses[value.0 as usize] += 1);
        }
        let mut sums = Sums {
            uses,
            terms: BTreeSet::new(),
        };
        sums.survey(body);
        sums
    }

    /// Whether a value is such a term.
    pub fn is_term(&self, value: ValueId) -> bool {
        self.terms.contains(&value)
    }

    fn survey(&mut self, stmts: &[Stmt]) {
        for stmt in stmts {
            for block in blocks(stmt) {
                self.survey(block);
            }
            if let Stmt::For { body, .. } = stmt
                && is_innermost(body)
            {
                self.innermost(body);
            }
        }
    }

    /// Last to first, so that a term is known before what it is made of.
    fn innermost(&mut self, body: &[Stmt]) {
        let definitions = definitions(body);
        for stmt in body.iter().rev() {
            match stmt {
                Stmt::Add(_, value) => self.note(*value),
                Stmt::Let(value, op) if self.is_term(*value) => {
                    for part in parts(&definitions, op) {
                        self.note(part);
                    }
                }
                _ => {}
            }
        }
    }

    fn note(&mut self, value: ValueId) {
        if self.uses[value.0 as usize] == 1 {
            self.terms.insert(value);
        }
    }
}

/// What an operation adds up, takes the negative of, or multiplies by something from outside of the body.
fn parts(definitions: &Definitions, op: &Op) -> Vec<ValueId> {
    match op {
        Op::Prim(Prim::Add | Prim::Sub | Prim::Neg, args) => args.clone(),
        Op::Prim(Prim::Mul, args) => {
            let inside = |arg: &&ValueId| definitions.contains_key(arg);
            match args.iter().filter(inside).collect::<Vec<_>>()[..] {
                [part] => vec![*part],
                _ => Vec::new(),
            }
        }
        _ => Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::loops::{Builder, Evaluator, Role};

    /// `total += -(x² - (log(x) + k log1p(x)))`, and a term whose logarithm is stored as well.
    fn mixed(shared: bool) -> Procedure {
        let mut build = Builder::new("mixed");
        let data = Role::ConstantReal(vec![0.5, 1.5, 4.0, 9.0].into());
        let data = build.buffer("data", Kind::Real, 4, data);
        let kept = build.buffer("kept", Kind::Real, 4, Role::Output(0));
        let total = build.cell("total", Kind::Real);
        let (zero, end, k) = (build.int(0), build.int(4), build.real(2.5));
        build
            .for_loop(zero, end, false, |build, i| -> Result<(), ()> {
                let x = build.load(data, i);
                let square = build.prim(Prim::Square, &[x]);
                let log = build.prim(Prim::Log, &[x]);
                if shared {
                    build.push(Stmt::Store(kept, i, log));
                }
                let other = build.prim(Prim::Log1p, &[x]);
                let other = build.prim(Prim::Mul, &[k, other]);
                let logs = build.prim(Prim::Add, &[log, other]);
                let term = build.prim(Prim::Sub, &[square, logs]);
                let term = build.prim(Prim::Neg, &[term]);
                build.push(Stmt::Add(total, term));
                Ok(())
            })
            .unwrap();
        let mut procedure = build.finish();
        procedure.result = Some(total);
        procedure
    }

    #[test]
    fn logarithms_get_sums_of_their_own() {
        // A logarithm that is needed anyway is no sum's own.
        for (shared, additions) in [(false, 3), (true, 2)] {
            let plain = mixed(shared);
            let mut separate = plain.clone();
            super::separate(&mut separate);
            let sum = |procedure: &Procedure| {
                let mut kept = [0.0; 4];
                let mut evaluator = Evaluator::new(procedure);
                evaluator.run(&[], &mut [&mut kept], None).unwrap()
            };
            assert!((sum(&plain) - sum(&separate)).abs() < 1e-12);
            let body = separate.body.iter().find_map(|stmt| match stmt {
                Stmt::For { body, .. } => Some(body),
                _ => None,
            });
            let is_addition = |stmt: &&Stmt| matches!(stmt, Stmt::Add(..));
            let found = body.unwrap().iter().filter(is_addition).count();
            assert_eq!(found, additions, "{separate}");
        }
    }
}
