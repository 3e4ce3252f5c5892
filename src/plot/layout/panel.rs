//! One panel in pixels: its frame, its layers from back to front, and the words among them.

use super::{LABEL_SIZE, PANEL_SIZE, Placed, TICK_SIZE, words};
use crate::plot::figure::{Dot, Layer, Line, RULE_DASH};
use crate::plot::font;
use crate::plot::labels;
use crate::plot::palette::{Colour, GREY, INK, PALE, WHITE};
use crate::plot::scene::{Anchor, Mark, Paint, Path, Rectangle, Stroke, Text, Weight};

/// A panel about to be drawn.
pub struct Drawing {
    /// The rectangle that the axes span.
    pub inside: Rectangle,
    /// The horizontal axis.
    pub x: Placed,
    /// The vertical axis.
    pub y: Placed,
    /// Room for words right of the inside.
    pub right: f64,
    /// Room for words between the headings and the inside.
    pub above: f64,
}

impl Drawing {
    fn pixel(&self, (x, y): (f64, f64)) -> (f64, f64) {
        (self.x.pixel(x), self.y.pixel(y))
    }

    /// The panel's title, and the label of its own vertical axis below it.
    pub fn heading(&self, title: &str, label: Option<&str>, marks: &mut Vec<Mark>) {
        let mut y = self.inside.top - 8.0 - self.above;
        if let Some(label) = label {
            let at = (self.inside.left, y);
            marks.push(words(label, at, Anchor::Start, LABEL_SIZE));
            y -= 17.0;
        }
        if title.is_empty() {
            return;
        }
        let room = self.inside.width + self.right;
        marks.push(Mark::Text(Text {
            text: shortened(title, PANEL_SIZE, Weight::SemiBold, room),
            at: (self.inside.left, y),
            anchor: Anchor::Start,
            size: PANEL_SIZE,
            weight: Weight::SemiBold,
            colour: INK,
            halo: false,
        }));
    }

    /// Grid lines, the base line, and the ticks' words.
    pub fn frame(&self, shows_x: bool, shows_y: bool, marks: &mut Vec<Mark>) {
        let inside = &self.inside;
        for (at, text) in &self.y.ticks {
            let y = self.y.pixel(*at);
            if !(inside.top - 0.5..=inside.bottom() + 0.5).contains(&y) {
                continue;
            }
            let ends = [(inside.left, y), (inside.right(), y)];
            marks.push(stroked(ends, Stroke::solid(PALE, 1.0)));
            if shows_y {
                let at = (inside.left - 8.0, y + 0.36 * TICK_SIZE);
                marks.push(words(text, at, Anchor::End, TICK_SIZE));
            }
        }
        for (at, text) in &self.x.ticks {
            let x = self.x.pixel(*at);
            if !(inside.left - 0.5..=inside.right() + 0.5).contains(&x) {
                continue;
            }
            let ends = [(x, inside.top), (x, inside.bottom())];
            marks.push(stroked(ends, Stroke::solid(PALE, 1.0)));
            if shows_x {
                let at = (x, inside.bottom() + 15.0);
                marks.push(words(text, at, Anchor::Middle, TICK_SIZE));
            }
        }
        let base = [
            (inside.left, inside.bottom()),
            (inside.right(), inside.bottom()),
        ];
        marks.push(stroked(base, Stroke::solid(GREY, 1.0)));
    }

    /// The layers, clipped to the inside, then the words.
    pub fn layers(&self, layers: &[Layer], marks: &mut Vec<Mark>) {
        let mut clipped = Vec::new();
        for layer in layers {
            self.layer(layer, &mut clipped);
        }
        // Marks at the edge of an axis show in whole.
        const RIM: f64 = 4.0;
        let to = Rectangle {
            left: self.inside.left - RIM,
            top: self.inside.top - RIM,
            width: self.inside.width + 2.0 * RIM,
            height: self.inside.height + 2.0 * RIM,
        };
        marks.push(Mark::Clipped { to, marks: clipped });
        self.end_labels(layers, marks);
        self.rule_labels(layers, marks);
        self.point_labels(layers, marks);
    }

