//! The call tree of one process: nodes, and the source line each stands for.
//!
//! A node's parent is always defined before it, so sums over subtrees are one
//! pass from the last node to the first and no walk can go round in circles.

use std::collections::HashMap;
use std::rc::Rc;

use memsight_capture::{CodeDef, CodeId, LineTable, NodeDef, NodeId, NodeKind, ThreadIndex};

use crate::fold::Contradiction;
use crate::lines::{LineRange, decode};

/// A source line in a function.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Site {
    /// The file as Python names it; empty where no Python code ran.
    pub file: Rc<str>,
    /// The qualified name of the function.
    pub function: Rc<str>,
    /// The line, from 1; 0 where there is none.
    pub line: u32,
}

impl Site {
    /// The site of what was allocated while no Python frame stood on the stack.
    pub fn outside_python() -> Self {
        Site { file: "".into(), function: "(no Python frame)".into(), line: 0 }
    }

    /// Whether no Python code ran here.
    pub fn is_outside_python(&self) -> bool {
        self.file.is_empty() && self.line == 0
    }

    /// Whether this is a line of the machinery that imports modules.
    pub fn is_import_machinery(&self) -> bool {
        is_import_machinery(&self.file)
    }
}

fn is_import_machinery(file: &str) -> bool {
    file.starts_with("<frozen importlib") || file.starts_with("<frozen zipimport")
}

/// The number of a [`Site`] in its [`CallTree`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct SiteId(u32);

impl SiteId {
    /// The site of what no Python code allocated.
    pub const OUTSIDE_PYTHON: SiteId = SiteId(0);

    /// The number as a position in [`CallTree::sites`].
    pub const fn index(self) -> usize {
        self.0 as usize
    }
}

/// One node: a thread, or a frame below its caller.
#[derive(Clone, Copy, Debug)]
pub struct Node {
    /// The caller's node; 0 for a thread.
    pub parent: NodeId,
    /// Its line, or for a thread and for native frames that of the caller.
    pub site: SiteId,
    /// The thread at the root.
    pub thread: ThreadIndex,
    /// Whether this is a frame, not a thread.
    pub is_frame: bool,
    /// Whether the import machinery stands on this stack.
    pub importing: bool,
}

struct Code {
    file: Rc<str>,
    function: Rc<str>,
    first_line: u32,
    lines: Lines,
}

/// A code object's lines: the table as it is stored, and decoded once a frame asks.
enum Lines {
    Stored(LineTable, Box<[u8]>),
    Decoded(Box<[LineRange]>),
}

impl Code {
    /// The line of an instruction. Those that the compiler made up have none; the
    /// function's first is nearest.
    fn line_at(&mut self, offset: u32) -> u32 {
        if let Lines::Stored(table, bytes) = &self.lines {
            self.lines = Lines::Decoded(decode(*table, bytes, self.first_line).into());
        }
        let Lines::Decoded(ranges) = &self.lines else { return self.first_line };
        let range = ranges.get(ranges.partition_point(|&(_, end, _)| end <= offset));
        range.and_then(|&(_, _, line)| line).unwrap_or(self.first_line)
    }
}

/// All nodes and sites of a process.
pub struct CallTree {
    nodes: Vec<Node>,
    sites: Vec<Site>,
    codes: Vec<Code>,
    names: HashMap<Rc<str>, ()>,
    site_of_instruction: HashMap<(CodeId, u32), SiteId>,
    site_ids: HashMap<Site, SiteId>,
}

impl CallTree {
    /// More nodes than this no recorder makes; the bound keeps damage from asking for gigabytes.
    const MAX_NODES: usize = 1 << 26;

    pub(crate) fn new() -> Self {
        let outside = Site::outside_python();
        let no_node = Node {
            parent: NodeId(0),
            site: SiteId::OUTSIDE_PYTHON,
            thread: ThreadIndex(0),
            is_frame: false,
            importing: false,
        };
        CallTree {
            nodes: vec![no_node],
            sites: vec![outside.clone()],
            codes: Vec::new(),
            names: HashMap::new(),
            site_of_instruction: HashMap::new(),
            site_ids: HashMap::from([(outside, SiteId::OUTSIDE_PYTHON)]),
        }
    }

    /// Every site, by number.
    pub fn sites(&self) -> &[Site] {
        &self.sites
    }

    /// Every node by number; the first stands for "no node".
    pub fn nodes(&self) -> &[Node] {
        &self.nodes
    }

    /// The site of a node; outside Python if there is no such node.
    pub fn site_of(&self, node: NodeId) -> SiteId {
        self.nodes.get(node.index()).map_or(SiteId::OUTSIDE_PYTHON, |node| node.site)
    }

    /// A site by its number.
    pub fn site(&self, id: SiteId) -> &Site {
        // Ids are only made by this tree, and number 0 always exists.
        self.sites.get(id.index()).unwrap_or(&self.sites[0])
    }

    pub(crate) fn define_code(&mut self, code: &CodeDef<'_>) {
        let code = Code {
            file: self.name(code.file),
            function: self.name(code.name),
            first_line: code.first_line,
            lines: Lines::Stored(code.table, code.lines.into()),
        };
        self.codes.push(code);
    }

    pub(crate) fn define_node(&mut self, def: &NodeDef) -> Result<(), Contradiction> {
        if self.nodes.len() >= Self::MAX_NODES {
            return Err(Contradiction::new("more call-tree nodes than any recorder makes"));
        }
        let Some(&parent) = self.nodes.get(def.parent.index()) else {
            return Err(Contradiction(format!("a node below node {}, which does not exist", def.parent.0)));
        };
        let node = match def.kind {
            NodeKind::Thread(thread) => Node { parent: def.parent, thread, ..self.nodes[0] },
            NodeKind::Native { .. } => Node { parent: def.parent, is_frame: false, ..parent },
            NodeKind::Python { code, offset } => {
                let site = self.site_at(code, offset)?;
                let importing = parent.importing || self.site(site).is_import_machinery();
                Node { parent: def.parent, site, thread: parent.thread, is_frame: true, importing }
            }
        };
        self.nodes.push(node);
        Ok(())
    }

    fn site_at(&mut self, code_id: CodeId, offset: u32) -> Result<SiteId, Contradiction> {
        if let Some(&site) = self.site_of_instruction.get(&(code_id, offset)) {
            return Ok(site);
        }
        let Some(code) = self.codes.get_mut(code_id.index()) else {
            return Err(Contradiction(format!("a frame of code {}, which does not exist", code_id.0)));
        };
        let line = code.line_at(offset);
        let site = Site { file: code.file.clone(), function: code.function.clone(), line };
        let next = SiteId(self.sites.len() as u32);
        let id = *self.site_ids.entry(site.clone()).or_insert(next);
        if id == next {
            self.sites.push(site);
        }
        self.site_of_instruction.insert((code_id, offset), id);
        Ok(id)
    }

    fn name(&mut self, bytes: &[u8]) -> Rc<str> {
        let text = String::from_utf8_lossy(bytes);
        if let Some((known, ())) = self.names.get_key_value(text.as_ref()) {
            return known.clone();
        }
        let name: Rc<str> = text.into();
        self.names.insert(name.clone(), ());
        name
    }
}
