//! The text form of a procedure, for `hlm check --emit` and for people who debug passes.
//!
//! One statement a line, nested blocks indented: `v12 = x[v3]`, `target += v12`, `for v4 in v0..v1 {`.
//! Buffers and cells appear under their names, with their number behind it where two share a name.

use super::{
    Buffer, BufferId, CellId, Message, MessageId, MessageKind, Op, Part, Procedure, Role, Slice,
    Stmt, ValueId,
};
use crate::builtins::Kind;
use std::fmt;

/// So many elements of a constant buffer are shown.
const SHOWN_ELEMENTS: usize = 6;

impl fmt::Display for Procedure {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        Printer::new(self).procedure(out)
    }
}

impl fmt::Display for ValueId {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "v{}", self.0)
    }
}

/// The labels of a procedure's buffers and cells while it is written out.
struct Printer<'p> {
    procedure: &'p Procedure,
    buffers: Vec<String>,
    cells: Vec<String>,
}

impl<'p> Printer<'p> {
    fn new(procedure: &'p Procedure) -> Printer<'p> {
        Printer {
            procedure,
            buffers: labels(procedure.buffers.iter().map(|buffer| buffer.name.as_str())),
            cells: labels(procedure.cells.iter().map(|cell| cell.name.as_str())),
        }
    }

    fn procedure(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(out, "procedure {} {{", self.procedure.name)?;
        for (buffer, label) in self.procedure.buffers.iter().zip(&self.buffers) {
            writeln!(out, "    {}", Declaration { buffer, label })?;
        }
        for (cell, label) in self.procedure.cells.iter().zip(&self.cells) {
            writeln!(out, "    cell {label}: {}", kind_name(cell.kind))?;
        }
        for (number, message) in self.procedure.messages.iter().enumerate() {
            writeln!(out, "    message m{number}: {}", Template(message))?;
        }
        self.block(&self.procedure.body, 1, out)?;
        if let Some(result) = self.procedure.result {
            writeln!(out, "    return {}", self.cell(result))?;
        }
        writeln!(out, "}}")?;
        for (number, system) in self.procedure.systems.iter().enumerate() {
            let method = if system.problem.stiff { "bdf" } else { "rk45" };
            writeln!(out, "system {number} {} by {method}:", system.name)?;
            write!(out, "{}", system.right_side)?;
            for derivatives in [&system.weighted, &system.coupled].into_iter().flatten() {
                write!(out, "{derivatives}")?;
            }
        }
        Ok(())
    }

    fn block(&self, body: &[Stmt], depth: usize, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        for stmt in body {
            write!(out, "{:width$}", "", width = 4 * depth)?;
            self.stmt(stmt, depth, out)?;
        }
        Ok(())
    }

    fn nested(&self, body: &[Stmt], depth: usize, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(out, "{{")?;
        self.block(body, depth + 1, out)?;
        write!(out, "{:width$}}}", "", width = 4 * depth)
    }

    fn stmt(&self, stmt: &Stmt, depth: usize, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match stmt {
            Stmt::Let(value, op) => writeln!(out, "{value} = {}", self.op(op)),
            Stmt::Set(cell, value) => writeln!(out, "{} = {value}", self.cell(*cell)),
            Stmt::Add(cell, value) => writeln!(out, "{} += {value}", self.cell(*cell)),
            Stmt::Store(buffer, index, value) => {
                writeln!(out, "{}[{index}] = {value}", self.buffer(*buffer))
            }
            Stmt::Accumulate(buffer, index, value) => {
                writeln!(out, "{}[{index}] += {value}", self.buffer(*buffer))
            }
            Stmt::Fill(slice, value) => writeln!(out, "fill {} = {value}", self.slice(slice)),
            Stmt::Call {
                function,
                inputs,
                outputs,
                message,
            } => writeln!(
                out,
                "{} = call {function:?}({}) else m{}",
                self.slices(outputs),
                self.slices(inputs),
                message.0
            ),
            Stmt::Check {
                ok,
                message,
                values,
            } => writeln!(out, "check {ok} else {}", said(*message, values)),
            Stmt::Print { message, values } => writeln!(out, "print {}", said(*message, values)),
            Stmt::Push(value) => writeln!(out, "push {value}"),
            Stmt::PushSlice(slice) => writeln!(out, "push {}", self.slice(slice)),
            Stmt::PopSlice(slice) => writeln!(out, "{} = pop", self.slice(slice)),
            Stmt::For { .. } | Stmt::If { .. } | Stmt::While { .. } => {
                self.control(stmt, depth, out)?;
                writeln!(out)
            }
        }
    }

    fn control(&self, stmt: &Stmt, depth: usize, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match stmt {
            Stmt::For {
                var,
                start,
                end,
                reverse,
                body,
            } => {
                let direction = if *reverse { "reverse " } else { "" };
                write!(out, "for {var} in {direction}{start}..{end} ")?;
                self.nested(body, depth, out)
            }
            Stmt::If {
                condition,
                then,
                otherwise,
            } => {
                write!(out, "if {condition} ")?;
                self.nested(then, depth, out)?;
                if !otherwise.is_empty() {
                    write!(out, " else ")?;
                    self.nested(otherwise, depth, out)?;
                }
                Ok(())
            }
            Stmt::While {
                header,
                condition,
                body,
            } => {
                write!(out, "while ")?;
                self.nested(header, depth, out)?;
                write!(out, " {condition} ")?;
                self.nested(body, depth, out)
            }
            _ => Ok(()),
        }
    }

    fn op(&self, op: &Op) -> String {
        match op {
            Op::Real(constant) => format!("{constant:?}"),
            Op::Int(constant) => constant.to_string(),
            Op::Prim(prim, args) => match (prim.name().strip_prefix("operator"), args.as_slice()) {
                (Some(symbol), [a, b]) => format!("{a} {symbol} {b}"),
                (Some(symbol), [a]) => format!("{symbol}{a}"),
                _ => format!("{}({})", prim.name(), list(args)),
            },
            Op::Select(condition, then, otherwise) => {
                format!("{condition} ? {then} : {otherwise}")
            }
            Op::Load(buffer, index) => format!("load {}[{index}]", self.buffer(*buffer)),
            Op::Get(cell) => self.cell(*cell).to_string(),
            Op::Draw(draw, args) => format!("{}({})", draw.row().0, list(args)),
            Op::Pop(kind) => format!("pop {}", kind_name(*kind)),
        }
    }

    fn slice(&self, slice: &Slice) -> String {
        let Slice {
            buffer,
            offset,
            rows,
            cols,
        } = slice;
        format!("{}[{offset}; {rows} x {cols}]", self.buffer(*buffer))
    }

    fn slices(&self, slices: &[Slice]) -> String {
        let slices: Vec<String> = slices.iter().map(|slice| self.slice(slice)).collect();
        slices.join(", ")
    }

    fn buffer(&self, id: BufferId) -> &str {
        self.buffers.get(id.0 as usize).map_or("?", String::as_str)
    }

    fn cell(&self, id: CellId) -> &str {
        self.cells.get(id.0 as usize).map_or("?", String::as_str)
    }
}

/// One label each: the name, with its number where another has the same name or there is none.
fn labels<'n>(names: impl Iterator<Item = &'n str>) -> Vec<String> {
    let names: Vec<&str> = names.collect();
    let mut sorted = names.clone();
    sorted.sort_unstable();
    let ambiguous = |name: &str| {
        let first = sorted.partition_point(|other| *other < name);
        name.is_empty() || sorted.get(first + 1) == Some(&name)
    };
    let label = |(number, name): (usize, &&str)| {
        if ambiguous(name) {
            format!("{name}#{number}")
        } else {
            name.to_string()
        }
    };
    names.iter().enumerate().map(label).collect()
}