    fn layer(&self, layer: &Layer, marks: &mut Vec<Mark>) {
        match layer {
            Layer::Line(line) => self.line(line, marks),
            Layer::Ribbon {
                points,
                colour,
                opacity,
            } => {
                let upper = points.iter().map(|&[x, _, high]| self.pixel((x, high)));
                let lower = points.iter().rev().map(|&[x, low, _]| self.pixel((x, low)));
                marks.push(Mark::Shape {
                    path: Path::polygon(upper.chain(lower)),
                    fill: Some(Paint {
                        colour: *colour,
                        opacity: *opacity,
                    }),
                    stroke: None,
                });
            }
            Layer::Dots(dots) => marks.extend(dots.iter().map(|mark| {
                let Dot {
                    radius,
                    colour,
                    is_filled,
                    opacity,
                    ..
                } = *mark;
                dot(self.pixel(mark.at), radius, colour, is_filled, opacity)
            })),
            Layer::Segments {
                pairs,
                colour,
                width,
                opacity,
                has_head,
                gap,
            } => {
                let paint = Paint {
                    colour: *colour,
                    opacity: *opacity,
                };
                for &[from, to] in pairs {
                    let ends = (self.pixel(from), self.pixel(to));
                    segment(ends, (paint, *width), (*has_head, *gap), marks);
                }
            }
            Layer::Labels { .. } => {}
            Layer::Rule {
                at,
                is_vertical,
                colour,
                is_dashed,
                ..
            } => {
                let mut stroke = Stroke::solid(*colour, 1.2);
                if *is_dashed {
                    stroke.dash = RULE_DASH.to_vec();
                }
                marks.push(stroked(self.rule_ends(*at, *is_vertical), stroke));
            }
        }
    }

    fn rule_ends(&self, at: f64, is_vertical: bool) -> [(f64, f64); 2] {
        if is_vertical {
            let x = self.x.pixel(at);
            [(x, self.inside.top), (x, self.inside.bottom())]
        } else {
            let y = self.y.pixel(at);
            [(self.inside.left, y), (self.inside.right(), y)]
        }
    }

    fn line(&self, line: &Line, marks: &mut Vec<Mark>) {
        let mut stroke = Stroke::solid(line.colour, line.width);
        if line.is_dashed {
            stroke.dash = RULE_DASH.to_vec();
        }
        let is_finite = |point: &(f64, f64)| point.0.is_finite() && point.1.is_finite();
        for part in line.points.split(|point| !is_finite(point)) {
            if part.len() > 1 {
                let pixels = part.iter().map(|&point| self.pixel(point));
                marks.push(stroked(pixels, stroke.clone()));
            }
        }
    }

    /// The words at the right ends of lines and rules, in their colours.
    fn end_labels(&self, layers: &[Layer], marks: &mut Vec<Mark>) {
        let mut labelled: Vec<((f64, f64), &str, Colour)> = Vec::new();
        for layer in layers {
            match layer {
                Layer::Line(line) => {
                    let end = line.points.iter().rfind(|point| point.1.is_finite());
                    if let Some(&end) = end {
                        labelled.push((self.pixel(end), &line.label, line.colour));
                    }
                }
                Layer::Rule {
                    at,
                    is_vertical: false,
                    label,
                    colour,
                    ..
                } => labelled.push((self.rule_ends(*at, false)[1], label, *colour)),
                _ => {}
            }
        }
        labelled.retain(|(_, text, _)| !text.is_empty());
        let heights: Vec<f64> = labelled.iter().map(|(end, _, _)| end.1).collect();
        let bounds = (self.inside.top, self.inside.bottom());
        let heights = labels::spread(&heights, LABEL_SIZE + 2.0, bounds);
        for ((end, text, colour), y) in labelled.into_iter().zip(heights) {
            let at = (end.0 + 7.0, y + 0.36 * LABEL_SIZE);
            marks.push(label(text, at, Anchor::Start, colour));
        }
    }

    /// The words above upright rules, moved as far as the panel's sides demand.
    fn rule_labels(&self, layers: &[Layer], marks: &mut Vec<Mark>) {
        for layer in layers {
            let Layer::Rule {
                at,
                is_vertical: true,
                label: text,
                colour,
                ..
            } = layer
            else {
                continue;
            };
            let half = font::width(text, LABEL_SIZE, Weight::Regular) / 2.0;
            let most = self.inside.right() + self.right - half;
            let x = self.x.pixel(*at).min(most).max(self.inside.left + half);
            let at = (x, self.inside.top - 5.0);
            marks.push(label(text, at, Anchor::Middle, *colour));
        }
    }

