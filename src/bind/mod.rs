//! Binding: a program's data block filled from a data file, checked, and its transformed data computed.
//!
//! Every fault that can be found is reported at once: missing variables together, then each variable's shape, kind,
//! missing values and constraint, with the place in the program and the place in the file.

mod convert;
mod report;
#[cfg(test)]
mod tests;

use crate::diag::Diagnostic;
use crate::interp::{Effects, Failure, Interpreter, Value, Values};
use crate::io::data_json::{Data, DataEntry, DataKind, DataValue};
use crate::ir::{Program, VarId};
use crate::types::Ty;
use report::{Place, Reporter};

/// A data file that was read: what it holds, and what messages need to point into it.
#[derive(Clone, Copy, Debug)]
pub struct DataFile<'a> {
    /// How messages call it.
    pub name: &'a str,
    /// Its text; empty for data made in memory, whose messages name no place.
    pub text: &'a [u8],
    /// What was read from it.
    pub data: &'a Data,
}

/// A program's data and transformed data.
#[derive(Clone, Debug)]
pub struct Bound {
    /// The values of data and transformed data, one place per [`VarId`]; other variables have none.
    pub values: Values,
    /// Names in the data that the program does not declare, in the order of the file. Data sets often carry some.
    pub unused: Vec<String>,
}

/// Fills the data block from a file and runs `transformed data`; `effects` serve its draws and prints.
///
/// # Errors
/// Every fault of the data; when there is none, the failure of transformed data, at the line of the program.
pub fn bind(
    program: &Program,
    file: &DataFile<'_>,
    effects: Effects<'_>,
) -> Result<Bound, Vec<Diagnostic>> {
    let interpreter = Interpreter::new(program);
    let mut binder = Binder {
        program,
        interpreter: &interpreter,
        reporter: Reporter { program, file },
        values: vec![None; program.variables.len()],
        missing: Vec::new(),
        faults: Vec::new(),
    };
    for &variable in &program.data {
        binder.read(variable);
    }
    let Binder {
        reporter,
        values,
        missing,
        mut faults,
        ..
    } = binder;
    if !missing.is_empty() {
        faults.insert(0, reporter.missing_variables(&missing));
    }
    if !faults.is_empty() {
        return Err(faults);
    }
    let values = interpreter
        .prepare(values, effects)
        .map_err(|failure| vec![report::transformed_data(&failure)])?;
    let declares = |name: &str| (program.data.iter()).any(|id| program.variable(*id).name == name);
    let unused = (file.data.entries().iter())
        .map(|entry| entry.name.clone())
        .filter(|name| !declares(name))
        .collect();
    Ok(Bound { values, unused })
}

/// The state of one reading of the data block.
struct Binder<'a> {
    program: &'a Program,
    interpreter: &'a Interpreter<'a>,
    reporter: Reporter<'a>,
    values: Values,
    /// Variables that the file does not have (and that are not empty).
    missing: Vec<VarId>,
    faults: Vec<Diagnostic>,
}

impl Binder<'_> {
    /// Reads one variable; what is wrong with it is collected.
    fn read(&mut self, variable: VarId) {
        let name = &self.program.variable(variable).name;
        let entry = self.reporter.file.data.get(name);
        let dims = match self.interpreter.declared_dims(variable, &self.values) {
            Ok(dims) => dims,
            Err(failure) => return self.sizes_unknown(variable, entry, &failure),
        };
        let Some(entry) = entry else {
            if dims.contains(&0) {
                let ty = &self.program.variable(variable).sized.ty;
                let empty = Value::uninitialised(ty, &dims);
                self.values[variable.0 as usize] = Some(empty);
            } else {
                self.missing.push(variable);
            }
            return;
        };
        let faults = self.faults.len();
        match &entry.value {
            Err(error) => self.faults.push(self.reporter.unusable(variable, error)),
            Ok(value) => self.check(variable, value, &dims),
        }
        if self.faults.len() == faults {
            self.check_constraint(variable, entry);
        }
    }

    /// A declaration whose sizes cannot be evaluated: a fault of its own unless it follows from an earlier one.
    fn sizes_unknown(&mut self, variable: VarId, entry: Option<&DataEntry>, failure: &Failure) {
        if entry.is_none() {
            self.missing.push(variable);
        } else if self.faults.is_empty() && self.missing.is_empty() {
            self.faults.push(self.reporter.sizes(variable, failure));
        }
    }

    /// Kind, missing values and shape; the value is kept when they are right.
    fn check(&mut self, variable: VarId, value: &DataValue, dims: &[usize]) {
        let ty = &self.program.variable(variable).sized.ty;
        if !value.missing.is_empty() {
            self.faults
                .push(self.reporter.missing_elements(variable, value));
            return;
        }
        let is_empty = dims.contains(&0) && value.is_empty();
        let has_tuple = matches!(ty.scalar(), Ty::Tuple(_));
        if !is_empty && !has_tuple && value.dims != dims {
            self.faults.push(self.reporter.shape(variable, value, dims));
            return;
        }
        if ty.scalar() == Ty::Int && matches!(value.kind, DataKind::Real(_)) && !is_empty {
            self.faults.push(self.reporter.not_integer(variable, value));
            return;
        }
        let converted = if is_empty {
            Some(Value::uninitialised(ty, dims))
        } else {
            convert::to_value(value, ty)
        };
        match converted {
            Some(converted) => self.values[variable.0 as usize] = Some(converted),
            None => self.faults.push(self.reporter.shape(variable, value, dims)),
        }
    }

    fn check_constraint(&mut self, variable: VarId, entry: &DataEntry) {
        let violation = match self.interpreter.check_constraint(variable, &self.values) {
            Ok(Ok(())) => return,
            Ok(Err(violation)) => violation,
            // The bound itself uses a variable that is missing or wrong.
            Err(_) if !self.faults.is_empty() || !self.missing.is_empty() => return,
            Err(failure) => {
                self.faults.push(self.reporter.sizes(variable, &failure));
                return;
            }
        };
        // The first scalar of what the indexes name, in the row-major order of the file.
        let element = entry.value.as_ref().ok().and_then(|value| {
            let indexes = violation
                .indexes
                .iter()
                .copied()
                .chain(std::iter::repeat(1));
            let row_major = |at: usize, (index, size): (usize, &usize)| at * size + index - 1;
            let named = !violation.indexes.is_empty();
            named.then(|| indexes.zip(&value.dims).fold(0, row_major))
        });
        let place = match (&entry.value, element) {
            (Ok(value), Some(element)) => Place::Element(value, element),
            (Ok(value), None) => Place::Value(value),
            (Err(_), _) => Place::Nowhere,
        };
        let fault = self.reporter.constraint(variable, &violation, place);
        self.faults.push(fault);
    }
}
