//! Compiles the one thing that stable Rust cannot say: variadic functions.

fn main() {
    println!("cargo::rerun-if-changed=src/variadic.c");
    cc::Build::new().file("src/variadic.c").compile("memsight_variadic");
}
