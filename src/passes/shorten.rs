//! Shorter recurrences: what a round of a loop has to wait for from the round before is as few operations as can be.
//!
//! The rounds of a recurrence overlap but for the operations between one round's carried value and the next one's. So
//! factors that do not wait are multiplied with each other first (the adjoint of a recurrence becomes one product with the
//! slope of a round), and where a round squares the root that the round before took, it gets what was under the root.

use super::is_innermost;
use crate::builtins::{Kind, Prim};
use crate::loops::{Cell, CellId, Op, Procedure, Stmt, ValueId, blocks_mut};
use std::collections::{BTreeMap, BTreeSet};

/// Shortens the recurrences of every loop without blocks in it.
pub(super) fn shorten(procedure: &mut Procedure) {
    let mut body = std::mem::take(&mut procedure.body);
    block(procedure, &mut body);
    procedure.body = body;
}

fn block(procedure: &mut Procedure, stmts: &mut Vec<Stmt>) {
    let mut result = Vec::with_capacity(stmts.len());
    for mut stmt in std::mem::take(stmts) {
        for inner in blocks_mut(&mut stmt) {
            block(procedure, inner);
        }
        if let Stmt::For { body, .. } = &mut stmt
            && is_innermost(body)
        {
            let carried = carried(body);
            for (&cell, &(before, after)) in &carried {
                forward_square(procedure, cell, before, after, body, &mut result);
            }
            if !carried.is_empty() {
                gather_factors(procedure, &carried, body);
            }
        }
        result.push(stmt);
    }
    *stmts = result;
}

/// The cells that hand a real from round to round, with the value at a round's start and the one at its end: read once, at
/// first, and set once.
fn carried(body: &[Stmt]) -> BTreeMap<CellId, (ValueId, ValueId)> {
    let mut uses: BTreeMap<CellId, (Vec<ValueId>, Vec<ValueId>)> = BTreeMap::new();
    let mut others = BTreeSet::new();
    for stmt in body {
        match stmt {
            Stmt::Let(value, Op::Get(cell)) => {
                let of_cell = uses.entry(*cell).or_default();
                if !of_cell.1.is_empty() {
                    others.insert(*cell);
                }
                of_cell.0.push(*value);
            }
            Stmt::Set(cell, value) => uses.entry(*cell).or_default().1.push(*value),
            Stmt::Add(cell, _) => {
                others.insert(*cell);
            }
            _ => {}
        }
    }
    uses.into_iter()
        .filter(|(cell, _)| !others.contains(cell))
        .filter_map(
            |(cell, uses)| match (uses.0.as_slice(), uses.1.as_slice()) {
                (&[before], &[after]) => Some((cell, (before, after))),
                _ => None,
            },
        )
        .collect()
}

/// `square(x)` of a carried `x = sqrt(u)` is the u of the round before; NaN where u is negative, as the root was.
fn forward_square(
    procedure: &mut Procedure,
    cell: CellId,
    before: ValueId,
    after: ValueId,
    body: &mut Vec<Stmt>,
    outside: &mut Vec<Stmt>,
) {
    let under = body.iter().find_map(|stmt| match stmt {
        Stmt::Let(value, Op::Prim(Prim::Sqrt, args)) if *value == after => Some(args[0]),
        _ => None,
    });
    let is_square = |stmt: &Stmt| matches!(stmt, Stmt::Let(_, Op::Prim(Prim::Square, args)) if args[0] == before);
    let (Some(under), true) = (under, body.iter().any(is_square)) else {
        return;
    };
    let squared = CellId(procedure.cells.len() as u32);
    procedure.cells.push(Cell {
        name: format!("square of {}", procedure.cells[cell.0 as usize].name),
        kind: Kind::Real,
    });
    let [root, square] = [(); 2].map(|()| procedure.fresh(Kind::Real));
    outside.extend([
        Stmt::Let(root, Op::Get(cell)),
        Stmt::Let(square, Op::Prim(Prim::Square, vec![root])),
        Stmt::Set(squared, square),
    ]);
    for stmt in body.iter_mut() {
        if is_square(stmt)
            && let Stmt::Let(_, op) = stmt
        {
            *op = Op::Get(squared);
        }
    }
    let [zero, nan, next] = [(); 3].map(|()| procedure.fresh(Kind::Real));
    let negative = procedure.fresh(Kind::Int);
    body.extend([
        Stmt::Let(zero, Op::Real(0.0)),
        Stmt::Let(nan, Op::Real(f64::NAN)),
        Stmt::Let(negative, Op::Prim(Prim::Lt, vec![under, zero])),
        Stmt::Let(next, Op::Select(negative, nan, under)),
        Stmt::Set(squared, next),
    ]);
}

