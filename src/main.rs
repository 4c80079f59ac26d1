//! The command line: it reads arguments, runs one command and turns its end into an exit code. This module must not do
//! any command's work.

mod app;
mod commands;
mod config;
mod console;
mod coord;
mod coverage;
mod dispatch;
mod factories;
#[cfg(any(test, fuzzing))]
pub mod fuzzing;
mod http;
mod ingest;
mod ledger;
mod live;
mod media;
mod model;
mod plan;
mod registry;
mod release;
mod store;
mod trust;

use std::process::ExitCode;

use clap::Parser;

use commands::{Command, Failed};

/// Tocsin 预警播发网关: warnings in as CAP XML, every door reached, known to be missed, or honestly unknown.
#[derive(Parser)]
#[command(version, about, after_help = EXIT_CODES)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

const EXIT_CODES: &str = "\
Exit codes 退出码:
  0  done 完成
  1  the answer is no: rejected, problems found, figures that do not add up 被拒绝或发现问题
  2  the command line or a file given on it is wrong 命令或文件有误
  3  the gateway, the store or a port cannot be reached 网关、存储或端口不可用
 75  receive-dsn: the mail stays in the mail server's queue 邮件留在队列

Logs go to standard error; RUST_LOG=debug shows more. 日志写到标准错误。";

fn main() -> ExitCode {
    let cli = Cli::parse();
    let filter = tracing_subscriber::EnvFilter::try_from_default_env()
        .unwrap_or_else(|_| tracing_subscriber::EnvFilter::new(cli.command.log_level()));
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .init();
    let runtime = match tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
    {
        Ok(runtime) => runtime,
        Err(error) => return Failed::Unreachable(format!("no runtime: {error}")).report(),
    };
    match runtime.block_on(cli.command.run()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failed) => failed.report(),
    }
}
