//! What kind of value an expression of the block form is: rows and columns, arrays and vectors, which shapes leave open.

use super::build;
use crate::source::Span;
use crate::syntax::ast::{Expr, UnaryOp};

/// A kind of value without arrays around it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Element {
    /// `int`
    Int,
    /// `real`
    Real,
    /// `vector`
    Vector,
    /// `row_vector`
    Row,
    /// `matrix`
    Matrix,
}

impl Element {
    /// How many indices it takes.
    pub(super) fn rank(self) -> usize {
        match self {
            Element::Int | Element::Real => 0,
            Element::Vector | Element::Row => 1,
            Element::Matrix => 2,
        }
    }
}

/// A kind of value: an element within so many dimensions of array.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Form {
    /// Dimensions of array.
    pub(super) arrays: usize,
    /// What is in them.
    pub(super) element: Element,
}

impl Form {
    /// An integer.
    pub(super) const INT: Form = Form::of(Element::Int);
    /// A number.
    pub(super) const REAL: Form = Form::of(Element::Real);
    /// A column vector.
    pub(super) const VECTOR: Form = Form::of(Element::Vector);
    /// A row vector.
    pub(super) const ROW: Form = Form::of(Element::Row);
    /// A matrix.
    pub(super) const MATRIX: Form = Form::of(Element::Matrix);

    const fn of(element: Element) -> Form {
        Form { arrays: 0, element }
    }

    /// An array of this.
    pub(super) fn in_array(self) -> Form {
        Form {
            arrays: self.arrays + 1,
            ..self
        }
    }

    /// How many indices it takes.
    pub(super) fn rank(self) -> usize {
        self.arrays + self.element.rank()
    }

    /// Whether it is one number.
    pub(super) fn is_scalar(self) -> bool {
        self.rank() == 0
    }

    /// Whether it is a one-dimensional array of numbers.
    pub(super) fn is_list(self) -> bool {
        self.arrays == 1 && self.element.rank() == 0
    }

    /// What is left after indices, given for each whether it picks one element (or a range, or all).
    pub(super) fn after(self, picks: &[bool]) -> Form {
        let in_arrays = &picks[..picks.len().min(self.arrays)];
        let in_element = &picks[in_arrays.len()..];
        let arrays = self.arrays - in_arrays.iter().filter(|picks| **picks).count();
        let element = match (self.element, in_element) {
            (element, []) => element,
            (Element::Matrix, [true]) => Element::Row,
            (Element::Matrix, [true, true]) => Element::Real,
            (Element::Matrix, [true, false]) => Element::Row,
            (Element::Matrix, [false, true]) => Element::Vector,
            (Element::Vector | Element::Row, [true]) => Element::Real,
            (element, _) => element,
        };
        Form { arrays, element }
    }
}

/// An expression of the block form with its kind.
#[derive(Clone, Debug)]
pub(super) struct Value {
    /// The expression.
    pub(super) expr: Expr,
    /// What it is.
    pub(super) form: Form,
}

impl Value {
    /// A value of a kind.
    pub(super) fn new(expr: Expr, form: Form) -> Value {
        Value { expr, form }
    }

    fn span(&self) -> Span {
        self.expr.span
    }

    /// As a column vector, if it has one axis.
    pub(super) fn column(self) -> Value {
        let span = self.span();
        let expr = match self.form {
            Form::ROW => transpose(self.expr, span),
            form if form.is_list() => build::call("to_vector", vec![self.expr], span),
            _ => return self,
        };
        Value::new(expr, Form::VECTOR)
    }

    /// As a row vector, if it has one axis.
    pub(super) fn row(self) -> Value {
        let span = self.span();
        let expr = match self.form {
            Form::VECTOR => transpose(self.expr, span),
            form if form.is_list() => build::call("to_row_vector", vec![self.expr], span),
            _ => return self,
        };
        Value::new(expr, Form::ROW)
    }

    /// As an array of numbers, if it has one axis.
    pub(super) fn list(self) -> Value {
        let span = self.span();
        match self.form {
            Form::VECTOR | Form::ROW => Value::new(
                build::call("to_array_1d", vec![self.expr], span),
                Form::REAL.in_array(),
            ),
            _ => self,
        }
    }

    /// As arithmetic takes it: an array of numbers becomes a vector.
    pub(super) fn operand(self) -> Value {
        if self.form.is_list() {
            self.column()
        } else {
            self
        }
    }

    /// As a variable of the given kind takes it.
    pub(super) fn fitted(self, form: Form) -> Value {
        match form {
            Form::VECTOR => self.column(),
            Form::ROW => self.row(),
            form if form.is_list() => self.list(),
            _ => self,
        }
    }
}

/// `a'`; twice is not at all.
pub(super) fn transpose(expr: Expr, span: Span) -> Expr {
    if let crate::syntax::ast::ExprKind::Unary {
        operator: UnaryOp::Transpose,
        operand,
    } = expr.kind
    {
        return *operand;
    }
    build::unary(UnaryOp::Transpose, expr, span)
}

#[cfg(test)]
mod tests {
    use super::Form;

    #[test]
    fn indices_consume_arrays_before_vectors() {
        let form = Form::VECTOR.in_array();
        assert_eq!(form.after(&[true]), Form::VECTOR);
        assert_eq!(form.after(&[true, true]), Form::REAL);
        assert_eq!(form.after(&[false, true]), Form::REAL.in_array());
        assert_eq!(Form::MATRIX.after(&[true]), Form::ROW);
        assert_eq!(Form::MATRIX.after(&[false, true]), Form::VECTOR);
        assert_eq!(Form::INT.in_array().after(&[true]), Form::INT);
    }
}
