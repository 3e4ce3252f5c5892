//! Checks the invariants of the loop IR; run after every pass in debug builds.

use super::{
    BufferId, CellId, Intrinsic, LinearAlgebra, Message, MessageId, MessageKind, Op, Part, Problem,
    Procedure, Role, Slice, Stmt, System, ValueId,
};
use crate::builtins::Kind;

/// Checks that a procedure is well formed: see the invariants in [`crate::loops`].
///
/// Indices are checked to be of kind `Int` and, where the index is a constant, to be in range.
///
/// # Errors
/// The first violation, with the statement it is in. It is a bug of the pass that made the procedure.
pub fn verify(procedure: &Procedure) -> Result<(), String> {
    let mut verifier = Verifier {
        procedure,
        defined: vec![false; procedure.values.len()],
        visible: vec![false; procedure.values.len()],
        constants: vec![None; procedure.values.len()],
        stops: false,
    };
    verifier.tables()?;
    verifier
        .block(&procedure.body)
        .map_err(|error| format!("procedure {}: {error}", procedure.name))?;
    procedure.systems.iter().try_for_each(verify_system)
}

/// Checks the procedures of a system: what they compute, and that they take and give what the solver does.
fn verify_system(system: &System) -> Verified {
    let Problem {
        states,
        parameters,
        given,
        columns,
        ..
    } = system.problem;
    let (point, given) = (states + parameters, 1 + given);
    let fits = |procedure: &Procedure, inputs: &[usize], output: usize| {
        procedure.buffers.iter().all(|buffer| match buffer.role {
            Role::Input(number) => inputs.get(number as usize) == Some(&buffer.len),
            Role::Output(number) => number == 0 && buffer.len == output,
            _ => true,
        })
    };
    let right_side = std::iter::once((&system.right_side, vec![point, given], states));
    let weighted = system
        .weighted
        .iter()
        .map(|weighted| (weighted, vec![point, given, states], point));
    let coupled = system.coupled.iter().map(|coupled| {
        let (states, sensitivities) = (states, states * columns);
        (
            coupled,
            vec![point, given, sensitivities],
            states + sensitivities,
        )
    });
    for (procedure, inputs, output) in right_side.chain(weighted).chain(coupled) {
        verify(procedure)?;
        require(fits(procedure, &inputs, output), || {
            format!("procedure {} does not fit its system", procedure.name)
        })?;
    }
    require(system.weighted.is_some() || !system.problem.stiff, || {
        format!("system {} has no Jacobian", system.name)
    })
}

/// What is known on the way through the body.
struct Verifier<'p> {
    procedure: &'p Procedure,
    /// Values that have a definition anywhere so far.
    defined: Vec<bool>,
    /// Values whose definition is in an enclosing block.
    visible: Vec<bool>,
    /// Values that are integer constants.
    constants: Vec<Option<i64>>,
    /// Whether a check on the way is known to fail. It may guard an index that is known to be out of range, wherever passes
    /// have put the two since.
    stops: bool,
}

type Verified = Result<(), String>;

