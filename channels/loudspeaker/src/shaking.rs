//! A report on an earthquake on its way to the terminals: in the order in which they are shaken, some at a time, so that the
//! first ring while the last are not signed yet. This module must not wait for anything, nor estimate anything.

use std::sync::Arc;

use channel::{Quake, Shaking, Shock, Timestamp};

use crate::desk::About;
use crate::order::{self, marked_as_drill};
use crate::sheet::Sheet;
use crate::sounds::Pieces;
use crate::speaker::Loudspeaker;

/// So many are made before their bells ring: about a millisecond's work.
const IN_TURN: usize = 64;

impl Loudspeaker {
    /// Lays a report down and rings; `laid` hears of each order that is new. What lies there already, or is replaced by
    /// what does, is not signed again. False where the terminals would refuse it: a drill that does not say so.
    pub(crate) fn shaken(
        &self,
        quake: &Quake,
        is_id: fn(&str) -> bool,
        mut laid: impl FnMut(&Arc<Sheet>, Vec<Box<str>>),
    ) -> bool {
        if quake.drill && !marked_as_drill(&quake.text) {
            return false;
        }
        let _first = self.precedence.first();
        let about = About {
            event: quake.event.as_str().into(),
            drill: quake.drill,
            report: quake.report,
            called_off: matches!(quake.what, Shaking::CalledOff { .. }),
        };
        match &quake.what {
            Shaking::Comes {
                origin,
                magnitude,
                shocks,
            } => {
                for shocks in shocks.chunks(IN_TURN) {
                    let open = self.open(&about, shocks, is_id);
                    let sheets = self.signed(quake, &open, (*origin, *magnitude));
                    self.ring(&about, &sheets, &mut laid);
                }
            }
            Shaking::CalledOff {
                serial,
                devices,
                until,
            } => self.calls_off(quake, (*serial, *until), &about, (devices, is_id), laid),
        }
        true
    }

    /// Those to whom it is news, and in time.
    fn open<'a>(
        &self,
        about: &About,
        shocks: &'a [Shock],
        is_id: fn(&str) -> bool,
    ) -> Vec<&'a Shock> {
        let now = self.context.clock.now();
        let desk = self.desk.lock();
        let open = |shock: &&Shock| {
            is_id(&shock.device) && shock.ends() > now && desk.is_news(&shock.device, about)
        };
        shocks.iter().filter(open).collect()
    }

    fn signed<'a>(
        &self,
        quake: &Quake,
        shocks: &[&'a Shock],
        of: (Timestamp, u16),
    ) -> Vec<(&'a str, Arc<Sheet>)> {
        let pieces = Pieces::default();
        let maker = self.maker(&pieces);
        let mut all = Vec::with_capacity(shocks.len());
        for shocks in shocks.chunks(order::AT_ONCE) {
            let sheets = maker.shocks(quake, shocks, of).into_iter().map(Arc::new);
            let devices = shocks.iter().map(|shock| &*shock.device);
            all.extend(devices.zip(sheets));
        }
        all
    }

    fn ring(
        &self,
        about: &About,
        sheets: &[(&str, Arc<Sheet>)],
        laid: &mut impl FnMut(&Arc<Sheet>, Vec<Box<str>>),
    ) {
        let mut bells = Vec::with_capacity(sheets.len());
        let mut desk = self.desk.lock();
        for (device, sheet) in sheets {
            let bell = desk.shake(device, about, sheet);
            bells.extend(bell.map(|bell| (bell, *device, sheet)));
        }
        // Whoever is woken asks the desk at once.
        drop(desk);
        for (bell, device, sheet) in bells {
            bell.notify_waiters();
            laid(sheet, vec![device.into()]);
        }
    }

    /// One order for all: what has not begun anywhere is gone from the desk with it.
    fn calls_off(
        &self,
        quake: &Quake,
        of: (u64, Timestamp),
        about: &About,
        (devices, is_id): (&[String], fn(&str) -> bool),
        mut laid: impl FnMut(&Arc<Sheet>, Vec<Box<str>>),
    ) {
        if of.1 <= self.context.clock.now() {
            return;
        }
        // All that it names are in the set, whoever is told: the same bytes come of it after a restart.
        let named = devices.iter().map(String::as_str);
        let named: Vec<_> = named.filter(|device| is_id(device)).collect();
        let pieces = Pieces::default();
        for order in self.maker(&pieces).called_off(quake, of, &named) {
            let mut desk = self.desk.lock();
            let (mut bells, mut devices) = (Vec::new(), Vec::new());
            for device in order.devices {
                if let Some(bell) = desk.shake(&device, about, &order.sheet) {
                    bells.push(bell);
                    devices.push(device);
                }
            }
            drop(desk);
            for bell in bells {
                bell.notify_waiters();
            }
            if !devices.is_empty() {
                laid(&order.sheet, devices);
            }
        }
    }
}