fn list(values: &[ValueId]) -> String {
    let values: Vec<String> = values.iter().map(ValueId::to_string).collect();
    values.join(", ")
}

fn said(message: MessageId, values: &[ValueId]) -> String {
    format!("m{}({})", message.0, list(values))
}

fn kind_name(kind: Kind) -> &'static str {
    match kind {
        Kind::Int => "int",
        Kind::Real => "real",
    }
}

/// A buffer's line among the declarations.
struct Declaration<'p> {
    buffer: &'p Buffer,
    label: &'p str,
}

impl fmt::Display for Declaration<'_> {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Declaration { buffer, label } = self;
        let (role, number) = match buffer.role {
            Role::ConstantReal(_) | Role::ConstantInt(_) => ("constant", None),
            Role::Input(number) => ("input", Some(number)),
            Role::Output(number) => ("output", Some(number)),
            Role::Work => ("work", None),
            Role::Zeroed => ("zeroed", None),
        };
        write!(out, "{role}")?;
        if let Some(number) = number {
            write!(out, " {number}")?;
        }
        write!(out, " {label}: {}[{}]", kind_name(buffer.kind), buffer.len)?;
        match &buffer.role {
            Role::ConstantReal(contents) => elements(contents, out),
            Role::ConstantInt(contents) => elements(contents, out),
            _ => Ok(()),
        }
    }
}

