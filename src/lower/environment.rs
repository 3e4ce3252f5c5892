//! What each variable is bound to at the current place.

use super::view::{Val, View};
use crate::builtins::Kind;
use crate::interp::Value;
use crate::ir::VarId;
use crate::loops::{CellId, ValueId};
use std::collections::BTreeMap;
use std::rc::Rc;

/// What a variable is bound to.
#[derive(Clone, Debug)]
pub(super) enum Binding {
    /// A value known now: data, loop variables of unrolled loops, locals computed from them.
    Static(Rc<Value>),
    /// A value that is never assigned again: arguments, loop variables, free parameters.
    Fixed(Val),
    /// A scalar variable: its current value if that is known here, and the cell that holds it across control flow.
    Scalar {
        kind: Kind,
        current: Option<ValueId>,
        cell: Option<CellId>,
    },
    /// A container variable: its storage.
    Storage(Rc<View>),
}

/// The variables of one running function, or of the program.
#[derive(Clone, Debug, Default)]
pub(super) struct Environment {
    bindings: BTreeMap<VarId, Binding>,
}

impl Environment {
    pub fn get(&self, var: VarId) -> Option<&Binding> {
        self.bindings.get(&var)
    }

    pub fn set(&mut self, var: VarId, binding: Binding) {
        self.bindings.insert(var, binding);
    }

    /// Gives a scalar variable its value.
    pub fn set_current(&mut self, var: VarId, value: Option<ValueId>) {
        if let Some(Binding::Scalar { current, .. }) = self.bindings.get_mut(&var) {
            *current = value;
        }
    }
}
