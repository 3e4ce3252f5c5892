//! The typed IR: what the checker makes of a program, every name resolved, every call chosen, every constraint spelled out.
//!
//! It is still the language (containers, functions, blocks) but with nothing left to decide. The interpreter
//! evaluates it as it stands; `lower` specialises it on the data into the loop IR.

mod expr;
mod print;
mod program;
mod stmt;

pub use expr::{Callee, Expr, ExprKind, Index, Lift};
pub use program::{Function, FunctionId, Parameter, Program, SizedTy, VarId, VarRole, Variable};
pub use stmt::{Constraint, Stmt, StmtKind};
