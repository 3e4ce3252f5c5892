//! Compiled code against the literal evaluator, on procedures by hand and at random.

mod logarithms;
mod parts;
mod powers;
mod scatter;
mod special;
mod sums;
mod wide;

use super::host::Host;
use super::lanes::{Definitions, Plan};
use super::{CompileOptions, Compiled, prim, symbols};
use crate::builtins::{Kind, Prim, Scalar};
use crate::loops::{
    Buffer, BufferId, Builder, CellId, Evaluator, Message, MessageId, MessageKind, Op, Part,
    Procedure, Role, Slice, Stmt, Stop, ValueId, verify,
};
use proptest::prelude::*;

/// What a run left behind.
#[derive(Debug)]
struct Outcome {
    result: Result<f64, Stop>,
    outputs: Vec<Vec<f64>>,
    printed: String,
}

fn outputs(procedure: &Procedure) -> Vec<Vec<f64>> {
    let mut outputs = Vec::new();
    let numbered = |buffer: &Buffer| match buffer.role {
        Role::Output(number) => Some((number as usize, buffer.len)),
        _ => None,
    };
    for (number, len) in procedure.buffers.iter().filter_map(numbered) {
        outputs.resize(outputs.len().max(number + 1), Vec::new());
        outputs[number] = vec![7.0; len];
    }
    outputs
}

fn evaluate(procedure: &Procedure, inputs: &[&[f64]]) -> Outcome {
    let mut outputs = outputs(procedure);
    let mut evaluator = Evaluator::new(procedure);
    let mut slices: Vec<&mut [f64]> = outputs.iter_mut().map(Vec::as_mut_slice).collect();
    let result = evaluator.run(inputs, &mut slices, None);
    let printed = evaluator.take_printed();
    Outcome {
        result,
        outputs,
        printed,
    }
}

fn compile_and_run(procedure: &Procedure, options: &CompileOptions, inputs: &[&[f64]]) -> Outcome {
    let compiled = Compiled::compile(procedure, options).expect("compiles");
    let mut workspace = compiled.workspace(None);
    // The second run must not see what the first one left.
    let mut outcome = None;
    for _ in 0..2 {
        let mut outputs = outputs(procedure);
        let mut slices: Vec<&mut [f64]> = outputs.iter_mut().map(Vec::as_mut_slice).collect();
        let result = compiled.run(&mut workspace, inputs, &mut slices, None);
        let printed = workspace.take_printed();
        outcome = Some(Outcome {
            result,
            outputs,
            printed,
        });
    }
    outcome.expect("ran")
}

fn same_bits(a: f64, b: f64) -> bool {
    a.to_bits() == b.to_bits() || (a.is_nan() && b.is_nan())
}

/// Scalar code must agree with the evaluator to the bit.
fn check_scalar(procedure: &Procedure, inputs: &[&[f64]]) -> Outcome {
    verify(procedure).expect("well formed");
    let expected = evaluate(procedure, inputs);
    for (optimise, check_bounds) in [(false, false), (true, false), (true, true)] {
        let options = CompileOptions {
            optimise,
            check_bounds,
            vectorise: false,
            wide: false,
        };
        let found = compile_and_run(procedure, &options, inputs);
        match (&expected.result, &found.result) {
            (Ok(expected), Ok(found)) => {
                assert!(same_bits(*expected, *found), "{expected} {found}")
            }
            (expected, found) => assert_eq!(expected, found),
        }
        assert_eq!(expected.printed, found.printed);
        if expected.result.is_ok() {
            for (expected, found) in expected
                .outputs
                .iter()
                .flatten()
                .zip(found.outputs.iter().flatten())
            {
                assert!(
                    same_bits(*expected, *found),
                    "{expected} {found}\n{procedure}"
                );
            }
        }
    }
    expected
}

fn reals(build: &mut Builder, name: &str, values: &[f64]) -> BufferId {
    let role = Role::ConstantReal(values.to_vec().into());
    build.buffer(name, Kind::Real, values.len(), role)
}

fn finish(build: Builder, result: CellId) -> Procedure {
    let mut procedure = build.finish();
    procedure.result = Some(result);
    procedure
}

/// Runs a body that cannot fail.
fn looped(
    build: &mut Builder,
    start: ValueId,
    end: ValueId,
    reverse: bool,
    body: impl FnOnce(&mut Builder, ValueId),
) {
    let outcome: Result<(), ()> = build.for_loop(start, end, reverse, |build, var| {
        body(build, var);
        Ok(())
    });
    outcome.expect("infallible");
}

fn message(kind: MessageKind, text: &str) -> Message {
    Message {
        kind,
        parts: vec![Part::Text(text.into()), Part::Value(0)],
        span: Default::default(),
    }
}

