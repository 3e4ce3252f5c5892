//! A model whose data block is filled: between binding and compiling, which take their own time and fail on their own.

use super::{BindOptions, Model, Posterior, data_json};
use crate::bind::{Bound, DataFile};
use crate::interp::Value;
use crate::session::{self, Failure};
use crate::tables::{self, Sources, Tabled};

/// A model with its data, not compiled yet.
#[derive(Debug)]
pub struct Filled {
    /// The model: the one that was asked, or what missing values made of it.
    model: Model,
    bound: Bound,
    tabled: Option<Tabled>,
}

impl Model {
    /// The first half of [`Model::bind`]: fills the data block and runs transformed data. Of a model in equation form the
    /// file holds columns by their names, and levels as integers from 1.
    ///
    /// # Errors
    /// Everything that is wrong with the data.
    pub fn fill(&self, file: &DataFile<'_>, options: &BindOptions) -> Result<Filled, Failure> {
        if self.program.equations.is_none() {
            return Ok(Filled {
                model: self.clone(),
                bound: session::bind(&self.program, file, options.seed)?,
                tabled: None,
            });
        }
        let mut sources = Sources::new(&self.program.sources);
        let added = match file.text.is_empty() {
            true => sources.add_json(file.name, data_json::write_data_json(file.data).as_bytes()),
            false => sources.add_json(file.name, file.text),
        };
        added.map_err(|fault| Failure {
            sources: sources.texts.clone(),
            diagnostics: vec![*fault],
        })?;
        self.fill_tables(&sources, &tables::Options::default(), options)
    }

    /// [`Model::fill`] from tables and named values, of a model in equation form.
    ///
    /// # Errors
    /// Everything that is wrong with the data.
    pub fn fill_tables(
        &self,
        sources: &Sources,
        missing: &tables::Options,
        options: &BindOptions,
    ) -> Result<Filled, Failure> {
        let (model, mut tabled) = self.tabulate(sources, missing)?;
        let bound = model.fill_tabled(&tabled, options)?;
        if let Some(equations) = &model.program.equations {
            let typed = &model.program.typed;
            let end = |name: &str| {
                let place = typed
                    .variables
                    .iter()
                    .position(|variable| variable.name == name)?;
                match bound.values.get(place)? {
                    Some(Value::Int(value)) => Some(*value),
                    _ => None,
                }
            };
            tabled.settle(&equations.plan, &end);
        }
        Ok(Filled {
            model,
            bound,
            tabled: Some(tabled),
        })
    }

    /// Binds tables and named values to a model in equation form, and compiles.
    ///
    /// # Errors
    /// Everything that is wrong with the data, or what cannot be compiled.
    pub fn bind_tables(
        &self,
        sources: &Sources,
        missing: &tables::Options,
        options: &BindOptions,
    ) -> Result<Posterior, Failure> {
        self.fill_tables(sources, missing, options)?
            .compile(options)
    }
}

impl Filled {
    /// The model: the one that was asked, or what missing values made of it.
    pub fn model(&self) -> &Model {
        &self.model
    }

    /// What the user should know about the data: rows left out, rows not used.
    pub fn notes(&self) -> &[String] {
        self.tabled.as_ref().map_or(&[], |tabled| &tabled.notes)
    }

    /// The second half of [`Model::bind`]: compiles for these data.
    ///
    /// # Errors
    /// What cannot be compiled.
    pub fn compile(self, options: &BindOptions) -> Result<Posterior, Failure> {
        let mut posterior = self.model.compile(self.bound, options)?;
        let equations = &self.model.program.equations;
        if let (Some(tabled), Some(equations)) = (self.tabled, equations) {
            posterior.labelling = tabled.labelling(&equations.plan).into();
            posterior.sets = tabled.sets();
        }
        Ok(posterior)
    }
}
