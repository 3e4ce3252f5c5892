//! Calls: primitives, draws, and functions inlined, lifted over containers where the call says so.

use super::environment::{Binding, Environment};
use super::outcome::{LowerError, Lowered};
use super::procedure::Lowering;
use super::statement::Flow;
use super::view::{Operand, Pick, Source, Val, View, kind_of};
use crate::builtins::{Kind, Prim};
use crate::ir::{Callee, Expr, ExprKind, FunctionId, Lift};
use crate::loops::{CellId, Op, Stmt, ValueId};
use crate::source::Span;
use crate::types::{Level, Ty};
use std::rc::Rc;

/// Calls nested deeper than this are taken for a recursion that does not end at binding.
const MAX_DEPTH: usize = 200;

/// Where a function that is being inlined returns to.
#[derive(Clone, Debug)]
pub(super) enum Returns {
    /// Not in a function.
    Nowhere,
    /// The value is handed on directly: control flow around the `return` is known.
    Directly(Option<Val>),
    /// Into a scalar's cell.
    Cell(CellId),
    /// Into storage, made by the first `return`.
    Storage(Option<Rc<View>>, Ty),
    /// Every term is added to the log density, with this sign.
    Target {
        /// Whether it is subtracted.
        negated: bool,
    },
}

/// A lifted call: its arguments, each with its declared type if it is the elements that are passed, and the shape of
/// what it runs over.
pub(super) struct Lifted {
    sources: Vec<(Val, Option<Ty>)>,
    ty: Ty,
    dims: Vec<ValueId>,
}

/// What runs once per element of a lifted call: takes the arguments' elements and the element's indexes.
type ElementBody<'b, L> = dyn FnMut(&mut L, Vec<Val>, &[ValueId]) -> Lowered<()> + 'b;

