//! The rows of a prediction: a grid over some columns, for each group, with the other columns held.

use super::draft::{Draft, Points, number};
use crate::equation::plan::{Plan, SetId};
use crate::tables::{Cells, Flat, Table, TableColumn};

/// What the user asks for.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Request {
    /// Columns that vary, with their values; the first is the curve's horizontal axis.
    pub vary: Vec<(String, Vec<f64>)>,
    /// Where all other numbers are held.
    pub at: Hold,
    /// Where some of them are held.
    pub at_column: Vec<(String, f64)>,
    /// The columns that groups are made by.
    pub by: Vec<String>,
    /// Which groups.
    pub group: GroupKind,
}

/// Where numbers are held that do not vary. Numbers of levels, such as a county's, count once for each level.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub enum Hold {
    /// At their mean over the fit's data.
    #[default]
    Mean,
    /// At their median.
    Median,
    /// At a value.
    Value(f64),
}

/// Which groups a prediction is for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum GroupKind {
    /// Those of the fit.
    #[default]
    Known,
    /// A new one, drawn from the distribution of its level.
    New,
    /// None: effects at the location of their prior.
    None,
}

impl GroupKind {
    /// As on the command line.
    pub fn word(self) -> &'static str {
        match self {
            GroupKind::Known => "known",
            GroupKind::New => "new",
            GroupKind::None => "none",
        }
    }
}

/// The rows to predict.
#[derive(Clone, Debug)]
pub struct Grid {
    /// The table.
    pub table: Table,
    /// The groups, in the order of their rows.
    pub groups: Vec<GridGroup>,
    /// The values of the first column that varies, for each row.
    pub x: Vec<f64>,
    /// Columns of levels that groups lie in, as countries in regions.
    pub within: Vec<String>,
    /// Columns of levels that no group determines: effects over them are at their location.
    pub undetermined: Vec<String>,
    /// The sets whose effects are at their location.
    pub without: Vec<SetId>,
    /// The numbers that were held, and where.
    pub held: Vec<(String, f64)>,
}

/// The rows of one group.
#[derive(Clone, Debug, PartialEq)]
pub struct GridGroup {
    /// What it is called.
    pub label: String,
    /// Its rows of the grid.
    pub rows: std::ops::Range<usize>,
    /// The rows of the fit that belong to it.
    pub members: Vec<usize>,
}

/// Makes the grid from the rows of the fit.
///
/// # Errors
/// A sentence on a column that is not there or cannot vary, or on groups that cannot be.
pub fn grid(plan: &Plan, rows: &Flat, request: &Request) -> Result<Grid, String> {
    let draft = Draft::new(plan, rows, request)?;
    let points = Points::new(&request.vary);
    let labels = draft.labels(&points)?;
    let (mut columns, mut held) = (Vec::new(), Vec::new());
    for (place, column) in rows.columns.iter().enumerate() {
        if column.is_outcome {
            continue;
        }
        let cells = match (labels.get(&place), draft.varied(place)) {
            (Some(labels), _) => Cells::of(labels.iter().map(|label| label.cell())),
            (None, Some(varied)) => {
                let values = draft.each(&points, |_, point| points.values[point][varied]);
                Cells::of(values.map(number))
            }
            (None, None) => draft.numbers(place, &labels, &points, &mut held),
        };
        columns.push(TableColumn {
            heading: column.column.heading.clone(),
            name: column.column.name.clone(),
            cells,
        });
    }
    let table = Table {
        name: "the grid".to_string(),
        text: None,
        rows: draft.groups.len() * points.values.len(),
        columns,
    };
    let names = |places: &[usize]| {
        let name = |place: &usize| rows.columns[*place].column.name.clone();
        places.iter().map(name).collect()
    };
    let x = draft.each(&points, |_, point| {
        points.values[point].first().copied().unwrap_or(0.0)
    });
    Ok(Grid {
        groups: draft.grid_groups(&points),
        x: x.collect(),
        within: names(&draft.determined),
        undetermined: names(&draft.undetermined),
        without: draft.without(),
        held,
        table,
    })
}

#[cfg(test)]
mod tests {
    use super::{Grid, GroupKind, Hold, Request, grid};
    use crate::equation::plan::SetId;
    use crate::model::Model;
    use crate::tables::{Flat, Options, Sources, flat};

    const MODEL: &str = "
index i
index j = country[i]
index l = region[j]
data y[i], spend[i], wealth[j]
y[i] ~ normal(a[j] + b * spend[i], sigma)
a[j] ~ normal(m[l] + c * wealth[j], s_a)
m[l] ~ normal(0, s_m)
b, c ~ normal(0, 1)
sigma, s_a, s_m ~ exponential(1)
";

    fn rows(model: &Model) -> Flat {
        let mut sources = Sources::new(&model.program().sources);
        let rows = "country,spend,y\nUS,10,1\nDE,20,2\nUS,30,3\nFR,60,5\n";
        let levels = "country,region,wealth\nDE,Europe,5\nFR,Europe,4\nUS,Americas,9\n";
        for (name, text) in [("ads.csv", rows), ("countries.csv", levels)] {
            sources.add_csv(name, text.as_bytes(), None).unwrap();
        }
        let equations = model.program().equations.as_ref().unwrap();
        flat(&equations.plan, &sources, &Options::default()).unwrap()
    }

