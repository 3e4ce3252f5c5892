//! What the command line accepts, and its help.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};
use hlm::tables::MissingPolicy;

const OVERVIEW: &str = "\
Examples:
  hlm sample schools.hlm --data schools.json     sample the posterior, print a summary, write the draws
  hlm check schools.hlm                          only look for mistakes
  hlm summary schools-20261122-235959            summarise the draws of an earlier run
  hlm repl                                       try out expressions of the language

Programs are in Stan's language (.hlm or .stan) or in equation form (.hlm); data are tables, or JSON as Stan reads it.
Exit codes: 0 all is well, 1 something is wrong with program, data or run, 2 a mistake on the command line,
130 interrupted. Colour follows the terminal and NO_COLOR.";

const SAMPLE: &str = "\
Examples:
  hlm sample schools.hlm --data schools.json
  hlm sample schools.hlm --data schools.json --seed 1 --target-accept 0.95 --output runs/schools
  hlm sample radon.hlm --data houses.csv --data counties.csv --na omit
  hlm sample simulate.hlm --draws 100            a model without parameters: each draw simulates

Each chain's draws are written as they are made, as CmdStan CSV that cmdstanpy, cmdstanr, posterior and ArviZ read, into
a new folder with run.json beside them. Ctrl-C ends the chains properly and summarises what there is; a second one ends
at once. Draws depend on the seed and the chain's number only, not on the number of threads.";

const PRIOR: &str = "\
Examples:
  hlm prior schools.hlm --data schools.json
  hlm prior schools.hlm --data schools.json --draws 250 --output runs/prior
  hlm summary runs/prior --vars 'y_rep[*]'

The data give sizes and covariates; outcomes are not read where every one of them is predicted. Draws are made in the
order in which the model generates its quantities; a model that states no such order (a flat prior, a factor, a term of
the target) is sampled without its observations. The outcome y is called y_rep.";

const SUMMARY: &str = "\
Examples:
  hlm summary schools-20261122-235959
  hlm summary schools-20261122-235959 --vars mu --vars 'theta[*]'
  hlm summary spend-20261122-235959 --vars 'd_country[US,*]'
  hlm summary chain-1.csv chain-2.csv --format json";

const POOLING: &str = "\
Examples:
  hlm pooling schools.hlm --data students.csv
  hlm pooling radon.hlm --data houses.csv --data counties.csv --effect a

Fits the model, the model without pooling (the effect is a flat parameter for each group, or, where its location is a
number, one that sums to zero) and the model with complete pooling (the effect is its location), both derived from the
one file. Per group: n, the three estimates, and the shrinkage factor B, the weight of the population in the partially
pooled estimate; per effect Gelman and Pardoe's pooling factor. The folder gets the table as CSV, the picture as SVG
and PNG, and the two derived models.";

const PREDICT: &str = "\
Examples:
  hlm predict spend.hlm --fit spend-20261122-235959 --vary spend=0:100:5 --by country,vertical
  hlm predict spend.hlm --fit RUN --vary spend=0:100:5 --at mean,bid=2 --by j --group known,new,none
  hlm predict radon.hlm --fit RUN --vary log_uranium=-1:1:0.1 --by county --group new,none
  hlm predict radon.hlm --fit RUN --new houses-to-come.csv --new their-counties.csv

Two quantities are predicted and labelled: the mean of the outcome, and the outcome itself, each with its central 50, 80
and 95 % ranges over the draws. What --by does not choose is at the location of its prior. Reductions over the data
(`x[i] - mean(x)`) keep their values of the fit. A label that the fit does not know is a new level, drawn from its prior;
what it is like (its region, its wealth) stands in the new rows or in a further table of them. Tables are CSV, pictures
SVG and PNG.";

const CHECK: &str = "\
Examples:
  hlm check schools.hlm
  hlm check schools.hlm --data schools.json --emit grad

Stages: tokens, ast (syntax tree), ir (typed), density and grad (loops, once data are known), clif (Cranelift's text of
the machine code of grad). The last three need the data that the program declares.";

const EXPAND: &str = "\
Examples:
  hlm expand schools.hlm
  hlm expand schools.hlm --generate rep,log_lik > schools.stan

What is printed compiles on its own, here and in Stan.";

const LOG_DENSITY: &str = "\
Examples:
  hlm log-density schools.hlm --data schools.json --points points.json

