//! The officers' pages: who may see them, that they say what the API says, that they move by themselves, and how they look
//! to a real browser.

use channel::{HttpClient, Reply, Request};
use serde_json::{Value, json};
use std::time::Duration;
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpStream;

use crate::browser::Browser;
use crate::county::{TOWN_A, TOWN_B, VILLAGE_A1};
use crate::coverage::{self, HOUSEHOLDS};
use crate::gateway::{DUTY, Gateway, PATIENCE, Setup, TOWN, World, count, within};
use crate::warning::{COUNTY, Warning};

pub async fn call(gateway: &Gateway, method: &str, path: &str, cookie: &str, body: &str) -> Reply {
    call_from(gateway, "", method, path, cookie, body).await
}

/// As a proxy on this machine hands it on: from another place.
async fn call_from(
    gateway: &Gateway,
    place: &str,
    method: &str,
    path: &str,
    cookie: &str,
    body: &str,
) -> Reply {
    let mut headers = vec![("accept".into(), "text/html".into())];
    if !place.is_empty() {
        headers.push(("x-forwarded-for".into(), place.to_owned()));
        headers.push(("x-forwarded-proto".into(), "https".to_owned()));
    }
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
    let http = HttpClient::of_the_house(Duration::from_secs(10));
    let url = format!("{}{path}", gateway.base);
    http.call(&url, request).await.expect("an answer")
}

/// The same file as the API gives it to a program.
pub async fn api_file(gateway: &Gateway, path: &str) -> Reply {
    let request = Request {
        method: "GET".into(),
        headers: vec![
            ("authorization".into(), format!("Bearer {DUTY}")),
            ("accept".into(), "text/csv".into()),
        ],
        ..Request::default()
    };
    let http = HttpClient::of_the_house(Duration::from_secs(10));
    let url = format!("{}{path}", gateway.base);
    http.call(&url, request).await.expect("an answer")
}

fn header<'a>(reply: &'a Reply, name: &str) -> &'a str {
    let found = reply.headers.iter().find(|(n, _)| n == name);
    found.map_or("", |(_, value)| value)
}

pub fn text(reply: &Reply) -> String {
    String::from_utf8(reply.body.to_vec()).expect("UTF-8")
}

