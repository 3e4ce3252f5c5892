//! Summaries of many variables: computed on all cores, shown as aligned text or JSON.

use std::num::NonZero;
use std::panic::resume_unwind;
use std::thread;

use serde_json::{Map, Value, json};

use super::{Labelling, NamePattern, Summariser, VariableSummary, display_name};

/// Draws for which a further thread pays: some milliseconds of work (a guess from half a millisecond per 4,000).
const DRAWS_PER_THREAD: usize = 50_000;

/// Decimals beyond this, and magnitudes from [`LARGEST_PLAIN`], are written with an exponent.
const MOST_DECIMALS: i32 = 6;

/// See [`MOST_DECIMALS`].
const LARGEST_PLAIN: f64 = 1e8;

/// Significant digits of what has no standard error.
const DIGITS_WITHOUT_ERROR: i32 = 4;

/// Summaries of the chosen variables of a run.
#[derive(Debug, Clone, PartialEq)]
pub struct Summary {
    /// Number of chains.
    pub chains: usize,
    /// Draws over all chains.
    pub draws: usize,
    /// Probabilities of the quantiles.
    pub probabilities: Vec<f64>,
    /// One row a column; `lp__` first, then in the given order.
    pub rows: Vec<SummaryRow>,
    /// Patterns that chose nothing.
    pub unmatched: Vec<String>,
}

/// One scalar variable.
#[derive(Debug, Clone, PartialEq)]
pub struct SummaryRow {
    /// The name for people: `theta[1,2]`, or `d_country[US, spend]` where its indexes have labels.
    pub name: String,
    /// The name in files: `theta.1.2`.
    pub column: String,
    /// The labels of its indexes; `None` where they have none.
    pub labels: Option<Vec<String>>,
    /// The numbers.
    pub summary: VariableSummary,
}

/// Summarises columns, given as a name (`theta.1.2`) and one slice of draws a chain. Without patterns all are chosen.
pub fn summarise(
    columns: &[(&str, Vec<&[f64]>)],
    probabilities: &[f64],
    patterns: &[NamePattern],
) -> Summary {
    summarise_labelled(columns, probabilities, patterns, &Labelling::default())
}

/// [`summarise`] for variables whose indexes have labels: rows are named by them, and patterns choose by them too.
pub fn summarise_labelled(
    columns: &[(&str, Vec<&[f64]>)],
    probabilities: &[f64],
    patterns: &[NamePattern],
    labelling: &Labelling,
) -> Summary {
    let chooses = |pattern: &NamePattern, name: &str| {
        let by_label = |name: String| pattern.matches(&name);
        pattern.matches(name) || labelling.name(name).is_some_and(by_label)
    };
    let is_chosen =
        |name: &str| patterns.is_empty() || patterns.iter().any(|pattern| chooses(pattern, name));
    let mut chosen: Vec<&(&str, Vec<&[f64]>)> =
        columns.iter().filter(|(name, _)| is_chosen(name)).collect();
    chosen.sort_by_key(|(name, _)| *name != "lp__");
    let is_unmatched =
        |pattern: &&NamePattern| !columns.iter().any(|(name, _)| chooses(pattern, name));
    let first = columns.first().map_or(&[][..], |(_, chains)| chains);
    let draws: usize = first.iter().map(|chain| chain.len()).sum();

    let cores = thread::available_parallelism().map_or(1, NonZero::get);
    let threads = (draws * chosen.len() / DRAWS_PER_THREAD).clamp(1, cores);
    let summarise_part = |part: &[&(&str, Vec<&[f64]>)]| -> Vec<SummaryRow> {
        let mut summariser = Summariser::new(probabilities);
        let row = |(name, chains): &&(&str, Vec<&[f64]>)| SummaryRow {
            name: labelling.name(name).unwrap_or_else(|| display_name(name)),
            column: name.to_string(),
            labels: labelling
                .of_column(name)
                .map(|labels| labels.into_iter().map(|label| label.into_owned()).collect()),
            summary: summariser.summarise(chains),
        };
        part.iter().map(row).collect()
    };
    let rows = if threads == 1 {
        summarise_part(&chosen)
    } else {
        let parts: Vec<_> = chosen.chunks(chosen.len().div_ceil(threads)).collect();
        thread::scope(|scope| {
            let workers: Vec<_> = parts
                .iter()
                .map(|part| scope.spawn(|| summarise_part(part)))
                .collect();
            let done = workers
                .into_iter()
                .map(|worker| worker.join().unwrap_or_else(|panic| resume_unwind(panic)));
            done.flatten().collect()
        })
    };
    Summary {
        chains: first.len(),
        draws,
        probabilities: probabilities.to_vec(),
        rows,
        unmatched: patterns
            .iter()
            .filter(is_unmatched)
            .map(|pattern| pattern.text().to_string())
            .collect(),
    }
}

