//! `hlm log-density`: log density, gradient and values at given points, for comparisons with other programs.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::ExitCode;

use serde_json::Value;

use crate::args::LogDensityArgs;
use crate::fault::Fault;
use crate::files::{DataSource, read_bytes};
use crate::screen;
use hlm::check::CheckOptions;
use hlm::interp::{Failure, Interpreter};
use hlm::io::data_json::write_json_number;
use hlm::kernels::random::ChainRng;
use hlm::loops::Stop;
use hlm::mcmc::{DensityError, LogDensity};
use hlm::model::{BindOptions, Posterior};

/// Runs the command.
///
/// # Errors
/// A program, data or points that cannot be used, or a point at which the program fails for good.
pub fn log_density(args: &LogDensityArgs) -> Result<ExitCode, Fault> {
    let options = CheckOptions {
        keep_constants: args.full,
    };
    let data = DataSource::read(&args.data)?;
    let model = data.read_model(&args.model, &options)?;
    let options = BindOptions {
        jacobian: !args.no_jacobian,
        ..BindOptions::default()
    };
    let posterior = data.bind(&model, &options)?;
    let positions = Points::read(&args.points)?.positions(&posterior, args.constrained)?;

    let names: Vec<&str> = posterior
        .transformed_columns()
        .iter()
        .map(|column| column.name.as_str())
        .collect();
    screen::print(&format!("{}\n", serde_json::json!({"columns": names})))?;
    let mut evaluate: Evaluate<'_> = if args.interpreter {
        Box::new(interpreted(&posterior, options.jacobian))
    } else {
        Box::new(compiled(&posterior))
    };
    let mut all_is_well = true;
    for position in positions {
        let outcome = evaluate(&position);
        all_is_well &= !outcome.is_fatal;
        screen::print(&outcome.to_json())?;
    }
    Ok(match all_is_well {
        true => ExitCode::SUCCESS,
        false => ExitCode::FAILURE,
    })
}

/// Evaluates a point.
type Evaluate<'p> = Box<dyn FnMut(&[f64]) -> Outcome + 'p>;

/// What there is to say about one point.
struct Outcome {
    log_density: f64,
    gradient: Vec<f64>,
    values: Vec<f64>,
    /// Why the density is zero here, or why it has no value.
    reason: Option<String>,
    /// Whether the program is wrong, rather than the point outside of the support.
    is_fatal: bool,
}

impl Outcome {
    /// A line of JSON, with `reason` only where there is one.
    fn to_json(&self) -> String {
        let mut line = String::from("{\"log_density\": ");
        write_json_number(self.log_density, &mut line);
        push_numbers("gradient", &self.gradient, &mut line);
        push_numbers("values", &self.values, &mut line);
        if let Some(reason) = &self.reason {
            line.push_str(&format!(", \"reason\": {}", Value::from(reason.as_str())));
        }
        line.push_str("}\n");
        line
    }

    /// The outcome of an evaluation that may have failed.
    fn new(
        density: Result<f64, Trouble>,
        gradient: Vec<f64>,
        values: Result<Vec<f64>, (Vec<f64>, String)>,
    ) -> Outcome {
        let width = gradient.len();
        let (values, values_reason) = match values {
            Ok(values) => (values, None),
            Err((values, reason)) => (values, Some(reason)),
        };
        let failed = |log_density, reason, is_fatal| Outcome {
            log_density,
            gradient: vec![f64::NAN; width],
            values: values.clone(),
            reason: Some(reason),
            is_fatal,
        };
        match density {
            Err(Trouble::Rejected(reason)) => failed(f64::NEG_INFINITY, reason, false),
            Err(Trouble::Fatal(reason)) => failed(f64::NAN, reason, true),
            Ok(log_density) => Outcome {
                log_density,
                gradient,
                values,
                reason: values_reason,
                is_fatal: false,
            },
        }
    }
}

/// Why a density has no finite value.
enum Trouble {
    /// It is zero or undefined here.
    Rejected(String),
    /// The program is wrong.
    Fatal(String),
}

fn push_numbers(key: &str, numbers: &[f64], line: &mut String) {
    line.push_str(&format!(", \"{key}\": ["));
    for (place, number) in numbers.iter().enumerate() {
        if place > 0 {
            line.push_str(", ");
        }
        write_json_number(*number, line);
    }
    line.push(']');
}

/// Evaluates by machine code.
fn compiled(posterior: &Posterior) -> impl FnMut(&[f64]) -> Outcome {
    let mut density = posterior.density();
    let mut drawer = posterior.transformer();
    let place = describer(posterior);
    move |position| {
        let mut gradient = vec![0.0; posterior.dimension()];
        let value = density.log_density_gradient(position, &mut gradient);
        let mut values = vec![f64::NAN; drawer.width()];
        // Parameters and transformed parameters draw no random numbers.
        let mut unused = ChainRng::new(0, 0, 0);
        let drawn = drawer.values(position, &mut unused, &mut values);
        let values = match drawn {
            Ok(()) => Ok(values),
            Err(stop) => Err((values, place(&stop))),
        };
        Outcome::new(
            value.map_err(|error| trouble(error, &place)),
            gradient,
            values,
        )
    }
}

