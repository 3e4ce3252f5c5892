//! Figures in characters: lines in braille (two by four dots a cell), ribbons in shades, points as circles.

mod sheet;

use super::figure::{Axis, Dot, Figure, Key, KeyMark, Layer, Panel, Ticks};
use super::layout::{axis_share, placed_ticks};
use super::palette::{Colour, GREY, INK};
use sheet::{Canvas, Sheet};

/// Panels narrower than this cannot be read; fewer stand beside each other then.
const NARROWEST: usize = 30;
/// More points than this in a panel are drawn as braille, since circles would cover each other.
const MOST_CIRCLES: usize = 60;
/// Characters between panels.
const GAP: usize = 2;

impl Figure {
    /// The figure in lines of at most `columns` characters, with escape codes for colour if `colour`.
    pub fn terminal(&self, columns: usize, colour: bool) -> String {
        let columns = columns.max(NARROWEST);
        let mut sheet = Sheet::new();
        sheet.paragraph(&self.title, columns, INK);
        sheet.paragraph(&self.subtitle, columns, GREY);
        self.legend(columns, &mut sheet);
        if self.panels.iter().any(|panel| panel.y.is_none()) && !self.y.label.is_empty() {
            sheet.skip();
            sheet.paragraph(&self.y.label, columns, INK);
        }
        let fitting = ((columns + GAP) / (NARROWEST + GAP)).max(1);
        let beside = self.grid_columns().min(fitting);
        let width = (columns + GAP) / beside - GAP;
        for row in self.panels.chunks(beside) {
            let top = sheet.height();
            for (place, panel) in row.iter().enumerate() {
                let block = Block {
                    figure: self,
                    panel,
                    left: place * (width + GAP),
                    width,
                    height: self.rows(panel, beside),
                };
                block.draw(top, &mut sheet);
            }
        }
        if self.panels.iter().any(|panel| panel.x.is_none()) {
            sheet.centred(&self.x.label, columns, INK);
        }
        sheet.paragraph(&self.note, columns, GREY);
        sheet.text(colour)
    }

    /// Rows of a panel's inside: one per category where the axis has some.
    fn rows(&self, panel: &Panel, beside: usize) -> usize {
        match &self.axes(panel)[1].0.ticks {
            Ticks::At(ticks) => ticks.len().max(3),
            Ticks::Nice => [18, 12, 10][beside.min(3) - 1],
        }
    }

    fn legend(&self, columns: usize, sheet: &mut Sheet) {
        if self.keys.is_empty() {
            return;
        }
        let (mut x, mut y) = (0, sheet.height());
        for Key { label, mark } in &self.keys {
            let (sign, colour) = match *mark {
                KeyMark::Line {
                    colour,
                    is_dashed: false,
                } => ("──", colour),
                KeyMark::Line { colour, .. } => ("╌╌", colour),
                KeyMark::Band { colour, opacity } => {
                    (["░░", "▒▒", "▓▓"][shade(opacity) as usize], colour)
                }
                KeyMark::Dot {
                    colour,
                    is_filled: true,
                    ..
                } => ("●", colour),
                KeyMark::Dot { colour, .. } => ("○", colour),
                KeyMark::Arrow { colour } => ("─→", colour),
            };
            let width = sign.chars().count() + 1 + label.chars().count();
            if x > 0 && x + width > columns {
                (x, y) = (0, y + 1);
            }
            sheet.write(x, y, sign, colour);
            sheet.write(x + sign.chars().count() + 1, y, label, INK);
            x += width + 3;
        }
    }
}

/// How dark a ribbon is, 0 to 2: the opacities of 95, 80 and 50 % ranges fall on different shades.
fn shade(opacity: f64) -> u8 {
    match opacity {
        opacity if opacity < 0.2 => 0,
        opacity if opacity < 0.32 => 1,
        _ => 2,
    }
}

/// A panel and its place.
struct Block<'a> {
    figure: &'a Figure,
    panel: &'a Panel,
    left: usize,
    width: usize,
    height: usize,
}

/// An axis with its ticks decided.
struct Scale {
    range: (f64, f64),
    is_logarithmic: bool,
    ticks: Vec<(f64, String)>,
}

impl Scale {
    fn new(axis: &Axis, range: (f64, f64), wanted: usize) -> Self {
        Scale {
            range,
            is_logarithmic: axis.is_logarithmic,
            ticks: placed_ticks(axis, range, wanted.max(2)),
        }
    }

    fn share(&self, value: f64) -> f64 {
        axis_share(self.range, self.is_logarithmic, value)
    }
}