impl Summary {
    /// The table as aligned text, with a line for each of [`notes`](Summary::notes). Numbers have as many decimals as
    /// the standard error of the mean has for two significant digits.
    pub fn to_text(&self) -> String {
        let mut header = vec![String::new(), "mean".into(), "MCSE".into(), "sd".into()];
        header.extend(self.quantile_names());
        header.extend(["R-hat", "ESS bulk", "ESS tail"].map(String::from));
        let mut lines = vec![header];
        lines.extend(self.rows.iter().map(SummaryRow::cells));

        let columns = lines[0].len();
        let width = |column: usize| {
            lines
                .iter()
                .map(|line| line[column].chars().count())
                .max()
                .unwrap_or(0)
        };
        let widths: Vec<usize> = (0..columns).map(width).collect();
        let mut out = String::new();
        for line in &lines {
            out.push_str(&format!("{:<1$}", line[0], widths[0]));
            for (cell, width) in line.iter().zip(&widths).skip(1) {
                out.push_str(&format!("  {cell:>width$}"));
            }
            out.push('\n');
        }
        for note in self.notes() {
            out.push_str(&format!("{note}\n"));
        }
        out
    }

    /// A sentence for each variable with draws that are NaN or infinite.
    pub fn notes(&self) -> Vec<String> {
        let mut notes = Vec::new();
        for SummaryRow { name, summary, .. } in &self.rows {
            let VariableSummary {
                draws,
                nan_draws,
                infinite_draws,
                ..
            } = summary;
            if *nan_draws > 0 {
                notes.push(format!(
                    "{name}: {nan_draws} of {draws} draws are NaN; they are left out of mean, sd and quantiles, and \
                     R-hat, ESS and MCSE cannot be given."
                ));
            }
            if *infinite_draws > 0 {
                notes.push(format!(
                    "{name}: {infinite_draws} of {draws} draws are infinite; R-hat, ESS and MCSE cannot be given."
                ));
            }
        }
        notes
    }

    /// One object with the run's size and `rows`, each with `labels` where its indexes have any; numbers that JSON has no form for are the strings `"NaN"`,
    /// `"Infinity"` and `"-Infinity"`.
    pub fn to_json(&self) -> Value {
        let names = self.quantile_names();
        let rows = self.rows.iter().map(|row| {
            let summary = &row.summary;
            let quantiles = names
                .iter()
                .cloned()
                .zip(summary.quantiles.iter().map(|&value| json_number(value)));
            let mut object = json!({
                "name": row.name,
                "column": row.column,
                "mean": json_number(summary.mean),
                "mcse_mean": json_number(summary.mcse_mean),
                "sd": json_number(summary.sd),
                "mcse_sd": json_number(summary.mcse_sd),
                "quantiles": quantiles.collect::<Map<String, Value>>(),
                "rhat": json_number(summary.rhat),
                "ess_bulk": json_number(summary.ess_bulk),
                "ess_tail": json_number(summary.ess_tail),
                "nan_draws": summary.nan_draws,
                "infinite_draws": summary.infinite_draws,
            });
            if let Some(labels) = &row.labels {
                object["labels"] = json!(labels);
            }
            object
        });
        json!({
            "chains": self.chains,
            "draws": self.draws,
            "probabilities": self.probabilities,
            "rows": rows.collect::<Vec<_>>(),
        })
    }

    /// Headings such as `5%` and `2.5%`.
    fn quantile_names(&self) -> Vec<String> {
        // Rounding undoes what multiplying by 100 does to numbers such as 0.07.
        self.probabilities
            .iter()
            .map(|p| format!("{}%", (p * 1e8).round() / 1e6))
            .collect()
    }
}

impl SummaryRow {
    fn cells(&self) -> Vec<String> {
        let summary = &self.summary;
        let mut values = vec![summary.mean, summary.mcse_mean, summary.sd];
        values.extend(&summary.quantiles);
        let form = NumberForm::of(&values, summary);
        let mut cells = vec![self.name.clone()];
        cells.extend(values.into_iter().map(|value| form.write(value)));
        cells.push(format_number(summary.rhat, 3));
        cells.push(format_number(summary.ess_bulk, 0));
        cells.push(format_number(summary.ess_tail, 0));
        cells
    }
}

/// How the numbers of one row are written.
enum NumberForm {
    /// So many decimals.
    Plain(usize),
    /// With an exponent, up to the decimal place 10⁻ⁿ.
    Exponent(i32),
    /// Constants: as few digits as needed.
    Shortest,
}

