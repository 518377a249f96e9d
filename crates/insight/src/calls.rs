//! The call tree as it is shown: frames of one line are one, whatever
//! instruction they stood at and whichever thread they were of.

use std::collections::HashMap;

use crate::amount::Amount;
use crate::program::Program;
use crate::table::Weights;
use crate::tree::Site;

/// A frame and everything that it called.
#[derive(Clone, Debug)]
pub struct Frame {
    /// Its line.
    pub site: Site,
    /// What this line itself allocated.
    pub own: Amount,
    /// That and what everything it called allocated.
    pub total: Amount,
    /// Positions in [`Calls::frames`] of what it called, most bytes first.
    pub callees: Vec<usize>,
}

/// The tree of all stacks that hold anything at some moment.
#[derive(Clone, Debug)]
pub struct Calls {
    /// All frames; a callee stands after its caller.
    pub frames: Vec<Frame>,
    /// Positions of the outermost frames, most bytes first.
    pub roots: Vec<usize>,
    /// Everything.
    pub total: Amount,
}

const ROOT: usize = usize::MAX;

/// The tree of what `weights` says is alive.
pub fn calls(program: &Program, weights: &Weights) -> Calls {
    let mut calls = Calls { frames: Vec::new(), roots: Vec::new(), total: weights.total() };
    let mut parents: Vec<usize> = Vec::new();
    let mut known: HashMap<(usize, Site), usize> = HashMap::new();
    for (process, amounts) in program.processes.iter().zip(&weights.0) {
        let tree = &process.recording.tree;
        let mut own = vec![Amount::default(); tree.nodes().len()];
        for (row, &amount) in process.recording.rows.iter().zip(amounts) {
            own[row.node.index()].add(amount);
        }
        let carries = nodes_that_carry(tree.nodes(), &own);
        // Frame that each node became; a node that is none stands for its caller.
        let mut frame_of = vec![ROOT; tree.nodes().len()];
        for (index, node) in tree.nodes().iter().enumerate().filter(|&(index, _)| carries[index]) {
            let caller = if index == 0 { ROOT } else { frame_of[node.parent.index()] };
            let outside = caller == ROOT && !own[index].is_zero();
            frame_of[index] = if node.is_frame || outside {
                let site = tree.site(node.site).clone();
                let frame = *known.entry((caller, site.clone())).or_insert_with(|| {
                    calls.frames.push(Frame {
                        site,
                        own: Amount::default(),
                        total: Amount::default(),
                        callees: Vec::new(),
                    });
                    parents.push(caller);
                    calls.frames.len() - 1
                });
                calls.frames[frame].own.add(own[index]);
                // What a thread allocates outside Python is a line of its own beside its frames.
                if node.is_frame { frame } else { ROOT }
            } else {
                if caller != ROOT {
                    calls.frames[caller].own.add(own[index]);
                }
                caller
            };
        }
    }
    sum_up(&mut calls, &parents);
    calls
}

/// Which nodes have anything at or below them.
fn nodes_that_carry(nodes: &[crate::tree::Node], own: &[Amount]) -> Vec<bool> {
    let mut carries: Vec<bool> = own.iter().map(|amount| !amount.is_zero()).collect();
    for index in (1..nodes.len()).rev() {
        if carries[index] {
            carries[nodes[index].parent.index()] = true;
        }
    }
    carries
}

fn sum_up(calls: &mut Calls, parents: &[usize]) {
    for index in (0..calls.frames.len()).rev() {
        let own = calls.frames[index].own;
        calls.frames[index].total.add(own);
        let total = calls.frames[index].total;
        match parents[index] {
            ROOT => calls.roots.push(index),
            parent => {
                calls.frames[parent].total.add(total);
                calls.frames[parent].callees.push(index);
            }
        }
    }
    let totals: Vec<u64> = calls.frames.iter().map(|frame| frame.total.bytes).collect();
    let most_first = |list: &mut Vec<usize>| list.sort_by_key(|&frame| (u64::MAX - totals[frame], frame));
    most_first(&mut calls.roots);
    calls.frames.iter_mut().for_each(|frame| most_first(&mut frame.callees));
}
