//! Judged by software that we did not write: the Python package `wechatpy` and the npm package `@wecom/crypto`. Neither is
//! the far end; nothing here has been run against that.

use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;

use channel::testing::{Behaviour, context};
use channel::{Channel, Request};
use serde_json::{Value, json};
use wechat::crypt::{AesKey, signature};
use wechat::errcode::{House, Meaning, meaning};
use wechat::peer::{finished, pressed, scanned};
use wechat::xml::Flat;
use wechat::{OfficialAccount, WorkApp};

use super::common::{APPID, CORPID, KEY, TOKEN, account, caller, peer, work};

fn ask(mut command: Command, input: &str) -> Value {
    let mut child = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("the judge starts: run ./test");
    child
        .stdin
        .take()
        .unwrap()
        .write_all(input.as_bytes())
        .unwrap();
    let output = child.wait_with_output().unwrap();
    assert!(
        output.status.success(),
        "the judge refuses; its words are above"
    );
    serde_json::from_slice(&output.stdout).unwrap()
}

fn python(arguments: &[&str], input: &str) -> Value {
    let python = std::env::var("TOCSIN_PYTHON").expect("TOCSIN_PYTHON names no python: run ./test");
    let script = Path::new("tests/python/wechat_judge.py");
    let mut command = Command::new(python);
    command.arg(script).args(arguments);
    ask(command, input)
}

fn node(input: &Value) -> Value {
    let script = Path::new("tests/node/wecom_judge.js");
    let mut command = Command::new("node");
    command.arg(script);
    ask(command, &input.to_string())
}

const XML: &str = "<xml><FromUserName>o-demo_1</FromUserName><CreateTime>1783980000</CreateTime>\
    <MsgType>text</MsgType><Content><![CDATA[收到 <快走>]]></Content><MsgId>7</MsgId></xml>";

fn word(request: &Request, name: &str) -> String {
    request.query(name).unwrap().to_owned()
}

#[test]
fn every_code_that_wechatpy_knows_has_a_meaning_at_each_house() {
    let codes = python(&["codes"], "");
    let codes: Vec<i64> = serde_json::from_value(codes).unwrap();
    assert!(codes.len() > 100, "{codes:?}");
    for house in [House::Account, House::Work, House::Robot] {
        let unknown: Vec<_> = codes
            .iter()
            .filter(|code| meaning(house, **code) == Meaning::Unknown)
            .collect();
        assert!(unknown.is_empty(), "{house:?}: {unknown:?}");
    }
    assert_eq!(meaning(House::Account, 12_345), Meaning::Unknown);
}

#[test]
fn our_signature_and_envelope_are_what_both_judges_make_and_open() {
    let key = AesKey::new(KEY).unwrap();
    for (house, owner) in [("account", APPID), ("work", CORPID)] {
        let envelope = key.seal(XML.as_bytes(), owner);
        let signed = signature(&[TOKEN, "1783980000", "n1", &envelope]);
        let given = json!({
            "token": TOKEN, "key": KEY, "owner": owner, "timestamp": "1783980000", "nonce": "n1",
            "signature": signed, "envelope": envelope,
            "body": format!("<xml><Encrypt><![CDATA[{envelope}]]></Encrypt></xml>"),
        });
        assert_eq!(python(&["open", house], &given.to_string()), XML);
        let judged = node(&given);
        assert_eq!(
            (&judged["message"], &judged["owner"]),
            (&XML.into(), &owner.into())
        );
        assert_eq!(judged["signature"], signed);
    }
    let echo = key.seal(b"1616140317555161061", CORPID);
    let given = json!({
        "token": TOKEN, "key": KEY, "owner": CORPID, "timestamp": "1783980000", "nonce": "n1",
        "signature": signature(&[TOKEN, "1783980000", "n1", &echo]), "echo": echo,
    });
    assert_eq!(
        python(&["open", "work"], &given.to_string()),
        "1616140317555161061"
    );
}

