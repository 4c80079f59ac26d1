//! `tocsin token`: a new bearer token, shown once, and the line that the configuration keeps of it.

use crate::trust;

#[derive(clap::Args)]
pub struct Args {}

pub fn run(_args: &Args) {
    let (token, hash) = trust::new_token();
    say!("token 令牌 (shown once, give it to the bureau 只显示一次,交给发布单位):\n  {token}");
    say!("for its [[bureau]] in tocsin.toml 写入配置:\n  token_sha256 = \"{hash}\"");
}