impl NumberForm {
    fn of(values: &[f64], summary: &VariableSummary) -> NumberForm {
        let largest = values
            .iter()
            .filter(|value| value.is_finite())
            .fold(0.0, |most: f64, value| most.max(value.abs()));
        let decimals = if summary.mcse_mean.is_finite() && summary.mcse_mean > 0.0 {
            1 - decimal_exponent(summary.mcse_mean)
        } else if summary.sd > 0.0 && largest > 0.0 {
            DIGITS_WITHOUT_ERROR - 1 - decimal_exponent(largest)
        } else {
            return NumberForm::Shortest;
        };
        if decimals > MOST_DECIMALS || largest >= LARGEST_PLAIN {
            NumberForm::Exponent(decimals)
        } else {
            NumberForm::Plain(usize::try_from(decimals).unwrap_or(0))
        }
    }

    fn write(&self, value: f64) -> String {
        match self {
            _ if !value.is_finite() => format_number(value, 0),
            NumberForm::Plain(decimals) => format_number(value, *decimals),
            NumberForm::Exponent(decimals) => {
                let digits = if value == 0.0 {
                    0
                } else {
                    (decimal_exponent(value) + decimals).clamp(1, MOST_DECIMALS)
                };
                format!("{value:.*e}", usize::try_from(digits).unwrap_or(0))
            }
            NumberForm::Shortest => {
                let places = usize::try_from(MOST_DECIMALS).unwrap_or(0);
                let rounded: f64 = format!("{value:.places$e}").parse().unwrap_or(value);
                let is_plain = rounded == 0.0 || (1e-4..LARGEST_PLAIN).contains(&rounded.abs());
                if is_plain {
                    rounded.to_string()
                } else {
                    format!("{rounded:e}")
                }
            }
        }
    }
}

/// ⌊log₁₀ |value|⌋ as it stands in the number's two-digit form, so that 0.0999 counts as 0.1.
fn decimal_exponent(value: f64) -> i32 {
    let text = format!("{value:.1e}");
    text.split_once('e')
        .and_then(|(_, exponent)| exponent.parse().ok())
        .unwrap_or(0)
}

fn format_number(value: f64, decimals: usize) -> String {
    if value.is_finite() {
        let text = format!("{value:.decimals$}");
        // No sign on what is rounded to zero.
        let is_zero = text.bytes().all(|byte| matches!(byte, b'-' | b'0' | b'.'));
        return if is_zero {
            text.trim_start_matches('-').to_string()
        } else {
            text
        };
    }
    let text = if value.is_nan() {
        "NaN"
    } else if value > 0.0 {
        "inf"
    } else {
        "-inf"
    };
    text.to_string()
}

