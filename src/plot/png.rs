//! Scenes as PNG, drawn by tiny-skia; letters are drawn as the outlines of the embedded font.

use super::font;
use super::palette::WHITE;
use super::scene::{Mark, Paint, Path, PathSegment, Rectangle, Scene, Stroke, Text};
use std::fmt;
use tiny_skia::{
    Color, FillRule, LineCap, LineJoin, Mask, PathBuilder, Pixmap, StrokeDash, Transform,
};

/// Why a picture could not be drawn.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PngError {
    /// It has no pixels, or more than memory can hold.
    Size,
    /// The encoder refused.
    Encode(String),
}

impl fmt::Display for PngError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            PngError::Size => write!(f, "the picture is empty or too large"),
            PngError::Encode(reason) => write!(f, "the picture cannot be encoded: {reason}"),
        }
    }
}

impl std::error::Error for PngError {}

impl Scene {
    /// The picture as a PNG file, with `scale` dots per pixel of the scene; 2 looks sharp on paper and on today's screens.
    ///
    /// # Errors
    /// A picture without pixels or too large for memory.
    pub fn png(&self, scale: f64) -> Result<Vec<u8>, PngError> {
        let dots = |length: f64| (length * scale).ceil() as u32;
        let pixels = Pixmap::new(dots(self.width), dots(self.height)).ok_or(PngError::Size)?;
        let mut canvas = Canvas {
            pixels,
            transform: Transform::from_scale(scale as f32, scale as f32),
        };
        canvas.pixels.fill(colour(&Paint::solid(WHITE)));
        canvas.marks(&self.marks, None);
        let encoded = canvas.pixels.encode_png();
        encoded.map_err(|error| PngError::Encode(error.to_string()))
    }
}

struct Canvas {
    pixels: Pixmap,
    transform: Transform,
}

impl Canvas {
    fn marks(&mut self, marks: &[Mark], mask: Option<&Mask>) {
        for mark in marks {
            match mark {
                Mark::Shape { path, fill, stroke } => {
                    self.shape(traced(path), fill.as_ref(), stroke.as_ref(), mask);
                }
                Mark::Circle {
                    centre,
                    radius,
                    fill,
                    stroke,
                } => {
                    let (x, y) = (centre.0 as f32, centre.1 as f32);
                    let path = PathBuilder::from_circle(x, y, *radius as f32);
                    self.shape(path, fill.as_ref(), stroke.as_ref(), mask);
                }
                Mark::Text(text) => self.text(text, mask),
                Mark::Clipped { to, marks } => {
                    let inner = self.mask(to);
                    self.marks(marks, inner.as_ref().or(mask));
                }
            }
        }
    }

    fn mask(&self, to: &Rectangle) -> Option<Mask> {
        let mut mask = Mask::new(self.pixels.width(), self.pixels.height())?;
        let (left, top) = (to.left as f32, to.top as f32);
        let (width, height) = (to.width as f32, to.height as f32);
        let rectangle = tiny_skia::Rect::from_xywh(left, top, width, height)?;
        let path = PathBuilder::from_rect(rectangle);
        mask.fill_path(&path, FillRule::Winding, true, self.transform);
        Some(mask)
    }

    fn text(&mut self, text: &Text, mask: Option<&Mask>) {
        let from = (text.left(), text.at.1);
        let path = traced(&font::outline(&text.text, text.size, text.weight, from));
        if text.halo {
            let rim = Stroke::solid(WHITE, 3.0);
            self.shape(path.clone(), None, Some(&rim), mask);
        }
        self.shape(path, Some(&Paint::solid(text.colour)), None, mask);
    }

    /// A path of one point or none has no extent; there is nothing to draw.
    fn shape(
        &mut self,
        path: Option<tiny_skia::Path>,
        fill: Option<&Paint>,
        stroke: Option<&Stroke>,
        mask: Option<&Mask>,
    ) {
        let Some(path) = path else { return };
        if let Some(paint) = fill {
            let paint = ink(paint);
            let transform = self.transform;
            self.pixels
                .fill_path(&path, &paint, FillRule::Winding, transform, mask);
        }
        if let Some(stroke) = stroke {
            let paint = ink(&stroke.paint);
            let transform = self.transform;
            self.pixels
                .stroke_path(&path, &paint, &pen(stroke), transform, mask);
        }
    }
}

fn colour(paint: &Paint) -> Color {
    let alpha = (paint.opacity.clamp(0.0, 1.0) * 255.0).round() as u8;
    Color::from_rgba8(
        paint.colour.red,
        paint.colour.green,
        paint.colour.blue,
        alpha,
    )
}

fn ink(paint: &Paint) -> tiny_skia::Paint<'static> {
    let mut ink = tiny_skia::Paint {
        anti_alias: true,
        ..Default::default()
    };
    ink.set_color(colour(paint));
    ink
}

fn pen(stroke: &Stroke) -> tiny_skia::Stroke {
    let dash: Vec<f32> = stroke.dash.iter().map(|&length| length as f32).collect();
    tiny_skia::Stroke {
        width: stroke.width as f32,
        line_cap: LineCap::Round,
        line_join: LineJoin::Round,
        dash: StrokeDash::new(dash, 0.0),
        ..Default::default()
    }
}

fn traced(path: &Path) -> Option<tiny_skia::Path> {
    let mut builder = PathBuilder::new();
    for segment in &path.0 {
        match *segment {
            PathSegment::Move(x, y) => builder.move_to(x as f32, y as f32),
            PathSegment::Line(x, y) => builder.line_to(x as f32, y as f32),
            PathSegment::Quadratic(a, b, x, y) => {
                builder.quad_to(a as f32, b as f32, x as f32, y as f32);
            }
            PathSegment::Cubic(a, b, c, d, x, y) => {
                let ((a, b), (c, d)) = ((a as f32, b as f32), (c as f32, d as f32));
                builder.cubic_to(a, b, c, d, x as f32, y as f32);
            }
            PathSegment::Close => builder.close(),
        }
    }
    builder.finish()
}
