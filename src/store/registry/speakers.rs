//! The loudspeakers' rows, there and back. Keepers, their telephones and the cards' numbers go through the vault, as names
//! do; this module must not write one past it.

use channel::Power;
use rusqlite::{Transaction, params};

use super::read::{Read, cell, code, word};
use super::write::number;
use super::{SPEAKER_KEEPER, SPEAKER_NAME, SPEAKER_PHONE, SPEAKER_SIM, field};
use crate::model::{Care, Rows, SpeakerRow};
use crate::store::vault::Vault;

const COLUMNS: &str = "endpoint, village, name, keeper, phone, sim, sim_expires, power, hours, volume, maker, lat, lon \
                       FROM speakers";

pub fn write(tx: &Transaction<'_>, vault: &Vault, rows: &Rows) -> rusqlite::Result<()> {
    let mut put =
        tx.prepare("INSERT INTO speakers VALUES(?1,?2,?3,?4,?5,?6,?7,?8,?9,?10,?11,?12,?13)")?;
    for row in &rows.speakers {
        let (id, care) = (row.endpoint, &row.care);
        let seal = |place, text: &str| vault.seal(field(place, id), text);
        put.execute(params![
            id,
            number(row.village),
            seal(SPEAKER_NAME, &row.name),
            seal(SPEAKER_KEEPER, &care.keeper),
            seal(SPEAKER_PHONE, &care.phone),
            seal(SPEAKER_SIM, &care.sim),
            care.sim_expires.map(|day| day.to_string()),
            care.power.map(power_word),
            care.hours,
            care.volume,
            care.maker,
            care.lat,
            care.lon
        ])?;
    }
    Ok(())
}

pub fn read(read: &Read<'_>) -> rusqlite::Result<Vec<SpeakerRow>> {
    read.all(COLUMNS, |row| {
        let endpoint = row.get(0)?;
        // A row of before says nothing of its box.
        let own = |column: usize, place| match row.get_ref(column)? {
            rusqlite::types::ValueRef::Null => Ok(String::new()),
            _ => read.field(row, column, place, endpoint),
        };
        let expires: Option<String> = row.get(6)?;
        let day = |text: String| text.parse().ok();
        let power: Option<String> = row.get(7)?;
        Ok(SpeakerRow {
            endpoint,
            village: code(row, 1)?,
            name: read.field(row, 2, SPEAKER_NAME, endpoint)?,
            care: Care {
                keeper: own(3, SPEAKER_KEEPER)?,
                phone: own(4, SPEAKER_PHONE)?,
                sim: own(5, SPEAKER_SIM)?,
                sim_expires: expires.map(|_| cell(row, 6, day)).transpose()?,
                power: power.map(|_| word(row, 7)).transpose()?,
                hours: row.get(8)?,
                volume: row.get(9)?,
                maker: row.get(10)?,
                lat: row.get(11)?,
                lon: row.get(12)?,
            },
        })
    })
}

const fn power_word(power: Power) -> &'static str {
    match power {
        Power::Mains => "mains",
        Power::Battery => "battery",
        Power::Solar => "solar",
    }
}
