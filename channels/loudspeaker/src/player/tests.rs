//! A controller's decisions without a loudspeaker: one thing at a time, by rank, resumed, stopped, expired, and all of it
//! over a power cut without a network. These tests must not sleep: the player has no clock.

mod quake;

use std::time::Duration;

use channel::{Authority, Level};

use super::*;
use crate::order::{
    Class, PLAY, PROLONG, Refusal, SELF_TEST, STOP, STOP_ALL, Signer, TONE, VERSION, VOLUME,
};

const SEED: &str = "0707070707070707070707070707070707070707070707070707070707070707";
const START: Timestamp = Timestamp(1_784_044_800_000);
const DEVICE: &str = "PW-217001-02";

fn at(seconds: u64) -> Timestamp {
    START.plus(Duration::from_secs(seconds))
}

/// An order of the county for an hour, whose id begins with the number of its alert.
fn order(alert: u64, counter: u64) -> Order {
    Order {
        v: VERSION,
        gateway: "test".into(),
        counter,
        order: format!("{alert}-0-aa-bb"),
        kind: PLAY.into(),
        drill: false,
        class: Class::Emergency,
        authority: Authority::County,
        level: Level::Orange,
        event: "11A51".into(),
        language: "zh-CN".into(),
        title: "t".into(),
        text: "请立即向高处转移。".into(),
        repeats: 2,
        pause: 0,
        parts: Vec::new(),
        regions_hash: String::new(),
        target: String::new(),
        value: 0,
        not_before: START,
        expires: at(3600),
        to: DEVICE.into(),
        quake: None,
    }
}

fn kind(kind: &str, counter: u64, target: &str, value: u32) -> Order {
    Order {
        order: format!("0-{counter}-{kind}-cc"),
        kind: kind.into(),
        class: Class::Daily,
        target: target.into(),
        value,
        repeats: 1,
        ..order(0, counter)
    }
}

struct Stand {
    player: Player,
    signer: Signer,
}

impl Stand {
    fn new() -> Self {
        let signer = Signer::from_seed(SEED).expect("32 bytes");
        let player = Player::new(verifier(&signer), Kept::new(0));
        Self { player, signer }
    }

    fn take(&mut self, order: &Order, now: Timestamp) {
        let taken = self.player.take(&self.signer.sign(order), now);
        assert_eq!(taken, Ok(()));
    }

    /// What sounds: the alert and the reading, or a word.
    fn turn(&mut self, now: Timestamp) -> String {
        match self.player.turn(now) {
            Turn::Silence { until: None } => "silence".into(),
            Turn::Silence { until: Some(until) } => {
                format!("silence {}", until.since(START).as_secs())
            }
            Turn::Local(source) => source.name().into(),
            Turn::Quake {
                order, siren, say, ..
            } => {
                let siren = if siren { " siren" } else { "" };
                let Order { target, value, .. } = order;
                format!("{target} {value}{siren} {say:?}")
            }
            Turn::Read { order, .. } if order.is_quake() => {
                format!("{} {}", order.target, order.text)
            }
            Turn::Read { order, reading } => {
                let alert = order.order.split('-').next().unwrap_or_default();
                format!("{alert} {reading}")
            }
        }
    }

    fn finished(&mut self, now: Timestamp) {
        self.player.finished(now);
    }

    /// The reports since the last look.
    fn told(&mut self) -> Vec<String> {
        let mut told = Vec::new();
        while let Some(report) = self.player.to_report().cloned() {
            self.player.reported();
            let Report {
                order,
                state,
                whole,
                seconds,
                source,
                code,
                ..
            } = report;
            let who = order.unwrap_or_else(|| source.name().into());
            let who = who.split("-0-").next().unwrap_or_default().to_owned();
            let whole = if whole { " whole" } else { "" };
            told.push(
                format!("{who} {state:?}{whole} {seconds} {code}")
                    .trim_end()
                    .to_owned(),
            );
        }
        told
    }

