//! The calculator at the prompt: expressions of the language, variables and functions that stay.

use std::collections::hash_map::RandomState;
use std::hash::BuildHasher;

use hlm::check::{self, CheckOptions, CheckedExpr, Visible};
use hlm::diag::{Code, Diagnostic};
use hlm::interp::{Container, Effects, Interpreter, Value, display_value};
use hlm::io::data_json::{Data, DataKind};
use hlm::kernels::random::ChainRng;
use hlm::session::{self, Failure};
use hlm::source::{SourceId, SourceMap, Span};
use hlm::syntax::{self, NoIncludes, ast};
use hlm::types::Ty;

/// The purpose of the prompt's random numbers.
const PROMPT: u32 = 3;

/// A variable and its value.
struct Variable {
    visible: Visible,
    value: Value,
}

/// Variables, functions and texts so far.
pub struct Calculator {
    /// The library's texts, and all input so far.
    sources: SourceMap,
    inputs: usize,
    variables: Vec<Variable>,
    functions: Vec<ast::FunctionDef>,
    random: ChainRng,
}

impl Calculator {
    /// A calculator without definitions.
    pub fn new() -> Calculator {
        Calculator {
            sources: match session::library() {
                Ok((sources, _)) => sources.clone(),
                Err(_) => SourceMap::new(),
            },
            inputs: 0,
            variables: Vec::new(),
            functions: Vec::new(),
            random: ChainRng::new(RandomState::new().hash_one("prompt"), 0, PROMPT),
        }
    }

    /// Starts random numbers afresh.
    pub fn seed(&mut self, seed: u64) {
        self.random = ChainRng::new(seed, 0, PROMPT);
    }

    /// Defines the variables of a data file, as arrays and numbers; says what they are.
    pub fn take_data(&mut self, data: &Data) -> String {
        let mut names = Vec::new();
        for entry in data.entries() {
            let Ok(value) = &entry.value else { continue };
            let dims = value.dims.clone();
            let value = match (&value.kind, dims.as_slice()) {
                (DataKind::Int(values), []) => Value::Int(values[0]),
                (DataKind::Real(values), []) => Value::Real(values[0]),
                (DataKind::Int(values), _) => Value::Container(Container::ints(
                    Ty::Int.array_of(dims.len()),
                    dims,
                    values.clone(),
                )),
                (DataKind::Real(values), _) => Value::Container(Container::reals(
                    Ty::Real.array_of(dims.len()),
                    dims,
                    values.clone(),
                )),
                (DataKind::Tuple(_), _) => continue,
            };
            names.push(format!("{} : {}\n", entry.name, spell(&value.ty(), &value)));
            self.define(entry.name.clone(), value.ty(), value);
        }
        names.concat()
    }

    /// What is defined, a line each.
    pub fn listing(&self) -> String {
        let mut text = String::new();
        for Variable { visible, value } in &self.variables {
            text.push_str(&format!(
                "{} : {}\n",
                visible.name,
                spell(&visible.ty, value)
            ));
        }
        for function in &self.functions {
            text.push_str(&format!("{}()\n", function.name.name));
        }
        text
    }

    /// Gives a name the value of an expression; what to say about it.
    pub fn evaluate_and_define(&mut self, name: &str, expression: &str) -> Result<String, Failure> {
        let (ty, value, printed) = self.evaluate(expression)?;
        let shown = format!(
            "{printed}{name} = {} : {}\n",
            display_value(&value),
            spell(&ty, &value)
        );
        self.define(name.to_string(), ty, value);
        Ok(shown)
    }

    /// Gives a name a value.
    pub fn define(&mut self, name: String, ty: Ty, value: Value) {
        self.variables
            .retain(|variable| variable.visible.name != name);
        self.variables.push(Variable {
            visible: Visible { name, ty },
            value,
        });
    }

    /// Defines functions, in place of those of the same name and types.
    pub fn define_function(&mut self, text: &str) -> Result<String, Failure> {
        let source = self.add(text);
        let parsed = syntax::parse_functions(&mut self.sources, source, &mut NoIncludes);
        let new = parsed.map_err(|diagnostics| self.failure(diagnostics))?;
        let same = |old: &ast::FunctionDef, new: &ast::FunctionDef| {
            let types = |function: &ast::FunctionDef| -> Vec<String> {
                let parameters = function.parameters.iter();
                parameters
                    .map(|parameter| syntax::format_unsized_type(&parameter.parameter_type))
                    .collect()
            };
            old.name.name == new.name.name && types(old) == types(new)
        };
        let mut functions = self.functions.clone();
        functions.retain(|old| !new.iter().any(|new| same(old, new)));
        functions.extend(new);
        let before = std::mem::replace(&mut self.functions, functions);
        if let Err(failure) = self.check_functions() {
            self.functions = before;
            return Err(failure);
        }
        Ok(String::new())
    }

    /// Checks the bodies of all functions, as those of a program without other blocks.
    fn check_functions(&self) -> Result<(), Failure> {
        let (_, library) = session::library()?;
        let program = ast::Program {
            functions: self.function_block(),
            data: None,
            transformed_data: None,
            parameters: None,
            transformed_parameters: None,
            model: None,
            generated_quantities: None,
        };
        match check::check(&program, library, &CheckOptions::default()) {
            Ok(_) => Ok(()),
            Err(diagnostics) => Err(self.failure(diagnostics)),
        }
    }

