//! The command line.

mod model;
mod registry;

fn main() {}
