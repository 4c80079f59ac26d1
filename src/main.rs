//! The command line.

mod model;

fn main() {}
