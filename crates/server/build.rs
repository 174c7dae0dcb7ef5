//! Builds the server again when the page it embeds was built again.

fn main() {
    // Without the folder the embedding macro would leave the page out for good, also when it is built later.
    let _ = std::fs::create_dir_all("../../ui/dist");
    println!("cargo:rerun-if-changed=../../ui/dist");
}
