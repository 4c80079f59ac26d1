//! The officers' pages: who may see them, that they say what the API says, that they move by themselves, and how they look
//! to a real browser.

use channel::{HttpClient, Reply, Request};
use serde_json::{Value, json};
use std::time::Duration;
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpStream;

use crate::browser::Browser;
use crate::county::{TOWN_A, TOWN_B, VILLAGE_A1};
use crate::gateway::{DUTY, Gateway, PATIENCE, Setup, TOWN, World, count};
use crate::warning::{COUNTY, Warning};

async fn call(gateway: &Gateway, method: &str, path: &str, cookie: &str, body: &str) -> Reply {
    let mut headers = vec![("accept".into(), "text/html".into())];
    if !cookie.is_empty() {
        headers.push(("cookie".into(), cookie.to_owned()));
    }
    if method == "POST" {
        let form = "application/x-www-form-urlencoded".to_owned();
        headers.push(("content-type".into(), form));
    }
    let request = Request {
        method: method.into(),
        headers,
        body: body.to_owned().into(),
        ..Request::default()
    };
    let http = HttpClient::new(Duration::from_secs(10));
    let url = format!("{}{path}", gateway.base);
    http.call(&url, request).await.expect("an answer")
}

/// The same file as the API gives it to a program.
async fn api_file(gateway: &Gateway, path: &str) -> Reply {
    let request = Request {
        method: "GET".into(),
        headers: vec![
            ("authorization".into(), format!("Bearer {DUTY}")),
            ("accept".into(), "text/csv".into()),
        ],
        ..Request::default()
    };
    let http = HttpClient::new(Duration::from_secs(10));
    let url = format!("{}{path}", gateway.base);
    http.call(&url, request).await.expect("an answer")
}

fn header<'a>(reply: &'a Reply, name: &str) -> &'a str {
    let found = reply.headers.iter().find(|(n, _)| n == name);
    found.map_or("", |(_, value)| value)
}

fn text(reply: &Reply) -> String {
    String::from_utf8(reply.body.to_vec()).expect("UTF-8")
}

/// The cookie of whoever signs in with this token.
async fn sign_in(gateway: &Gateway, token: &str) -> String {
    let form = format!("token={token}");
    let reply = call(gateway, "POST", "/console/sign-in", "", &form).await;
    assert_eq!(reply.status, 303, "{}", text(&reply));
    assert_eq!(header(&reply, "location"), "/console");
    let cookie = header(&reply, "set-cookie");
    assert!(
        cookie.contains("HttpOnly") && cookie.contains("SameSite=Strict"),
        "{cookie}"
    );
    assert!(!cookie.contains(token), "the token is not the cookie");
    cookie.split(';').next().expect("a pair").to_owned()
}

#[tokio::test]
async fn only_who_is_signed_in_sees_a_page_and_only_their_part_of_it() {
    let world = World::start(Setup::default()).await;
    let gateway = &world.gateway;
    let alert = gateway.submit(&Warning::red("c-1", &[COUNTY])).await;
    gateway.ended(alert).await;
    let page = format!("/console/alerts/{alert}");

    for path in ["/console", &page] {
        let reply = call(gateway, "GET", path, "tocsin-session=made-up", "").await;
        assert_eq!(
            (reply.status, header(&reply, "location")),
            (303, "/console/sign-in")
        );
    }
    let list = call(gateway, "GET", "/console/list", "", "").await;
    assert_eq!(list.status, 401);
    let wrong = call(gateway, "POST", "/console/sign-in", "", "token=wrong").await;
    assert_eq!(wrong.status, 401);
    assert!(text(&wrong).contains("令牌不正确") && !text(&wrong).contains("wrong\""));

    let duty = sign_in(gateway, DUTY).await;
    let seen = call(gateway, "GET", &page, &duty, "").await;
    assert_eq!(seen.status, 200);
    assert!(header(&seen, "content-security-policy").contains("default-src 'none'"));
    let town = sign_in(gateway, TOWN).await;
    let own = call(gateway, "GET", &format!("{page}?under={TOWN_A}"), &town, "").await;
    assert_eq!(own.status, 200);
    let other = call(gateway, "GET", &format!("{page}?under={TOWN_B}"), &town, "").await;
    assert_eq!(other.status, 404);
    let whole = text(&call(gateway, "GET", &page, &town, "").await);
    assert!(
        whole.contains("试一镇") && !whole.contains("试二乡"),
        "{whole}"
    );

    let out = call(gateway, "POST", "/console/sign-out", &duty, "").await;
    assert_eq!(out.status, 303);
    assert_eq!(
        call(gateway, "GET", &page, &duty, "").await.status,
        303,
        "signed out is out"
    );
}