    /// The power is cut: what was kept is all that is left.
    fn power_cut(&mut self) {
        let kept = serde_json::to_string(&self.player.kept()).expect("texts and numbers");
        let kept = serde_json::from_str(&kept).expect("as it was written");
        self.player = Player::new(verifier(&self.signer), kept);
    }
}

fn verifier(signer: &Signer) -> Verifier {
    Verifier::new(DEVICE, &signer.public_keys()).expect("two keys")
}

#[test]
fn an_order_is_read_as_often_as_it_says_with_its_pause_and_reported_with_its_seconds() {
    let mut stand = Stand::new();
    let paused = Order {
        pause: 5,
        ..order(7, 1)
    };
    stand.take(&paused, at(0));
    assert_eq!(stand.turn(at(0)), "7 1");
    stand.finished(at(20));
    assert_eq!(stand.turn(at(20)), "silence 25");
    assert_eq!(stand.turn(at(25)), "7 2");
    stand.finished(at(45));
    assert_eq!(stand.turn(at(45)), "silence");
    assert_eq!(stand.told(), ["7 Playing 0", "7 Played whole 40"]);
}

#[test]
fn what_goes_first_cuts_off_what_sounds_which_then_goes_on_with_the_reading_it_was_in() {
    let mut stand = Stand::new();
    stand.take(&order(7, 1), at(0));
    assert_eq!(stand.turn(at(0)), "7 1");
    stand.finished(at(20));
    assert_eq!(stand.turn(at(20)), "7 2");
    let red = Order {
        level: Level::Red,
        repeats: 1,
        ..order(8, 2)
    };
    stand.take(&red, at(25));
    assert_eq!(stand.turn(at(25)), "8 1");
    stand.finished(at(35));
    assert_eq!(stand.turn(at(35)), "7 2", "from its start");
    stand.finished(at(55));
    assert_eq!(stand.turn(at(55)), "silence");
    let told = [
        "7 Playing 0",
        "7 PreEmpted 25",
        "8 Playing 0",
        "8 Played whole 10",
        "7 Playing 0",
        "7 Played whole 45",
    ];
    assert_eq!(stand.told(), told);
}

#[test]
fn among_equals_the_first_plays_to_its_end_and_less_weight_waits() {
    let mut stand = Stand::new();
    let town = Order {
        authority: Authority::Town,
        level: Level::Red,
        ..order(9, 3)
    };
    let paused = Order {
        pause: 5,
        ..order(7, 2)
    };
    stand.take(&paused, at(0));
    assert_eq!(stand.turn(at(0)), "7 1");
    stand.take(&order(8, 1), at(1));
    stand.take(&town, at(1));
    assert_eq!(stand.turn(at(1)), "7 1", "a lower counter is no reason");
    stand.finished(at(20));
    assert_eq!(stand.turn(at(20)), "silence 25", "its pause is its own");
    assert_eq!(stand.turn(at(25)), "7 2");
    stand.finished(at(45));
    assert_eq!(stand.turn(at(45)), "8 1");
    stand.finished(at(50));
    assert_eq!(stand.turn(at(50)), "8 2");
    stand.finished(at(55));
    assert_eq!(stand.turn(at(55)), "9 1");
}

#[test]
fn somebody_at_the_microphone_gives_way_to_any_order_and_is_reported_with_the_source() {
    let mut stand = Stand::new();
    stand.player.local(Some(Source::Microphone), at(0));
    assert_eq!(stand.turn(at(0)), "microphone");
    stand.take(&kind(TONE, 1, "", 5), at(10));
    assert_eq!(stand.turn(at(10)), "0 1");
    stand.finished(at(15));
    assert_eq!(stand.turn(at(15)), "microphone");
    stand.player.local(None, at(20));
    assert_eq!(stand.turn(at(20)), "silence");
    let told = [
        "0-1-tone-cc Playing 0",
        "0-1-tone-cc Played whole 5",
        "microphone Played 15",
    ];
    assert_eq!(stand.told(), told);
}

