//! Codes that people scan to bind themselves to a household or a village. This module must not say who may be bound.

use std::time::Duration;

use channel::{Code, Failure, FailureClass, Scene};
use serde_json::{Value, json};

use crate::account::OfficialAccount;
use crate::errcode::{self, House};

/// A code that may run out does so after this at most.
const LONGEST: Duration = Duration::from_hours(24 * 30);
const SHOWN: &str = "https://mp.weixin.qq.com/cgi-bin/showqrcode?ticket=";

impl OfficialAccount {
    /// Makes a code for this place; without `valid` it stays for ever, and an account has a hundred thousand of those.
    pub(crate) async fn ticket(
        &self,
        scene: Scene,
        valid: Option<Duration>,
    ) -> Result<Code, Failure> {
        let valid = valid.map(|valid| valid.clamp(Duration::from_mins(1), LONGEST));
        let mut body = json!({
            "action_name": if valid.is_some() { "QR_STR_SCENE" } else { "QR_LIMIT_STR_SCENE" },
            "action_info": { "scene": { "scene_str": scene.to_string() } },
        });
        if let Some(valid) = valid {
            body["expire_seconds"] = valid.as_secs().into();
        }
        let answer = self.purse.post("/cgi-bin/qrcode/create", &body).await?;
        if let Some(failure) = errcode::failure(House::Account, answer.code) {
            return Err(failure);
        }
        let (Some(ticket), Some(url)) = (answer.text("ticket"), answer.text("url")) else {
            let detail = "the far end answered without a ticket; ask again";
            return Err(Failure::new(
                FailureClass::Transient,
                "wechat:no-ticket",
                detail,
            ));
        };
        let seconds = answer.json.get("expire_seconds").and_then(Value::as_u64);
        let seconds = seconds.filter(|_| valid.is_some());
        Ok(Code {
            scene,
            url: url.to_owned(),
            picture: format!("{SHOWN}{}", escaped(ticket)),
            until: seconds.map(|s| self.now().plus(Duration::from_secs(s))),
        })
    }
}

fn escaped(ticket: &str) -> String {
    let mut escaped = String::new();
    for byte in ticket.bytes() {
        match byte {
            b if b.is_ascii_alphanumeric() || b"-_.~/".contains(&b) => escaped.push(b.into()),
            b => {
                escaped.push('%');
                escaped.push_str(&hex::encode_upper([b]));
            }
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_ticket_is_escaped_in_its_address() {
        assert_eq!(escaped("gQH4+a/b=="), "gQH4%2Ba/b%3D%3D");
    }
}
