//! Logistic functions by one exponential.
//!
//! With e = exp(-|x|), log1p_exp(x) is max(x, 0) + log1p(e), inv_logit(x) is 1 or e over 1 + e, and log_sum_exp(a, b) is
//! max(a, b) + log1p(e) for x = a - b. A likelihood with a logit link, or a mixture of two, needs a value and its slope, of
//! x or of -x, and in this form they share all that is expensive. Spelled out, a sum of log1p(e) is a sum of logarithms,
//! which code for many rounds takes as the logarithm of a product.
//!
//! Rewrites only what pays: functions whose x occurs twice, those that a loop only adds up, and every log_sum_exp.

use super::sums::Sums;
use crate::builtins::{Kind, Prim};
use crate::loops::{Op, Procedure, Stmt, ValueId, blocks, blocks_mut};
use std::collections::BTreeMap;

/// Rewrites the logistic functions of a procedure. What they share is computed more than once, for others to merge.
pub(super) fn expand(procedure: &mut Procedure) {
    let mut body = std::mem::take(&mut procedure.body);
    let mut expansion = Expansion {
        roots: BTreeMap::new(),
        occurrences: BTreeMap::new(),
        sums: Sums::of(&body, procedure.values.len()),
        procedure,
    };
    expansion.survey(&body);
    expansion.block(&mut body);
    procedure.body = body;
}

/// A number but for its sign, which -x and the two differences of a and b share.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Root {
    Value(ValueId),
    /// a - b, where a is the earlier value.
    Difference(ValueId, ValueId),
}

impl Root {
    /// a - b, and whether the root is its negative.
    fn difference(a: ValueId, b: ValueId) -> (Root, bool) {
        match a <= b {
            true => (Root::Difference(a, b), false),
            false => (Root::Difference(b, a), true),
        }
    }
}

struct Expansion<'p> {
    procedure: &'p mut Procedure,
    /// What values that are negatives and differences come from, and whether with the opposite sign.
    roots: BTreeMap<ValueId, (Root, bool)>,
    /// How many functions are of each root.
    occurrences: BTreeMap<Root, usize>,
    sums: Sums,
}

/// What functions of one root have in common.
struct Parts {
    size: ValueId,
    is_negative: ValueId,
    zero: ValueId,
    one: ValueId,
    /// exp(-size)
    exp: ValueId,
}