#[test]
fn a_stop_ends_its_alert_whatever_comes_of_it_later_and_nothing_else() {
    let mut stand = Stand::new();
    stand.take(&order(7, 1), at(0));
    stand.take(&order(8, 2), at(0));
    assert_eq!(stand.turn(at(0)), "7 1");
    stand.take(&kind(STOP, 5, "7", 0), at(8));
    assert_eq!(stand.turn(at(8)), "8 1");
    // Overtaken on its way, and given again because nobody knew how the first one went.
    let again = Order {
        order: "7-0-other-text".into(),
        ..order(7, 9)
    };
    stand.take(&again, at(9));
    stand.take(&order(7, 10), at(9));
    assert_eq!(stand.turn(at(9)), "8 1");
    let told = [
        "7 Playing 0",
        "7 Stopped 8",
        "0-5-stop-cc Done 0",
        "8 Playing 0",
        "7 Stopped 0",
        "7 Stopped 0",
    ];
    assert_eq!(stand.told(), told);
}

#[test]
fn a_stop_of_all_ends_what_was_ordered_before_it_and_nothing_after() {
    let mut stand = Stand::new();
    stand.take(&order(7, 2), at(0));
    stand.take(&order(8, 3), at(0));
    assert_eq!(stand.turn(at(0)), "7 1");
    stand.finished(at(20));
    stand.turn(at(20));
    stand.take(&kind(STOP_ALL, 5, "", 0), at(30));
    assert_eq!(stand.turn(at(30)), "silence");
    stand.take(&order(9, 1), at(31));
    assert_eq!(stand.turn(at(31)), "silence", "it was overtaken");
    stand.take(&order(10, 6), at(32));
    assert_eq!(stand.turn(at(32)), "10 1");
    let told = [
        "7 Playing 0",
        "7 Stopped whole 30",
        "8 Stopped 0",
        "0-5-stop-all-cc Done 0",
        "9 Stopped 0",
        "10 Playing 0",
    ];
    assert_eq!(stand.told(), told);
}

/// What prolongs an alert's orders until then.
fn longer(alert: u64, counter: u64, until: u64) -> Order {
    Order {
        expires: at(until),
        ..kind(PROLONG, counter, &alert.to_string(), 0)
    }
}

#[test]
fn what_is_held_stands_longer_without_a_sound_over_a_power_cut_and_under_a_new_counter() {
    let mut stand = Stand::new();
    // It begins in half an hour and would end in an hour.
    let later = Order {
        not_before: at(1800),
        ..order(7, 1)
    };
    stand.take(&later, at(0));
    stand.take(&longer(7, 2, 7200), at(10));
    assert_eq!(stand.turn(at(10)), "silence 1800", "nothing sounds by it");
    assert_eq!(stand.told(), ["0-2-prolong-cc Done 0"]);
    stand.power_cut();
    assert_eq!(stand.turn(at(20)), "silence 1800");
    // The gateway gives the same again, since its first receipt was lost.
    stand.take(
        &Order {
            counter: 3,
            ..later
        },
        at(30),
    );
    stand.power_cut();
    assert_eq!(stand.turn(at(7000)), "7 1", "its own end is long over");
    stand.finished(at(7010));
    assert_eq!(stand.turn(at(7200)), "silence", "and no longer than that");
    assert_eq!(stand.told(), ["7 Playing 0", "7 Played whole 10"]);
}

#[test]
fn an_earlier_end_and_what_is_not_held_change_nothing() {
    let mut stand = Stand::new();
    stand.take(&order(7, 1), at(0));
    assert_eq!(stand.turn(at(0)), "7 1");
    stand.take(&longer(7, 2, 60), at(1));
    assert_eq!(stand.turn(at(100)), "7 1", "it ends no sooner");
    for (order, refusal) in [
        (longer(71, 3, 7200), Refusal::NotHeld),
        (longer(7, 1, 7200), Refusal::Replayed),
    ] {
        let signed = stand.signer.sign(&order);
        assert_eq!(stand.player.take(&signed, at(2)), Err(refusal));
    }
    stand.told();
    let signed = stand.signer.sign(&longer(71, 4, 7200));
    assert_eq!(stand.player.take(&signed, at(3)), Err(Refusal::NotHeld));
    assert_eq!(stand.told(), ["0-4-prolong-cc Failed 0 not-held"]);
}

