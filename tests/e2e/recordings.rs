//! Recordings and speech from end to end: recorded with tools that we did not write, brought by one bureau, heard by
//! another, ordered of a loudspeaker, fetched by its controller over a restart; and the page 录音库 in a real browser.

use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

use channel::{HttpClient, SystemClock};
use loudspeaker::order::{Order, Verifier, Window};
use loudspeaker::{DeviceKey, Line};
use serde_json::json;

use crate::browser::Browser;
use crate::county::{DEVICES, VILLAGE_A1};
use crate::gateway::{EVERYTHING, Gateway, OPERATOR, Setup, WATER, World, both, within};
use crate::setup::hash;
use crate::warning::{COUNTY, Warning};

const SECOND: &str = "token-of-the-second-person";

/// A second person, the villages' language, and the voice as shipped.
fn setup() -> Setup {
    let hash = hash(SECOND);
    Setup {
        more: format!(
            "\n[[bureau]]\nid = \"second\"\nname = \"平武县播控室\"\nsignature = \"平武\"\ntoken_sha256 = \"{hash}\"\n\
             scopes = [\"read\", \"recordings\"]\nregions = [\"510727\"]\n\n\
             [languages]\n510727101 = [\"qxs\"]\n\n[speech]\n"
        ),
        ..Setup::default()
    }
}

/// What somebody says into a telephone, as an MP3 file.
fn recorded(gateway: &Gateway, text: &str) -> PathBuf {
    let wav = gateway.path("said.wav");
    let file = gateway.path("said.mp3");
    let said = Command::new("espeak-ng")
        .args(["-v", "cmn-latn-pinyin", "-w"])
        .arg(&wav)
        .arg(text)
        .status();
    assert!(said.expect("espeak-ng is installed").success());
    let made = Command::new("lame")
        .args(["--quiet", "-b", "32"])
        .arg(&wav)
        .arg(&file)
        .status();
    assert!(made.expect("lame is installed").success());
    file
}

/// How long a decoder that we did not write hears it.
fn heard(gateway: &Gateway, bytes: &[u8]) -> u64 {
    let file = gateway.path("fetched.mp3");
    std::fs::write(&file, bytes).expect("written");
    let decoded = Command::new("lame")
        .args(["--quiet", "--decode"])
        .arg(file)
        .arg("-")
        .stderr(Stdio::null())
        .output();
    let wav = decoded.expect("lame is installed").stdout;
    channel::wav::Wav::open(&wav)
        .expect("sound")
        .millis()
        .div_ceil(1000)
}

impl Gateway {
    /// `tocsin recording …` against this gateway, with a bureau's token.
    async fn recording(&self, token: &str, args: &[&str]) -> Result<serde_json::Value, String> {
        let mut command = self.command();
        command.args(["recording", "--to", &self.base]).args(args);
        let output = command.env("TOCSIN_TOKEN", token).output().await;
        let output = output.expect("it starts");
        if output.status.success() {
            return Ok(serde_json::from_slice(&output.stdout).expect("JSON"));
        }
        Err(both(&output))
    }
}

/// The line of a controller that takes this device over from the one that the world has there.
async fn controller(gateway: &Gateway, device: &str) -> (Line, Verifier) {
    within("the first has enrolled", async || {
        let list = gateway
            .call("GET", "/v1/devices?limit=1000", OPERATOR, "")
            .await;
        let rows = list.body["devices"].as_array()?.iter();
        let mut mine = rows.filter(|row| row["device"] == device);
        mine.any(|row| row["enrolled"] == true).then_some(())
    })
    .await;
    let codes = gateway.codes(&[device.to_owned()]).await;
    let key = DeviceKey::from_seed(&DeviceKey::new_seed()).expect("a key");
    let http = HttpClient::of_the_house(Duration::from_secs(40));
    let base = format!("{}/v1/channels/horn", gateway.base);
    let line = Line::new(http, &base, device, key, Arc::new(SystemClock::default()));
    let welcome = line.enrol(&codes[device]).await.expect("it enrols");
    let verifier = Verifier::new(device, &welcome.public_keys()).expect("two keys");
    (line, verifier)
}