    fn function_block(&self) -> Option<ast::Block<ast::FunctionDef>> {
        (!self.functions.is_empty()).then(|| ast::Block {
            items: self.functions.clone(),
            span: Span::default(),
        })
    }

    /// Type, value, and what functions printed on the way, of an expression given as text.
    fn evaluate(&mut self, text: &str) -> Result<(Ty, Value, String), Failure> {
        let expr = self.parse(text)?;
        self.value(&expr)
    }

    /// Type, value, and what functions printed on the way.
    pub fn value(&mut self, expr: &ast::Expr) -> Result<(Ty, Value, String), Failure> {
        if let Some(text) = first_text(expr) {
            return Err(self.failure(vec![Diagnostic::error(
                Code::UnexpectedToken,
                "text has no value",
                text.span,
                "a label stands in the brackets of a variable of the model",
            )]));
        }
        let checked = self.check(expr, &[])?;
        let mut values: Vec<Option<Value>> = vec![None; checked.program.variables.len()];
        for (place, value) in values.iter_mut().zip(self.values()) {
            *place = Some(value.clone());
        }
        let mut printed = String::new();
        let mut print = |line: &str| {
            printed.push_str(line);
            printed.push('\n');
        };
        let effects = Effects {
            rng: Some(&mut self.random),
            print: Some(&mut print),
        };
        let outcome = Interpreter::new(&checked.program).evaluate(&checked.expr, &values, effects);
        match outcome {
            Ok(value) => Ok((checked.expr.ty, value, printed)),
            Err(failure) => Err(self.no_value(&failure)),
        }
    }

    /// The syntax tree of an expression.
    pub fn parse(&mut self, text: &str) -> Result<ast::Expr, Failure> {
        let source = self.add(text);
        let parsed = syntax::parse_labelled_expression(&self.sources, source);
        parsed.map_err(|diagnostics| self.failure(diagnostics))
    }

    /// Checks an expression in which the calculator's variables are visible, and others behind them, which hide those of
    /// the same name.
    pub fn check(&self, expr: &ast::Expr, others: &[Visible]) -> Result<CheckedExpr, Failure> {
        let (_, library) = session::library()?;
        let hidden = |name: &str| others.iter().any(|other| other.name == name);
        let own = self.variables.iter().map(|variable| Visible {
            // No expression can spell this name.
            name: match hidden(&variable.visible.name) {
                true => format!("{} (hidden)", variable.visible.name),
                false => variable.visible.name.clone(),
            },
            ty: variable.visible.ty.clone(),
        });
        let visible: Vec<Visible> = own.chain(others.iter().cloned()).collect();
        check::check_expression(expr, &visible, &self.function_block(), library)
            .map_err(|diagnostics| self.failure(diagnostics))
    }

    /// The values of the variables, in the order in which [`check`](Calculator::check) makes them visible.
    pub fn values(&self) -> impl Iterator<Item = &Value> {
        self.variables.iter().map(|variable| &variable.value)
    }

    /// The functions, as a program holds them.
    pub fn functions(&self) -> &[ast::FunctionDef] {
        &self.functions
    }

    /// The names of variables and functions.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        let variables = self
            .variables
            .iter()
            .map(|variable| variable.visible.name.as_str());
        variables.chain(
            self.functions
                .iter()
                .map(|function| function.name.name.as_str()),
        )
    }

    /// Why an evaluation ended without a value.
    pub fn no_value(&self, failure: &hlm::interp::Failure) -> Failure {
        self.failure(vec![Diagnostic::error(
            Code::EvaluationFailed,
            failure.message(),
            failure.span(),
            "",
        )])
    }

    /// Texts that a message can point into, with one more.
    pub fn sources_with(&mut self, text: &str) -> (&mut SourceMap, SourceId) {
        let source = self.add(text);
        (&mut self.sources, source)
    }

    fn add(&mut self, text: &str) -> SourceId {
        self.inputs += 1;
        self.sources.add(format!("input {}", self.inputs), text)
    }

    /// Findings about texts that were entered.
    pub fn failure(&self, diagnostics: Vec<Diagnostic>) -> Failure {
        Failure {
            sources: self.sources.clone(),
            diagnostics,
        }
    }
}

/// The first text in an expression.
fn first_text(expr: &ast::Expr) -> Option<&ast::Expr> {
    match &expr.kind {
        ast::ExprKind::Text(_) => Some(expr),
        _ => expr.parts().into_iter().find_map(first_text),
    }
}

/// A value's type with its sizes: `array[2] vector[3]`.
pub fn spell(ty: &Ty, value: &Value) -> String {
    let Value::Container(container) = value else {
        return ty.to_string();
    };
    let (depth, inner) = container.ty.array_parts();
    let sizes = |dims: &[usize]| {
        let dims: Vec<String> = dims.iter().map(usize::to_string).collect();
        dims.join(",")
    };
    let (outer, own) = container.dims.split_at(depth);
    let mut text = String::new();
    if depth > 0 {
        text = format!("array[{}] ", sizes(outer));
    }
    text.push_str(&inner.to_string());
    if !own.is_empty() {
        text.push_str(&format!("[{}]", sizes(own)));
    }
    text
}
