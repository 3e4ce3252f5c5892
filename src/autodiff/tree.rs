//! A procedure's statements with their positions: blocks numbered, loops and branches as nodes.

use crate::loops::{Stmt, ValueId};

/// Names a block: the outermost is 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct BlockId(pub u32);

/// A block of nodes.
#[derive(Debug)]
pub(super) struct Tree<'a> {
    pub id: BlockId,
    pub nodes: Vec<Node<'a>>,
}

/// A statement, numbered in order of the text: everything inside it has positions from `first` to `last`.
#[derive(Debug)]
pub(super) struct Node<'a> {
    pub first: u32,
    pub last: u32,
    pub stmt: &'a Stmt,
    pub inner: Inner<'a>,
}

/// What is inside a statement.
#[derive(Debug)]
pub(super) enum Inner<'a> {
    Leaf,
    For {
        var: ValueId,
        start: ValueId,
        end: ValueId,
        reverse: bool,
        body: Tree<'a>,
    },
    If {
        condition: ValueId,
        then: Tree<'a>,
        otherwise: Tree<'a>,
    },
    While {
        condition: ValueId,
        header_len: usize,
        round: Tree<'a>,
    },
}

impl<'a> Tree<'a> {
    /// The tree of a procedure's body.
    pub fn new(body: &'a [Stmt]) -> Tree<'a> {
        let mut numbering = Numbering {
            position: 0,
            block: 0,
        };
        numbering.block(body.iter())
    }

    /// Calls `visit` for every node, in order of the text.
    pub fn walk(&self, visit: &mut impl FnMut(BlockId, &Node<'a>)) {
        for node in &self.nodes {
            visit(self.id, node);
            for inner in node.blocks() {
                inner.walk(visit);
            }
        }
    }
}

impl<'a> Node<'a> {
    /// The blocks directly inside.
    pub fn blocks(&self) -> impl Iterator<Item = &Tree<'a>> {
        let (a, b) = match &self.inner {
            Inner::Leaf => (None, None),
            Inner::For { body, .. } => (Some(body), None),
            Inner::If {
                then, otherwise, ..
            } => (Some(then), Some(otherwise)),
            Inner::While { round, .. } => (Some(round), None),
        };
        a.into_iter().chain(b)
    }

    /// Whether a position lies in this statement.
    pub fn contains(&self, position: u32) -> bool {
        (self.first..=self.last).contains(&position)
    }
}

struct Numbering {
    position: u32,
    block: u32,
}

impl Numbering {
    fn block<'a>(&mut self, stmts: impl Iterator<Item = &'a Stmt>) -> Tree<'a> {
        let id = BlockId(self.block);
        self.block += 1;
        let nodes = stmts.map(|stmt| self.node(stmt)).collect();
        Tree { id, nodes }
    }

    fn node<'a>(&mut self, stmt: &'a Stmt) -> Node<'a> {
        let first = self.position;
        self.position += 1;
        let inner = match stmt {
            Stmt::For {
                var,
                start,
                end,
                reverse,
                body,
            } => Inner::For {
                var: *var,
                start: *start,
                end: *end,
                reverse: *reverse,
                body: self.block(body.iter()),
            },
            Stmt::If {
                condition,
                then,
                otherwise,
            } => Inner::If {
                condition: *condition,
                then: self.block(then.iter()),
                otherwise: self.block(otherwise.iter()),
            },
            Stmt::While {
                header,
                condition,
                body,
            } => Inner::While {
                condition: *condition,
                header_len: header.len(),
                round: self.block(header.iter().chain(body)),
            },
            _ => Inner::Leaf,
        };
        Node {
            first,
            last: self.position - 1,
            stmt,
            inner,
        }
    }
}
