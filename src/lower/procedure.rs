//! The procedures of a program: its log density, and the draw's values.

use super::environment::{Binding, Environment};
use super::outcome::{LowerError, Lowered};
use super::view::{Source, Val, View, kind_of};
use crate::builtins::{Kind, Prim};
use crate::interp::{Interpreter, Value};
use crate::ir::{Program, VarId};
use crate::loops::{BufferId, Builder, CellId, Procedure, Role, Slice, Stmt, ValueId};
use crate::types::{MOST_ELEMENTS, element_count, spelled_sizes};
use std::collections::BTreeMap;
use std::rc::Rc;

/// What a log density is to contain.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Density {
    /// Whether the log Jacobians of the constraining transforms count.
    pub jacobian: bool,
}

/// Which values a draw consists of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outputs {
    /// Parameters and transformed parameters.
    Transformed,
    /// Those and the generated quantities.
    Generated,
}

/// The state of lowering one procedure.
pub(super) struct Lowering<'p> {
    pub program: &'p Program,
    pub interpreter: Interpreter<'p>,
    pub builder: Builder,
    /// The environment of the function being inlined, or the program's.
    pub env: Environment,
    /// How deep calls are nested.
    pub depth: usize,
    /// The cell of the log density.
    pub target: CellId,
    /// Whether `AddTarget` counts; `AddJacobian`.
    pub counts_target: bool,
    pub counts_jacobian: bool,
    /// Whether the procedure is to be differentiated: solutions of differential equations then come with sensitivities.
    pub differentiable: bool,
    /// What the procedure's systems are made of, in order.
    pub systems: Vec<super::ode::SystemKey>,
    /// The variables of the residual loops around the current place, innermost last.
    pub loops: Vec<ValueId>,
    /// The loops around the current place whose rounds may have to be told apart, innermost last.
    pub classes: Vec<super::classes::Class>,
    /// What has to be known and is not, in one of those loops.
    pub question: Option<super::classes::Question>,
    /// Ranges (inclusive) of integer values, where known.
    pub ranges: BTreeMap<ValueId, (i64, i64)>,
    /// Constant buffers made of known values, by the value's address; the value is kept alive.
    pub constants: BTreeMap<usize, (Rc<Value>, BufferId)>,
    /// The least and greatest entry of integer constants.
    pub extremes: BTreeMap<BufferId, (i64, i64)>,
    /// The function being inlined that is to return into storage rather than directly.
    pub returns: super::call::Returns,
    /// The function being inlined.
    pub function: Option<crate::ir::FunctionId>,
    /// The span that run-time messages of library code point at: the call in the user's program.
    pub blame: Option<crate::source::Span>,
}

/// The log density of a program as a function of the unconstrained parameters ([`Role::Input`] 0); terms that `~` drops are
/// not in the program any more.
pub fn density(
    program: &Program,
    data: &[Option<Value>],
    density: Density,
) -> Result<Procedure, LowerError> {
    let mut lowering = Lowering::new(program, data, "log_density")?;
    lowering.counts_target = true;
    lowering.differentiable = true;
    lowering.counts_jacobian = density.jacobian;
    lowering.statements(&program.constrain)?;
    lowering.statements(&program.transform)?;
    lowering.statements(&program.model)?;
    lowering.builder.procedure.result = Some(lowering.target);
    Ok(lowering.builder.finish())
}

