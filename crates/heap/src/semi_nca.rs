//! Immediate dominators by the semi-NCA algorithm: Georgiadis, Tarjan and Werneck,
//! "Finding Dominators in Practice", Journal of Graph Algorithms and Applications
//! 10(1), 2006. It knows no objects: vertices are the numbers that a depth-first search
//! gave them, from 0, the root, and all are reached from there.
//!
//! The semidominator of a vertex w is the smallest number from which a path leads to w
//! whose inner vertices are all above w. The dominator of w is then the nearest common
//! ancestor, in the tree of dominators, of w's parent in the search and its
//! semidominator: the first on the way up from the parent whose number is no greater
//! than the semidominator's.
//!
//! The paper goes that way step by step, which is quick in the graphs of programs' code
//! and quadratic in those of their data: the values of a linked list that a registry
//! holds too have the whole list above them. So each vertex also knows one far above it,
//! in the manner of Myers, "An Applicative Random-Access Stack", Information Processing
//! Letters 17(5), 1983, and a way up of n steps is one of log n.
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

/// A vertex in the tree of dominators.
#[derive(Clone, Copy)]
struct Place {
    dominator: u32,
    /// A vertex further up, or the dominator.
    far: u32,
    depth: u32,
}

/// The semidominator of every vertex; of the root itself.
///
/// `parents[w]` is w's parent in the search, and `predecessors(w)` from where edges lead
/// to it. Time m log n for m edges and n vertices at worst, m in practice; 12 bytes a
/// vertex.
pub(crate) fn semidominators<'a>(parents: &[u32], predecessors: impl Fn(u32) -> &'a [u32]) -> Vec<u32> {
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
    semi
}

/// The immediate dominator of every vertex; of the root itself. Time n log n at worst, n
/// in practice; 12 bytes a vertex.
pub(crate) fn dominators(mut parents: Vec<u32>, semidominators: Vec<u32>) -> Vec<u32> {
    let mut tree: Vec<Place> = Vec::with_capacity(parents.len());
    tree.push(Place { dominator: 0, far: 0, depth: 0 });
    for (parent, &semi) in parents.iter_mut().zip(&semidominators).skip(1) {
        let mut dominator = *parent;
        while dominator > semi {
            let Place { dominator: near, far, .. } = tree[dominator as usize];
            dominator = if far > semi { far } else { near };
        }
        let above = tree[dominator as usize];
        let far = tree[above.far as usize];
        // Two leaps of one length become one of their sum and a step.
        let further = above.depth - far.depth == far.depth - tree[far.far as usize].depth;
        let far = if further { far.far } else { dominator };
        tree.push(Place { dominator, far, depth: above.depth + 1 });
        *parent = dominator;
    }
    parents
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