The file of points holds an object with `points`, each with a position `unconstrained`; with --constrained, each with
`values` of the parameters, named by `columns` beside `points`. The first line printed is {\"columns\": …}, the names of
all parameters and transformed parameters; then comes one line a point: {\"log_density\": …, \"gradient\": …, \"values\": …}.
Numbers that are not finite are the strings \"-Infinity\", \"Infinity\" and \"NaN\".";

const REPL: &str = "\
Example:
  > :data schools.csv
  > index j
  > data y[j], se[j]
  > y[j] ~ normal(theta[j], se[j])
  > theta[j] ~ normal(mu, tau)
  > mu ~ normal(0, 5)
  > tau ~ cauchy(0, 5)
  > :fit
  > theta[3] > theta[1]

A model grows line by line; an expression evaluates at once, over the last fit's draws where it names parameters.
`:help` says more.";

/// Bayesian hierarchical models: checked, compiled to machine code in milliseconds, and sampled.
#[derive(Debug, Parser)]
#[command(name = "hlm", version, after_help = OVERVIEW, arg_required_else_help = true)]
pub struct Arguments {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// The commands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Sample the posterior of a program with its data
    Sample(SampleArgs),
    /// Draw from the prior of a model in equation form, and the data that it predicts
    #[command(after_help = PRIOR)]
    Prior(SampleArgs),
    /// Summarise draws of a run, or of any CmdStan CSV files
    Summary(SummaryArgs),
    /// Compare complete, no and partial pooling of a model's varying effects
    Pooling(PoolingArgs),
    /// Predict outcomes of a fitted model, for new rows or along a curve
    Predict(PredictArgs),
    /// Look for mistakes in a program, or show what becomes of it
    Check(CheckArgs),
    /// Print the Stan program that a model in equation form stands for
    Expand(ExpandArgs),
    /// Compute log density and gradient at given points
    LogDensity(LogDensityArgs),
    /// Build a model line by line, fit it, and ask its draws
    Repl(ReplArgs),
}

/// Where data come from: the same for every command that takes any.
#[derive(Clone, Debug, Default, Args)]
pub struct DataArgs {
    /// A table (.csv, .tsv, .parquet) or values in Stan JSON (.json); several files join by their levels. LETTER=FILE
    /// gives a table outright to an index of the model
    #[arg(short, long, value_name = "[LETTER=]FILE")]
    pub data: Vec<String>,
    /// One value, as JSON: `se=0.3`; may be given several times
    #[arg(long, value_name = "NAME=VALUE", value_parser = assignment)]
    pub set: Vec<(String, String)>,
    /// What becomes of missing values: `error`, `omit` the rows, `drop` them from outcomes that nothing else uses,
    /// `impute` columns that have a statement; the first of several that can apply does. COLUMN=POLICY for one column
    /// [default: error]
    #[arg(long, value_name = "POLICY", value_delimiter = ',', value_parser = missing_policy)]
    pub na: Vec<(Option<String>, MissingPolicy)>,
}

/// `NAME=VALUE`
fn assignment(text: &str) -> Result<(String, String), String> {
    let (name, value) = text
        .split_once('=')
        .ok_or("write NAME=VALUE, as in `se=0.3`")?;
    Ok((name.trim().to_string(), value.trim().to_string()))
}

/// `omit`, or `age=impute`
pub fn missing_policy(text: &str) -> Result<(Option<String>, MissingPolicy), String> {
    let (column, policy) = match text.split_once('=') {
        Some((column, policy)) => (Some(column.trim().to_string()), policy.trim()),
        None => (None, text.trim()),
    };
    let policy = match policy {
        "error" => MissingPolicy::Error,
        "omit" => MissingPolicy::Omit,
        "drop" => MissingPolicy::Drop,
        "impute" => MissingPolicy::Impute,
        other => return Err(format!("`{other}` is not one of error, omit, drop, impute")),
    };
    Ok((column, policy))
}

/// Arguments of `hlm sample`.
#[derive(Clone, Debug, Args)]
#[command(after_help = SAMPLE)]
pub struct SampleArgs {
    /// The program
    #[arg(value_name = "MODEL")]
    pub model: PathBuf,
    /// Where data come from
    #[command(flatten)]
    pub data: DataArgs,
    /// Folder for the draws, which must not hold a run yet [default: a new MODEL-YYYYMMDD-HHMMSS]
    #[arg(short, long, value_name = "DIR")]
    pub output: Option<PathBuf>,
    /// Number of chains
    #[arg(long, value_name = "N", default_value_t = 4)]
    pub chains: usize,
    /// How many chains run at once [default: as many as there are cores for]
    #[arg(long, value_name = "N", default_value_t = 0, hide_default_value = true)]
    pub threads: usize,
    /// Threads on which each chain computes long sums; pays from tens of thousands of rows on
    #[arg(long, value_name = "N", default_value_t = 1)]
    pub threads_per_chain: usize,
    /// Seed of all random numbers [default: drawn at random, and printed]
    #[arg(long, value_name = "N")]
    pub seed: Option<u64>,
    /// Warmup transitions of each chain
    #[arg(long, value_name = "N", default_value_t = 1000)]
    pub warmup: usize,
    /// Draws of each chain after warmup
    #[arg(long, value_name = "N", default_value_t = 1000)]
    pub draws: usize,
    /// Keep the first and every N-th draw after it
    #[arg(long, value_name = "N", default_value_t = 1)]
    pub thin: usize,
    /// Write warmup's draws too
    #[arg(long)]
    pub save_warmup: bool,
    /// Acceptance rate that the step size is tuned for; nearer to 1 means smaller steps
    #[arg(long, value_name = "RATE", default_value_t = 0.8)]
    pub target_accept: f64,
    /// A trajectory doubles at most so often
    #[arg(long, value_name = "N", default_value_t = 10)]
    pub max_depth: usize,
    /// Shape of the mass matrix that warmup estimates
    #[arg(long, value_enum, default_value_t = Metric::Diagonal)]
    pub metric: Metric,
    /// Initial values: a JSON file of parameters' values, or the radius R of uniform ones on (-R, R), unconstrained
    #[arg(long, value_name = "RADIUS|FILE", default_value = "2")]
    pub init: String,
    /// First step size to try
    #[arg(long, value_name = "SIZE", default_value_t = 1.0)]
    pub step_size: f64,
    /// Significant digits in the files [default: as many as identify the number]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u8).range(1..=17))]
    pub sig_figs: Option<u8>,
    /// Generate besides, for a model in equation form: outcomes anew, log densities of observations
    #[arg(long, value_enum, value_name = "WHAT", value_delimiter = ',')]
    pub generate: Vec<Generated>,
    /// Whether the prior is drawn from, instead of the posterior.
    #[arg(skip)]
    pub prior: bool,
    /// Print warnings, errors and the run's folder only
    #[arg(short, long)]
    pub quiet: bool,
}

/// Shapes of the mass matrix.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Metric {
    /// The identity, not estimated
    Unit,
    /// One variance per parameter
    Diagonal,
    /// All variances and covariances
    Dense,
}

/// Arguments of `hlm summary`.
#[derive(Debug, Args)]
#[command(after_help = SUMMARY)]
pub struct SummaryArgs {
    /// A run's folder, or CSV files, one a chain
    #[arg(value_name = "PATH", required = true)]
    pub paths: Vec<PathBuf>,
    /// Only these variables: `theta`, `theta[1]`, `d_country[US,*]`, `*_rep`; may be given several times
    #[arg(long, value_name = "PATTERN")]
    pub vars: Vec<String>,
    /// How to print
    #[arg(long, value_enum, default_value_t = Format::Text)]
    pub format: Format,
}

/// Forms of a summary.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// A table
    Text,
    /// One object, for programs
    Json,
}

