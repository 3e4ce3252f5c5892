//! Selections: which storage positions of a container an index list names, in the storage order of the result.

use std::ops::Range;

use super::value::{Container, strides};
use crate::types::Ty;

/// What one index of a list picks along its dimension, counted from 0 and checked to be in range.
#[derive(Clone, Debug, PartialEq)]
pub enum Pick {
    /// One position: drops the dimension.
    Single(usize),
    /// Neighbouring positions: keeps the dimension.
    Range(Range<usize>),
    /// Any positions, repetitions included: keeps the dimension.
    Many(Vec<usize>),
}

impl Pick {
    fn len(&self) -> usize {
        match self {
            Pick::Single(_) => 1,
            Pick::Range(range) => range.len(),
            Pick::Many(positions) => positions.len(),
        }
    }

    /// The positions it picks, in order.
    pub fn positions(&self) -> impl Iterator<Item = usize> + '_ {
        (0..self.len()).map(|at| self.position(at))
    }

    fn position(&self, at: usize) -> usize {
        match self {
            Pick::Single(position) => *position,
            Pick::Range(range) => range.start + at,
            Pick::Many(positions) => positions[at],
        }
    }
}

/// A part of a container, as storage positions in the storage order of the part.
#[derive(Clone, Debug)]
pub struct Selection {
    ty: Ty,
    dims: Vec<usize>,
    base: usize,
    /// The kept dimensions with their strides, slowest first.
    loops: Vec<(Pick, usize)>,
}

impl Selection {
    /// The part of a container that `picks`, one per leading dimension, select; missing ones mean the whole dimension.
    pub fn new(container: &Container, picks: Vec<Pick>) -> Selection {
        let strides = strides(&container.ty, &container.dims);
        let ty = selected_ty(&container.ty, &picks);
        let given = picks.len();
        let whole = container.dims[given..]
            .iter()
            .map(|&size| Pick::Range(0..size));
        let mut base = 0;
        let mut dims = Vec::new();
        let mut loops = Vec::new();
        for (pick, stride) in picks.into_iter().chain(whole).zip(strides) {
            if let Pick::Single(position) = pick {
                base += position * stride;
            } else {
                dims.push(pick.len());
                loops.push((pick, stride));
            }
        }
        if ty.array_parts().1 == &Ty::Matrix {
            // Columns of a matrix vary slowest in storage.
            let last = loops.len() - 1;
            loops.swap(last - 1, last);
        }
        Selection {
            ty,
            dims,
            base,
            loops,
        }
    }

    /// The part that single indexes (counted from 0, in range) lead to.
    pub fn of_singles(container: &Container, indexes: &[usize]) -> Selection {
        let picks = indexes.iter().map(|&index| Pick::Single(index)).collect();
        Selection::new(container, picks)
    }

    /// The type of the part.
    pub fn ty(&self) -> &Ty {
        &self.ty
    }

    /// The sizes of the part; none for a scalar.
    pub fn dims(&self) -> &[usize] {
        &self.dims
    }

    /// Whether it names no scalar.
    pub fn is_empty(&self) -> bool {
        self.dims.contains(&0)
    }

    /// The storage position of its first scalar.
    pub fn first(&self) -> usize {
        self.base
            + (self.loops.iter())
                .map(|(pick, stride)| pick.position(0) * stride)
                .sum::<usize>()
    }

    /// The selected scalars.
    pub fn gather<T: Copy>(&self, from: &[T]) -> Vec<T> {
        let mut selected = Vec::with_capacity(self.dims.iter().product());
        self.for_each_run(|positions, stride| match positions {
            Pick::Range(range) if stride.step == 1 => {
                selected
                    .extend_from_slice(&from[stride.base + range.start..stride.base + range.end]);
            }
            pick => selected.extend(
                (0..pick.len()).map(|at| from[stride.base + pick.position(at) * stride.step]),
            ),
        });
        selected
    }

    /// Overwrites the selected scalars of `to` with those of `from`.
    pub fn scatter<T: Copy>(&self, from: &[T], to: &mut [T]) {
        let mut rest = from;
        self.for_each_run(|pick, stride| {
            let (run, after) = rest.split_at(pick.len());
            for (at, &scalar) in run.iter().enumerate() {
                to[stride.base + pick.position(at) * stride.step] = scalar;
            }
            rest = after;
        });
    }