#[test]
fn every_primitive_agrees() {
    let points = [
        -3.5,
        -2.0,
        -1.0,
        -0.75,
        -0.5,
        -0.0,
        0.0,
        1e-300,
        0.25,
        0.49999999999999994,
        0.5,
        0.75,
        1.0,
        1.5,
        2.0,
        2.5,
        4.0,
        17.25,
        1e18,
        f64::INFINITY,
        f64::NEG_INFINITY,
        f64::NAN,
    ];
    // Kernels are the same functions on both sides, and some are slow at the extremes: a few points do.
    let few: Vec<f64> = points.iter().copied().step_by(4).collect();
    for &prim in Prim::ALL {
        let mut build = Builder::new(prim.name());
        let inline = prim::is_inline_real(prim, Host::detect());
        let called = symbols::symbol(prim).is_some() && !inline;
        let points = if called { &few } else { points.as_slice() };
        let count = points.len();
        let x = reals(&mut build, "x", points);
        let arity = prim.args().len() as u32;
        let out = build.buffer("out", Kind::Real, count.pow(arity), Role::Output(0));
        let (zero, n) = (build.int(0), build.int(count as i64));
        // All combinations of points, as nested loops.
        fn nest(
            build: &mut Builder,
            (prim, x, out): (Prim, BufferId, BufferId),
            (zero, n): (ValueId, ValueId),
            place: ValueId,
            args: Vec<ValueId>,
        ) {
            let Some(kind) = prim.args().get(args.len()) else {
                let result = build.prim(prim, &args);
                let result = match prim.result() {
                    Kind::Int => build.prim(Prim::ToReal, &[result]),
                    Kind::Real => result,
                };
                build.push(Stmt::Store(out, place, result));
                return;
            };
            looped(build, zero, n, false, |build, i| {
                let arg = match kind {
                    Kind::Real => build.load(x, i),
                    Kind::Int => {
                        let offset = build.int(-3);
                        let small = build.prim(Prim::AddInt, &[i, offset]);
                        // Divisors of 0 are excluded by checks in real procedures.
                        let is_division = matches!(prim, Prim::DivInt | Prim::ModInt);
                        if is_division && args.len() == 1 {
                            let minus_one = build.int(-1);
                            let is_zero = build.prim(Prim::EqInt, &[small, zero]);
                            build.define(Kind::Int, Op::Select(is_zero, minus_one, small))
                        } else {
                            small
                        }
                    }
                };
                let place = build.prim(Prim::MulInt, &[place, n]);
                let place = build.prim(Prim::AddInt, &[place, i]);
                let args = args.iter().copied().chain([arg]).collect();
                nest(build, (prim, x, out), (zero, n), place, args);
            });
        }
        if prim == Prim::ToInt {
            continue; // The evaluator refuses what no 32-bit integer can hold.
        }
        nest(&mut build, (prim, x, out), (zero, n), zero, Vec::new());
        let outcome = check_scalar(&build.finish(), &[]);
        assert!(outcome.result.is_ok(), "{prim:?}: {:?}", outcome.result);
    }
}

#[test]
fn control_flow_and_cells() {
    // Collatz: steps from n to 1, summed for n in 1..30, with an if in a while in a for.
    let mut build = Builder::new("collatz");
    let (n, steps) = (build.cell("n", Kind::Int), build.cell("steps", Kind::Real));
    let [one, two, three, thirty] = [1, 2, 3, 30].map(|k| build.int(k));
    let unit = build.real(1.0);
    looped(&mut build, one, thirty, false, |build, i| {
        build.push(Stmt::Set(n, i));
        build.open();
        let now = build.get(n);
        let condition = build.prim(Prim::GtInt, &[now, one]);
        let header = build.close();
        build.open();
        let rest = build.prim(Prim::ModInt, &[now, two]);
        build.open();
        let triple = build.prim(Prim::MulInt, &[now, three]);
        let odd = build.prim(Prim::AddInt, &[triple, one]);
        build.push(Stmt::Set(n, odd));
        let then = build.close();
        build.open();
        let half = build.prim(Prim::DivInt, &[now, two]);
        build.push(Stmt::Set(n, half));
        let otherwise = build.close();
        build.push(Stmt::If {
            condition: rest,
            then,
            otherwise,
        });
        build.push(Stmt::Add(steps, unit));
        let body = build.close();
        build.push(Stmt::While {
            header,
            condition,
            body,
        });
    });
    let outcome = check_scalar(&finish(build, steps), &[]);
    let brute: u32 = (1..30u64)
        .map(|mut n| {
            let mut steps = 0;
            while n > 1 {
                n = if n % 2 == 1 { 3 * n + 1 } else { n / 2 };
                steps += 1;
            }
            steps
        })
        .sum();
    assert_eq!(outcome.result, Ok(f64::from(brute)));
}

