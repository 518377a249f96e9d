//! The rule on dependencies: a function from packages and tables to breaches.

use std::collections::{BTreeMap, BTreeSet};

use crate::workspace::Package;

/// A crate and the crates it may, or must never, depend on.
type Table<'a> = &'a [(&'a str, &'a [&'a str])];

/// What in `packages` goes against the two tables, in sentences.
///
/// `may` judges what a package names itself, tests included. `never` judges what
/// is reached over any number of steps by what is built into it.
pub(super) fn breaches(packages: &[Package], may: Table<'_>, never: Table<'_>) -> Vec<String> {
    let members: BTreeSet<&str> = packages.iter().map(|package| package.name.as_str()).collect();
    let allowed: BTreeMap<&str, &[&str]> = may.iter().copied().collect();
    let mut breaches = Vec::new();
    for package in packages {
        let name = package.name.as_str();
        let Some(allowed) = allowed.get(name) else {
            breaches.push(format!("{name}: not in the table of dependencies; say what it may depend on"));
            continue;
        };
        let inner: BTreeSet<&str> = named_by(package, |_| true)
            .filter(|dependency| *dependency != name && members.contains(dependency))
            .collect();
        for dependency in inner.into_iter().filter(|dependency| !allowed.contains(dependency)) {
            breaches.push(format!("{name} must not depend on {dependency}"));
        }
    }
    for (name, forbidden) in never {
        let reached = reached_from(name, packages);
        for dependency in forbidden.iter().filter(|dependency| reached.contains_key(*dependency)) {
            let way = way_to(dependency, &reached);
            breaches.push(format!("{name} must never reach {dependency}, but does: {way}"));
        }
    }
    breaches
}

fn named_by(package: &Package, of_kind: fn(Option<&str>) -> bool) -> impl Iterator<Item = &str> {
    let dependencies = package.dependencies.iter();
    dependencies
        .filter(move |dependency| of_kind(dependency.kind.as_deref()))
        .map(|dependency| &*dependency.name)
}

/// Every crate that `start` reaches, with the crate that led to it.
fn reached_from<'a>(start: &'a str, packages: &'a [Package]) -> BTreeMap<&'a str, &'a str> {
    let by_name: BTreeMap<&str, &Package> =
        packages.iter().map(|package| (&*package.name, package)).collect();
    let mut reached = BTreeMap::new();
    let mut waiting = vec![start];
    while let Some(name) = waiting.pop() {
        let Some(package) = by_name.get(name) else { continue };
        for dependency in named_by(package, |kind| kind != Some("dev")) {
            if dependency != start && !reached.contains_key(dependency) {
                reached.insert(dependency, name);
                waiting.push(dependency);
            }
        }
    }
    reached
}

/// `a → b → c`, from the start to `goal`.
fn way_to(goal: &str, reached: &BTreeMap<&str, &str>) -> String {
    let mut way = goal.to_owned();
    let mut at = goal;
    while let Some(&before) = reached.get(at) {
        way = format!("{before} → {way}");
        at = before;
    }
    way
}

#[cfg(test)]
mod tests {
    use super::*;

    const MAY: Table<'_> = &[("capture", &[]), ("preload", &["capture"]), ("report", &["capture"])];
    const NEVER: Table<'_> = &[("preload", &["report"])];

    /// A package's name, and the name and kind of each dependency.
    type Told<'a> = (&'a str, &'a [(&'a str, Option<&'a str>)]);

    /// Packages as `cargo metadata` would tell them.
    fn packages(of: &[Told<'_>]) -> Vec<Package> {
        let package = |(name, dependencies): &Told<'_>| {
            let dependencies: Vec<_> = dependencies
                .iter()
                .map(|(name, kind)| serde_json::json!({"name": name, "kind": kind}))
                .collect();
            serde_json::json!({
                "name": name, "manifest_path": "/Cargo.toml", "dependencies": dependencies, "targets": [],
            })
        };
        let told: Vec<_> = of.iter().map(package).collect();
        serde_json::from_value(told.into()).unwrap()
    }

    #[test]
    fn packages_that_keep_to_the_table_pass() {
        let packages = packages(&[
            ("capture", &[("zstd", None)]),
            ("preload", &[("capture", None), ("libc", None)]),
            ("report", &[("capture", None)]),
        ]);
        assert!(breaches(&packages, MAY, NEVER).is_empty());
    }

    #[test]
    fn a_dependency_the_table_does_not_name_is_a_breach() {
        let packages = packages(&[("capture", &[("report", None)]), ("report", &[])]);
        assert_eq!(breaches(&packages, MAY, NEVER), ["capture must not depend on report"]);
    }

    #[test]
    fn a_dependency_of_tests_alone_is_a_breach_too() {
        let packages = packages(&[("capture", &[("report", Some("dev"))]), ("report", &[])]);
        assert_eq!(breaches(&packages, MAY, NEVER), ["capture must not depend on report"]);
    }

    #[test]
    fn a_crate_whose_tests_turn_on_a_feature_of_its_own_keeps_to_the_table() {
        let packages = packages(&[("capture", &[("capture", Some("dev"))])]);
        assert!(breaches(&packages, MAY, NEVER).is_empty());
    }

    #[test]
    fn a_forbidden_crate_is_found_over_several_steps_even_if_each_is_allowed() {
        let lenient: Table<'_> = &[("capture", &["report"]), ("preload", &["capture"]), ("report", &[])];
        let packages =
            packages(&[("preload", &[("capture", None)]), ("capture", &[("report", None)]), ("report", &[])]);
        assert_eq!(
            breaches(&packages, lenient, NEVER),
            ["preload must never reach report, but does: preload → capture → report"]
        );
    }

    #[test]
    fn what_only_tests_need_is_not_built_in() {
        let lenient: Table<'_> = &[("preload", &["report"]), ("report", &[])];
        let packages = packages(&[("preload", &[("report", Some("dev"))]), ("report", &[])]);
        assert!(breaches(&packages, lenient, NEVER).is_empty());
    }

    #[test]
    fn a_crate_that_is_not_in_the_table_is_a_breach() {
        let found = breaches(&packages(&[("new", &[])]), MAY, NEVER);
        assert_eq!(found, ["new: not in the table of dependencies; say what it may depend on"]);
    }

    #[test]
    fn the_tables_in_use_agree_with_each_other() {
        let as_allowed: Vec<_> = super::super::MAY_DEPEND_ON
            .iter()
            .map(|(name, allowed)| (*name, allowed.iter().map(|name| (*name, None)).collect::<Vec<_>>()))
            .collect();
        let as_allowed: Vec<_> = as_allowed.iter().map(|(name, allowed)| (*name, &allowed[..])).collect();
        let packages = packages(&as_allowed);
        assert!(breaches(&packages, super::super::MAY_DEPEND_ON, super::super::NEVER_REACHES).is_empty());
    }
}
