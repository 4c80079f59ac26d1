//! What a broadcast message cannot carry of a text, each in the words of whoever releases it. This module must not find a
//! loss: the mapping does.

/// What an EBM cannot carry of a text.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Loss {
    Event,
    EventByName,
    Level,
    Language,
    Repeat,
    Authority,
    Recordings,
    Tones,
    Attachment,
    Onset,
    Html,
    Characters,
}

/// In a short word, in English and in Chinese; in the order of the kinds.
const WORDS: [(&str, &str, &str); 12] = [
    (
        "event",
        "the event has no code in the national table, so 10000 (突发事件) is sent",
        "事件在国家编码表中没有对应，按 10000（突发事件）发送",
    ),
    (
        "event-by-name",
        "the event's code was found by its name; give it as an eventCode to be sure of it",
        "事件编码由名称推得；请在预警中给出 eventCode",
    ),
    (
        "level",
        "the level is none of the four colours, so 0 (unknown) is sent",
        "级别不属四色，按 0（未知）发送",
    ),
    (
        "language",
        "the language has no code of three letters here, so it is announced as Chinese",
        "语种没有三字代码，按中文发送",
    ),
    (
        "repeat",
        "how often it is played, and with which pause, is the platform's to decide",
        "播放遍数和间隔由平台决定",
    ),
    (
        "authority",
        "who goes first at one loudspeaker is the platform's to decide",
        "同一喇叭的优先次序由平台决定",
    ),
    (
        "recordings",
        "what was recorded in the villages' languages is not sent: the platform speaks the text by itself",
        "本地语言录音不随发，由平台按文字播报",
    ),
    (
        "tones",
        "the tones before and behind the text are the platform's own",
        "提示音由平台自定",
    ),
    (
        "attachment",
        "only sound in MP3 goes along: the attachment is not sent",
        "只能随发 MP3 音频，附件不发送",
    ),
    (
        "onset",
        "when the danger begins stands in the text alone: StartTime is when it is to be played",
        "险情起始时间只在正文中：StartTime 为播发时间",
    ),
    (
        "html",
        "the formatted text is not sent, only the plain one",
        "不发送带格式的正文，只发纯文本",
    ),
    (
        "characters",
        "characters that XML has no place for are left out",
        "XML 不能承载的字符已略去",
    ),
];

impl Loss {
    pub const fn told(self) -> channel::Loss {
        let (code, en, zh) = WORDS[self as usize];
        channel::Loss { code, en, zh }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_loss_has_its_own_words() {
        for (loss, code) in [
            (Loss::Event, "event"),
            (Loss::Repeat, "repeat"),
            (Loss::Onset, "onset"),
            (Loss::Characters, "characters"),
        ] {
            assert_eq!(loss.told().code, code);
        }
    }
}
