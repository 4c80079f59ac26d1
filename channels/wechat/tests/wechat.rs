//! The three kinds of channel against their own peer, and against software that we did not write. `./test` at the root
//! brings what these need.

#[path = "wechat/callbacks.rs"]
mod callbacks;
#[path = "wechat/common.rs"]
mod common;
#[path = "wechat/foreign.rs"]
mod foreign;
#[path = "wechat/sending.rs"]
mod sending;
#[path = "wechat/suite.rs"]
mod suite;
#[path = "wechat/tokens.rs"]
mod tokens;
