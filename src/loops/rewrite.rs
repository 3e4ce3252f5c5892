//! Walks over the values that statements read and define, to look or to rename.

use super::{BufferId, Op, Slice, Stmt, ValueId};
use std::collections::BTreeSet;

/// Calls `visit` for every value that a statement itself (not what is inside it) reads.
pub fn for_each_operand(stmt: &Stmt, visit: &mut dyn FnMut(ValueId)) {
    // One list of operands serves looking and renaming: looking renames a copy to itself.
    let mut head = head_of(stmt);
    rename_head(&mut head, &mut |value| {
        visit(value);
        value
    });
}

/// The statement without what is inside it.
fn head_of(stmt: &Stmt) -> Stmt {
    match stmt {
        Stmt::For {
            var,
            start,
            end,
            reverse,
            ..
        } => Stmt::For {
            var: *var,
            start: *start,
            end: *end,
            reverse: *reverse,
            body: Vec::new(),
        },
        Stmt::If { condition, .. } => Stmt::If {
            condition: *condition,
            then: Vec::new(),
            otherwise: Vec::new(),
        },
        Stmt::While { condition, .. } => Stmt::While {
            header: Vec::new(),
            condition: *condition,
            body: Vec::new(),
        },
        other => other.clone(),
    }
}

/// Calls `visit` for every value that a statement or one inside it reads, those defined inside it included.
pub fn for_each_operand_inside(stmt: &Stmt, visit: &mut dyn FnMut(ValueId)) {
    for_each_operand(stmt, visit);
    for block in blocks(stmt) {
        for inner in block {
            for_each_operand_inside(inner, visit);
        }
    }
}

/// Calls `visit` for every buffer that a statement itself (not what is inside it) writes.
pub fn for_each_written(stmt: &Stmt, visit: &mut dyn FnMut(BufferId)) {
    match stmt {
        Stmt::Store(buffer, ..) | Stmt::Accumulate(buffer, ..) => visit(*buffer),
        Stmt::Fill(slice, _) | Stmt::PopSlice(slice) => visit(slice.buffer),
        Stmt::Call { outputs, .. } => outputs.iter().for_each(|slice| visit(slice.buffer)),
        _ => {}
    }
}

/// The buffers that statements, or those inside them, write.
pub fn written_in(stmts: &[Stmt]) -> BTreeSet<BufferId> {
    let mut written = BTreeSet::new();
    for stmt in stmts {
        for_each_written(stmt, &mut |buffer| {
            written.insert(buffer);
        });
        for block in blocks(stmt) {
            written.append(&mut written_in(block));
        }
    }
    written
}

/// Whether a round of a loop with this body reads what the one before left in a cell.
pub fn carries(body: &[Stmt]) -> bool {
    let (mut read, mut set) = (BTreeSet::new(), BTreeSet::new());
    for stmt in body {
        match stmt {
            Stmt::Let(_, Op::Get(cell)) if !set.contains(cell) => {
                read.insert(*cell);
            }
            Stmt::Set(cell, _) => {
                set.insert(*cell);
            }
            _ => {}
        }
    }
    !read.is_disjoint(&set)
}

/// The blocks directly inside a statement.
pub fn blocks(stmt: &Stmt) -> impl Iterator<Item = &Vec<Stmt>> {
    let (a, b) = match stmt {
        Stmt::For { body, .. } => (Some(body), None),
        Stmt::If {
            then, otherwise, ..
        } => (Some(then), Some(otherwise)),
        Stmt::While { header, body, .. } => (Some(header), Some(body)),
        _ => (None, None),
    };
    a.into_iter().chain(b)
}

/// The blocks directly inside a statement, to change.
pub fn blocks_mut(stmt: &mut Stmt) -> impl Iterator<Item = &mut Vec<Stmt>> {
    let (a, b) = match stmt {
        Stmt::For { body, .. } => (Some(body), None),
        Stmt::If {
            then, otherwise, ..
        } => (Some(then), Some(otherwise)),
        Stmt::While { header, body, .. } => (Some(header), Some(body)),
        _ => (None, None),
    };
    a.into_iter().chain(b)
}

/// Replaces every value that a statement or one inside it reads.
pub fn rewrite_operands(stmt: &mut Stmt, rename: &mut dyn FnMut(ValueId) -> ValueId) {
    rename_head(stmt, rename);
    for block in blocks_mut(stmt) {
        for inner in block {
            rewrite_operands(inner, rename);
        }
    }
}

/// Replaces every value that a statement itself (not what is inside it) reads.
pub fn rewrite_operands_here(stmt: &mut Stmt, rename: &mut dyn FnMut(ValueId) -> ValueId) {
    rename_head(stmt, rename);
}

/// Replaces every value that a statement or one inside it defines.
pub fn rewrite_definitions(stmt: &mut Stmt, rename: &mut dyn FnMut(ValueId) -> ValueId) {
    match stmt {
        Stmt::Let(value, _) => *value = rename(*value),
        Stmt::For { var, .. } => *var = rename(*var),
        _ => {}
    }
    for block in blocks_mut(stmt) {
        for inner in block {
            rewrite_definitions(inner, rename);
        }
    }
}

/// A `while`'s condition counts as read by the statement itself, though its header defines it.
fn rename_head(stmt: &mut Stmt, rename: &mut dyn FnMut(ValueId) -> ValueId) {
    match stmt {
        Stmt::Let(_, op) => rename_op(op, rename),
        Stmt::Set(_, value) | Stmt::Add(_, value) | Stmt::Push(value) => *value = rename(*value),
        Stmt::Store(_, index, value) | Stmt::Accumulate(_, index, value) => {
            *index = rename(*index);
            *value = rename(*value);
        }
        Stmt::Fill(slice, value) => {
            rename_slice(slice, rename);
            *value = rename(*value);
        }
        Stmt::For { start, end, .. } => {
            *start = rename(*start);
            *end = rename(*end);
        }
        Stmt::If { condition, .. } | Stmt::While { condition, .. } => {
            *condition = rename(*condition)
        }
        Stmt::Call {
            inputs, outputs, ..
        } => {
            inputs
                .iter_mut()
                .chain(outputs)
                .for_each(|slice| rename_slice(slice, rename));
        }
        Stmt::Check { ok, values, .. } => {
            *ok = rename(*ok);
            values.iter_mut().for_each(|value| *value = rename(*value));
        }
        Stmt::Print { values, .. } => values.iter_mut().for_each(|value| *value = rename(*value)),
        Stmt::PushSlice(slice) | Stmt::PopSlice(slice) => rename_slice(slice, rename),
    }
}

fn rename_op(op: &mut Op, rename: &mut dyn FnMut(ValueId) -> ValueId) {
    match op {
        Op::Prim(_, args) | Op::Draw(_, args) => {
            args.iter_mut().for_each(|arg| *arg = rename(*arg))
        }
        Op::Select(condition, then, otherwise) => {
            *condition = rename(*condition);
            *then = rename(*then);
            *otherwise = rename(*otherwise);
        }
        Op::Load(_, index) => *index = rename(*index),
        Op::Real(_) | Op::Int(_) | Op::Get(_) | Op::Pop(_) => {}
    }
}

fn rename_slice(slice: &mut Slice, rename: &mut dyn FnMut(ValueId) -> ValueId) {
    slice.offset = rename(slice.offset);
    slice.rows = rename(slice.rows);
    slice.cols = rename(slice.cols);
}
