//! `tocsin outlet`: the link by which one outlet sees what it is to give by hand. It asks no gateway: the configuration
//! holds the secret that proves links. This command must not keep a link.

use std::path::PathBuf;

use super::Failed;
use crate::config;

#[derive(clap::Args)]
pub struct Args {
    /// The channel, as configured
    channel: String,
    /// The outlet's address, as the registry has it: `tv:pingwu`
    address: String,
    /// Where the outlet's people reach the gateway, `https://` and its name
    #[arg(long, default_value = "")]
    at: String,
    #[arg(long, default_value = "config/tocsin.toml")]
    config: PathBuf,
}

const KIND: &str = "manual";

pub fn run(args: &Args) -> Result<(), Failed> {
    if manual::Outlet::read(&args.address).is_none() {
        let kinds = manual::Kind::ALL.map(manual::Kind::word).join(", ");
        return Err(Failed::Input(format!(
            "{:?} is no outlet's address; write KIND:NAME, where KIND is one of {kinds} and NAME small letters, digits and hyphens",
            args.address
        )));
    }
    let look = config::look(&args.config);
    let Some(read) = look.config else {
        return Err(Failed::Input(look.problems.join("\n")));
    };
    let found = read.channels.iter().find(|c| c.name == args.channel);
    let Some(channel) = found.filter(|channel| channel.kind == KIND) else {
        return Err(Failed::Input(format!(
            "{} has no channel {:?} of kind \"{KIND}\"",
            args.config.display(),
            args.channel
        )));
    };
    let settings = toml::Value::Table(channel.settings.clone());
    let settings: manual::Config = settings.try_into().map_err(|e: toml::de::Error| {
        Failed::Input(format!("channel {:?}: {}", args.channel, e.message()))
    })?;
    let links = manual::Links::new(&settings.secret, &channel.name);
    let at = args.at.trim_end_matches('/');
    say!("{at}{}", links.outlet(&args.address));
    Ok(())
}
