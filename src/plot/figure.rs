//! What a figure says, in the units of its data: panels with layers, axes, keys, and the words around them.

use super::palette::{Colour, GREY};

/// Dashes of rules and of lines that are not data.
pub const RULE_DASH: [f64; 2] = [4.0, 4.0];

/// A figure: a grid of panels that share their axes unless a panel brings its own.
#[derive(Clone, Debug, PartialEq)]
pub struct Figure {
    /// What the figure shows, as a heading.
    pub title: String,
    /// How to read it.
    pub subtitle: String,
    /// What stands below in small letters: sources, numbers of draws.
    pub note: String,
    /// The panels, row by row.
    pub panels: Vec<Panel>,
    /// Panels beside each other; `None` chooses by their number.
    pub columns: Option<usize>,
    /// The legend, one line above the panels.
    pub keys: Vec<Key>,
    /// The horizontal axis that panels share.
    pub x: Axis,
    /// The vertical axis that panels share.
    pub y: Axis,
    /// Width in pixels at 100 %.
    pub width: f64,
    /// Height of each panel's inside; `None` chooses by the number of columns.
    pub panel_height: Option<f64>,
}

impl Default for Figure {
    fn default() -> Self {
        Figure {
            title: String::new(),
            subtitle: String::new(),
            note: String::new(),
            panels: Vec::new(),
            columns: None,
            keys: Vec::new(),
            x: Axis::default(),
            y: Axis::default(),
            // The width of a page's text at 96 dots per inch.
            width: 720.0,
            panel_height: None,
        }
    }
}

impl Figure {
    /// How many panels stand beside each other.
    pub(super) fn grid_columns(&self) -> usize {
        let count = self.panels.len().max(1);
        let chosen = self.columns.unwrap_or(match count {
            1 => 1,
            2 | 4 => 2,
            3 | 5..=9 => 3,
            _ => 4,
        });
        chosen.clamp(1, count)
    }

    /// A panel's axes, and whether they are its own.
    pub(super) fn axes<'a>(&'a self, panel: &'a Panel) -> [(&'a Axis, bool); 2] {
        let pick = |own: &'a Option<Axis>, shared: &'a Axis| match own {
            Some(own) => (own, true),
            None => (shared, false),
        };
        [pick(&panel.x, &self.x), pick(&panel.y, &self.y)]
    }

    /// The range of a panel's axis (0: x, 1: y): its own data's, or that of all panels that share the axis.
    pub(super) fn range(&self, panel: &Panel, axis: usize) -> (f64, f64) {
        let (chosen, is_own) = self.axes(panel)[axis];
        if let Some(range) = chosen.range {
            return range;
        }
        let mut values = Vec::new();
        if is_own {
            panel.values(axis, &mut values);
        } else {
            let sharing = self.panels.iter();
            for panel in sharing.filter(|panel| !self.axes(panel)[axis].1) {
                panel.values(axis, &mut values);
            }
        }
        if let Ticks::At(ticks) = &chosen.ticks {
            values.extend(ticks.iter().map(|(at, _)| *at));
        }
        chosen.padded(&values)
    }
}

/// An axis.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Axis {
    /// What it measures, with the unit.
    pub label: String,
    /// From where to where; `None` holds the data and a little more.
    pub range: Option<(f64, f64)>,
    /// Whether equal distances are equal ratios.
    pub is_logarithmic: bool,
    /// Where the ticks are.
    pub ticks: Ticks,
}

/// The ticks of an axis.
#[derive(Clone, Debug, Default, PartialEq)]
pub enum Ticks {
    /// At round numbers.
    #[default]
    Nice,
    /// At given places, with given words: categories.
    At(Vec<(f64, String)>),
}

impl Axis {
    /// A linear axis that holds the data.
    pub fn new(label: impl Into<String>) -> Self {
        Axis {
            label: label.into(),
            ..Axis::default()
        }
    }

    /// A logarithmic axis that holds the data.
    pub fn logarithmic(label: impl Into<String>) -> Self {
        Axis {
            is_logarithmic: true,
            ..Axis::new(label)
        }
    }

    /// Categories at 1, 2, 3 and so on; the first is leftmost or lowest.
    pub fn categories(label: impl Into<String>, names: &[String]) -> Self {
        let ticks = (1..)
            .zip(names)
            .map(|(at, name)| (f64::from(at), name.clone()));
        Axis {
            range: Some((0.4, names.len() as f64 + 0.6)),
            ticks: Ticks::At(ticks.collect()),
            ..Axis::new(label)
        }
    }

    /// The range of values with a margin, so that no mark touches the frame.
    fn padded(&self, values: &[f64]) -> (f64, f64) {
        let usable = |value: &&f64| value.is_finite() && (!self.is_logarithmic || **value > 0.0);
        let (mut low, mut high) = (f64::INFINITY, f64::NEG_INFINITY);
        for &value in values.iter().filter(usable) {
            (low, high) = (low.min(value), high.max(value));
        }
        if low > high {
            return if self.is_logarithmic {
                (1.0, 10.0)
            } else {
                (0.0, 1.0)
            };
        }
        // A twenty-fifth on either side: a guess that pleases.
        const MARGIN: f64 = 0.04;
        if self.is_logarithmic {
            let factor = libm::exp(MARGIN * libm::log(high / low));
            let factor = if high > low { factor } else { 2.0 };
            return (low / factor, high * factor);
        }
        let margin = match MARGIN * (high - low) {
            margin if margin > 0.0 => margin,
            _ if low == 0.0 => 1.0,
            _ => 0.1 * low.abs(),
        };
        (low - margin, high + margin)
    }
}

