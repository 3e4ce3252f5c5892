//! Types with their sizes and constraints: of data, of parameters, of definitions (3d.3-4).

use super::build;
use super::context::{Lowering, NeededInput};
use super::form::{Element, Form};
use super::scope::Scope;
use super::usage;
use crate::equation::plan::InputSource;
use crate::equation::tree::{
    Expr, NameId, Role, SetId, SetKind, StatementKind, Subscript, SupportKind,
};
use crate::source::Span;
use crate::syntax::ast::{self, BaseType, Bounds, Declaration, TypeSpec};

impl<'m> Lowering<'m> {
    /// The data block: everything that was asked for, sizes first, then in the order of the file.
    pub(super) fn data_block(&mut self) -> Vec<(Declaration, NeededInput)> {
        let mut declared = Vec::new();
        // Types ask for sizes, which are data themselves.
        let mut at = 0;
        while at < self.inputs.len() {
            let input = self.inputs[at].clone();
            let spec = self.input_type(&input);
            let declaration = build::declaration(spec, &input.name, None, input.span);
            declared.push((declaration, input));
            at += 1;
        }
        declared.sort_by_key(|(_, input)| {
            let rank = match &input.source {
                InputSource::Size(set) => (0, 2 * set.0),
                InputSource::FittedSize(set) => (0, 2 * set.0 + 1),
                InputSource::LongRows(_)
                | InputSource::FittedRows(_)
                | InputSource::MissingCount(_)
                | InputSource::PresentCount(_) => (1, 0),
                InputSource::Column(column) if self.columns[*column].over.is_empty() => (2, 0),
                InputSource::Position { .. } => (2, 1),
                InputSource::Map(_)
                | InputSource::Membership { .. }
                | InputSource::PartOf { .. } => (3, 0),
                InputSource::LevelValues(_) => (3, 1),
                InputSource::Column(_) | InputSource::Frozen(_) => (4, 0),
                InputSource::LongPosition { .. } => (5, 0),
                InputSource::LongValues(_) => (5, 1),
                InputSource::LongLag { .. } => (5, 2),
                InputSource::MissingPositions(_) | InputSource::PresentPositions(_) => (5, 3),
            };
            (rank, input.span)
        });
        declared
    }

    /// A size that may stand in the data block, where transformed data are not known yet.
    fn size_of_data(&mut self, set: SetId, span: Span) -> ast::Expr {
        let size = self.size(set, span);
        let is_computed = self
            .computed_sizes
            .iter()
            .any(|(computed, _)| *computed == set);
        match is_computed {
            true => self.range_size(set, span),
            false => size,
        }
    }

    fn input_type(&mut self, input: &NeededInput) -> TypeSpec {
        let span = input.span;
        let count = |lowest: i64, highest: Option<ast::Expr>| {
            let bounds = build::interval(Some(build::int(lowest, span)), highest);
            build::basic_type(BaseType::Int, bounds, Vec::new(), span)
        };
        let list =
            |size: ast::Expr, element: TypeSpec| build::array_type(vec![size], element, span);
        match &input.source {
            InputSource::Size(_)
            | InputSource::LongRows(_)
            | InputSource::FittedRows(_)
            | InputSource::MissingCount(_)
            | InputSource::PresentCount(_) => count(0, None),
            InputSource::Column(column) => match self.columns_names.get(*column).copied() {
                Some(name) => self.column_type(name, span),
                None => {
                    let over = self.columns[*column].over.clone();
                    let sizes = over.iter().map(|&set| self.size_of_data(set, span));
                    let sizes = sizes.collect();
                    build::basic_type(BaseType::Vector, Bounds::None, sizes, span)
                }
            },
            InputSource::Map(column) => {
                let name = self.columns_names[*column];
                let levels = self.name(name).levels_of;
                let highest = levels.map(|set| self.size_of_data(set, span));
                let axes = self.name(name).axes.clone();
                let sizes = axes.iter().map(|&set| self.size_of_data(set, span));
                let sizes = sizes.collect();
                build::array_type(sizes, count(1, highest), span)
            }
            InputSource::Membership {
                combination,
                carrier,
            } => {
                let highest = self.size_of_data(*combination, span);
                let size = self.size_of_data(*carrier, span);
                list(size, count(1, Some(highest)))
            }
            InputSource::PartOf { combination, part } => {
                let size = self.size_of_data(*combination, span);
                let set = part_set(self, *combination, *part);
                let highest = set.map(|set| self.size_of_data(set, span));
                list(size, count(1, highest))
            }
            InputSource::LongPosition { column, axis } => {
                let name = self.columns_names[*column];
                let set = self.name(name).axes[*axis];
                let highest = self.size_of_data(set, span);
                list(self.long_rows(name, span), count(1, Some(highest)))
            }
            InputSource::LongLag { column, .. } => {
                let name = self.columns_names[*column];
                let rows = self.long_rows(name, span);
                list(rows.clone(), count(0, Some(rows)))
            }
            InputSource::LongValues(column) => {
                let name = self.columns_names[*column];
                let rows = match self.prediction {
                    Some(_) => self.fitted_rows(name, span),
                    None => self.long_rows(name, span),
                };
                let levels = self.name(name).levels_of;
                if let Some(set) = levels {
                    let highest = self.size_of_data(set, span);
                    return list(rows, count(1, Some(highest)));
                }
                let bounds = self.declared_bounds(name);
                match self.name(name).is_integer {
                    true => list(rows, build::basic_type(BaseType::Int, bounds, vec![], span)),
                    false => build::basic_type(BaseType::Vector, bounds, vec![rows], span),
                }
            }
            InputSource::Position { set, .. } => {
                let highest = self.size_of_data(*set, span);
                count(1, Some(highest))
            }
            InputSource::LevelValues(set) => {
                let size = self.size_of_data(*set, span);
                build::basic_type(BaseType::Vector, Bounds::None, vec![size], span)
            }
            InputSource::FittedSize(_) => count(0, None),
            InputSource::Frozen(name) => {
                let mut types = self.frozen_types.iter();
                let known = types.find(|(known, ..)| known == name).cloned();
                let (_, form, axes) = known.unwrap_or((String::new(), Form::REAL, Vec::new()));
                let sizes = axes
                    .iter()
                    .map(|&set| self.fitted_size(set, span))
                    .collect();
                sized(form, sizes, Bounds::None, span)
            }
            InputSource::MissingPositions(column) | InputSource::PresentPositions(column) => {
                let name = self.columns_names[*column];
                let called = self.called(name);
                let is_missing = matches!(input.source, InputSource::MissingPositions(_));
                let (source, wanted) = match is_missing {
                    true => (InputSource::MissingCount(*column), "missing"),
                    false => (InputSource::PresentCount(*column), "present"),
                };
                let size = self.input(source, &format!("N_{called}_{wanted}"), span);
                list(build::variable(size, span), count(1, None))
            }
        }
    }

