//! Programs, their variables and their functions.

use super::{Constraint, Expr, Stmt};
use crate::source::Span;
use crate::types::{Level, Ty};

/// Names a variable: an index into [`Program::variables`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct VarId(pub u32);

/// Names a function instance: an index into [`Program::functions`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FunctionId(pub u32);

/// Where a variable comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum VarRole {
    /// Declared in `data`.
    Data,
    /// Declared at the top of `transformed data`.
    TransformedData,
    /// The unconstrained form of a parameter: read from the position vector.
    Free,
    /// Declared in `parameters`; assigned from its free form by [`Program::constrain`].
    Parameter,
    /// Declared at the top of `transformed parameters`.
    TransformedParameter,
    /// Declared at the top of `generated quantities`.
    Generated,
    /// A local variable of a block or function.
    Local,
    /// The variable of a `for` loop: assigned by the loop alone.
    Loop,
    /// A function's argument: never assigned.
    Argument,
}

/// A type with its sizes.
#[derive(Clone, Debug, PartialEq)]
pub struct SizedTy {
    /// The type.
    pub ty: Ty,
    /// One integer expression per dimension, arrays first, then rows and columns: as many as `ty.rank()`.
    /// Empty for function arguments and loop variables, whose sizes are those of their values.
    pub dims: Vec<Expr>,
}

/// A variable of the program, of any block or function.
#[derive(Clone, Debug, PartialEq)]
pub struct Variable {
    /// The name as the user wrote it (a free form has its parameter's name).
    pub name: String,
    /// Type and sizes.
    pub sized: SizedTy,
    /// Where it comes from.
    pub role: VarRole,
    /// Whether it can depend on parameters, by the language's static rule.
    pub level: Level,
    /// What its declaration promises (data are validated on reading, transformed variables at their block's end).
    pub constraint: Constraint,
    /// Its name where it is declared.
    pub span: Span,
}

/// A parameter: the variable that the user sees, and its unconstrained form.
#[derive(Clone, Debug, PartialEq)]
pub struct Parameter {
    /// The declared variable.
    pub variable: VarId,
    /// Its free form (role [`VarRole::Free`]), whose scalars, in Stan's order of serialisation, are this parameter's
    /// part of the position vector. Of the same type and sizes where the constraint is none, bounds or offset/multiplier;
    /// a (possibly nested array of) vector otherwise.
    pub free: VarId,
}

/// A function instance: one per combination of argument levels and of "drop constants", so that nothing is left to decide.
#[derive(Clone, Debug, PartialEq)]
pub struct Function {
    /// Its name as called, e.g. `normal_lpdf`.
    pub name: String,
    /// Its arguments' variables (role [`VarRole::Argument`]).
    pub arguments: Vec<VarId>,
    /// What it returns.
    pub result: Ty,
    /// Its body; every path of a non-void function ends in `return` (or an error).
    pub body: Vec<Stmt>,
    /// Whether the user wrote it (error places point into it) or the library did (they point at the call).
    pub from_library: bool,
    /// The name where it is defined.
    pub span: Span,
}

/// A checked program.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct Program {
    /// Every variable.
    pub variables: Vec<Variable>,
    /// Every function instance that is called.
    pub functions: Vec<Function>,
    /// Data, in order of declaration. Sizes use earlier ones.
    pub data: Vec<VarId>,
    /// Transformed data, in order of declaration.
    pub transformed_data: Vec<VarId>,
    /// The statements of `transformed data`, declarations included, ending with validations.
    pub prepare: Vec<Stmt>,
    /// Parameters, in order of declaration.
    pub parameters: Vec<Parameter>,
    /// For each parameter: `Declare`, then an assignment from its free form by a transform of the library, whose
    /// `AddJacobian` statements add the log Jacobian.
    pub constrain: Vec<Stmt>,
    /// The inverse: declares and assigns each free form from its (given) parameter.
    pub unconstrain: Vec<Stmt>,
    /// Transformed parameters, in order of declaration.
    pub transformed_parameters: Vec<VarId>,
    /// The statements of `transformed parameters`, declarations included, ending with validations.
    pub transform: Vec<Stmt>,
    /// The statements of `model`.
    pub model: Vec<Stmt>,
    /// Generated quantities, in order of declaration.
    pub generated_quantities: Vec<VarId>,
    /// The statements of `generated quantities`, declarations included, ending with validations.
    pub generate: Vec<Stmt>,
}

impl Program {
    /// The variable of that id.
    pub fn variable(&self, id: VarId) -> &Variable {
        &self.variables[id.0 as usize]
    }

    /// The function of that id.
    pub fn function(&self, id: FunctionId) -> &Function {
        &self.functions[id.0 as usize]
    }
}