#[test]
fn tape_slices_fills_and_prints() {
    let mut build = Builder::new("tape");
    let work = build.buffer("work", Kind::Real, 6, Role::Work);
    let zeroed = build.buffer("zeroed", Kind::Real, 40, Role::Zeroed);
    let out = build.buffer("out", Kind::Real, 7, Role::Output(0));
    let total = build.cell("total", Kind::Real);
    let said = build.message(message(MessageKind::Print, "popped "));
    let [zero, one, two, three, six] = [0, 1, 2, 3, 6].map(|k| build.int(k));
    let value = build.real(2.5);
    let whole = |buffer| Slice {
        buffer,
        offset: zero,
        rows: two,
        cols: three,
    };
    build.push(Stmt::Fill(whole(work), value));
    looped(&mut build, zero, six, false, |build, i| {
        let x = build.prim(Prim::ToReal, &[i]);
        build.push(Stmt::Accumulate(work, i, x));
        build.push(Stmt::Push(x));
    });
    build.push(Stmt::PushSlice(whole(work)));
    let slice = Slice {
        buffer: out,
        offset: one,
        rows: two,
        cols: three,
    };
    build.push(Stmt::PopSlice(slice));
    looped(&mut build, zero, six, true, |build, i| {
        let popped = build.define(Kind::Real, Op::Pop(Kind::Real));
        build.push(Stmt::Print {
            message: said,
            values: vec![popped],
        });
        let element = build.load(zeroed, i);
        build.push(Stmt::Accumulate(zeroed, i, popped));
        let element = build.prim(Prim::Add, &[element, popped]);
        build.push(Stmt::Add(total, element));
    });
    let outcome = check_scalar(&finish(build, total), &[]);
    assert_eq!(outcome.result, Ok(15.0));
    assert_eq!(outcome.outputs[0], [0.0, 2.5, 3.5, 4.5, 5.5, 6.5, 7.5]);
    assert!(outcome.printed.starts_with("popped 5\npopped 4\n"));
}

#[test]
fn stops_say_the_same() {
    let mut build = Builder::new("stop");
    let x = build.buffer("x", Kind::Real, 3, Role::Input(0));
    let total = build.cell("total", Kind::Real);
    let rejected = build.message(message(MessageKind::Reject, "not positive: "));
    let (zero, three, nothing) = (build.int(0), build.int(3), build.real(0.0));
    looped(&mut build, zero, three, false, |build, i| {
        let element = build.load(x, i);
        let ok = build.prim(Prim::Gt, &[element, nothing]);
        build.push(Stmt::Check {
            ok,
            message: rejected,
            values: vec![element, i],
        });
        build.push(Stmt::Add(total, element));
    });
    let procedure = finish(build, total);
    assert_eq!(
        check_scalar(&procedure, &[&[1.0, 2.0, 3.0]]).result,
        Ok(6.0)
    );
    let stop = check_scalar(&procedure, &[&[1.0, -0.5, f64::NAN]])
        .result
        .unwrap_err();
    assert_eq!(stop.text, "not positive: -0.5");
}

#[test]
fn misuse_is_an_error() {
    let mut build = Builder::new("misuse");
    let x = build.buffer("x", Kind::Real, 3, Role::Input(0));
    let zero = build.int(0);
    build.load(x, zero);
    let procedure = build.finish();
    let compiled = Compiled::compile(&procedure, &CompileOptions::default()).unwrap();
    let mut workspace = compiled.workspace(None);
    let short: &[f64] = &[1.0, 2.0];
    for inputs in [&[short][..], &[]] {
        let evaluated = Evaluator::new(&procedure).run(inputs, &mut [], None);
        assert_eq!(
            compiled.run(&mut workspace, inputs, &mut [], None),
            evaluated
        );
        assert!(evaluated.is_err());
    }
    let other = Compiled::compile(&procedure, &CompileOptions::default()).unwrap();
    let stop = other.run(&mut workspace, &[&[0.0; 3]], &mut [], None);
    assert!(stop.unwrap_err().text.contains("workspace of another"));
}

#[test]
fn bounds_are_checked_on_request() {
    let mut build = Builder::new("bounds");
    let x = build.buffer("x", Kind::Real, 3, Role::Input(0));
    let place = build.cell("place", Kind::Int);
    let far = build.int(1000);
    build.push(Stmt::Set(place, far));
    let index = build.get(place);
    build.load(x, index);
    let procedure = build.finish();
    let options = CompileOptions {
        check_bounds: true,
        ..CompileOptions::default()
    };
    let found = compile_and_run(&procedure, &options, &[&[0.0; 3]]).result;
    assert_eq!(found, evaluate(&procedure, &[&[0.0; 3]]).result);
    assert!(
        found
            .unwrap_err()
            .text
            .contains("index 1000 is outside of `x`")
    );
}