impl Verifier<'_> {
    fn tables(&self) -> Verified {
        let mut outputs = Vec::new();
        for buffer in &self.procedure.buffers {
            let fits = match &buffer.role {
                Role::ConstantReal(contents) => {
                    buffer.kind == Kind::Real && contents.len() == buffer.len
                }
                Role::ConstantInt(contents) => {
                    buffer.kind == Kind::Int && contents.len() == buffer.len
                }
                Role::Input(_) => buffer.kind == Kind::Real,
                Role::Output(number) => {
                    outputs.push(*number);
                    buffer.kind == Kind::Real
                }
                Role::Work | Role::Zeroed => true,
            };
            require(fits, || {
                format!("buffer `{}` does not fit its role", buffer.name)
            })?;
        }
        outputs.sort_unstable();
        require(outputs.windows(2).all(|pair| pair[0] != pair[1]), || {
            "two buffers have the same output number".into()
        })?;
        match self.procedure.result {
            Some(cell) => self.cell(cell, Some(Kind::Real)),
            None => Ok(()),
        }
    }

    /// A block of its own: what it defines is not visible after it.
    fn nested(&mut self, body: &[Stmt]) -> Verified {
        let outside = self.visible.clone();
        self.block(body)?;
        self.visible = outside;
        Ok(())
    }

    fn block(&mut self, body: &[Stmt]) -> Verified {
        for stmt in body {
            self.stmt(stmt).map_err(|error| match stmt {
                Stmt::For { .. } | Stmt::If { .. } | Stmt::While { .. } => error,
                _ => format!("{error}, in {stmt:?}"),
            })?;
        }
        Ok(())
    }

    fn stmt(&mut self, stmt: &Stmt) -> Verified {
        match stmt {
            Stmt::Let(value, op) => {
                let kind = self.op(op)?;
                if let Op::Int(constant) = op
                    && let Some(known) = self.constants.get_mut(value.0 as usize)
                {
                    *known = Some(*constant);
                }
                self.definition(*value, kind)
            }
            Stmt::Set(cell, value) => {
                let kind = self.kind(*value)?;
                self.cell(*cell, Some(kind))
            }
            Stmt::Add(cell, value) => {
                self.operand(*value, Kind::Real)?;
                self.cell(*cell, Some(Kind::Real))
            }
            Stmt::Store(buffer, index, value) => {
                let kind = self.kind(*value)?;
                self.element(*buffer, *index)?;
                self.written(*buffer, kind)
            }
            Stmt::Accumulate(buffer, index, value) => {
                self.operand(*value, Kind::Real)?;
                self.element(*buffer, *index)?;
                self.written(*buffer, Kind::Real)
            }
            Stmt::Fill(slice, value) => {
                let kind = self.kind(*value)?;
                self.slice(slice)?;
                self.written(slice.buffer, kind)
            }
            Stmt::For { .. } | Stmt::If { .. } | Stmt::While { .. } => self.control(stmt),
            Stmt::Call {
                function,
                inputs,
                outputs,
                message,
            } => self.call(*function, inputs, outputs, *message),
            Stmt::Check {
                ok,
                message,
                values,
            } => {
                self.operand(*ok, Kind::Int)?;
                self.stops |= self.constants[ok.0 as usize] == Some(0);
                self.said(*message, values, false)
            }
            Stmt::Print { message, values } => self.said(*message, values, true),
            Stmt::Push(value) => self.kind(*value).map(|_| ()),
            Stmt::PushSlice(slice) => self.slice(slice),
            Stmt::PopSlice(slice) => {
                self.slice(slice)?;
                self.written(slice.buffer, self.buffer_kind(slice.buffer)?)
            }
        }
    }

    fn control(&mut self, stmt: &Stmt) -> Verified {
        match stmt {
            Stmt::For {
                var,
                start,
                end,
                reverse: _,
                body,
            } => {
                self.operand(*start, Kind::Int)?;
                self.operand(*end, Kind::Int)?;
                let outside = self.visible.clone();
                self.definition(*var, Kind::Int)?;
                self.block(body)?;
                self.visible = outside;
                Ok(())
            }
            Stmt::If {
                condition,
                then,
                otherwise,
            } => {
                self.operand(*condition, Kind::Int)?;
                self.nested(then)?;
                self.nested(otherwise)
            }
            Stmt::While {
                header,
                condition,
                body,
            } => {
                let outside = self.visible.clone();
                self.block(header)?;
                self.operand(*condition, Kind::Int)?;
                self.block(body)?;
                self.visible = outside;
                Ok(())
            }
            _ => Ok(()),
        }
    }

    /// The kind of an operation's result, once its operands are found right.
    fn op(&self, op: &Op) -> Result<Kind, String> {
        match op {
            Op::Real(_) => Ok(Kind::Real),
            Op::Int(_) => Ok(Kind::Int),
            Op::Prim(prim, args) => {
                self.operands(args, prim.args())?;
                Ok(prim.result())
            }
            Op::Select(condition, then, otherwise) => {
                self.operand(*condition, Kind::Int)?;
                let kind = self.kind(*then)?;
                self.operand(*otherwise, kind)?;
                Ok(kind)
            }
            Op::Load(buffer, index) => {
                self.element(*buffer, *index)?;
                self.buffer_kind(*buffer)
            }
            Op::Get(cell) => {
                self.cell(*cell, None)?;
                Ok(self.procedure.cells[cell.0 as usize].kind)
            }
            Op::Draw(draw, args) => {
                let (_, kinds, result) = draw.row();
                self.operands(args, kinds)?;
                Ok(result)
            }
            Op::Pop(kind) => Ok(*kind),
        }
    }

    fn definition(&mut self, value: ValueId, kind: Kind) -> Verified {
        let at = value.0 as usize;
        let declared = self.procedure.values.get(at);
        require(declared == Some(&kind), || {
            format!("{value} is declared {declared:?} and defined as {kind:?}")
        })?;
        require(!self.defined[at], || format!("{value} is defined twice"))?;
        self.defined[at] = true;
        self.visible[at] = true;
        Ok(())
    }

    fn kind(&self, value: ValueId) -> Result<Kind, String> {
        let at = value.0 as usize;
        match (self.procedure.values.get(at), self.visible.get(at)) {
            (Some(kind), Some(true)) => Ok(*kind),
            _ => Err(format!("{value} is not defined here")),
        }
    }

    fn operand(&self, value: ValueId, kind: Kind) -> Verified {
        let found = self.kind(value)?;
        require(found == kind, || {
            format!("{value} is {found:?} where {kind:?} is needed")
        })
    }

    fn operands(&self, values: &[ValueId], kinds: &[Kind]) -> Verified {
        require(values.len() == kinds.len(), || {
            format!("{} operands instead of {}", values.len(), kinds.len())
        })?;
        let mut pairs = values.iter().zip(kinds);
        pairs.try_for_each(|(value, kind)| self.operand(*value, *kind))
    }

    fn cell(&self, cell: CellId, kind: Option<Kind>) -> Verified {
        let found = self.procedure.cells.get(cell.0 as usize);
        require(
            found.is_some_and(|found| kind.is_none_or(|kind| found.kind == kind)),
            || format!("cell {} does not exist or is of another kind", cell.0),
        )
    }

    fn buffer_kind(&self, buffer: BufferId) -> Result<Kind, String> {
        match self.procedure.buffers.get(buffer.0 as usize) {
            Some(buffer) => Ok(buffer.kind),
            None => Err(format!("buffer {} does not exist", buffer.0)),
        }
    }

    fn element(&self, buffer: BufferId, index: ValueId) -> Verified {
        self.buffer_kind(buffer)?;
        self.operand(index, Kind::Int)?;
        let buffer = &self.procedure.buffers[buffer.0 as usize];
        let inside = match self.constants[index.0 as usize] {
            Some(known) => usize::try_from(known).is_ok_and(|known| known < buffer.len),
            None => true,
        };
        require(inside || self.stops, || {
            format!(
                "{index} is outside of `{}` of length {}",
                buffer.name, buffer.len
            )
        })
    }

    fn slice(&self, slice: &Slice) -> Verified {
        self.buffer_kind(slice.buffer)?;
        self.operand(slice.offset, Kind::Int)?;
        self.operand(slice.rows, Kind::Int)?;
        self.operand(slice.cols, Kind::Int)
    }

    fn written(&self, buffer: BufferId, kind: Kind) -> Verified {
        let found = self.buffer_kind(buffer)?;
        let buffer = &self.procedure.buffers[buffer.0 as usize];
        require(found == kind, || {
            format!("`{}` of {found:?} is written as {kind:?}", buffer.name)
        })?;
        let writable = matches!(buffer.role, Role::Output(_) | Role::Work | Role::Zeroed);
        require(writable, || {
            format!("`{}` is written, but read-only", buffer.name)
        })
    }

    fn call(
        &self,
        function: Intrinsic,
        inputs: &[Slice],
        outputs: &[Slice],
        message: MessageId,
    ) -> Verified {
        let (takes, gives) = function.arity();
        require(inputs.len() == takes && outputs.len() == gives, || {
            format!("a call takes {takes} slices and gives {gives}")
        })?;
        let result_kind = match function {
            Intrinsic::SortIndices { .. } => Kind::Int,
            Intrinsic::Forward(_) | Intrinsic::Adjoint(..) | Intrinsic::Ode(_) => Kind::Real,
        };
        if let Intrinsic::Ode(number) = function {
            let known = self.procedure.systems.get(number as usize).is_some();
            require(known, || format!("system {number} does not exist"))?;
        }
        for slice in inputs {
            self.slice(slice)?;
            let kind = self.buffer_kind(slice.buffer)?;
            require(kind == Kind::Real, || "a call reads integers".into())?;
        }
        for slice in outputs {
            self.slice(slice)?;
            self.written(slice.buffer, result_kind)?;
        }
        self.message(message).map(|_| ())
    }

    fn message(&self, message: MessageId) -> Result<&Message, String> {
        self.procedure
            .messages
            .get(message.0 as usize)
            .ok_or_else(|| format!("message {} does not exist", message.0))
    }

    fn said(&self, message: MessageId, values: &[ValueId], printed: bool) -> Verified {
        for &value in values {
            self.kind(value)?;
        }
        let message = self.message(message)?;
        require((message.kind == MessageKind::Print) == printed, || {
            "a message is printed that stops, or the other way round".into()
        })?;
        let mut parts = message.parts.iter();
        require(
            parts.all(|part| match part {
                Part::Text(_) => true,
                Part::Value(at) => *at < values.len(),
            }),
            || "a message names a value that it is not given".into(),
        )
    }
}