/// A panel.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Panel {
    /// Its heading.
    pub title: String,
    /// What it draws, from back to front.
    pub layers: Vec<Layer>,
    /// Its own horizontal axis, if it does not share the figure's.
    pub x: Option<Axis>,
    /// Its own vertical axis, if it does not share the figure's.
    pub y: Option<Axis>,
}

impl Panel {
    /// The coordinates along an axis (0: x, 1: y) that its axis should hold.
    fn values(&self, axis: usize, values: &mut Vec<f64>) {
        let pick = |point: (f64, f64)| if axis == 0 { point.0 } else { point.1 };
        for layer in &self.layers {
            match layer {
                Layer::Line(line) => values.extend(line.points.iter().map(|&at| pick(at))),
                Layer::Ribbon { points, .. } => {
                    for &[x, low, high] in points {
                        values.extend([pick((x, low)), pick((x, high))]);
                    }
                }
                Layer::Dots(dots) => values.extend(dots.iter().map(|dot| pick(dot.at))),
                Layer::Segments { pairs, .. } => {
                    values.extend(pairs.iter().flatten().map(|&at| pick(at)));
                }
                Layer::Rule {
                    at, is_vertical, ..
                } => {
                    if *is_vertical == (axis == 0) {
                        values.push(*at);
                    }
                }
                Layer::Labels { .. } => {}
            }
        }
    }
}

/// A layer of a panel.
#[derive(Clone, Debug, PartialEq)]
pub enum Layer {
    /// A line through points.
    Line(Line),
    /// The area between two lines.
    Ribbon {
        /// x, lower y, upper y.
        points: Vec<[f64; 3]>,
        /// Its colour.
        colour: Colour,
        /// How much of what is below it hides, from 0 to 1.
        opacity: f64,
    },
    /// Points.
    Dots(Vec<Dot>),
    /// Straight lines, each from one point to another.
    Segments {
        /// From where to where.
        pairs: Vec<[(f64, f64); 2]>,
        /// Their colour.
        colour: Colour,
        /// Their width in pixels.
        width: f64,
        /// How much of what is below they hide, from 0 to 1.
        opacity: f64,
        /// Whether an arrow's head is at the end.
        has_head: bool,
        /// How many pixels before its end each stops, to leave room for a dot.
        gap: f64,
    },
    /// Words beside points: as many as find room, the first ones first.
    Labels {
        /// The points and their words.
        labels: Vec<((f64, f64), String)>,
        /// Their colour.
        colour: Colour,
    },
    /// A line through the whole panel.
    Rule {
        /// Where it cuts the other axis.
        at: f64,
        /// Whether it stands upright.
        is_vertical: bool,
        /// What it stands for; may be empty.
        label: String,
        /// Its colour.
        colour: Colour,
        /// Whether it is broken.
        is_dashed: bool,
    },
}

impl Layer {
    /// A broken grey line through the whole panel.
    pub fn rule(at: f64, is_vertical: bool, label: impl Into<String>) -> Self {
        Layer::Rule {
            at,
            is_vertical,
            label: label.into(),
            colour: GREY,
            is_dashed: true,
        }
    }
}

/// A line through points.
#[derive(Clone, Debug, PartialEq)]
pub struct Line {
    /// The points, in order; a point that is not finite interrupts the line.
    pub points: Vec<(f64, f64)>,
    /// Its colour.
    pub colour: Colour,
    /// Its width in pixels.
    pub width: f64,
    /// Whether it is broken.
    pub is_dashed: bool,
    /// What stands at its right end; may be empty.
    pub label: String,
}

impl Line {
    /// An unbroken line of two pixels without a label.
    pub fn new(points: Vec<(f64, f64)>, colour: Colour) -> Self {
        Line {
            points,
            colour,
            width: 2.0,
            is_dashed: false,
            label: String::new(),
        }
    }
}

/// A point.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Dot {
    /// Where it is.
    pub at: (f64, f64),
    /// Its radius in pixels.
    pub radius: f64,
    /// Its colour.
    pub colour: Colour,
    /// Whether it is a disc or a ring.
    pub is_filled: bool,
    /// How much of what is below it hides, from 0 to 1.
    pub opacity: f64,
}

/// The radius in pixels of a dot whose area stands for a size, so that the largest one has radius 7.
pub fn size_radius(size: f64, largest: f64) -> f64 {
    const LARGEST: f64 = 7.0;
    // A dot that is smaller cannot be told from dust.
    const SMALLEST: f64 = 1.8;
    let share = if largest > 0.0 { size / largest } else { 1.0 };
    (LARGEST * share.clamp(0.0, 1.0).sqrt()).max(SMALLEST)
}

/// An entry of the legend.
#[derive(Clone, Debug, PartialEq)]
pub struct Key {
    /// What the mark stands for.
    pub label: String,
    /// The mark.
    pub mark: KeyMark,
}

/// The marks of a legend.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum KeyMark {
    /// A line.
    Line {
        /// Its colour.
        colour: Colour,
        /// Whether it is broken.
        is_dashed: bool,
    },
    /// A ribbon.
    Band {
        /// Its colour.
        colour: Colour,
        /// Its opacity.
        opacity: f64,
    },
    /// A dot.
    Dot {
        /// Its colour.
        colour: Colour,
        /// Its radius.
        radius: f64,
        /// Whether it is a disc or a ring.
        is_filled: bool,
    },
    /// An arrow.
    Arrow {
        /// Its colour.
        colour: Colour,
    },
}