impl Lowering<'_> {
    pub fn call(&mut self, callee: &Callee, args: &[Expr], expr: &Expr) -> Lowered<Val> {
        match callee {
            Callee::Prim(prim) => self.call_prim(*prim, args, expr),
            Callee::Container(function) => self.call_container(*function, args, expr),
            Callee::Draw(draw) => {
                let args = args
                    .iter()
                    .map(|arg| self.scalar(arg))
                    .collect::<Lowered<Vec<_>>>()?;
                let value = self.builder.define(draw.row().2, Op::Draw(*draw, args));
                Ok(Val::Scalar(value))
            }
            Callee::Function(function, lift) => self.call_function(*function, *lift, args, expr),
        }
    }

    fn call_prim(&mut self, prim: Prim, args: &[Expr], expr: &Expr) -> Lowered<Val> {
        if prim == Prim::LogBesselI && args[0].level == Level::Param && args[0].ty != Ty::Int {
            let what = "an order of a Bessel function that depends on parameters";
            return Err(LowerError::unsupported(what, args[0].span));
        }
        let values = args
            .iter()
            .map(|arg| self.value(arg))
            .collect::<Lowered<Vec<_>>>()?;
        if expr.ty.is_scalar() {
            let mut scalars = Vec::with_capacity(values.len());
            for (value, arg) in values.iter().zip(args) {
                scalars.push(self.scalar_of(value, arg.span)?);
            }
            self.check_divisor(prim, &scalars, expr.span);
            return Ok(Val::Scalar(self.prim(prim, &scalars)));
        }
        let mut operands = Vec::with_capacity(values.len());
        let mut dims: Option<Vec<ValueId>> = None;
        for (value, arg) in values.iter().zip(args) {
            if arg.ty.is_scalar() {
                operands.push(Operand::Scalar(self.scalar_of(value, arg.span)?));
                continue;
            }
            let view = self.view_of(value, arg.span)?;
            match &dims {
                None => dims = Some(view.dims.clone()),
                Some(dims) => {
                    let dims = dims.clone();
                    let what = format!(
                        "the operands of `{}`",
                        prim.name().trim_start_matches("operator")
                    );
                    self.check_same_dims(&dims, &view.dims, &what, expr.span)?;
                }
            }
            operands.push(Operand::View(view));
        }
        let dims = dims.unwrap_or_default();
        Ok(Val::View(Rc::new(View {
            ty: expr.ty.clone(),
            dims,
            source: Source::Map(prim, operands),
        })))
    }

    /// Integer division by zero ends the evaluation with a message, as Stan's does.
    fn check_divisor(&mut self, prim: Prim, args: &[ValueId], span: Span) {
        if !matches!(prim, Prim::DivInt | Prim::ModInt) {
            return;
        }
        if self
            .range(args[1])
            .is_some_and(|(low, high)| low > 0 || high < 0)
        {
            return;
        }
        let zero = self.int(0);
        let ok = self.prim(Prim::NeInt, &[args[1], zero]);
        let parts = vec![crate::loops::Part::Text(
            "integer division by zero".to_string(),
        )];
        self.check(
            ok,
            crate::loops::MessageKind::Reject,
            parts,
            Vec::new(),
            span,
        );
    }

    /// A call of a function of the program or the library, as a value.
    fn call_function(
        &mut self,
        id: FunctionId,
        lift: Lift,
        args: &[Expr],
        expr: &Expr,
    ) -> Lowered<Val> {
        match lift {
            Lift::Whole => {
                let values = self.arguments(args)?;
                self.invoke_value(id, values, expr.span)
            }
            Lift::Sum => {
                let sum = self.builder.cell("sum", Kind::Real);
                let zero = self.builder.real(0.0);
                self.builder.push(Stmt::Set(sum, zero));
                let lifted = self.prepare_lift(id, args, expr)?;
                self.run_lift(&lifted, &mut |lowering, values, _| {
                    let value = lowering.invoke_value(id, values, expr.span)?;
                    let value = lowering.scalar_of(&value, expr.span)?;
                    lowering.builder.push(Stmt::Add(sum, value));
                    Ok(())
                })?;
                Ok(Val::Scalar(self.builder.get(sum)))
            }
            Lift::Each => self.call_each(id, args, expr),
        }
    }

    fn call_each(&mut self, id: FunctionId, args: &[Expr], expr: &Expr) -> Lowered<Val> {
        let result = self.program.function(id).result.clone();
        let lifted = self.prepare_lift(id, args, expr)?;
        let mut sizes = Vec::with_capacity(expr.ty.rank());
        for &dim in &lifted.dims {
            let size = self
                .required_int(dim)
                .and_then(|dim| usize::try_from(dim).ok());
            sizes.push(
                size.ok_or_else(|| LowerError::dynamic("the size of this expression", expr.span))?,
            );
        }
        if !result.is_scalar() {
            sizes.extend(self.result_dims(id, &lifted, expr)?);
        }
        let place = Rc::new(self.new_storage("elements", &expr.ty, &sizes));
        self.run_lift(&lifted, &mut |lowering, values, indexes| {
            let value = lowering.invoke_value(id, values, expr.span)?;
            if result.is_scalar() {
                let value = lowering.scalar_of(&value, expr.span)?;
                return lowering.store_element(&place, indexes, value);
            }
            let view = lowering.view_of(&value, expr.span)?;
            let mut part = (*place).clone();
            for &index in indexes {
                part = lowering.element_view(&part, index);
            }
            lowering.check_same_dims(
                &part.dims,
                &view.dims,
                "the results of this call",
                expr.span,
            )?;
            lowering.copy_elements(&part, &view)
        })?;
        Ok(Val::View(place))
    }

    /// The sizes of a lifted function's result, found by inlining it once for the first element and forgetting the code.
    fn result_dims(&mut self, id: FunctionId, lifted: &Lifted, expr: &Expr) -> Lowered<Vec<usize>> {
        let before = self.env.clone();
        let zero = self.int(0);
        self.builder.open();
        let outcome = self
            .lifted_elements(lifted, &vec![zero; lifted.dims.len()])
            .and_then(|values| {
                let value = self.invoke_value(id, values, expr.span)?;
                let view = self.view_of(&value, expr.span)?;
                self.known_dims(&view, expr.span)
            });
        self.builder.close();
        self.env = before;
        outcome
    }

    /// The values of a call's arguments; containers that are dear to read are stored, since a body may read them often.
    pub fn arguments(&mut self, args: &[Expr]) -> Lowered<Vec<Val>> {
        let mut values = Vec::with_capacity(args.len());
        for arg in args {
            if matches!(arg.kind, ExprKind::Function(_)) {
                return Err(LowerError::unsupported(
                    "a function as an argument",
                    arg.span,
                ));
            }
            let value = self.value(arg)?;
            values.push(match value {
                Val::View(view) => Val::View(self.readable(&view, arg.span)?),
                other => other,
            });
        }
        Ok(values)
    }

    /// Evaluates the arguments of a lifted call and finds what it runs over.
    pub fn prepare_lift(&mut self, id: FunctionId, args: &[Expr], expr: &Expr) -> Lowered<Lifted> {
        let program = self.program;
        let function = program.function(id);
        let mut sources = Vec::with_capacity(args.len());
        let mut shape: Option<(Ty, Vec<ValueId>)> = None;
        for (arg, &var) in args.iter().zip(&function.arguments) {
            let declared = program.variable(var).sized.ty.clone();
            let value = self.value(arg)?;
            if arg.ty == declared {
                let value = match value {
                    Val::View(view) => Val::View(self.readable(&view, arg.span)?),
                    other => other,
                };
                sources.push((value, None));
                continue;
            }
            let view = self.view_of(&value, arg.span)?;
            let over = view.dims.len() - declared.rank();
            let dims = view.dims[..over].to_vec();
            match &shape {
                None => {
                    // Scalars run over containers of any type in storage order; other elements over the arrays around them.
                    let ty = if declared.is_scalar() {
                        view.ty.clone()
                    } else {
                        Ty::Real.array_of(over)
                    };
                    shape = Some((ty, dims));
                }
                Some((_, first)) => {
                    let first = first.clone();
                    let what = format!("the arguments of `{}`", function.name);
                    self.check_same_dims(&first, &dims, &what, expr.span)?;
                }
            }
            sources.push((Val::View(view), Some(declared)));
        }
        let Some((ty, dims)) = shape else {
            return Err(LowerError::unsupported("this call", expr.span));
        };
        Ok(Lifted { sources, ty, dims })
    }

    /// Runs `body` once per element of a lifted call: with the arguments' elements and the element's indexes.
    pub fn run_lift(&mut self, lifted: &Lifted, body: &mut ElementBody<'_, Self>) -> Lowered<()> {
        self.for_each_index(&lifted.ty, &lifted.dims, &mut |lowering, indexes| {
            let values = lowering.lifted_elements(lifted, indexes)?;
            body(lowering, values, indexes)
        })
    }

    fn lifted_elements(&mut self, lifted: &Lifted, indexes: &[ValueId]) -> Lowered<Vec<Val>> {
        let mut values = Vec::with_capacity(lifted.sources.len());
        for (value, element) in &lifted.sources {
            values.push(match (value, element) {
                (Val::View(view), Some(declared)) => {
                    self.lifted_element(view, declared, indexes)?
                }
                (value, _) => value.clone(),
            });
        }
        Ok(values)
    }

    fn lifted_element(
        &mut self,
        view: &Rc<View>,
        declared: &Ty,
        indexes: &[ValueId],
    ) -> Lowered<Val> {
        if declared.is_scalar() {
            let value = self.element(view, indexes)?;
            return Ok(Val::Scalar(if kind_of(declared) == Kind::Real {
                self.real_value(value)
            } else {
                value
            }));
        }
        let zero = self.int(0);
        let mut picks: Vec<Pick> = indexes.iter().map(|&index| Pick::Single(index)).collect();
        picks.extend(view.dims[indexes.len()..].iter().map(|_| Pick::Range {
            start: zero,
            step: 1,
        }));
        let dims = view.dims[indexes.len()..].to_vec();
        Ok(Val::View(self.pick(view, picks, dims, declared.clone())))
    }

    // ------------------------------------------------------------------------------------------
    // Inlining
    // ------------------------------------------------------------------------------------------

    /// Inlines a function as a value.
    pub fn invoke_value(&mut self, id: FunctionId, args: Vec<Val>, span: Span) -> Lowered<Val> {
        match self.invoke(id, args, Returns::Directly(None), span)? {
            Returns::Directly(Some(value)) => Ok(value),
            Returns::Cell(cell) => Ok(Val::Scalar(self.builder.get(cell))),
            Returns::Storage(Some(view), _) => Ok(Val::View(view)),
            _ => Err(LowerError::unsupported(
                "a function that returns nothing here",
                span,
            )),
        }
    }

    /// Inlines a function; returns how it returned.
    pub fn invoke(
        &mut self,
        id: FunctionId,
        args: Vec<Val>,
        returns: Returns,
        span: Span,
    ) -> Lowered<Returns> {
        if self.depth >= MAX_DEPTH {
            return Err(LowerError::dynamic("the depth of this recursion", span));
        }
        let program = self.program;
        let function = program.function(id);
        let mut env = Environment::default();
        for (&var, value) in function.arguments.iter().zip(args) {
            env.set(
                var,
                match value {
                    Val::Static(value) => Binding::Static(value),
                    value => Binding::Fixed(value),
                },
            );
        }
        let caller = std::mem::replace(&mut self.env, env);
        let calling = self.function.replace(id);
        let outer = std::mem::replace(&mut self.returns, returns);
        let blame = self.blame;
        if function.from_library && self.blame.is_none() {
            self.blame = Some(span);
        }
        self.depth += 1;
        let outcome = self.statements(&function.body);
        self.depth -= 1;
        self.function = calling;
        self.blame = blame;
        self.env = caller;
        let returns = std::mem::replace(&mut self.returns, outer);
        outcome?;
        Ok(returns)
    }

    /// A `return` statement.
    pub fn do_return(&mut self, value: Option<&Expr>, span: Span) -> Lowered<Flow> {
        let Some(value) = value else {
            return Ok(Flow::Returned);
        };
        match self.returns.clone() {
            Returns::Nowhere => return Err(LowerError::unsupported("a return here", span)),
            Returns::Directly(_) => {
                let value = self.value(value)?;
                self.returns = Returns::Directly(Some(value));
            }
            Returns::Cell(cell) => {
                let scalar = self.scalar(value)?;
                self.builder.push(Stmt::Set(cell, scalar));
            }
            Returns::Storage(place, ty) => {
                let view = self.view(value)?;
                let place = match place {
                    Some(place) => place,
                    None => {
                        let dims = self.known_dims(&view, value.span)?;
                        Rc::new(self.new_storage("result", &ty, &dims))
                    }
                };
                self.check_same_dims(
                    &place.dims,
                    &view.dims,
                    "the values that this function returns",
                    span,
                )?;
                self.copy_elements(&place, &view)?;
                self.returns = Returns::Storage(Some(place), ty);
            }
            Returns::Target { negated } => self.add_terms(value, negated)?,
        }
        Ok(Flow::Returned)
    }

    /// Before control flow that is not known now surrounds a `return`: its value goes through a cell or storage.
    pub fn return_through_memory(&mut self) {
        let Some(function) = self.function else {
            return;
        };
        let program = self.program;
        let ty = &program.function(function).result;
        if let Returns::Directly(_) = self.returns {
            self.returns = if ty.is_scalar() {
                Returns::Cell(self.builder.cell("result", kind_of(ty)))
            } else {
                Returns::Storage(None, ty.clone())
            };
        }
    }
}
