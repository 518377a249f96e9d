//! The rules. One rule is one file: its documentation, its experiment and its check.
//!
//! | family | what it is about                                   |
//! |--------|----------------------------------------------------|
//! | MS1xx  | copies made by slicing                             |
//! | MS2xx  | loops and indexing                                 |
//! | MS3xx  | strings, bytes and sequences built piece by piece  |
//! | MS4xx  | whole lists where an iterator serves               |
//! | MS5xx  | a library or a layout that needs less              |
//! | MS6xx  | memory kept alive                                  |
//!
//! A rule states nothing that its own experiment does not show: the tests run
//! each one under the recorder, on every interpreter there is.

mod cached;
mod kept;
mod patterns;
mod patterns_index;
mod patterns_layout;

use crate::context::Context;
use crate::model::Region;
use crate::syntax::{Expr, ExprCall, ExprSubscript, Stmt, StmtFor};

/// A kind of waste, how to find it and how to mend it.
#[derive(Debug)]
pub struct Rule {
    /// Its code, such as `MS101`.
    pub code: &'static str,
    /// Its name, such as `slice-copied-to-iterate`.
    pub name: &'static str,
    /// What it finds.
    pub what: &'static str,
    /// Why that costs memory.
    pub why: &'static str,
    /// When it is not found, or not worth changing.
    pub not_when: &'static str,
    /// What to do, what the fix does, and what makes it safe.
    pub fix: &'static str,
    /// What the change saves.
    pub saves: Saves,
    /// How to see it.
    pub experiment: Experiment,
    /// What it looks at.
    pub(crate) on: &'static [On],
}

/// What mending a finding saves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Saves {
    /// Bytes at the peak.
    Peak,
    /// Bytes allocated over the run, if not at its peak.
    Allocated,
    /// No memory: time, or a reader's. Findings of such rules are notes.
    Nothing,
}

/// Two ways to do the same, as code that runs on its own.
#[derive(Clone, Copy, Debug)]
pub struct Experiment {
    /// What both begin with; not measured.
    pub setup: &'static str,
    /// The wasteful way.
    pub before: &'static str,
    /// The better way.
    pub after: &'static str,
    /// The modules of PyPI that it imports: without them it is not run.
    pub needs: &'static [&'static str],
}

/// What a rule looks at.
#[derive(Debug)]
pub(crate) enum On {
    /// The file as a whole.
    File(for<'m, 'a> fn(&mut Context<'m, 'a>)),
    /// Every call.
    Call(for<'m, 'a> fn(&mut Context<'m, 'a>, &'a Expr, &'a ExprCall)),
    /// Every subscript, slices included.
    Subscript(for<'m, 'a> fn(&mut Context<'m, 'a>, &'a Expr, &'a ExprSubscript)),
    /// Everything that a loop or comprehension goes over.
    Iterated(for<'m, 'a> fn(&mut Context<'m, 'a>, Iterated<'a>)),
    /// Every statement.
    Statement(for<'m, 'a> fn(&mut Context<'m, 'a>, &'a Stmt)),
}

/// Something that a `for` statement or a comprehension goes over.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Iterated<'a> {
    /// What it goes over.
    pub(crate) iter: &'a Expr,
    /// What an item is bound to.
    pub(crate) target: &'a Expr,
    /// What runs between two items.
    pub(crate) body: Region,
    /// The `for` statement, if it is one.
    pub(crate) statement: Option<&'a StmtFor>,
}

impl Rule {
    /// Whether its findings cost no memory.
    pub fn is_note(&self) -> bool {
        self.saves == Saves::Nothing
    }

    /// The rule of a code or name.
    pub fn find(code_or_name: &str) -> Option<&'static Self> {
        RULES.iter().find(|rule| rule.code.eq_ignore_ascii_case(code_or_name) || rule.name == code_or_name)
    }
}

impl PartialEq for Rule {
    fn eq(&self, other: &Self) -> bool {
        self.code == other.code
    }
}

macro_rules! rules {
    ($($module:ident),* $(,)?) => {
        $(mod $module;)*

        /// Every rule, in the order of the codes.
        pub static RULES: &[Rule] = &[$($module::RULE),*];
    };
}

rules![
    ms101_slice_copied_to_iterate,
    ms102_slice_copied_to_aggregate,
    ms103_slice_copied_to_search,
    ms104_recursion_on_slice,
    ms105_queue_by_slice,
    ms106_list_of_chunks,
    ms107_full_copy_iterated,
    ms108_reversed_copy_iterated,
    ms109_pairwise_by_slice,
    ms110_copy_of_copy,
    ms111_unpack_of_slice,
    ms112_method_of_slice,
    ms113_split_for_one_part,
    ms201_index_loop,
    ms202_index_comprehension,
    ms203_pop_from_front,
    ms204_insert_at_front,
    ms205_index_while,
    ms301_attribute_text_grown,
    ms302_item_text_grown,
    ms303_global_text_grown,
    ms304_text_grown_by_copy,
    ms305_bytes_grown,
    ms306_tuple_grown,
    ms307_list_rebuilt,
    ms308_dict_rebuilt,
    ms309_set_rebuilt,
    ms310_text_grown_while_shared,
    ms311_sum_of_lists,
    ms401_list_to_aggregate,
    ms402_container_of_list,
    ms403_list_to_count,
    ms404_list_to_extend,
    ms405_list_of_iterator_iterated,
    ms406_list_iterated,
    ms407_dict_copied_to_iterate,
    ms408_readlines_iterated,
    ms409_read_and_split,
    ms410_lines_of_text_iterated,
    ms411_fetchall_iterated,
    ms412_findall_iterated,
    ms413_whole_file_parsed,
    ms414_hash_of_read,
    ms415_sorted_for_a_few,
    ms416_list_used_once,
    ms417_glob_iterated,
    ms418_write_of_read,
    ms419_output_split,
    ms501_class_without_slots,
    ms502_list_of_dict_records,
    ms503_list_of_floats,
    ms504_array_grown,
    ms505_table_grown,
    ms506_deepcopy_of_flat,
    ms507_list_of_flags,
    ms508_list_to_array,
    ms509_lists_to_count,
    ms601_unbounded_cache,
    ms602_cache_on_method,
    ms603_module_cache_grows,
    ms604_exception_kept,
    ms605_finalizer_holds_its_object,
    ms606_cycle_through_own_method,
    ms607_instance_registered_for_good,
    ms608_exc_info_kept,
    ms609_frame_kept_in_itself,
    ms610_default_that_grows,
    ms611_list_never_read,
];
