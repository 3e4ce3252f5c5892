//! Covariates whose labels the model defines: `X[i, p]` over {1, z} where `z[i] = …` is put together in transformed data.

use super::build;
use super::context::{Auxiliary, Lowering};
use super::form::Value;
use crate::equation::plan::{Column, InputSource};
use crate::equation::tree::{Label, Level, Model, Name, NameId, Order, Role, SetKind};
use crate::syntax::ast;

/// Whether a column's values come from definitions, for some of its labels.
pub(super) fn is_assembled(model: &Model, column: NameId) -> bool {
    !defined_labels(model, column).is_empty()
}

/// The definitions that are labels of a column's last letter.
pub(super) fn defined_labels(model: &Model, column: NameId) -> Vec<NameId> {
    let declared = &model.names[column.0];
    if declared.role != Role::Data {
        return Vec::new();
    }
    let labels = labels(model, column).into_iter().flatten();
    let definition = |label: &Label| {
        let is_it = |name: &Name| {
            name.name == label.text
                && name.role == Role::Definition(Level::Data)
                && name.axes == declared.axes[..1]
        };
        model.names.iter().position(is_it).map(NameId)
    };
    labels.filter_map(definition).collect()
}

fn labels(model: &Model, column: NameId) -> Option<&[Label]> {
    let [_, last] = model.names[column.0].axes.as_slice() else {
        return None;
    };
    match &model.sets[last.0].kind {
        SetKind::Fixed(Order::Labels(labels)) => Some(labels),
        _ => None,
    }
}

impl Lowering<'_> {
    /// Whether a column is put together in transformed data.
    pub(super) fn is_assembled(&self, name: NameId) -> bool {
        is_assembled(self.model, name)
    }

    /// The transformed data that hold a column put together from others and from definitions.
    pub(super) fn assemble_covariates(&mut self, name: NameId) -> String {
        let called = self.called(name);
        let is_made = |auxiliary: &Auxiliary| auxiliary.names.contains(&called);
        if self.auxiliaries.iter().any(is_made) {
            return called;
        }
        let declared = self.name(name);
        let span = declared.span;
        let sizes = self.sizes(&declared.axes, span);
        let rows = sizes[0].clone();
        let form = self.form(name);
        let spec = super::declare::sized(form, sizes, ast::Bounds::None, span);
        let mut statements = vec![build::declare(spec, &called, None, span)];
        // The auxiliary is known before its parts are read: it is asked for once.
        self.auxiliaries.push(Auxiliary {
            statements: Vec::new(),
            names: vec![called.clone()],
        });
        let at = self.auxiliaries.len() - 1;
        for (place, label) in labels(self.model, name).into_iter().flatten().enumerate() {
            let value = match self.named(&label.text) {
                _ if label.is_constant => {
                    build::call("rep_vector", vec![build::int(1, span), rows.clone()], span)
                }
                Some(known) => {
                    let values = build::variable(self.read(known), span);
                    Value::new(values, self.form(known)).column().expr
                }
                None => build::variable(self.label_column(name, &label.text), span),
            };
            let column = ast::Index::Single(build::int(place as i64 + 1, span));
            let indices = vec![ast::Index::All, column];
            statements.push(build::assign(&called, indices, value, span));
        }
        self.auxiliaries[at].statements = statements;
        called
    }

    /// The column of a table that a label names, as a data variable of its own.
    fn label_column(&mut self, owner: NameId, label: &str) -> String {
        let declared = self.name(owner);
        let known = self.columns.iter().position(|column| column.name == label);
        let column = known.unwrap_or_else(|| {
            self.columns.push(Column {
                name: label.to_string(),
                over: declared.axes[..1].to_vec(),
                levels_of: None,
                is_integer: false,
                is_observed: false,
                can_impute: false,
                is_used_elsewhere: true,
                is_needed: true,
                span: declared.span,
            });
            self.columns.len() - 1
        });
        self.input(InputSource::Column(column), label, declared.span)
    }
}