#[tokio::test]
async fn what_both_judges_sign_and_seal_comes_in_at_the_door() {
    let (on_account, account_inlet) = context("judged");
    let (on_work, work_inlet) = context("judged");
    let now = on_account.clock.now().secs().to_string();
    let account = OfficialAccount::new(account("http://127.0.0.1:9"), on_account).unwrap();
    let work = WorkApp::new(work("http://127.0.0.1:9"), on_work).unwrap();
    let houses: [(&str, &str, &dyn Channel); 2] =
        [("account", APPID, &account), ("work", CORPID, &work)];
    for (house, owner, channel) in houses {
        let given = json!({
            "token": TOKEN, "key": KEY, "owner": owner, "timestamp": now, "nonce": "n1", "xml": XML, "message": XML.replace(">7<", ">8<"),
        });
        let sealed = python(&["seal", house], &given.to_string());
        let sealed = sealed.as_str().unwrap();
        let outer = Flat::read(sealed).unwrap();
        let judged = node(&given);
        let by_node = format!(
            "<xml><Encrypt><![CDATA[{}]]></Encrypt></xml>",
            judged["envelope"].as_str().unwrap()
        );
        for (body, signed) in [
            (sealed, outer.get("MsgSignature").unwrap()),
            (&by_node, judged["signature"].as_str().unwrap()),
        ] {
            let words = [
                ("msg_signature", signed),
                ("timestamp", &now),
                ("nonce", "n1"),
                ("encrypt_type", "aes"),
            ];
            let request = Request {
                method: "POST".to_owned(),
                query: words.map(|(n, v)| (n.to_owned(), v.to_owned())).into(),
                body: body.to_owned().into(),
                ..Request::default()
            };
            assert_eq!(channel.serve(request).await.status, 200, "{house}");
        }
    }
    for inlet in [account_inlet, work_inlet] {
        let uplinks = inlet.uplinks.lock();
        let texts: Vec<_> = uplinks.iter().map(|uplink| uplink.text.as_str()).collect();
        assert_eq!(texts, ["收到 <快走>"; 2]);
    }
}

#[test]
fn the_calls_of_our_peer_are_what_wechatpy_reads() {
    let judged = python(
        &["parse"],
        &finished("o-demo_1", (1 << 60) + 1, "failed:user block"),
    );
    assert_eq!(judged["event"], "templatesendjobfinish");
    assert_eq!(
        (&judged["source"], &judged["status"]),
        (&"o-demo_1".into(), &"failed:user block".into())
    );
    let judged = python(&["parse"], &pressed("demo1", "Ac-0-1", "received"));
    assert_eq!(judged["source"], "demo1");
    let scan = "<xml><FromUserName>o-demo_1</FromUserName><CreateTime>1</CreateTime><MsgType>event</MsgType>\
        <Event>subscribe</Event><EventKey>qrscene_h12</EventKey><Ticket>t</Ticket></xml>";
    let judged = python(&["parse"], scan);
    assert_eq!(
        (&judged["event"], &judged["scene_id"]),
        (&"subscribe_scan".into(), &"h12".into())
    );
    let request = caller(APPID, true).request(XML, &channel::SystemClock::default());
    let given = json!({
        "token": TOKEN, "key": KEY, "owner": APPID, "signature": word(&request, "msg_signature"),
        "timestamp": word(&request, "timestamp"), "nonce": word(&request, "nonce"),
        "body": std::str::from_utf8(&request.body).unwrap(),
    });
    assert_eq!(python(&["open", "account"], &given.to_string()), XML);
}

#[tokio::test]
async fn what_a_person_is_told_in_our_answer_is_what_wechatpy_opens() {
    let (context, _inlet) = context("judged");
    let clock = context.clock.clone();
    let channel = OfficialAccount::new(account("http://127.0.0.1:9"), context).unwrap();
    let request = caller(APPID, true).request(&scanned("o-demo_1", "h12"), &*clock);
    let reply = channel.serve(request).await;
    let body = std::str::from_utf8(&reply.body).unwrap();
    let flat = Flat::read(body).unwrap();
    let part = |name| flat.get(name).unwrap();
    let given = json!({
        "token": TOKEN, "key": KEY, "owner": APPID, "signature": part("MsgSignature"),
        "timestamp": part("TimeStamp"), "nonce": part("Nonce"), "body": body,
    });
    let opened = python(&["open", "account"], &given.to_string());
    let read = python(&["parse"], opened.as_str().unwrap());
    let told = read["content"].as_str().unwrap();
    assert!(told.starts_with("已绑定 新桥村 12 号住户"), "{read}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn wechatpys_clients_find_in_our_peer_what_they_know_of_the_far_end() {
    let far = Arc::new(peer(House::Account, Behaviour::Accept).await);
    let url = far.url();
    let told = tokio::task::spawn_blocking(move || python(&["account", &url], ""))
        .await
        .unwrap();
    assert_eq!(told["sent"]["errcode"], 0);
    assert!(told["sent"]["msgid"].as_u64().unwrap() > 1 << 60, "{told}");
    assert_eq!(
        (&told["refused"], &told["ticket"]["url"]),
        (&47003.into(), &"http://weixin.qq.com/q/h12".into())
    );
    assert_eq!(
        told["picture"],
        "https://mp.weixin.qq.com/cgi-bin/showqrcode?ticket=gQH%2Bh12/%3D%3D"
    );
    assert_eq!(far.got("o-demo_1").len(), 1);

    let far = peer(House::Work, Behaviour::Accept).await;
    far.refuses_member("demo2");
    let url = far.url();
    let told = tokio::task::spawn_blocking(move || python(&["work", &url], ""))
        .await
        .unwrap();
    assert_eq!(
        (&told["errcode"], &told["invaliduser"]),
        (&0.into(), &"demo2".into())
    );
    assert_eq!(far.got("demo1").len(), 1);
}
