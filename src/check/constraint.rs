//! The transforms of parameters: calls of library functions that lead from the unconstrained form to the declared
//! one (adding the Jacobian) and back.

use super::Checker;
use super::declare::Declared;
use super::function::Mode;
use super::promote::{int_constant, prim_call, real_constant};
use crate::builtins::Prim;
use crate::ir::{Constraint, Expr, ExprKind, SizedTy, Stmt, StmtKind, VarId, VarRole, Variable};
use crate::source::Span;
use crate::syntax::ast;
use crate::types::{Level, Ty};

/// How a constrained type is made from an unconstrained one.
struct Transform {
    /// The stem of the library functions: `lower_bound` of `lower_bound_jacobian`, `lower_bound_unconstrain`.
    stem: &'static str,
    /// The unconstrained form of one element of the array, if it is one.
    free: SizedTy,
    /// What both functions take besides the value: bounds.
    bounds: Vec<Expr>,
    /// What the constraining function takes besides: sizes.
    sizes: Vec<Expr>,
}

impl<'a> Checker<'a> {
    /// Declares the unconstrained form of a parameter, with the statements that lead from one to the other.
    pub(super) fn declare_free(
        &mut self,
        name: &'a ast::Identifier,
        variable: VarId,
        declared: &Declared,
    ) -> Option<VarId> {
        let span = name.span;
        let transform = transform(declared, span);
        let sized = match &transform {
            Some(transform) => SizedTy {
                ty: transform.free.ty.clone().array_of(declared.arrays),
                dims: [
                    &declared.sized.dims[..declared.arrays],
                    &transform.free.dims,
                ]
                .concat(),
            },
            None => declared.sized.clone(),
        };
        let free = self.allocate(Variable {
            name: name.name.clone(),
            sized: sized.clone(),
            role: VarRole::Free,
            level: Level::Param,
            constraint: Constraint::None,
            span,
        });
        let from_free = whole(free, sized.ty, span);
        let from_value = whole(variable, declared.sized.ty.clone(), span);
        let (constrained, unconstrained) = match transform {
            None => (from_free, from_value),
            Some(Transform {
                stem,
                bounds,
                sizes,
                ..
            }) => {
                let further = [bounds.clone(), sizes].concat();
                let constrained = self.transformed(stem, "_jacobian", from_free, further, span)?;
                let back = self.transformed(stem, "_unconstrain", from_value, bounds, span)?;
                (constrained, back)
            }
        };
        self.program
            .constrain
            .extend(declared_as(variable, constrained, span));
        self.program
            .unconstrain
            .extend(declared_as(free, unconstrained, span));
        Some(free)
    }

    fn transformed(
        &mut self,
        stem: &str,
        direction: &str,
        value: Expr,
        further: Vec<Expr>,
        span: Span,
    ) -> Option<Expr> {
        let name = format!("{stem}{direction}");
        let mut arguments = vec![value];
        arguments.extend(further);
        let choice = self.choose(&name, &name, &arguments, span)?;
        self.apply(choice, arguments, Mode::Plain, span)
    }
}

/// The value of a whole variable that can depend on parameters.
fn whole(id: VarId, ty: Ty, span: Span) -> Expr {
    Expr {
        kind: ExprKind::Variable(id),
        ty,
        level: Level::Param,
        span,
    }
}

fn declared_as(target: VarId, value: Expr, span: Span) -> [Stmt; 2] {
    let declare = StmtKind::Declare(target);
    let assign = StmtKind::Assign {
        target,
        indices: Vec::new(),
        projections: Vec::new(),
        value,
    };
    [declare, assign].map(|kind| Stmt { kind, span })
}

