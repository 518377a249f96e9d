//! Sentences and lives of any trace, also of one that makes no sense.

mod support;

use memsight_picture::{MAX_EVENTS, MAX_SENTENCE, lives, say_all};
use proptest::prelude::*;

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, ..ProptestConfig::default() })]

    #[test]
    fn every_step_has_a_sentence_of_one_line(random in support::random_steps()) {
        let mut trace = support::trace(&random);
        say_all(&mut trace);
        for step in &trace.steps {
            prop_assert!(step.say.ends_with(['.', '…']), "{}", step.say);
            prop_assert!(step.say.chars().count() <= MAX_SENTENCE, "{}", step.say);
            prop_assert!(!step.say.contains(char::is_control), "{:?}", step.say);
        }
    }

    #[test]
    fn lives_follow_the_steps_and_are_not_endless(random in support::random_steps()) {
        let trace = support::trace(&random);
        for life in lives(&trace).values() {
            prop_assert!(life.is_sorted_by_key(|life| life.step));
            prop_assert!(life.len() <= MAX_EVENTS + 2);
        }
    }
}
