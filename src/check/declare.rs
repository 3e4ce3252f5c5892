//! Declarations: types with sizes and constraints, and the variables of each block.

use super::Checker;
use super::frame::Place;
use super::function::{base_ty, is_supported};
use super::mention::mentions;
use super::operator::container_call;
use super::promote::{int_constant, promote, promotions, real_constant, with_scalar};
use super::scope::Binding;
use crate::builtins::Container;
use crate::diag::{Code, Diagnostic};
use crate::ir::{
    Constraint, Expr, ExprKind, Parameter, SizedTy, Stmt, StmtKind, VarId, VarRole, Variable,
};
use crate::source::Span;
use crate::syntax::ast::{self, BaseType, Bounds, TypeKind};
use crate::types::{Level, Ty};

/// Words that Stan reserves for later, or takes from C++.
const RESERVED: [&str; 15] = [
    "auto",
    "export",
    "extern",
    "false",
    "generated",
    "quantities",
    "repeat",
    "static",
    "struct",
    "then",
    "transformed",
    "true",
    "typedef",
    "until",
    "var",
];

/// A declared type with everything it promises.
#[derive(Clone, Debug)]
pub(super) struct Declared {
    /// Type and sizes.
    pub sized: SizedTy,
    /// The constraint.
    pub constraint: Constraint,
    /// How many of the dimensions are arrays.
    pub arrays: usize,
    /// The parts of a tuple; of an array of tuples those of its elements.
    pub parts: Vec<Declared>,
}

impl<'a> Checker<'a> {
    /// Data are given: the declaration is all there is to them.
    pub(super) fn declare_data(&mut self, written: &'a ast::Declaration) {
        let declared = self.declared(&written.type_spec);
        for declarator in &written.declarators {
            if let Some(id) = self.declare(&declarator.name, declared.as_ref(), VarRole::Data) {
                self.program.data.push(id);
            }
        }
    }

    /// Parameters come with their unconstrained form and the transforms between the two.
    pub(super) fn declare_parameters(&mut self, written: &'a ast::Declaration) {
        let declared = self.declared(&written.type_spec);
        let integer = declared
            .as_ref()
            .is_some_and(|declared| holds_integers(&declared.sized.ty));
        if integer {
            self.report_integer_parameter(written.span);
        }
        for declarator in &written.declarators {
            let name = &declarator.name;
            let id = self.declare(name, declared.as_ref(), VarRole::Parameter);
            if let (Some(variable), Some(declared), false) = (id, &declared, integer)
                && let Some(free) = self.declare_free(name, variable, declared)
            {
                self.program.parameters.push(Parameter { variable, free });
            }
        }
    }

    fn report_integer_parameter(&mut self, span: Span) {
        self.report(
            Diagnostic::error(
                Code::IntegerParameter,
                "parameters cannot be integers",
                span,
                "",
            )
            .with_note("Gradients move parameters continuously, so they are real, and so is everything at the top of transformed parameters.")
            .with_hint("declare it real, or sum an integer parameter out of the model"),
        );
    }

    /// A declaration among statements.
    pub(super) fn declaration(&mut self, written: &'a ast::Declaration, out: &mut Vec<Stmt>) {
        let role = self.role_of_new_variable();
        let declared = self.declared(&written.type_spec);
        if role == VarRole::TransformedParameter
            && declared
                .as_ref()
                .is_some_and(|declared| holds_integers(&declared.sized.ty))
        {
            self.report_integer_parameter(written.span);
        }
        for declarator in &written.declarators {
            let id = self.declare(&declarator.name, declared.as_ref(), role);
            let initial = declarator
                .initial
                .as_ref()
                .map(|initial| self.value(initial));
            let Some(id) = id else { continue };
            let span = declarator.name.span;
            self.enter_output(id, role);
            out.push(Stmt {
                kind: StmtKind::Declare(id),
                span,
            });
            let initial = match (initial, &declared) {
                (Some(initial), _) => initial,
                (None, Some(declared)) if !declared.parts.is_empty() => Some(unset(declared, span)),
                (None, _) => None,
            };
            if let Some(initial) = initial {
                self.assign_whole(id, initial, written.span, out);
            }
        }
    }

    fn role_of_new_variable(&self) -> VarRole {
        if !self.scopes.at_top() {
            return VarRole::Local;
        }
        match self.frame.place {
            Place::TransformedData => VarRole::TransformedData,
            Place::TransformedParameters => VarRole::TransformedParameter,
            Place::Generated => VarRole::Generated,
            _ => VarRole::Local,
        }
    }