/// The first order that a controller gets.
async fn ordered((line, verifier): &(Line, Verifier), window: &Window) -> Order {
    within("an order comes", async || {
        let orders = line.poll(window, Duration::from_secs(2)).await.ok()?;
        let signed = orders.first()?;
        Some(
            verifier
                .verify(signed, window, line.now())
                .expect("a good order"),
        )
    })
    .await
}

#[tokio::test]
async fn a_village_hears_its_own_language_and_then_mandarin_by_sounds_that_its_controller_fetches()
{
    let mut world = World::start(setup()).await;
    let gateway = &world.gateway;
    let file = recorded(gateway, "山洪来了，请往高处走。");
    let file = file.to_str().expect("a path");
    let brought = [
        "add",
        file,
        "--language",
        "qxs",
        "--event",
        "11A51",
        "--level",
        "red",
    ];
    let brought = gateway
        .recording(EVERYTHING, &brought)
        .await
        .expect("it is taken");
    assert_eq!(
        (&brought["id"], &brought["standing"]),
        (&json!(1), &json!("unheard"))
    );
    let own = gateway
        .recording(EVERYTHING, &["heard", "1"])
        .await
        .expect_err("refused");
    assert!(own.contains("somebody else has to hear it"), "{own}");

    // Not used before it was heard, and told so.
    let warning = Warning::red("rec-1", &[VILLAGE_A1]);
    let xml = warning.xml();
    let look = || gateway.call("POST", "/v1/alerts?preview=true", WATER, &xml);
    let sounds = look().await.body["sounds"].clone();
    assert_eq!(sounds["languages"][0]["recording"], json!(null), "{sounds}");
    assert_eq!(sounds["text_only"][0]["code"], VILLAGE_A1, "{sounds}");
    gateway
        .recording(SECOND, &["heard", "1"])
        .await
        .expect("heard");
    let sounds = look().await.body["sounds"].clone();
    let qiang = json!({ "language": "qxs", "language_zh": "南部羌语", "recording": 1, "levels": ["red"], "villages": 1 });
    assert_eq!(sounds["languages"][0], qiang, "{sounds}");
    assert_eq!(
        (&sounds["languages"][1]["language"], &sounds["text_only"]),
        (&json!("zho"), &json!([]))
    );

    let device = controller(gateway, DEVICES[0]).await;
    gateway.submit(&warning).await;
    let order = ordered(&device, &Window::default()).await;
    let kinds: Vec<_> = order
        .parts
        .iter()
        .map(|p| (p.kind.as_str(), p.language.as_str()))
        .collect();
    let wanted = [
        ("tone", ""),
        ("text", "zh-CN"),
        ("sound", "qxs"),
        ("text", "zh-CN"),
    ];
    assert_eq!(kinds, wanted, "{:?}", order.parts);
    assert_eq!((order.repeats, order.pause), (4, 3), "as the table says");
    assert!(
        order.parts[3].text.contains("请立即转移到高处"),
        "{:?}",
        order.parts[3]
    );
    for sound in order.sounds_of() {
        let bytes = device
            .0
            .sound(sound)
            .await
            .expect("it is what was promised");
        let seconds = heard(gateway, &bytes);
        assert!(
            seconds.abs_diff(sound.seconds.into()) <= 1,
            "{seconds} {sound:?}"
        );
    }
    assert_eq!(order.sounds_of().count(), 3, "the words are spoken, too");

    // The gateway was away for a moment: what was ordered can still be fetched, and nothing was forgotten.
    world.gateway.terminate().await;
    world.gateway.start().await;
    for sound in order.sounds_of() {
        device
            .0
            .sound(sound)
            .await
            .expect("it is there after a start");
    }
    let list = world
        .gateway
        .recording(SECOND, &["list"])
        .await
        .expect("a list");
    assert_eq!(list["recordings"][0]["heard"]["by"], "second");
}

#[tokio::test]
async fn a_village_without_a_recording_and_a_house_without_a_voice_hear_the_text_as_before() {
    let world = World::start(Setup::default()).await;
    let gateway = &world.gateway;
    let device = controller(gateway, DEVICES[0]).await;
    gateway.submit(&Warning::red("rec-2", &[COUNTY])).await;
    let order = ordered(&device, &Window::default()).await;
    let kinds: Vec<_> = order
        .parts
        .iter()
        .map(|piece| piece.kind.as_str())
        .collect();
    assert_eq!(kinds, ["tone", "text"]);
    assert!(order.parts[1].text.contains(&order.text) && order.sounds_of().next().is_none());
}

