//! The channel from outside: on a trunk and at a provider, against its own peers and against far ends that we did not
//! write. These tests must not call a telephone.

#[path = "calls/common.rs"]
mod common;
#[path = "calls/far_ends.rs"]
mod far_ends;
#[path = "calls/provider.rs"]
mod provider;
#[path = "calls/trunk.rs"]
mod trunk;