/// A value as a waiting one times one that does not wait.
#[derive(Clone, Copy)]
struct Scaled {
    waiting: ValueId,
    factor: ValueId,
}

/// Multiplies the factors that do not wait with each other before the one that waits.
fn gather_factors(
    procedure: &mut Procedure,
    carried: &BTreeMap<CellId, (ValueId, ValueId)>,
    body: &mut Vec<Stmt>,
) {
    let mut waiting: BTreeSet<ValueId> = carried.values().map(|(before, _)| *before).collect();
    let mut scaled: BTreeMap<ValueId, Scaled> = BTreeMap::new();
    let mut result = Vec::with_capacity(body.len());
    for mut stmt in std::mem::take(body) {
        if let Stmt::Let(value, op) = &mut stmt
            && procedure.values[value.0 as usize] == Kind::Real
        {
            if let Some(form) = scaled_form(procedure, op, &waiting, &scaled, &mut result) {
                *op = Op::Prim(Prim::Mul, vec![form.waiting, form.factor]);
                scaled.insert(*value, form);
                waiting.insert(*value);
            } else if op
                .operands()
                .iter()
                .any(|operand| waiting.contains(operand))
            {
                waiting.insert(*value);
            }
        }
        result.push(stmt);
    }
    *body = result;
}

/// A product of a waiting value and others as one product with it; code for the others' product goes to `code`.
fn scaled_form(
    procedure: &mut Procedure,
    op: &Op,
    waiting: &BTreeSet<ValueId>,
    scaled: &BTreeMap<ValueId, Scaled>,
    code: &mut Vec<Stmt>,
) -> Option<Scaled> {
    let Op::Prim(prim, args) = op else {
        return None;
    };
    let mut define = |op: Op| {
        let value = procedure.fresh(Kind::Real);
        code.push(Stmt::Let(value, op));
        value
    };
    match (prim, args.as_slice()) {
        (Prim::Mul, &[a, b]) if waiting.contains(&a) != waiting.contains(&b) => {
            let (waits, factor) = if waiting.contains(&a) { (a, b) } else { (b, a) };
            Some(match scaled.get(&waits) {
                Some(inner) => Scaled {
                    waiting: inner.waiting,
                    factor: define(Op::Prim(Prim::Mul, vec![inner.factor, factor])),
                },
                None => Scaled {
                    waiting: waits,
                    factor,
                },
            })
        }
        (Prim::Add, &[a, b]) if a == b && waiting.contains(&a) => {
            let twice = |inner: &Scaled| Op::Prim(Prim::Add, vec![inner.factor, inner.factor]);
            Some(match scaled.get(&a) {
                Some(inner) => Scaled {
                    waiting: inner.waiting,
                    factor: define(twice(inner)),
                },
                None => Scaled {
                    waiting: a,
                    factor: define(Op::Real(2.0)),
                },
            })
        }
        (Prim::Neg, &[a]) => scaled.get(&a).map(|inner| Scaled {
            waiting: inner.waiting,
            factor: define(Op::Prim(Prim::Neg, vec![inner.factor])),
        }),
        _ => None,
    }
}