impl Expansion<'_> {
    fn survey(&mut self, stmts: &[Stmt]) {
        for stmt in stmts {
            if let Stmt::Let(value, Op::Prim(prim, args)) = stmt {
                match (prim, args.as_slice()) {
                    (Prim::Neg, &[of]) => {
                        let (root, negated) = self.root(of);
                        self.roots.insert(*value, (root, !negated));
                    }
                    (Prim::Sub, &[a, b]) => {
                        self.roots.insert(*value, Root::difference(a, b));
                    }
                    _ => {}
                }
                if let Some((root, _)) = self.argument(*prim, args) {
                    *self.occurrences.entry(root).or_default() += 1;
                }
            }
            for block in blocks(stmt) {
                self.survey(block);
            }
        }
    }

    fn root(&self, value: ValueId) -> (Root, bool) {
        let own = (Root::Value(value), false);
        self.roots.get(&value).copied().unwrap_or(own)
    }

    /// The x of a logistic function, up to the sign.
    fn argument(&self, prim: Prim, args: &[ValueId]) -> Option<(Root, bool)> {
        match (prim, args) {
            (Prim::Log1pExp | Prim::InvLogit | Prim::LogInvLogit | Prim::Log1mInvLogit, &[x]) => {
                Some(self.root(x))
            }
            (Prim::LogSumExp, &[a, b]) => Some(Root::difference(a, b)),
            _ => None,
        }
    }

    fn block(&mut self, stmts: &mut Vec<Stmt>) {
        let mut result = Vec::with_capacity(stmts.len());
        for mut stmt in std::mem::take(stmts) {
            for block in blocks_mut(&mut stmt) {
                self.block(block);
            }
            if let Stmt::Let(value, Op::Prim(prim, args)) = &stmt
                && let Some((root, negated)) = self.argument(*prim, args)
                && self.pays(*prim, *value, root)
            {
                let parts = self.parts(root, &mut result);
                let op = self.function(*prim, args, &parts, negated, &mut result);
                result.push(Stmt::Let(*value, op));
            } else {
                result.push(stmt);
            }
        }
        *stmts = result;
    }

    fn pays(&self, prim: Prim, value: ValueId, root: Root) -> bool {
        let shared = self.occurrences.get(&root).is_some_and(|count| *count > 1);
        match prim {
            Prim::LogSumExp => true,
            Prim::InvLogit => shared,
            _ => shared || self.sums.is_term(value),
        }
    }

    /// The common parts of functions of a root.
    fn parts(&mut self, root: Root, code: &mut Vec<Stmt>) -> Parts {
        let x = match root {
            Root::Value(value) => value,
            Root::Difference(a, b) => self.real(Prim::Sub, &[a, b], code),
        };
        let [zero, one] = [0.0, 1.0].map(|constant| self.define(Op::Real(constant), code));
        let size = self.real(Prim::Abs, &[x], code);
        let below = self.real(Prim::Neg, &[size], code);
        let exp = self.real(Prim::Exp, &[below], code);
        let is_negative = Op::Prim(Prim::Lt, vec![x, zero]);
        Parts {
            size,
            is_negative: self.define(is_negative, code),
            zero,
            one,
            exp,
        }
    }

    /// The operation that gives the function, of the root or its negative.
    fn function(
        &mut self,
        prim: Prim,
        args: &[ValueId],
        parts: &Parts,
        negated: bool,
        code: &mut Vec<Stmt>,
    ) -> Op {
        match prim {
            Prim::InvLogit => {
                let sum = self.real(Prim::Add, &[parts.one, parts.exp], code);
                let above = self.real(Prim::Inv, &[sum], code);
                let below = self.real(Prim::Mul, &[parts.exp, above], code);
                parts.by_sign(negated, below, above)
            }
            Prim::LogSumExp => {
                // Of equal infinities the difference is NaN.
                let equal = self.define(Op::Prim(Prim::Eq, args.to_vec()), code);
                let exp = self.define(Op::Select(equal, parts.one, parts.exp), code);
                let most = self.define(parts.by_sign(negated, args[1], args[0]), code);
                let log = self.real(Prim::Log1p, &[exp], code);
                Op::Prim(Prim::Add, vec![most, log])
            }
            Prim::Log1pExp => self.softplus(parts, negated, code),
            _ => {
                // log(inv_logit(x)) = -log1p_exp(-x), log(1 - inv_logit(x)) = -log1p_exp(x)
                let softplus = self.softplus(parts, negated ^ (prim == Prim::LogInvLogit), code);
                let softplus = self.define(softplus, code);
                Op::Prim(Prim::Neg, vec![softplus])
            }
        }
    }

    /// log1p_exp
    fn softplus(&mut self, parts: &Parts, negated: bool, code: &mut Vec<Stmt>) -> Op {
        let positive = self.define(parts.by_sign(negated, parts.zero, parts.size), code);
        let log = self.real(Prim::Log1p, &[parts.exp], code);
        Op::Prim(Prim::Add, vec![positive, log])
    }

    fn real(&mut self, prim: Prim, args: &[ValueId], code: &mut Vec<Stmt>) -> ValueId {
        self.define(Op::Prim(prim, args.to_vec()), code)
    }

    fn define(&mut self, op: Op, code: &mut Vec<Stmt>) -> ValueId {
        let kind = match &op {
            Op::Prim(prim, _) => prim.result(),
            _ => Kind::Real,
        };
        let value = self.procedure.fresh(kind);
        code.push(Stmt::Let(value, op));
        value
    }
}