fn json_number(value: f64) -> Value {
    if value.is_finite() {
        json!(value)
    } else {
        json!(if value.is_nan() {
            "NaN"
        } else if value > 0.0 {
            "Infinity"
        } else {
            "-Infinity"
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(name: &str, mean: f64, mcse_mean: f64, sd: f64) -> SummaryRow {
        let summary = VariableSummary {
            mean,
            mcse_mean,
            sd,
            mcse_sd: 0.01,
            quantiles: vec![mean - 2.0 * sd, mean, mean + 2.0 * sd],
            rhat: 1.0012,
            ess_bulk: 1234.5,
            ess_tail: 2000.4,
            draws: 4000,
            nan_draws: 0,
            infinite_draws: 0,
        };
        SummaryRow {
            name: display_name(name),
            column: name.into(),
            labels: None,
            summary,
        }
    }

    fn table(rows: Vec<SummaryRow>) -> Summary {
        Summary {
            chains: 4,
            draws: 4000,
            probabilities: vec![0.05, 0.5, 0.95],
            rows,
            unmatched: Vec::new(),
        }
    }

    #[test]
    fn digits_follow_the_standard_error() {
        let mut constant = row("Omega.1.1", 1.0, f64::NAN, 0.0);
        (
            constant.summary.rhat,
            constant.summary.ess_bulk,
            constant.summary.ess_tail,
        ) = (f64::NAN, f64::NAN, f64::NAN);
        constant.summary.nan_draws = 3;
        let rows = vec![
            row("lp__", -12.345678, 0.0913, 2.5),
            row("theta.1.10", 0.0, 0.00123, 0.05),
            row("population", 123456.7, 230.0, 5000.0),
            row("tiny", 1.5e-9, 1.2e-11, 1e-9),
            row("huge", 1.5e12, 1.2e10, 1e12),
            constant,
        ];
        let expected = "                 mean     MCSE       sd         5%       50%      95%  R-hat  ESS bulk  ESS tail
lp__          -12.346    0.091    2.500    -17.346   -12.346   -7.346  1.001      1234      2000
theta[1,10]    0.0000   0.0012   0.0500    -0.1000    0.0000   0.1000  1.001      1234      2000
population     123457      230     5000     113457    123457   133457  1.001      1234      2000
tiny          1.500e-9  1.2e-11  1.000e-9  -5.00e-10  1.500e-9  3.500e-9  1.001      1234      2000
huge           1.50e12";
        let text = table(rows).to_text();
        let words = |text: &str| -> Vec<Vec<String>> {
            text.lines()
                .map(|line| line.split_whitespace().map(String::from).collect())
                .collect()
        };
        let (found, expected) = (words(&text), words(expected));
        assert_eq!(found[..5], expected[..5], "{text}");
        assert_eq!(
            found[5][..2],
            ["huge", "1.500e12"].map(String::from),
            "{text}"
        );
        assert_eq!(
            found[6],
            [
                "Omega[1,1]",
                "1",
                "NaN",
                "0",
                "1",
                "1",
                "1",
                "NaN",
                "NaN",
                "NaN"
            ]
            .map(String::from)
        );
        assert!(
            found[7]
                .join(" ")
                .starts_with("Omega[1,1]: 3 of 4000 draws are NaN;"),
            "{text}"
        );
        let lengths: Vec<usize> = text
            .lines()
            .take(7)
            .map(|line| line.chars().count())
            .collect();
        assert!(lengths.iter().all(|length| *length == lengths[0]), "{text}");
    }

    #[test]
    fn rows_are_chosen_by_pattern_and_lp_comes_first() {
        let draws: Vec<f64> = (0..20).map(|i| f64::from(i * 7 % 20)).collect();
        let columns: Vec<(&str, Vec<&[f64]>)> = ["theta.1", "theta.2", "mu", "lp__"]
            .map(|name| (name, vec![&draws[..10], &draws[10..]]))
            .to_vec();
        let names = |patterns: &[&str]| -> Vec<String> {
            let patterns: Vec<NamePattern> =
                patterns.iter().map(|text| NamePattern::new(text)).collect();
            summarise(&columns, &[0.5], &patterns)
                .rows
                .into_iter()
                .map(|row| row.name)
                .collect()
        };
        assert_eq!(names(&[]), ["lp__", "theta[1]", "theta[2]", "mu"]);
        assert_eq!(names(&["theta"]), ["theta[1]", "theta[2]"]);
        assert_eq!(names(&["mu", "theta[2]"]), ["theta[2]", "mu"]);
        let summary = summarise(
            &columns,
            &[0.5],
            &[NamePattern::new("nu"), NamePattern::new("mu")],
        );
        assert_eq!(summary.unmatched, ["nu"]);
        assert_eq!((summary.chains, summary.draws), (2, 20));
    }

    #[test]
    fn threads_do_not_change_the_numbers() {
        let draws: Vec<f64> = (0..20_000).map(|i| f64::from(i * 7919 % 20_011)).collect();
        let names: Vec<String> = (0..12).map(|i| format!("x.{i}")).collect();
        let columns: Vec<(&str, Vec<&[f64]>)> = names
            .iter()
            .enumerate()
            .map(|(i, name)| {
                (
                    name.as_str(),
                    vec![&draws[i..10_000 + i], &draws[10_000 - i..]],
                )
            })
            .collect();
        let together = summarise(&columns, &[0.5], &[]);
        for (row, column) in together.rows.iter().zip(&columns) {
            assert_eq!(row.summary, Summariser::new(&[0.5]).summarise(&column.1));
        }
    }

    #[test]
    fn json_has_names_for_what_is_not_finite() {
        let mut summary = table(vec![row("theta.1", 1.5, f64::NAN, f64::INFINITY)]);
        summary.probabilities = vec![0.07, 0.5, 0.975];
        let json = summary.to_json();
        let row = &json["rows"][0];
        assert_eq!(
            (&row["name"], &row["column"]),
            (&json!("theta[1]"), &json!("theta.1"))
        );
        assert_eq!(
            (&row["mean"], &row["mcse_mean"], &row["sd"]),
            (&json!(1.5), &json!("NaN"), &json!("Infinity"))
        );
        let names: Vec<&String> = row["quantiles"].as_object().unwrap().keys().collect();
        assert_eq!(names, ["7%", "50%", "97.5%"]);
        assert_eq!(json["chains"], json!(4));
    }
}
