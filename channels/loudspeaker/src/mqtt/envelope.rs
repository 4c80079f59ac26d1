//! A call and its answer as they travel over a broker, which is nobody's friend: the call is signed by the device as any
//! call, the answer by the gateway's live key as any order, and names the call that it answers. Pure: this module must not
//! know a topic.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::order::{Signed, Signer, Verifier};

/// No call is longer as it travels: its body as text in JSON, and what is around it.
pub(crate) const LONGEST_CALL: usize = 2 * crate::calls::LONGEST_BODY;

/// One call of a device.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Envelope {
    /// `took`, `orders`, `reports`, `heartbeats` or `rekey`: what is signed as the path.
    pub call: String,
    /// The exact bytes that are signed.
    pub body: String,
    /// `Tocsin DEVICE TIME SIGNATURE`.
    pub authorization: String,
}

/// The body of the gateway's signed answer.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Answer {
    /// The signature of the call.
    pub answers: String,
    /// The device.
    pub to: String,
    /// As HTTP would have it.
    pub status: u16,
    pub reply: Value,
}

impl Answer {
    pub(crate) fn seal(&self, signer: &Signer) -> Signed {
        signer.seal(serde_json::to_string(self).expect("it is texts and numbers"))
    }

    /// `None` when it is not the gateway's, or not for this device.
    pub(crate) fn open(signed: &Signed, verifier: &Verifier) -> Option<Self> {
        let answer: Self = serde_json::from_str(verifier.unseal(signed)?).ok()?;
        (answer.to == verifier.device()).then_some(answer)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::order::{Refusal, Window};

    const SEED: &str = "0707070707070707070707070707070707070707070707070707070707070707";

    #[test]
    fn an_answer_is_believed_by_its_device_alone_and_is_no_order() {
        let signer = Signer::from_seed(SEED).unwrap();
        let answer = Answer {
            answers: "ab".into(),
            to: "a-1".into(),
            status: 200,
            reply: json!({ "time": 5 }),
        };
        let sealed = answer.seal(&signer);
        let verifier = |device: &str| Verifier::new(device, &signer.public_keys()).unwrap();
        assert_eq!(Answer::open(&sealed, &verifier("a-1")), Some(answer));
        assert_eq!(Answer::open(&sealed, &verifier("a-2")), None);
        let changed = Signed {
            body: sealed.body.replace("200", "403"),
            ..sealed.clone()
        };
        assert_eq!(Answer::open(&changed, &verifier("a-1")), None);
        let order = verifier("a-1").verify(&sealed, &Window::default(), channel::Timestamp(0));
        assert_eq!(order, Err(Refusal::Malformed));
    }
}
