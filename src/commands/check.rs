//! `tocsin check`: every problem of a configuration and its plans at once, channels' own settings included, and each plan
//! in words. It opens no port and no database.

use std::path::PathBuf;

use channel::{Clock, SystemClock};

use super::{Failed, plan};
use crate::config;

#[derive(clap::Args)]
pub struct Args {
    #[arg(long, default_value = "config/tocsin.toml")]
    config: PathBuf,
}

pub fn run(args: &Args) -> Result<(), Failed> {
    if !args.config.is_file() {
        let what = "is no file; give another with --config";
        return Err(Failed::Input(format!("{} {what}", args.config.display())));
    }
    let look = config::look(&args.config);
    let mut problems = look.problems;
    if let Some(config) = &look.config {
        problems.extend(plan::channels(config).1);
    }
    if !problems.is_empty() {
        for problem in &problems {
            say!("{problem}");
        }
        return Err(Failed::No(format!("{} problem(s) 个问题", problems.len())));
    }
    if let Some(config) = &look.config {
        for notice in config::notices(config, SystemClock::default().now()) {
            say!("注意 notice: {notice}");
        }
    }
    if let (Some(plans), Some(tables)) = (look.plans, look.tables) {
        for each in plans.iter() {
            for (zh, en) in plan::words::explain(each, &tables.events) {
                say!("{zh}\n{en}");
            }
            say!();
        }
    }
    say!("{}: no problem found 未发现问题", args.config.display());
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    const BROKER: &str = "url = \"mqtts://broker.example\"";

    /// What is said of a channel of this kind with such a broker.
    fn told(kind: &str, broker: Option<&str>) -> Vec<String> {
        let broker = broker.map(|lines| format!("[channel.settings.broker]\n{lines}\n"));
        let text = format!(
            "[node]\ndata = \"data\"\nlisten = \"127.0.0.1:0\"\nplans = \"plans\"\n\
             [[channel]]\nname = \"wide\"\nkind = \"{kind}\"\nrate = \"10/s burst 10\"\n\
             [channel.settings]\ngateway = \"pingwu\"\nsecret = \"0123456789abcdef\"\nseed = \"{}\"\n{}",
            "07".repeat(32),
            broker.unwrap_or_default()
        );
        let config = config::of_text(&text).expect("it reads");
        plan::channels(&config).1
    }

    #[test]
    fn each_wrong_setting_of_a_broker_is_told_with_its_channel_and_key_and_no_password() {
        assert_eq!(told("loudspeaker-mqtt", Some(BROKER)), Vec::<String>::new());
        assert_eq!(told("loudspeaker", None), Vec::<String>::new());
        let with = |line: &str| Some(format!("{BROKER}\n{line}"));
        for (kind, broker, said) in [
            ("loudspeaker-mqtt", None, "needs `broker`"),
            (
                "loudspeaker",
                Some(BROKER.into()),
                "belongs to the kind loudspeaker-mqtt",
            ),
            (
                "loudspeaker-mqtt",
                Some("group = 9".into()),
                "missing field `url`",
            ),
            (
                "loudspeaker-mqtt",
                Some("url = \"http://broker.example\"".into()),
                "`broker.url` is mqtts://",
            ),
            (
                "loudspeaker-mqtt",
                Some("url = \"mqtts://:8883\"".into()),
                "`broker.url` is mqtts://",
            ),
            (
                "loudspeaker-mqtt",
                with("user = \"gateway\""),
                "`broker.user` and `broker.password`",
            ),
            (
                "loudspeaker-mqtt",
                with("password = \"not-told\""),
                "`broker.user` and `broker.password`",
            ),
            (
                "loudspeaker-mqtt",
                with("ca = \"no-such-file.pem\""),
                "`broker.ca` no-such-file.pem",
            ),
            (
                "loudspeaker-mqtt",
                with("keep_alive = 4"),
                "`broker.keep_alive` is 5 to 3600",
            ),
            (
                "loudspeaker-mqtt",
                with("keep_alive = 3601"),
                "`broker.keep_alive` is 5 to 3600",
            ),
            (
                "loudspeaker-mqtt",
                with("client_id = \"\""),
                "`broker.client_id` has 1 to 128 bytes",
            ),
            (
                "loudspeaker-mqtt",
                with("topics = \"tocsin/{what}\""),
                "`broker.topics` has {what} and {device}",
            ),
            (
                "loudspeaker-mqtt",
                with("topics = \"+/{what}/{device}\""),
                "`broker.topics` has {what} and {device}",
            ),
            ("loudspeaker-mqtt", with("group = -1"), "invalid value"),
            ("loudspeaker-mqtt", with("qos = 0"), "unknown field `qos`"),
        ] {
            let problems = told(kind, broker.as_deref());
            assert_eq!(problems.len(), 1, "{said}: {problems:?}");
            assert!(
                problems[0].contains("wide") && problems[0].contains(said),
                "{said}: {problems:?}"
            );
            assert!(!problems[0].contains("not-told"), "{problems:?}");
        }
    }
}