/// The values of a draw, in order of declaration, each in storage order, as [`Role::Output`] 0. Generated quantities that a
/// failure leaves without a value are NaN.
pub fn draw(
    program: &Program,
    data: &[Option<Value>],
    outputs: Outputs,
) -> Result<Procedure, LowerError> {
    let mut lowering = Lowering::new(program, data, "draw")?;
    let variables: Vec<VarId> = program
        .parameters
        .iter()
        .map(|parameter| parameter.variable)
        .chain(program.transformed_parameters.iter().copied())
        .collect();
    let generated: &[VarId] = match outputs {
        Outputs::Transformed => &[],
        Outputs::Generated => &program.generated_quantities,
    };
    let len = |lowering: &mut Lowering<'_>, vars: &[VarId]| -> Lowered<usize> {
        let mut total = 0;
        for &var in vars {
            total += lowering.static_dims(var)?.iter().product::<usize>();
        }
        Ok(total)
    };
    let first = len(&mut lowering, &variables)?;
    let second = len(&mut lowering, generated)?;
    let output = lowering
        .builder
        .buffer("values", Kind::Real, first + second, Role::Output(0));
    if second > 0 {
        let nan = lowering.builder.real(f64::NAN);
        let (offset, rows, cols) = (
            lowering.int(first as i64),
            lowering.int(second as i64),
            lowering.int(1),
        );
        lowering.builder.push(Stmt::Fill(
            Slice {
                buffer: output,
                offset,
                rows,
                cols,
            },
            nan,
        ));
    }
    lowering.statements(&program.constrain)?;
    lowering.statements(&program.transform)?;
    let mut offset = 0;
    for &var in &variables {
        offset += lowering.write_output(var, output, offset)?;
    }
    if outputs == Outputs::Generated {
        lowering.statements(&program.generate)?;
        for &var in generated {
            offset += lowering.write_output(var, output, offset)?;
        }
    }
    Ok(lowering.builder.finish())
}

