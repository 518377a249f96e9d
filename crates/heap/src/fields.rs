//! Names of references that no type declares: what types written in C keep for themselves.
//!
//! Where Python has an attribute that gives the same object, it is called by that name;
//! else by a word in angle brackets. The fields are those that the types' `tp_traverse`
//! visits in CPython 3.9 to 3.13 (`Modules/_functoolsmodule.c`, `_asynciomodule.c`,
//! `_threadmodule.c`, `_collectionsmodule.c`, `_queuemodule.c`, `itertoolsmodule.c`,
//! `Objects/descrobject.c`, `dictobject.c`, `genobject.c`, `Python/hamt.c`), and in pandas,
//! whose tables and columns keep theirs in classes of Cython (`_libs/internals.pyx`,
//! `_libs/arrays.pyx`).

use crate::label::Label;

/// What a reference without a name is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Field {
    /// The object itself has no better word for it than this.
    Named(&'static str),
    /// One of several, in order.
    Item,
}

/// References of a type: those to objects of a type, or to any if it is empty.
pub(crate) type Fields = &'static [(&'static str, Field)];

/// What objects of a type refer to without saying how.
pub(crate) fn of_type(type_name: &str) -> Fields {
    const ANY: &str = "";
    match type_name {
        "functools._lru_cache_wrapper" => &[(ANY, Field::Named("<cache>"))],
        "_thread._local" => &[(ANY, Field::Named("<by thread>"))],
        "_asyncio.Task" | "_asyncio.Future" => &[
            ("coroutine", Field::Named("_coro")),
            ("generator", Field::Named("_coro")),
            ("list", Field::Named("_callbacks")),
            ("_asyncio.Future", Field::Named("_fut_waiter")),
            ("_asyncio.Task", Field::Named("_fut_waiter")),
            ("asyncio.exceptions.CancelledError", Field::Named("<cancelled>")),
            ("dict", Field::Named("_result")),
            ("tuple", Field::Named("_result")),
            ("bytes", Field::Named("_result")),
            ("bytearray", Field::Named("_result")),
        ],
        "collections.deque" => &[(ANY, Field::Item)],
        "_queue.SimpleQueue" => &[("list", Field::Named("<items>")), (ANY, Field::Item)],
        "xml.etree.ElementTree.Element" => &[("xml.etree.ElementTree.Element", Field::Item)],
        "mappingproxy" | "dict_keys" | "dict_values" | "dict_items" => &[(ANY, Field::Named("mapping"))],
        "_contextvars.Context"
        | "Context"
        | "hamt"
        | "hamt_bitmap_node"
        | "hamt_array_node"
        | "hamt_collision_node" => &[(ANY, Field::Named("<variables>"))],
        "module" => &[(ANY, Field::Named("<C state>"))],
        "frame" | "generator" | "coroutine" | "async_generator" => &[(ANY, Field::Named("<stack>"))],
        "zip" | "map" | "filter" | "enumerate" | "reversed" => &[(ANY, Field::Named("<source>"))],
        "pandas._libs.internals.BlockPlacement" => {
            &[("slice", Field::Named("_as_slice")), ("numpy.ndarray", Field::Named("_as_array"))]
        }
        name if name.starts_with("pandas.") => of_pandas(name),
        name if name.ends_with("iterator") || name.starts_with("itertools.") => {
            &[(ANY, Field::Named("<source>"))]
        }
        _ => &[],
    }
}

fn of_pandas(type_name: &str) -> Fields {
    let name = type_name.trim_start_matches("pandas.").trim_start_matches("core.");
    if name.starts_with("internals.managers.") {
        &[("tuple", Field::Named("blocks")), ("list", Field::Named("axes"))]
    } else if name.starts_with("internals.blocks.") {
        &[
            ("pandas._libs.internals.BlockPlacement", Field::Named("_mgr_locs")),
            ("pandas._libs.internals.BlockValuesRefs", Field::Named("refs")),
            ("", Field::Named("values")),
        ]
    } else if name.starts_with("arrays.") {
        &[("numpy.ndarray", Field::Named("_ndarray"))]
    } else {
        &[]
    }
}

/// The first field that such an object can be in.
pub(crate) fn to_type(fields: Fields, type_name: &str) -> Option<Field> {
    fields.iter().find(|(of, _)| of.is_empty() || *of == type_name).map(|&(_, field)| field)
}

impl Field {
    /// How the reference is called, given what interns a name, and its place among items.
    pub(crate) fn label<E>(
        self,
        place: u32,
        name: impl FnOnce(&str) -> Result<crate::NameId, E>,
    ) -> Result<Label, E> {
        match self {
            Field::Named(text) => name(text).map(Label::Attribute),
            Field::Item => Ok(Label::ListIndex(place)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Field, of_type, to_type};

    #[test]
    fn fields_are_told_by_the_type_they_lead_to() {
        let task = of_type("_asyncio.Task");
        assert_eq!(to_type(task, "coroutine"), Some(Field::Named("_coro")));
        assert_eq!(to_type(task, "bytes"), Some(Field::Named("_result")));
        assert_eq!(to_type(task, "asyncio.events.Handle"), None);
        assert_eq!(to_type(of_type("collections.deque"), "dict"), Some(Field::Item));
        assert_eq!(to_type(of_type("list_reverseiterator"), "list"), Some(Field::Named("<source>")));
        assert!(of_type("app.Row").is_empty());
        let block = of_type("pandas.core.internals.blocks.NumpyBlock");
        assert_eq!(to_type(block, "numpy.ndarray"), Some(Field::Named("values")));
        assert!(of_type("pandas.core.frame.DataFrame").is_empty());
    }
}
