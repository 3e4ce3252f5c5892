//! The literal evaluator of the loop IR: slow, in program order, every index checked. The oracle of the JIT.

use super::linear::{self, Matrix, MatrixMut, Values};
use super::ode::{self, Equations, Unsolved};
use super::{
    BufferId, CellId, Intrinsic, MessageId, Op, Procedure, Role, Slice, Stmt, Stop, ValueId,
};
use crate::builtins::{Draw, Kind, Prim, Scalar};
use rand::Rng;

/// Runs one procedure, statement by statement.
#[derive(Debug)]
pub struct Evaluator<'p> {
    procedure: &'p Procedure,
    values: Vec<Scalar>,
    cells: Vec<Scalar>,
    buffers: Vec<Vec<Scalar>>,
    tape: Vec<Scalar>,
    printed: String,
}

impl<'p> Evaluator<'p> {
    /// An evaluator with its own memory.
    pub fn new(procedure: &'p Procedure) -> Evaluator<'p> {
        let buffers = procedure.buffers.iter().map(|buffer| match &buffer.role {
            Role::ConstantReal(contents) => contents.iter().copied().map(Scalar::Real).collect(),
            Role::ConstantInt(contents) => contents.iter().copied().map(Scalar::Int).collect(),
            _ => vec![Scalar::zero(buffer.kind); buffer.len],
        });
        Evaluator {
            procedure,
            values: procedure.values.iter().copied().map(Scalar::zero).collect(),
            cells: Vec::new(),
            buffers: buffers.collect(),
            tape: Vec::new(),
            printed: String::new(),
        }
    }

    /// Runs the procedure: reads `inputs`, writes `outputs` (by the numbers of [`Role`]), and returns the result,
    /// 0 if the procedure has none. Procedures that draw need a generator.
    ///
    /// # Errors
    /// The [`Stop`] that a check raised; one of the machinery for slices of the wrong length, a missing generator,
    /// or a compiler bug (an index out of range, an empty tape). Outputs are then unspecified.
    pub fn run<'g>(
        &mut self,
        inputs: &[&[f64]],
        outputs: &mut [&mut [f64]],
        generator: Option<&'g mut (dyn Rng + 'g)>,
    ) -> Result<f64, Stop> {
        let lengths: Vec<usize> = outputs.iter().map(|output| output.len()).collect();
        check_lengths(self.procedure, inputs, &lengths)?;
        self.reset(inputs);
        let body = &self.procedure.body;
        Run {
            evaluator: self,
            generator,
        }
        .block(body)?;
        for (buffer, contents) in self.procedure.buffers.iter().zip(&self.buffers) {
            if let Role::Output(number) = buffer.role {
                let output = &mut outputs[number as usize];
                for (to, from) in output.iter_mut().zip(contents) {
                    *to = from.as_real();
                }
            }
        }
        let result = self
            .procedure
            .result
            .map(|cell| self.cells[cell.0 as usize]);
        Ok(result.map_or(0.0, Scalar::as_real))
    }

    /// What was printed since the last call, a line for each `print`.
    pub fn take_printed(&mut self) -> String {
        std::mem::take(&mut self.printed)
    }

    /// The state at the start of a run. Scratch is filled with NaN, so that a read before a write shows.
    fn reset(&mut self, inputs: &[&[f64]]) {
        let cells = self.procedure.cells.iter();
        self.cells = cells.map(|cell| Scalar::zero(cell.kind)).collect();
        self.tape.clear();
        for (buffer, contents) in self.procedure.buffers.iter().zip(&mut self.buffers) {
            match buffer.role {
                Role::ConstantReal(_) | Role::ConstantInt(_) => {}
                Role::Input(number) => {
                    let input = inputs[number as usize].iter().copied();
                    *contents = input.map(Scalar::Real).collect();
                }
                Role::Output(_) | Role::Zeroed => contents.fill(Scalar::zero(buffer.kind)),
                Role::Work => contents.fill(match buffer.kind {
                    Kind::Int => Scalar::Int(i64::MIN),
                    Kind::Real => Scalar::Real(f64::NAN),
                }),
            }
        }
    }
}

