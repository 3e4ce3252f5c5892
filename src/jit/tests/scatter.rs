//! Sums by group: indices in every order, over borders of blocks, with checks that fail and sums that overflow.

use super::*;
use crate::jit::blocks::{BLOCK, Segments};

pub(super) const CELLS: usize = 9;

/// How a loop over rows of groups is built.
#[derive(Clone, Copy, Debug)]
pub(super) struct Shape {
    /// With a check that each location is finite; of what the sum tells, or behind a kernel.
    pub checked: bool,
    /// With a kernel called on blocks, the check being of its result.
    pub kernel: bool,
    /// With an addition at a place of each row.
    pub by_row: bool,
    /// The number of rounds is known.
    pub known: bool,
}

/// `location = table[group[i] - 1 + 2] + data[i] slope[group[i] + …]`, with sums of squares, and adjoints scattered to both.
pub(super) fn grouped(groups: &[i64], shape: Shape) -> Procedure {
    let len = groups.len();
    let mut build = Builder::new("grouped");
    let data: Vec<f64> = (0..len).map(|at| (at as f64 * 0.7).sin()).collect();
    let data = reals(&mut build, "data", &data);
    let role = Role::ConstantInt(groups.iter().map(|group| group + 1).collect());
    let group = build.buffer("group", Kind::Int, len, role);
    let table = build.buffer("table", Kind::Real, 2 * CELLS + 2, Role::Input(0));
    let gradient = build.buffer("gradient", Kind::Real, 2 * CELLS + 2, Role::Output(0));
    let rows = build.buffer("rows", Kind::Real, len, Role::Output(1));
    let total = build.cell("total", Kind::Real);
    let size = build.cell("size", Kind::Int);
    let rejected = build.message(message(MessageKind::Reject, "location "));
    let [zero, one, two, slopes] = [0, 1, 2, 2 + CELLS as i64].map(|k| build.int(k));
    let mut end = build.int(len as i64);
    if !shape.known {
        build.push(Stmt::Set(size, end));
        end = build.get(size);
    }
    let infinity = build.real(f64::INFINITY);
    looped(&mut build, zero, end, false, |build, i| {
        let (x, y) = (build.load(data, i), build.load(data, i));
        let g = build.load(group, i);
        let g = build.prim(Prim::SubInt, &[g, one]);
        let level_at = build.prim(Prim::AddInt, &[two, g]);
        let slope_at = build.prim(Prim::AddInt, &[g, slopes]);
        let (level, slope) = (build.load(table, level_at), build.load(table, slope_at));
        let location = build.prim(Prim::Fma, &[x, slope, level]);
        let location = match shape.kernel {
            true => build.prim(Prim::Expm1, &[location]),
            false => location,
        };
        let size = build.prim(Prim::Abs, &[location]);
        let ok = build.prim(Prim::Lt, &[size, infinity]);
        if shape.checked {
            build.push(Stmt::Check {
                ok,
                message: rejected,
                values: vec![i],
            });
        }
        let difference = build.prim(Prim::Sub, &[y, location]);
        let square = build.prim(Prim::Square, &[difference]);
        build.push(Stmt::Add(total, square));
        build.push(Stmt::Accumulate(gradient, zero, difference));
        let slope = build.prim(Prim::Mul, &[difference, x]);
        build.push(Stmt::Accumulate(gradient, slope_at, slope));
        if shape.by_row {
            build.push(Stmt::Accumulate(rows, i, difference));
        }
        build.push(Stmt::Accumulate(gradient, level_at, difference));
    });
    finish(build, total)
}

/// Every shape of loop.
pub(super) fn shapes() -> impl Iterator<Item = Shape> {
    (0..16).map(|bits| Shape {
        checked: bits & 1 != 0,
        kernel: bits & 2 != 0,
        by_row: bits & 4 != 0,
        known: bits & 8 != 0,
    })
}

/// Levels and slopes of groups.
pub(super) fn table() -> Vec<f64> {
    let values = (0..2 * CELLS + 2).map(|at| (at as f64 * 1.3).cos());
    values.collect()
}

