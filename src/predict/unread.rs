//! A plan without the columns that a prediction does not read: outcomes, and what the fit gives.

use crate::equation::plan::{Extent, Fixed, InputSource, Plan, SetKind};

/// Removes the columns that neither an input nor an index set reads.
pub fn forget(plan: &mut Plan) {
    let mut is_read = vec![false; plan.columns.len()];
    visit(plan, &mut |column| is_read[*column] = true);
    let mut place = 0;
    let places: Vec<usize> = (is_read.iter())
        .map(|is_read| {
            place += usize::from(*is_read);
            place.saturating_sub(1)
        })
        .collect();
    visit(plan, &mut |column| *column = places[*column]);
    let mut is_read = is_read.into_iter();
    plan.columns.retain(|_| is_read.next().unwrap_or(false));
}

/// Calls a function with every place of a column that inputs and sets hold.
fn visit(plan: &mut Plan, see: &mut dyn FnMut(&mut usize)) {
    for input in &mut plan.inputs {
        match &mut input.source {
            InputSource::Column(column)
            | InputSource::Map(column)
            | InputSource::LongRows(column)
            | InputSource::LongPosition { column, .. }
            | InputSource::LongValues(column)
            | InputSource::LongLag { column, .. }
            | InputSource::MissingCount(column)
            | InputSource::MissingPositions(column)
            | InputSource::PresentCount(column)
            | InputSource::PresentPositions(column) => see(column),
            InputSource::Size(_)
            | InputSource::Membership { .. }
            | InputSource::PartOf { .. }
            | InputSource::Position { .. }
            | InputSource::LevelValues(_)
            | InputSource::FittedSize(_)
            | InputSource::Frozen(_) => {}
        }
    }
    for set in &mut plan.sets {
        match &mut set.kind {
            SetKind::Rows => {}
            SetKind::Levels { columns, order } => {
                columns.iter_mut().for_each(&mut *see);
                if let Some(order) = order {
                    visit_fixed(order, see);
                }
            }
            SetKind::Fixed(order) => visit_fixed(order, see),
            SetKind::Combinations { parts, .. } => {
                parts
                    .iter_mut()
                    .flat_map(|part| &mut part.path)
                    .for_each(&mut *see);
            }
        }
    }
}

fn visit_fixed(order: &mut Fixed, see: &mut dyn FnMut(&mut usize)) {
    if let Fixed::Computed(from, to) = order {
        visit_extent(from, see);
        visit_extent(to, see);
    }
}

fn visit_extent(extent: &mut Extent, see: &mut dyn FnMut(&mut usize)) {
    match extent {
        Extent::Scalar(column) => see(column),
        Extent::Sum(left, right)
        | Extent::Difference(left, right)
        | Extent::Product(left, right) => {
            visit_extent(left, see);
            visit_extent(right, see);
        }
        Extent::Number(_) | Extent::Size(_) | Extent::Variable(_) => {}
    }
}