    /// Puts the variable on its block's list of outputs.
    fn enter_output(&mut self, id: VarId, role: VarRole) {
        match role {
            VarRole::TransformedData => self.program.transformed_data.push(id),
            VarRole::TransformedParameter => self.program.transformed_parameters.push(id),
            VarRole::Generated => self.program.generated_quantities.push(id),
            _ => {}
        }
    }

    /// Empties the block's list of outputs before another round.
    pub(super) fn forget_outputs(&mut self, place: Place) {
        match place {
            Place::TransformedData => self.program.transformed_data.clear(),
            Place::TransformedParameters => self.program.transformed_parameters.clear(),
            Place::Generated => self.program.generated_quantities.clear(),
            _ => {}
        }
    }

    /// A block ends by checking what its variables promise.
    pub(super) fn append_validations(&self, place: Place, out: &mut Vec<Stmt>) {
        let outputs = match place {
            Place::TransformedData => &self.program.transformed_data,
            Place::TransformedParameters => &self.program.transformed_parameters,
            Place::Generated => &self.program.generated_quantities,
            _ => return,
        };
        out.extend(outputs.iter().filter_map(|&id| {
            let variable = self.variable(id);
            let promises = !matches!(
                variable.constraint,
                Constraint::None | Constraint::OffsetMultiplier(..)
            );
            promises.then_some(Stmt {
                kind: StmtKind::Validate(id),
                span: variable.span,
            })
        }));
    }

    /// Makes a name visible; with no type (its declaration was at fault) its uses stay silent.
    fn declare(
        &mut self,
        name: &'a ast::Identifier,
        declared: Option<&Declared>,
        role: VarRole,
    ) -> Option<VarId> {
        let id = declared.map(|declared| {
            self.allocate(Variable {
                name: name.name.clone(),
                sized: declared.sized.clone(),
                role,
                level: self.level_of_new_variable(&declared.sized.ty, role),
                constraint: declared.constraint.clone(),
                span: name.span,
            })
        });
        self.bind(name, id);
        id
    }

    /// Makes a name visible, unless a visible variable has it already.
    pub(super) fn bind(&mut self, name: &'a ast::Identifier, variable: Option<VarId>) {
        self.verify_name(name);
        if let Some(earlier) = self.scopes.find(&name.name) {
            let earlier = earlier.span;
            self.report(
                Diagnostic::error(
                    Code::Redeclared,
                    format!("`{}` is already declared", name.name),
                    name.span,
                    "second declaration",
                )
                .with_secondary(earlier, "the first one")
                .with_hint("choose another name"),
            );
        }
        self.scopes.bind(Binding {
            name: &name.name,
            variable,
            span: name.span,
        });
    }

    /// Reports words that cannot be names although the grammar has no use for them: Stan compiles to C++, and programs
    /// for `hlm` stay valid there.
    pub(super) fn verify_name(&mut self, name: &ast::Identifier) {
        if name.name.ends_with("_lupdf") || name.name.ends_with("_lupmf") {
            let title = format!("`{}` ends like a density without constants", name.name);
            self.report(
                Diagnostic::error(Code::ReservedName, title, name.span, "")
                    .with_note("The endings _lupdf and _lupmf are for calls of functions."),
            );
        }
        if RESERVED.contains(&name.name.as_str()) {
            let title = format!("`{}` is reserved and cannot be a name", name.name);
            self.report(
                Diagnostic::error(Code::ReservedWord, title, name.span, "")
                    .with_hint(format!("add a letter: `{}_`", name.name)),
            );
        }
    }

    /// The level before anything is assigned. Real variables of model code count as parameters whatever they hold,
    /// as in Stan; integers and the library's variables have the level of what is assigned to them.
    fn level_of_new_variable(&self, ty: &Ty, role: VarRole) -> Level {
        match role {
            VarRole::Data => Level::Data,
            VarRole::Parameter | VarRole::Free => Level::Param,
            _ if ty.scalar() == Ty::Int => Level::Data,
            _ => self.frame.usual_level,
        }
    }

    /// A written type.
    pub(super) fn declared(&mut self, written: &'a ast::TypeSpec) -> Option<Declared> {
        let declared = self.declared_parts(written)?;
        let fits = self.verify_bound_types(&declared.constraint, &declared.sized.ty);
        fits.then_some(declared)
    }

