//! Expressions, one element at a time: subscripts become positions, and rows and columns are turned where Stan's types ask.

use super::build;
use super::context::Lowering;
use super::form::{Element, Form, Value, transpose};
use super::scope::Scope;
use super::{families, usage};
use crate::equation::plan::InputSource;
use crate::equation::tree::{Expr, ExprKind, NameId, Role, SetKind, Subscript};
use crate::source::Span;
use crate::syntax::ast::{self, BinaryOp, UnaryOp};

impl Lowering<'_> {
    /// An expression without letters, as the ends of ranges are.
    pub(super) fn plain(&mut self, expr: &Expr) -> ast::Expr {
        self.expr(expr, &mut Scope::default()).expr
    }

    /// An expression for one value of each letter in scope.
    pub(super) fn expr(&mut self, expr: &Expr, scope: &mut Scope) -> Value {
        let value = self.bare(expr, scope);
        // A number in a place that only vectors can take is the constant vector.
        match (expr.axes.as_slice(), value.form.is_scalar()) {
            ([set], true) if matches!(expr.kind, ExprKind::Int(_) | ExprKind::Real(_)) => {
                let size = self.size(*set, expr.span);
                constant_vector(value, size)
            }
            _ => value,
        }
    }

    /// An expression of which a literal number stays a number even where a vector is meant.
    pub(super) fn bare(&mut self, expr: &Expr, scope: &mut Scope) -> Value {
        match self.kept_reduction(expr) {
            Some(kept) => kept,
            None => self.computed(expr, scope),
        }
    }

    /// An expression computed where it stands, whatever transformed data hold already.
    pub(super) fn computed(&mut self, expr: &Expr, scope: &mut Scope) -> Value {
        let span = expr.span;
        match &expr.kind {
            ExprKind::Int(value) => Value::new(build::int(i64::from(*value), span), Form::INT),
            ExprKind::Real(value) => Value::new(build::real(*value, span), Form::REAL),
            ExprKind::Name { name, subscripts } => self.name_value(*name, subscripts, scope, span),
            ExprKind::LevelTest {
                column,
                subscripts,
                label,
                negated,
            } => {
                let level = self.level_position(*column, subscripts, scope, span);
                let set = self.name(*column).levels_of;
                let label = match set {
                    Some(set) => self.label(set, label, span),
                    None => build::int(label.parse().unwrap_or(0), span),
                };
                let operator = match negated {
                    true => BinaryOp::NotEqual,
                    false => BinaryOp::Equal,
                };
                Value::new(build::binary(operator, level, label, span), Form::INT)
            }
            ExprKind::Size(set) => Value::new(self.fitted_size(*set, span), Form::INT),
            ExprKind::LetterValue(letter) => {
                let set = self.set_of(*letter);
                let position = self.position(&Subscript::Letter(*letter), scope, span);
                let lower = usage::range(self.model, set).map(|(lower, _)| lower);
                let value = match lower.map(|lower| self.plain(lower)) {
                    None => position,
                    Some(lower) => match build::literal(&lower) {
                        Some(lower) => build::shifted(position, lower - 1, span),
                        None => build::shifted(
                            build::binary(BinaryOp::Add, position, lower, span),
                            -1,
                            span,
                        ),
                    },
                };
                Value::new(value, Form::INT)
            }
            ExprKind::Reduce {
                function,
                letters,
                agreeing,
                body,
            } => self.reduction(function, letters, agreeing, body, scope, span),
            ExprKind::Unary { operator, operand } => {
                let operand = self.expr(operand, scope).operand();
                unary(*operator, operand, span)
            }
            ExprKind::Binary {
                operator,
                left,
                right,
            } => {
                let left = self.expr(left, scope).operand();
                let right = self.expr(right, scope).operand();
                binary(*operator, left, right, span)
            }
            ExprKind::Ternary {
                condition,
                if_true,
                if_false,
            } => self.ternary(condition, if_true, if_false, scope, span),
            ExprKind::Call {
                function,
                arguments,
                bar,
            } => self.call(expr, function, arguments, *bar, scope),
            ExprKind::RowVector(elements) => {
                let values = self.elements(elements, scope, |value| value.row());
                let form = match values.first() {
                    Some((_, Form::ROW)) => Form::MATRIX,
                    _ => Form::ROW,
                };
                let elements = values.into_iter().map(|(expr, _)| expr).collect();
                let kind = ast::ExprKind::RowVector(elements);
                Value::new(ast::Expr { kind, span }, form)
            }
            ExprKind::Array(elements) => {
                let values = self.elements(elements, scope, |value| value.column());
                let all_int = values.iter().all(|(_, form)| *form == Form::INT);
                let form = match values.first() {
                    Some((_, form)) if !form.is_scalar() => form.in_array(),
                    _ if all_int => Form::INT.in_array(),
                    _ => Form::REAL.in_array(),
                };
                let elements = values.into_iter().map(|(expr, _)| expr).collect();
                let kind = ast::ExprKind::Array(elements);
                Value::new(ast::Expr { kind, span }, form)
            }
        }
    }

    fn elements(
        &mut self,
        elements: &[Expr],
        scope: &mut Scope,
        turn: fn(Value) -> Value,
    ) -> Vec<(ast::Expr, Form)> {
        let mut values = Vec::new();
        for element in elements {
            let value = turn(self.expr(element, scope));
            values.push((value.expr, value.form));
        }
        values
    }

    fn ternary(
        &mut self,
        condition: &Expr,
        if_true: &Expr,
        if_false: &Expr,
        scope: &mut Scope,
        span: Span,
    ) -> Value {
        let condition = self.truth(condition, scope);
        let mut if_true = self.expr(if_true, scope);
        let mut if_false = self.expr(if_false, scope);
        if if_true.form.rank() == 1 && if_true.form != if_false.form {
            (if_true, if_false) = (if_true.column(), if_false.column());
        }
        let form = match (if_true.form, if_false.form) {
            (Form::INT, Form::REAL) => Form::REAL,
            (form, _) => form,
        };
        let kind = ast::ExprKind::Ternary {
            condition: Box::new(condition),
            if_true: Box::new(if_true.expr),
            if_false: Box::new(if_false.expr),
        };
        Value::new(ast::Expr { kind, span }, form)
    }

    /// A condition: Stan wants an integer.
    pub(super) fn truth(&mut self, condition: &Expr, scope: &mut Scope) -> ast::Expr {
        let span = condition.span;
        let value = self.expr(condition, scope);
        match value.form {
            Form::INT => value.expr,
            _ => build::binary(BinaryOp::NotEqual, value.expr, build::int(0, span), span),
        }
    }

    /// The value of a name at its subscripts.
    pub(super) fn name_value(
        &mut self,
        name: NameId,
        subscripts: &[Subscript],
        scope: &mut Scope,
        span: Span,
    ) -> Value {
        let declared = self.name(name);
        if declared.levels_of.is_some() && declared.role == Role::Data {
            return self.level_number(name, subscripts, scope, span);
        }
        if self.long[name.0] {
            return self.long_value(name, subscripts, scope, span);
        }
        let called = self.read(name);
        let picks: Vec<bool> = subscripts
            .iter()
            .map(|subscript| !matches!(subscript, Subscript::All | Subscript::Range { .. }))
            .collect();
        let mut indices = Vec::new();
        for subscript in subscripts {
            indices.push(self.index(subscript, scope, span));
        }
        while matches!(indices.last(), Some(ast::Index::All)) {
            indices.pop();
        }
        let form = self.form(name).after(&picks);
        let value = build::indexed(build::variable(called, span), indices, span);
        Value::new(value, form)
    }

    /// The variable that holds a name's values; data are declared because of this call.
    pub(super) fn read(&mut self, name: NameId) -> String {
        if let Some(frozen) = self.frozen_definition(name) {
            return frozen;
        }
        if self.name(name).role != Role::Data || self.simulated.contains(&name) {
            return self.called(name);
        }
        if self.is_assembled(name) {
            return self.assemble_covariates(name);
        }
        let source = InputSource::Column(self.column(name));
        if self.is_imputed(name) {
            let wanted = format!("{}_known", self.called(name));
            self.input(source, &wanted, self.name(name).span);
            return self.called(name);
        }
        self.own_input(name, source)
    }

    /// The position of a column's level at its subscripts.
    pub(super) fn level_position(
        &mut self,
        column: NameId,
        subscripts: &[Subscript],
        scope: &mut Scope,
        span: Span,
    ) -> ast::Expr {
        if self.name(column).levels_of.is_none() {
            return self.name_value(column, subscripts, scope, span).expr;
        }
        let map = self.map(column);
        let mut indices = Vec::new();
        for subscript in subscripts {
            indices.push(self.index(subscript, scope, span));
        }
        build::indexed(build::variable(map, span), indices, span)
    }

    /// The number that a column's level stands for: `week[i]` of `index t = week[i]`.
    fn level_number(
        &mut self,
        column: NameId,
        subscripts: &[Subscript],
        scope: &mut Scope,
        span: Span,
    ) -> Value {
        let position = self.level_position(column, subscripts, scope, span);
        let Some(set) = self.name(column).levels_of else {
            return Value::new(position, Form::INT);
        };
        let lowest = usage::range(self.model, set).and_then(|(lower, _)| lower.constant());
        if let Some(lowest) = lowest {
            return Value::new(build::shifted(position, lowest - 1, span), Form::INT);
        }
        let values = self.level_values(set);
        Value::new(
            build::element(build::variable(values, span), position, span),
            Form::REAL,
        )
    }

    /// The data variable that holds the numbers which the levels of a set stand for.
    pub(super) fn level_values(&mut self, set: crate::equation::tree::SetId) -> String {
        let declared = &self.model.sets[set.0];
        let wanted = format!("{}_value", declared.name);
        self.input(InputSource::LevelValues(set), &wanted, declared.span)
    }

    fn call(
        &mut self,
        whole: &Expr,
        function: &ast::Identifier,
        arguments: &[Expr],
        bar: bool,
        scope: &mut Scope,
    ) -> Value {
        let name = function.name.as_str();
        let takes_levels = families::of_call(name).is_some_and(families::takes_levels);
        let mut values = Vec::new();
        for (at, argument) in arguments.iter().enumerate() {
            let value = match &argument.kind {
                ExprKind::Name { name, subscripts } if at == 0 && takes_levels => Value::new(
                    self.level_position(*name, subscripts, scope, argument.span),
                    Form::INT,
                ),
                _ => self.expr(argument, scope),
            };
            values.push(families::argument(name, at, value));
        }
        // Only densities and functions of the user's own are told apart by the axes of the whole.
        let form = families::result(name, whole.axes.len(), &values);
        let arguments = values.into_iter().map(|value| value.expr).collect();
        let kind = ast::ExprKind::Call {
            function: function.clone(),
            arguments,
            bar,
        };
        let span = whole.span;
        Value::new(ast::Expr { kind, span }, form)
    }

    /// Whether an element's set has the labels that the file spells out, or a range.
    pub(super) fn is_fixed(&self, set: crate::equation::tree::SetId) -> bool {
        matches!(self.model.sets[set.0].kind, SetKind::Fixed(_))
    }
}

