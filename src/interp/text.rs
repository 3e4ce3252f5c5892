//! Values as `print` and `reject` show them (scalars show themselves: see the `Display` of [`Scalar`]), and shapes in words.

use super::value::{Container, Value};
use crate::builtins::Scalar;
use crate::types::Ty;

/// A value as `print` shows it: `[1,2]` for vectors and arrays, `[[1,2],[3,4]]` for matrices, `(1,2)` for tuples.
pub fn display_value(value: &Value) -> String {
    match value {
        Value::Int(value) => value.to_string(),
        Value::Real(value) => Scalar::Real(*value).to_string(),
        Value::Container(container) => {
            let mut text = String::new();
            push_part(container, 0, 0, &mut text);
            text
        }
        Value::Tuple(parts) => {
            let parts: Vec<String> = parts.iter().map(display_value).collect();
            format!("({})", parts.join(","))
        }
    }
}

fn push_part(container: &Container, dimension: usize, offset: usize, text: &mut String) {
    let Some(&size) = container.dims.get(dimension) else {
        text.push_str(&container.scalars.get(offset).to_string());
        return;
    };
    let stride = container.strides()[dimension];
    text.push('[');
    for at in 0..size {
        if at > 0 {
            text.push(',');
        }
        push_part(container, dimension + 1, offset + at * stride, text);
    }
    text.push(']');
}

/// A value's type and sizes in words, for messages: `a vector of 3 elements`, `a 2 by 3 matrix`.
pub fn describe_shape(value: &Value) -> String {
    let Value::Container(container) = value else {
        return match value {
            Value::Int(_) => "an int".to_owned(),
            Value::Tuple(_) => "a tuple".to_owned(),
            _ => "a real".to_owned(),
        };
    };
    describe_dims(&container.ty, &container.dims)
}

/// A type and its sizes in words.
pub fn describe_dims(ty: &Ty, dims: &[usize]) -> String {
    let elements = |n: usize| format!("{n} element{}", if n == 1 { "" } else { "s" });
    match (ty, dims) {
        (Ty::Vector, [n]) => format!("a vector of {}", elements(*n)),
        (Ty::RowVector, [n]) => format!("a row vector of {}", elements(*n)),
        (Ty::Matrix, [rows, cols]) => format!("a {rows} by {cols} matrix"),
        (Ty::Array(_), _) => {
            let (depth, inner) = ty.array_parts();
            let sizes: Vec<String> = dims[..depth].iter().map(usize::to_string).collect();
            let one = dims[..depth].iter().product::<usize>() == 1;
            let plural = if one { "" } else { "s" };
            let inner = match (inner, &dims[depth..]) {
                (Ty::Matrix, [rows, cols]) if one => format!("{rows} by {cols} matrix"),
                (Ty::Matrix, [rows, cols]) => format!("{rows} by {cols} matrices"),
                (Ty::Vector, [n]) => format!("vector{plural} of {}", elements(*n)),
                (Ty::RowVector, [n]) => format!("row vector{plural} of {}", elements(*n)),
                (other, _) => format!("{other}{plural}"),
            };
            format!("an array of {} {inner}", sizes.join(" by "))
        }
        (scalar, _) => format!("{} {scalar}", if *scalar == Ty::Int { "an" } else { "a" }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn containers_nest_by_index() {
        let matrix = Container::matrix(2, 2, vec![1.0, 3.0, 2.0, 4.0]);
        assert_eq!(display_value(&Value::Container(matrix)), "[[1,2],[3,4]]");
        let array = Container::ints(Ty::Int.array_of(2), vec![2, 1], vec![5, 6]);
        assert_eq!(display_value(&Value::Container(array)), "[[5],[6]]");
    }

    #[test]
    fn shapes_in_words() {
        let dims = [2, 3, 1];
        let ty = Ty::Matrix.array_of(1);
        assert_eq!(describe_dims(&ty, &dims), "an array of 2 3 by 1 matrices");
        assert_eq!(
            describe_dims(&Ty::Int.array_of(1), &[4]),
            "an array of 4 ints"
        );
    }
}
