//! What a simulated adapter does with what it is told: it plays, keeps records and answers. This module must not touch a socket.

use std::sync::Arc;

use encoding_rs::GB18030;

use super::{Box089, Heard, Manner, Words};
use crate::gdj089::assumed::{Ask, Parameters};
use crate::gdj089::bytes::Id;
use crate::gdj089::channels::{Input, Inputs, Outputs};
use crate::gdj089::frame::Frame;
use crate::gdj089::report::{Begun, CANCELLED, FAILED, PLAYED, Record, StartStopReply, Up};
use crate::gdj089::task::{Down, Generic, STOP, Task};

impl Box089 {
    /// What it answers; nothing at all where it hangs up.
    pub(super) fn told(self: &Arc<Self>, frame: &Frame) -> Option<Vec<Up>> {
        self.memory.lock().opcodes.push(frame.opcode);
        let taken = |code| {
            Up::Reply(Generic {
                code,
                text: Vec::new(),
            })
        };
        let Some(Ok(down)) = Down::read(frame.opcode, &frame.body) else {
            return Some(vec![taken(1)]);
        };
        Some(match down {
            Down::Task(task) => return self.tasked(&task),
            Down::Volume { volume, .. } => {
                self.memory.lock().volume = Some(volume);
                vec![taken(0)]
            }
            Down::Clock(_) => {
                self.memory.lock().ahead = 0;
                vec![taken(0)]
            }
            Down::QueryRecords(_) => vec![self.records()],
            Down::Ask(ask) => vec![self.asked(ask)],
            Down::Set(_) if matches!(self.settings.manner, Manner::Refuses(_)) => vec![taken(1)],
            Down::Set(set) => {
                self.memory.lock().sets.push(*set);
                vec![taken(0)]
            }
            Down::Query { .. } if self.settings.lists_status => {
                let volume = self.memory.lock().volume.unwrap_or(50);
                vec![Up::Parameters(Parameters {
                    front: self.front.clone(),
                    values: vec![(1, vec![volume]), (6, vec![1])],
                })]
            }
            Down::Named { .. } | Down::Query { .. } => vec![taken(-1)],
            Down::Reply(_) | Down::HeartbeatReply | Down::BegunReply { .. } => Vec::new(),
        })
    }

    fn asked(&self, ask: Ask) -> Up {
        let front = self.front.clone();
        let input = |id, name: &str| Input {
            id,
            name: name.as_bytes().to_vec(),
            group: 0,
            state: 1,
        };
        match ask {
            Ask::Inputs => Up::Inputs(Inputs {
                front,
                list: vec![input(0, "电话"), input(self.settings.input, "平台")],
            }),
            Ask::Outputs => Up::Outputs(Outputs {
                front,
                list: Vec::new(),
            }),
            Ask::Faults => Up::Fault {
                front,
                kind: self.settings.fault,
                text: Vec::new(),
            },
        }
    }

    fn records(&self) -> Up {
        Up::Records {
            front: self.front.clone(),
            records: self.memory.lock().records.clone(),
        }
    }

    fn tasked(self: &Arc<Self>, task: &Task) -> Option<Vec<Up>> {
        let text = task
            .spoken
            .first()
            .map(|spoken| GB18030.decode(&spoken.text).0.into_owned());
        self.memory.lock().heard.push(Heard {
            ebm: task.ebm.to_string(),
            stop: task.switch == STOP,
            class: task.class,
            level: task.level,
            event: String::from_utf8_lossy(&task.event).into_owned(),
            text: text.unwrap_or_default(),
            codes: task.codes.list.iter().map(Id::to_string).collect(),
            input: task.input,
        });
        let reply = |result| {
            Up::StartStopReply(Box::new(StartStopReply {
                front: self.front.clone(),
                ebm: task.ebm.clone(),
                result,
                text: Vec::new(),
                stream: Vec::new(),
            }))
        };
        Some(match self.settings.manner {
            Manner::HangsUp | Manner::HangsUpAfterWrite => return None,
            Manner::Stalls => Vec::new(),
            Manner::Refuses(code) => {
                let text = Vec::new();
                vec![Up::Reply(Generic { code, text })]
            }
            Manner::DoesNotStart => vec![reply(1)],
            Manner::Takes => vec![reply(0)],
            _ if task.switch == STOP => {
                let everything = !task.ebm.to_string().contains(|digit| digit != '0');
                let mut memory = self.memory.lock();
                let meant = |record: &&mut Record| record.ebm == task.ebm || everything;
                for record in memory.records.iter_mut().filter(meant) {
                    if record.state < PLAYED {
                        record.state = CANCELLED;
                    }
                }
                vec![reply(0)]
            }
            Manner::Plays | Manner::Fails => {
                let begun = self.begins(task);
                vec![reply(0), begun]
            }
        })
    }

    /// Keeps a record of it, and ends it in time.
    fn begins(self: &Arc<Self>, task: &Task) -> Up {
        let now = self.seconds();
        let record = Record {
            ebm: task.ebm.clone(),
            state: 2,
            resource: 1,
            class: task.class,
            level: task.level,
            event: task.event,
            start: now,
            end: now,
            volume: task.volume,
            input: task.input,
            outputs: Vec::new(),
            number: None,
            length: task.codes.length,
            codes: task.codes.list.clone(),
        };
        let begun = Begun {
            front: self.front.clone(),
            ebm: record.ebm.clone(),
            resource: 1,
            class: record.class,
            level: record.level,
            event: record.event,
            input: record.input,
            outputs: Vec::new(),
            number: None,
            volume: record.volume,
            length: record.length,
            codes: record.codes.clone(),
        };
        let mut memory = self.memory.lock();
        memory.records.retain(|other| other.ebm != record.ebm);
        memory.records.push(record);
        drop(memory);
        let (own, ebm) = (self.clone(), task.ebm.clone());
        tokio::spawn(async move {
            tokio::time::sleep(own.settings.play).await;
            own.ends(&ebm);
        });
        Up::Begun(Box::new(begun))
    }

    fn ends(&self, ebm: &Id) {
        let now = self.seconds();
        let state = match self.settings.manner {
            Manner::Fails => FAILED,
            _ => PLAYED,
        };
        let mut memory = self.memory.lock();
        let own = memory
            .records
            .iter_mut()
            .filter(|record| record.ebm == *ebm);
        for record in own.filter(|record| record.state < PLAYED) {
            (record.state, record.end) = (state, now);
        }
        drop(memory);
        let (front, ebm) = (self.front.clone(), ebm.clone());
        let ended = Up::Ended { front, ebm };
        // Nobody hears it while it is not connected.
        let _ = self.says.send(Words::Up(Box::new(ended)));
    }
}