/// How many sums by group the first loop leaves to kernels.
fn scatters(procedure: &Procedure) -> usize {
    let Some((Stmt::For { body, .. }, plan)) = first_plan(procedure) else {
        return 0;
    };
    Segments::new(procedure, &plan, body).map_or(0, |segments| segments.scatters.len())
}

fn agrees(groups: &[i64], shape: Shape, kernels: usize) {
    let procedure = grouped(groups, shape);
    if groups.len() >= 16 {
        assert_eq!(scatters(&procedure), kernels, "{groups:?}");
    }
    verify(&procedure).expect("well formed");
    check_close(&procedure, &[&table()]);
}

#[test]
fn sums_by_group_agree_in_every_order() {
    for len in [0, 17, 800] {
        let groups = |group: fn(usize) -> usize| -> Vec<i64> {
            (0..len).map(|at| group(at) as i64).collect()
        };
        for shape in shapes() {
            // Runs that end within blocks, at their borders, in chunks of every length.
            agrees(&groups(|at| at * CELLS / 800), shape, 2);
            agrees(&groups(|at| at * 7 / BLOCK * 5 % CELLS), shape, 2);
            agrees(&groups(|_| 4), shape, 2);
            // In no order.
            agrees(&groups(|at| at % 2 * 7), shape, 2);
            agrees(&groups(|at| at * at % 3 + at % 2), shape, 2);
            agrees(&groups(|at| at * 7 % CELLS), shape, 0);
        }
    }
}

#[test]
fn sums_over_many_groups_in_no_order_are_left_alone() {
    let mut build = Builder::new("many");
    let groups: Vec<i64> = (0..100).map(|at| at * 7 % 50).collect();
    let group = build.buffer("group", Kind::Int, 100, Role::ConstantInt(groups.into()));
    let data = build.buffer("data", Kind::Real, 100, Role::Input(0));
    let sums = build.buffer("sums", Kind::Real, 50, Role::Output(0));
    let total = build.cell("total", Kind::Real);
    let [zero, end] = [0, 100].map(|k| build.int(k));
    looped(&mut build, zero, end, false, |build, i| {
        let (g, x) = (build.load(group, i), build.load(data, i));
        let square = build.prim(Prim::Square, &[x]);
        build.push(Stmt::Accumulate(sums, g, square));
        build.push(Stmt::Add(total, square));
    });
    let procedure = finish(build, total);
    assert_eq!(scatters(&procedure), 0);
    let input: Vec<f64> = (0..100).map(|at| (at as f64).sin()).collect();
    check_scalar(&procedure, &[&input]);
    check_close(&procedure, &[&input]);
}

#[test]
fn a_failed_check_names_its_row_whatever_the_block() {
    for len in [40, 700] {
        let groups: Vec<i64> = (0..len).map(|at| (at * CELLS / len) as i64).collect();
        for shape in shapes().filter(|shape| shape.checked) {
            let procedure = grouped(&groups, shape);
            for (group, wrong) in [(0, f64::NAN), (4, f64::INFINITY), (CELLS - 1, f64::NAN)] {
                let mut table = table();
                table[2 + group] = wrong;
                assert!(evaluate(&procedure, &[&table]).result.is_err());
                check_close(&procedure, &[&table]);
            }
        }
    }
}

#[test]
fn a_sum_that_overflows_adds_to_no_group_twice() {
    let groups: Vec<i64> = (0..700).map(|at| at * CELLS as i64 / 700).collect();
    for shape in shapes().filter(|shape| shape.checked && !shape.kernel) {
        let procedure = grouped(&groups, shape);
        for group in [0, 4, CELLS - 1] {
            let mut table = table();
            table[2 + group] = 1e200;
            let outcome = evaluate(&procedure, &[&table]);
            assert_eq!(outcome.result, Ok(f64::INFINITY));
            check_close(&procedure, &[&table]);
        }
    }
}
