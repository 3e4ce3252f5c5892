//! Improvements of procedures: each pass takes a procedure and leaves one that computes the same.

mod alike;
mod carry;
mod common;
mod contract;
mod data;
mod dead;
mod factor;
mod fission;
mod hoist;
mod logistic;
mod memory;
mod nest;
mod repeats;
mod shorten;
mod statistics;
mod straighten;
mod substitute;
mod sums;
mod tabulate;

use crate::loops::{Op, Procedure, Stmt, ValueId, blocks};
use std::collections::BTreeMap;

/// Which passes run: all of them unless someone is looking for the one that is wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Switches {
    /// Short loops are unrolled, and what was just written is not read back from memory.
    pub straighten: bool,
    /// Values that do not change in a loop are computed before it; sums of them become products.
    pub hoist: bool,
    /// What one round of a loop leaves to the next goes there by the shortest way. For gradients: it would be in the way of
    /// differentiation.
    pub carry: bool,
    /// Loops whose rounds wait for each other do nothing else. For gradients: differentiation writes fewer loops of its own.
    pub fission: bool,
    /// Values in loops that depend on data alone become tables.
    pub tabulate: bool,
    /// Equal values are computed once.
    pub common: bool,
    /// Factors that do not change in a loop are taken out of its sums. For gradients: in a density they would hide from
    /// differentiation that a loop only adds to the target.
    pub factor: bool,
    /// Logistic functions share their exponentials, and logarithms have sums of their own. For gradients.
    pub logarithms: bool,
    /// An element that one loop computes for another is computed by the other. Not for gradients, which keep on purpose what
    /// is dear to compute.
    pub substitute: bool,
    /// Sums of squares over rows of data become sums over groups of rows, and rows that the data repeat are counted. For
    /// densities.
    pub statistics: bool,
    /// Products and sums become fused multiply-adds.
    pub contract: bool,
    /// What nothing uses is not computed.
    pub dead: bool,
}

impl Switches {
    /// Every pass.
    pub const ALL: Switches = Switches {
        straighten: true,
        hoist: true,
        carry: true,
        fission: true,
        tabulate: true,
        common: true,
        factor: true,
        logarithms: true,
        substitute: true,
        statistics: true,
        contract: true,
        dead: true,
    };
    /// None: the procedure as it was lowered.
    pub const NONE: Switches = Switches {
        straighten: false,
        hoist: false,
        carry: false,
        fission: false,
        tabulate: false,
        common: false,
        factor: false,
        logarithms: false,
        substitute: false,
        statistics: false,
        contract: false,
        dead: false,
    };
}

/// Runs the passes of a log density, before it is differentiated.
pub fn improve_density(procedure: &mut Procedure, switches: Switches) {
    improve(procedure, switches);
    if switches.statistics && (statistics::summarise(procedure) | repeats::count(procedure)) {
        improve(procedure, switches);
    }
}

/// Runs the passes that only a gradient's code can take, then all others once more.
pub fn improve_gradient(procedure: &mut Procedure, switches: Switches) {
    simplify(procedure, switches);
    if switches.logarithms {
        logistic::expand(procedure);
        sums::separate(procedure);
    }
    if switches.factor {
        factor::factor(procedure);
        alike::join(procedure);
    }
    if switches.carry {
        carry::carry(procedure);
        shorten::shorten(procedure);
    }
    simplify(procedure, switches);
    if switches.fission {
        fission::split(procedure);
    }
    if switches.contract {
        contract::contract(procedure);
    }
    debug_assert_eq!(crate::loops::verify(procedure), Ok(()), "{procedure}");
}

/// Runs the passes that a procedure of values can take.
pub fn improve(procedure: &mut Procedure, switches: Switches) {
    simplify(procedure, switches);
    // What has been substituted may be all that reads other elements.
    while switches.substitute && substitute::substitute(procedure) {
        simplify(procedure, switches);
    }
}

