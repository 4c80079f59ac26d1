//! The surface over a real socket.
