//! What a line of the speakers means: the box, its keeper, its card and its power. Every cell behind its name may be empty.
//! This module must not know what stands in other lines.

use channel::Power;

use crate::model::{Care, SpeakerRow};
use crate::registry::check::{is_card, is_telephone};

use super::line::Line;

/// No battery lasts longer without sun or mains.
const MOST_HOURS: u16 = 999;
const LONGEST_MAKER: usize = 64;

pub(super) fn speaker(line: &mut Line<'_>) -> Option<SpeakerRow> {
    let (endpoint, village, name) = (line.id(0), line.code(1), line.text(2));
    let care = care(line);
    Some(SpeakerRow {
        endpoint: endpoint?,
        village: village?,
        name: name?,
        care: care?,
    })
}

fn care(line: &mut Line<'_>) -> Option<Care> {
    let own = |text: &str, sound: fn(&str) -> bool| sound(text).then(|| text.to_owned());
    let keeper = line.text(3);
    let remedy =
        "give 11 digits of a mobile or the area code and number of a landline, or leave it empty";
    let phone = line.or_empty(4, |text| own(text, is_telephone), remedy);
    let remedy = "give the 11 to 20 digits of the card's number, or leave it empty";
    let sim = line.or_empty(5, |text| own(text, is_card), remedy);
    let remedy = "give the card's last day as 2027-03-31, or leave it empty";
    let sim_expires = line.or_empty(6, |text| text.parse().ok(), remedy);
    let remedy = "give mains, battery or solar, or leave it empty";
    let power = line.or_empty(7, power, remedy);
    let hours = |text: &str| text.parse().ok().filter(|hours| *hours <= MOST_HOURS);
    let remedy =
        "give for how many hours it goes on without mains or sun, 0 to 999, or leave it empty";
    let hours = line.or_empty(8, hours, remedy);
    let volume = |text: &str| text.parse().ok().filter(|volume| *volume <= 100);
    let volume = line.or_empty(9, volume, "give 0 to 100, or leave it empty");
    let remedy = "give its maker in at most 64 characters, or leave it empty";
    let short = |text: &str| text.chars().count() <= LONGEST_MAKER;
    let maker = line.or_empty(10, |text| own(text, short), remedy);
    let point = line.point(11, 12);
    let (lat, lon) = point?.0.unzip();
    Some(Care {
        keeper: keeper?,
        phone: phone?.0.unwrap_or_default(),
        sim: sim?.0.unwrap_or_default(),
        sim_expires: sim_expires?.0,
        power: power?.0,
        hours: hours?.0,
        volume: volume?.0,
        maker: maker?.0.unwrap_or_default(),
        lat,
        lon,
    })
}

fn power(text: &str) -> Option<Power> {
    match text {
        "mains" => Some(Power::Mains),
        "battery" => Some(Power::Battery),
        "solar" => Some(Power::Solar),
        _ => None,
    }
}