/// The transform of a declared type; `None` if every value is allowed.
fn transform(declared: &Declared, span: Span) -> Option<Transform> {
    let (_, inner) = declared.sized.ty.array_parts();
    let dims = &declared.sized.dims[declared.arrays..];
    let same = |stem, bounds| Transform {
        stem,
        free: SizedTy {
            ty: inner.clone(),
            dims: dims.to_vec(),
        },
        bounds,
        sizes: Vec::new(),
    };
    let resized = |stem, dims, sizes| Transform {
        stem,
        free: SizedTy {
            ty: Ty::Vector,
            dims: vec![dims],
        },
        bounds: Vec::new(),
        sizes,
    };
    let matrix = |stem, dims| Transform {
        stem,
        free: SizedTy {
            ty: Ty::Matrix,
            dims,
        },
        bounds: Vec::new(),
        sizes: Vec::new(),
    };
    let size = Sizes(span);
    let or = |bound: &Option<Box<Expr>>, default| match bound {
        Some(bound) => (**bound).clone(),
        None => real_constant(default, span),
    };
    Some(match &declared.constraint {
        Constraint::None => return None,
        Constraint::Lower(bound) => same("lower_bound", vec![(**bound).clone()]),
        Constraint::Upper(bound) => same("upper_bound", vec![(**bound).clone()]),
        Constraint::LowerUpper(lower, upper) => same(
            "lower_upper_bound",
            vec![(**lower).clone(), (**upper).clone()],
        ),
        Constraint::OffsetMultiplier(offset, multiplier) => same(
            "offset_multiplier",
            vec![or(offset, 0.0), or(multiplier, 1.0)],
        ),
        Constraint::Ordered => same("ordered", Vec::new()),
        Constraint::PositiveOrdered => same("positive_ordered", Vec::new()),
        Constraint::UnitVector => same("unit_vector", Vec::new()),
        Constraint::Simplex => resized("simplex", size.less_one(&dims[0]), Vec::new()),
        Constraint::SumToZeroVector => resized("sum_to_zero", size.less_one(&dims[0]), Vec::new()),
        Constraint::SumToZeroMatrix => matrix(
            "sum_to_zero_matrix",
            vec![size.less_one(&dims[0]), size.less_one(&dims[1])],
        ),
        Constraint::RowStochasticMatrix => matrix(
            "stochastic_row",
            vec![dims[0].clone(), size.less_one(&dims[1])],
        ),
        Constraint::ColumnStochasticMatrix => matrix(
            "stochastic_column",
            vec![size.less_one(&dims[0]), dims[1].clone()],
        ),
        Constraint::CovMatrix => resized(
            "cov_matrix",
            size.plus(dims[0].clone(), size.below_diagonal(&dims[0])),
            vec![dims[0].clone()],
        ),
        Constraint::CorrMatrix => resized(
            "corr_matrix",
            size.below_diagonal(&dims[0]),
            vec![dims[0].clone()],
        ),
        Constraint::CholeskyFactorCorr => resized(
            "cholesky_factor_corr",
            size.below_diagonal(&dims[0]),
            vec![dims[0].clone()],
        ),
        Constraint::CholeskyFactorCov => resized(
            "cholesky_factor_cov",
            size.lower_trapezoid(dims),
            dims.to_vec(),
        ),
    })
}

/// Arithmetic with sizes.
struct Sizes(Span);

impl Sizes {
    fn of(&self, prim: Prim, left: Expr, right: Expr) -> Expr {
        prim_call(prim, vec![left, right], self.0)
    }

    fn plus(&self, left: Expr, right: Expr) -> Expr {
        self.of(Prim::AddInt, left, right)
    }

    fn less_one(&self, size: &Expr) -> Expr {
        self.of(Prim::SubInt, size.clone(), int_constant(1, self.0))
    }

    /// `K (K - 1) / 2`
    fn below_diagonal(&self, size: &Expr) -> Expr {
        let twice = self.of(Prim::MulInt, size.clone(), self.less_one(size));
        self.of(Prim::DivInt, twice, int_constant(2, self.0))
    }

    /// `N (N + 1) / 2 + (M - N) N` for `M` rows and `N` columns.
    fn lower_trapezoid(&self, dims: &[Expr]) -> Expr {
        let (rows, columns) = (&dims[0], &dims[1]);
        let square = self.plus(columns.clone(), self.below_diagonal(columns));
        let excess = self.of(Prim::SubInt, rows.clone(), columns.clone());
        self.plus(square, self.of(Prim::MulInt, excess, columns.clone()))
    }
}