fn elements<T: fmt::Debug>(contents: &[T], out: &mut fmt::Formatter<'_>) -> fmt::Result {
    write!(out, " = [")?;
    for (at, element) in contents.iter().take(SHOWN_ELEMENTS).enumerate() {
        let comma = if at > 0 { ", " } else { "" };
        write!(out, "{comma}{element:?}")?;
    }
    let rest = if contents.len() > SHOWN_ELEMENTS {
        ", …"
    } else {
        ""
    };
    write!(out, "{rest}]")
}

/// A message with its places for values: `reject "scale is {0}"`.
struct Template<'p>(&'p Message);

impl fmt::Display for Template<'_> {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kind = match self.0.kind {
            MessageKind::Reject => "reject",
            MessageKind::Fatal => "fatal",
            MessageKind::Print => "print",
        };
        write!(out, "{kind} \"")?;
        for part in &self.0.parts {
            match part {
                Part::Text(text) => write!(out, "{}", text.escape_debug())?,
                Part::Value(at) => write!(out, "{{{at}}}")?,
            }
        }
        write!(out, "\"")
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Builder, Stmt};
    use super::*;
    use crate::builtins::Prim;

    #[test]
    fn a_procedure_reads_as_a_nested_program() {
        let mut build = Builder::new("log_density");
        let x = build.buffer(
            "x",
            Kind::Real,
            2,
            Role::ConstantReal(vec![1.0, 2.5].into()),
        );
        let work = build.buffer("x", Kind::Real, 2, Role::Work);
        let target = build.cell("target", Kind::Real);
        let message = build.message(Message {
            kind: MessageKind::Reject,
            parts: vec![Part::Text("bad ".into()), Part::Value(0)],
            span: Default::default(),
        });
        let (zero, two) = (build.int(0), build.int(2));
        build
            .for_loop(zero, two, true, |build, i| -> Result<(), ()> {
                let element = build.load(x, i);
                let product = build.prim(Prim::Mul, &[element, element]);
                let ok = build.prim(Prim::Gt, &[product, element]);
                build.push(Stmt::Check {
                    ok,
                    message,
                    values: vec![product],
                });
                build.push(Stmt::Store(work, i, product));
                build.push(Stmt::Add(target, product));
                Ok(())
            })
            .unwrap();
        let mut procedure = build.finish();
        procedure.result = Some(target);
        assert_eq!(
            procedure.to_string(),
            r#"procedure log_density {
    constant x#0: real[2] = [1.0, 2.5]
    work x#1: real[2]
    cell target: real
    message m0: reject "bad {0}"
    v0 = 0
    v1 = 2
    for v2 in reverse v0..v1 {
        v3 = load x#0[v2]
        v4 = v3 * v3
        v5 = v4 > v3
        check v5 else m0(v4)
        x#1[v2] = v4
        target += v4
    }
    return target
}
"#
        );
    }
}