/// A number as the vector that has it everywhere.
pub(super) fn constant_vector(value: Value, size: ast::Expr) -> Value {
    let span = value.expr.span;
    Value::new(
        build::call("rep_vector", vec![value.expr, size], span),
        Form::VECTOR,
    )
}

fn unary(operator: UnaryOp, operand: Value, span: Span) -> Value {
    match operator {
        // Which way a vector lies is decided where it is used.
        UnaryOp::Transpose if operand.form == Form::MATRIX => {
            Value::new(transpose(operand.expr, span), Form::MATRIX)
        }
        UnaryOp::Transpose => operand,
        UnaryOp::Not => Value::new(build::unary(operator, operand.expr, span), Form::INT),
        UnaryOp::Negate | UnaryOp::Plus => {
            Value::new(build::unary(operator, operand.expr, span), operand.form)
        }
    }
}

/// An operator with operands that are numbers, vectors or matrices.
pub(super) fn binary(operator: BinaryOp, left: Value, right: Value, span: Span) -> Value {
    let scalars = left.form.is_scalar() && right.form.is_scalar();
    if operator.is_logical() {
        return Value::new(
            build::binary(operator, left.expr, right.expr, span),
            Form::INT,
        );
    }
    if scalars {
        return scalar_binary(operator, left, right, span);
    }
    match operator {
        BinaryOp::Multiply if !left.form.is_scalar() && !right.form.is_scalar() => {
            product(left, right, span)
        }
        BinaryOp::Multiply => {
            let form = larger(left.form, right.form);
            Value::new(build::binary(operator, left.expr, right.expr, span), form)
        }
        BinaryOp::LeftDivide => {
            let right = right.column();
            let form = right.form;
            Value::new(build::binary(operator, left.expr, right.expr, span), form)
        }
        _ => elementwise(operator, left, right, span),
    }
}

