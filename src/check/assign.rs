//! Assignments: what can be assigned where, and the value promoted to what it is assigned to.

use super::Checker;
use super::frame::Place;
use super::index::{index_level, indexed_ty, is_single, too_many_indexes};
use super::mention::index_mentions;
use super::promote::{promote, promotions};
use super::scope::nearest;
use crate::diag::{Code, Diagnostic};
use crate::ir::{
    Constraint, Expr, ExprKind, Index, SizedTy, Stmt, StmtKind, VarId, VarRole, Variable,
};
use crate::source::Span;
use crate::syntax::ast::{self, BinaryOp};
use crate::types::Ty;

/// A variable that can be assigned, and the way to the part that is.
struct Destination {
    variable: VarId,
    /// Parts of tuples, from 0, outermost first.
    projections: Vec<usize>,
    indices: Vec<Index>,
    /// The type of the part.
    ty: Ty,
}

impl<'a> Checker<'a> {
    /// An assignment, compound if there is an operator; the value is missing if it was at fault.
    pub(super) fn assign(
        &mut self,
        target: &'a ast::LValue,
        operator: Option<BinaryOp>,
        value: Option<Expr>,
        span: Span,
    ) -> Option<StmtKind> {
        match target {
            ast::LValue::Place(place) => self.assign_place(place, operator, value, span),
            ast::LValue::Tuple { elements, .. } => self.assign_tuple(elements, value?, span),
        }
    }

    fn assign_place(
        &mut self,
        place: &'a ast::Place,
        operator: Option<BinaryOp>,
        value: Option<Expr>,
        span: Span,
    ) -> Option<StmtKind> {
        let destination = self.destination(place)?;
        let mut value = value?;
        if index_mentions(&destination.indices, &|id| id == destination.variable) {
            self.report_index_reads_target(place);
        }
        if let Some(operator) = operator {
            if destination.ty.is_scalar() && is_elementwise(operator) {
                return self.scalar_elementwise(operator, &destination.ty, span);
            }
            let current = self.current_value(&destination, place.span);
            value = self.binary(operator, current, value, span)?;
        }
        let value = self.assignable(value, &destination.ty)?;
        let level = value.level.max(index_level(&destination.indices));
        self.raise(destination.variable, level);
        Some(StmtKind::Assign {
            target: destination.variable,
            indices: destination.indices,
            projections: destination.projections,
            value,
        })
    }

    /// `(a, b) = value`: the value is kept, then each part goes its way.
    fn assign_tuple(
        &mut self,
        elements: &'a [ast::LValue],
        value: Expr,
        span: Span,
    ) -> Option<StmtKind> {
        let types = match &value.ty {
            Ty::Tuple(types) if types.len() == elements.len() => types.clone(),
            ty => {
                let title = format!("{ty} cannot be assigned to {} variables", elements.len());
                return self.fail(Diagnostic::error(
                    Code::AssignmentType,
                    title,
                    value.span,
                    "",
                ));
            }
        };
        let kept = self.allocate(Variable {
            name: "(tuple)".to_owned(),
            sized: SizedTy {
                ty: value.ty.clone(),
                dims: Vec::new(),
            },
            role: VarRole::Local,
            level: value.level,
            constraint: Constraint::None,
            span,
        });
        let whole = Expr {
            kind: ExprKind::Variable(kept),
            ty: value.ty.clone(),
            level: value.level,
            span: value.span,
        };
        let declare = StmtKind::Declare(kept);
        let assign = StmtKind::Assign {
            target: kept,
            indices: Vec::new(),
            projections: Vec::new(),
            value,
        };
        let mut statements = vec![declare, assign];
        for (position, (element, ty)) in elements.iter().zip(types).enumerate() {
            let part = Expr {
                kind: ExprKind::Project(Box::new(whole.clone()), position),
                ty,
                ..whole.clone()
            };
            statements.extend(self.assign(element, None, Some(part), span));
        }
        let placed = statements.into_iter().map(|kind| Stmt { kind, span });
        Some(StmtKind::Block(placed.collect()))
    }

