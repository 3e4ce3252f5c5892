//! Agreement with reference values: reads a file of points computed with CmdStan and says where a posterior differs.
//!
//! The reference files hold, per point, an unconstrained position, the log density there (constants dropped as `~`
//! drops them, Jacobian included), its gradient, and all parameters and transformed parameters. Agreement is norm-wise:
//! `|lp - ref| <= t max(1, |ref|)`, `max|g - ref| <= t max(1, max|ref|)`, and each value to `t max(1, |ref|)`,
//! where `t` is 1e-8 unless the reference itself carries a solver's error.

use hlm::kernels::random::ChainRng;
use hlm::mcmc::LogDensity;
use hlm::model::{BindOptions, Model, Posterior};
use hlm::session::Failure;
use serde_json::Value;
use std::collections::BTreeMap;
use std::path::Path;

/// What the reference is good for where it is exact.
const EXACT: f64 = 1e-8;
/// What it is good for where it carries the error of a differential equation solver.
const SOLVED: f64 = 1e-5;

/// A posterior's reference file.
pub struct Reference {
    pub model: String,
    #[allow(dead_code, reason = "tests/models keeps its data beside the reference")]
    pub data: String,
    pub columns: Vec<String>,
    pub points: Vec<Point>,
    /// Whether a parameter is a simplex. The reference's positions are then those of another transform (stick breaking),
    /// so the constrained values are what is shared, and the density is compared without its Jacobian.
    pub has_simplex: bool,
}

/// A point of a reference file.
pub struct Point {
    pub unconstrained: Vec<f64>,
    pub log_density: f64,
    pub gradient: Vec<f64>,
    pub values: Vec<f64>,
    /// Only in files with simplexes, and there only at some points.
    pub without_jacobian: Option<f64>,
}

/// Which of the two back ends computes the density.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BackEnd {
    Compiled,
    /// The slow, literal evaluator of the loop IR.
    Literal,
}

impl Reference {
    /// Reads a reference file.
    pub fn read(path: &Path) -> Result<Reference, String> {
        let text = std::fs::read_to_string(path)
            .map_err(|error| format!("{}: {error}", path.display()))?;
        let json: Value =
            serde_json::from_str(&text).map_err(|error| format!("{}: {error}", path.display()))?;
        Reference::from_json(&json)
            .ok_or_else(|| format!("{}: not a file of reference points", path.display()))
    }

    fn from_json(json: &Value) -> Option<Reference> {
        let text = |key: &str| Some(json.get(key)?.as_str()?.to_string());
        let columns = json.get("columns")?.as_array()?;
        Some(Reference {
            model: text("model")?,
            data: text("data")?,
            columns: (columns.iter())
                .map(|name| name.as_str().map(str::to_string))
                .collect::<Option<_>>()?,
            points: (json.get("points")?.as_array()?.iter())
                .map(Point::from_json)
                .collect::<Option<_>>()?,
            has_simplex: json.get("simplex").and_then(Value::as_bool) == Some(true),
        })
    }
}

impl Point {
    fn from_json(json: &Value) -> Option<Point> {
        let numbers = |key: &str| -> Option<Vec<f64>> {
            json.get(key)?
                .as_array()?
                .iter()
                .map(Value::as_f64)
                .collect()
        };
        Some(Point {
            unconstrained: numbers("unconstrained")?,
            log_density: json.get("log_density")?.as_f64()?,
            gradient: numbers("gradient")?,
            values: numbers("values")?,
            without_jacobian: json
                .get("log_density_without_jacobian")
                .and_then(Value::as_f64),
        })
    }
}

/// What the reference's point (counted from 1) is good for; `None` where it is too coarse to be held against anyone.
fn tolerance(model: &str, point: usize) -> Option<f64> {
    match (model, point) {
        ("lotka_volterra", _) | ("soil_incubation", 1) => None,
        ("sir", _) | ("soil_incubation", 2 | 3) => Some(SOLVED),
        _ => Some(EXACT),
    }
}

/// Reads, binds and compiles a program for a comparison with a reference.
pub fn posterior(
    name: &str,
    program: &str,
    data: &[u8],
    reference: &Reference,
) -> Result<Posterior, String> {
    let model = Model::from_text(name, program).map_err(|failure| first_line(&failure))?;
    let options = BindOptions {
        jacobian: !reference.has_simplex,
        ..BindOptions::default()
    };
    model
        .bind_json("data.json", data, &options)
        .map_err(|failure| first_line(&failure))
}

/// The first finding and its place, on one line.
fn first_line(failure: &Failure) -> String {
    let rendered = failure.render(false);
    let mut lines = rendered.lines().map(str::trim);
    let title = lines.next().unwrap_or("no message");
    match lines.next().and_then(|line| line.strip_prefix("┌─ ")) {
        Some(place) => format!("{title} ({place})"),
        None => title.to_string(),
    }
}