/// Checks that there are as many slices as the procedure numbers, each as long as its buffer.
pub(crate) fn check_lengths(
    procedure: &Procedure,
    inputs: &[&[f64]],
    outputs: &[usize],
) -> Result<(), Stop> {
    for buffer in &procedure.buffers {
        let (direction, number, given) = match buffer.role {
            Role::Input(number) => {
                let given = inputs.get(number as usize).map(|input| input.len());
                ("input", number, given)
            }
            Role::Output(number) => ("output", number, outputs.get(number as usize).copied()),
            _ => continue,
        };
        if given != Some(buffer.len) {
            return Err(Stop::internal(format!(
                "{direction} {number} (`{}`) of `{}` needs {} reals, but is given {}",
                buffer.name,
                procedure.name,
                buffer.len,
                given.map_or("nothing".to_string(), |len| len.to_string())
            )));
        }
    }
    Ok(())
}

/// One run of an evaluator.
struct Run<'r, 'p, 'g> {
    evaluator: &'r mut Evaluator<'p>,
    generator: Option<&'g mut (dyn Rng + 'g)>,
}

type Ran = Result<(), Stop>;

impl Run<'_, '_, '_> {
    fn block(&mut self, body: &[Stmt]) -> Ran {
        body.iter().try_for_each(|stmt| self.stmt(stmt))
    }

    fn stmt(&mut self, stmt: &Stmt) -> Ran {
        match stmt {
            Stmt::Let(value, op) => {
                let result = self.op(op)?;
                self.evaluator.values[value.0 as usize] = result;
            }
            Stmt::Set(cell, value) => *self.cell(*cell) = self.value(*value),
            Stmt::Add(cell, value) => {
                let sum = self.cell(*cell).as_real() + self.real(*value);
                *self.cell(*cell) = Scalar::Real(sum);
            }
            Stmt::Store(buffer, index, value) => {
                let value = self.value(*value);
                *self.element(*buffer, *index)? = value;
            }
            Stmt::Accumulate(buffer, index, value) => {
                let value = self.real(*value);
                let element = self.element(*buffer, *index)?;
                *element = Scalar::Real(element.as_real() + value);
            }
            Stmt::Fill(slice, value) => {
                let value = self.value(*value);
                self.slice(slice)?.1.fill(value);
            }
            Stmt::For { .. } | Stmt::If { .. } | Stmt::While { .. } => self.control(stmt)?,
            Stmt::Call {
                function,
                inputs,
                outputs,
                message,
            } => self.call(*function, inputs, outputs, *message)?,
            Stmt::Check {
                ok,
                message,
                values,
            } => {
                if self.int(*ok) == 0 {
                    return Err(self.stop(*message, values));
                }
            }
            Stmt::Print { message, values } => {
                let line = self.stop(*message, values).text;
                self.evaluator.printed.push_str(&line);
                self.evaluator.printed.push('\n');
            }
            Stmt::Push(value) => {
                let value = self.value(*value);
                self.evaluator.tape.push(value);
            }
            Stmt::PushSlice(slice) => {
                let contents = self.slice(slice)?.1.to_vec();
                self.evaluator.tape.extend(contents);
            }
            Stmt::PopSlice(slice) => self.pop_slice(slice)?,
        }
        Ok(())
    }

    fn control(&mut self, stmt: &Stmt) -> Ran {
        match stmt {
            Stmt::For {
                var,
                start,
                end,
                reverse,
                body,
            } => {
                let range = self.int(*start)..self.int(*end);
                let round = |run: &mut Self, at: i64| {
                    run.evaluator.values[var.0 as usize] = Scalar::Int(at);
                    run.block(body)
                };
                if *reverse {
                    range.rev().try_for_each(|at| round(self, at))
                } else {
                    range.into_iter().try_for_each(|at| round(self, at))
                }
            }
            Stmt::If {
                condition,
                then,
                otherwise,
            } => {
                let taken = self.int(*condition) != 0;
                self.block(if taken { then } else { otherwise })
            }
            Stmt::While {
                header,
                condition,
                body,
            } => {
                self.block(header)?;
                while self.int(*condition) != 0 {
                    self.block(body)?;
                    self.block(header)?;
                }
                Ok(())
            }
            _ => Ok(()),
        }
    }

    fn op(&mut self, op: &Op) -> Result<Scalar, Stop> {
        match op {
            Op::Real(constant) => Ok(Scalar::Real(*constant)),
            Op::Int(constant) => Ok(Scalar::Int(*constant)),
            Op::Prim(prim, args) => self.prim(*prim, args),
            Op::Select(condition, then, otherwise) => {
                let chosen = if self.int(*condition) != 0 {
                    then
                } else {
                    otherwise
                };
                Ok(self.value(*chosen))
            }
            Op::Load(buffer, index) => self.element(*buffer, *index).copied(),
            Op::Get(cell) => Ok(*self.cell(*cell)),
            Op::Draw(draw, args) => self.draw(*draw, args),
            Op::Pop(kind) => match self.evaluator.tape.pop() {
                Some(value) => Ok(value),
                None => Err(Stop::internal(format!(
                    "compiler bug: popped a {kind:?} off an empty tape"
                ))),
            },
        }
    }

    fn prim(&mut self, prim: Prim, args: &[ValueId]) -> Result<Scalar, Stop> {
        let args: Vec<Scalar> = args.iter().map(|arg| self.value(*arg)).collect();
        prim.apply(&args)
            .ok_or_else(|| Stop::internal(format!("compiler bug: {} of {args:?}", prim.name())))
    }

    fn draw(&mut self, draw: Draw, args: &[ValueId]) -> Result<Scalar, Stop> {
        let args: Vec<Scalar> = args.iter().map(|arg| self.value(*arg)).collect();
        match &mut self.generator {
            Some(generator) => linear::sample(draw, &args, *generator),
            None => Err(Stop::internal("a procedure that draws needs a generator")),
        }
    }

    fn call(
        &mut self,
        function: Intrinsic,
        inputs: &[Slice],
        outputs: &[Slice],
        message: MessageId,
    ) -> Ran {
        let read: Vec<(Shape, Vec<f64>)> = inputs
            .iter()
            .map(|slice| {
                let (shape, contents) = self.slice(slice)?;
                Ok((
                    shape,
                    contents.iter().map(|value| value.as_real()).collect(),
                ))
            })
            .collect::<Result<_, Stop>>()?;
        let read: Vec<Matrix> = read
            .iter()
            .map(|(shape, values)| Matrix::new(shape.rows, shape.cols, values))
            .collect();
        // Adjoints are computed from zero and then added, so that outputs may overlap each other.
        let accumulates = matches!(function, Intrinsic::Adjoint(..));
        let mut written: Vec<(Shape, OwnedValues)> = outputs
            .iter()
            .map(|slice| {
                let (shape, contents) = self.slice(slice)?;
                Ok((shape, OwnedValues::zero(function, contents.len())))
            })
            .collect::<Result<_, Stop>>()?;
        let mut places: Vec<MatrixMut> = written
            .iter_mut()
            .map(|(shape, values)| MatrixMut::new(shape.rows, shape.cols, values.borrow()))
            .collect();
        let outcome = match function {
            Intrinsic::Ode(number) => self.solve(number, &read, &mut places),
            _ => linear::execute(function, &read, &mut places).map_err(Unsolved::Failed),
        };
        outcome.map_err(|unsolved| match unsolved {
            Unsolved::Stopped(stop) => stop,
            Unsolved::Failed(reason) => {
                let template = &self.evaluator.procedure.messages[message.0 as usize];
                Stop::failed(message, template, &reason)
            }
        })?;
        for (slice, (_, values)) in outputs.iter().zip(&written) {
            let (_, contents) = self.slice(slice)?;
            for (at, to) in contents.iter_mut().enumerate() {
                *to = match values.get(at) {
                    Scalar::Real(value) if accumulates => Scalar::Real(to.as_real() + value),
                    value => value,
                };
            }
        }
        Ok(())
    }

    fn solve(
        &mut self,
        number: u32,
        inputs: &[Matrix<'_>],
        outputs: &mut [MatrixMut<'_>],
    ) -> Result<(), Unsolved> {
        let system = &self.evaluator.procedure.systems[number as usize];
        let mut equations = LiteralEquations {
            right_side: Evaluator::new(&system.right_side),
            weighted: system.weighted.as_ref().map(Evaluator::new),
            coupled: system.coupled.as_ref().map(Evaluator::new),
        };
        let outcome = ode::solve(&system.problem, &mut equations, inputs, outputs);
        let printed = &mut self.evaluator.printed;
        printed.push_str(&equations.right_side.printed);
        outcome
    }

    fn pop_slice(&mut self, slice: &Slice) -> Ran {
        let len = self.slice(slice)?.1.len();
        let Some(from) = self.evaluator.tape.len().checked_sub(len) else {
            return Err(Stop::internal(
                "compiler bug: popped a slice off a shorter tape",
            ));
        };
        let popped = self.evaluator.tape.split_off(from);
        self.slice(slice)?.1.copy_from_slice(&popped);
        Ok(())
    }

    fn value(&self, value: ValueId) -> Scalar {
        self.evaluator.values[value.0 as usize]
    }

    fn int(&self, value: ValueId) -> i64 {
        self.value(value).as_int()
    }

    fn real(&self, value: ValueId) -> f64 {
        self.value(value).as_real()
    }

    fn cell(&mut self, cell: CellId) -> &mut Scalar {
        &mut self.evaluator.cells[cell.0 as usize]
    }

    fn element(&mut self, buffer: BufferId, index: ValueId) -> Result<&mut Scalar, Stop> {
        let index = self.int(index);
        let declared = &self.evaluator.procedure.buffers[buffer.0 as usize];
        let contents = &mut self.evaluator.buffers[buffer.0 as usize];
        usize::try_from(index)
            .ok()
            .and_then(|at| contents.get_mut(at))
            .ok_or_else(|| out_of_range(&declared.name, declared.len, index))
    }

    /// A slice's shape and elements.
    fn slice(&mut self, slice: &Slice) -> Result<(Shape, &mut [Scalar]), Stop> {
        let [offset, rows, cols] =
            [slice.offset, slice.rows, slice.cols].map(|value| self.int(value));
        let declared = &self.evaluator.procedure.buffers[slice.buffer.0 as usize];
        let contents = &mut self.evaluator.buffers[slice.buffer.0 as usize];
        let bounds = || {
            let [offset, rows, cols] = [offset, rows, cols].map(usize::try_from);
            let (offset, rows, cols) = (offset.ok()?, rows.ok()?, cols.ok()?);
            let end = offset.checked_add(rows.checked_mul(cols)?)?;
            Some((Shape { rows, cols }, offset..end))
        };
        bounds()
            .and_then(|(shape, range)| Some((shape, contents.get_mut(range)?)))
            .ok_or_else(|| out_of_range(&declared.name, declared.len, offset))
    }

    fn stop(&self, message: MessageId, values: &[ValueId]) -> Stop {
        let values: Vec<Scalar> = values.iter().map(|value| self.value(*value)).collect();
        let template = &self.evaluator.procedure.messages[message.0 as usize];
        Stop::raised(message, template, &values)
    }
}

/// The procedures of a system, evaluated.
struct LiteralEquations<'p> {
    right_side: Evaluator<'p>,
    weighted: Option<Evaluator<'p>>,
    coupled: Option<Evaluator<'p>>,
}