#[test]
fn a_long_body_is_cut_into_functions() {
    // A chain through values, a cell and a buffer that crosses many cuts.
    let mut build = Builder::new("long");
    let x = build.buffer("x", Kind::Real, 2, Role::Input(0));
    let out = build.buffer("out", Kind::Real, 2, Role::Output(0));
    let total = build.cell("total", Kind::Real);
    let flag = build.cell("flag", Kind::Int);
    let (zero, one) = (build.int(0), build.int(1));
    let (mut a, b) = (build.load(x, zero), build.load(x, one));
    let first = build.prim(Prim::Lt, &[a, b]);
    for round in 0..1000 {
        a = build.prim(Prim::Mul, &[a, b]);
        let shift = build.real(f64::from(round % 7));
        let sum = build.prim(Prim::Add, &[a, shift]);
        build.push(Stmt::Add(total, sum));
        build.push(Stmt::Accumulate(out, one, sum));
        if round % 300 == 0 {
            build.push(Stmt::Set(flag, first));
        }
    }
    let flag = build.get(flag);
    let chosen = build.define(Kind::Real, Op::Select(first, a, b));
    let other = build.define(Kind::Real, Op::Select(flag, b, a));
    let sum = build.prim(Prim::Sub, &[chosen, other]);
    build.push(Stmt::Store(out, zero, sum));
    let procedure = finish(build, total);
    check_scalar(&procedure, &[&[1.25, 0.999]]);
    check_scalar(&procedure, &[&[0.5, 1.0001]]);
}

#[test]
fn dropped_code_is_freed() {
    let mut build = Builder::new("small");
    let total = build.cell("total", Kind::Real);
    let one = build.real(1.0);
    build.push(Stmt::Add(total, one));
    let procedure = finish(build, total);
    let compile = |times: usize| {
        for _ in 0..times {
            let compiled = Compiled::compile(&procedure, &CompileOptions::default()).unwrap();
            let mut workspace = compiled.workspace(None);
            assert_eq!(compiled.run(&mut workspace, &[], &mut [], None), Ok(1.0));
        }
    };
    compile(50);
    let before = mappings();
    compile(1000);
    // Code that leaked would keep a page mapped each.
    assert!(mappings() < before + 200, "{} after {before}", mappings());
}

/// How many memory mappings the process has; 0 where the system does not say.
fn mappings() -> usize {
    std::fs::read_to_string("/proc/self/maps").map_or(0, |maps| maps.lines().count())
}

/// Decides how a random procedure goes on.
struct Choices {
    numbers: Vec<u32>,
    at: usize,
}

impl Choices {
    fn below(&mut self, bound: usize) -> usize {
        let number = self.numbers.get(self.at).copied().unwrap_or(0);
        self.at += 1;
        number as usize % bound
    }

    fn exhausted(&self) -> bool {
        self.at >= self.numbers.len()
    }

    fn pick<T: Copy>(&mut self, from: &[T]) -> T {
        from[self.below(from.len())]
    }
}

/// The length of every buffer of a random procedure.
const LEN: usize = 61;

/// Builds a random procedure. `total` and the buffers `sums` are only ever added to, and `magnitude` gets the size
/// of everything that is, so that the order of additions may be judged.
struct Random {
    build: Builder,
    choices: Choices,
    reals: Vec<ValueId>,
    ints: Vec<ValueId>,
    /// Values in range as indices.
    indices: Vec<ValueId>,
    sources: Vec<BufferId>,
    places: BufferId,
    work: Vec<BufferId>,
    sums: Vec<BufferId>,
    cell: CellId,
    total: CellId,
    magnitude: CellId,
    rejected: MessageId,
}

