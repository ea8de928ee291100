//! What a search has found so far, as numbers of nodes and edges.

use arrow_buffer::BooleanBuffer;

/// Matches one below the other.
#[derive(Clone, Debug, Default)]
pub struct Matches {
    pub count: usize,
    /// By node variable, the node of each match.
    pub nodes: Vec<Vec<u32>>,
    /// By edge of the pattern, its path in each match.
    pub paths: Vec<Paths>,
}

/// The paths of one edge of the pattern, from left to right.
#[derive(Clone, Debug, Default)]
pub struct Paths {
    /// Those of match m end at `edge_ends[m]`, and begin where the match before ends.
    pub edge_ends: Vec<u32>,
    pub edges: Vec<u32>,
    pub inner_ends: Vec<u32>,
    /// The nodes between the edges.
    pub inner: Vec<u32>,
}

impl Paths {
    pub fn push(&mut self, edges: impl Iterator<Item = u32>, inner: impl Iterator<Item = u32>) {
        self.edges.extend(edges);
        self.inner.extend(inner);
        self.edge_ends.push(self.edges.len() as u32);
        self.inner_ends.push(self.inner.len() as u32);
    }

    /// Where each match's edges (or inner nodes) end, and these.
    pub fn parts(&self, inner_nodes: bool) -> (&[u32], &[u32]) {
        if inner_nodes { (&self.inner_ends, &self.inner) } else { (&self.edge_ends, &self.edges) }
    }
}

impl Matches {
    pub fn new(nodes: usize, edges: usize) -> Matches {
        Matches { count: 0, nodes: vec![Vec::new(); nodes], paths: vec![Paths::default(); edges] }
    }

    /// How many numbers it holds.
    pub fn size(&self) -> usize {
        let of_paths = self.paths.iter().map(|paths| paths.edges.len() + paths.inner.len());
        self.count * (self.nodes.len() + 2 * self.paths.len()) + of_paths.sum::<usize>()
    }

    pub fn clear(&mut self) {
        self.count = 0;
        self.nodes.iter_mut().for_each(Vec::clear);
        for paths in &mut self.paths {
            paths.edge_ends.clear();
            paths.edges.clear();
            paths.inner_ends.clear();
            paths.inner.clear();
        }
    }

    /// The selected matches.
    pub fn filter(&self, selected: &BooleanBuffer) -> Matches {
        let mut kept = Matches::new(self.nodes.len(), self.paths.len());
        for row in selected.set_indices() {
            self.copy_to(row, &mut kept);
        }
        kept
    }

    /// Appends one match to others of the same pattern.
    pub fn copy_to(&self, row: usize, to: &mut Matches) {
        to.count += 1;
        for (from, to) in self.nodes.iter().zip(&mut to.nodes) {
            to.push(from[row]);
        }
        for (from, to) in self.paths.iter().zip(&mut to.paths) {
            let part = |ends: &[u32]| {
                let start = if row == 0 { 0 } else { ends[row - 1] };
                start as usize..ends[row] as usize
            };
            to.push(
                from.edges[part(&from.edge_ends)].iter().copied(),
                from.inner[part(&from.inner_ends)].iter().copied(),
            );
        }
    }
}
