//! From a figure to a scene: places for panels, axes and words, in pixels.

mod header;
mod panel;

use super::figure::{Axis, Figure, Layer, Panel, Ticks};
use super::font;
use super::palette::{GREY, INK};
use super::scene::{Anchor, Mark, Rectangle, Scene, Text, Weight};
use super::ticks;

/// White around everything.
const MARGIN: f64 = 18.0;
/// Letters of ticks.
const TICK_SIZE: f64 = 11.0;
/// Letters of axes and of labels within panels.
const LABEL_SIZE: f64 = 11.5;
/// Letters of panels' headings.
const PANEL_SIZE: f64 = 12.5;
/// Between columns of panels.
const GUTTER: f64 = 24.0;

impl Figure {
    /// The figure laid out in pixels.
    pub fn scene(&self) -> Scene {
        let mut marks = Vec::new();
        let top = header::draw(self, &mut marks);
        let grid = Grid::new(self, top);
        for (index, panel) in self.panels.iter().enumerate() {
            grid.draw_panel(index, panel, &mut marks);
        }
        let bottom = grid.draw_shared_label(&mut marks);
        let height = header::draw_note(self, bottom, &mut marks);
        Scene {
            width: self.width,
            height: height + MARGIN,
            title: self.title.clone(),
            marks,
        }
    }

    /// The figure as a standalone SVG document.
    pub fn svg(&self) -> String {
        self.scene().svg()
    }
}

/// An axis with its range and ticks decided, and its place in pixels.
struct Placed {
    range: (f64, f64),
    is_logarithmic: bool,
    ticks: Vec<(f64, String)>,
    /// Pixels of the range's ends.
    pixels: (f64, f64),
}

impl Placed {
    fn new(axis: &Axis, range: (f64, f64), pixels: (f64, f64), distance: f64) -> Self {
        let wanted = ((pixels.1 - pixels.0).abs() / distance).round().max(2.0) as usize;
        Placed {
            range,
            is_logarithmic: axis.is_logarithmic,
            ticks: placed_ticks(axis, range, wanted),
            pixels,
        }
    }

    fn pixel(&self, value: f64) -> f64 {
        let share = axis_share(self.range, self.is_logarithmic, value);
        self.pixels.0 + share * (self.pixels.1 - self.pixels.0)
    }
}

/// Where a value lies between the ends of a range, from 0 to 1.
pub(super) fn axis_share(range: (f64, f64), is_logarithmic: bool, value: f64) -> f64 {
    if is_logarithmic {
        libm::log(value / range.0) / libm::log(range.1 / range.0)
    } else {
        (value - range.0) / (range.1 - range.0)
    }
}

/// The ticks of an axis with their words.
pub(super) fn placed_ticks(axis: &Axis, range: (f64, f64), wanted: usize) -> Vec<(f64, String)> {
    match &axis.ticks {
        Ticks::At(ticks) => ticks.clone(),
        Ticks::Nice if axis.is_logarithmic => {
            let ticks = ticks::logarithmic(range, wanted);
            let texts = ticks::texts_each(&ticks);
            ticks.into_iter().zip(texts).collect()
        }
        Ticks::Nice => {
            let ticks = ticks::linear(range, wanted);
            let texts = ticks::texts(&ticks);
            ticks.into_iter().zip(texts).collect()
        }
    }
}

/// Where the panels are.
struct Grid<'a> {
    figure: &'a Figure,
    columns: usize,
    /// The inside of each panel.
    insides: Vec<Rectangle>,
    /// The line under the last ticks.
    bottom: f64,
}

/// Distances between ticks that look neither crowded nor empty, in pixels.
const TICK_DISTANCE: (f64, f64) = (72.0, 44.0);

impl<'a> Grid<'a> {
    fn new(figure: &'a Figure, top: f64) -> Self {
        let columns = figure.grid_columns();
        let height = figure
            .panel_height
            .unwrap_or([340.0, 240.0, 180.0, 150.0][columns.min(4) - 1]);
        let left: Vec<f64> = (0..columns)
            .map(|column| tick_space(figure, column, columns, height))
            .collect();
        let right = label_space(figure);
        let inside = figure.width - 2.0 * MARGIN - GUTTER * (columns - 1) as f64;
        let width = (inside - left.iter().sum::<f64>() - right * columns as f64) / columns as f64;
        // Narrower panels cannot be read; the figure should have fewer columns.
        let width = width.max(40.0);
        let mut grid = Grid {
            figure,
            columns,
            insides: Vec::new(),
            bottom: top,
        };
        let mut y = top;
        for row in 0..figure.panels.len().div_ceil(columns) {
            let panels = row * columns..((row + 1) * columns).min(figure.panels.len());
            y += grid.space_above(panels.clone());
            let mut x = MARGIN;
            for space in left.iter().take(panels.len()) {
                grid.insides.push(Rectangle {
                    left: x + space,
                    top: y,
                    width,
                    height,
                });
                x += space + width + right + GUTTER;
            }
            y += height;
            grid.bottom = y + grid.space_below(panels);
            y = grid.bottom + 12.0;
        }
        grid
    }

    /// Headings and labels of own vertical axes.
    fn space_above(&self, panels: std::ops::Range<usize>) -> f64 {
        let panels = &self.figure.panels[panels];
        let heading = panels.iter().any(|panel| !panel.title.is_empty());
        let label = panels.iter().any(|panel| own_label(&panel.y).is_some());
        let mut space = 6.0 + rule_space(self.figure);
        if heading {
            space += 16.0;
        }
        if label {
            space += 17.0;
        }
        space
    }

