//! A lane over SMPP and one over CMPP 3.0, in turns, each end to end against our own load peer: one session engine serves
//! both, so neither may fall behind. This module must not favour the one that goes first.

use super::house::{self, House};
use super::median;
use super::peer::Far;
use super::table::Table;
use crate::commands::Failed;

const RATE: &str = "2000000/s";

pub async fn run(table: &mut Table, recipients: u32, runs: usize) -> Result<(), Failed> {
    tell!("a lane over SMPP and one over CMPP, {recipients} recipients, {runs} runs");
    let (mut smpps, mut cmpps, mut ratios) = (Vec::new(), Vec::new(), Vec::new());
    for n in 0..runs {
        let (smpp, cmpp) = if n % 2 == 0 {
            let smpp = once(n, recipients, false).await?;
            (smpp, once(n, recipients, true).await?)
        } else {
            let cmpp = once(n, recipients, true).await?;
            (once(n, recipients, false).await?, cmpp)
        };
        tell!("  run {}: SMPP {smpp:.0}/s, CMPP {cmpp:.0}/s", n + 1);
        smpps.push(smpp);
        cmpps.push(cmpp);
        ratios.push(smpp.min(cmpp) / smpp.max(cmpp));
    }
    table.told("a lane over SMPP", format!("{:.0}/s", median(smpps)));
    table.told("a lane over CMPP 3.0", format!("{:.0}/s", median(cmpps)));
    let ratio = median(ratios);
    let what = "the slower of the two / the faster";
    table.row(what, format!("{ratio:.2}"), "0.80", ratio >= 0.80);
    Ok(())
}

async fn once(n: usize, recipients: u32, cmpp: bool) -> Result<f64, Failed> {
    let far = Far::start(if cmpp { &["--cmpp"] } else { &[] })?;
    let channel = if cmpp {
        house::cmpp(far.port, RATE)
    } else {
        house::sms(far.port, RATE)
    };
    let house = House::with(&format!("lanes{n}"), recipients, channel).await?;
    let start = house.tick();
    let alert = house.warn("Extreme", 1, "510727000000").await?;
    house.finished(&alert).await;
    let took = house.tick().saturating_sub(start);
    let rate = f64::from(house.recipients) / took.as_secs_f64();
    house.stop().await;
    Ok(rate)
}