impl Block<'_> {
    fn draw(&self, top: usize, sheet: &mut Sheet) {
        let [(x_axis, own_x), (y_axis, own_y)] = self.figure.axes(self.panel);
        let mut y = top;
        for (heading, shown) in [(&self.panel.title, true), (&y_axis.label, own_y)] {
            if shown && !heading.is_empty() {
                let heading: String = heading.chars().take(self.width).collect();
                sheet.write(self.left, y, &heading, INK);
                y += 1;
            }
        }
        let range = self.figure.range(self.panel, 1);
        let vertical = Scale::new(y_axis, range, self.height / 3);
        let words = vertical.ticks.iter().map(|(_, text)| text.chars().count());
        // Names of categories may be long; the picture keeps at least half of the width.
        let words = words.max().unwrap_or(0).min(self.width / 2);
        let inside = self.width - words - 2;
        let range = self.figure.range(self.panel, 0);
        let horizontal = Scale::new(x_axis, range, inside / 11);
        let left = self.left + words + 2;

        self.vertical_axis((left, y), words, &vertical, sheet);
        let mut canvas = Canvas::new(inside, self.height);
        self.layers(&horizontal, &vertical, &mut canvas);
        canvas.print((left, y), sheet);
        self.horizontal_axis((left, y + self.height), inside, &horizontal, sheet);
        if own_x && !x_axis.label.is_empty() {
            let length = x_axis.label.chars().count().min(inside);
            let label: String = x_axis.label.chars().take(inside).collect();
            let at = left + (inside - length) / 2;
            sheet.write(at, y + self.height + 2, &label, INK);
        }
    }

    fn vertical_axis(
        &self,
        (left, top): (usize, usize),
        words: usize,
        scale: &Scale,
        sheet: &mut Sheet,
    ) {
        for row in 0..self.height {
            sheet.write(left - 1, top + row, "│", GREY);
        }
        for (at, text) in &scale.ticks {
            let share = scale.share(*at);
            if !(0.0..=1.0).contains(&share) {
                continue;
            }
            let row = (((1.0 - share) * self.height as f64) as usize).min(self.height - 1);
            let text: String = text.chars().take(words).collect();
            let start = left - 1 - text.chars().count();
            sheet.write(start, top + row, &text, GREY);
            sheet.write(left - 1, top + row, "┤", GREY);
        }
    }

    fn horizontal_axis(
        &self,
        (left, top): (usize, usize),
        inside: usize,
        scale: &Scale,
        sheet: &mut Sheet,
    ) {
        sheet.write(left - 1, top, &format!("└{}", "─".repeat(inside)), GREY);
        let mut free_from = 0;
        for (at, text) in &scale.ticks {
            let share = scale.share(*at);
            if !(0.0..=1.0).contains(&share) {
                continue;
            }
            let column = ((share * inside as f64) as usize).min(inside - 1);
            let length = text.chars().count();
            let start = column
                .saturating_sub(length / 2)
                .min(inside.saturating_sub(length));
            if start < free_from {
                continue;
            }
            sheet.write(left + column, top, "┴", GREY);
            sheet.write(left + start, top + 1, text, GREY);
            free_from = start + length + 1;
        }
    }

    fn layers(&self, x: &Scale, y: &Scale, canvas: &mut Canvas) {
        let place = |(a, b): (f64, f64)| (x.share(a), y.share(b));
        for layer in &self.panel.layers {
            match layer {
                Layer::Line(line) => {
                    for pair in line.points.windows(2) {
                        canvas.line(place(pair[0]), place(pair[1]), line.colour, line.is_dashed);
                    }
                }
                Layer::Ribbon {
                    points,
                    colour,
                    opacity,
                } => {
                    for pair in points.windows(2) {
                        let corners = [pair[0], pair[1]].map(|[at, low, high]| {
                            let (low, high) = (place((at, low)), place((at, high)));
                            [low.0, low.1, high.1]
                        });
                        canvas.ribbon(corners, *colour, shade(*opacity));
                    }
                }
                Layer::Dots(dots) => {
                    let few = dots.len() <= MOST_CIRCLES;
                    for dot in dots {
                        canvas.dot(place(dot.at), circle(dot).filter(|_| few), dot.colour);
                    }
                }
                Layer::Segments {
                    pairs,
                    colour,
                    opacity,
                    ..
                } => {
                    // Faint segments are ranges, which marks may lie on.
                    for &[from, to] in pairs {
                        if *opacity < 0.5 {
                            canvas.shaded(place(from), place(to), *colour, shade(*opacity));
                        } else {
                            canvas.line(place(from), place(to), *colour, false);
                        }
                    }
                }
                Layer::Rule {
                    at,
                    is_vertical,
                    colour,
                    is_dashed,
                    ..
                } => {
                    let (from, to) = if *is_vertical {
                        ((x.share(*at), 0.0), (x.share(*at), 1.0))
                    } else {
                        ((0.0, y.share(*at)), (1.0, y.share(*at)))
                    };
                    canvas.line(from, to, *colour, *is_dashed);
                }
                Layer::Labels { .. } => {}
            }
        }
        self.words(x, y, canvas);
    }

    /// Words at the ends of lines and at rules, inside the panel and never over a mark.
    fn words(&self, x: &Scale, y: &Scale, canvas: &mut Canvas) {
        for layer in &self.panel.layers {
            let (at, text, colour): ((f64, f64), &str, Colour) = match layer {
                Layer::Line(line) => match line.points.last() {
                    Some(&(a, b)) => ((x.share(a), y.share(b)), &line.label, line.colour),
                    None => continue,
                },
                Layer::Rule {
                    at,
                    is_vertical: false,
                    label,
                    colour,
                    ..
                } => ((1.0, y.share(*at)), label, *colour),
                _ => continue,
            };
            canvas.words(at, text, colour);
        }
    }
}

/// Small dots are braille.
fn circle(dot: &Dot) -> Option<char> {
    match dot.radius {
        radius if radius < 2.0 => None,
        _ if dot.is_filled => Some('●'),
        _ => Some('○'),
    }
}
