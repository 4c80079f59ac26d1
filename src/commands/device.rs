//! `tocsin device`: what an operator does with loudspeakers over the API of a running gateway: one-time codes, revocation and
//! a list of their controllers, and orders without a text, to those behind adapters and platforms as well. This command must
//! not keep a code.

use std::collections::HashMap;
use std::time::Duration;

use channel::{HttpClient, Request};
use serde_json::{Map, Value, json};

use super::Failed;

#[derive(clap::Args)]
pub struct Args {
    /// The gateway
    #[arg(long, global = true, default_value = "http://127.0.0.1:7080")]
    to: String,
    /// Token of a bureau with the scope `devices`; better given in the environment than on the command line
    #[arg(
        long,
        global = true,
        env = "TOCSIN_TOKEN",
        hide_env_values = true,
        default_value = ""
    )]
    token: String,
    #[command(subcommand)]
    what: What,
}

#[derive(clap::Subcommand)]
enum What {
    /// Make one-time codes: each enrols one device, once 生成入网码
    Codes {
        #[command(flatten)]
        whom: Whom,
        /// How long they stand
        #[arg(long, default_value_t = 24)]
        hours: u64,
    },
    /// Void a device's key and code 注销终端
    Revoke { device: String },
    /// What each device says of itself, as JSON 终端列表
    List {
        #[arg(long)]
        under: Option<String>,
        /// The `next` of the page before
        #[arg(long)]
        after: Option<u64>,
    },
    /// Satellite phones and Beidou cards with their last test, as JSON 卫星终端及拨测结果
    Satellites {
        #[arg(long)]
        under: Option<String>,
        /// The `next` of the page before
        #[arg(long)]
        after: Option<u64>,
    },
    /// Test satellite phones and Beidou cards now 拨测
    Test {
        /// Endpoints of the registry, by id
        #[arg(
            long = "endpoint",
            required_unless_present = "region",
            conflicts_with = "region"
        )]
        endpoints: Vec<u32>,
        /// All of a region
        #[arg(long = "under", id = "region")]
        under: Option<String>,
    },
    /// End whatever plays of one alert 停播一条预警
    Stop {
        alert: u64,
        #[command(flatten)]
        whom: Whom,
    },
    /// End all that plays 全部停播
    StopAll {
        #[command(flatten)]
        whom: Whom,
    },
    /// A test tone 试音
    Tone {
        #[arg(long, default_value_t = 5)]
        seconds: u16,
        #[command(flatten)]
        whom: Whom,
    },
    /// Set the volume, in hundredths 调节音量
    Volume {
        percent: u8,
        #[command(flatten)]
        whom: Whom,
    },
    /// Have each device look at itself, without a sound 静默自检
    SelfTest {
        #[command(flatten)]
        whom: Whom,
    },
    /// What came of an order, speaker by speaker, as JSON 指令结果
    Result { order: u64 },
}

#[derive(clap::Args)]
#[group(required = true, multiple = false)]
struct Whom {
    /// Devices by id
    #[arg(long = "device")]
    devices: Option<Vec<String>>,
    /// All devices of a region
    #[arg(long)]
    under: Option<String>,
}

impl Whom {
    fn with(self, more: Value) -> Value {
        let mut body = match more {
            Value::Object(body) => body,
            _ => Map::new(),
        };
        if let Some(devices) = self.devices {
            body.insert("devices".into(), devices.into());
        }
        if let Some(under) = self.under {
            body.insert("under".into(), under.into());
        }
        body.into()
    }
}

pub async fn run(args: Args) -> Result<(), Failed> {
    let orders = "/v1/devices/orders".to_owned();
    let (path, body) = match args.what {
        What::Codes { whom, hours } => {
            let found = codes(&args.to, &args.token, &whom.with(json!({ "hours": hours }))).await?;
            let mut lines: Vec<_> = found.into_iter().collect();
            lines.sort();
            for (device, code) in lines {
                say!("{device}\t{code}");
            }
            return Ok(());
        }
        What::Revoke { device } => (
            format!("/v1/devices/{}/revoke", escaped(&device)),
            Some(Value::Null),
        ),
        What::List { under, after } => (listed("/v1/devices", under, after), None),
        What::Satellites { under, after } => (listed("/v1/devices/satellites", under, after), None),
        What::Test { endpoints, under } => {
            let body = match under {
                Some(under) => json!({ "under": under }),
                None => json!({ "endpoints": endpoints }),
            };
            ("/v1/devices/satellites/tests".to_owned(), Some(body))
        }
        What::Stop { alert, whom } => (
            orders,
            Some(whom.with(json!({ "kind": "stop", "alert": alert }))),
        ),
        What::StopAll { whom } => (orders, Some(whom.with(json!({ "kind": "stop-all" })))),
        What::Tone { seconds, whom } => (
            orders,
            Some(whom.with(json!({ "kind": "tone", "seconds": seconds }))),
        ),
        What::Volume { percent, whom } => (
            orders,
            Some(whom.with(json!({ "kind": "volume", "percent": percent }))),
        ),
        What::SelfTest { whom } => (orders, Some(whom.with(json!({ "kind": "self-test" })))),
        What::Result { order } => (format!("{orders}/{order}"), None),
    };
    say!("{}", call(&args.to, &args.token, &path, body).await?);
    Ok(())
}

fn listed(path: &str, under: Option<String>, after: Option<u64>) -> String {
    let mut query = vec!["limit=1000".to_owned()];
    query.extend(under.map(|under| format!("under={}", escaped(&under))));
    query.extend(after.map(|after| format!("after={after}")));
    format!("{path}?{}", query.join("&"))
}

/// New codes, by device.
pub async fn codes(to: &str, token: &str, body: &Value) -> Result<HashMap<String, String>, Failed> {
    let answer = call(to, token, "/v1/devices/codes", Some(body.clone())).await?;
    let text = |code: &Value, name: &str| code[name].as_str().map(str::to_owned);
    let pair = |code: &Value| Some((text(code, "device")?, text(code, "code")?));
    let codes = answer["codes"].as_array().into_iter().flatten();
    Ok(codes.filter_map(pair).collect())
}

/// A GET without a body, a POST with one.
async fn call(to: &str, token: &str, path: &str, body: Option<Value>) -> Result<Value, Failed> {
    let request = Request {
        method: if body.is_some() { "POST" } else { "GET" }.into(),
        headers: vec![
            ("authorization".into(), format!("Bearer {token}")),
            ("content-type".into(), "application/json".into()),
        ],
        body: body.map(|body| body.to_string()).unwrap_or_default().into(),
        ..Request::default()
    };
    let http = HttpClient::of_the_house(Duration::from_secs(30));
    let reply = http.call(&format!("{to}{path}"), request).await;
    let reply = reply
        .map_err(|e| Failed::Unreachable(format!("{to}: {e}; is the gateway running there?")))?;
    let text = String::from_utf8_lossy(&reply.body).into_owned();
    match reply.status {
        200 | 202 => serde_json::from_str(&text).map_err(|e| Failed::No(e.to_string())),
        503 => Err(Failed::Unreachable(text)),
        _ => Err(Failed::No(text)),
    }
}

/// As one part of an address.
fn escaped(text: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
    let one = |byte: u8| {
        if plain(byte) {
            char::from(byte).to_string()
        } else {
            format!("%{byte:02X}")
        }
    };
    text.bytes().map(one).collect()
}
