//! Builds the server again when the page it embeds was built again.

fn main() {
    println!("cargo:rerun-if-changed=../../ui/dist");
}