impl Equations for LiteralEquations<'_> {
    fn right_side(&mut self, point: &[f64], given: &[f64], slope: &mut [f64]) -> Ran {
        self.right_side
            .run(&[point, given], &mut [slope], None)
            .map(|_| ())
    }

    fn weighted(
        &mut self,
        point: &[f64],
        given: &[f64],
        weights: &[f64],
        gradient: &mut [f64],
    ) -> Ran {
        let weighted = self.weighted.as_mut().ok_or_else(ode::no_jacobian)?;
        weighted
            .run(&[point, given, weights], &mut [gradient], None)
            .map(|_| ())
    }

    fn coupled(
        &mut self,
        point: &[f64],
        given: &[f64],
        sensitivities: &[f64],
        slope: &mut [f64],
    ) -> Result<bool, Stop> {
        let Some(coupled) = &mut self.coupled else {
            return Ok(false);
        };
        coupled
            .run(&[point, given, sensitivities], &mut [slope], None)
            .map(|_| true)
    }
}

/// Rows and columns of a slice at run time.
#[derive(Clone, Copy)]
struct Shape {
    rows: usize,
    cols: usize,
}

/// What a call writes, before it goes to its buffer.
enum OwnedValues {
    Real(Vec<f64>),
    Int(Vec<i64>),
}

