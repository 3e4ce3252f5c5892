//! Improvements of procedures: each pass takes a procedure and leaves one that computes the same.

mod common;
mod contract;
mod dead;
mod factor;
mod hoist;
mod tabulate;

use crate::loops::Procedure;

/// Which passes run: all of them unless someone is looking for the one that is wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Switches {
    /// Values that do not change in a loop are computed before it; sums of them become products.
    pub hoist: bool,
    /// Values in loops that depend on data alone become tables.
    pub tabulate: bool,
    /// Equal values are computed once.
    pub common: bool,
    /// Factors that do not change in a loop are taken out of its sums. For gradients: in a density they would hide from
    /// differentiation that a loop only adds to the target.
    pub factor: bool,
    /// Products and sums become fused multiply-adds.
    pub contract: bool,
    /// What nothing uses is not computed.
    pub dead: bool,
}

impl Switches {
    /// Every pass.
    pub const ALL: Switches = Switches {
        hoist: true,
        tabulate: true,
        common: true,
        factor: true,
        contract: true,
        dead: true,
    };
    /// None: the procedure as it was lowered.
    pub const NONE: Switches = Switches {
        hoist: false,
        tabulate: false,
        common: false,
        factor: false,
        contract: false,
        dead: false,
    };
}

/// Runs the passes that only a gradient's code can take, then all others once more.
pub fn improve_gradient(procedure: &mut Procedure, switches: Switches) {
    improve(procedure, switches);
    if switches.factor {
        factor::factor(procedure);
    }
    improve(procedure, switches);
    if switches.contract {
        contract::contract(procedure);
    }
    debug_assert_eq!(crate::loops::verify(procedure), Ok(()), "{procedure}");
}

/// Runs the passes, in an order in which each feeds the next, on the procedure and on those of its systems.
pub fn improve(procedure: &mut Procedure, switches: Switches) {
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
        improve(&mut system.right_side, switches);
        if let Some(weighted) = &mut system.weighted {
            improve(weighted, switches);
        }
    }
    debug_assert_eq!(crate::loops::verify(procedure), Ok(()), "{procedure}");
}
