//! Pictures: one description of a figure, drawn as SVG text, as PNG and in the terminal.
//!
//! A [`Figure`] holds panels with layers in the units of the data. [`Figure::scene`] lays it out as a [`Scene`] of shapes and
//! text in pixels, from which [`Scene::svg`] and [`Scene::png`] are written; [`Figure::terminal`] lays the same figure out
//! in characters. The same figure gives the same bytes on every machine.

mod figure;
mod font;
mod labels;
mod layout;
mod palette;
#[cfg(feature = "png")]
mod png;
mod scene;
mod svg;
mod terminal;
mod ticks;

pub use figure::{
    Axis, Dot, Figure, Key, KeyMark, Layer, Line, Panel, RULE_DASH, Ticks, size_radius,
};
pub use palette::{
    BLUE, Colour, GREEN, GREY, INK, ORANGE, PALE, PURPLE, SKY, VERMILLION, WHITE, series,
};
#[cfg(feature = "png")]
pub use png::PngError;
pub use scene::{Anchor, Mark, Paint, Path, PathSegment, Rectangle, Scene, Stroke, Text, Weight};

#[cfg(test)]
mod tests;
