//! From a batch of messages to signed orders: all that hear the same text share one sheet, made and signed once, whose
//! bytes every answer shares. This module must not know who waits for what.

mod quake;

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use bytes::Bytes;
use channel::{Action, Command, Key, Level, Message, Timestamp, Variant};

use crate::Config;
use crate::keys::Keys;
use crate::order::{Class, Order, Orders, PLAY, Signed, Signer, VERSION, parts, parts_of};
use crate::sounds::Pieces;

/// One signed order as it lies ready.
#[derive(Debug)]
pub(crate) struct Sheet {
    pub order: Box<str>,
    pub counter: u64,
    pub expires: Timestamp,
    /// The JSON of an answer with this order alone.
    pub answer: Bytes,
}

const BEFORE: &[u8] = br#"{"orders":["#;
const AFTER: &[u8] = b"]}";

impl Sheet {
    fn new(order: Order, signer: &Signer) -> Self {
        let alone = signer.sign(&order);
        Self::of(order, alone)
    }

    fn of(order: Order, signed: Signed) -> Self {
        let orders = vec![signed];
        let answer = serde_json::to_vec(&Orders { orders }).expect("it has only text");
        Self {
            order: order.order.into(),
            counter: order.counter,
            expires: order.expires,
            answer: answer.into(),
        }
    }

    #[cfg(test)]
    pub(crate) fn plain(order: &str, counter: u64, expires: Timestamp) -> Arc<Self> {
        let answer = [BEFORE, counter.to_string().as_bytes(), AFTER].concat();
        Arc::new(Self {
            order: order.into(),
            counter,
            expires,
            answer: answer.into(),
        })
    }
}

/// The answer that carries these orders; one order alone is not copied.
pub(crate) fn answer(sheets: &[Arc<Sheet>]) -> Bytes {
    if let [one] = sheets {
        return one.answer.clone();
    }
    let mut all = BEFORE.to_vec();
    for (place, sheet) in sheets.iter().enumerate() {
        if place > 0 {
            all.push(b',');
        }
        all.extend(&sheet.answer[BEFORE.len()..sheet.answer.len() - AFTER.len()]);
    }
    all.extend(AFTER);
    all.into()
}

/// What makes the sheets of one channel.
pub(crate) struct Maker<'a> {
    pub config: &'a Config,
    pub signer: &'a Signer,
    pub keys: &'a Keys,
    pub now: Timestamp,
    pub pieces: &'a Pieces,
}

impl Maker<'_> {
    /// The sheet of each message that is open, by its place in the batch. A sheet's counter is the lowest serial of those
    /// that share it: serials rise, and `Handed` has made them durable before.
    pub(crate) fn sheets(&self, batch: &[Message], open: &[bool]) -> Vec<Option<Arc<Sheet>>> {
        let mut sheets = vec![None; batch.len()];
        for lot in lots(batch, open) {
            let ids: Vec<_> = lot
                .iter()
                .map(|place| (*place, batch[*place].address.expose()))
                .collect();
            for part in parts(&ids) {
                let serials = part.places.iter().map(|place| batch[*place].serial);
                let Some(counter) = serials.min() else {
                    continue;
                };
                let sheet = Arc::new(self.sheet(&batch[part.places[0]], counter, part.to));
                for place in part.places {
                    sheets[place] = Some(sheet.clone());
                }
            }
        }
        sheets
    }

    fn sheet(&self, message: &Message, counter: u64, to: String) -> Sheet {
        let variant = &message.variant;
        let repeat = variant.repeat;
        let mut order = Order {
            v: VERSION,
            gateway: self.config.gateway.clone(),
            counter,
            order: String::new(),
            kind: PLAY.into(),
            drill: variant.drill,
            class: Class::Emergency,
            authority: variant.authority,
            level: variant.level,
            event: variant.event.clone(),
            language: variant.language.clone(),
            title: variant.title.clone(),
            text: variant.text.clone(),
            repeats: repeat.map_or(self.config.repeats, |(times, _)| times),
            pause: repeat.map_or(0, |(_, pause)| pause.as_secs()),
            parts: self.pieces.of(variant),
            regions_hash: variant.regions_hash.clone(),
            target: String::new(),
            value: 0,
            not_before: self.now,
            expires: message.expires,
            to,
            quake: None,
        };
        order.order = self.keys.order(message.key, &order.content());
        Sheet::new(order, self.signer)
    }
}

/// An order without a text as it lies ready for whoever it names, until it expires.
pub(crate) struct Standing {
    pub sheet: Arc<Sheet>,
    pub devices: HashSet<Box<str>>,
}

impl Maker<'_> {
    /// An order without a text. It is made again after a restart, to the same bytes: nothing in it is of now.
    pub(crate) fn standing(&self, command: &Command) -> Vec<Standing> {
        let ids = command.devices.iter().map(String::as_str);
        let ids: Vec<_> = ids.enumerate().collect();
        let one = |part: crate::order::Part| {
            let place = part.places.iter().min().copied().unwrap_or(0);
            let counter = command.serial + u64::try_from(place).unwrap_or(u64::MAX);
            let named = part.places.iter().map(|place| &*command.devices[*place]);
            Standing {
                devices: named.map(Box::from).collect(),
                sheet: Arc::new(self.command(command, counter, part.to)),
            }
        };
        parts(&ids).into_iter().map(one).collect()
    }

    fn command(&self, command: &Command, counter: u64, to: String) -> Sheet {
        let (kind, target, value) = parts_of(command.action);
        // What ends or sets something is not outranked by what sounds.
        let class = match command.action {
            Action::Tone { .. } | Action::Volume { .. } | Action::SelfTest => Class::Daily,
            Action::Stop { .. } | Action::StopAll | Action::Prolong { .. } => Class::Emergency,
        };
        let order = Order {
            v: VERSION,
            gateway: self.config.gateway.clone(),
            counter,
            order: self.keys.command(command.serial, kind),
            kind: kind.into(),
            drill: command.action.is_drill(),
            class,
            authority: command.authority,
            level: Level::Unknown,
            event: String::new(),
            language: String::new(),
            title: String::new(),
            text: String::new(),
            repeats: 1,
            pause: 0,
            parts: Vec::new(),
            regions_hash: String::new(),
            target,
            value,
            not_before: command.not_before,
            expires: command.expires,
            to,
            quake: None,
        };
        Sheet::new(order, self.signer)
    }
}

