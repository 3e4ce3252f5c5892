//! What binding tells the user: the declaration in the program, the place in the data file, what to change.

use super::DataFile;
use crate::builtins::Prim;
use crate::diag::{Code, Diagnostic};
use crate::interp::{Failure, Violation};
use crate::io::data_json::{DataError, DataKind, DataValue, RealReason};
use crate::ir::{Callee, Expr, ExprKind, Program, VarId};
use crate::types::Ty;

/// How many names or elements a message lists before it says "and … more".
const LISTED: usize = 8;

/// Where in the data file something is.
pub(super) enum Place<'a> {
    Nowhere,
    Value(&'a DataValue),
    /// An element, counted from 0 in row-major order.
    Element(&'a DataValue, usize),
}

/// Makes the diagnostics of one binding.
pub(super) struct Reporter<'a> {
    pub(super) program: &'a Program,
    pub(super) file: &'a DataFile<'a>,
}

impl Reporter<'_> {
    /// Variables that the file does not have: one finding for all.
    pub(super) fn missing_variables(&self, missing: &[VarId]) -> Diagnostic {
        let name = |id: &VarId| format!("`{}`", self.program.variable(*id).name);
        let names: Vec<String> = missing.iter().map(name).collect();
        let first = self.program.variable(missing[0]);
        let mut fault = Diagnostic::error(
            Code::MissingData,
            format!("the data do not have {}", listed(&names)),
            first.span,
            "declared here, but not in the data",
        );
        for id in &missing[1..] {
            fault = fault.with_secondary(self.program.variable(*id).span, "nor is this");
        }
        for id in missing {
            let wanted = &self.program.variable(*id).name;
            let similar = (self.file.data.entries().iter())
                .find(|entry| entry.name.to_lowercase() == wanted.to_lowercase());
            if let Some(entry) = similar {
                let found = &entry.name;
                fault = fault.with_note(format!(
                    "{} has `{found}`; `{wanted}` is another name, as upper and lower case differ",
                    self.file.name
                ));
            }
        }
        if fault.notes.is_empty() {
            let names: Vec<String> = (self.file.data.entries().iter())
                .map(|entry| format!("`{}`", entry.name))
                .collect();
            let has = match names.is_empty() {
                true => "no variables".to_owned(),
                false => listed(&names),
            };
            fault = fault.with_note(format!("{} has {has}", self.file.name));
        }
        fault
    }

    /// What the file has under a name is nothing that a variable can hold.
    pub(super) fn unusable(&self, variable: VarId, error: &DataError) -> Diagnostic {
        let variable = self.program.variable(variable);
        Diagnostic::error(
            Code::UnusableData,
            format!("`{}` cannot be read from the data", variable.name),
            variable.span,
            "declared here",
        )
        .with_note(format!(
            "{}:{}:{}: {}",
            self.file.name, error.line, error.column, error.problem
        ))
    }

    /// A declaration with sizes or bounds that cannot be evaluated.
    pub(super) fn sizes(&self, variable: VarId, failure: &Failure) -> Diagnostic {
        let variable = self.program.variable(variable);
        Diagnostic::error(
            Code::BadSize,
            failure.message().to_owned(),
            failure.span(),
            "in this declaration",
        )
        .with_secondary(variable.span, "of this variable")
    }

    /// Elements that are null or NA.
    pub(super) fn missing_elements(&self, variable: VarId, value: &DataValue) -> Diagnostic {
        let declared = self.program.variable(variable);
        let name = &declared.name;
        if value.dims.is_empty() {
            return self.noted(
                Diagnostic::error(
                    Code::MissingElements,
                    format!("`{name}` is missing (NA) in the data"),
                    declared.span,
                    "a value is needed",
                ),
                Place::Value(value),
                "there is no value here",
            );
        }
        let count = value.missing.len();
        let elements: Vec<String> = (value.missing.iter())
            .map(|element| element_name(name, value, element.index))
            .collect();
        let plural = if count == 1 { "value" } else { "values" };
        let fault = Diagnostic::error(
            Code::MissingElements,
            format!("`{name}` has {count} missing {plural} (NA): {}", listed(&elements)),
            declared.span,
            "every element needs a value",
        )
        .with_hint(
            "leave these rows out of the data, or declare the missing values as parameters of the model",
        );
        let first = &value.missing[0];
        self.noted(
            fault,
            Place::Element(value, first.index),
            "the first one is here",
        )
    }

    /// Sizes that are not the declared ones.
    pub(super) fn shape(&self, variable: VarId, value: &DataValue, dims: &[usize]) -> Diagnostic {
        let declared = self.program.variable(variable);
        let found = describe_found(value);
        let where_sizes: Vec<String> = (declared.sized.dims.iter().zip(dims))
            .filter(|(expr, _)| !matches!(expr.kind, ExprKind::Int(_)))
            .filter_map(|(expr, size)| {
                spell(self.program, expr).map(|text| format!("{text} = {size}"))
            })
            .fold(Vec::new(), |mut all, size| {
                if !all.contains(&size) {
                    all.push(size);
                }
                all
            });
        let spelled = spell_declared(self.program, &declared.sized.ty, &declared.sized.dims, dims);
        let mut label = format!("declared `{spelled}`");
        if !where_sizes.is_empty() {
            label = format!("{label}, with {}", where_sizes.join(" and "));
        }
        let wanted = describe_declared(&declared.sized.ty, dims);
        let mut fault = Diagnostic::error(
            Code::WrongShape,
            format!("`{}` is {wanted}, but the data have {found}", declared.name),
            declared.span,
            label,
        );
        let one = dims.iter().product::<usize>() == 1;
        if one && value.dims.is_empty() {
            fault = fault.with_hint(format!(
                "write a single element in brackets: \"{}\": {}…{}",
                declared.name,
                "[".repeat(dims.len()),
                "]".repeat(dims.len())
            ));
        } else if let ([rows, cols], [found_rows, found_cols]) = (dims, value.dims.as_slice())
            && (rows, cols) == (found_cols, found_rows)
        {
            fault = fault.with_hint("the rows and columns of the data are swapped");
        }
        self.noted(fault, Place::Value(value), &format!("{found} here"))
    }

    /// A real where an integer must be.
    pub(super) fn not_integer(&self, variable: VarId, value: &DataValue) -> Diagnostic {
        let declared = self.program.variable(variable);
        let name = &declared.name;
        let Some(first) = &value.first_real else {
            return Diagnostic::error(
                Code::NotInteger,
                format!("`{name}` must be integer, but the data have reals"),
                declared.span,
                "declared here",
            );
        };
        let element = element_name(name, value, first.index);
        let text = self.snippet(first.span.clone());
        let subject = if value.dims.is_empty() {
            name
        } else {
            &element
        };
        let (reason, hint) = match first.reason {
            RealReason::Written => (
                "not an integer",
                "write integers without a decimal point or exponent",
            ),
            RealReason::BeyondInt32 => (
                "beyond the integers of the language, which end at 2147483647",
                "declare the variable as real, or divide it by a power of ten",
            ),
        };
        let fault = Diagnostic::error(
            Code::NotInteger,
            format!("`{subject}` is {text}, which is {reason}"),
            declared.span,
            format!("declared `{}`", declared.sized.ty),
        )
        .with_hint(hint);
        self.noted(fault, Place::Element(value, first.index), "this number")
    }

    /// A value outside what the declaration promises.
    pub(super) fn constraint(
        &self,
        variable: VarId,
        violation: &Violation,
        place: Place<'_>,
    ) -> Diagnostic {
        let declared = self.program.variable(variable);
        let fault = Diagnostic::error(
            Code::OutOfSupport,
            violation.sentence(&declared.name),
            declared.span,
            "the constraint is declared here",
        );
        self.noted(fault, place, "the value is here")
    }

    /// Adds a note with the place in the file, where it is known.
    fn noted(&self, fault: Diagnostic, place: Place<'_>, words: &str) -> Diagnostic {
        let span = match place {
            Place::Nowhere => None,
            Place::Value(value) => Some(value.span.clone()),
            Place::Element(value, index) => value
                .element_span(self.file.text, index)
                .or(Some(value.span.clone())),
        };
        match span {
            Some(span) if !span.is_empty() => {
                let (line, column) = line_column(self.file.text, span.start);
                fault.with_note(format!("{}:{line}:{column}: {words}", self.file.name))
            }
            _ => fault,
        }
    }

    fn snippet(&self, span: std::ops::Range<usize>) -> String {
        let bytes = self.file.text.get(span).unwrap_or_default();
        String::from_utf8_lossy(bytes).into_owned()
    }
}

