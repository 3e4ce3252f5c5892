//! Draws in memory: one table a chain, column by column.

use std::fmt;
use std::sync::Arc;

use crate::model::Column;
use crate::summary::{
    ChainStatistics, Labelling, NamePattern, SamplingWarning, Summary, display_name,
    sampling_warnings, summarise_labelled,
};

/// Probabilities of the quantiles that a summary gives.
const PROBABILITIES: [f64; 3] = [0.05, 0.5, 0.95];

/// What the sampler reports of a draw. The order is that of CmdStan's columns.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Statistic {
    /// `lp__`: the log density, up to a constant.
    LogDensity,
    /// `accept_stat__`: mean acceptance probability over the trajectory.
    AcceptStat,
    /// `stepsize__`: the leapfrog step size.
    StepSize,
    /// `treedepth__`: doublings of the trajectory.
    TreeDepth,
    /// `n_leapfrog__`: leapfrog steps of the trajectory.
    LeapfrogSteps,
    /// `divergent__`: 1 where the trajectory diverged, else 0.
    Divergent,
    /// `energy__`: the Hamiltonian.
    Energy,
}

/// How many [`Statistic`]s there are: the columns of a table before those of the variables.
pub(super) const STATISTICS: usize = 7;

/// The draws after warmup of one chain.
#[derive(Clone, Debug)]
pub struct ChainDraws {
    /// The chain's number.
    pub chain: u64,
    rows: usize,
    /// Rows that there is room for: the distance between columns.
    capacity: usize,
    /// Column by column, the statistics first.
    values: Vec<f64>,
}

impl ChainDraws {
    pub(super) fn new(chain: u64, columns: usize, capacity: usize) -> ChainDraws {
        ChainDraws {
            chain,
            rows: 0,
            capacity,
            // Zeroed memory comes from the system as it is touched, so an interrupted run has not paid for the rest.
            values: vec![0.0; (STATISTICS + columns) * capacity],
        }
    }

    /// Adds a row; the caller has seen to it that there is room.
    pub(super) fn push(&mut self, statistics: &[f64; STATISTICS], values: &[f64]) {
        let row = statistics.iter().chain(values);
        let places = self.values[self.rows..].iter_mut().step_by(self.capacity);
        for (place, value) in places.zip(row) {
            *place = *value;
        }
        self.rows += 1;
    }

    /// The number of draws.
    pub fn rows(&self) -> usize {
        self.rows
    }

    /// The draws of a column, by its place among [`Draws::columns`]. Panics beyond them.
    pub fn column(&self, place: usize) -> &[f64] {
        self.stored(STATISTICS + place)
    }

    /// What the sampler reports of each draw.
    pub fn statistic(&self, statistic: Statistic) -> &[f64] {
        self.stored(statistic as usize)
    }

    fn stored(&self, place: usize) -> &[f64] {
        &self.values[place * self.capacity..][..self.rows]
    }
}

/// A name that no scalar of the model has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnknownColumn(pub String);

impl fmt::Display for UnknownColumn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "the model has no scalar `{}` among its parameters, transformed parameters and generated quantities",
            self.0
        )
    }
}

impl std::error::Error for UnknownColumn {}

/// The draws after warmup of all chains.
///
/// Chains that were interrupted or failed have fewer than the others, perhaps none.
#[derive(Clone, Debug)]
pub struct Draws {
    columns: Vec<Column>,
    chains: Vec<ChainDraws>,
    /// Whether there were parameters to sample, and so a density of each draw.
    sampled: bool,
    labelling: Arc<Labelling>,
}

impl Draws {
    pub(super) fn new(
        columns: Vec<Column>,
        chains: Vec<ChainDraws>,
        sampled: bool,
        labelling: Arc<Labelling>,
    ) -> Draws {
        Draws {
            columns,
            chains,
            sampled,
            labelling,
        }
    }

    /// The labels of the variables' dimensions; those of a program in block form have none.
    pub fn labelling(&self) -> &Labelling {
        &self.labelling
    }

    /// The columns: scalars of parameters, transformed parameters and generated quantities, in CmdStan's order.
    pub fn columns(&self) -> &[Column] {
        &self.columns
    }

    /// The chains, in the order of their numbers.
    pub fn chains(&self) -> &[ChainDraws] {
        &self.chains
    }

    /// The number of draws over all chains.
    pub fn rows(&self) -> usize {
        self.chains.iter().map(ChainDraws::rows).sum()
    }

    /// The draws of a scalar, one slice a chain: `theta.1`, `theta[1]`, or by label, `theta[Choate]`. `None` if the model
    /// has no such column.
    pub fn get(&self, name: &str) -> Option<Vec<&[f64]>> {
        let has_name = |column: &Column| {
            column.name == name
                || display_name(&column.name) == name
                || self.labelling.name(&column.name).as_deref() == Some(name)
        };
        let place = self.columns.iter().position(has_name)?;
        Some(self.of_column(place))
    }

    /// The draws of a scalar over all chains, one chain after the other.
    ///
    /// # Errors
    /// A name that the model does not have.
    pub fn pooled(&self, name: &str) -> Result<Vec<f64>, UnknownColumn> {
        match self.get(name) {
            Some(chains) => Ok(chains.concat()),
            None => Err(UnknownColumn(name.to_string())),
        }
    }

    /// Summaries of the columns that patterns choose (`theta` chooses all its elements); of `lp__` and all columns
    /// without patterns; models without parameters have no `lp__`. Quantiles are at 5, 50 and 95 %.
    pub fn summary(&self, patterns: &[&str]) -> Summary {
        let patterns = patterns.iter().map(|pattern| NamePattern::new(pattern));
        self.summarise(0..self.columns.len(), &patterns.collect::<Vec<_>>())
    }

    /// Summaries of `lp__` and of the columns at these places among [`columns`](Draws::columns).
    pub fn summary_of(&self, places: impl IntoIterator<Item = usize>) -> Summary {
        self.summarise(places, &[])
    }

    fn summarise(
        &self,
        places: impl IntoIterator<Item = usize>,
        patterns: &[NamePattern],
    ) -> Summary {
        let mut columns = Vec::new();
        if self.sampled {
            let chains = self.chains.iter();
            let log_density = chains.map(|chain| chain.statistic(Statistic::LogDensity));
            columns.push(("lp__", log_density.collect()));
        }
        let variable = |place: usize| (self.columns[place].name.as_str(), self.of_column(place));
        columns.extend(places.into_iter().map(variable));
        summarise_labelled(&columns, &PROBABILITIES, patterns, &self.labelling)
    }

    /// What the draws warn of, given a summary of the parameters; nothing if there are no parameters. `max_depth` is the
    /// sampler's setting.
    pub fn warnings(&self, summary: &Summary, max_depth: usize) -> Vec<SamplingWarning> {
        if !self.sampled {
            return Vec::new();
        }
        let statistics = self.chains.iter().filter(|chain| chain.rows > 0);
        let statistics: Vec<ChainStatistics<'_>> = statistics
            .map(|chain| ChainStatistics {
                divergent: chain.statistic(Statistic::Divergent),
                tree_depth: chain.statistic(Statistic::TreeDepth),
                energy: chain.statistic(Statistic::Energy),
            })
            .collect();
        sampling_warnings(&statistics, Some(max_depth), summary)
    }

    fn of_column(&self, place: usize) -> Vec<&[f64]> {
        self.chains
            .iter()
            .map(|chain| chain.column(place))
            .collect()
    }
}