#[test]
fn what_was_heard_whole_is_not_played_again_and_what_was_stopped_stays_so() {
    let mut stand = Stand::new();
    let once = Order {
        repeats: 1,
        ..order(7, 1)
    };
    stand.take(&once, at(0));
    stand.turn(at(0));
    stand.finished(at(10));
    stand.told();
    stand.take(&longer(7, 2, 7200), at(20));
    assert_eq!(stand.turn(at(20)), "silence");
    assert_eq!(stand.told(), ["0-2-prolong-cc Done 0"]);
    stand.take(&order(8, 3), at(30));
    stand.take(&kind(STOP, 4, "8", 0), at(31));
    let signed = stand.signer.sign(&longer(8, 5, 7200));
    assert_eq!(stand.player.take(&signed, at(32)), Err(Refusal::NotHeld));
    assert_eq!(stand.turn(at(33)), "silence");
}

#[test]
fn a_drill_prolongs_no_live_order_and_a_disk_that_was_changed_prolongs_nothing() {
    let mut stand = Stand::new();
    stand.take(&order(7, 1), at(0));
    let drill = Order {
        drill: true,
        ..longer(7, 2, 7200)
    };
    let signed = stand.signer.sign(&drill);
    assert_eq!(stand.player.take(&signed, at(1)), Err(Refusal::NotHeld));
    assert_eq!(
        stand.turn(at(3600)),
        "silence",
        "it ended with its own time"
    );
    let mut stand = Stand::new();
    stand.take(&order(7, 1), at(0));
    stand.take(&longer(7, 2, 7200), at(1));
    let kept = serde_json::to_string(&stand.player.kept()).expect("texts and numbers");
    let end = |seconds: u64| format!("\\\"expires\\\":{}", at(seconds).0);
    assert!(kept.contains(&end(7200)), "{kept}");
    let changed = kept.replace(&end(7200), &end(9000));
    let kept = serde_json::from_str(&changed).expect("as it was written");
    stand.player = Player::new(verifier(&stand.signer), kept);
    assert_eq!(stand.turn(at(3600)), "silence");
}

#[test]
fn the_volume_is_set_and_kept() {
    let mut stand = Stand::new();
    stand.take(&kind(VOLUME, 1, "", 35), at(0));
    stand.power_cut();
    assert_eq!(stand.player.volume(), 35);
    assert_eq!(stand.told(), ["0-1-volume-cc Done 0"]);
}

#[test]
fn what_was_taken_is_played_at_its_time_after_a_power_cut_and_without_a_network() {
    let mut stand = Stand::new();
    let later = Order {
        not_before: at(600),
        expires: at(900),
        ..order(7, 1)
    };
    stand.take(&later, at(0));
    assert_eq!(stand.turn(at(0)), "silence 600");
    stand.power_cut();
    assert_eq!(stand.turn(at(599)), "silence 600");
    assert_eq!(stand.turn(at(600)), "7 1");
    stand.finished(at(620));
    stand.power_cut();
    assert_eq!(stand.turn(at(700)), "7 2", "the first reading was heard");
    stand.finished(at(720));
    assert_eq!(stand.turn(at(720)), "silence");
    stand.power_cut();
    assert_eq!(stand.turn(at(730)), "silence", "never twice");
    assert_eq!(stand.told(), ["7 Playing 0", "7 Played whole 40"]);
    // The gateway, which heard nothing, gives it again.
    let again = Order {
        counter: 9,
        ..later
    };
    stand.take(&again, at(740));
    assert_eq!(stand.turn(at(740)), "silence");
    assert_eq!(stand.told(), ["7 Played whole 0"]);
}

