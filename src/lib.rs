//! hlm: an embedded probabilistic programming language for hierarchical models.