impl Random {
    fn procedure(numbers: Vec<u32>) -> Procedure {
        let mut build = Builder::new("random");
        let data: Vec<f64> = (0..LEN).map(|at| (at as f64 * 0.7).sin()).collect();
        let places: Vec<i64> = (0..LEN).map(|at| (at * 7 % 11) as i64).collect();
        let mut buffer = |name: &str, kind, role| build.buffer(name, kind, LEN, role);
        let sources = vec![
            buffer("data", Kind::Real, Role::ConstantReal(data.into())),
            buffer("input", Kind::Real, Role::Input(0)),
        ];
        let places = buffer("places", Kind::Int, Role::ConstantInt(places.into()));
        let work = vec![
            buffer("work", Kind::Real, Role::Zeroed),
            buffer("values", Kind::Real, Role::Output(1)),
        ];
        let sums = vec![
            buffer("sums", Kind::Real, Role::Zeroed),
            buffer("gradient", Kind::Real, Role::Output(0)),
        ];
        let mut random = Random {
            choices: Choices { numbers, at: 0 },
            reals: vec![build.real(0.5), build.real(-1.5)],
            ints: vec![build.int(1)],
            indices: vec![build.int(0), build.int(5)],
            sources,
            places,
            work,
            sums,
            cell: build.cell("cell", Kind::Real),
            total: build.cell("total", Kind::Real),
            magnitude: build.cell("magnitude", Kind::Real),
            rejected: build.message(message(MessageKind::Reject, "below: ")),
            build,
        };
        while !random.choices.exhausted() {
            random.statement(0);
        }
        let (zero, len) = (random.build.int(0), random.build.int(LEN as i64));
        let (from, to) = (random.sums[0], random.sums[1]);
        looped(&mut random.build, zero, len, false, |build, i| {
            let sum = build.load(from, i);
            build.push(Stmt::Accumulate(to, i, sum));
        });
        let magnitude = random.build.get(random.magnitude);
        let last = random
            .build
            .buffer("magnitude", Kind::Real, 1, Role::Output(2));
        random.build.push(Stmt::Store(last, zero, magnitude));
        finish(random.build, random.total)
    }

    fn real(&mut self) -> ValueId {
        let recent = self.reals.len().saturating_sub(6);
        self.choices.pick(&self.reals.clone()[recent..])
    }

    fn index(&mut self) -> ValueId {
        let recent = self.indices.len().saturating_sub(3);
        self.choices.pick(&self.indices.clone()[recent..])
    }

    /// Values go out of scope with their block.
    fn scoped(&mut self, depth: usize, prologue: impl FnOnce(&mut Random)) {
        let sizes = (self.reals.len(), self.ints.len(), self.indices.len());
        prologue(self);
        for _ in 0..2 + self.choices.below(7) {
            self.statement(depth + 1);
        }
        self.reals.truncate(sizes.0);
        self.ints.truncate(sizes.1);
        self.indices.truncate(sizes.2);
    }

    fn statement(&mut self, depth: usize) {
        match self.choices.below(16) {
            0..=3 => self.arithmetic(),
            4 => {
                let (a, b) = (self.real(), self.real());
                let prim = self.choices.pick(&[Prim::Lt, Prim::Ge, Prim::Ne, Prim::Eq]);
                let truth = self.build.prim(prim, &[a, b]);
                self.ints.push(truth);
            }
            5 => {
                let condition = self.choices.pick(&self.ints.clone());
                let (a, b) = (self.real(), self.real());
                let op = Op::Select(condition, a, b);
                let value = self.build.define(Kind::Real, op);
                self.reals.push(value);
            }
            6 | 7 => {
                let all = [self.sources.as_slice(), &self.work].concat();
                let (buffer, index) = (self.choices.pick(&all), self.index());
                let value = self.build.load(buffer, index);
                self.reals.push(value);
            }
            8 => {
                let index = self.index();
                let place = self.build.load(self.places, index);
                self.indices.push(place);
            }
            9 => {
                let (buffer, index) = (self.choices.pick(&self.work.clone()), self.index());
                let value = self.real();
                self.build.push(Stmt::Store(buffer, index, value));
            }
            10 | 11 => {
                let (value, index) = (self.real(), self.index());
                let sums = self.sums.clone();
                let target = self.choices.pick(&[None, Some(sums[0]), Some(sums[1])]);
                self.add(target, index, value);
            }
            12 => {
                let value = self.real();
                if self.choices.below(2) == 0 {
                    self.build.push(Stmt::Set(self.cell, value));
                }
                let value = self.build.get(self.cell);
                self.reals.push(value);
            }
            13 if self.choices.below(3) == 0 => {
                let (value, bound) = (self.real(), self.build.real(-40.0));
                let ok = self.build.prim(Prim::Gt, &[value, bound]);
                let index = self.index();
                self.build.push(Stmt::Check {
                    ok,
                    message: self.rejected,
                    values: vec![value, index],
                });
            }
            14 if depth < 2 => self.branch(depth),
            15 if depth < 2 => self.loops(depth),
            _ => self.arithmetic(),
        }
    }

    fn add(&mut self, target: Option<BufferId>, index: ValueId, value: ValueId) {
        let size = self.build.prim(Prim::Abs, &[value]);
        self.build.push(Stmt::Add(self.magnitude, size));
        self.build.push(match target {
            Some(buffer) => Stmt::Accumulate(buffer, index, value),
            None => Stmt::Add(self.total, value),
        });
    }