impl Parts {
    /// One of two numbers by the sign of x, which is the root's or, if `negated`, the opposite.
    fn by_sign(&self, negated: bool, below: ValueId, above: ValueId) -> Op {
        match negated {
            false => Op::Select(self.is_negative, below, above),
            true => Op::Select(self.is_negative, above, below),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::{common, dead};
    use super::*;
    use crate::loops::{Builder, Evaluator, Role};

    /// Stores every logistic function of a, -a, a - b and b - a, and log_sum_exp in both orders.
    fn functions() -> Procedure {
        let mut build = Builder::new("functions");
        let input = build.buffer("input", Kind::Real, 2, Role::Input(0));
        let output = build.buffer("output", Kind::Real, 18, Role::Output(0));
        let [zero, one] = [0, 1].map(|k| build.int(k));
        let [a, b] = [zero, one].map(|k| build.load(input, k));
        let minus = build.prim(Prim::Neg, &[a]);
        let [forth, back] = [[a, b], [b, a]].map(|pair| build.prim(Prim::Sub, &pair));
        let mut results = Vec::new();
        for x in [a, minus, forth, back] {
            for prim in [
                Prim::Log1pExp,
                Prim::InvLogit,
                Prim::LogInvLogit,
                Prim::Log1mInvLogit,
            ] {
                results.push(build.prim(prim, &[x]));
            }
        }
        for pair in [[a, b], [b, a]] {
            results.push(build.prim(Prim::LogSumExp, &pair));
        }
        for (at, result) in (0..).zip(results) {
            let at = build.int(at);
            build.push(Stmt::Store(output, at, result));
        }
        build.finish()
    }

    fn run(procedure: &Procedure, input: [f64; 2]) -> [f64; 18] {
        let mut output = [0.0; 18];
        let mut evaluator = Evaluator::new(procedure);
        let result = evaluator.run(&[&input], &mut [&mut output], None);
        assert!(result.is_ok());
        output
    }

    fn count(procedure: &Procedure, wanted: Prim) -> usize {
        let is_wanted =
            |stmt: &&Stmt| matches!(stmt, Stmt::Let(_, Op::Prim(prim, _)) if *prim == wanted);
        procedure.body.iter().filter(is_wanted).count()
    }

    #[test]
    fn functions_keep_their_values_in_every_corner() {
        let plain = functions();
        let mut expanded = plain.clone();
        expand(&mut expanded);
        common::merge(&mut expanded);
        dead::remove(&mut expanded);
        // Of a and of a - b.
        assert_eq!(count(&expanded, Prim::Exp), 2, "{expanded}");
        assert_eq!(count(&expanded, Prim::InvLogit), 0);
        let numbers = [
            0.0,
            -0.0,
            0.3,
            -1.7,
            40.0,
            -40.0,
            800.0,
            -800.0,
            1e-20,
            f64::MAX,
            f64::MIN,
            f64::INFINITY,
            f64::NEG_INFINITY,
            f64::NAN,
        ];
        for a in numbers {
            for b in numbers {
                let (expected, found) = (run(&plain, [a, b]), run(&expanded, [a, b]));
                for (at, (x, y)) in expected.into_iter().zip(found).enumerate() {
                    let close = (x - y).abs() <= 4e-16 * x.abs();
                    let same = x == y || (x.is_nan() && y.is_nan());
                    assert!(
                        same || close,
                        "function {at} of {a:e} and {b:e}: {x:e} {y:e}"
                    );
                }
            }
        }
    }

    #[test]
    fn a_function_by_itself_is_left_alone() {
        let mut build = Builder::new("single");
        let input = build.buffer("input", Kind::Real, 2, Role::Input(0));
        let [zero, one] = [0, 1].map(|k| build.int(k));
        let total = build.cell("total", Kind::Real);
        for (at, prim) in [(zero, Prim::InvLogit), (one, Prim::Log1pExp)] {
            let x = build.load(input, at);
            let result = build.prim(prim, &[x]);
            build.push(Stmt::Add(total, result));
        }
        let mut procedure = build.finish();
        procedure.result = Some(total);
        expand(&mut procedure);
        assert_eq!(count(&procedure, Prim::Exp), 0);
    }
}
