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

mod at_front;
mod cached;
mod counted;
mod few_rounds;
mod kept;
mod ms101_slice_copied_to_iterate;
mod ms102_slice_copied_to_aggregate;
mod ms103_slice_copied_to_search;
mod ms104_recursion_on_slice;
mod ms105_queue_by_slice;
mod ms106_list_of_chunks;
mod ms107_full_copy_iterated;
mod ms108_reversed_copy_iterated;
mod ms109_pairwise_by_slice;
mod ms110_copy_of_copy;
mod ms111_unpack_of_slice;
mod ms112_method_of_slice;
mod ms113_split_for_one_part;
mod ms201_index_loop;
mod ms202_index_comprehension;
mod ms203_pop_from_front;
mod ms204_insert_at_front;
mod ms205_index_while;
mod ms301_attribute_text_grown;
mod ms302_item_text_grown;
mod ms303_global_text_grown;
mod ms304_text_grown_by_copy;
mod ms305_bytes_grown;
mod ms306_tuple_grown;
mod ms307_list_rebuilt;
mod ms308_dict_rebuilt;
mod ms309_set_rebuilt;
mod ms310_text_grown_while_shared;
mod ms311_sum_of_lists;
mod ms401_list_to_aggregate;
mod ms402_container_of_list;
mod ms403_list_to_count;
mod ms404_list_to_extend;
mod ms405_list_of_iterator_iterated;
mod ms406_list_iterated;
mod ms407_dict_copied_to_iterate;
mod ms408_readlines_iterated;
mod ms409_read_and_split;
mod ms410_lines_of_text_iterated;
mod ms411_fetchall_iterated;
mod ms412_findall_iterated;
mod ms413_whole_file_parsed;
mod ms414_hash_of_read;
mod ms415_sorted_for_a_few;
mod ms416_list_used_once;
mod ms417_glob_iterated;
mod ms418_write_of_read;
mod ms419_output_split;
mod ms501_class_without_slots;
mod ms502_list_of_dict_records;
mod ms503_list_of_floats;
mod ms504_array_grown;
mod ms505_table_grown;
mod ms506_deepcopy_of_flat;
mod ms507_list_of_flags;
mod ms508_list_to_array;
mod ms509_lists_to_count;
mod ms601_unbounded_cache;
mod ms602_cache_on_method;
mod ms603_module_cache_grows;
mod ms604_exception_kept;
mod ms605_finalizer_holds_its_object;
mod ms606_cycle_through_own_method;
mod ms607_instance_registered_for_good;
mod ms608_exc_info_kept;
mod ms609_frame_kept_in_itself;
mod ms610_default_that_grows;
mod ms611_list_never_read;
mod patterns;
mod patterns_growth;
mod patterns_index;
mod patterns_layout;
mod short;
mod spans;

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

/// Every rule, in the order of the codes.
pub static RULES: &[Rule] = &[
    ms101_slice_copied_to_iterate::RULE,
    ms102_slice_copied_to_aggregate::RULE,
    ms103_slice_copied_to_search::RULE,
    ms104_recursion_on_slice::RULE,
    ms105_queue_by_slice::RULE,
    ms106_list_of_chunks::RULE,
    ms107_full_copy_iterated::RULE,
    ms108_reversed_copy_iterated::RULE,
    ms109_pairwise_by_slice::RULE,
    ms110_copy_of_copy::RULE,
    ms111_unpack_of_slice::RULE,
    ms112_method_of_slice::RULE,
    ms113_split_for_one_part::RULE,
    ms201_index_loop::RULE,
    ms202_index_comprehension::RULE,
    ms203_pop_from_front::RULE,
    ms204_insert_at_front::RULE,
    ms205_index_while::RULE,
    ms301_attribute_text_grown::RULE,
    ms302_item_text_grown::RULE,
    ms303_global_text_grown::RULE,
    ms304_text_grown_by_copy::RULE,
    ms305_bytes_grown::RULE,
    ms306_tuple_grown::RULE,
    ms307_list_rebuilt::RULE,
    ms308_dict_rebuilt::RULE,
    ms309_set_rebuilt::RULE,
    ms310_text_grown_while_shared::RULE,
    ms311_sum_of_lists::RULE,
    ms401_list_to_aggregate::RULE,
    ms402_container_of_list::RULE,
    ms403_list_to_count::RULE,
    ms404_list_to_extend::RULE,
    ms405_list_of_iterator_iterated::RULE,
    ms406_list_iterated::RULE,
    ms407_dict_copied_to_iterate::RULE,
    ms408_readlines_iterated::RULE,
    ms409_read_and_split::RULE,
    ms410_lines_of_text_iterated::RULE,
    ms411_fetchall_iterated::RULE,
    ms412_findall_iterated::RULE,
    ms413_whole_file_parsed::RULE,
    ms414_hash_of_read::RULE,
    ms415_sorted_for_a_few::RULE,
    ms416_list_used_once::RULE,
    ms417_glob_iterated::RULE,
    ms418_write_of_read::RULE,
    ms419_output_split::RULE,
    ms501_class_without_slots::RULE,
    ms502_list_of_dict_records::RULE,
    ms503_list_of_floats::RULE,
    ms504_array_grown::RULE,
    ms505_table_grown::RULE,
    ms506_deepcopy_of_flat::RULE,
    ms507_list_of_flags::RULE,
    ms508_list_to_array::RULE,
    ms509_lists_to_count::RULE,
    ms601_unbounded_cache::RULE,
    ms602_cache_on_method::RULE,
    ms603_module_cache_grows::RULE,
    ms604_exception_kept::RULE,
    ms605_finalizer_holds_its_object::RULE,
    ms606_cycle_through_own_method::RULE,
    ms607_instance_registered_for_good::RULE,
    ms608_exc_info_kept::RULE,
    ms609_frame_kept_in_itself::RULE,
    ms610_default_that_grows::RULE,
    ms611_list_never_read::RULE,
];