    fn arithmetic(&mut self) {
        let prims = [
            Prim::Add,
            Prim::Sub,
            Prim::Mul,
            Prim::Div,
            Prim::Neg,
            Prim::Abs,
            Prim::Fma,
            Prim::Square,
            Prim::InvSqrt,
            Prim::Fmin,
            Prim::Fmax,
            Prim::Fdim,
            Prim::Step,
            Prim::Floor,
            Prim::Round,
            // Kernels that are the same one by one and on slices, to the bit.
            Prim::Erf,
            Prim::Asinh,
            Prim::Cbrt,
            Prim::LogSumExp,
        ];
        let prim = self.choices.pick(&prims);
        let args: Vec<ValueId> = prim.args().iter().map(|_| self.real()).collect();
        let value = self.build.prim(prim, &args);
        self.reals.push(value);
    }

    fn branch(&mut self, depth: usize) {
        let condition = self.choices.pick(&self.ints.clone());
        let [then, otherwise] = [(); 2].map(|()| {
            self.build.open();
            self.scoped(depth, |_| {});
            self.build.close()
        });
        self.build.push(Stmt::If {
            condition,
            then,
            otherwise,
        });
    }

    fn loops(&mut self, depth: usize) {
        let start = self.choices.below(4) as i64;
        let end = start - 1 + self.choices.below(LEN - 3) as i64;
        let reverse = self.choices.below(3) == 0;
        let (start, end) = (self.build.int(start), self.build.int(end));
        let var = self.build.fresh(Kind::Int);
        self.build.open();
        self.scoped(depth, |random| {
            random.indices.push(var);
            let number = random.build.prim(Prim::ToReal, &[var]);
            random.reals.push(number);
        });
        let body = self.build.close();
        self.build.push(Stmt::For {
            var,
            start,
            end,
            reverse,
            body,
        });
    }
}

/// Vector code may add in another order: compares with what rounding allows then.
fn check_vector(procedure: &Procedure, inputs: &[&[f64]]) {
    let expected = evaluate(procedure, inputs);
    let found = compile_and_run(procedure, &CompileOptions::default(), inputs);
    match (&expected.result, &found.result) {
        (Err(expected), Err(found)) => assert_eq!(expected, found),
        (Ok(result), Ok(also)) => {
            let bound = 1e-13 * (1.0 + expected.outputs[2][0]);
            let close =
                |a: f64, b: f64| same_bits(a, b) || bound.is_nan() || (a - b).abs() <= bound;
            assert!(close(*result, *also), "{result} {also}\n{procedure}");
            for at in 0..LEN {
                let (a, b) = (expected.outputs[0][at], found.outputs[0][at]);
                assert!(close(a, b), "gradient[{at}]: {a} {b}\n{procedure}");
                let (a, b) = (expected.outputs[1][at], found.outputs[1][at]);
                assert!(same_bits(a, b), "values[{at}]: {a} {b}\n{procedure}");
            }
        }
        (expected, found) => panic!("{expected:?}\n{found:?}\n{procedure}"),
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 120, ..ProptestConfig::default() })]

    #[test]
    fn random_procedures_agree(numbers in prop::collection::vec(any::<u32>(), 20..400)) {
        let procedure = Random::procedure(numbers);
        let input: Vec<f64> = (0..LEN).map(|at| 3.0 * (at as f64 + 0.3).cos()).collect();
        check_scalar(&procedure, &[&input]);
        check_vector(&procedure, &[&input]);
    }
}

/// Whether the first loop of a procedure is run several rounds at once.
fn is_vectorised(procedure: &Procedure) -> bool {
    first_plan(procedure).is_some()
}

/// The first loop of a procedure, with the plan for running it several rounds at once.
fn first_plan(procedure: &Procedure) -> Option<(&Stmt, Plan)> {
    let known = |value: ValueId| {
        procedure.body.iter().find_map(|stmt| match stmt {
            Stmt::Let(defined, Op::Int(constant)) if *defined == value => {
                Some(Scalar::Int(*constant))
            }
            Stmt::Let(defined, Op::Real(constant)) if *defined == value => {
                Some(Scalar::Real(*constant))
            }
            _ => None,
        })
    };
    let mut loops = procedure.body.iter();
    let first = loops.find(|stmt| matches!(stmt, Stmt::For { .. }))?;
    let definitions = Definitions::of(procedure);
    let plan = Plan::new(procedure, &definitions, first, Host::detect(), known)?;
    Some((first, plan))
}

