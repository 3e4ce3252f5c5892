//! What `run.json` says of a model in equation form: its index sets with their labels, and what its variables range over.

use std::sync::Arc;

use serde_json::{Map, Value, json};

use crate::equation::plan::{Plan, SetKind};
use crate::interp::{Container, Value as Computed};
use crate::model::Posterior;
use crate::summary::{Labelling, Labels};
use crate::types::Ty;

/// Adds what a plan says to the description of a run:
/// - `sets`: each index set with its `letters`, its `kind` (`rows`, `levels`, `fixed`, `combinations`), its `size` and, but
///   for elements called 1, 2, …, its `labels`;
/// - `variables`: by name, the places of the `sets` that its dimensions range over, and whether it is `saved` by default;
/// - `frozen`: by name, the values of reductions over the data, which predictions take from the fit: a number, or nested
///   arrays as in Stan's JSON;
/// - `observed`: each observed statement's `outcome`, the places of its `sets`, and the names of its `replicate` and
///   `log_lik`.
pub(super) fn describe_plan(plan: &Plan, posterior: &Posterior, description: &mut Value) {
    let sets = plan.sets.iter().zip(posterior.sets()).map(|(set, fitted)| {
        let labels = &fitted.labels;
        let mut object = json!({
            "letters": set.letters,
            "kind": match set.kind {
                SetKind::Rows => "rows",
                SetKind::Levels { .. } => "levels",
                SetKind::Fixed(_) => "fixed",
                SetKind::Combinations { .. } => "combinations",
            },
            "size": labels.len(),
        });
        if let Labels::Listed(labels) = &**labels {
            object["labels"] = json!(labels);
        }
        object
    });
    description["sets"] = sets.collect();
    let places = |over: &[crate::equation::plan::SetId]| -> Vec<usize> {
        over.iter().map(|set| set.0).collect()
    };
    let variables = plan.outputs.iter().map(|output| {
        let object = json!({"sets": places(&output.over), "saved": output.is_saved});
        (output.name.clone(), object)
    });
    description["variables"] = Value::Object(variables.collect());
    description["frozen"] = frozen(&plan.frozen, posterior);
    let observed = plan.observed.iter().map(|observed| {
        json!({
            "outcome": observed.outcome,
            "sets": places(&observed.over),
            "replicate": observed.replicate,
            "log_lik": observed.log_lik,
        })
    });
    description["observed"] = observed.collect();
}

/// The values of variables of transformed data.
fn frozen(names: &[String], posterior: &Posterior) -> Value {
    let typed = &posterior.model().program().typed;
    let mut values = Map::new();
    for name in names {
        let place = (typed.variables.iter()).position(|variable| variable.name == *name);
        let value = place.and_then(|place| posterior.values().get(place)?.as_ref());
        if let Some(value) = value {
            values.insert(name.clone(), number(value));
        }
    }
    Value::Object(values)
}

/// A value as Stan's JSON has it.
fn number(value: &Computed) -> Value {
    match value {
        Computed::Int(value) => json!(value),
        Computed::Real(value) => real(*value),
        Computed::Container(container) => nested(container, 0, 0),
        Computed::Tuple(parts) => parts.iter().map(number).collect(),
    }
}

/// A number, or the word for what JSON has no number for.
fn real(value: f64) -> Value {
    match (value.is_finite(), value.is_nan()) {
        (true, _) => json!(value),
        (_, true) => json!("NaN"),
        _ if value > 0.0 => json!("Infinity"),
        _ => json!("-Infinity"),
    }
}

/// The part of a container behind the first `depth` indexes, which lead to `start`.
fn nested(container: &Container, depth: usize, start: usize) -> Value {
    let dims = &container.dims;
    let Some(&size) = dims.get(depth) else {
        return real(container.scalars.get(start).as_real());
    };
    let is_matrix = matches!(container.ty.array_parts().1, Ty::Matrix);
    // Within a matrix the first index varies fastest, elsewhere the last.
    let stride = match dims.len() - depth {
        2 if is_matrix => 1,
        1 if is_matrix => dims[depth - 1],
        _ => dims[depth + 1..].iter().product(),
    };
    (0..size)
        .map(|at| nested(container, depth + 1, start + at * stride))
        .collect()
}

/// The labels of a run's variables, as its `run.json` has them; none of a program in block form.
pub fn labelling_of(description: &Value) -> Labelling {
    let empty = Vec::new();
    let sets = description["sets"].as_array().unwrap_or(&empty);
    let sets: Vec<Arc<Labels>> = sets.iter().map(|set| Arc::new(labels_of(set))).collect();
    let mut labelling = Labelling::default();
    for (name, variable) in description["variables"].as_object().into_iter().flatten() {
        let places = variable["sets"].as_array().unwrap_or(&empty);
        let dimension = |place: &Value| sets.get(place.as_u64()? as usize).cloned();
        if let Some(dimensions) = places.iter().map(dimension).collect() {
            labelling.set(name, dimensions);
        }
    }
    labelling
}

fn labels_of(set: &Value) -> Labels {
    match set["labels"].as_array() {
        Some(labels) => {
            let label = |label: &Value| label.as_str().unwrap_or_default().to_string();
            Labels::Listed(labels.iter().map(label).collect())
        }
        None => Labels::Count(set["size"].as_u64().unwrap_or(0) as usize),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_are_read_back() {
        let description = json!({
            "sets": [{"size": 3}, {"size": 2, "labels": ["DE", "US"]}],
            "variables": {"d": {"sets": [1, 0]}, "sigma": {"sets": []}, "broken": {"sets": [7]}},
        });
        let labelling = labelling_of(&description);
        assert_eq!(labelling.name("d.2.3").as_deref(), Some("d[US, 3]"));
        assert_eq!(labelling.name("sigma"), None);
        assert_eq!(labelling.name("broken.1"), None);
        assert!(labelling_of(&json!({"columns": []})).is_empty());
    }

    #[test]
    fn values_nest_as_in_json() {
        let matrix = Container {
            ty: Ty::Matrix,
            dims: vec![2, 3],
            scalars: crate::interp::Scalars::Real(vec![1.0, 4.0, 2.0, 5.0, 3.0, f64::NAN].into()),
        };
        let expected = json!([[1.0, 2.0, 3.0], [4.0, 5.0, "NaN"]]);
        assert_eq!(number(&Computed::Container(matrix)), expected);
    }
}
