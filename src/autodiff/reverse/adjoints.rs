//! Adjoints: what is added to them, and where they are kept until it is all there.

use super::Reverse;
use crate::autodiff::tree::BlockId;
use crate::builtins::{Kind, Prim};
use crate::loops::{BufferId, CellId, Role, Stmt, ValueId};

impl Reverse<'_> {
    /// Adds to the adjoint of a value of the forward code.
    pub fn contribute(&mut self, value: ValueId, amount: ValueId) {
        if self.is_active(value) {
            let amount = self.unless_it_vanishes(amount);
            self.add_to_adjoint(value, amount);
        }
    }

    /// An amount, or 0 if the adjoint that it comes from is.
    fn unless_it_vanishes(&mut self, amount: ValueId) -> ValueId {
        match self.vanishes {
            Some(vanishes) => {
                let zero = self.real(0.0);
                self.select(vanishes, zero, amount)
            }
            None => amount,
        }
    }

    fn add_to_adjoint(&mut self, value: ValueId, amount: ValueId) {
        if self.analysis.used_inside[value.0 as usize] {
            let cell = self.adjoint_cell(value);
            self.builder.push(Stmt::Add(cell, amount));
        } else {
            let sum = match self.adjoints.get(&value) {
                Some(&before) => self.builder.prim(Prim::Add, &[before, amount]),
                None => amount,
            };
            self.adjoints.insert(value, sum);
        }
    }

    /// Subtracts from the adjoint of a value.
    pub fn contribute_negated(&mut self, value: ValueId, amount: ValueId) {
        if !self.is_active(value) {
            return;
        }
        let amount = self.unless_it_vanishes(amount);
        match self.adjoints.get(&value) {
            Some(&before) if !self.analysis.used_inside[value.0 as usize] => {
                let difference = self.builder.prim(Prim::Sub, &[before, amount]);
                self.adjoints.insert(value, difference);
            }
            _ => {
                let minus = self.builder.prim(Prim::Neg, &[amount]);
                self.add_to_adjoint(value, minus);
            }
        }
    }

    pub(super) fn adjoint_cell(&mut self, value: ValueId) -> CellId {
        match self.adjoint_cells.get(&value) {
            Some(&cell) => cell,
            None => {
                let cell = self
                    .builder
                    .cell(&format!("adjoint of v{}", value.0), Kind::Real);
                self.adjoint_cells.insert(value, cell);
                cell
            }
        }
    }

    /// The adjoint of a value, all contributions made; ready for the next round.
    pub(super) fn take(&mut self, value: ValueId) -> Option<ValueId> {
        if !self.analysis.used_inside[value.0 as usize] {
            return self.adjoints.remove(&value);
        }
        let cell = *self.adjoint_cells.get(&value)?;
        let adjoint = self.builder.get(cell);
        if self.analysis.home[value.0 as usize] != BlockId(0) {
            let zero = self.builder.real(0.0);
            self.builder.push(Stmt::Set(cell, zero));
        }
        Some(adjoint)
    }

    pub(super) fn cell_shadow(&mut self, cell: CellId) -> CellId {
        match self.cell_shadows.get(&cell) {
            Some(&shadow) => shadow,
            None => {
                let name = format!(
                    "adjoint of {}",
                    self.builder.procedure.cells[cell.0 as usize].name
                );
                let shadow = self.builder.cell(&name, Kind::Real);
                self.cell_shadows.insert(cell, shadow);
                shadow
            }
        }
    }

    pub(super) fn buffer_shadow(&mut self, buffer: BufferId) -> BufferId {
        match self.buffer_shadows.get(&buffer) {
            Some(&shadow) => shadow,
            None => {
                let original = &self.builder.procedure.buffers[buffer.0 as usize];
                let name = format!("adjoint of {}", original.name);
                let len = original.len;
                let shadow = self.builder.buffer(&name, Kind::Real, len, Role::Zeroed);
                self.buffer_shadows.insert(buffer, shadow);
                shadow
            }
        }
    }

    pub(super) fn is_active_buffer(&self, buffer: BufferId) -> bool {
        self.analysis.active_buffers[buffer.0 as usize]
    }
}