/// A loop over kernels of kernels' results, with something of every segment in the last.
fn chained(len: usize) -> Procedure {
    let mut build = Builder::new("chained");
    let data: Vec<f64> = (0..len).map(|at| (at as f64 * 0.7).sin()).collect();
    let groups: Vec<i64> = (0..len).map(|at| (at * 7 % 5) as i64).collect();
    let data = reals(&mut build, "data", &data);
    let group = build.buffer("group", Kind::Int, len, Role::ConstantInt(groups.into()));
    let table = build.buffer("table", Kind::Real, 5, Role::Input(0));
    let gradient = build.buffer("gradient", Kind::Real, 5, Role::Output(0));
    let values = build.buffer("values", Kind::Real, len, Role::Zeroed);
    let total = build.cell("total", Kind::Real);
    let rejected = build.message(message(MessageKind::Reject, "large: "));
    let [zero, one, end] = [0, 1, len as i64].map(|k| build.int(k));
    let bound = build.real(50.0);
    let scale = build.load(table, one);
    looped(&mut build, zero, end, true, |build, i| {
        let x = build.load(data, i);
        let g = build.load(group, i);
        let mu = build.load(table, g);
        let odd = build.prim(Prim::EqInt, &[g, one]);
        let eta = build.prim(Prim::Fma, &[x, scale, mu]);
        let p = build.prim(Prim::InvLogit, &[eta]);
        let q = build.prim(Prim::Log, &[p]);
        let below = build.prim(Prim::Lt, &[q, eta]);
        build.push(Stmt::Store(values, i, q));
        let again = build.load(values, i);
        let sum = build.prim(Prim::Add, &[again, x]);
        let r = build.prim(Prim::Erf, &[sum]);
        let r = build.define(Kind::Real, Op::Select(below, r, eta));
        let r = build.define(Kind::Real, Op::Select(odd, r, p));
        build.push(Stmt::Accumulate(gradient, g, r));
        build.push(Stmt::Accumulate(gradient, one, x));
        let both = build.prim(Prim::LogSumExp, &[r, q]);
        build.push(Stmt::Add(total, both));
    });
    looped(&mut build, zero, end, false, |build, i| {
        let value = build.load(values, i);
        let ok = build.prim(Prim::Lt, &[value, bound]);
        build.push(Stmt::Check {
            ok,
            message: rejected,
            values: vec![value],
        });
        let value = build.prim(Prim::Exp, &[value]);
        build.push(Stmt::Add(total, value));
    });
    finish(build, total)
}

#[test]
fn kernels_run_on_blocks() {
    for len in [15, 16, 17, 19, 255, 256, 260, 515, 1000] {
        let procedure = chained(len);
        assert!(is_vectorised(&procedure));
        let table: &[f64] = &[0.1, -0.4, 0.7, 2.0, -1.0];
        check_scalar(&procedure, &[table]);
        check_close(&procedure, &[table]);
    }
}

/// A loop over data, gathers, a table of sums, a scatter, places written and read back, a local, selects.
fn crowded(len: usize, reverse: bool, checked: bool) -> Procedure {
    let mut build = Builder::new("crowded");
    let data: Vec<f64> = (0..len + 1).map(|at| (at as f64 * 0.7).sin()).collect();
    let groups: Vec<i64> = (0..len + 1).map(|at| (at * 7 % 5) as i64).collect();
    let data = reals(&mut build, "data", &data);
    let role = Role::ConstantInt(groups.into());
    let group = build.buffer("group", Kind::Int, len + 1, role);
    let table = build.buffer("table", Kind::Real, 5, Role::Input(0));
    let gradient = build.buffer("gradient", Kind::Real, 5, Role::Output(0));
    let values = build.buffer("values", Kind::Real, len + 1, Role::Output(1));
    let sizes = build.buffer("sizes", Kind::Int, len + 1, Role::Work);
    let (total, local) = (
        build.cell("total", Kind::Real),
        build.cell("local", Kind::Real),
    );
    let rejected = build.message(message(MessageKind::Reject, "at "));
    let [zero, one, two, end] = [0, 1, 2, len as i64].map(|k| build.int(k));
    let (half, nothing, bound) = (build.real(0.5), build.real(0.0), build.real(-3.0));
    let scale = build.load(table, two);
    looped(&mut build, zero, end, reverse, |build, i| {
        let next = build.prim(Prim::AddInt, &[i, one]);
        let (x, y) = (build.load(data, i), build.load(data, next));
        let g = build.load(group, i);
        let twice = build.prim(Prim::MulInt, &[g, two]);
        let position = build.prim(Prim::ToReal, &[twice]);
        let mu = build.load(table, g);
        let scaled = build.prim(Prim::Mul, &[x, scale]);
        let difference = build.prim(Prim::Sub, &[scaled, mu]);
        let smooth = build.prim(Prim::Tanh, &[difference]);
        let smooth = build.prim(Prim::Sub, &[smooth, x]);
        let smooth = build.prim(Prim::InvLogit, &[smooth]);
        let below = build.prim(Prim::Lt, &[difference, half]);
        let even = build.prim(Prim::EqInt, &[g, two]);
        let not = build.prim(Prim::Not, &[below]);
        let neither = build.prim(Prim::OrInt, &[not, even]);
        let both = build.prim(Prim::AndInt, &[below, not]);
        let chosen = build.define(Kind::Real, Op::Select(neither, smooth, position));
        let chosen = build.define(Kind::Real, Op::Select(even, chosen, y));
        let chosen = build.define(Kind::Real, Op::Select(both, nothing, chosen));
        if checked {
            let ok = build.prim(Prim::Gt, &[difference, bound]);
            build.push(Stmt::Check {
                ok,
                message: rejected,
                values: vec![i, difference],
            });
        }
        let kept = if reverse {
            chosen
        } else {
            build.push(Stmt::Set(local, chosen));
            build.push(Stmt::Add(local, mu));
            build.get(local)
        };
        build.push(Stmt::Store(values, next, kept));
        if !checked {
            let again = build.load(values, next);
            build.push(Stmt::Accumulate(values, next, again));
        }
        build.push(Stmt::Store(sizes, i, twice));
        build.push(Stmt::Accumulate(gradient, g, kept));
        build.push(Stmt::Accumulate(gradient, two, smooth));
        build.push(Stmt::Add(total, scale));
        build.push(Stmt::Add(total, kept));
    });
    let last = build.get(local);
    build.push(Stmt::Accumulate(gradient, zero, last));
    looped(&mut build, zero, end, false, |build, i| {
        let size = build.load(sizes, i);
        let size = build.prim(Prim::ToReal, &[size]);
        build.push(Stmt::Add(total, size));
    });
    finish(build, total)
}

