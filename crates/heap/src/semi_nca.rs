//! Immediate dominators by the semi-NCA algorithm: Georgiadis, Tarjan and Werneck,
//! "Finding Dominators in Practice", Journal of Graph Algorithms and Applications
//! 10(1), 2006. It knows no objects: vertices are the numbers that a depth-first search
//! gave them, from 0, the root, and all are reached from there.
//!
//! The semidominator of a vertex w is the smallest number from which a path leads to w
//! whose inner vertices are all above w. The dominator of w is then the nearest common
//! ancestor, in the tree of dominators, of w's parent in the search and its
//! semidominator: since the semidominator is an ancestor of w, one goes up from the
//! parent until one is no deeper than it.
//!
//! Nothing recurses. A path of ten million vertices is a vector.

/// What is known of a vertex while semidominators are computed, together as it is
/// asked together.
#[derive(Clone, Copy)]
struct Link {
    /// The parent in the search; once its path was gone, a vertex further up.
    up: u32,
    /// The least semidominator on the way to `up`, without that.
    least: u32,
}

/// The immediate dominator of every vertex but the root, whose is itself.
///
/// `parents[w]` is w's parent in the search, and `predecessors(w)` from where edges lead
/// to it. Time m log n for m edges and n vertices at worst, m in practice; 20 bytes a vertex.
pub(crate) fn dominators<'a>(parents: Vec<u32>, predecessors: impl Fn(u32) -> &'a [u32]) -> Vec<u32> {
    let count = parents.len();
    let mut links: Vec<Link> =
        parents.iter().zip(0..).map(|(&up, vertex)| Link { up, least: vertex }).collect();
    let mut semi = vec![0u32; count];
    let mut path = Vec::new();
    for w in (1..count as u32).rev() {
        let mut least = parents[w as usize];
        for &v in predecessors(w) {
            least = least.min(least_above(v, w, &mut links, &mut path));
        }
        semi[w as usize] = least;
        links[w as usize].least = least;
    }
    drop(links);

    let mut dominators = parents;
    for w in 1..count {
        let mut candidate = dominators[w];
        while candidate > semi[w] {
            candidate = dominators[candidate as usize];
        }
        dominators[w] = candidate;
    }
    dominators
}

/// The least semidominator among v and its ancestors above w, or v if it is not above w.
/// All of these become neighbours of the last of them.
#[inline]
fn least_above(v: u32, w: u32, links: &mut [Link], path: &mut Vec<u32>) -> u32 {
    if v <= w {
        return v;
    }
    let mut link = links[v as usize];
    if link.up <= w {
        return link.least;
    }
    path.clear();
    let mut at = v;
    while link.up > w {
        path.push(at);
        at = link.up;
        link = links[at as usize];
    }
    // From the top down: each takes over what the one above it has come to.
    let Link { up, mut least } = link;
    while let Some(vertex) = path.pop() {
        let below = &mut links[vertex as usize];
        least = least.min(below.least);
        *below = Link { up, least };
    }
    least
}