/// Arguments of `hlm predict`.
#[derive(Clone, Debug, Args)]
#[command(after_help = PREDICT)]
pub struct PredictArgs {
    /// The program, in equation form
    #[arg(value_name = "MODEL")]
    pub model: PathBuf,
    /// The folder of a run of the model
    #[arg(long, value_name = "DIR")]
    pub fit: PathBuf,
    /// A column that varies, `spend=0:100:5` (from, to, step) or `spend=1,2,5`; the first is the curve's axis
    #[arg(long, value_name = "NAME=FROM:TO:STEP")]
    pub vary: Vec<String>,
    /// New rows, as a table; levels that the fit does not know are new groups
    #[arg(long, value_name = "FILE", conflicts_with_all = ["vary", "at", "by", "group"])]
    pub new: Vec<String>,
    /// Where other numbers are held: `mean` (the default), `median`, a number, or NAME=VALUE for one of them; what the fit
    /// knows of a level is not changed by it
    #[arg(long, value_name = "WHERE", value_delimiter = ',')]
    pub at: Vec<String>,
    /// A curve for each combination of these columns of levels, or letters of the model
    #[arg(long, value_name = "COLUMN", value_delimiter = ',')]
    pub by: Vec<String>,
    /// Which groups
    #[arg(long, value_enum, value_delimiter = ',', default_value = "known")]
    pub group: Vec<GroupArg>,
    /// Folder for tables and pictures [default: MODEL-predict]
    #[arg(short, long, value_name = "DIR")]
    pub output: Option<PathBuf>,
    /// Seed of the random numbers of new observations and new groups
    #[arg(long, value_name = "N", default_value_t = 1)]
    pub seed: u64,
    /// Write the program that predicts to this file, too
    #[arg(long, value_name = "FILE", hide = true)]
    pub emit: Option<PathBuf>,
}