#[tokio::test]
async fn the_tables_and_their_files_say_what_the_api_says() {
    let world = World::start(Setup::default()).await;
    let gateway = &world.gateway;
    let alert = gateway.submit(&Warning::red("c-2", &[COUNTY])).await;
    gateway.ended(alert).await;
    let duty = sign_in(gateway, DUTY).await;
    let api = gateway.coverage(alert, COUNTY).await;

    let path = format!("/console/alerts/{alert}/coverage.csv?under={COUNTY}");
    let file = text(&call(gateway, "GET", &path, &duty, "").await);
    let path = format!("/v1/alerts/{alert}/coverage?under={COUNTY}");
    assert_eq!(text(&api_file(gateway, &path).await), file, "byte for byte");
    let lines: Vec<Vec<&str>> = file.lines().map(|line| line.split(',').collect()).collect();
    let rows = api["rows"].as_array().expect("rows");
    assert_eq!(
        lines.len(),
        rows.len() + 2,
        "a head, the rows, their total: {file}"
    );
    for (line, row) in lines[1..].iter().zip(rows.iter().chain([&api["total"]])) {
        let figures = [
            "/households",
            "/away",
            "/at_home",
            "/reached/confirmed",
            "/reached/delivered",
            "/reached/played",
            "/pending",
            "/unknown",
        ];
        let said: Vec<u64> = figures
            .iter()
            .map(|f| count(row.pointer(f).expect("a figure")))
            .collect();
        let written: Vec<u64> = line[3..11]
            .iter()
            .map(|cell| cell.parse().expect("a count"))
            .collect();
        assert_eq!(written, said, "{file}");
    }

    let path = format!("/console/alerts/{alert}/households.csv?under={VILLAGE_A1}");
    let doors = text(&call(gateway, "GET", &path, &duty, "").await);
    let path = format!("/v1/alerts/{alert}/households?under={VILLAGE_A1}");
    assert_eq!(
        text(&api_file(gateway, &path).await),
        doors,
        "byte for byte"
    );
    let list = gateway
        .get(&format!("/v1/alerts/{alert}/households?under={VILLAGE_A1}"))
        .await;
    let list = list["households"].as_array().expect("a list");
    assert_eq!(doors.lines().count(), list.len() + 1);
    for (line, door) in doors.lines().skip(1).zip(list) {
        let answer = door["answer_zh"].as_str().expect("an answer");
        assert!(
            line.starts_with(&format!("{},", door["id"])) && line.contains(answer),
            "{line}"
        );
    }
    for address in ["00010000001", "hecheng", "SP-PLAYS"] {
        assert!(
            !doors.contains(address) && !file.contains(address),
            "{address}"
        );
    }
}

/// The first frame of the live line, then whatever `more` waits for.
async fn frames(
    gateway: &Gateway,
    alert: u64,
    cookie: &str,
    last: Option<&str>,
    wanted: usize,
) -> Vec<(String, String, Value)> {
    let address = gateway.base.trim_start_matches("http://");
    let stream = TcpStream::connect(address).await.expect("a connection");
    let mut stream = BufReader::new(stream);
    let last = last
        .map(|id| format!("Last-Event-ID: {id}\r\n"))
        .unwrap_or_default();
    let ask = format!(
        "GET /console/alerts/{alert}/live HTTP/1.1\r\nHost: {address}\r\nCookie: {cookie}\r\n{last}\r\n"
    );
    stream.write_all(ask.as_bytes()).await.expect("written");
    let (mut frames, mut id, mut kind) = (Vec::new(), String::new(), String::new());
    let reading = async {
        let mut line = String::new();
        while frames.len() < wanted {
            line.clear();
            assert!(
                stream.read_line(&mut line).await.expect("a line") > 0,
                "the line was closed"
            );
            let field = line.trim_end();
            if let Some(value) = field.strip_prefix("id: ") {
                value.clone_into(&mut id);
            } else if let Some(value) = field.strip_prefix("event: ") {
                value.clone_into(&mut kind);
            } else if let Some(value) = field.strip_prefix("data: ") {
                let data = serde_json::from_str(value).expect("JSON");
                frames.push((id.clone(), kind.clone(), data));
            }
        }
    };
    tokio::time::timeout(PATIENCE, reading)
        .await
        .expect("frames come");
    frames
}

