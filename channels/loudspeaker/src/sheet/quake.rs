//! The orders of a report on an earthquake: one for each terminal, since each has its own intensity and its own seconds, some
//! by one signature, since each signature is time; and one for all when it is called off. They are made again after a
//! restart, to the same bodies: nothing in them is of now.
//! This module must not choose who gets one.

use std::sync::Arc;

use channel::{Authority, Level, Quake, Shock, Timestamp};

use super::{Maker, Sheet, Standing};
use crate::order::{
    Class, Order, QUAKE, QUAKE_CANCEL, QUAKE_EVENT, Tremor, VERSION, level_of, parts,
};

impl Maker<'_> {
    /// One for each terminal, by one signature.
    pub(crate) fn shocks(
        &self,
        quake: &Quake,
        shocks: &[&Shock],
        of: (Timestamp, u16),
    ) -> Vec<Sheet> {
        let orders = shocks.iter().map(|shock| self.shock(quake, shock, of));
        let orders: Vec<_> = orders.collect();
        let signed = self.signer.sign_together(&orders);
        let sheet = |(order, signed)| Sheet::of(order, signed);
        orders.into_iter().zip(signed).map(sheet).collect()
    }

    fn shock(&self, quake: &Quake, shock: &Shock, (origin, magnitude): (Timestamp, u16)) -> Order {
        let tremor = Tremor {
            origin,
            arrival: shock.arrival,
            intensity: shock.intensity,
            magnitude,
            alarm: shock.alarm,
        };
        Order {
            counter: shock.serial,
            order: self.keys.command(shock.serial, QUAKE),
            kind: QUAKE.into(),
            level: level_of(shock.alarm),
            expires: shock.ends(),
            to: shock.device.clone(),
            quake: Some(tremor),
            ..self.quake(quake)
        }
    }

    /// For all of these; more than one only where the set would be too long.
    pub(crate) fn called_off(
        &self,
        quake: &Quake,
        (serial, until): (u64, Timestamp),
        devices: &[&str],
    ) -> Vec<Standing> {
        let ids: Vec<_> = devices.iter().copied().enumerate().collect();
        let one = |part: crate::order::Part| {
            let place = part.places.iter().min().copied().unwrap_or(0);
            let order = Order {
                counter: serial + u64::try_from(place).unwrap_or(u64::MAX),
                order: self.keys.command(serial, QUAKE_CANCEL),
                kind: QUAKE_CANCEL.into(),
                expires: until,
                to: part.to,
                ..self.quake(quake)
            };
            let named = part.places.iter().map(|place| devices[*place]);
            Standing {
                devices: named.map(Box::from).collect(),
                sheet: Arc::new(Sheet::new(order, self.signer)),
            }
        };
        parts(&ids).into_iter().map(one).collect()
    }

    /// What all orders of a report have.
    fn quake(&self, quake: &Quake) -> Order {
        Order {
            v: VERSION,
            gateway: self.config.gateway.clone(),
            counter: 0,
            order: String::new(),
            kind: String::new(),
            drill: quake.drill,
            class: Class::Emergency,
            authority: Authority::County,
            level: Level::Unknown,
            event: QUAKE_EVENT.into(),
            language: "zh-CN".into(),
            title: "地震预警".into(),
            text: quake.text.clone(),
            repeats: 1,
            pause: 0,
            parts: Vec::new(),
            regions_hash: String::new(),
            target: quake.event.clone(),
            value: quake.report,
            not_before: quake.since,
            expires: quake.since,
            to: String::new(),
            quake: None,
        }
    }
}