    fn report_index_reads_target(&mut self, place: &ast::Place) {
        let name = &place.variable.name;
        self.report(
            Diagnostic::error(
                Code::IndexReadsTarget,
                format!("the index reads `{name}`, which is being assigned"),
                place.span,
                "",
            )
            .with_hint("compute the index in a statement before"),
        );
    }

    fn scalar_elementwise<T>(&mut self, operator: BinaryOp, ty: &Ty, span: Span) -> Option<T> {
        let symbol = operator.symbol();
        let title = format!("`{symbol}=` works on containers, not on {ty}");
        let hint = format!("write `{}=`", &symbol[1..]);
        self.fail(Diagnostic::error(Code::OperandTypes, title, span, "").with_hint(hint))
    }

    /// Assigns a whole variable, as its declaration does.
    pub(super) fn assign_whole(
        &mut self,
        target: VarId,
        value: Expr,
        span: Span,
        out: &mut Vec<Stmt>,
    ) {
        let ty = self.variable(target).sized.ty.clone();
        let Some(value) = self.assignable(value, &ty) else {
            return;
        };
        self.raise(target, value.level);
        let kind = StmtKind::Assign {
            target,
            indices: Vec::new(),
            projections: Vec::new(),
            value,
        };
        out.push(Stmt { kind, span });
    }

    /// The left side of an assignment: a variable that can be written here, and the way into it.
    fn destination(&mut self, place: &'a ast::Place) -> Option<Destination> {
        let variable = self.written_variable(&place.variable);
        let mut ty = variable.map(|id| self.variable(id).sized.ty.clone());
        let mut projections = Vec::new();
        let mut indices: Vec<Index> = Vec::new();
        let mut sound = true;
        for step in &place.path {
            match step {
                ast::PlaceStep::Projection(_) if !indices.is_empty() => {
                    return self
                        .unsupported("assigning a part of a tuple in an array is", place.span);
                }
                ast::PlaceStep::Projection(slot) => {
                    let (position, part) = self.part(&ty?, *slot, place.span)?;
                    projections.push(position);
                    ty = Some(part);
                }
                ast::PlaceStep::Index(written) => {
                    if !indices.iter().all(is_single) {
                        self.report_nested_slices(place.span);
                        sound = false;
                    }
                    match self.indices(written) {
                        Some(further) => indices.extend(further),
                        None => sound = false,
                    }
                }
            }
        }
        let (variable, ty) = (variable?, ty?);
        if indices.len() > ty.rank() {
            let title = too_many_indexes(&ty, indices.len());
            return self.fail(Diagnostic::error(Code::NotIndexable, title, place.span, ""));
        }
        sound.then_some(Destination {
            variable,
            projections,
            ty: indexed_ty(&ty, &indices),
            indices,
        })
    }

    /// Position and type of a part of a tuple, counted from 1 as written.
    pub(super) fn part(&mut self, ty: &Ty, slot: u32, span: Span) -> Option<(usize, Ty)> {
        let position = (slot as usize).wrapping_sub(1);
        if let Ty::Tuple(types) = ty
            && let Some(part) = types.get(position)
        {
            return Some((position, part.clone()));
        }
        let title = format!("{ty} has no part {slot}");
        self.fail(Diagnostic::error(Code::NotIndexable, title, span, ""))
    }

    fn report_nested_slices(&mut self, span: Span) {
        self.report(
            Diagnostic::error(
                Code::NestedSlices,
                "a slice of a slice cannot be assigned",
                span,
                "",
            )
            .with_hint("put all indexes into one pair of brackets: `x[1:3, 2]`"),
        );
    }