/// The failure of the transformed data block.
pub(super) fn transformed_data(failure: &Failure) -> Diagnostic {
    Diagnostic::error(
        Code::TransformedData,
        failure.message().to_owned(),
        failure.span(),
        "while transformed data were computed",
    )
}

/// Line and character (both from 1) of a byte of a text.
fn line_column(text: &[u8], offset: usize) -> (usize, usize) {
    let before = &text[..offset.min(text.len())];
    let line = before.iter().filter(|&&byte| byte == b'\n').count() + 1;
    let start = before
        .iter()
        .rposition(|&byte| byte == b'\n')
        .map_or(0, |at| at + 1);
    let column = String::from_utf8_lossy(&before[start..]).chars().count() + 1;
    (line, column)
}

/// `a, b and c`, cut off after a few.
fn listed(names: &[String]) -> String {
    match names {
        [] => String::new(),
        [one] => one.clone(),
        _ if names.len() > LISTED => format!(
            "{} and {} more",
            names[..LISTED].join(", "),
            names.len() - LISTED
        ),
        [all @ .., last] => format!("{} and {last}", all.join(", ")),
    }
}

/// An element by its name in the program: `y[3]`, `X[2, 1]`.
fn element_name(name: &str, value: &DataValue, row_major: usize) -> String {
    let mut rest = row_major;
    let mut indexes: Vec<String> = (value.dims.iter().rev())
        .map(|size| {
            let index = rest % size + 1;
            rest /= size;
            index.to_string()
        })
        .collect();
    indexes.reverse();
    format!("{name}[{}]", indexes.join(", "))
}