impl Intrinsic {
    /// How many slices a call of it takes and gives.
    pub fn arity(self) -> (usize, usize) {
        match self {
            Intrinsic::Forward(function) => function.arity(),
            Intrinsic::Adjoint(function, mask) => adjoint_arity(function, mask),
            Intrinsic::SortIndices { .. } => (1, 1),
            Intrinsic::Ode(_) => (4, 2),
        }
    }
}

fn adjoint_arity(function: LinearAlgebra, mask: u8) -> (usize, usize) {
    let (inputs, outputs) = function.arity();
    (inputs + 2 * outputs, mask.count_ones() as usize)
}

fn require(holds: bool, complaint: impl FnOnce() -> String) -> Verified {
    if holds { Ok(()) } else { Err(complaint()) }
}

#[cfg(test)]
mod tests {
    use super::super::Builder;
    use super::*;
    use crate::builtins::Prim;
    use crate::loops::{Message, MessageKind};

    /// A procedure with a constant buffer, a work buffer and one loop, changed by `edit` at the end of the loop.
    fn verified(edit: impl FnOnce(&mut Builder, BufferId, BufferId, ValueId)) -> Verified {
        let mut build = Builder::new("test");
        let data = build.buffer(
            "data",
            Kind::Real,
            2,
            Role::ConstantReal(vec![1.0, 2.0].into()),
        );
        let work = build.buffer("work", Kind::Real, 2, Role::Work);
        let (zero, two) = (build.int(0), build.int(2));
        build.for_loop(zero, two, false, |build, i| -> Verified {
            edit(build, data, work, i);
            Ok(())
        })?;
        verify(&build.finish())
    }

