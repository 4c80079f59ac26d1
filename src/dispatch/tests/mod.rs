//! Lanes from the inside: their order, and what they do while everything else happens too. The clock stands still until
//! a test moves it.

mod boxes;
mod flood;
mod house;
mod kit;
mod lane;
mod order;
mod replies;
mod route;
mod test_calls;
