//! The classic picture: each group's own estimate, pulled towards the population, the more the less the group knows.

use super::comparison::{Coefficient, Comparison, Group};
use crate::plot::{
    Axis, BLUE, Dot, Figure, GREY, INK, Key, KeyMark, Layer, Panel, VERMILLION, size_radius,
};

/// Up to so many groups each has a row with its name; more are points over their size.
const MOST_ROWS: usize = 40;
/// Groups that are named among many: those that move furthest.
const NAMED: usize = 8;
/// Radius of a partially pooled estimate.
const RADIUS: f64 = 3.6;

impl Comparison {
    /// The picture of all coefficients, one panel each.
    pub fn figure(&self) -> Figure {
        let groups = self.coefficients.first().map_or(0, |c| c.groups.len());
        if groups <= MOST_ROWS {
            self.rows(groups)
        } else {
            self.scatter()
        }
    }

    fn titled(&self, shown: &str) -> Figure {
        let factors: Vec<String> = (self.coefficients.iter())
            .map(|coefficient| match coefficient.label.as_str() {
                "" => format!("{:.2}", coefficient.pooling_factor),
                label => format!("{:.2} ({label})", coefficient.pooling_factor),
            })
            .collect();
        Figure {
            title: format!(
                "{} by {}: no, partial and complete pooling",
                self.effect, self.groups
            ),
            subtitle: format!(
                "Each group's own estimate is pulled towards what groups have in common, the more the less it \
                 knows itself. {shown}"
            ),
            note: format!(
                "Pooling factor λ = {} (Gelman and Pardoe 2006).",
                factors.join(", ")
            ),
            keys: vec![
                key(
                    "no pooling, area by n",
                    KeyMark::Dot {
                        colour: VERMILLION,
                        radius: 5.0,
                        is_filled: false,
                    },
                ),
                key(
                    "partial pooling",
                    KeyMark::Dot {
                        colour: BLUE,
                        radius: RADIUS,
                        is_filled: true,
                    },
                ),
            ],
            ..Figure::default()
        }
    }

    /// A row per group, in the order of the first coefficient's own estimates.
    fn rows(&self, groups: usize) -> Figure {
        let mut order: Vec<usize> = (0..groups).collect();
        if let Some(first) = self.coefficients.first() {
            let own = |group: usize| match first.groups[group].none.mean {
                mean if mean.is_finite() => mean,
                // Undetermined: where partial pooling puts it.
                _ => first.groups[group].partial.mean,
            };
            order.sort_by(|&a, &b| own(a).total_cmp(&own(b)));
        }
        let labels = self.coefficients.first().map_or(Vec::new(), |first| {
            let label = |&group: &usize| {
                let Group { label, count, .. } = &first.groups[group];
                format!("{label} (n = {count})")
            };
            order.iter().map(label).collect()
        });
        let mut figure = self.titled("Bars: 95 % ranges of partial pooling.");
        let is_rule = self
            .coefficients
            .iter()
            .all(|c| common_complete(c).is_some());
        figure.keys.push(complete_key(is_rule));
        figure.panels = (self.coefficients.iter())
            .map(|coefficient| row_panel(coefficient, &order, &self.effect))
            .collect();
        figure.columns = Some(self.coefficients.len().clamp(1, 3));
        figure.y = Axis::categories("", &labels);
        figure.panel_height = Some((groups as f64 * 19.0).max(90.0));
        figure
    }

    /// Estimates over the number of observations.
    fn scatter(&self) -> Figure {
        let mut figure = self.titled("");
        let is_rule = self
            .coefficients
            .iter()
            .all(|c| common_complete(c).is_some());
        figure.keys.push(complete_key(is_rule));
        figure.panels = (self.coefficients.iter())
            .map(|coefficient| scatter_panel(coefficient, &self.effect))
            .collect();
        figure.columns = Some(self.coefficients.len().clamp(1, 2));
        let (least, most) = (self.coefficients.iter().flat_map(|c| &c.groups))
            .fold((usize::MAX, 0), |(least, most), group| {
                (least.min(group.count), most.max(group.count))
            });
        figure.x = if least > 0 && most > 4 * least {
            Axis::logarithmic("observations in the group, n")
        } else {
            Axis::new("observations in the group, n")
        };
        figure.panel_height = (self.coefficients.len() == 1).then_some(380.0);
        figure
    }
}

fn key(label: &str, mark: KeyMark) -> Key {
    Key {
        label: label.to_string(),
        mark,
    }
}

fn complete_key(is_rule: bool) -> Key {
    let mark = if is_rule {
        KeyMark::Line {
            colour: GREY,
            is_dashed: true,
        }
    } else {
        KeyMark::Dot {
            colour: GREY,
            radius: 2.4,
            is_filled: true,
        }
    };
    key("complete pooling", mark)
}