fn scalar_binary(operator: BinaryOp, left: Value, right: Value, span: Span) -> Value {
    let operator = match operator {
        BinaryOp::ElementMultiply => BinaryOp::Multiply,
        BinaryOp::ElementDivide => BinaryOp::Divide,
        BinaryOp::ElementPower => BinaryOp::Power,
        operator => operator,
    };
    let both_int = left.form == Form::INT && right.form == Form::INT;
    if let (Some(first), Some(second)) = (build::literal(&left.expr), build::literal(&right.expr)) {
        match operator {
            BinaryOp::Add => return Value::new(build::int(first + second, span), Form::INT),
            BinaryOp::Subtract => return Value::new(build::int(first - second, span), Form::INT),
            _ => {}
        }
    }
    let form = match operator {
        BinaryOp::Power | BinaryOp::Divide => Form::REAL,
        _ if both_int => Form::INT,
        _ => Form::REAL,
    };
    // Whether a column counts is inferred, so the quotient of two that do is that of the numbers, not Stan's rounded one.
    let left = match (operator, both_int) {
        (BinaryOp::Divide, true) => real_number(left, span),
        _ => left,
    };
    Value::new(build::binary(operator, left.expr, right.expr, span), form)
}

/// An integer as a real number: `1.0`, or `1.0 * n`.
fn real_number(value: Value, span: Span) -> Value {
    let expr = match build::literal(&value.expr) {
        Some(number) if number >= 0 => build::real(number as f64, value.expr.span),
        _ => build::binary(BinaryOp::Multiply, build::real(1.0, span), value.expr, span),
    };
    Value::new(expr, Form::REAL)
}

