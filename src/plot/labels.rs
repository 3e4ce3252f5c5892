//! Finding room for words: beside points without covering anything, and at the ends of lines without touching.

use super::scene::Rectangle;

/// Distance between a point's rim and its label, in pixels.
const DISTANCE: f64 = 4.0;

/// Finds a place for a label of a given width and height beside a point, within `bounds` and clear of `taken`.
///
/// Right, left, above, below, then the four corners; `None` if all are taken.
pub fn beside(
    at: (f64, f64),
    (width, height): (f64, f64),
    bounds: &Rectangle,
    taken: &[Rectangle],
) -> Option<Rectangle> {
    let middle = (at.0 - width / 2.0, at.1 - height / 2.0);
    let (right, left) = (at.0 + DISTANCE + 2.0, at.0 - width - DISTANCE - 2.0);
    let (above, below) = (at.1 - height - DISTANCE, at.1 + DISTANCE);
    let corners = [
        (right, middle.1),
        (left, middle.1),
        (middle.0, above),
        (middle.0, below),
        (right, above + 2.0),
        (left, above + 2.0),
        (right, below - 2.0),
        (left, below - 2.0),
    ];
    let frames = corners.into_iter().map(|(left, top)| Rectangle {
        left,
        top,
        width,
        height,
    });
    let is_free = |frame: &Rectangle| {
        bounds.contains(frame) && !taken.iter().any(|other| other.overlaps(frame))
    };
    frames.into_iter().find(is_free)
}

/// Moves positions apart until neighbours are at least `distance` from each other, as little as possible in sum and
/// within the bounds if they all fit. The order of the positions stays.
pub fn spread(positions: &[f64], distance: f64, bounds: (f64, f64)) -> Vec<f64> {
    let mut order: Vec<usize> = (0..positions.len()).collect();
    order.sort_by(|&a, &b| positions[a].total_cmp(&positions[b]));
    // Pool adjacent violators of `position_k - k * distance` being increasing.
    let mut blocks: Vec<(f64, usize)> = Vec::new();
    for (rank, &index) in order.iter().enumerate() {
        let mut block = (positions[index] - rank as f64 * distance, 1);
        while let Some(&(mean, count)) = blocks.last() {
            if mean < block.0 {
                break;
            }
            blocks.pop();
            let total = count + block.1;
            let sum = mean * count as f64 + block.0 * block.1 as f64;
            block = (sum / total as f64, total);
        }
        blocks.push(block);
    }
    let last = bounds.1 - (positions.len().max(1) - 1) as f64 * distance;
    let clamp = |offset: f64| offset.min(last).max(bounds.0);
    let offsets = blocks
        .iter()
        .flat_map(|&(offset, count)| std::iter::repeat_n(clamp(offset), count));
    let mut moved = vec![0.0; positions.len()];
    for ((rank, &index), offset) in order.iter().enumerate().zip(offsets) {
        moved[index] = offset + rank as f64 * distance;
    }
    moved
}

#[cfg(test)]
mod tests {
    use super::{beside, spread};
    use crate::plot::Rectangle;

    #[test]
    fn labels_move_only_as_far_as_they_must() {
        assert_eq!(spread(&[10.0, 50.0], 12.0, (0.0, 100.0)), [10.0, 50.0]);
        assert_eq!(spread(&[50.0, 50.0], 12.0, (0.0, 100.0)), [44.0, 56.0]);
        assert_eq!(
            spread(&[52.0, 50.0, 98.0], 12.0, (0.0, 100.0)),
            [57.0, 45.0, 98.0]
        );
        assert_eq!(spread(&[99.0, 98.0], 12.0, (0.0, 100.0)), [100.0, 88.0]);
        assert_eq!(spread(&[], 12.0, (0.0, 100.0)), [0.0; 0]);
    }

    #[test]
    fn a_label_finds_the_free_side_or_none() {
        let bounds = Rectangle {
            left: 0.0,
            top: 0.0,
            width: 100.0,
            height: 100.0,
        };
        let right = beside((50.0, 50.0), (20.0, 10.0), &bounds, &[]).unwrap();
        assert!(right.left > 50.0);
        let at_the_edge = beside((95.0, 50.0), (20.0, 10.0), &bounds, &[]).unwrap();
        assert!(at_the_edge.right() < 95.0);
        assert_eq!(beside((50.0, 50.0), (20.0, 10.0), &bounds, &[bounds]), None);
    }
}
