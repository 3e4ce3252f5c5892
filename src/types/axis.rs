//! What an index counts, and the words for one that is out of range: the same wherever that is noticed.

use super::Ty;

/// What an index counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Axis {
    /// The elements of a container of one dimension.
    Elements,
    /// The rows of a matrix.
    Rows,
    /// The columns of a matrix.
    Columns,
    /// The elements along a dimension, from 1, of an array of several.
    Dimension(usize),
}

impl Ty {
    /// What the index at a position, from 0, counts.
    pub fn axis(&self, position: usize) -> Axis {
        let (depth, inner) = self.array_parts();
        match (inner, position.checked_sub(depth)) {
            (Ty::Matrix | Ty::ComplexMatrix, Some(0)) => Axis::Rows,
            (Ty::Matrix | Ty::ComplexMatrix, Some(_)) => Axis::Columns,
            _ if self.rank() > 1 => Axis::Dimension(position + 1),
            _ => Axis::Elements,
        }
    }
}

impl Axis {
    /// What is said of an index of `subject` that is out of range: the text before the index, and that between it and the
    /// size, which ends the sentence.
    pub fn out_of_range(self, subject: &str) -> [String; 2] {
        let counted = match self {
            Axis::Dimension(number) => {
                let before = format!("index {number} of {subject} is ");
                return [before, ", out of range: the size there is ".to_string()];
            }
            Axis::Elements => ("index ", "size"),
            Axis::Rows => ("row index ", "number of rows"),
            Axis::Columns => ("column index ", "number of columns"),
        };
        [
            counted.0.to_string(),
            format!(" is out of range: the {} of {subject} is ", counted.1),
        ]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(ty: &Ty, position: usize, subject: &str, index: i64, size: usize) -> String {
        let [before, between] = ty.axis(position).out_of_range(subject);
        format!("{before}{index}{between}{size}")
    }

    #[test]
    fn messages_name_variable_index_and_size() {
        assert_eq!(
            words(&Ty::Vector, 0, "`theta`", 11, 10),
            "index 11 is out of range: the size of `theta` is 10"
        );
        assert_eq!(
            words(&Ty::Matrix, 1, "`X`", 0, 1),
            "column index 0 is out of range: the number of columns of `X` is 1"
        );
        assert_eq!(
            words(&Ty::Matrix.array_of(1), 1, "`L`", 4, 3),
            "row index 4 is out of range: the number of rows of `L` is 3"
        );
        assert_eq!(
            words(&Ty::Real.array_of(2), 1, "`a`", 4, 0),
            "index 2 of `a` is 4, out of range: the size there is 0"
        );
    }
}