#[test]
fn an_order_ends_with_its_time_in_the_middle_of_a_word() {
    let mut stand = Stand::new();
    let short = |alert, counter| Order {
        expires: at(30),
        ..order(alert, counter)
    };
    stand.take(&short(7, 1), at(0));
    stand.take(&short(8, 2), at(0));
    assert_eq!(stand.turn(at(0)), "7 1");
    stand.power_cut();
    assert_eq!(stand.turn(at(5)), "7 1");
    assert_eq!(stand.turn(at(30)), "silence");
    let told = ["7 Playing 0", "7 Played 25", "8 Failed 0 expired"];
    assert_eq!(stand.told(), told);
}

#[test]
fn a_disk_that_was_tampered_with_gives_nothing_to_play() {
    let mut stand = Stand::new();
    stand.take(&order(7, 1), at(0));
    let kept = serde_json::to_string(&stand.player.kept()).expect("texts and numbers");
    let changed = kept.replace("高处", "低处");
    assert_ne!(changed, kept);
    let kept = serde_json::from_str(&changed).expect("it reads");
    stand.player = Player::new(verifier(&stand.signer), kept);
    assert_eq!(stand.turn(at(1)), "silence");
}

#[test]
fn what_is_refused_does_not_sound_and_is_reported_once_where_the_signature_holds() {
    let mut stand = Stand::new();
    let thief = Signer::from_seed(&SEED.replace("07", "08")).expect("32 bytes");
    let drill = Order {
        drill: true,
        text: "演练:转移".into(),
        ..order(6, 1)
    };
    let expired = Order {
        expires: at(0),
        ..order(7, 2)
    };
    stand.take(&order(5, 3), at(0));
    let replayed = order(5, 3);
    let cases = [
        (thief.sign(&order(8, 4)), Refusal::Forged),
        (thief.sign(&drill), Refusal::Forged),
        (stand.signer.sign(&expired), Refusal::Expired),
        (stand.signer.sign(&replayed), Refusal::Replayed),
        (stand.signer.mixed(&drill), Refusal::DrillForLive),
        (stand.signer.mixed(&order(8, 5)), Refusal::DrillForLive),
    ];
    for _ in 0..2 {
        for (signed, refusal) in &cases {
            assert_eq!(stand.player.take(signed, at(1)), Err(*refusal));
        }
    }
    assert_eq!(stand.turn(at(1)), "5 1");
    let told = [
        "7 Failed 0 expired",
        "6 Failed 0 drill-for-live",
        "8 Failed 0 drill-for-live",
        "5 Playing 0",
    ];
    assert_eq!(stand.told(), told);
}

/// Whatever else stands in a self-test that is signed: a text, readings, seconds, the highest rank, in a drill or not.
fn self_tests() -> Vec<Order> {
    let mut all = Vec::new();
    for (nth, drill) in [false, true].into_iter().enumerate() {
        for (class, value) in [
            (Class::Emergency, 60),
            (Class::Daily, 0),
            (Class::Emergency, 100),
        ] {
            let counter = 10 + u64::try_from(nth * 10 + all.len()).expect("few");
            all.push(Order {
                drill,
                class,
                level: Level::Red,
                text: "演练。请立即向高处转移。".into(),
                repeats: 9,
                ..kind(SELF_TEST, counter, "7", value)
            });
        }
    }
    all
}

#[test]
fn a_self_test_never_sounds_whatever_stands_in_it() {
    for test in self_tests() {
        let mut stand = Stand::new();
        stand.take(&test, at(1));
        assert!(stand.player.is_to_test(at(1)));
        for second in [1, 2, 60, 3_599, 3_600, 9_000] {
            assert_eq!(stand.turn(at(second)), "silence", "{test:?}");
            stand.finished(at(second));
        }
        assert!(
            stand.told().is_empty(),
            "nothing has sounded, nothing was said"
        );
        // Nor after a power cut: nothing of it is kept that could be played.
        let kept = serde_json::to_string(&stand.player.kept()).expect("texts and numbers");
        assert!(!kept.contains("高处"), "{kept}");
    }
}

