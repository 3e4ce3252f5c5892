//! Sums of a loop that get the same terms become one, which is added to each of them behind the loop.
//!
//! `a += x; b += x` becomes `s += x` with `a += s; b += s` afterwards: a likelihood's sum of logarithms, say, is the adjoint of
//! what these are multiplied by. It takes one addition instead of two, and where nothing else needs a logarithm, none of it
//! but the sum.

use super::is_innermost;
use crate::builtins::Kind;
use crate::loops::{Cell, CellId, Op, Procedure, Stmt, ValueId, blocks_mut};
use std::collections::{BTreeMap, BTreeSet};

/// Joins the sums of every innermost loop.
pub(super) fn join(procedure: &mut Procedure) {
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
        let mut behind = Vec::new();
        if let Stmt::For { body, .. } = &mut stmt
            && is_innermost(body)
        {
            for cells in alike(body) {
                let sum = one_sum(procedure, body, &cells, &mut result);
                let total = procedure.fresh(Kind::Real);
                behind.push(Stmt::Let(total, Op::Get(sum)));
                behind.extend(cells.into_iter().map(|cell| Stmt::Add(cell, total)));
            }
        }
        result.push(stmt);
        result.append(&mut behind);
    }
    *stmts = result;
}

/// The cells that a body only adds to, in groups of two or more that get the same values.
fn alike(body: &[Stmt]) -> Vec<Vec<CellId>> {
    let mut terms: BTreeMap<CellId, Vec<ValueId>> = BTreeMap::new();
    let mut others = BTreeSet::new();
    for stmt in body {
        match stmt {
            Stmt::Add(cell, value) => terms.entry(*cell).or_default().push(*value),
            Stmt::Let(_, Op::Get(cell)) | Stmt::Set(cell, _) => {
                others.insert(*cell);
            }
            _ => {}
        }
    }
    let mut groups: BTreeMap<Vec<ValueId>, Vec<CellId>> = BTreeMap::new();
    for (cell, values) in terms {
        if !others.contains(&cell) {
            groups.entry(values).or_default().push(cell);
        }
    }
    groups
        .into_values()
        .filter(|cells| cells.len() > 1)
        .collect()
}

/// Replaces the additions to some cells by those to a new one, which is zero before the loop.
fn one_sum(
    procedure: &mut Procedure,
    body: &mut Vec<Stmt>,
    cells: &[CellId],
    before: &mut Vec<Stmt>,
) -> CellId {
    let sum = CellId(procedure.cells.len() as u32);
    procedure.cells.push(Cell {
        name: "sum of several".to_string(),
        kind: Kind::Real,
    });
    let zero = procedure.fresh(Kind::Real);
    before.extend([Stmt::Let(zero, Op::Real(0.0)), Stmt::Set(sum, zero)]);
    body.retain_mut(|stmt| match stmt {
        Stmt::Add(cell, _) if *cell == cells[0] => {
            *cell = sum;
            true
        }
        Stmt::Add(cell, _) => !cells.contains(cell),
        _ => true,
    });
    sum
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::builtins::Prim;
    use crate::loops::{Builder, Evaluator, Role};

    #[test]
    fn sums_with_the_same_terms_are_one() {
        let mut build = Builder::new("alike");
        let data = Role::ConstantReal(vec![0.5, 1.5, 4.0].into());
        let data = build.buffer("data", Kind::Real, 3, data);
        let sums = build.buffer("sums", Kind::Real, 4, Role::Output(0));
        let cells = ["a", "b", "c", "d"].map(|name| build.cell(name, Kind::Real));
        let [a, b, c, d] = cells;
        let (zero, end, seven) = (build.int(0), build.int(3), build.real(7.0));
        build.push(Stmt::Set(b, seven));
        build
            .for_loop(zero, end, false, |build, i| -> Result<(), ()> {
                let x = build.load(data, i);
                let square = build.prim(Prim::Square, &[x]);
                build.push(Stmt::Add(a, square));
                build.push(Stmt::Add(b, square));
                build.push(Stmt::Add(c, x));
                build.push(Stmt::Add(d, square));
                // What is read in between is a sum of its own.
                let so_far = build.get(d);
                build.push(Stmt::Add(c, so_far));
                Ok(())
            })
            .unwrap();
        for (at, cell) in (0..).zip(cells) {
            let (at, sum) = (build.int(at), build.get(cell));
            build.push(Stmt::Store(sums, at, sum));
        }
        let plain = build.finish();
        let mut joined = plain.clone();
        join(&mut joined);
        let run = |procedure: &Procedure| {
            let mut sums = [0.0; 4];
            let mut evaluator = Evaluator::new(procedure);
            evaluator.run(&[], &mut [&mut sums], None).unwrap();
            sums
        };
        assert_eq!(run(&plain), run(&joined));
        assert_eq!(run(&joined), [18.5, 25.5, 27.25, 18.5]);
        let additions = joined.body.iter().find_map(|stmt| match stmt {
            Stmt::For { body, .. } => Some(body.iter().filter(|it| matches!(it, Stmt::Add(..)))),
            _ => None,
        });
        assert_eq!(additions.unwrap().count(), 4, "{joined}");
    }
}
