//! The text form of the typed IR, for `hlm check --emit ir` and for people who debug the checker.
//!
//! It reads like the language, with what the checker decided written out: types and levels at declarations, the type
//! of every assigned value, `each` and `sum` where a call runs once per element. Variables that share a name carry
//! their number (`sigma#4`).

use super::{
    Callee, Constraint, Expr, ExprKind, Function, Index, Lift, Program, SizedTy, Stmt, StmtKind,
    VarId,
};
use crate::types::{Level, Ty};
use std::collections::BTreeMap;
use std::fmt::{self, Write};

impl fmt::Display for Program {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        Printer::new(self).program(out)
    }
}

/// Names of a program's variables while it is written out.
struct Printer<'p> {
    program: &'p Program,
    /// How many variables have each name.
    uses: BTreeMap<&'p str, usize>,
}

impl<'p> Printer<'p> {
    fn new(program: &'p Program) -> Printer<'p> {
        let mut uses = BTreeMap::new();
        for variable in &program.variables {
            *uses.entry(variable.name.as_str()).or_insert(0) += 1;
        }
        Printer { program, uses }
    }

    fn program(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let program = self.program;
        for function in &program.functions {
            self.function(function, out)?;
        }
        if !program.data.is_empty() {
            writeln!(out, "data {{")?;
            for &variable in &program.data {
                writeln!(out, "  {}", self.declaration(variable))?;
            }
            writeln!(out, "}}")?;
        }
        self.block("transformed data", &program.prepare, out)?;
        if !program.parameters.is_empty() {
            writeln!(out, "parameters {{")?;
            for parameter in &program.parameters {
                let declared = self.declaration(parameter.variable);
                writeln!(
                    out,
                    "  {declared} from {}",
                    self.declaration(parameter.free)
                )?;
            }
            writeln!(out, "}}")?;
        }
        self.block("constrain", &program.constrain, out)?;
        self.block("unconstrain", &program.unconstrain, out)?;
        self.block("transformed parameters", &program.transform, out)?;
        self.block("model", &program.model, out)?;
        self.block("generated quantities", &program.generate, out)
    }

    fn function(&self, function: &Function, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let arguments: Vec<String> = (function.arguments.iter())
            .map(|argument| self.declaration(*argument))
            .collect();
        let origin = if function.from_library {
            "library "
        } else {
            ""
        };
        writeln!(
            out,
            "{origin}function {} {}({}) {{",
            function.result,
            function.name,
            arguments.join(", ")
        )?;
        self.stmts(&function.body, 1, out)?;
        writeln!(out, "}}")
    }

    fn block(&self, name: &str, body: &[Stmt], out: &mut fmt::Formatter<'_>) -> fmt::Result {
        if body.is_empty() {
            return Ok(());
        }
        writeln!(out, "{name} {{")?;
        self.stmts(body, 1, out)?;
        writeln!(out, "}}")
    }

    fn stmts(&self, body: &[Stmt], depth: usize, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        body.iter().try_for_each(|stmt| {
            write!(out, "{:width$}", "", width = 2 * depth)?;
            self.stmt(stmt, depth, out)?;
            writeln!(out)
        })
    }

    fn nested(&self, body: &[Stmt], depth: usize, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(out, "{{")?;
        self.stmts(body, depth + 1, out)?;
        write!(out, "{:width$}}}", "", width = 2 * depth)
    }

    fn stmt(&self, stmt: &Stmt, depth: usize, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &stmt.kind {
            StmtKind::Declare(variable) => out.write_str(&self.declaration(*variable)),
            StmtKind::Assign {
                target,
                indices,
                projections,
                value,
            } => {
                out.write_str(&self.name(*target))?;
                for part in projections {
                    write!(out, ".{}", part + 1)?;
                }
                if !indices.is_empty() {
                    write!(out, "[{}]", self.indices(indices))?;
                }
                write!(out, " = {}", self.typed(value))
            }
            StmtKind::AddTarget(value) => write!(out, "target += {}", self.typed(value)),
            StmtKind::AddJacobian(value) => write!(out, "jacobian += {}", self.typed(value)),
            StmtKind::For {
                var,
                lower,
                upper,
                body,
            } => {
                let (lower, upper) = (self.expr(lower), self.expr(upper));
                write!(out, "for ({} in {lower}:{upper}) ", self.name(*var))?;
                self.nested(body, depth, out)
            }
            StmtKind::ForEach { var, over, body } => {
                write!(
                    out,
                    "for ({} in {}) ",
                    self.declaration(*var),
                    self.expr(over)
                )?;
                self.nested(body, depth, out)
            }
            StmtKind::While { condition, body } => {
                write!(out, "while ({}) ", self.expr(condition))?;
                self.nested(body, depth, out)
            }
            StmtKind::If {
                condition,
                then,
                otherwise,
            } => {
                write!(out, "if ({}) ", self.expr(condition))?;
                self.nested(then, depth, out)?;
                if otherwise.is_empty() {
                    return Ok(());
                }
                out.write_str(" else ")?;
                self.nested(otherwise, depth, out)
            }
            StmtKind::Block(body) => self.nested(body, depth, out),
            StmtKind::Break => out.write_str("break"),
            StmtKind::Continue => out.write_str("continue"),
            StmtKind::Return(None) => out.write_str("return"),
            StmtKind::Return(Some(value)) => write!(out, "return {}", self.typed(value)),
            StmtKind::Print(parts) => write!(out, "print({})", self.list(parts)),
            StmtKind::Reject(parts) => write!(out, "reject({})", self.list(parts)),
            StmtKind::FatalError(parts) => write!(out, "fatal_error({})", self.list(parts)),
            StmtKind::Call(function, arguments) => {
                let name = &self.program.function(*function).name;
                write!(out, "{name}({})", self.list(arguments))
            }
            StmtKind::Validate(variable) => write!(
                out,
                "validate {} is {}",
                self.name(*variable),
                self.constraint(&self.program.variable(*variable).constraint)
            ),
        }
    }

    fn name(&self, variable: VarId) -> String {
        let name = &self.program.variable(variable).name;
        match self.uses.get(name.as_str()) {
            Some(1) => name.clone(),
            _ => format!("{name}#{}", variable.0),
        }
    }

    /// `param vector[K]<lower=0> beta`.
    fn declaration(&self, variable: VarId) -> String {
        let declared = self.program.variable(variable);
        let level = match declared.level {
            Level::Data => "data",
            Level::Param => "param",
        };
        let constraint = match &declared.constraint {
            Constraint::None => String::new(),
            constraint => format!("<{}>", self.constraint(constraint)),
        };
        format!(
            "{level} {}{constraint} {}",
            self.sized(&declared.sized),
            self.name(variable)
        )
    }

    /// A type with its sizes where they are declared: `array[N] vector[K]`.
    fn sized(&self, sized: &SizedTy) -> String {
        let (depth, inner) = sized.ty.array_parts();
        if sized.dims.len() < depth || sized.dims.is_empty() {
            return sized.ty.to_string();
        }
        let (outer, own) = sized.dims.split_at(depth);
        let mut text = String::new();
        if depth > 0 {
            text = format!("array[{}] ", self.list(outer));
        }
        text.push_str(&inner.to_string());
        if !own.is_empty() {
            text.push_str(&format!("[{}]", self.list(own)));
        }
        text
    }

    fn constraint(&self, constraint: &Constraint) -> String {
        let part = |name: &str, value: &Expr| format!("{name}={}", self.expr(value));
        match constraint {
            Constraint::None => "unconstrained".to_string(),
            Constraint::Lower(lower) => part("lower", lower),
            Constraint::Upper(upper) => part("upper", upper),
            Constraint::LowerUpper(lower, upper) => {
                format!("{}, {}", part("lower", lower), part("upper", upper))
            }
            Constraint::OffsetMultiplier(offset, multiplier) => {
                let offset = offset.iter().map(|value| part("offset", value));
                let multiplier = multiplier.iter().map(|value| part("multiplier", value));
                offset.chain(multiplier).collect::<Vec<_>>().join(", ")
            }
            // The others have no parts, and names that read well.
            other => format!("{other:?}"),
        }
    }

    fn typed(&self, value: &Expr) -> String {
        format!("{} : {}", self.expr(value), value.ty)
    }

    fn list(&self, parts: &[Expr]) -> String {
        let parts: Vec<String> = parts.iter().map(|part| self.expr(part)).collect();
        parts.join(", ")
    }

    fn expr(&self, expr: &Expr) -> String {
        match &expr.kind {
            ExprKind::Int(value) => value.to_string(),
            ExprKind::Real(value) => format!("{value:?}"),
            ExprKind::Text(text) => format!("\"{text}\""),
            ExprKind::Variable(variable) => self.name(*variable),
            ExprKind::Index(of, indices) => {
                format!("{}[{}]", self.expr(of), self.indices(indices))
            }
            ExprKind::Call(callee, arguments) => self.call(callee, arguments, &expr.ty),
            ExprKind::Ternary(condition, then, otherwise) => format!(
                "({} ? {} : {})",
                self.expr(condition),
                self.expr(then),
                self.expr(otherwise)
            ),
            ExprKind::And(left, right) => format!("({} && {})", self.expr(left), self.expr(right)),
            ExprKind::Or(left, right) => format!("({} || {})", self.expr(left), self.expr(right)),
            ExprKind::Array(parts) => format!("{{{}}}", self.list(parts)),
            ExprKind::Row(parts) | ExprKind::Matrix(parts) => format!("[{}]", self.list(parts)),
            ExprKind::Tuple(parts) => format!("({})", self.list(parts)),
            ExprKind::Project(of, part) => format!("{}.{}", self.expr(of), part + 1),
            ExprKind::Function(function) => self.program.function(*function).name.clone(),
            ExprKind::Target => "target()".to_string(),
        }
    }

    fn call(&self, callee: &Callee, arguments: &[Expr], result: &Ty) -> String {
        let (name, lift) = match callee {
            Callee::Prim(prim) => (prim.name(), each_if(result.is_container())),
            Callee::Container(function) => (function.name(), ""),
            Callee::Draw(draw) => (draw.row().0, ""),
            Callee::Function(function, lift) => {
                let lift = match lift {
                    Lift::Whole => "",
                    Lift::Each => "each ",
                    Lift::Sum => "sum ",
                };
                (self.program.function(*function).name.as_str(), lift)
            }
        };
        match (name.strip_prefix("operator"), arguments) {
            (Some(operator), [left, right]) => {
                format!("({} {operator} {})", self.expr(left), self.expr(right))
            }
            (Some(operator), [only]) => format!("{operator}{}", self.expr(only)),
            _ => format!("{lift}{name}({})", self.list(arguments)),
        }
    }

    fn indices(&self, indices: &[Index]) -> String {
        let bound = |bound: &Option<Expr>| bound.as_ref().map(|bound| self.expr(bound));
        let index = |index: &Index| match index {
            Index::All => ":".to_string(),
            Index::Single(at) | Index::Multiple(at) => self.expr(at),
            Index::Range(first, last) => {
                let mut text = bound(first).unwrap_or_default();
                // Writing to a string cannot fail.
                let _ = write!(text, ":{}", bound(last).unwrap_or_default());
                text
            }
        };
        indices.iter().map(index).collect::<Vec<_>>().join(", ")
    }
}

fn each_if(is_lifted: bool) -> &'static str {
    if is_lifted { "each " } else { "" }
}

#[cfg(test)]
mod tests {
    use crate::model::Model;

    #[test]
    fn a_program_shows_what_the_checker_decided() {
        let text = "\
functions {
  real twice(real x) { return 2 * x; }
}
data { int<lower=0> N; vector[N] y; }
parameters { real mu; }
model {
  for (n in 1:N) {
    if (y[n] > 0) target += -square(y[n] - twice(mu));
    else target += 0;
  }
}
";
        let model = Model::from_text("m.hlm", text).unwrap();
        let printed = model.program().typed.to_string();
        let found: Vec<&str> = printed.lines().collect();
        let shows = |wanted: &str| found.iter().any(|line| line.trim() == wanted);
        for line in [
            "function real twice(param real x) {",
            "return (2.0 * x) : real",
            "data int<lower=0.0> N",
            "data vector[N] y",
            "for (n in 1:N) {",
            "if ((y[n] > 0.0)) {",
            "target += -square((y[n] - twice(mu#2))) : real",
        ] {
            assert!(shows(line), "{line}\n{printed}");
        }
    }
}