    fn declared_parts(&mut self, written: &'a ast::TypeSpec) -> Option<Declared> {
        match &written.kind {
            TypeKind::Array { sizes, element } => {
                let outer = self.sizes(sizes);
                let element = self.declared_parts(element);
                let (mut dims, element) = (outer?, element?);
                let arrays = dims.len();
                dims.extend(element.sized.dims);
                let ty = element.sized.ty.array_of(arrays);
                Some(Declared {
                    sized: SizedTy { ty, dims },
                    constraint: element.constraint,
                    arrays,
                    parts: element.parts,
                })
            }
            TypeKind::Tuple(parts) => self.declared_tuple(parts, written.span),
            TypeKind::Basic {
                base,
                bounds,
                sizes,
            } => {
                let ty = base_ty(*base);
                if !is_supported(&ty) {
                    return self.unsupported("complex numbers are", written.span);
                }
                let dims = self.sizes(sizes);
                let constraint = self.constraint(*base, bounds, &ty);
                Some(Declared {
                    sized: SizedTy {
                        ty,
                        dims: all_dims(*base, dims?),
                    },
                    constraint: constraint?,
                    arrays: 0,
                    parts: Vec::new(),
                })
            }
        }
    }

    fn declared_tuple(&mut self, parts: &'a [ast::TypeSpec], span: Span) -> Option<Declared> {
        if matches!(self.frame.place, Place::Data | Place::Parameters) {
            let what = format!("tuples in {} are", self.frame.place.describe());
            return self.unsupported(&what, span);
        }
        let parts: Vec<Option<Declared>> = parts.iter().map(|part| self.declared(part)).collect();
        let parts: Vec<Declared> = parts.into_iter().collect::<Option<_>>()?;
        if parts.iter().any(|part| part.constraint != Constraint::None) {
            return self.unsupported("constraints inside of tuples are", span);
        }
        let types = parts.iter().map(|part| part.sized.ty.clone()).collect();
        Some(Declared {
            sized: SizedTy {
                ty: Ty::Tuple(types),
                dims: Vec::new(),
            },
            constraint: Constraint::None,
            arrays: 0,
            parts,
        })
    }

    /// A bound is one number, or has the type of the whole variable, arrays included.
    fn verify_bound_types(&mut self, constraint: &Constraint, whole: &Ty) -> bool {
        let bounds: Vec<&Expr> = match constraint {
            Constraint::Lower(bound) | Constraint::Upper(bound) => vec![bound],
            Constraint::LowerUpper(lower, upper) => vec![lower, upper],
            Constraint::OffsetMultiplier(offset, multiplier) => {
                offset.iter().chain(multiplier).map(Box::as_ref).collect()
            }
            _ => Vec::new(),
        };
        let real_whole = with_scalar(whole, &Ty::Real);
        let mut fits = true;
        for bound in bounds {
            if bound.ty != Ty::Real && bound.ty != real_whole {
                self.report_bound(bound, whole);
                fits = false;
            }
        }
        fits
    }

    /// Sizes; those of a block's own variables must be known in advance.
    fn sizes(&mut self, written: &'a [ast::Expr]) -> Option<Vec<Expr>> {
        let known = self.scopes.at_top()
            && !matches!(
                self.frame.place,
                Place::Model | Place::Function(_) | Place::Prompt
            );
        let sizes: Vec<Option<Expr>> = written
            .iter()
            .map(|size| {
                let size = self.integer(size, "a size")?;
                if known && !self.is_known_size(&size) {
                    return self.fail(
                        Diagnostic::error(
                            Code::SizeNotData,
                            "the size of this variable is not known before sampling",
                            size.span,
                            "depends on parameters or random numbers",
                        )
                        .with_note("Sizes of variables at the top of a block can use data and transformed data only."),
                    );
                }
                Some(size)
            })
            .collect();
        sizes.into_iter().collect()
    }

    /// Whether a size is known before sampling. As in Stan, even the size of a parameter counts as unknown, except in
    /// generated quantities.
    fn is_known_size(&self, size: &Expr) -> bool {
        let is_parameter = |id| {
            matches!(
                self.variable(id).role,
                VarRole::Parameter | VarRole::TransformedParameter
            )
        };
        let by_name = self.frame.place != Place::Generated && mentions(size, &is_parameter);
        size.level == Level::Data && !by_name
    }

    fn constraint(&mut self, base: BaseType, bounds: &'a Bounds, ty: &Ty) -> Option<Constraint> {
        let boxed = |bound: Option<Option<Expr>>| bound.map(|bound| bound.map(Box::new));
        match bounds {
            Bounds::None => Some(named_constraint(base)),
            Bounds::Interval { lower, upper } => {
                let lower = self.bound(lower.as_deref(), ty);
                let upper = self.bound(upper.as_deref(), ty);
                Some(match (boxed(lower)?, boxed(upper)?) {
                    (Some(lower), Some(upper)) => Constraint::LowerUpper(lower, upper),
                    (Some(lower), None) => Constraint::Lower(lower),
                    (None, Some(upper)) => Constraint::Upper(upper),
                    (None, None) => Constraint::None,
                })
            }
            Bounds::Affine { offset, multiplier } => {
                let offset = self.bound(offset.as_deref(), ty);
                let multiplier = self.bound(multiplier.as_deref(), ty);
                Some(Constraint::OffsetMultiplier(
                    boxed(offset)?,
                    boxed(multiplier)?,
                ))
            }
        }
    }