    fn complaint(edit: impl FnOnce(&mut Builder, BufferId, BufferId, ValueId)) -> String {
        verified(edit).expect_err("not found")
    }

    #[test]
    fn a_sound_loop_passes() {
        assert_eq!(
            verified(|build, data, work, i| {
                let element = build.load(data, i);
                build.push(Stmt::Store(work, i, element));
            }),
            Ok(())
        );
    }

    #[test]
    fn violations_are_named() {
        let found = complaint(|build, data, _, i| {
            let element = build.load(data, i);
            build.push(Stmt::Store(data, i, element));
        });
        assert!(found.contains("read-only"), "{found}");

        let found = complaint(|build, data, work, i| {
            let element = build.load(data, i);
            build.push(Stmt::Store(work, element, element));
        });
        assert!(found.contains("Real where Int"), "{found}");

        let found = complaint(|build, _, work, i| build.push(Stmt::Store(work, i, i)));
        assert!(found.contains("written as Int"), "{found}");

        let found = complaint(|build, _, work, _| {
            let two = build.int(2);
            build.load(work, two);
        });
        assert!(found.contains("outside of `work`"), "{found}");

        let found = complaint(|build, _, _, i| {
            let again = build.fresh(Kind::Int);
            build.push(Stmt::Let(again, Op::Int(1)));
            build.push(Stmt::Let(again, Op::Prim(Prim::NegInt, vec![i])));
        });
        assert!(found.contains("defined twice"), "{found}");
    }

    #[test]
    fn an_index_out_of_range_needs_a_check_that_stops_the_run() {
        let load = |build: &mut Builder, work, checked: bool| {
            let (zero, two) = (build.int(0), build.int(2));
            if checked {
                let message = build.message(Message {
                    kind: MessageKind::Fatal,
                    parts: Vec::new(),
                    span: Default::default(),
                });
                build.push(Stmt::Check {
                    ok: zero,
                    message,
                    values: Vec::new(),
                });
            }
            build.load(work, two);
        };
        let found = complaint(|build, _, work, _| load(build, work, false));
        assert!(found.contains("is outside of `work`"), "{found}");
        assert_eq!(
            verified(|build, _, work, _| load(build, work, true)),
            Ok(())
        );
    }

    #[test]
    fn values_end_with_their_block() {
        let mut build = Builder::new("test");
        let cell = build.cell("c", Kind::Int);
        let zero = build.int(0);
        build.open();
        let inner = build.get(cell);
        let then = build.close();
        build.push(Stmt::If {
            condition: zero,
            then,
            otherwise: Vec::new(),
        });
        build.push(Stmt::Set(cell, inner));
        let found = verify(&build.finish()).expect_err("not found");
        assert!(found.contains("not defined here"), "{found}");
    }
}