impl<'p> Lowering<'p> {
    fn new(program: &'p Program, data: &[Option<Value>], name: &str) -> Lowered<Lowering<'p>> {
        let mut lowering = Lowering::bare(program, name);
        for (id, value) in data.iter().enumerate() {
            if let Some(value) = value {
                lowering
                    .env
                    .set(VarId(id as u32), Binding::Static(Rc::new(value.clone())));
            }
        }
        lowering.bind_position()?;
        Ok(lowering)
    }

    /// The state of lowering a procedure that is given nothing yet.
    pub fn bare(program: &'p Program, name: &str) -> Lowering<'p> {
        let mut builder = Builder::new(name);
        let target = builder.cell("target", Kind::Real);
        Lowering {
            program,
            interpreter: Interpreter::new(program),
            builder,
            env: Environment::default(),
            depth: 0,
            target,
            counts_target: false,
            counts_jacobian: false,
            differentiable: false,
            systems: Vec::new(),
            loops: Vec::new(),
            classes: Vec::new(),
            question: None,
            ranges: BTreeMap::new(),
            constants: BTreeMap::new(),
            extremes: BTreeMap::new(),
            returns: super::call::Returns::Nowhere,
            function: None,
            blame: None,
        }
    }

    /// Binds the free form of every parameter to its part of the position.
    fn bind_position(&mut self) -> Lowered<()> {
        let frees: Vec<VarId> = self
            .program
            .parameters
            .iter()
            .map(|parameter| parameter.free)
            .collect();
        let mut sizes = Vec::new();
        for &free in &frees {
            sizes.push(self.static_dims(free)?);
        }
        let total = sizes
            .iter()
            .map(|dims| dims.iter().product::<usize>())
            .sum();
        let position = self
            .builder
            .buffer("position", Kind::Real, total, Role::Input(0));
        let mut offset = 0;
        for (free, dims) in frees.into_iter().zip(sizes) {
            let ty = self.program.variable(free).sized.ty.clone();
            let at = self.int(offset);
            offset += dims.iter().product::<usize>() as i64;
            let value = if dims.is_empty() && ty.is_scalar() {
                Val::Scalar(self.builder.load(position, at))
            } else {
                Val::View(Rc::new(self.strided(ty, &dims, position, at)))
            };
            self.env.set(free, Binding::Fixed(value));
        }
        Ok(())
    }

    /// The sizes of a variable's declaration, which must be known now.
    pub fn static_dims(&mut self, var: VarId) -> Lowered<Vec<usize>> {
        let program = self.program;
        let variable = program.variable(var);
        let mut dims = Vec::with_capacity(variable.sized.dims.len());
        for dim in &variable.sized.dims {
            let size = self.size_now(dim)?.ok_or_else(|| {
                LowerError::dynamic(format!("the size of `{}`", variable.name), dim.span)
            })?;
            let size = usize::try_from(size).map_err(|_| {
                LowerError::Diagnostic(Box::new(crate::diag::Diagnostic::error(
                    crate::diag::Code::NegativeSize,
                    format!(
                        "`{}` is declared with the negative size {size}",
                        variable.name
                    ),
                    dim.span,
                    format!("this is {size}"),
                )))
            })?;
            dims.push(size);
        }
        if element_count(&dims).is_none() {
            let place = variable
                .sized
                .dims
                .first()
                .map_or(variable.span, |dim| dim.span);
            let sizes = spelled_sizes(&dims);
            return Err(LowerError::Diagnostic(Box::new(
                crate::diag::Diagnostic::error(
                    crate::diag::Code::TooLarge,
                    format!("`{}` is declared with {sizes} elements", variable.name),
                    place,
                    format!("at most {MOST_ELEMENTS} are possible"),
                ),
            )));
        }
        Ok(dims)
    }

    /// A size of a declaration, if it is known now, or the same in all rounds at hand.
    fn size_now(&mut self, dim: &crate::ir::Expr) -> Lowered<Option<i64>> {
        if let Some(value) = self.known(dim) {
            return Ok(value.as_int());
        }
        let value = self.scalar(dim)?;
        Ok(self.required_int(value))
    }

    pub fn int(&mut self, constant: i64) -> ValueId {
        self.builder.int(constant)
    }

    /// A view of contiguous storage: arrays one element after another, matrices column by column.
    pub fn strided(
        &mut self,
        ty: crate::types::Ty,
        dims: &[usize],
        buffer: BufferId,
        offset: ValueId,
    ) -> View {
        let strides: Vec<ValueId> = super::view::strides(&ty, dims)
            .into_iter()
            .map(|stride| self.builder.int(stride as i64))
            .collect();
        let dims = dims
            .iter()
            .map(|&dim| self.builder.int(dim as i64))
            .collect();
        View {
            ty,
            dims,
            source: Source::Strided {
                buffer,
                offset,
                strides,
            },
        }
    }

    /// Stores a variable's value into the output, in storage order; returns how many numbers that was.
    fn write_output(&mut self, var: VarId, output: BufferId, offset: usize) -> Lowered<usize> {
        let dims = self.static_dims(var)?;
        let count = dims.iter().product::<usize>();
        let variable = self.program.variable(var);
        let (ty, span) = (variable.sized.ty.clone(), variable.span);
        let value = self.read_variable(var, span)?;
        let at = self.int(offset as i64);
        if ty.is_scalar() {
            let scalar = self.scalar_of(&value, span)?;
            let real = self.real_value(scalar);
            self.builder.push(Stmt::Store(output, at, real));
            return Ok(1);
        }
        if matches!(ty.array_parts().1, crate::types::Ty::Tuple(_)) {
            return Err(LowerError::unsupported(
                "a tuple among a program's outputs",
                span,
            ));
        }
        let source = self.view_of(&value, span)?;
        let place = self.strided(ty, &dims, output, at);
        self.copy_elements(&place, &source)?;
        Ok(count)
    }

    pub fn real_value(&mut self, scalar: ValueId) -> ValueId {
        match self.builder.kind(scalar) {
            Kind::Real => scalar,
            Kind::Int => self.builder.prim(Prim::ToReal, &[scalar]),
        }
    }

    /// A work buffer that is local to the loops around the current place.
    pub fn work_buffer(&mut self, name: &str, kind: Kind, len: usize) -> BufferId {
        let buffer = self.builder.buffer(name, kind, len, Role::Work);
        if let Some(&var) = self.loops.last() {
            self.builder.procedure.scopes.insert(buffer, var);
        }
        buffer
    }

    /// New storage for a container whose sizes are known.
    pub fn new_storage(&mut self, name: &str, ty: &crate::types::Ty, dims: &[usize]) -> View {
        let buffer = self.work_buffer(name, kind_of(ty), dims.iter().product());
        let zero = self.int(0);
        self.strided(ty.clone(), dims, buffer, zero)
    }
}
