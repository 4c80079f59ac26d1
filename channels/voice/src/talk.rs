//! What is said to whoever picks up, and what the keys do: 1 = 收到, 2 = 已落实, 9 = 再听一遍. A pure machine that is
//! stepped every 20 ms; this module must not know of sockets, clocks or codecs.

/// Frames of 20 ms in a second.
pub const SECOND: usize = 50;
/// Whoever picks up says 喂 first.
const LEAD: usize = SECOND / 2;

/// What can be said.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Clip {
    Message,
    /// Which key means what.
    Keys,
    /// 已收到。
    Received,
    /// 已落实。
    Done,
}

impl Clip {
    pub const ALL: [Self; 4] = [Self::Message, Self::Keys, Self::Received, Self::Done];
}

/// What a person answered; the higher one counts.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Answer {
    Received,
    Done,
}

impl Answer {
    pub const fn of(key: char) -> Option<Self> {
        match key {
            '1' => Some(Self::Received),
            '2' => Some(Self::Done),
            _ => None,
        }
    }
}

/// How long everything is, in frames.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Script {
    pub message: usize,
    pub keys: usize,
    pub received: usize,
    pub done: usize,
    /// Silence in which a key is awaited.
    pub wait: usize,
    /// How often the message is said to somebody who presses nothing.
    pub plays: u32,
    /// No call is longer, whatever is pressed.
    pub longest: usize,
}

impl Script {
    const fn length(&self, clip: Clip) -> usize {
        match clip {
            Clip::Message => self.message,
            Clip::Keys => self.keys,
            Clip::Received => self.received,
            Clip::Done => self.done,
        }
    }
}

/// What goes out in one frame.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Step {
    Say(Clip, usize),
    Silence,
    HangUp,
}

#[derive(Clone, Copy)]
enum Place {
    Lead(usize),
    Saying(Clip, usize),
    Waiting(usize),
    Over,
}

pub struct Talk {
    script: Script,
    place: Place,
    plays: u32,
    frames: usize,
    heard: usize,
    answer: Option<Answer>,
}

impl Talk {
    pub const fn new(script: Script) -> Self {
        Self {
            script,
            place: Place::Lead(0),
            plays: 0,
            frames: 0,
            heard: 0,
            answer: None,
        }
    }

    /// The next frame. `alive`: the far end still sends; to a dead line nothing is heard.
    pub fn next(&mut self, alive: bool) -> Step {
        self.frames += 1;
        if self.frames > self.script.longest {
            self.place = Place::Over;
        }
        loop {
            match self.place {
                Place::Over => return Step::HangUp,
                Place::Lead(n) if n < LEAD => {
                    self.place = Place::Lead(n + 1);
                    return Step::Silence;
                }
                Place::Waiting(n) if n < self.script.wait => {
                    self.place = Place::Waiting(n + 1);
                    return Step::Silence;
                }
                Place::Saying(clip, n) if n < self.script.length(clip) => {
                    self.place = Place::Saying(clip, n + 1);
                    if clip == Clip::Message && alive {
                        self.heard = self.heard.max(n + 1);
                    }
                    return Step::Say(clip, n);
                }
                ended => self.place = self.after(ended),
            }
        }
    }

    fn after(&mut self, ended: Place) -> Place {
        match ended {
            Place::Lead(_) => Place::Saying(Clip::Message, 0),
            Place::Saying(Clip::Message, _) => Place::Saying(Clip::Keys, 0),
            Place::Saying(Clip::Keys, _) => Place::Waiting(0),
            Place::Waiting(_) => {
                self.plays += 1;
                if self.plays < self.script.plays {
                    Place::Saying(Clip::Message, 0)
                } else {
                    Place::Over
                }
            }
            Place::Saying(Clip::Received | Clip::Done, _) | Place::Over => Place::Over,
        }
    }

