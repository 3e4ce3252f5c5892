//! Frames: the variables of one running function, or of the program's blocks.

use std::borrow::Cow;

use super::value::Value;
use crate::ir::{Program, Stmt, StmtKind, VarId};

/// Where each variable lives in its frame, so that a call allocates its own function's variables alone.
#[derive(Clone, Debug)]
pub(super) struct Layout {
    /// The slot of each variable within its frame.
    slots: Vec<u32>,
    /// How many slots a frame of each function has.
    functions: Vec<usize>,
    /// How many slots the program's own frame has.
    program: usize,
}

impl Layout {
    pub(super) fn new(program: &Program) -> Layout {
        const UNPLACED: u32 = u32::MAX;
        let mut slots = vec![UNPLACED; program.variables.len()];
        let mut functions = Vec::with_capacity(program.functions.len());
        for function in &program.functions {
            let mut own = function.arguments.clone();
            collect_declared(&function.body, &mut own);
            for (slot, var) in own.iter().enumerate() {
                slots[var.0 as usize] = slot as u32;
            }
            functions.push(own.len());
        }
        let mut program_size = 0;
        for slot in slots.iter_mut().filter(|slot| **slot == UNPLACED) {
            *slot = program_size;
            program_size += 1;
        }
        Layout {
            slots,
            functions,
            program: program_size as usize,
        }
    }

    pub(super) fn slot(&self, var: VarId) -> usize {
        self.slots[var.0 as usize] as usize
    }

    pub(super) fn function_frame<'v>(&self, function: usize) -> Frame<'v> {
        Frame::of_size(self.functions[function])
    }

    pub(super) fn program_frame<'v>(&self) -> Frame<'v> {
        Frame::of_size(self.program)
    }
}

/// The variables that a function's statements bring into being.
fn collect_declared(body: &[Stmt], found: &mut Vec<VarId>) {
    for stmt in body {
        match &stmt.kind {
            StmtKind::Declare(var) => found.push(*var),
            StmtKind::For { var, body, .. } | StmtKind::ForEach { var, body, .. } => {
                found.push(*var);
                collect_declared(body, found);
            }
            StmtKind::While { body, .. } | StmtKind::Block(body) => collect_declared(body, found),
            StmtKind::If {
                then, otherwise, ..
            } => {
                collect_declared(then, found);
                collect_declared(otherwise, found);
            }
            _ => {}
        }
    }
}

/// The values of a frame's variables; a function's arguments are borrowed from its caller where they can be.
#[derive(Debug)]
pub(super) struct Frame<'v> {
    values: Vec<Option<Cow<'v, Value>>>,
}

impl<'v> Frame<'v> {
    pub(super) fn of_size(size: usize) -> Frame<'v> {
        Frame {
            values: vec![None; size],
        }
    }

    pub(super) fn get(&self, slot: usize) -> Option<&Value> {
        self.values[slot].as_deref()
    }

    /// The value for changing it in place (a borrowed one is copied first).
    pub(super) fn get_mut(&mut self, slot: usize) -> Option<&mut Value> {
        self.values[slot].as_mut().map(Cow::to_mut)
    }

    pub(super) fn set(&mut self, slot: usize, value: Cow<'v, Value>) {
        self.values[slot] = Some(value);
    }

    pub(super) fn take(&mut self, slot: usize) -> Option<Value> {
        self.values[slot].take().map(Cow::into_owned)
    }
}
