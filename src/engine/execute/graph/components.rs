//! `graph-mark-components`: which nodes hang together. Components are numbered as their first nodes are.

use std::sync::Arc;

use arrow_array::Int64Array;

use super::structure::Graph;
use crate::engine::context::QueryContext;
use crate::engine::error::Result;

const NONE: u32 = u32::MAX;

/// The graph with one more column of its nodes: the component.
pub fn mark(query: &Arc<QueryContext>, graph: &Graph, strong: bool) -> Result<Graph> {
    let roots = if strong { strong_roots(query, graph)? } else { weak_roots(graph) };
    let mut numbers = vec![NONE; graph.nodes.rows];
    let mut next = 0;
    let components = roots.iter().map(|root| {
        let number = &mut numbers[*root as usize];
        if *number == NONE {
            *number = next;
            next += 1;
        }
        i64::from(*number)
    });
    let column = Int64Array::from_iter_values(components);
    let mut marked = graph.clone();
    marked.nodes.columns.push(Arc::new(column));
    Ok(marked)
}

/// By node, a node that stands for its component; directions do not count.
fn weak_roots(graph: &Graph) -> Vec<u32> {
    fn root(parents: &mut [u32], node: u32) -> u32 {
        let mut node = node;
        while parents[node as usize] != node {
            parents[node as usize] = parents[parents[node as usize] as usize];
            node = parents[node as usize];
        }
        node
    }
    let mut parents: Vec<u32> = (0..graph.nodes.rows as u32).collect();
    for (source, target) in graph.sources.iter().zip(graph.targets.iter()) {
        let (source, target) = (root(&mut parents, *source), root(&mut parents, *target));
        parents[source.max(target) as usize] = source.min(target);
    }
    (0..graph.nodes.rows as u32).map(|node| root(&mut parents, node)).collect()
}

/// By node, a node that stands for its component: there are paths both ways between all its nodes. Tarjan's
/// algorithm, with a stack of its own.
fn strong_roots(query: &QueryContext, graph: &Graph) -> Result<Vec<u32>> {
    if !graph.directed {
        return Ok(weak_roots(graph));
    }
    let nodes = graph.nodes.rows;
    let mut order = vec![NONE; nodes];
    let mut lowest = vec![NONE; nodes];
    let mut roots = vec![NONE; nodes];
    let mut open: Vec<u32> = Vec::new();
    let mut calls: Vec<(u32, usize)> = Vec::new();
    let mut visited = 0u32;
    for start in 0..nodes as u32 {
        if order[start as usize] != NONE {
            continue;
        }
        calls.push((start, 0));
        while let Some((node, cursor)) = calls.last_mut() {
            let node = *node;
            let place = node as usize;
            if *cursor == 0 {
                if visited.is_multiple_of(65_536) {
                    query.check()?;
                }
                order[place] = visited;
                lowest[place] = visited;
                visited += 1;
                open.push(node);
            }
            let edge = graph.leaving.at(node).get(*cursor).copied();
            *cursor += 1;
            if let Some(edge) = edge {
                let next = graph.targets[edge as usize];
                if order[next as usize] == NONE {
                    calls.push((next, 0));
                } else if roots[next as usize] == NONE {
                    lowest[place] = lowest[place].min(order[next as usize]);
                }
                continue;
            }
            calls.pop();
            if let Some((caller, _)) = calls.last() {
                let caller = *caller as usize;
                lowest[caller] = lowest[caller].min(lowest[place]);
            }
            if lowest[place] == order[place] {
                while let Some(member) = open.pop() {
                    roots[member as usize] = node;
                    if member == node {
                        break;
                    }
                }
            }
        }
    }
    Ok(roots)
}