    /// Ticks and labels of horizontal axes.
    fn space_below(&self, panels: std::ops::Range<usize>) -> f64 {
        let ticks = panels.clone().any(|index| self.shows_x(index));
        let label = self.figure.panels[panels]
            .iter()
            .any(|panel| own_label(&panel.x).is_some());
        let mut space = 0.0;
        if ticks {
            space += 20.0;
        }
        if label {
            space += 17.0;
        }
        space
    }

    /// A shared axis has its ticks under the last panel of each column.
    fn shows_x(&self, index: usize) -> bool {
        let panel = &self.figure.panels[index];
        panel.x.is_some() || index + self.columns >= self.figure.panels.len()
    }

    /// A shared axis has its ticks left of the first panel of each row.
    fn shows_y(&self, index: usize) -> bool {
        self.figure.panels[index].y.is_some() || index.is_multiple_of(self.columns)
    }

    fn placed(&self, index: usize) -> (Placed, Placed) {
        let (panel, inside) = (&self.figure.panels[index], &self.insides[index]);
        let [(x, _), (y, _)] = self.figure.axes(panel);
        let ranges = (self.figure.range(panel, 0), self.figure.range(panel, 1));
        let across = (inside.left, inside.right());
        let upwards = (inside.bottom(), inside.top);
        (
            Placed::new(x, ranges.0, across, TICK_DISTANCE.0),
            Placed::new(y, ranges.1, upwards, TICK_DISTANCE.1),
        )
    }

    fn draw_panel(&self, index: usize, panel: &Panel, marks: &mut Vec<Mark>) {
        let (x, y) = self.placed(index);
        let drawing = panel::Drawing {
            inside: self.insides[index],
            x,
            y,
            right: label_space(self.figure),
            above: rule_space(self.figure),
        };
        let own_y = own_label(&panel.y);
        drawing.heading(&panel.title, own_y, marks);
        drawing.frame(self.shows_x(index), self.shows_y(index), marks);
        if let Some(label) = own_label(&panel.x) {
            let at = (
                self.insides[index].left + self.insides[index].width / 2.0,
                0.0,
            );
            let y = self.insides[index].bottom() + 33.0;
            marks.push(words(label, (at.0, y), Anchor::Middle, LABEL_SIZE));
        }
        drawing.layers(&panel.layers, marks);
    }

    /// The label of the shared horizontal axis, under the middle of the grid; the line under it.
    fn draw_shared_label(&self, marks: &mut Vec<Mark>) -> f64 {
        let shared = self.figure.panels.iter().any(|panel| panel.x.is_none());
        if !shared || self.figure.x.label.is_empty() {
            return self.bottom;
        }
        let left = self.insides.first().map_or(0.0, |inside| inside.left);
        let right = (self.insides.iter()).fold(left, |right, inside| right.max(inside.right()));
        let at = ((left + right) / 2.0, self.bottom + 15.0);
        marks.push(words(&self.figure.x.label, at, Anchor::Middle, LABEL_SIZE));
        self.bottom + 20.0
    }
}

fn own_label(axis: &Option<Axis>) -> Option<&str> {
    let label = axis.as_ref().map(|axis| axis.label.as_str());
    label.filter(|label| !label.is_empty())
}

fn words(text: &str, at: (f64, f64), anchor: Anchor, size: f64) -> Mark {
    Mark::Text(Text {
        text: text.to_string(),
        at,
        anchor,
        size,
        weight: Weight::Regular,
        colour: if size < LABEL_SIZE { GREY } else { INK },
        halo: false,
    })
}

/// The width of a column's tick words on the left of its panels.
fn tick_space(figure: &Figure, column: usize, columns: usize, height: f64) -> f64 {
    let mut widest = 0.0f64;
    for panel in figure.panels.iter().skip(column).step_by(columns) {
        let [_, (axis, is_own)] = figure.axes(panel);
        if !is_own && column > 0 {
            continue;
        }
        let range = figure.range(panel, 1);
        let placed = Placed::new(axis, range, (height, 0.0), TICK_DISTANCE.1);
        for (_, text) in &placed.ticks {
            widest = widest.max(font::width(text, TICK_SIZE, Weight::Regular));
        }
    }
    if widest > 0.0 { widest + 8.0 } else { 0.0 }
}

/// The width of the words at the right ends of lines and rules.
fn label_space(figure: &Figure) -> f64 {
    let mut widest = 0.0f64;
    for layer in figure.panels.iter().flat_map(|panel| &panel.layers) {
        let label = match layer {
            Layer::Line(line) => &line.label,
            Layer::Rule {
                is_vertical: false,
                label,
                ..
            } => label,
            _ => continue,
        };
        widest = widest.max(font::width(label, LABEL_SIZE, Weight::Regular));
    }
    if widest > 0.0 { widest + 10.0 } else { 0.0 }
}

/// The height of the words above upright rules.
fn rule_space(figure: &Figure) -> f64 {
    let is_labelled = |layer: &Layer| matches!(layer, Layer::Rule { is_vertical: true, label, .. } if !label.is_empty());
    let mut layers = figure.panels.iter().flat_map(|panel| &panel.layers);
    if layers.any(is_labelled) { 15.0 } else { 0.0 }
}
