//! Compiles what stable Rust cannot say: variadic functions, and room on the stack.

fn main() {
    println!("cargo::rerun-if-changed=src/variadic.c");
    cc::Build::new().file("src/variadic.c").compile("memsight_variadic");
}