/// Runs the passes that every procedure can take, in an order in which each feeds the next, on it and on those of its systems.
fn simplify(procedure: &mut Procedure, switches: Switches) {
    if switches.straighten {
        straighten::straighten(procedure);
    }
    if switches.common {
        common::merge(procedure);
    }
    if switches.hoist {
        hoist::hoist(procedure);
    }
    if switches.tabulate {
        tabulate::tabulate(procedure);
    }
    if switches.hoist {
        hoist::hoist(procedure);
    }
    if switches.common {
        common::merge(procedure);
    }
    if switches.dead {
        dead::remove(procedure);
    }
    for system in &mut procedure.systems {
        simplify(&mut system.right_side, switches);
        let derivatives = [&mut system.weighted, &mut system.coupled];
        for procedure in derivatives.into_iter().flatten() {
            simplify(procedure, switches);
        }
    }
    debug_assert_eq!(crate::loops::verify(procedure), Ok(()), "{procedure}");
}

/// The operations of the values that a block defines itself.
type Definitions = BTreeMap<ValueId, Op>;

fn definitions(stmts: &[Stmt]) -> Definitions {
    let definition = |stmt: &Stmt| match stmt {
        Stmt::Let(value, op) => Some((*value, op.clone())),
        _ => None,
    };
    stmts.iter().filter_map(definition).collect()
}

/// The integer constants of some code and of the blocks in it.
fn integers(stmts: &[Stmt]) -> BTreeMap<ValueId, i64> {
    let mut found = BTreeMap::new();
    for stmt in stmts {
        if let Stmt::Let(value, Op::Int(constant)) = stmt {
            found.insert(*value, *constant);
        }
        for block in blocks(stmt) {
            found.append(&mut integers(block));
        }
    }
    found
}

/// Whether no statement of a loop's body has a block of its own.
fn is_innermost(body: &[Stmt]) -> bool {
    body.iter().all(|stmt| blocks(stmt).next().is_none())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::builtins::{Kind, Prim};
    use crate::loops::{Builder, Evaluator, Role};

    /// `for i in 0..rounds { total += factor; scaled += factor · data[i] }; scaled += total`, where the factor is the input
    /// and no pass knows the number of rounds.
    fn sums(rounds: i64) -> Procedure {
        let mut build = Builder::new("sums");
        let input = build.buffer("input", Kind::Real, 1, Role::Input(0));
        let data = Role::ConstantReal(vec![1.0, 2.0, 4.0].into());
        let data = build.buffer("data", Kind::Real, 3, data);
        let (total, scaled) = (
            build.cell("total", Kind::Real),
            build.cell("scaled", Kind::Real),
        );
        let count = build.cell("count", Kind::Int);
        let (zero, known) = (build.int(0), build.int(rounds));
        build.push(Stmt::Set(count, known));
        let end = build.get(count);
        let factor = build.load(input, zero);
        build
            .for_loop(zero, end, false, |build, i| -> Result<(), ()> {
                let element = build.load(data, i);
                let product = build.prim(Prim::Mul, &[factor, element]);
                build.push(Stmt::Add(total, factor));
                build.push(Stmt::Add(scaled, product));
                Ok(())
            })
            .unwrap();
        let total = build.define(Kind::Real, Op::Get(total));
        build.push(Stmt::Add(scaled, total));
        let mut procedure = build.finish();
        procedure.result = Some(scaled);
        procedure
    }

    #[test]
    fn sums_of_loops_without_rounds_are_zero_whatever_the_factor() {
        for (rounds, factor, expected) in
            [(3, 10.0, 100.0), (0, 10.0, 0.0), (0, f64::INFINITY, 0.0)]
        {
            let mut procedure = sums(rounds);
            let value =
                |procedure: &Procedure| Evaluator::new(procedure).run(&[&[factor]], &mut [], None);
            assert_eq!(value(&procedure), Ok(expected));
            improve_gradient(&mut procedure, Switches::ALL);
            assert_eq!(value(&procedure), Ok(expected), "{procedure}");
        }
    }
}
