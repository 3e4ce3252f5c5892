//! What is added to the log density: term by term, so that each can be hoisted, dropped or fused on its own.

use super::call::Returns;
use super::outcome::Lowered;
use super::procedure::Lowering;
use crate::builtins::{Container, Prim};
use crate::ir::{Callee, Expr, ExprKind, Lift};
use crate::loops::{Stmt, ValueId};

impl Lowering<'_> {
    /// Adds an expression's scalars to the log density (or subtracts them), each additive term by itself.
    pub fn add_terms(&mut self, expr: &Expr, negated: bool) -> Lowered<()> {
        match &expr.kind {
            ExprKind::Call(Callee::Prim(Prim::Add), args) if expr.ty.is_scalar() => {
                self.add_terms(&args[0], negated)?;
                self.add_terms(&args[1], negated)
            }
            ExprKind::Call(Callee::Prim(Prim::Sub), args) if expr.ty.is_scalar() => {
                self.add_terms(&args[0], negated)?;
                self.add_terms(&args[1], !negated)
            }
            ExprKind::Call(Callee::Prim(Prim::Neg), args) if expr.ty.is_scalar() => {
                self.add_terms(&args[0], !negated)
            }
            ExprKind::Call(Callee::Container(Container::Sum), args) if expr.ty.is_scalar() => {
                self.add_terms(&args[0], negated)
            }
            ExprKind::Call(Callee::Function(id, lift), args)
                if self.program.function(*id).result.is_scalar() && self.known(expr).is_none() =>
            {
                let id = *id;
                match lift {
                    Lift::Whole => {
                        let values = self.arguments(args)?;
                        self.invoke(id, values, Returns::Target { negated }, expr.span)?;
                        Ok(())
                    }
                    Lift::Sum | Lift::Each => {
                        let lifted = self.prepare_lift(id, args, expr)?;
                        self.run_lift(&lifted, &mut |lowering, values, _| {
                            lowering.invoke(id, values, Returns::Target { negated }, expr.span)?;
                            Ok(())
                        })
                    }
                }
            }
            _ if expr.ty.is_scalar() => {
                let value = self.scalar(expr)?;
                self.add_value(value, negated);
                Ok(())
            }
            _ => {
                let view = self.view(expr)?;
                let (ty, dims) = (view.ty.clone(), view.dims.clone());
                self.for_each_index(&ty, &dims, &mut |lowering, indexes| {
                    let value = lowering.element(&view, indexes)?;
                    lowering.add_value(value, negated);
                    Ok(())
                })
            }
        }
    }

    fn add_value(&mut self, value: ValueId, negated: bool) {
        let value = self.real_value(value);
        let value = if negated {
            self.prim(Prim::Neg, &[value])
        } else {
            value
        };
        self.builder.push(Stmt::Add(self.target, value));
    }
}