/// Evaluates the log density and the values by the interpreter of the typed program, and the gradient by that of the
/// loops: nothing is shared with machine code but the gradient's derivation.
fn interpreted(posterior: &Posterior, jacobian: bool) -> impl FnMut(&[f64]) -> Outcome {
    let interpreter = Interpreter::new(&posterior.model().program().typed);
    let mut literal = posterior.literal_density();
    let place = describer(posterior);
    move |position| {
        let mut gradient = vec![0.0; posterior.dimension()];
        let by_loops = literal.log_density_gradient(position, &mut gradient);
        let value = interpreter
            .log_density(posterior.values(), position, jacobian)
            .map_err(|failure| {
                let sentence = place(&stop(&failure));
                match failure {
                    Failure::Rejected { .. } => Trouble::Rejected(sentence),
                    Failure::Fatal { .. } => Trouble::Fatal(sentence),
                }
            });
        let value = value.and_then(|value| match by_loops {
            Ok(_) => Ok(value),
            Err(error) => Err(trouble(error, &place)),
        });
        let values = match interpreter.constrain(posterior.values(), position) {
            Ok(named) => Ok(named
                .iter()
                .flat_map(|named| named.value.output_reals())
                .collect()),
            Err(failure) => {
                let width = posterior.transformed_columns().len();
                Err((vec![f64::NAN; width], place(&stop(&failure))))
            }
        };
        Outcome::new(value, gradient, values)
    }
}

fn stop(failure: &Failure) -> Stop {
    Stop {
        span: failure.span(),
        ..Stop::internal(failure.message())
    }
}

fn trouble(error: DensityError, place: &dyn Fn(&Stop) -> String) -> Trouble {
    let sentence = |cause: &hlm::mcmc::Cause| match cause.downcast_ref::<Stop>() {
        Some(stop) => place(stop),
        None => cause.to_string(),
    };
    match error {
        DensityError::Rejected(cause) => Trouble::Rejected(sentence(&cause)),
        DensityError::Fatal(cause) => Trouble::Fatal(sentence(&cause)),
    }
}

/// Makes a sentence of a failure: `model.hlm:12:5: …`.
fn describer(posterior: &Posterior) -> impl Fn(&Stop) -> String {
    move |stop| {
        if stop.span == hlm::source::Span::default() {
            return stop.text.clone();
        }
        let sources = &posterior.model().program().sources;
        let place = sources.line_column(stop.span.source, stop.span.start);
        let name = sources.name(stop.span.source);
        format!("{name}:{}:{}: {}", place.line, place.column, stop.text)
    }
}

/// The file of points.
struct Points {
    shown: String,
    content: Value,
}

impl Points {
    fn read(path: &Path) -> Result<Points, Fault> {
        let bytes = read_bytes(path, "file of points")?;
        let shown = path.display().to_string();
        let content = serde_json::from_slice(&bytes)
            .map_err(|error| Fault::new(format!("{shown} is not valid JSON: {error}")))?;
        Ok(Points { shown, content })
    }

    /// Every point's unconstrained position.
    fn positions(&self, posterior: &Posterior, constrained: bool) -> Result<Vec<Vec<f64>>, Fault> {
        let Some(points) = self.content["points"].as_array() else {
            return Err(self.fault("has no list `points`"));
        };
        let position = |(number, point): (usize, &Value)| {
            if constrained {
                self.unconstrain(posterior, number, point)
            } else {
                self.given(posterior, number, point)
            }
        };
        (1..).zip(points).map(position).collect()
    }

    fn given(
        &self,
        posterior: &Posterior,
        number: usize,
        point: &Value,
    ) -> Result<Vec<f64>, Fault> {
        let position = self.numbers(number, point, "unconstrained")?;
        let expected = posterior.dimension();
        if position.len() != expected {
            return Err(self.fault(&format!(
                "point {number} has {} unconstrained numbers, but the model has {expected} parameters",
                position.len()
            )));
        }
        Ok(position)
    }

    /// The position of a point's parameter values, which are found by the names of the columns.
    fn unconstrain(
        &self,
        posterior: &Posterior,
        number: usize,
        point: &Value,
    ) -> Result<Vec<f64>, Fault> {
        let Some(columns) = self.content["columns"].as_array() else {
            return Err(self.fault("has no list `columns`, which names the values"));
        };
        let values = self.numbers(number, point, "values")?;
        if values.len() != columns.len() {
            return Err(self.fault(&format!(
                "point {number} has {} values for {} columns",
                values.len(),
                columns.len()
            )));
        }
        let names = columns.iter().map(|name| name.as_str().unwrap_or_default());
        let values: BTreeMap<&str, f64> = names.zip(values).collect();
        posterior
            .unconstrain(&|name| values.get(name).copied())
            .map_err(|reason| self.fault(&format!("point {number}: {reason}")))
    }

    fn numbers(&self, number: usize, point: &Value, key: &str) -> Result<Vec<f64>, Fault> {
        let Some(values) = point[key].as_array() else {
            return Err(self.fault(&format!("point {number} has no list `{key}`")));
        };
        let values = values.iter().map(|value| match value {
            Value::String(text) => match text.to_lowercase().trim_start_matches('+') {
                "inf" | "infinity" => Some(f64::INFINITY),
                "-inf" | "-infinity" => Some(f64::NEG_INFINITY),
                "nan" => Some(f64::NAN),
                _ => None,
            },
            value => value.as_f64(),
        });
        values.collect::<Option<_>>().ok_or_else(|| {
            self.fault(&format!(
                "point {number} has something in `{key}` that is no number"
            ))
        })
    }

    fn fault(&self, what: &str) -> Fault {
        Fault::new(format!("{} {what}", self.shown))
    }
}