/// The cookie of whoever signs in with this token.
pub async fn sign_in(gateway: &Gateway, token: &str) -> String {
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
        // Between them stands the sum of the missed.
        let cells = line[3..12].iter().chain(&line[13..18]);
        let written: Vec<u64> = cells.map(|cell| cell.parse().expect("a count")).collect();
        let said = coverage::figures(row, &HOUSEHOLDS);
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

#[tokio::test]
async fn wrong_tokens_have_to_wait_and_what_leaves_the_house_is_in_the_journal() {
    let world = World::start(Setup::default()).await;
    let gateway = &world.gateway;
    let alert = gateway.submit(&Warning::red("c-5", &[COUNTY])).await;
    gateway.ended(alert).await;
    let enter = async |place: &str, token: &str| {
        let form = format!("token={token}");
        call_from(gateway, place, "POST", "/console/sign-in", "", &form).await
    };
    for _ in 0..5 {
        assert_eq!(enter("192.0.2.1", "wrong").await.status, 401);
    }
    let locked = enter("192.0.2.1", DUTY).await;
    assert_eq!(locked.status, 429, "the right one, too, has to wait");
    let wait: u64 = header(&locked, "retry-after").parse().expect("seconds");
    assert!((1..=61).contains(&wait), "{wait}");
    assert!(text(&locked).contains("错误次数过多"), "{}", text(&locked));
    let other = enter("192.0.2.2", DUTY).await;
    assert_eq!(other.status, 303, "another place does not");
    let cookie = header(&other, "set-cookie");
    assert!(cookie.ends_with("; Secure"), "{cookie}");
    let duty = cookie.split(';').next().expect("a pair");

    let path = format!("/console/alerts/{alert}/households.csv");
    assert_eq!(call(gateway, "GET", &path, duty, "").await.status, 200);
    let path = format!("/console/alerts/{alert}/coverage.csv");
    assert_eq!(call(gateway, "GET", &path, duty, "").await.status, 200);
    call(gateway, "POST", "/console/sign-out", duty, "").await;

    let wanted = [
        ("refused", None, None),
        ("refused", None, None),
        ("refused", None, None),
        ("refused", None, None),
        ("locked", None, None),
        ("signed-in", Some("duty"), None),
        ("exported", Some("duty"), Some(alert)),
        ("signed-out", Some("duty"), None),
    ];
    within("it is in the journal", async || {
        let journal = gateway.journal().await;
        let looks: Vec<Value> = journal
            .iter()
            .map(|line| line["event"]["looked"].clone())
            .filter(|look| !look.is_null())
            .collect();
        let told: Vec<_> = looks
            .iter()
            .map(|look| {
                (
                    look["what"].as_str(),
                    look["officer"].as_str(),
                    look["subject"].as_u64(),
                )
            })
            .collect();
        (told == wanted.map(|(what, officer, subject)| (Some(what), officer, subject))).then(|| {
            let places: Vec<_> = looks.iter().map(|look| &look["from"]).collect();
            assert!(places[..5].iter().all(|place| *place == places[0]));
            assert_ne!(places[0], places[5], "another place");
        })
    })
    .await;
}

/// A live line that was asked for.
pub async fn opened(
    gateway: &Gateway,
    alert: u64,
    cookie: &str,
    last: Option<&str>,
) -> BufReader<TcpStream> {
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
    stream
}

/// So many frames of the live line.
async fn frames(
    gateway: &Gateway,
    alert: u64,
    cookie: &str,
    last: Option<&str>,
    wanted: usize,
) -> Vec<(String, String, Value)> {
    let mut stream = opened(gateway, alert, cookie, last).await;
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
    // At home, and reached by each grade.
    let said = coverage::figures(&village, &HOUSEHOLDS[2..6]);
    let frame: Vec<u64> = last[0].2["villages"][VILLAGE_A1]
        .as_array()
        .expect("counts")[..4]
        .iter()
        .map(count)
        .collect();
    assert_eq!(frame, said);

    // Who signs out hears no more.
    let mut line = opened(gateway, alert, &duty, None).await;
    let mut until = async |wanted: &str| {
        let mut read = String::new();
        while !read.starts_with(wanted) {
            read.clear();
            let reading = line.read_line(&mut read);
            let length = tokio::time::timeout(PATIENCE, reading).await;
            let length = length.expect("something comes").expect("a line");
            assert!(length > 0, "the connection stays");
        }
    };
    until("data: ").await;
    call(gateway, "POST", "/console/sign-out", &duty, "").await;
    // The last chunk of an answer is empty.
    until("0\r\n").await;
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

    // The curve ends where the API's does.
    let curve = gateway.get(&format!("/v1/alerts/{alert}/curve")).await;
    for evidence in ["accepted", "delivered", "played", "confirmed"] {
        let figure = format!(
            "return Number(document.querySelector('[data-evidence={evidence}] .figure').textContent)"
        );
        browser.until(&figure, &curve["now"][evidence]).await;
    }

    // From the county to a town, a village, a group, a household and its attempts, each step a link.
    for step in [
        "table.regions",
        "table.regions",
        "table.regions",
        "table.doors",
    ] {
        files_are_whole(&browser).await;
        let before = browser.script("return location.href").await;
        let wanted = format!("return document.querySelector('{step} tbody tr th a').textContent");
        let name = browser.script(&wanted).await;
        let name = name.as_str().expect("a name").to_owned();
        browser.click(&format!("{step} tbody tr th a")).await;
        let moved =
            format!("return location.href !== {before} && document.readyState === 'complete'");
        browser.until(&moved, &json!(true)).await;
        // The next page is of what was clicked, and says so above its table.
        let head = "return [...document.querySelectorAll('nav.trail, h2')].map(e => e.textContent).join(' ')";
        let head = browser.script(head).await;
        let head = head.as_str().expect("words").to_owned();
        let last = name.rsplit('·').next().expect("a part");
        let group = last.trim_start_matches(|c: char| !c.is_ascii_digit());
        assert!(
            head.contains(last) || (!group.is_empty() && head.contains(group)),
            "{name}: {head}"
        );
    }
    files_are_whole(&browser).await;
    let up = "return document.querySelectorAll('nav.trail a').length";
    assert_eq!(
        browser.script(up).await,
        json!(2),
        "county and town are a click away"
    );
    let story = "return [...document.querySelectorAll('table.story td:nth-child(2)')].map(c => c.textContent).join()";
    let told = browser.script(story).await;
    let told = told.as_str().expect("words");
    for event in ["planned", "handed", "accepted", "receipt"] {
        assert!(told.contains(event), "{told}");
    }
    assert_eq!(browser.complaints().await, Vec::<Value>::new());
}

/// Each table's file has a line for each of its rows, and a head.
async fn files_are_whole(browser: &Browser) {
    let count = "return Promise.all([...document.querySelectorAll('a.csv')].map(async (a) => {
        const rows = document.querySelectorAll('table.regions tbody tr, table.doors tbody tr').length;
        const answer = await fetch(a.href);
        const lines = (await answer.text()).trim().split('\\n').length;
        return [answer.status, a.href.includes('curve') || lines === rows + 1];
    }))";
    let files = browser.script(count).await;
    for file in files.as_array().expect("files") {
        assert_eq!((&file[0], &file[1]), (&json!(200), &json!(true)), "{files}");
    }
}

/// The processes that name this on their command line.
fn naming(what: &std::path::Path) -> usize {
    let what = what.display().to_string();
    let all = std::fs::read_dir("/proc").expect("processes").flatten();
    let lines = all.filter_map(|one| std::fs::read(one.path().join("cmdline")).ok());
    lines
        .filter(|line| String::from_utf8_lossy(line).contains(&what))
        .count()
}

#[tokio::test]
async fn a_browser_ends_with_its_test_even_where_the_test_fails() {
    let browser = Browser::start().await;
    let profile = browser.profile();
    assert!(naming(&profile) > 0, "it runs");
    let failed = tokio::spawn(async move {
        browser.open("about:blank").await;
        panic!("as a test does that fails");
    });
    assert!(failed.await.is_err());
    within("all of it has ended", async || {
        (naming(&profile) == 0).then_some(())
    })
    .await;
}