/// The places of the open messages that hear the same until the same time.
fn lots(batch: &[Message], open: &[bool]) -> Vec<Vec<usize>> {
    type Same = (u64, u16, *const Variant, Timestamp);
    let mut known: HashMap<Same, usize> = HashMap::new();
    let mut lots: Vec<Vec<usize>> = Vec::new();
    for (place, message) in batch.iter().enumerate().filter(|(place, _)| open[*place]) {
        let Key {
            alert, generation, ..
        } = message.key;
        let same = (
            alert,
            generation,
            Arc::as_ptr(&message.variant),
            message.expires,
        );
        let lot = *known.entry(same).or_insert_with(|| {
            lots.push(Vec::new());
            lots.len() - 1
        });
        lots[lot].push(place);
    }
    lots
}

#[cfg(test)]
mod tests {
    use channel::{Address, Secret};

    use super::*;
    use crate::order::{Verifier, Window};

    const NOW: Timestamp = Timestamp(1_784_044_800_000);
    const SEED: &str = "0707070707070707070707070707070707070707070707070707070707070707";

    fn message(variant: &Arc<Variant>, delivery: u32, serial: u64) -> Message {
        Message {
            key: Key {
                alert: 1,
                delivery,
                generation: 0,
            },
            serial,
            variant: variant.clone(),
            address: Address::new(format!("a-{delivery:05}")),
            expires: NOW.plus(std::time::Duration::from_mins(10)),
            repeat: false,
        }
    }

    fn made(batch: &[Message]) -> (Signer, Vec<Option<Arc<Sheet>>>) {
        let config = Config::new(
            "test",
            Secret::new("a secret of 16 and more"),
            Secret::new(SEED),
        );
        let (signer, keys) = (Signer::from_seed(SEED).unwrap(), Keys::new("s"));
        let maker = Maker {
            config: &config,
            signer: &signer,
            keys: &keys,
            now: NOW,
            pieces: &Pieces::default(),
        };
        let sheets = maker.sheets(batch, &vec![true; batch.len()]);
        (signer, sheets)
    }

    fn orders(answer: &Bytes) -> Orders {
        serde_json::from_slice(answer).expect("an answer")
    }

    #[test]
    fn two_thousand_speakers_share_the_very_bytes_of_one_signed_order() {
        let text = Arc::new(Variant::new("zh-CN", "t", "请立即向高处转移。"));
        let batch: Vec<_> = (0..2_000)
            .map(|n| message(&text, n, 500 + u64::from(n)))
            .collect();
        let (gateway, sheets) = made(&batch);
        let first = sheets[0].clone().unwrap();
        assert!(
            sheets
                .iter()
                .flatten()
                .all(|sheet| Arc::ptr_eq(sheet, &first))
        );
        assert_eq!((sheets.len(), first.counter), (2_000, 500));
        let sheet = std::slice::from_ref(&first);
        let (one, other) = (answer(sheet), answer(sheet));
        assert_eq!(one.as_ptr(), other.as_ptr(), "shared, not copied");
        let signed = orders(&one).orders.remove(0);
        for device in ["a-00000", "a-01999"] {
            let verifier = Verifier::new(device, &gateway.public_keys()).unwrap();
            assert!(verifier.verify(&signed, &Window::default(), NOW).is_ok());
        }
        let stranger = Verifier::new("a-02000", &gateway.public_keys()).unwrap();
        assert!(stranger.verify(&signed, &Window::default(), NOW).is_err());
    }

    #[test]
    fn each_text_is_an_order_of_its_own_and_a_retry_keeps_the_orders_id() {
        let texts = ["甲", "乙"].map(|text| Arc::new(Variant::new("zh-CN", "t", text)));
        let batch = [
            message(&texts[0], 1, 9),
            message(&texts[1], 2, 8),
            message(&texts[0], 3, 7),
        ];
        let (_, sheets) = made(&batch);
        let [Some(a), Some(b), Some(c)] = &sheets[..] else {
            panic!("{sheets:?}")
        };
        assert!(Arc::ptr_eq(a, c) && a.order != b.order);
        assert_eq!((a.counter, b.counter), (7, 8));
        let (_, again) = made(&[message(&texts[0], 3, 12)]);
        let again = again[0].clone().unwrap();
        assert_eq!((&again.order, again.counter), (&a.order, 12));
        let both = orders(&answer(&[a.clone(), b.clone()]));
        assert_eq!(both.orders.len(), 2);
    }

    #[test]
    fn what_is_refused_before_is_not_addressed() {
        let text = Arc::new(Variant::new("zh-CN", "t", "x"));
        let lots = lots(
            &[message(&text, 1, 1), message(&text, 2, 2)],
            &[false, true],
        );
        assert_eq!(lots, [[1]]);
    }
}
