//! `tocsin decode`: what a compact message says, in Chinese and in English, and whether it is proved. For whoever holds a
//! terminal that shows only its bytes. This module must not know the form: the crate `satellite` does.

use std::path::PathBuf;

use channel::{Clock, SystemClock};
use satellite::compact::{Body, Compact, Key};

use super::Failed;
use crate::plan::Events;

#[derive(clap::Args)]
pub struct Args {
    /// The bytes in hexadecimal, as the terminal shows them; blanks are let go 终端显示的十六进制内容
    #[arg(required = true, value_name = "HEX")]
    message: Vec<String>,
    /// A file with the channel's `key`: whether the message is proved by it 通道密钥文件,用于验证
    #[arg(long, value_name = "FILE")]
    key_file: Option<PathBuf>,
}

pub fn run(args: &Args) -> Result<(), Failed> {
    let typed: String = args.message.concat().split_whitespace().collect();
    let bytes = hex::decode(&typed)
        .map_err(|e| Failed::Input(format!("the message is not hexadecimal 不是十六进制: {e}")))?;
    let compact = Compact::read(&bytes)
        .map_err(|e| Failed::Input(format!("this is no compact message 无法解读: {e}")))?;
    let key = args.key_file.as_ref().map(|path| {
        let read = std::fs::read_to_string(path);
        read.map_err(|e| Failed::Input(format!("reading {}: {e}", path.display())))
    });
    let key = key.transpose()?.map(|text| Key::new(text.trim()));
    let name = match &compact.body {
        Body::Alert(alert) => Some(Events::shipped().name(&alert.event)),
        Body::Test { .. } | Body::Status { .. } => None,
    };
    let name = name.as_ref();
    say!(
        "{}",
        compact.chinese(name.and_then(|name| name.zh.as_deref()))
    );
    say!(
        "{}",
        compact.english(name.and_then(|name| name.en.as_deref()))
    );
    if let Body::Alert(alert) = &compact.body
        && alert.expires < SystemClock::default().now()
    {
        // What was overheard can be said again; its own times are proved with it.
        say!("over 已过有效期: this warning is past its end, whoever says it now");
    }
    match key.map(|key| key.proves(&bytes)) {
        Some(true) => say!("proof 验证: right 通过"),
        Some(false) => {
            return Err(Failed::No(
                "the proof is wrong: another key, or a byte that was misread 验证不通过:密钥不符或内容有误".to_owned(),
            ));
        }
        None => say!("proof 验证: not looked at, give --key-file 未验证"),
    }
    Ok(())
}
