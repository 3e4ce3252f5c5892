//! Figures become the pictures they should: structure of the SVG, escaping, determinism, characters.

use super::{
    Axis, BLUE, Dot, Figure, INK, Key, KeyMark, Layer, Line, Mark, Panel, Scene, VERMILLION,
};

/// Two panels with one of every layer.
fn figure() -> Figure {
    let curve = |slope: f64| -> Vec<(f64, f64)> {
        (0..=20)
            .map(|k| (f64::from(k), slope * f64::from(k)))
            .collect()
    };
    let panel = |title: &str, slope: f64| Panel {
        title: title.to_string(),
        layers: vec![
            Layer::Ribbon {
                points: curve(slope)
                    .iter()
                    .map(|&(x, y)| [x, y - 3.0, y + 3.0])
                    .collect(),
                colour: BLUE,
                opacity: 0.15,
            },
            Layer::rule(0.0, false, "zero"),
            Layer::Line(Line {
                label: "mean".to_string(),
                ..Line::new(curve(slope), BLUE)
            }),
            Layer::Segments {
                pairs: vec![[(2.0, 8.0), (2.0, 3.0)]],
                colour: INK,
                width: 1.2,
                opacity: 1.0,
                has_head: true,
                gap: 3.0,
            },
            Layer::Dots(vec![Dot {
                at: (2.0, 8.0),
                radius: 4.0,
                colour: VERMILLION,
                is_filled: true,
                opacity: 1.0,
            }]),
            Layer::Labels {
                labels: vec![((2.0, 8.0), "a < b & \"c\"".to_string())],
                colour: INK,
            },
        ],
        ..Panel::default()
    };
    Figure {
        title: "Growth in two schools".to_string(),
        subtitle: "Mean and 95 % range".to_string(),
        note: "Simulated.".to_string(),
        panels: vec![panel("North", 0.5), panel("South", 0.2)],
        keys: vec![Key {
            label: "95 % range".to_string(),
            mark: KeyMark::Band {
                colour: BLUE,
                opacity: 0.15,
            },
        }],
        x: Axis::new("Week"),
        y: Axis {
            range: Some((-5.0, 15.0)),
            ..Axis::new("Score")
        },
        ..Figure::default()
    }
}

fn texts(scene: &Scene) -> Vec<String> {
    let text = |mark: &Mark| match mark {
        Mark::Text(text) => Some(text.text.clone()),
        _ => None,
    };
    scene.marks.iter().filter_map(text).collect()
}

#[test]
fn shared_axes_are_written_once() {
    let texts = texts(&figure().scene());
    let count = |word: &str| texts.iter().filter(|text| *text == word).count();
    assert_eq!(count("Score"), 1, "{texts:?}");
    assert_eq!(count("Week"), 1);
    // The vertical ticks once, the horizontal ones under both panels, which stand side by side.
    assert_eq!(count("−5"), 1, "{texts:?}");
    assert_eq!(count("20"), 2);
    assert_eq!(count("North") + count("South"), 2);
}

#[test]
fn panels_with_their_own_axes_show_them() {
    let mut own = figure();
    own.panels[1].y = Some(Axis::new("Height"));
    let texts = texts(&own.scene());
    assert!(texts.contains(&"Height".to_string()) && texts.contains(&"Score".to_string()));
}

#[test]
fn panels_on_one_scale_draw_equal_values_at_equal_heights() {
    let scene = figure().scene();
    let heights: Vec<f64> = (scene.marks.iter())
        .filter_map(|mark| match mark {
            Mark::Clipped { marks, .. } => Some(marks),
            _ => None,
        })
        .flatten()
        .filter_map(|mark| match mark {
            Mark::Circle { centre, .. } => Some(centre.1),
            _ => None,
        })
        .collect();
    assert_eq!(heights.len(), 2);
    assert_eq!(heights[0], heights[1]);
}

#[test]
fn everything_lies_on_the_paper() {
    let scene = figure().scene();
    for mark in &scene.marks {
        if let Mark::Text(text) = mark {
            let frame = text.frame();
            assert!(
                frame.left >= 0.0 && frame.right() <= scene.width,
                "{text:?}"
            );
            assert!(
                frame.top >= 0.0 && frame.bottom() <= scene.height,
                "{text:?}"
            );
        }
    }
}

#[test]
fn svg_escapes_words_and_is_the_same_every_time() {
    let svg = figure().svg();
    assert!(svg.starts_with("<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"720\""));
    assert!(
        svg.contains(">a &lt; b &amp; &quot;c&quot;</text>"),
        "{svg}"
    );
    assert_eq!(svg, figure().svg());
    assert!(!svg.contains("NaN") && !svg.contains("inf"));
    let opened = svg.matches("<g ").count();
    assert_eq!(opened, svg.matches("</g>").count());
    assert_eq!(opened, 2);
    assert!(svg.len() < 10_000, "{} bytes", svg.len());
}

#[test]
fn an_empty_figure_and_values_that_are_no_numbers_draw() {
    assert!(Figure::default().svg().contains("</svg>"));
    let panel = Panel {
        layers: vec![Layer::Line(Line::new(
            vec![(0.0, 1.0), (1.0, f64::NAN), (2.0, 2.0), (3.0, 4.0)],
            BLUE,
        ))],
        ..Panel::default()
    };
    let figure = Figure {
        panels: vec![panel],
        ..Figure::default()
    };
    assert!(!figure.svg().contains("NaN"));
    assert!(figure.terminal(60, false).contains('⠊') || !figure.terminal(60, false).is_empty());
}

#[test]
fn the_terminal_shows_words_lines_shades_and_points() {
    let text = figure().terminal(80, false);
    for part in [
        "Growth in two schools",
        "North",
        "Score",
        "Week",
        "░",
        "●",
        "mean",
        "└─",
    ] {
        assert!(text.contains(part), "{part} is missing:\n{text}");
    }
    assert!(
        text.lines().all(|line| line.chars().count() <= 80),
        "{text}"
    );
    assert!(!text.contains('\u{1b}'));
    assert!(
        figure()
            .terminal(80, true)
            .contains("\u{1b}[38;2;0;114;178m")
    );
    // Too narrow for two panels side by side: below each other.
    let narrow = figure().terminal(40, false);
    assert!(narrow.lines().count() > text.lines().count());
}

#[cfg(feature = "png")]
#[test]
fn png_has_the_scene_s_size_and_ink() {
    let scene = figure().scene();
    let png = scene.png(2.0).unwrap();
    let pixels = tiny_skia::Pixmap::decode_png(&png).unwrap();
    assert_eq!(pixels.width(), (scene.width * 2.0).ceil() as u32);
    let dark = pixels
        .pixels()
        .iter()
        .filter(|pixel| pixel.red() < 80)
        .count();
    assert!(dark > 2000, "{dark} dark pixels");
    assert!(scene.png(1e9).is_err());
}