impl OwnedValues {
    fn zero(function: Intrinsic, len: usize) -> OwnedValues {
        match function {
            Intrinsic::SortIndices { .. } => OwnedValues::Int(vec![0; len]),
            Intrinsic::Forward(_) | Intrinsic::Adjoint(..) | Intrinsic::Ode(_) => {
                OwnedValues::Real(vec![0.0; len])
            }
        }
    }

    fn borrow(&mut self) -> Values<'_> {
        match self {
            OwnedValues::Real(values) => Values::Real(values),
            OwnedValues::Int(values) => Values::Int(values),
        }
    }

    fn get(&self, at: usize) -> Scalar {
        match self {
            OwnedValues::Real(values) => Scalar::Real(values[at]),
            OwnedValues::Int(values) => Scalar::Int(values[at]),
        }
    }
}

fn out_of_range(name: &str, len: usize, index: i64) -> Stop {
    Stop::internal(format!(
        "compiler bug: index {index} is outside of `{name}` of length {len}"
    ))
}

#[cfg(test)]
mod tests {
    use super::super::{Builder, Message, MessageKind, Part};
    use super::*;
    use crate::builtins::Prim;

    /// Σ x[i]² over the input, stopping at a negative element, with the elements in reverse as output 0.
    fn sum_of_squares() -> Procedure {
        let mut build = Builder::new("sum");
        let x = build.buffer("x", Kind::Real, 3, Role::Input(0));
        let y = build.buffer("y", Kind::Real, 3, Role::Output(0));
        let total = build.cell("total", Kind::Real);
        let message = build.message(Message {
            kind: MessageKind::Reject,
            parts: vec![
                Part::Text("x[".into()),
                Part::Value(0),
                Part::Text("] is ".into()),
                Part::Value(1),
            ],
            span: Default::default(),
        });
        let (zero, two, three) = (build.int(0), build.int(2), build.int(3));
        let real_zero = build.real(0.0);
        build
            .for_loop(zero, three, true, |build, i| -> Result<(), ()> {
                let element = build.load(x, i);
                let ok = build.prim(Prim::Ge, &[element, real_zero]);
                build.push(Stmt::Check {
                    ok,
                    message,
                    values: vec![i, element],
                });
                let square = build.prim(Prim::Square, &[element]);
                build.push(Stmt::Add(total, square));
                let mirrored = build.prim(Prim::SubInt, &[two, i]);
                build.push(Stmt::Accumulate(y, mirrored, element));
                Ok(())
            })
            .unwrap();
        let mut procedure = build.finish();
        procedure.result = Some(total);
        procedure
    }