/// The completely pooled estimate, if it is the same for every group.
fn common_complete(coefficient: &Coefficient) -> Option<f64> {
    let first = coefficient.groups.first()?.complete.mean;
    let scale = (coefficient.groups.iter())
        .map(|group| group.partial.deviation)
        .fold(0.0, f64::max);
    let is_same =
        |group: &Group| (group.complete.mean - first).abs() <= 1e-9 * (scale + first.abs());
    coefficient.groups.iter().all(is_same).then_some(first)
}

fn largest_count(coefficient: &Coefficient) -> f64 {
    let counts = coefficient.groups.iter().map(|group| group.count);
    counts.max().unwrap_or(1) as f64
}

fn own_dot(at: (f64, f64), group: &Group, largest: f64) -> Dot {
    Dot {
        at,
        radius: size_radius(group.count as f64, largest).max(2.6),
        colour: VERMILLION,
        is_filled: false,
        opacity: 1.0,
    }
}

fn row_panel(coefficient: &Coefficient, order: &[usize], effect: &str) -> Panel {
    let largest = largest_count(coefficient);
    let mut ranges = Vec::new();
    let mut arrows = Vec::new();
    let (mut own, mut complete, mut partial) = (Vec::new(), Vec::new(), Vec::new());
    for (row, &place) in order.iter().enumerate() {
        let group = &coefficient.groups[place];
        let y = row as f64 + 1.0;
        let (low, high) = group.partial.range;
        ranges.push([(low, y), (high, y)]);
        if group.none.mean.is_finite() {
            arrows.push([(group.none.mean, y), (group.partial.mean, y)]);
            own.push(own_dot((group.none.mean, y), group, largest));
        }
        complete.push(Dot {
            at: (group.complete.mean, y),
            radius: 2.4,
            colour: GREY,
            is_filled: true,
            opacity: 1.0,
        });
        partial.push(Dot {
            at: (group.partial.mean, y),
            radius: RADIUS,
            colour: BLUE,
            is_filled: true,
            opacity: 1.0,
        });
    }
    let common = match common_complete(coefficient) {
        Some(at) => Layer::rule(at, true, ""),
        None => Layer::Dots(complete),
    };
    let bars = Layer::Segments {
        pairs: ranges,
        colour: BLUE,
        width: 4.0,
        opacity: 0.22,
        has_head: false,
        gap: 0.0,
    };
    Panel {
        title: coefficient.label.clone(),
        layers: vec![
            common,
            bars,
            pulls(arrows, 1.2, 0.9),
            Layer::Dots(own),
            Layer::Dots(partial),
        ],
        x: Some(Axis::new(effect)),
        y: None,
    }
}

fn pulls(pairs: Vec<[(f64, f64); 2]>, width: f64, opacity: f64) -> Layer {
    Layer::Segments {
        pairs,
        colour: GREY,
        width,
        opacity,
        has_head: true,
        gap: RADIUS + 1.5,
    }
}

fn scatter_panel(coefficient: &Coefficient, effect: &str) -> Panel {
    let largest = largest_count(coefficient);
    let mut moves = Vec::new();
    let (mut own, mut complete, mut partial) = (Vec::new(), Vec::new(), Vec::new());
    for (place, group) in coefficient.groups.iter().enumerate() {
        let x = spread(group.count as f64, place);
        if group.none.mean.is_finite() {
            moves.push((
                [(x, group.none.mean), (x, group.partial.mean)],
                &group.label,
            ));
            own.push(own_dot((x, group.none.mean), group, largest));
        }
        complete.push(Dot {
            at: (x, group.complete.mean),
            radius: 2.0,
            colour: GREY,
            is_filled: true,
            opacity: 1.0,
        });
        partial.push(Dot {
            at: (x, group.partial.mean),
            radius: RADIUS - 0.6,
            colour: BLUE,
            is_filled: true,
            opacity: 1.0,
        });
    }
    let arrows = moves.iter().map(|(pair, _)| *pair).collect();
    let distance = |pair: &[(f64, f64); 2]| (pair[0].1 - pair[1].1).abs();
    moves.sort_by(|(a, _), (b, _)| distance(b).total_cmp(&distance(a)));
    let labels = moves.iter().take(NAMED);
    let labels = labels
        .map(|(pair, label)| (pair[0], (*label).clone()))
        .collect();
    let common = match common_complete(coefficient) {
        Some(at) => Layer::rule(at, false, ""),
        None => Layer::Dots(complete),
    };
    Panel {
        title: coefficient.label.clone(),
        layers: vec![
            common,
            pulls(arrows, 0.9, 0.55),
            Layer::Dots(own),
            Layer::Dots(partial),
            Layer::Labels {
                labels,
                colour: INK,
            },
        ],
        x: None,
        y: Some(Axis::new(match coefficient.label.as_str() {
            "" => effect,
            label => label,
        })),
    }
}

/// Groups of one size beside each other, within a tenth of their size: by the golden ratio, so that neighbours part.
fn spread(count: f64, place: usize) -> f64 {
    const GOLDEN: f64 = 0.618_033_988_749_894_9;
    let turn = (place as f64 * GOLDEN).fract() - 0.5;
    count.max(1.0) * (1.0 + 0.2 * turn)
}