#[test]
fn a_self_test_cuts_nothing_off_and_tells_what_was_found_once() {
    let mut stand = Stand::new();
    stand.take(&order(7, 1), at(0));
    assert_eq!(stand.turn(at(0)), "7 1");
    stand.take(&kind(SELF_TEST, 2, "", 0), at(1));
    assert_eq!(stand.turn(at(1)), "7 1", "a warning goes on");
    assert!(stand.player.is_to_test(at(1)));
    stand.player.tested(Some("amplifier"), at(2));
    assert!(!stand.player.is_to_test(at(2)));
    stand.player.tested(None, at(3));
    let told = stand.told();
    assert_eq!(told.len(), 2, "{told:?}");
    assert!(
        told[1].contains("Failed") && told[1].contains("amplifier"),
        "{told:?}"
    );
    stand.take(&kind(SELF_TEST, 3, "", 0), at(4));
    stand.player.tested(None, at(5));
    let told = stand.told();
    assert!(told.len() == 1 && told[0].contains("Done 0"), "{told:?}");
    // Too late is not done at all.
    let late = Order {
        expires: at(10),
        ..kind(SELF_TEST, 4, "", 0)
    };
    stand.take(&late, at(9));
    assert!(!stand.player.is_to_test(at(10)));
}

/// An order with a recording.
fn recorded(alert: u64, counter: u64) -> Order {
    let sound = channel::Sound {
        sha256: format!("{alert:064}"),
        mime: "audio/mpeg".into(),
        bytes: 9,
        seconds: 12,
    };
    let recording = crate::order::Piece {
        kind: crate::order::PIECE_SOUND.into(),
        sound: Some(sound),
        ..crate::order::Piece::default()
    };
    Order {
        parts: vec![recording],
        ..order(alert, counter)
    }
}

#[test]
fn an_order_waits_for_its_sound_as_long_as_the_patience_lasts_and_plays_without_it_then() {
    let mut stand = Stand::new();
    stand.player = Player::new(verifier(&stand.signer), Kept::new(0)).waiting(super::PATIENCE);
    stand.take(&order(8, 1), at(0));
    assert_eq!(stand.turn(at(0)), "8 1");
    let red = |alert, counter| Order {
        level: Level::Red,
        ..recorded(alert, counter)
    };
    stand.take(&red(7, 2), at(1));
    let wanted = stand.player.wanted();
    assert_eq!(wanted.len(), 1, "{wanted:?}");
    assert_eq!(stand.turn(at(2)), "8 1", "what sounds goes on");
    stand.player.settled(|_| false);
    assert_eq!(stand.turn(at(8)), "8 1");
    assert_eq!(stand.turn(at(9)), "7 1", "never silent for want of a sound");
    let told = ["8 Playing 0", "8 PreEmpted 9", "7 Playing 0"];
    assert_eq!(stand.told(), told);
    // The next one has its sound at once.
    let graver = Order {
        authority: Authority::County,
        class: Class::Emergency,
        ..red(9, 3)
    };
    stand.take(&kind(STOP, 4, "7", 0), at(10));
    stand.take(&graver, at(10));
    stand.player.settled(|sound| sound.sha256.ends_with('9'));
    assert_eq!(stand.turn(at(10)), "9 1");
    stand.power_cut();
    assert_eq!(
        stand.turn(at(11)),
        "9 1",
        "and waits for nothing after a power cut"
    );
}

#[test]
fn a_player_that_fetches_nothing_waits_for_nothing() {
    let mut stand = Stand::new();
    stand.take(&recorded(7, 1), at(0));
    assert_eq!(stand.turn(at(0)), "7 1");
}