    #[test]
    fn loops_reduce_and_scatter() {
        let procedure = sum_of_squares();
        let mut evaluator = Evaluator::new(&procedure);
        let mut y = [9.0; 3];
        let run = evaluator.run(&[&[1.0, 2.0, 3.0]], &mut [&mut y], None);
        assert_eq!(run, Ok(14.0));
        assert_eq!(y, [3.0, 2.0, 1.0]);
        // A second run starts afresh.
        let run = evaluator.run(&[&[1.0, 2.0, 4.0]], &mut [&mut y], None);
        assert_eq!((run, y), (Ok(21.0), [4.0, 2.0, 1.0]));
    }

    #[test]
    fn a_check_stops_with_its_values() {
        let procedure = sum_of_squares();
        let mut y = [0.0; 3];
        let stop = Evaluator::new(&procedure)
            .run(&[&[1.0, -2.0, 3.0]], &mut [&mut y], None)
            .unwrap_err();
        assert_eq!(stop.text, "x[1] is -2");
        assert_eq!(stop.kind, MessageKind::Reject);
    }

    #[test]
    fn a_wrong_length_is_an_error() {
        let procedure = sum_of_squares();
        let mut evaluator = Evaluator::new(&procedure);
        let stop = evaluator.run(&[&[1.0]], &mut [&mut [0.0; 3]], None);
        assert!(
            stop.unwrap_err()
                .text
                .contains("needs 3 reals, but is given 1")
        );
        let stop = evaluator.run(&[&[1.0; 3]], &mut [], None);
        assert!(stop.unwrap_err().text.contains("is given nothing"));
    }

    #[test]
    fn an_index_out_of_range_is_an_error_not_a_panic() {
        let mut build = Builder::new("bug");
        let x = build.buffer("x", Kind::Real, 3, Role::Input(0));
        let cell = build.cell("place", Kind::Int);
        let minus_one = build.int(-1);
        build.push(Stmt::Set(cell, minus_one));
        let place = build.get(cell);
        build.load(x, place);
        let procedure = build.finish();
        let stop = Evaluator::new(&procedure).run(&[&[0.0; 3]], &mut [], None);
        assert!(
            stop.unwrap_err()
                .text
                .contains("index -1 is outside of `x`")
        );
    }
}