/// Kinds of groups to predict for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum GroupArg {
    /// Those of the fit
    Known,
    /// A new one, drawn from the distribution of its level
    New,
    /// None: effects at the location of their prior
    None,
}

/// Arguments of `hlm pooling`.
#[derive(Debug, Args)]
#[command(after_help = POOLING)]
pub struct PoolingArgs {
    /// The program, in equation form
    #[arg(value_name = "MODEL")]
    pub model: PathBuf,
    /// Where data come from
    #[command(flatten)]
    pub data: DataArgs,
    /// The effects to compare [default: all that vary by group]
    #[arg(long, value_name = "NAME", value_delimiter = ',')]
    pub effect: Vec<String>,
    /// Folder for tables, pictures and the derived models [default: MODEL-pooling]
    #[arg(short, long, value_name = "DIR")]
    pub output: Option<PathBuf>,
    /// Number of chains of each fit
    #[arg(long, value_name = "N", default_value_t = 4)]
    pub chains: usize,
    /// Seed of all random numbers [default: drawn at random]
    #[arg(long, value_name = "N")]
    pub seed: Option<u64>,
    /// Warmup transitions of each chain
    #[arg(long, value_name = "N", default_value_t = 1000)]
    pub warmup: usize,
    /// Draws of each chain after warmup
    #[arg(long, value_name = "N", default_value_t = 1000)]
    pub draws: usize,
    /// Acceptance rate that the step size is tuned for; nearer to 1 means smaller steps
    #[arg(long, value_name = "RATE", default_value_t = 0.9)]
    pub target_accept: f64,
    /// Show no progress
    #[arg(short, long)]
    pub quiet: bool,
}

/// Arguments of `hlm check`.
#[derive(Debug, Args)]
#[command(after_help = CHECK)]
pub struct CheckArgs {
    /// The program
    #[arg(value_name = "MODEL")]
    pub model: PathBuf,
    /// Check the data against the program too
    #[command(flatten)]
    pub data: DataArgs,
    /// Print a stage of the compiler; several with commas, or by giving it again
    #[arg(long, value_enum, value_name = "STAGE", value_delimiter = ',')]
    pub emit: Vec<Stage>,
}

/// Stages of the compiler that print.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Stage {
    /// What the lexer found
    Tokens,
    /// The syntax tree
    Ast,
    /// The typed program
    Ir,
    /// The log density as loops
    Density,
    /// The log density and its gradient as loops
    Grad,
    /// The machine code of the gradient, in Cranelift's text form
    Clif,
}

/// Arguments of `hlm expand`.
#[derive(Debug, Args)]
#[command(after_help = EXPAND)]
pub struct ExpandArgs {
    /// The program
    #[arg(value_name = "MODEL")]
    pub model: PathBuf,
    /// Add generated quantities: replicates of outcomes, log densities of observations
    #[arg(long, value_enum, value_name = "WHAT", value_delimiter = ',')]
    pub generate: Vec<Generated>,
    /// The program that draws from the prior instead, and what it predicts
    #[arg(long, conflicts_with = "generate")]
    pub prior: bool,
}

/// Generated quantities on request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Generated {
    /// Outcomes drawn anew: `y_rep`
    Rep,
    /// The log density of each observation: `log_lik`
    #[value(name = "log_lik", alias = "log-lik")]
    LogLik,
}

/// Arguments of `hlm log-density`.
#[derive(Debug, Args)]
#[command(after_help = LOG_DENSITY)]
pub struct LogDensityArgs {
    /// The program
    #[arg(value_name = "MODEL")]
    pub model: PathBuf,
    /// Where data come from
    #[command(flatten)]
    pub data: DataArgs,
    /// Where to compute
    #[arg(short, long, value_name = "FILE")]
    pub points: PathBuf,
    /// Keep the constants that `~` drops
    #[arg(long)]
    pub full: bool,
    /// Leave out the log Jacobians of constrained parameters
    #[arg(long)]
    pub no_jacobian: bool,
    /// Start from the parameters' own values instead of unconstrained positions
    #[arg(long)]
    pub constrained: bool,
    /// Use the slow interpreter instead of machine code
    #[arg(long)]
    pub interpreter: bool,
}

/// Arguments of `hlm repl`.
#[derive(Debug, Args)]
#[command(after_help = REPL)]
pub struct ReplArgs {
    /// A table or values in Stan JSON to begin with, as `:data` reads them; may be given several times
    #[arg(short, long, value_name = "[LETTER=]FILE")]
    pub data: Vec<String>,
}

#[cfg(test)]
mod tests {
    use super::Arguments;
    use clap::CommandFactory;

    #[test]
    fn the_command_line_is_consistent() {
        Arguments::command().debug_assert();
    }
}
