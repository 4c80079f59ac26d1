//! The officers' overview over HTTP, as a browser asks for it: a county of 2,000 villages, a warning with a million
//! deliveries, while it goes out and when it has, one page and twenty that are open. This module must not warm anything up
//! but the session.

use std::time::Duration;

use channel::{HttpClient, Reply, Request};
use futures::future::join_all;

use super::house::{House, open, rows};
use super::median;
use super::peer::Far;
use super::table::Table;
use crate::commands::Failed;
use crate::model::{RegionCode, RegionLevel, RegionRow, Rows, Tags};

/// In each of the twenty towns.
const VILLAGES: u64 = 100;
/// Pages that are open at once.
const PAGES: usize = 20;
const LOOKS: usize = 15;
const WANTED: f64 = 50.0;

pub async fn run(table: &mut Table, deliveries: u32) -> Result<(), Failed> {
    tell!("the overview, {deliveries} deliveries");
    let far = Far::start(&[])?;
    let mut rows = rows(deliveries);
    spread(&mut rows);
    let villages = rows.regions.iter();
    let villages = villages.filter(|region| region.code.level() == RegionLevel::Village);
    let what = format!("{} villages, {deliveries} deliveries", villages.count());
    let house = House::told("pages", &rows, far.port, "2000000/s").await?;
    let officer = Officer::sign_in(&house).await?;
    let alert = house.warn("Extreme", 1, "510727000000").await?;
    let mut sending = Vec::new();
    while open(&alert) > 0 || sending.is_empty() {
        sending.push(officer.look(&house, "/console").await?);
    }
    house.finished(&alert).await;
    let mut resting = Vec::new();
    for _ in 0..LOOKS {
        resting.push(officer.look(&house, "/console").await?);
    }
    let begun = house.tick();
    let all = (0..PAGES).map(|_| officer.look(&house, "/console/list"));
    for look in join_all(all).await {
        look?;
    }
    let together = house.tick().saturating_sub(begun).as_secs_f64() * 1000.0;
    for (when, times) in [("while it goes out", sending), ("at rest", resting)] {
        let worst = times.iter().copied().fold(0.0, f64::max);
        let middle = median(times);
        table.row(
            format!("overview {when}: {what}"),
            format!("{middle:.1} ms, worst {worst:.1} ms"),
            "50 ms",
            middle < WANTED,
        );
    }
    table.told(
        format!("the lists of {PAGES} open pages, together"),
        format!("{together:.1} ms"),
    );
    house.stop().await;
    Ok(())
}

/// Each town's households in so many villages.
fn spread(rows: &mut Rows) {
    let of = |town: RegionCode, nth: u64| {
        let number = town.number() + 200 + nth % VILLAGES;
        RegionCode::try_from(number).expect("inside its town")
    };
    rows.regions
        .retain(|region| region.code.level() != RegionLevel::Village);
    let towns: Vec<_> = rows
        .regions
        .iter()
        .filter(|r| r.code.level() == RegionLevel::Town)
        .map(|r| (r.code, r.lat, r.lon))
        .collect();
    for (town, lat, lon) in towns {
        for nth in 0..VILLAGES {
            // A square around its town.
            let shift = |n: u64| f64::from(u32::try_from(n).unwrap_or(0)) * 0.01;
            rows.regions.push(RegionRow {
                code: of(town, nth),
                name: format!("合成{nth}村"),
                lat: lat.map(|lat| lat + shift(nth / 10)),
                lon: lon.map(|lon| lon + shift(nth % 10)),
                revision: 0,
                tags: Tags::default(),
            });
        }
    }
    rows.regions.sort_by_key(|region| region.code);
    for home in &mut rows.households {
        home.village = of(home.village.at(RegionLevel::Town), home.id.into());
    }
}

struct Officer {
    http: HttpClient,
    cookie: String,
}

impl Officer {
    async fn sign_in(house: &House) -> Result<Self, Failed> {
        let http = HttpClient::of_the_house(Duration::from_mins(1));
        let form = "application/x-www-form-urlencoded";
        let request = Request {
            method: "POST".into(),
            headers: vec![("content-type".into(), form.into())],
            body: format!("token={}", house.token).into(),
            ..Request::default()
        };
        let url = format!("http://{}/console/sign-in", house.app.address);
        let reply = called(&http, &url, request).await?;
        let set = reply.headers.iter().find(|(name, _)| name == "set-cookie");
        let cookie = set.and_then(|(_, value)| value.split(';').next());
        let cookie = cookie.ok_or_else(|| Failed::No("no session was opened".into()))?;
        let cookie = cookie.to_owned();
        Ok(Self { http, cookie })
    }

    /// Milliseconds until the last byte of the page.
    async fn look(&self, house: &House, path: &str) -> Result<f64, Failed> {
        let request = Request {
            method: "GET".into(),
            headers: vec![("cookie".into(), self.cookie.clone())],
            ..Request::default()
        };
        let url = format!("http://{}{path}", house.app.address);
        let begun = house.tick();
        let reply = called(&self.http, &url, request).await?;
        let took = house.tick().saturating_sub(begun);
        if reply.status != 200 {
            return Err(Failed::No(format!("{path} was answered {}", reply.status)));
        }
        Ok(took.as_secs_f64() * 1000.0)
    }
}

async fn called(http: &HttpClient, url: &str, request: Request) -> Result<Reply, Failed> {
    let reply = http.call(url, request).await;
    reply.map_err(|e| Failed::Unreachable(e.to_string()))
}