    fn column_type(&mut self, name: NameId, span: Span) -> TypeSpec {
        let form = self.form(name);
        let axes = self.name(name).axes.clone();
        let sizes: Vec<ast::Expr> = axes
            .iter()
            .map(|&set| self.size_of_data(set, span))
            .collect();
        let bounds = self.declared_bounds(name);
        sized(form, sizes, bounds, span)
    }

    fn declared_bounds(&mut self, name: NameId) -> Bounds {
        match &self.name(name).declared {
            Some(declared) => self.renamed_bounds(&declared.bounds),
            None => Bounds::None,
        }
    }

    /// The type of a definition.
    pub(super) fn declared_type(&mut self, name: NameId, span: Span) -> TypeSpec {
        let axes = self.name(name).axes.clone();
        let sizes = self.sizes(&axes, span);
        if let Some(declared) = &self.name(name).declared
            && declared.base.is_constrained()
        {
            return constrained(declared.base, sizes, span);
        }
        let bounds = self.declared_bounds(name);
        sized(self.form(name), sizes, bounds, span)
    }

    /// The type of a parameter: the declared one, else what its support says.
    pub(super) fn parameter_type(&mut self, name: NameId, span: Span) -> TypeSpec {
        let axes = self.name(name).axes.clone();
        let sizes = self.sizes(&axes, span);
        self.parameter_type_of(name, sizes, span)
    }

    /// The same for other sizes than those of the name's axes.
    pub(super) fn parameter_type_of(
        &mut self,
        name: NameId,
        sizes: Vec<ast::Expr>,
        span: Span,
    ) -> TypeSpec {
        let form = self.form(name);
        if let Some(declared) = &self.name(name).declared {
            if declared.base.is_constrained() {
                return constrained(declared.base, sizes, span);
            }
            let bounds = self.renamed_bounds(&declared.bounds);
            return sized(form, sizes, bounds, span);
        }
        let base = match &self.name(name).support.kind {
            SupportKind::Real => return sized(form, sizes, Bounds::None, span),
            SupportKind::Interval { lower, upper } => {
                let lower = lower.as_ref().map(|end| self.bound(name, end));
                let upper = upper.as_ref().map(|end| self.bound(name, end));
                return sized(form, sizes, build::interval(lower, upper), span);
            }
            SupportKind::Ordered => BaseType::Ordered,
            SupportKind::Simplex => BaseType::Simplex,
            SupportKind::UnitVector => BaseType::UnitVector,
            SupportKind::SumToZero => BaseType::SumToZeroVector,
            SupportKind::Covariance => BaseType::CovMatrix,
            SupportKind::Correlation => BaseType::CorrMatrix,
            SupportKind::CholeskyCovariance => BaseType::CholeskyFactorCov,
            SupportKind::CholeskyCorrelation => BaseType::CholeskyFactorCorr,
        };
        constrained(base, sizes, span)
    }

