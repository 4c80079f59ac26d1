//! How a command says something. Whoever reads it may leave (`tocsin check | head`): what is said then is let go, and the
//! command ends with its own exit code. This module must not say anything by itself.

use std::fmt::Arguments;
use std::io::{self, ErrorKind, Write};

/// A line on standard output.
macro_rules! say {
    () => { $crate::commands::say::out(format_args!("\n")) };
    ($($words:tt)*) => { $crate::commands::say::out(format_args!("{}\n", format_args!($($words)*))) };
}

/// A line on standard error.
macro_rules! tell {
    ($($words:tt)*) => { $crate::commands::say::err(format_args!("{}\n", format_args!($($words)*))) };
}

pub fn out(text: Arguments<'_>) {
    let mut out = io::stdout().lock();
    let written = out.write_fmt(text).and_then(|()| out.flush());
    if let Err(error) = written
        && error.kind() != ErrorKind::BrokenPipe
    {
        // A full disk must not pass for an answer that was given.
        err(format_args!(
            "tocsin: writing to standard output: {error}\n"
        ));
        std::process::exit(3);
    }
}

/// Where nobody hears it there is nobody to tell.
pub fn err(text: Arguments<'_>) {
    let _ = io::stderr().lock().write_fmt(text);
}
