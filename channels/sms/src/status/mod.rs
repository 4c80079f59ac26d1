//! What an answer's number means for a message: one table a protocol, from its codes to failure classes. These modules
//! must not decide what follows: the class does.

pub mod cmpp;
pub mod smpp;