#[test]
fn crowded_loops_agree_in_groups() {
    for len in [1, 2, 3, 4, 5, 6, 7, 8, 30, 31, 256, 258, 263, 700] {
        for (reverse, checked) in [(false, false), (true, false), (false, true)] {
            let procedure = crowded(len, reverse, checked);
            assert_eq!(is_vectorised(&procedure), len > 1, "{procedure}");
            let table: &[f64] = &[0.1, -0.4, 0.7, 2.0, -1.0];
            check_scalar(&procedure, &[table]);
            check_close(&procedure, &[table]);
            // The third group fails its check where it is seen first.
            let table: &[f64] = &[0.1, -0.4, 0.7, 9.0, -1.0];
            check_close(&procedure, &[table]);
        }
    }
}

/// Vector code against the evaluator, to a fixed tolerance.
fn check_close(procedure: &Procedure, inputs: &[&[f64]]) {
    let expected = evaluate(procedure, inputs);
    let found = compile_and_run(procedure, &CompileOptions::default(), inputs);
    let close = |a: f64, b: f64| same_bits(a, b) || (a - b).abs() <= 1e-12 * (1.0 + a.abs());
    match (&expected.result, &found.result) {
        (Ok(a), Ok(b)) => assert!(close(*a, *b), "{a} {b}"),
        (expected, found) => return assert_eq!(expected, found),
    }
    let pairs = expected
        .outputs
        .iter()
        .flatten()
        .zip(found.outputs.iter().flatten());
    for (a, b) in pairs {
        assert!(close(*a, *b), "{a} {b}\n{procedure}");
    }
}

#[test]
fn loops_whose_rounds_meet_are_left_alone() {
    let refused = |body: fn(&mut Builder, ValueId, BufferId, CellId)| {
        let mut build = Builder::new("refused");
        let work = build.buffer("work", Kind::Real, 40, Role::Zeroed);
        let cell = build.cell("cell", Kind::Real);
        let (one, end) = (build.int(1), build.int(38));
        looped(&mut build, one, end, false, |build, i| {
            for _ in 0..3 {
                body(build, i, work, cell);
            }
        });
        let procedure = finish(build, cell);
        check_scalar(&procedure, &[]);
        !is_vectorised(&procedure)
    };
    // A recurrence through memory.
    assert!(refused(|build, i, work, _| {
        let one = build.int(1);
        let before = build.prim(Prim::SubInt, &[i, one]);
        let value = build.load(work, before);
        let value = build.prim(Prim::Sub, &[value, value]);
        build.push(Stmt::Store(work, i, value));
    }));
    // A recurrence through a cell.
    assert!(refused(|build, _, _, cell| {
        let before = build.get(cell);
        let after = build.prim(Prim::Square, &[before]);
        build.push(Stmt::Set(cell, after));
    }));
    // A sum that is read on the way.
    assert!(refused(|build, i, work, cell| {
        let sum = build.get(cell);
        build.push(Stmt::Store(work, i, sum));
        build.push(Stmt::Add(cell, sum));
    }));
    // One place for all rounds.
    assert!(refused(|build, i, work, _| {
        let (one, number) = (build.int(1), build.prim(Prim::ToReal, &[i]));
        build.push(Stmt::Store(work, one, number));
    }));
}
