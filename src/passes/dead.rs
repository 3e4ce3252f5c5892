//! Dead code: values, cells and buffers that nothing visible depends on, systems that nothing solves.

use crate::loops::{
    BufferId, CellId, Intrinsic, LinearAlgebra, Op, Procedure, Role, Stmt, ValueId, blocks,
    blocks_mut, for_each_operand,
};
use crate::shared::Shared;
use std::collections::BTreeSet;

/// Removes what nothing uses.
pub(super) fn remove(procedure: &mut Procedure) {
    let mut live = Live {
        values: vec![false; procedure.values.len()],
        cells: vec![false; procedure.cells.len()],
        buffers: procedure
            .buffers
            .iter()
            .map(|buffer| matches!(buffer.role, Role::Output(_)))
            .collect(),
        changed: true,
    };
    if let Some(result) = procedure.result {
        live.cells[result.0 as usize] = true;
    }
    while live.changed {
        live.changed = false;
        live.block(&procedure.body);
    }
    live.prune(&mut procedure.body);
    live.shrink(procedure);
    remove_systems(procedure);
}

/// Removes the systems that are not solved, such as those of loops that were unrolled after all.
fn remove_systems(procedure: &mut Procedure) {
    if procedure.systems.is_empty() {
        return;
    }
    let mut solved = BTreeSet::new();
    each_system(&mut procedure.body, &mut |system| {
        solved.insert(*system);
    });
    let mut numbers = 0..;
    procedure.systems.retain(|_| {
        numbers
            .next()
            .is_some_and(|number| solved.contains(&number))
    });
    // The numbers that are left, in order, close ranks.
    each_system(&mut procedure.body, &mut |system| {
        *system = solved.range(..*system).count() as u32;
    });
}

/// Visits the number of the system of every call that solves one.
fn each_system(stmts: &mut [Stmt], visit: &mut dyn FnMut(&mut u32)) {
    for stmt in stmts {
        if let Stmt::Call {
            function: Intrinsic::Ode(system),
            ..
        } = stmt
        {
            visit(system);
        }
        for block in blocks_mut(stmt) {
            each_system(block, visit);
        }
    }
}

struct Live {
    values: Vec<bool>,
    cells: Vec<bool>,
    buffers: Vec<bool>,
    changed: bool,
}

impl Live {
    fn value(&mut self, value: ValueId) {
        self.changed |= !std::mem::replace(&mut self.values[value.0 as usize], true);
    }

    fn cell(&mut self, cell: CellId) {
        self.changed |= !std::mem::replace(&mut self.cells[cell.0 as usize], true);
    }

    fn buffer(&mut self, buffer: BufferId) {
        self.changed |= !std::mem::replace(&mut self.buffers[buffer.0 as usize], true);
    }

    fn is_value(&self, value: ValueId) -> bool {
        self.values[value.0 as usize]
    }

    /// Marks what live statements use, last to first so that one round reaches far. Whether the block has a live statement.
    fn block(&mut self, stmts: &[Stmt]) -> bool {
        let mut any = false;
        for stmt in stmts.iter().rev() {
            any |= self.stmt(stmt);
        }
        any
    }

    fn stmt(&mut self, stmt: &Stmt) -> bool {
        let mut live = self.matters(stmt);
        for block in blocks(stmt) {
            live |= self.block(block);
        }
        if !live {
            return false;
        }
        let mut operands = Vec::new();
        for_each_operand(stmt, &mut |value| operands.push(value));
        operands.into_iter().for_each(|value| self.value(value));
        match stmt {
            Stmt::Let(_, Op::Load(buffer, _)) => self.buffer(*buffer),
            Stmt::Let(_, Op::Get(cell)) => self.cell(*cell),
            Stmt::Call { inputs, .. } => inputs.iter().for_each(|slice| self.buffer(slice.buffer)),
            Stmt::PushSlice(slice) => self.buffer(slice.buffer),
            _ => {}
        }
        true
    }

    /// Whether a statement itself has a visible effect, as far as is known by now.
    fn matters(&self, stmt: &Stmt) -> bool {
        match stmt {
            // Draws and pops move a state that others see.
            Stmt::Let(_, Op::Draw(..) | Op::Pop(_)) => true,
            Stmt::Let(value, _) => self.is_value(*value),
            Stmt::Set(cell, _) | Stmt::Add(cell, _) => self.cells[cell.0 as usize],
            Stmt::Store(buffer, ..) | Stmt::Accumulate(buffer, ..) => {
                self.buffers[buffer.0 as usize]
            }
            Stmt::Fill(slice, _) => self.buffers[slice.buffer.0 as usize],
            // A product cannot fail.
            Stmt::Call {
                function: Intrinsic::Forward(LinearAlgebra::Product { .. }),
                outputs,
                ..
            } => outputs
                .iter()
                .any(|slice| self.buffers[slice.buffer.0 as usize]),
            // A failing call is visible.
            Stmt::Call { .. } | Stmt::Check { .. } | Stmt::Print { .. } => true,
            Stmt::Push(_) | Stmt::PushSlice(_) | Stmt::PopSlice(_) => true,
            Stmt::While { .. } => true,
            Stmt::For { .. } | Stmt::If { .. } => false,
        }
    }

    /// Scratch and constants that no statement mentions any more take no memory.
    fn shrink(&self, procedure: &mut Procedure) {
        let mut mentioned = vec![false; procedure.buffers.len()];
        mention(&procedure.body, &mut mentioned);
        for (buffer, mentioned) in procedure.buffers.iter_mut().zip(mentioned) {
            match &mut buffer.role {
                _ if mentioned => continue,
                Role::ConstantReal(contents) => *contents = Shared::default(),
                Role::ConstantInt(contents) => *contents = Shared::default(),
                Role::Work | Role::Zeroed => {}
                Role::Input(_) | Role::Output(_) => continue,
            }
            buffer.len = 0;
        }
    }

    fn prune(&self, stmts: &mut Vec<Stmt>) {
        stmts.retain_mut(|stmt| {
            let keeps = self.matters(stmt);
            let mut inner = false;
            for block in blocks_mut(stmt) {
                self.prune(block);
                inner |= !block.is_empty();
            }
            keeps || inner
        });
    }
}

fn mention(stmts: &[Stmt], mentioned: &mut [bool]) {
    for stmt in stmts {
        match stmt {
            Stmt::Let(_, Op::Load(buffer, _))
            | Stmt::Store(buffer, ..)
            | Stmt::Accumulate(buffer, ..) => {
                mentioned[buffer.0 as usize] = true;
            }
            Stmt::Fill(slice, _) | Stmt::PushSlice(slice) | Stmt::PopSlice(slice) => {
                mentioned[slice.buffer.0 as usize] = true;
            }
            Stmt::Call {
                inputs, outputs, ..
            } => {
                inputs
                    .iter()
                    .chain(outputs)
                    .for_each(|slice| mentioned[slice.buffer.0 as usize] = true);
            }
            _ => {}
        }
        for block in blocks(stmt) {
            mention(block, mentioned);
        }
    }
}