/// Every way in which a posterior differs from the reference: none is what one wants.
pub fn differences(posterior: &Posterior, reference: &Reference, back_end: BackEnd) -> Vec<String> {
    let columns: Vec<&str> = (posterior.transformed_columns().iter())
        .map(|column| column.name.as_str())
        .collect();
    if let Some(difference) = differing_columns(&columns, &reference.columns) {
        return vec![difference];
    }
    let mut density: Box<dyn LogDensity + '_> = match back_end {
        BackEnd::Compiled => Box::new(posterior.density()),
        BackEnd::Literal => Box::new(posterior.literal_density()),
    };
    let mut differences = Vec::new();
    for (index, point) in reference.points.iter().enumerate() {
        let Some(tolerance) = tolerance(&reference.model, index + 1) else {
            continue;
        };
        let comparison = if reference.has_simplex {
            compare_constrained(posterior, density.as_mut(), reference, point, tolerance)
        } else {
            compare_unconstrained(posterior, density.as_mut(), reference, point, tolerance)
        };
        if let Err(difference) = comparison {
            differences.push(format!("point {}: {difference}", index + 1));
        }
    }
    differences
}

fn differing_columns(ours: &[&str], theirs: &[String]) -> Option<String> {
    if ours.len() != theirs.len() {
        let counts = (ours.len(), theirs.len());
        return Some(format!("{} columns instead of {}", counts.0, counts.1));
    }
    let differing = ours.iter().zip(theirs).find(|(our, their)| *our != their)?;
    Some(format!("column {} instead of {}", differing.0, differing.1))
}

fn compare_unconstrained(
    posterior: &Posterior,
    density: &mut dyn LogDensity,
    reference: &Reference,
    point: &Point,
    tolerance: f64,
) -> Result<(), String> {
    let dimension = density.dimension();
    if dimension != point.unconstrained.len() {
        let expected = point.unconstrained.len();
        return Err(format!(
            "{dimension} unconstrained parameters instead of {expected}"
        ));
    }
    let mut gradient = vec![f64::NAN; dimension];
    let log_density = density
        .log_density_gradient(&point.unconstrained, &mut gradient)
        .map_err(|error| error.to_string())?;
    compare_number("log density", log_density, point.log_density, tolerance)?;
    compare_gradient(&gradient, &point.gradient, tolerance)?;
    compare_values(posterior, reference, &point.unconstrained, point, tolerance)
}

fn compare_constrained(
    posterior: &Posterior,
    density: &mut dyn LogDensity,
    reference: &Reference,
    point: &Point,
    tolerance: f64,
) -> Result<(), String> {
    let by_name: BTreeMap<&str, f64> = (reference.columns.iter().map(String::as_str))
        .zip(point.values.iter().copied())
        .collect();
    let position = posterior.unconstrain(&|name| by_name.get(name).copied())?;
    compare_values(posterior, reference, &position, point, tolerance)?;
    let Some(expected) = point.without_jacobian else {
        return Ok(());
    };
    let mut gradient = vec![f64::NAN; density.dimension()];
    let log_density = density
        .log_density_gradient(&position, &mut gradient)
        .map_err(|error| error.to_string())?;
    compare_number(
        "log density without Jacobian",
        log_density,
        expected,
        tolerance,
    )
}

fn compare_number(what: &str, ours: f64, theirs: f64, tolerance: f64) -> Result<(), String> {
    // Written so that a NaN of ours differs from everything.
    if (ours - theirs).abs() <= tolerance * theirs.abs().max(1.0) {
        Ok(())
    } else {
        Err(format!("{what} {ours:e} instead of {theirs:e}"))
    }
}

fn compare_gradient(ours: &[f64], theirs: &[f64], tolerance: f64) -> Result<(), String> {
    let scale = theirs.iter().fold(1.0f64, |scale, g| scale.max(g.abs()));
    let agrees = |(our, their): (&f64, &f64)| (our - their).abs() <= tolerance * scale;
    match ours.iter().zip(theirs).position(|pair| !agrees(pair)) {
        None => Ok(()),
        Some(place) => Err(format!(
            "gradient with respect to unconstrained parameter {} is {:e} instead of {:e} (norm {scale:e})",
            place + 1,
            ours[place],
            theirs[place]
        )),
    }
}

fn compare_values(
    posterior: &Posterior,
    reference: &Reference,
    position: &[f64],
    point: &Point,
    tolerance: f64,
) -> Result<(), String> {
    let mut transformer = posterior.transformer();
    let mut values = vec![f64::NAN; transformer.width()];
    transformer
        .values(position, &mut ChainRng::new(0, 0, 0), &mut values)
        .map_err(|stop| stop.to_string())?;
    for ((name, ours), theirs) in reference.columns.iter().zip(&values).zip(&point.values) {
        compare_number(name, *ours, *theirs, tolerance)?;
    }
    Ok(())
}