    /// The words beside points, wherever they cover neither a point nor each other.
    fn point_labels(&self, layers: &[Layer], marks: &mut Vec<Mark>) {
        let mut taken = Vec::new();
        for layer in layers {
            if let Layer::Dots(dots) = layer {
                taken.extend(dots.iter().map(|dot| {
                    let (x, y) = self.pixel(dot.at);
                    Rectangle {
                        left: x - dot.radius,
                        top: y - dot.radius,
                        width: 2.0 * dot.radius,
                        height: 2.0 * dot.radius,
                    }
                }));
            }
        }
        for layer in layers {
            let Layer::Labels {
                labels: all,
                colour,
            } = layer
            else {
                continue;
            };
            for (at, text) in all {
                let size = (font::width(text, LABEL_SIZE, Weight::Regular), LABEL_SIZE);
                let place = labels::beside(self.pixel(*at), size, &self.inside, &taken);
                if let Some(frame) = place {
                    let at = (frame.left, frame.top + 0.82 * LABEL_SIZE);
                    marks.push(label(text, at, Anchor::Start, *colour));
                    taken.push(frame);
                }
            }
        }
    }
}

fn label(text: &str, at: (f64, f64), anchor: Anchor, colour: Colour) -> Mark {
    Mark::Text(Text {
        text: text.to_string(),
        at,
        anchor,
        size: LABEL_SIZE,
        weight: Weight::Regular,
        colour,
        halo: true,
    })
}

/// A text that fits, with an ellipsis for what does not.
fn shortened(text: &str, size: f64, weight: Weight, room: f64) -> String {
    if font::width(text, size, weight) <= room {
        return text.to_string();
    }
    let mut kept: Vec<char> = text.chars().collect();
    while !kept.is_empty() {
        kept.pop();
        let short: String = kept.iter().chain(&['…']).collect();
        if font::width(&short, size, weight) <= room {
            return short;
        }
    }
    String::new()
}

fn stroked(points: impl IntoIterator<Item = (f64, f64)>, stroke: Stroke) -> Mark {
    Mark::Shape {
        path: Path::polyline(points),
        fill: None,
        stroke: Some(stroke),
    }
}

/// A disc with a white rim, so that neighbours stay apart, or a ring filled with white.
pub fn dot(centre: (f64, f64), radius: f64, colour: Colour, is_filled: bool, opacity: f64) -> Mark {
    let (fill, rim) = if is_filled {
        (Paint { colour, opacity }, Stroke::solid(WHITE, 0.6))
    } else {
        let paper = Paint {
            colour: WHITE,
            opacity: 0.85 * opacity,
        };
        let rim = Stroke {
            paint: Paint { colour, opacity },
            width: 1.4,
            dash: Vec::new(),
        };
        (paper, rim)
    };
    Mark::Circle {
        centre,
        radius,
        fill: Some(fill),
        stroke: Some(rim),
    }
}

/// A line that stops before its end, and the arrow's head there.
fn segment(
    (from, to): ((f64, f64), (f64, f64)),
    (paint, width): (Paint, f64),
    (has_head, gap): (bool, f64),
    marks: &mut Vec<Mark>,
) {
    let (dx, dy) = (to.0 - from.0, to.1 - from.1);
    let length = dx.hypot(dy);
    let kept = length - gap;
    // Shorter than its own head: nothing that could be seen.
    if !kept.is_finite() || kept < if has_head { 3.0 } else { 0.5 } {
        return;
    }
    let end = (from.0 + dx * kept / length, from.1 + dy * kept / length);
    let stroke = Stroke {
        paint,
        width,
        dash: Vec::new(),
    };
    marks.push(stroked([from, end], stroke));
    if has_head {
        marks.push(head(from, end, width, paint));
    }
}

/// An arrow's head: a triangle whose tip is at the end.
pub fn head(from: (f64, f64), tip: (f64, f64), width: f64, paint: Paint) -> Mark {
    let (dx, dy) = (tip.0 - from.0, tip.1 - from.1);
    let length = dx.hypot(dy);
    let (ux, uy) = (dx / length, dy / length);
    let (long, half) = (3.0 + 2.0 * width, 1.2 + 1.1 * width);
    // The stroke's round end would blunt the tip.
    let tip = (tip.0 + ux * width, tip.1 + uy * width);
    let base = (tip.0 - ux * long, tip.1 - uy * long);
    Mark::Shape {
        path: Path::polygon([
            tip,
            (base.0 - uy * half, base.1 + ux * half),
            (base.0 + uy * half, base.1 - ux * half),
        ]),
        fill: Some(paint),
        stroke: None,
    }
}
