//! One file a command. Each says what it did on standard output, and why it could not on standard error, in words that
//! an operator reads and with an exit code that a script can use. This room must not hold logic that a running gateway
//! needs.

#[macro_use]
mod say;

mod backup;
mod bench;
mod cap;
mod check;
mod decide;
mod decode;
mod demo;
mod device;
mod feed;
mod import;
mod journal;
mod outlet;
mod plan;
mod receive_dsn;
mod recording;
mod serve;
mod submit;
mod token;

use std::process::ExitCode;

#[derive(clap::Subcommand)]
pub enum Command {
    /// Try it all on this machine: a made-up warning reaches a made-up county 演示
    Demo(demo::Args),
    /// Run the gateway 运行网关
    Serve(serve::Args),
    /// Read a configuration and its plans, and list every problem 检查配置
    Check(check::Args),
    /// Look at CAP files without a gateway 查看预警文件
    #[command(subcommand)]
    Cap(cap::Cap),
    /// Try the plans on an alert 试算预案
    #[command(subcommand)]
    Plan(plan::Commands),
    /// Hand a CAP file to a running gateway, as a bureau does 提交预警
    Submit(submit::Args),
    /// Say a person's word on an alert that waits for one 核定预警
    Decide(decide::Args),
    /// Read a compact message of a satellite terminal, in Chinese and in English 解读卫星短报文
    Decode(decode::Args),
    /// Load the registry from a folder of CSV files 导入台账
    Import(import::Args),
    /// Take one mail from a mail server's pipe and hand it to a running gateway 接收邮件回执
    ReceiveDsn(receive_dsn::Args),
    /// Print the API's document (OpenAPI 3.1), as GET /v1/openapi.json serves it
    Openapi,
    /// The loudspeakers' controllers: codes, revocation, orders 广播终端
    Device(device::Args),
    /// The recording library of loudspeakers: bring, list, hear, take back 录音库
    Recording(recording::Args),
    /// Print the link by which an outlet that is served by hand sees its warnings 人工渠道链接
    Outlet(outlet::Args),
    /// Copy journal and registry while the gateway runs, and prove the copy 备份
    Backup(backup::Args),
    /// Make a bureau's token and the hash that the configuration keeps 生成令牌
    Token(token::Args),
    /// Measure this machine: one table of ratios 性能测试
    Bench(bench::Args),
    #[command(hide = true)]
    BenchPeer(bench::peer::Args),
    #[command(hide = true)]
    BenchControllers(bench::boxes::Args),
    #[command(hide = true)]
    BenchKannel(bench::kannel::Args),
    /// Read the journal 查看流水
    #[command(subcommand)]
    Journal(journal::Journal),
}

/// Why a command ends without success.
#[derive(Debug)]
pub enum Failed {
    /// The answer is no.
    No(String),
    /// The command line or a file given on it is wrong.
    Input(String),
    /// The gateway, the store or a port cannot be reached.
    Unreachable(String),
    /// A mail server is to keep its mail and come again: the code of sysexits that it knows.
    Later(String),
}

impl Failed {
    pub fn report(self) -> ExitCode {
        let (code, text) = match self {
            Self::No(text) => (1, text),
            Self::Input(text) => (2, text),
            Self::Unreachable(text) => (3, text),
            Self::Later(text) => (75, text),
        };
        tell!("tocsin: {text}");
        ExitCode::from(code)
    }
}

impl Command {
    pub const fn log_level(&self) -> &'static str {
        match self {
            Self::Serve(_) => "info",
            // A bar and a table are to be looked at; only what needs a person interrupts them.
            _ => "error",
        }
    }

    pub async fn run(self) -> Result<(), Failed> {
        match self {
            Self::Demo(args) => demo::run(args).await,
            Self::Serve(args) => serve::run(args).await,
            Self::Check(args) => check::run(&args),
            Self::Cap(cap) => cap.run(),
            Self::Plan(plan) => plan.run(),
            Self::Submit(args) => submit::run(args).await,
            Self::Decide(args) => decide::run(args).await,
            Self::Decode(args) => decode::run(&args),
            Self::Import(args) => import::run(args).await,
            Self::ReceiveDsn(args) => receive_dsn::run(args).await,
            Self::Openapi => {
                say::out(format_args!("{}", crate::http::document()));
                Ok(())
            }
            Self::Device(args) => device::run(args).await,
            Self::Recording(args) => recording::run(args).await,
            Self::Outlet(args) => outlet::run(&args),
            Self::Backup(args) => backup::run(args).await,
            Self::Token(args) => {
                token::run(&args);
                Ok(())
            }
            Self::Bench(args) => bench::run(args).await,
            Self::BenchPeer(args) => bench::peer::run(args).await,
            Self::BenchControllers(args) => bench::boxes::run(args).await,
            Self::BenchKannel(args) => bench::kannel::run(args).await,
            Self::Journal(journal) => journal.run().await,
        }
    }
}

/// Waits for Ctrl-C or a termination signal.
pub async fn interrupted() {
    use tokio::signal::unix::{SignalKind, signal};
    let Ok(mut term) = signal(SignalKind::terminate()) else {
        let _ = tokio::signal::ctrl_c().await;
        return;
    };
    tokio::select! {
        _ = tokio::signal::ctrl_c() => {},
        _ = term.recv() => {},
    }
}