#[tokio::test]
async fn the_live_line_tells_the_whole_once_and_then_what_changes() {
    let world = World::start(Setup {
        sms_rate: "3/s burst 10",
        ..Setup::default()
    })
    .await;
    let gateway = &world.gateway;
    let duty = sign_in(gateway, DUTY).await;
    let alert = gateway.submit(&Warning::red("c-3", &[COUNTY])).await;
    let told = frames(gateway, alert, &duty, None, 3).await;
    assert_eq!(told[0].1, "whole");
    assert!(told[1..].iter().all(|(_, kind, _)| kind == "change"));
    // Whoever lost the line goes on behind the frame that they saw, and is not told the whole again.
    let again = frames(gateway, alert, &duty, Some(&told[1].0), 1).await;
    assert_eq!(again[0], told[2]);
    gateway.ended(alert).await;
    // A line that is joined at the end tells the figures that the API gives.
    let last = frames(gateway, alert, &duty, None, 1).await;
    let village = gateway.coverage(alert, VILLAGE_A1).await["total"].clone();
    let figures = [
        "/at_home",
        "/reached/confirmed",
        "/reached/delivered",
        "/reached/played",
    ];
    let said: Vec<u64> = figures
        .iter()
        .map(|f| count(village.pointer(f).expect("a figure")))
        .collect();
    let frame: Vec<u64> = last[0].2["villages"][VILLAGE_A1]
        .as_array()
        .expect("counts")[..4]
        .iter()
        .map(count)
        .collect();
    assert_eq!(frame, said);
}

#[tokio::test]
async fn a_browser_shows_a_warning_from_the_county_to_a_single_attempt() {
    let world = World::start(Setup::default()).await;
    let gateway = &world.gateway;
    let browser = Browser::start().await;
    browser.open(&format!("{}/", gateway.base)).await;
    browser.write("#token", DUTY).await;
    browser.click("form.sign-in button").await;
    browser
        .until(
            "return document.querySelector('h2').textContent.includes('生效预警')",
            &json!(true),
        )
        .await;

    // The page was open before the warning came: it appears by itself.
    let alert = gateway.submit(&Warning::red("c-4", &[COUNTY])).await;
    browser
        .until(
            "return document.querySelectorAll('#list .level.red').length",
            &json!(1),
        )
        .await;
    browser
        .open(&format!("{}/console/alerts/{alert}", gateway.base))
        .await;
    browser
        .until(
            "return document.getElementById('line').classList.contains('up')",
            &json!(true),
        )
        .await;
    gateway.ended(alert).await;

    // The live figures end where the API's do, without the page being read anew.
    let total = gateway.coverage(alert, COUNTY).await["total"].clone();
    let tile = |key: &str| {
        format!("return Number(document.querySelector('[data-tile={key}] strong').textContent)")
    };
    let reached: u64 = total["reached"]
        .as_object()
        .expect("grades")
        .values()
        .map(count)
        .sum();
    browser.until(&tile("reached"), &json!(reached)).await;
    browser.until(&tile("unknown"), &total["unknown"]).await;
    browser.until(&tile("pending"), &json!(0)).await;
    browser.until(&tile("home"), &total["at_home"]).await;

    // Unknown is hatched, never a colour; the level is the only red on the page.
    let hatched = "return [...document.querySelectorAll('svg.bar rect.unknown')].every(r => r.getAttribute('fill') === 'url(#hatch)')";
    assert_eq!(browser.script(hatched).await, json!(true));

    // From the county to a town, a village, a group, a household and its attempts, each step a link.
    for _ in 0..3 {
        let before = browser.script("return location.href").await;
        browser.click("table.regions tbody tr th a").await;
        let moved = format!("return location.href !== {before}");
        browser.until(&moved, &json!(true)).await;
    }
    browser.click("table.doors tbody tr th a").await;
    let story = "return [...document.querySelectorAll('table.story td:nth-child(2)')].map(c => c.textContent).join()";
    let told = browser.script(story).await;
    let told = told.as_str().expect("words");
    for event in ["planned", "handed", "accepted", "receipt"] {
        assert!(told.contains(event), "{told}");
    }
    assert_eq!(browser.complaints().await, Vec::<Value>::new());
    browser.close().await;
}