async fn signed_in(browser: &Browser, base: &str, token: &str) {
    browser.open(&format!("{base}/console/sign-in")).await;
    browser.write("#token", token).await;
    browser.click("form.sign-in button").await;
    let there = "return document.querySelector('h2') !== null";
    browser.until(there, &json!(true)).await;
    browser.open(&format!("{base}/console/recordings")).await;
    let there = "return document.querySelector('main.library') !== null";
    browser.until(there, &json!(true)).await;
}

/// Nothing stands beyond the right edge.
async fn fits(browser: &Browser, width: u32) {
    browser.resize(width, 900).await;
    let wide = "return document.documentElement.scrollWidth <= window.innerWidth";
    browser.until(wide, &json!(true)).await;
}

#[tokio::test]
async fn a_browser_brings_a_recording_plays_it_and_a_second_person_vouches_for_it() {
    let world = World::start(setup()).await;
    let gateway = &world.gateway;
    let file = recorded(gateway, "山洪来了，请往高处走，不要回家。");
    let browser = Browser::start().await;
    signed_in(&browser, &gateway.base, EVERYTHING).await;
    let asks =
        "const i = document.getElementById('sound'); return [i.accept, i.hasAttribute('capture')]";
    assert_eq!(browser.script(asks).await, json!(["audio/*", true]));
    fits(&browser, 500).await;

    // What is no sound is refused in words, on the page.
    std::fs::write(gateway.path("letter.mp3"), "a letter").expect("written");
    let choose = "document.querySelector('[name=language]').value = 'qxs'; document.querySelector('[name=level]').value = 'red'";
    browser.script(choose).await;
    let path = |name: &str| gateway.path(name).to_str().expect("a path").to_owned();
    browser.write("#sound", &path("letter.mp3")).await;
    browser.write("[name=event]", "11A51").await;
    browser.click("#record button").await;
    let told =
        "return document.getElementById('told').textContent.includes('不是 WAV、MP3 或 M4A')";
    browser.until(told, &json!(true)).await;
    browser
        .script("document.getElementById('sound').value = ''")
        .await;
    browser
        .write("#sound", file.to_str().expect("a path"))
        .await;
    browser.click("#record button").await;
    let brought = "return document.querySelectorAll('ul.recordings li.unheard').length";
    browser.until(brought, &json!(1)).await;
    let own = "return document.querySelector('li.unheard button.heard') === null";
    assert_eq!(
        browser.script(own).await,
        json!(true),
        "not by who brought it"
    );

    // The browser's own decoder hears it as long as the gateway says.
    let list = gateway.get("/v1/recordings").await;
    let seconds = list["recordings"][0]["seconds"].as_f64().expect("a length");
    browser
        .script("const a = document.querySelector('audio'); a.preload = 'auto'; a.load()")
        .await;
    let length = format!(
        "const d = document.querySelector('audio').duration; return Math.abs(d - {seconds}) <= 1.1"
    );
    browser.until(&length, &json!(true)).await;

    browser.click("header.top form button").await;
    signed_in(&browser, &gateway.base, SECOND).await;
    fits(&browser, 500).await;
    fits(&browser, 1500).await;
    browser.click("li.unheard button.heard").await;
    let used = "return document.querySelector('li.in-use .standing')?.textContent.includes('使用中') ?? false";
    browser.until(used, &json!(true)).await;
    let stands = gateway.get("/v1/recordings").await;
    assert_eq!(stands["recordings"][0]["heard"]["by"], "second");
    browser.click("li.in-use button.retire").await;
    let retired = "return document.querySelectorAll('li.retired').length";
    browser.until(retired, &json!(1)).await;
    let complaints = browser.complaints().await;
    // The refused letter is the one answer that a browser complains of.
    let others = complaints
        .iter()
        .filter(|line| !line["message"].to_string().contains("422"));
    assert_eq!(others.count(), 0, "{complaints:?}");
}
