//! What cells and buffers are known to hold at a point of straight-line code, so that reading them needs no memory.

use crate::loops::{BufferId, CellId, Stmt, ValueId, blocks, for_each_written};
use std::collections::BTreeMap;

/// So many elements are remembered; a guess that keeps long straight code from quadratic time.
const MOST_ELEMENTS: usize = 512;

/// A place in a buffer: so far beyond a value (none: beyond 0).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Place {
    /// What is not known of the index.
    pub base: Option<ValueId>,
    /// What is.
    pub constant: i64,
}

/// The values that cells and elements of buffers hold.
#[derive(Clone, Debug, Default)]
pub(super) struct Memory {
    cells: BTreeMap<CellId, ValueId>,
    elements: BTreeMap<(BufferId, Place), ValueId>,
}

impl Memory {
    /// What a cell holds.
    pub fn cell(&self, cell: CellId) -> Option<ValueId> {
        self.cells.get(&cell).copied()
    }

    /// Remembers what a cell holds.
    pub fn set_cell(&mut self, cell: CellId, value: ValueId) {
        self.cells.insert(cell, value);
    }

    /// Forgets a cell.
    pub fn forget_cell(&mut self, cell: CellId) {
        self.cells.remove(&cell);
    }

    /// What an element holds.
    pub fn element(&self, buffer: BufferId, place: Place) -> Option<ValueId> {
        self.elements.get(&(buffer, place)).copied()
    }

    /// Remembers what an element was found to hold.
    pub fn note_element(&mut self, buffer: BufferId, place: Place, value: ValueId) {
        if self.elements.len() >= MOST_ELEMENTS {
            self.elements.clear();
        }
        self.elements.insert((buffer, place), value);
    }

    /// Remembers what an element was given: places that may be the same hold what is not known now.
    pub fn set_element(&mut self, buffer: BufferId, place: Place, value: ValueId) {
        self.disturb(buffer, place);
        self.note_element(buffer, place, value);
    }

    /// Forgets the elements that a write to a place may have changed: itself and those at an unknown distance.
    pub fn disturb(&mut self, buffer: BufferId, place: Place) {
        self.elements
            .retain(|(of, at), _| *of != buffer || at.base == place.base && *at != place);
    }

    /// Forgets a buffer.
    pub fn forget_buffer(&mut self, buffer: BufferId) {
        self.elements.retain(|(of, _), _| *of != buffer);
    }

    /// Forgets all that statements, and those inside them, may change.
    pub fn forget_changes(&mut self, stmts: &[Stmt]) {
        for stmt in stmts {
            if let Stmt::Set(cell, _) | Stmt::Add(cell, _) = stmt {
                self.forget_cell(*cell);
            }
            for_each_written(stmt, &mut |buffer| self.forget_buffer(buffer));
            for block in blocks(stmt) {
                self.forget_changes(block);
            }
        }
    }
}