    /// A bound as a real or a container of reals; `Some(None)` if not written.
    fn bound(&mut self, written: Option<&'a ast::Expr>, ty: &Ty) -> Option<Option<Expr>> {
        let Some(written) = written else {
            return Some(None);
        };
        let bound = self.value(written)?;
        let real = with_scalar(&bound.ty, &Ty::Real);
        let narrows = *ty == Ty::Int && bound.ty == Ty::Real;
        if narrows || promotions(&bound.ty, &real).is_none() {
            self.report_bound(&bound, ty);
            return None;
        }
        Some(Some(promote(bound, &real)))
    }

    fn report_bound(&mut self, bound: &Expr, ty: &Ty) {
        let title = format!("a bound of {ty} cannot be {}", bound.ty);
        self.report(
            Diagnostic::error(Code::BoundType, title, bound.span, "").with_note(
                "A bound is one number for all elements, or has the type of the variable.",
            ),
        );
    }
}

/// Whether a scalar somewhere in the type is an int.
fn holds_integers(ty: &Ty) -> bool {
    match ty.array_parts().1 {
        Ty::Tuple(parts) => parts.iter().any(holds_integers),
        inner => *inner == Ty::Int,
    }
}

/// A value of the declared type and sizes that says nothing yet. Tuples begin with one, as a declaration in the typed IR
/// does not carry the sizes of their parts.
fn unset(declared: &Declared, span: Span) -> Expr {
    let (sizes, inner) = (&declared.sized.dims, declared.sized.ty.array_parts().1);
    let rest = &sizes[declared.arrays..];
    let nothing = real_constant(f64::NAN, span);
    let container = |function, sizes: &[Expr]| {
        let mut arguments = vec![nothing.clone()];
        arguments.extend_from_slice(sizes);
        container_call(function, inner.clone(), arguments, span)
    };
    let element = match inner {
        Ty::Int => int_constant(i64::from(i32::MIN), span),
        Ty::Vector => container(Container::RepVector, rest),
        Ty::RowVector => container(Container::RepRowVector, rest),
        Ty::Matrix => container(Container::RepMatrix, rest),
        Ty::Tuple(_) => {
            let parts: Vec<Expr> = declared
                .parts
                .iter()
                .map(|part| unset(part, span))
                .collect();
            Expr {
                kind: ExprKind::Tuple(parts),
                ty: inner.clone(),
                level: Level::Data,
                span,
            }
        }
        _ => nothing.clone(),
    };
    let arrays = sizes[..declared.arrays].iter().rev();
    arrays.fold(element, |element, size| {
        let ty = element.ty.clone().array_of(1);
        container_call(Container::RepArray, ty, vec![element, size.clone()], span)
    })
}

/// The dimensions that the sizes of a type word stand for.
fn all_dims(base: BaseType, mut sizes: Vec<Expr>) -> Vec<Expr> {
    let square = matches!(
        base,
        BaseType::CovMatrix
            | BaseType::CorrMatrix
            | BaseType::CholeskyFactorCov
            | BaseType::CholeskyFactorCorr
    );
    if square && sizes.len() == 1 {
        sizes.push(sizes[0].clone());
    }
    sizes
}

/// The constraint that a type word is.
fn named_constraint(base: BaseType) -> Constraint {
    match base {
        BaseType::Ordered => Constraint::Ordered,
        BaseType::PositiveOrdered => Constraint::PositiveOrdered,
        BaseType::Simplex => Constraint::Simplex,
        BaseType::UnitVector => Constraint::UnitVector,
        BaseType::SumToZeroVector => Constraint::SumToZeroVector,
        BaseType::SumToZeroMatrix => Constraint::SumToZeroMatrix,
        BaseType::RowStochasticMatrix => Constraint::RowStochasticMatrix,
        BaseType::ColumnStochasticMatrix => Constraint::ColumnStochasticMatrix,
        BaseType::CovMatrix => Constraint::CovMatrix,
        BaseType::CorrMatrix => Constraint::CorrMatrix,
        BaseType::CholeskyFactorCov => Constraint::CholeskyFactorCov,
        BaseType::CholeskyFactorCorr => Constraint::CholeskyFactorCorr,
        BaseType::Int
        | BaseType::Real
        | BaseType::Complex
        | BaseType::Vector
        | BaseType::RowVector
        | BaseType::Matrix
        | BaseType::ComplexVector
        | BaseType::ComplexRowVector
        | BaseType::ComplexMatrix => Constraint::None,
    }
}
