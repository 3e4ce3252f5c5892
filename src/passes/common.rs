//! Common subexpressions: of equal pure operations, the first one's result serves all that it is in scope for.

use crate::builtins::Prim;
use crate::loops::{
    BufferId, Op, Procedure, Role, Stmt, ValueId, blocks_mut, rewrite_operands_here,
};
use std::collections::BTreeMap;

/// What makes two operations equal.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Key {
    Prim(Prim, Vec<ValueId>),
    Select(ValueId, ValueId, ValueId),
    Load(BufferId, ValueId),
    Real(u64),
    Int(i64),
}

/// Merges equal values of a procedure.
pub(super) fn merge(procedure: &mut Procedure) {
    let fixed = procedure
        .buffers
        .iter()
        .map(|buffer| {
            matches!(
                buffer.role,
                Role::ConstantReal(_) | Role::ConstantInt(_) | Role::Input(_)
            )
        })
        .collect();
    let mut merger = Merger {
        fixed,
        same: BTreeMap::new(),
        known: Vec::new(),
    };
    let mut body = std::mem::take(&mut procedure.body);
    merger.block(&mut body);
    procedure.body = body;
}

struct Merger {
    /// Per buffer: whether its contents never change.
    fixed: Vec<bool>,
    /// What stands for a removed value.
    same: BTreeMap<ValueId, ValueId>,
    /// The operations in scope, innermost block last.
    known: Vec<BTreeMap<Key, ValueId>>,
}

impl Merger {
    fn block(&mut self, stmts: &mut Vec<Stmt>) {
        self.known.push(BTreeMap::new());
        self.statements(stmts);
        self.known.pop();
    }

    fn statements(&mut self, stmts: &mut Vec<Stmt>) {
        stmts.retain_mut(|stmt| {
            // A `while`'s condition is defined in its header: renamed after that.
            if let Stmt::While {
                header,
                condition,
                body,
            } = stmt
            {
                self.known.push(BTreeMap::new());
                self.statements(header);
                *condition = self.same.get(condition).copied().unwrap_or(*condition);
                self.block(body);
                self.known.pop();
                return true;
            }
            rewrite_operands_here(stmt, &mut |value| {
                self.same.get(&value).copied().unwrap_or(value)
            });
            if let Stmt::Let(value, op) = stmt
                && let Some(key) = self.key(op)
            {
                if let Some(&earlier) = self.known.iter().rev().find_map(|scope| scope.get(&key)) {
                    self.same.insert(*value, earlier);
                    return false;
                }
                if let Some(scope) = self.known.last_mut() {
                    scope.insert(key, *value);
                }
            }
            for block in blocks_mut(stmt) {
                self.block(block);
            }
            true
        });
    }

    fn key(&self, op: &Op) -> Option<Key> {
        match op {
            Op::Prim(prim, args) => {
                let mut args = args.clone();
                if is_commutative(*prim) {
                    args.sort_unstable();
                }
                Some(Key::Prim(*prim, args))
            }
            Op::Select(condition, then, otherwise) => {
                Some(Key::Select(*condition, *then, *otherwise))
            }
            Op::Load(buffer, index) if self.fixed[buffer.0 as usize] => {
                Some(Key::Load(*buffer, *index))
            }
            Op::Real(constant) => Some(Key::Real(constant.to_bits())),
            Op::Int(constant) => Some(Key::Int(*constant)),
            _ => None,
        }
    }
}

fn is_commutative(prim: Prim) -> bool {
    matches!(
        prim,
        Prim::Add | Prim::Mul | Prim::AddInt | Prim::MulInt | Prim::AndInt | Prim::OrInt
    )
}