    /// A key was pressed. Any other than 1, 2 and 9 says once more what they mean.
    pub fn press(&mut self, key: char) {
        if matches!(self.place, Place::Over) {
            return;
        }
        let clip = match Answer::of(key) {
            Some(answer) => {
                self.answer = self.answer.max(Some(answer));
                if answer == Answer::Done {
                    Clip::Done
                } else {
                    Clip::Received
                }
            }
            None if key == '9' => Clip::Message,
            // Somebody who has answered is not asked again.
            None if self.answer.is_some() => return,
            None => Clip::Keys,
        };
        self.place = Place::Saying(clip, 0);
    }

    /// How much of the message was heard at most, in frames.
    pub const fn heard(&self) -> usize {
        self.heard
    }

    pub const fn whole(&self) -> bool {
        self.heard >= self.script.message
    }

    pub const fn answer(&self) -> Option<Answer> {
        self.answer
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const SCRIPT: Script = Script {
        message: 10,
        keys: 4,
        received: 2,
        done: 3,
        wait: 5,
        plays: 2,
        longest: 1_000,
    };

    /// Runs to the end; the n-th frame is preceded by these keys.
    fn said(talk: &mut Talk, keys: &[(usize, char)]) -> String {
        let mut out = String::new();
        for n in 0..2_000 {
            for (_, key) in keys.iter().filter(|(at, _)| *at == n) {
                talk.press(*key);
            }
            let letter = match talk.next(true) {
                Step::Say(Clip::Message, _) => 'M',
                Step::Say(Clip::Keys, _) => 'k',
                Step::Say(Clip::Received, _) => 'r',
                Step::Say(Clip::Done, _) => 'd',
                Step::Silence => '.',
                Step::HangUp => return out,
            };
            if !out.ends_with(letter) {
                out.push(letter);
            }
        }
        panic!("it never ends");
    }

    #[test]
    fn each_key_is_spoken_back_and_nine_says_it_again() {
        for (keys, expected, answer) in [
            (&[][..], ".Mk.Mk.", None),
            (&[(30, '1')], ".Mr", Some(Answer::Received)),
            (&[(30, '2')], ".Md", Some(Answer::Done)),
            (&[(42, '9'), (58, '1')], ".Mk.Mk.r", Some(Answer::Received)),
            (&[(30, '5')], ".Mk.Mk.", None),
            (&[(30, '1'), (31, '2')], ".Mrd", Some(Answer::Done)),
            (&[(30, '2'), (31, '1')], ".Mdr", Some(Answer::Done)),
            (&[(30, '1'), (31, '7')], ".Mr", Some(Answer::Received)),
            (&[(30, '1'), (31, '9')], ".MrMk.Mk.", Some(Answer::Received)),
            (&[(2, '1')], ".r", Some(Answer::Received)),
        ] {
            let mut talk = Talk::new(SCRIPT);
            assert_eq!(said(&mut talk, keys), expected, "{keys:?}");
            assert_eq!(talk.answer(), answer, "{keys:?}");
        }
    }

    #[test]
    fn heard_is_what_reached_a_living_line_and_no_more() {
        let mut talk = Talk::new(SCRIPT);
        for n in 0..LEAD + 10 {
            talk.next(n < LEAD + 4);
        }
        assert_eq!((talk.heard(), talk.whole()), (4, false));
        let mut talk = Talk::new(SCRIPT);
        said(&mut talk, &[(28, '9')]);
        assert_eq!((talk.heard(), talk.whole()), (10, true));
    }

    #[test]
    fn nobody_holds_a_line_by_pressing_nine() {
        let mut talk = Talk::new(SCRIPT);
        let frames = (0..5_000).take_while(|_| {
            talk.press('9');
            talk.next(true) != Step::HangUp
        });
        assert_eq!(frames.count(), SCRIPT.longest);
    }

    proptest! {
        #[test]
        fn every_call_ends_and_heard_never_exceeds_the_message(
            keys in prop::collection::vec((0_usize..200, prop::sample::select(vec!['0', '1', '2', '5', '9', '#'])), 0..20),
            message in 0_usize..40, plays in 0_u32..4, longest in 0_usize..300,
        ) {
            let mut talk = Talk::new(Script { message, plays, longest, ..SCRIPT });
            said(&mut talk, &keys);
            prop_assert!(talk.heard() <= message);
            prop_assert_eq!(talk.next(true), Step::HangUp);
        }
    }
}