/// What the data have: `7 values`, `3 rows of 2 values`, `a single number`.
fn describe_found(value: &DataValue) -> String {
    if matches!(value.kind, DataKind::Tuple(_)) {
        return "a tuple".to_owned();
    }
    describe_sizes(&value.dims)
}

fn describe_sizes(dims: &[usize]) -> String {
    let values = |n: usize| format!("{n} value{}", if n == 1 { "" } else { "s" });
    match dims {
        [] => "a single number".to_owned(),
        [n] => values(*n),
        [rows, cols] => {
            let plural = if *rows == 1 { "" } else { "s" };
            format!("{rows} row{plural} of {}", values(*cols))
        }
        _ => {
            let sizes: Vec<String> = dims.iter().map(usize::to_string).collect();
            format!("an array of {} values", sizes.join(" by "))
        }
    }
}

/// What a declaration asks for.
fn describe_declared(ty: &Ty, dims: &[usize]) -> String {
    match ty {
        Ty::Int | Ty::Real => "a single number".to_owned(),
        Ty::Tuple(_) => "a tuple".to_owned(),
        _ => crate::interp::describe_dims(ty, dims),
    }
}

/// A declared type with its sizes as the user may have written them: `array[J] vector[K]`.
fn spell_declared(program: &Program, ty: &Ty, exprs: &[Expr], dims: &[usize]) -> String {
    let spelled: Vec<String> = (exprs.iter().zip(dims))
        .map(|(expr, size)| spell(program, expr).unwrap_or_else(|| size.to_string()))
        .collect();
    let (depth, inner) = ty.array_parts();
    let list = |sizes: &[String]| match sizes {
        [] => String::new(),
        _ => format!("[{}]", sizes.join(", ")),
    };
    let (outer, within) = spelled.split_at(depth.min(spelled.len()));
    match depth {
        0 => format!("{inner}{}", list(within)),
        _ => format!("array{} {inner}{}", list(outer), list(within)),
    }
}

/// A size expression as the user may have written it; `None` for what is not simple.
fn spell(program: &Program, expr: &Expr) -> Option<String> {
    match &expr.kind {
        ExprKind::Int(value) => Some(value.to_string()),
        ExprKind::Variable(var) => Some(program.variable(*var).name.clone()),
        ExprKind::Call(Callee::Prim(prim), args) => {
            let operator = match prim {
                Prim::AddInt => '+',
                Prim::SubInt => '-',
                Prim::MulInt => '*',
                Prim::DivInt => '/',
                _ => return None,
            };
            match args.as_slice() {
                [left, right] => Some(format!(
                    "{} {operator} {}",
                    spell(program, left)?,
                    spell(program, right)?
                )),
                _ => None,
            }
        }
        _ => None,
    }
}