    /// A bound of a support: a number, or for bounds that differ by element a vector over the unknown's last letter.
    fn bound(&mut self, name: NameId, end: &Expr) -> ast::Expr {
        let prior = self.model.statements.iter().find(|statement| {
            usage::left_name(statement) == Some(name)
                && matches!(statement.kind, StatementKind::Draw { .. })
        });
        let letters = prior.map_or(&[][..], |statement| statement.letters.as_slice());
        let varying: Vec<_> = letters
            .iter()
            .copied()
            .filter(|letter| usage::mentions(end, *letter))
            .collect();
        let mut scope = Scope::default();
        let lowered = match varying.as_slice() {
            [] => Some(self.bare(end, &mut scope)),
            [letter] if self.name(name).axes.len() == 1 => {
                let value = self.vectorised(end, *letter, &mut scope);
                value.map(super::form::Value::column)
            }
            _ => None,
        };
        match lowered {
            Some(value) if scope.prelude.is_empty() => value.expr,
            _ => {
                self.refuse(
                    "this bound cannot be declared; define a vector of bounds and use it",
                    end.span,
                );
                build::int(0, end.span)
            }
        }
    }

    /// Written bounds with the names of the block form; `lo[j]` of a name over j is all of `lo`.
    fn renamed_bounds(&mut self, bounds: &Bounds) -> Bounds {
        let mut rename =
            |end: &Option<Box<ast::Expr>>| end.as_ref().map(|end| Box::new(self.renamed(end)));
        match bounds {
            Bounds::None => Bounds::None,
            Bounds::Interval { lower, upper } => Bounds::Interval {
                lower: rename(lower),
                upper: rename(upper),
            },
            Bounds::Affine { offset, multiplier } => Bounds::Affine {
                offset: rename(offset),
                multiplier: rename(multiplier),
            },
        }
    }

    fn renamed(&mut self, expr: &ast::Expr) -> ast::Expr {
        let mut renamed = expr.clone();
        match &mut renamed.kind {
            ast::ExprKind::Variable(name) => {
                if let Some(known) = self.named(name) {
                    *name = self.read(known);
                }
            }
            ast::ExprKind::Unary { operand, .. } => **operand = self.renamed(operand),
            ast::ExprKind::Binary { left, right, .. } => {
                **left = self.renamed(left);
                **right = self.renamed(right);
            }
            ast::ExprKind::Call { arguments, .. } => {
                for argument in arguments {
                    *argument = self.renamed(argument);
                }
            }
            ast::ExprKind::Index { base, indices } => {
                let is_letter = |index: &ast::Index| match index {
                    ast::Index::Single(index) => matches!(
                        &index.kind,
                        ast::ExprKind::Variable(name)
                            if self.model.letters.iter().any(|letter| letter.name == *name)
                    ),
                    _ => false,
                };
                if indices.iter().all(is_letter) {
                    return self.renamed(base);
                }
                **base = self.renamed(base);
            }
            _ => {}
        }
        renamed
    }

    /// The name that is written so.
    pub(super) fn named(&self, written: &str) -> Option<NameId> {
        let mut names = self.model.names.iter();
        names.position(|name| name.name == written).map(NameId)
    }

    /// Every unknown, in the order of the file.
    pub(super) fn unknowns(&self) -> Vec<NameId> {
        let all = (0..self.model.names.len()).map(NameId);
        all.filter(|name| self.name(*name).role == Role::Unknown)
            .collect()
    }
}

/// The set of a combination's part.
pub(super) fn part_set(lowering: &Lowering<'_>, combination: SetId, part: usize) -> Option<SetId> {
    let SetKind::Combinations { parts, .. } = &lowering.model.sets[combination.0].kind else {
        return None;
    };
    match parts.get(part)? {
        Subscript::Map { column, .. } => lowering.name(*column).levels_of,
        Subscript::Letter(letter) => Some(lowering.set_of(*letter)),
        _ => None,
    }
}

/// A type of a kind of value: `array[N] vector<lower=0>[M]`.
pub(super) fn sized(form: Form, mut sizes: Vec<ast::Expr>, bounds: Bounds, span: Span) -> TypeSpec {
    let inner = sizes.split_off(form.arrays.min(sizes.len()));
    let base = match form.element {
        Element::Int => BaseType::Int,
        Element::Real => BaseType::Real,
        Element::Vector => BaseType::Vector,
        Element::Row => BaseType::RowVector,
        Element::Matrix => BaseType::Matrix,
    };
    build::array_type(sizes, build::basic_type(base, bounds, inner, span), span)
}

/// A constrained type over the last axis, or the last two.
fn constrained(base: BaseType, mut sizes: Vec<ast::Expr>, span: Span) -> TypeSpec {
    let is_matrix = base.unconstrained() == BaseType::Matrix;
    let axes = if is_matrix { 2 } else { 1 };
    let mut inner = sizes.split_off(sizes.len().saturating_sub(axes));
    let (_, most) = base.size_count();
    let same = |pair: &[ast::Expr]| match pair {
        [rows, columns] => rows.kind == columns.kind,
        _ => false,
    };
    if inner.len() > most || (base == BaseType::CholeskyFactorCov && same(&inner)) {
        inner.truncate(1);
    }
    build::array_type(
        sizes,
        build::basic_type(base, Bounds::None, inner, span),
        span,
    )
}