fn larger(left: Form, right: Form) -> Form {
    if left.rank() >= right.rank() {
        left
    } else {
        right
    }
}

/// Sums, differences, quotients and powers of vectors and matrices, element by element.
fn elementwise(operator: BinaryOp, left: Value, right: Value, span: Span) -> Value {
    let (left, right) = match (left.form, right.form) {
        (Form::VECTOR, Form::ROW) | (Form::ROW, Form::VECTOR) => (left.column(), right.column()),
        _ => (left, right),
    };
    let form = larger(left.form, right.form);
    let operator = match operator {
        BinaryOp::Power => BinaryOp::ElementPower,
        BinaryOp::Divide if !right.form.is_scalar() => BinaryOp::ElementDivide,
        BinaryOp::ElementDivide if right.form.is_scalar() => BinaryOp::Divide,
        BinaryOp::ElementMultiply if left.form.is_scalar() || right.form.is_scalar() => {
            BinaryOp::Multiply
        }
        operator => operator,
    };
    Value::new(build::binary(operator, left.expr, right.expr, span), form)
}

/// The product of vectors and matrices, the first written first where the way they lie allows it.
fn product(left: Value, right: Value, span: Span) -> Value {
    let multiply = |left: Value, right: Value, form: Form| {
        Value::new(
            build::binary(BinaryOp::Multiply, left.expr, right.expr, span),
            form,
        )
    };
    match (left.form.element, right.form.element) {
        (Element::Matrix, Element::Matrix) => multiply(left, right, Form::MATRIX),
        (Element::Matrix, _) => multiply(left, right.column(), Form::VECTOR),
        (_, Element::Matrix) => multiply(left.row(), right, Form::ROW),
        (Element::Row, Element::Vector) => multiply(left, right, Form::REAL),
        (Element::Vector, Element::Row) => multiply(right, left, Form::REAL),
        _ => Value::new(
            build::call("dot_product", vec![left.expr, right.expr], span),
            Form::REAL,
        ),
    }
}