    /// Calls back once per run of the fastest dimension.
    fn for_each_run(&self, mut run: impl FnMut(&Pick, Stride)) {
        let Some(((fastest, step), outer)) = self.loops.split_last() else {
            return run(
                &Pick::Single(0),
                Stride {
                    base: self.base,
                    step: 1,
                },
            );
        };
        if self.is_empty() {
            return;
        }
        let mut index = vec![0usize; outer.len()];
        loop {
            let offset: usize = (outer.iter().zip(&index))
                .map(|((pick, stride), &at)| pick.position(at) * stride)
                .sum();
            run(
                fastest,
                Stride {
                    base: self.base + offset,
                    step: *step,
                },
            );
            let mut dimension = outer.len();
            loop {
                if dimension == 0 {
                    return;
                }
                dimension -= 1;
                index[dimension] += 1;
                if index[dimension] < outer[dimension].0.len() {
                    break;
                }
                index[dimension] = 0;
            }
        }
    }
}

/// Where a run starts and how far apart its scalars are.
struct Stride {
    base: usize,
    step: usize,
}

/// The type that an index list leads to: singles drop a dimension, everything else keeps it.
fn selected_ty(ty: &Ty, picks: &[Pick]) -> Ty {
    let Some((first, rest)) = picks.split_first() else {
        return ty.clone();
    };
    let single = |pick: &Pick| matches!(pick, Pick::Single(_));
    match ty {
        Ty::Array(element) => {
            let inner = selected_ty(element, rest);
            if single(first) {
                inner
            } else {
                Ty::Array(Box::new(inner))
            }
        }
        Ty::Matrix => match (single(first), rest.first().is_some_and(single)) {
            (true, true) => Ty::Real,
            (true, false) => Ty::RowVector,
            (false, true) => Ty::Vector,
            (false, false) => Ty::Matrix,
        },
        Ty::Vector | Ty::RowVector if single(first) => Ty::Real,
        other => other.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::interp::value::Value;

    fn matrix() -> Container {
        Container::matrix(3, 2, vec![11.0, 21.0, 31.0, 12.0, 22.0, 32.0])
    }

    fn read(container: &Container, picks: Vec<Pick>) -> Value {
        container.read(&Selection::new(container, picks))
    }

    #[test]
    fn a_single_index_drops_and_the_others_keep_a_dimension() {
        let rows = Pick::Many(vec![2, 0]);
        assert_eq!(
            read(&matrix(), vec![rows.clone(), Pick::Single(1)]),
            Value::Container(Container::vector(vec![32.0, 12.0]))
        );
        assert_eq!(
            read(&matrix(), vec![Pick::Single(1), Pick::Range(0..2)]),
            Value::Container(Container::row_vector(vec![21.0, 22.0]))
        );
        assert_eq!(
            read(&matrix(), vec![rows]),
            Value::Container(Container::matrix(2, 2, vec![31.0, 11.0, 32.0, 12.0]))
        );
        assert_eq!(
            read(&matrix(), vec![Pick::Range(1..1)]),
            Value::Container(Container::matrix(0, 2, vec![]))
        );
    }

    #[test]
    fn arrays_of_matrices_select_through_both_orders() {
        let values: Vec<f64> = (0..12).map(f64::from).collect();
        let all = Container::reals(Ty::Matrix.array_of(1), vec![2, 3, 2], values);
        assert_eq!(
            read(&all, vec![Pick::Range(0..2), Pick::Single(1)]),
            Value::Container(Container::reals(
                Ty::RowVector.array_of(1),
                vec![2, 2],
                vec![1.0, 4.0, 7.0, 10.0]
            ))
        );
    }

    #[test]
    fn writing_touches_the_selected_scalars_only() {
        let mut target = matrix();
        let selection = Selection::new(&target, vec![Pick::Range(1..3), Pick::Single(0)]);
        target.write(
            &selection,
            &Value::Container(Container::vector(vec![7.0, 8.0])),
        );
        assert_eq!(
            target.as_reals().as_ref(),
            [11.0, 7.0, 8.0, 12.0, 22.0, 32.0]
        );
    }
}
