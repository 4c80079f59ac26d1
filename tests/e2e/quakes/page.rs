//! The page 地震预警 in a real browser: the wave and the terminals on a map, who said nothing first. This module must not look at
//! colours.

use serde_json::json;

use super::feed::{EPICENTRE, Feed, now};
use super::standing;
use super::terminal::{Attended, Box_, Field};
use crate::browser::Browser;
use crate::gateway::{DUTY, World, within};

const ALL: usize = 40;
const THERE: usize = 30;

/// A spiral out to some 70 km.
fn points() -> Vec<(String, (f64, f64))> {
    let mut points = Vec::new();
    let (mut out, mut turn) = (0.05_f64, 0.0_f64);
    for n in 0..ALL {
        let at = (
            EPICENTRE.0 + out * turn.cos(),
            EPICENTRE.1 + out * turn.sin(),
        );
        points.push((format!("spiral-{n:02}"), at));
        out += 0.014;
        turn += 0.7;
    }
    points
}

async fn shown(browser: &Browser, css: &str, count: usize) {
    let script = format!("return document.querySelectorAll('{css}').length");
    browser.until(&script, &json!(count)).await;
}

async fn fits(browser: &Browser, width: u32) {
    browser.resize(width, 900).await;
    let wide = "return document.documentElement.scrollWidth <= window.innerWidth";
    browser.until(wide, &json!(true)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_page_draws_the_wave_and_names_first_who_said_nothing() {
    let feed = Feed::new();
    let field = Field::at(&feed, points(), &["gas-1"]);
    let world = World::start(field.setup()).await;
    let gateway = &world.gateway;
    let codes = field.codes(gateway).await;
    let mut boxes = Vec::new();
    for (n, (name, _)) in field.horns.iter().enumerate() {
        let one = Box_::enrolled(gateway, &field, name, &codes).await;
        if n < THERE {
            boxes.push(one.go(gateway, &field));
        }
    }
    let _machine = Attended::start(gateway, "gas-1");
    let report = feed.report("20260715021730.0001", 2, now() - 3_000, 6.3);
    let taken = feed.hand_in(gateway, &report).await;
    assert_eq!(taken["told"], json!(ALL + 1), "{taken}");
    within("all that are there have said so", async || {
        let one = standing(gateway, "20260715021730.0001").await;
        (one["figures"]["taken"] == THERE + 1).then_some(())
    })
    .await;
    let browser = Browser::start().await;
    browser
        .open(&format!("{}/console/sign-in", gateway.base))
        .await;
    browser.write("#token", DUTY).await;
    browser.click("form.sign-in button").await;
    browser
        .until("return document.querySelector('h2') !== null", &json!(true))
        .await;
    browser
        .open(&format!("{}/console/earthquakes", gateway.base))
        .await;
    shown(&browser, "section[data-quake]", 1).await;
    fits(&browser, 390).await;
    browser.click("section[data-quake] h2 a").await;
    shown(&browser, "circle.terminal", ALL).await;
    shown(&browser, "circle.terminal.silent", ALL - THERE).await;
    shown(&browser, "rect.terminal.machine", 1).await;
    shown(&browser, "path.epicentre", 1).await;
    let first = "return [...document.querySelectorAll('tbody tr')].slice(0, 10).every(row => row.querySelector('strong') !== null)";
    browser.until(first, &json!(true)).await;
    fits(&browser, 390).await;
    fits(&browser, 1400).await;
    assert_eq!(browser.complaints().await, Vec::<serde_json::Value>::new());
}