    fn request(by: &str, group: GroupKind) -> Request {
        Request {
            vary: vec![("spend".to_string(), vec![0.0, 50.0])],
            by: vec![by.to_string()],
            group,
            ..Request::default()
        }
    }

    fn made(request: &Request) -> Result<Grid, String> {
        let model = Model::from_text("ads", MODEL).unwrap_or_else(|failure| panic!("{failure}"));
        let plan = model.program().equations.as_ref().unwrap().plan.clone();
        grid(&plan, &rows(&model), request)
    }

    fn labels(grid: &Grid) -> Vec<&str> {
        let groups = grid.groups.iter();
        groups.map(|group| group.label.as_str()).collect()
    }

    fn column(grid: &Grid, name: &str) -> Vec<String> {
        let place = grid.table.find(name).unwrap();
        let cell = |row| grid.table.cell(place, row).label().unwrap();
        (0..grid.table.rows).map(cell).collect()
    }

    #[test]
    fn known_groups_have_their_levels_and_what_these_determine() {
        let grid = made(&request("country", GroupKind::Known)).unwrap();
        assert_eq!(labels(&grid), ["DE", "FR", "US"]);
        assert_eq!(grid.x, [0.0, 50.0, 0.0, 50.0, 0.0, 50.0]);
        assert_eq!(grid.groups[2].members, [0, 2]);
        let regions = [
            "Europe", "Europe", "Europe", "Europe", "Americas", "Americas",
        ];
        assert_eq!(column(&grid, "region"), regions);
        assert_eq!(column(&grid, "wealth"), ["5", "5", "4", "4", "9", "9"]);
        assert!(grid.undetermined.is_empty() && grid.without.is_empty());
        assert!(grid.held.is_empty(), "{:?}", grid.held);
        assert!(grid.table.find("y").is_none());
    }

    #[test]
    fn a_new_group_lies_in_each_region_and_has_numbers_where_they_are_held() {
        let grid = made(&request("country", GroupKind::New)).unwrap();
        assert_eq!(labels(&grid), ["Americas", "Europe"]);
        assert_eq!(grid.within, ["region"]);
        let countries = column(&grid, "country");
        assert_eq!(countries[0], "new country in Americas");
        assert_eq!(countries[2], "new country in Europe");
        assert_eq!(column(&grid, "region")[2], "Europe");
        // Each country counts once, not each of its rows.
        assert_eq!(grid.held, [("wealth".to_string(), 6.0)]);
        assert_eq!(column(&grid, "wealth"), ["6", "6", "6", "6"]);
        let at = Request {
            at_column: vec![("wealth".to_string(), 7.5)],
            at: Hold::Median,
            ..request("country", GroupKind::New)
        };
        assert_eq!(column(&made(&at).unwrap(), "wealth")[0], "7.5");
    }

    #[test]
    fn a_column_of_levels_varies_over_new_ones_alone() {
        let vary = |group| Request {
            vary: vec![("wealth".to_string(), vec![1.0, 2.0])],
            ..request("country", group)
        };
        let fault = made(&vary(GroupKind::Known)).unwrap_err();
        assert!(fault.contains("--by country --group new"), "{fault}");
        let grid = made(&vary(GroupKind::New)).unwrap();
        let mut countries = column(&grid, "country");
        countries.dedup();
        assert_eq!(countries.len(), 4, "a level for each value: {countries:?}");
        assert_eq!(grid.held, [("spend".to_string(), 30.0)]);
    }

    #[test]
    fn levels_that_groups_do_not_determine_are_at_their_location() {
        let grid = made(&request("region", GroupKind::Known)).unwrap();
        assert_eq!(grid.undetermined, ["country"]);
        assert_eq!(grid.without, [SetId(1)]);
        let none = made(&request("country", GroupKind::None)).unwrap();
        assert_eq!(none.without, [SetId(1)]);
        assert_eq!(labels(&none), ["Americas", "Europe"]);
    }

    #[test]
    fn further_columns_that_vary_make_curves_of_their_own() {
        let mut request = request("region", GroupKind::Known);
        request.vary = vec![
            ("spend".to_string(), vec![0.0, 50.0]),
            ("wealth".to_string(), vec![4.0, 9.0]),
        ];
        let grid = made(&request).unwrap();
        assert_eq!(
            labels(&grid)[..2],
            ["Americas, wealth 4", "Americas, wealth 9"]
        );
        assert_eq!(grid.x[..4], [0.0, 50.0, 0.0, 50.0]);
        assert_eq!(grid.groups[1].rows, 2..4);
    }

    #[test]
    fn what_cannot_be_is_said() {
        let fault = |request: Request| made(&request).unwrap_err();
        let planet = fault(request("planet", GroupKind::Known));
        assert!(
            planet.contains("it reads country, region, spend, wealth"),
            "{planet}"
        );
        let outcome = fault(request("y", GroupKind::Known));
        assert!(outcome.contains("is what is predicted"), "{outcome}");
        let mut text = request("country", GroupKind::Known);
        text.vary[0].0 = "region".to_string();
        assert!(fault(text).contains("--by region"));
        let number = fault(request("wealth", GroupKind::New));
        assert!(number.contains("--at wealth=1"), "{number}");
        let mut nothing = request("country", GroupKind::New);
        nothing.by.clear();
        let nothing = fault(nothing);
        assert!(
            nothing.contains("--group new --by country,region"),
            "{nothing}"
        );
    }
}