    fn written_variable(&mut self, name: &'a ast::Identifier) -> Option<VarId> {
        let Some(binding) = self.scopes.find(&name.name) else {
            return self.undeclared_target(name);
        };
        let (id, declared_at) = (binding.variable?, binding.span);
        let variable = self.variable(id);
        let place = self.frame.place;
        let reason = match variable.role {
            VarRole::Local => return Some(id),
            VarRole::TransformedData if place == Place::TransformedData => return Some(id),
            VarRole::TransformedParameter if place == Place::TransformedParameters => {
                return Some(id);
            }
            VarRole::Generated if place == Place::Generated => return Some(id),
            VarRole::Loop => "the variable of a loop".to_owned(),
            VarRole::Argument => "an argument of the function".to_owned(),
            VarRole::Data => "data".to_owned(),
            VarRole::Parameter | VarRole::Free => "a parameter".to_owned(),
            VarRole::TransformedData => "declared in transformed data".to_owned(),
            VarRole::TransformedParameter => "declared in transformed parameters".to_owned(),
            VarRole::Generated => "declared in generated quantities".to_owned(),
        };
        self.fail(
            Diagnostic::error(
                Code::ReadOnly,
                format!("`{}` cannot be assigned here", name.name),
                name.span,
                format!("it is {reason}"),
            )
            .with_secondary(declared_at, "declared here")
            .with_hint("assign to a local variable instead"),
        )
    }

    fn undeclared_target<T>(&mut self, name: &ast::Identifier) -> Option<T> {
        let title = format!("`{}` is not declared", name.name);
        let diagnostic = Diagnostic::error(Code::UndeclaredVariable, title, name.span, "");
        let diagnostic = match nearest(&name.name, self.scopes.names()) {
            Some(near) => diagnostic.with_hint(format!("did you mean `{near}`?")),
            None => diagnostic.with_hint(format!("declare it first: `real {};`", name.name)),
        };
        self.fail(diagnostic)
    }

    /// What a compound assignment reads.
    fn current_value(&self, destination: &Destination, span: Span) -> Expr {
        let variable = self.variable(destination.variable);
        let mut current = Expr {
            kind: ExprKind::Variable(destination.variable),
            ty: variable.sized.ty.clone(),
            level: variable.level,
            span,
        };
        for &position in &destination.projections {
            let ty = match &current.ty {
                Ty::Tuple(types) => types[position].clone(),
                other => other.clone(),
            };
            current = Expr {
                kind: ExprKind::Project(Box::new(current.clone()), position),
                ty,
                ..current
            };
        }
        if destination.indices.is_empty() {
            return current;
        }
        let level = current.level.max(index_level(&destination.indices));
        Expr {
            kind: ExprKind::Index(Box::new(current), destination.indices.clone()),
            ty: destination.ty.clone(),
            level,
            span,
        }
    }

    /// The value promoted to the type of what it is assigned to.
    fn assignable(&mut self, value: Expr, ty: &Ty) -> Option<Expr> {
        if promotions(&value.ty, ty).is_some() {
            return Some(promote(value, ty));
        }
        let title = format!("{} cannot be assigned to {ty}", value.ty);
        let diagnostic = Diagnostic::error(Code::AssignmentType, title, value.span, "");
        let hint = match (&value.ty, ty) {
            (Ty::Real, Ty::Int) => {
                Some("declare the variable real; of data, `to_int(x)` drops the fraction")
            }
            (Ty::RowVector, Ty::Vector) | (Ty::Vector, Ty::RowVector) => {
                Some("transpose it with `'`")
            }
            (Ty::Array(_), Ty::Vector) => Some("convert it with `to_vector`"),
            (Ty::Vector | Ty::RowVector | Ty::Matrix, Ty::Array(_)) => {
                Some("convert it with `to_array_1d` or `to_array_2d`")
            }
            _ => None,
        };
        self.fail(match hint {
            Some(hint) => diagnostic.with_hint(hint),
            None => diagnostic,
        })
    }
}

/// Whether the operator is one of those that start with a dot.
fn is_elementwise(operator: BinaryOp) -> bool {
    matches!(
        operator,
        BinaryOp::ElementMultiply | BinaryOp::ElementDivide | BinaryOp::ElementPower
    )
}
