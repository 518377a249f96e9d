//! Hands the page of `memsight view` to the compiler, if it was built. A build from sources
//! without Node has none, and `memsight view` then says how to get one.

use std::env;
use std::path::PathBuf;

fn main() {
    println!("cargo::rustc-check-cfg=cfg(has_page)");
    let here = PathBuf::from(env::var_os("CARGO_MANIFEST_DIR").unwrap_or_default());
    // In a packaged crate the page lies beside this file; in the repository it is built under web/.
    let candidates = [here.join("view.html"), here.join("../../web/dist/view.html")];
    // A file that is not there would make every build run this again; its folder does not.
    println!("cargo::rerun-if-changed=build.rs");
    for folder in candidates.iter().filter_map(|page| page.parent()).filter(|folder| folder.ends_with("dist"))
    {
        println!("cargo::rerun-if-changed={}", folder.display());
    }
    if let Some(page) = candidates.iter().find(|page| page.is_file()) {
        println!("cargo::rustc-cfg=has_page");
        println!("cargo::rustc-env=MEMSIGHT_PAGE={}", page.display());
    }
}
