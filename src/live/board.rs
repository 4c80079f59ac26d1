//! All alerts that a bureau may know of, a short line each, told as they change: whoever watches a whole duty room needs one
//! line and not one for each alert. The figures are those of each alert's own topic, counted once for all who look. This
//! module must not count and must not decide who sees what: coverage does.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use async_trait::async_trait;
use channel::Timestamp;
use serde::{Serialize, Serializer};
use tokio::sync::broadcast;
use utoipa::ToSchema;
use utoipa::openapi::{RefOr, schema::Schema};

use super::Hub;
use super::figures::{Figures, VillageFigures, moment};
use super::tape::{Frame, Tape, Told, follow};
use super::topic::Topic;
use crate::coverage::words::of_level;
use crate::coverage::{self, Standing};
use crate::ledger::Alert;
use crate::ledger::event::Class;
use crate::model::{StreamId, shape};
use crate::trust::Caller;

/// How many frames are kept for whoever comes back: a minute in which eight alerts change all the time.
pub(super) const KEPT: usize = 1_024;

/// One alert as it stands, without its villages.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, ToSchema)]
#[schema(as = LiveAlert)]
pub struct Short {
    #[schema(value_type = u64)]
    pub alert: StreamId,
    #[schema(schema_with = Standing::shape)]
    pub state: &'static str,
    pub state_zh: &'static str,
    /// The level by which it is handled.
    #[schema(schema_with = shape::levels)]
    pub handled: &'static str,
    #[schema(value_type = String)]
    pub status: cap::Status,
    #[schema(schema_with = Class::maybe)]
    pub class: Option<&'static str>,
    /// It is over for good: nothing of it changes any more.
    pub sealed: bool,
    /// Of the caller's part: households at home, then of these confirmed, delivered, played, missed, unknown, pending.
    #[schema(value_type = [u32; 7])]
    pub total: VillageFigures,
}

/// The lines that are open, by alert. As `whole` all of them, as `change` those that are not as they were.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = LiveAlerts)]
pub struct Lines {
    #[schema(schema_with = shape::moment)]
    #[serde(serialize_with = "moment")]
    as_of: Timestamp,
    #[schema(schema_with = list)]
    #[serde(serialize_with = "values")]
    alerts: BTreeMap<StreamId, Short>,
}

fn list() -> impl Into<RefOr<Schema>> {
    <Vec<Short> as utoipa::PartialSchema>::schema()
}

fn values<S: Serializer>(lines: &BTreeMap<StreamId, Short>, to: S) -> Result<S::Ok, S::Error> {
    to.collect_seq(lines.values())
}

impl Lines {
    pub(super) fn of(as_of: Timestamp, alerts: impl IntoIterator<Item = Short>) -> Self {
        let alerts = alerts.into_iter().map(|line| (line.alert, line)).collect();
        Self { as_of, alerts }
    }

    /// What is new since `before`, an alert each; what is no longer among the open ones is told once more, as `last` says.
    pub(super) fn since(&self, before: &Self, last: impl Fn(&Short) -> Option<Short>) -> Vec<Self> {
        let changed = self.alerts.values();
        let changed = changed.filter(|line| before.alerts.get(&line.alert) != Some(*line));
        let gone = before.alerts.values();
        let gone = gone.filter(|line| !self.alerts.contains_key(&line.alert));
        let one = |line: Short| Self::of(self.as_of, [line]);
        let gone = gone.filter_map(last);
        changed.cloned().chain(gone).map(one).collect()
    }
}

type Topics = HashMap<StreamId, (Arc<Topic>, broadcast::Receiver<Frame>)>;

/// What one bureau is told.
pub(super) struct Board {
    caller: Caller,
    /// Held by who looks: the topics of the alerts that are open, each kept alive.
    topics: tokio::sync::Mutex<Topics>,
    pub tape: Arc<Tape<Lines>>,
}

impl Board {
    pub fn start(hub: &Arc<Hub>, caller: &Caller) -> Arc<Self> {
        let board = Arc::new(Self {
            caller: caller.clone(),
            topics: tokio::sync::Mutex::default(),
            tape: Arc::new(Tape::new(hub.begin(), KEPT)),
        });
        tokio::spawn(follow(Arc::downgrade(hub), board.clone()));
        board
    }

    async fn figures(
        &self,
        hub: &Arc<Hub>,
        topics: &mut Topics,
    ) -> Vec<(Arc<Alert>, Arc<Figures>)> {
        let mut alerts = hub.ledger.alerts();
        alerts.retain(|alert| coverage::sees(&self.caller, &alert.meta));
        topics.retain(|stream, _| alerts.iter().any(|alert| alert.stream == *stream));
        let mut all = Vec::with_capacity(alerts.len());
        for alert in alerts {
            let (topic, _) = topics.entry(alert.stream).or_insert_with(|| {
                let home = coverage::home(&alert, &self.caller.regions);
                hub.topic(&(alert.stream, home))
            });
            // It may be sealed at this moment.
            if let Some(figures) = topic.fresh(hub).await {
                all.push((alert, figures));
            }
        }
        all
    }

    /// One look at a time: what is told later is later.
    pub async fn fresh(&self, hub: &Arc<Hub>) {
        let mut topics = self.topics.lock().await;
        let figures = self.figures(hub, &mut topics).await;
        let lines = figures.iter().map(|(alert, figures)| short(alert, figures));
        let now = Arc::new(Lines::of(hub.clock.now(), lines));
        let last = |line: &Short| {
            let known = hub.ledger.known(line.alert)?;
            let standing = Standing::of(&known, &hub.ledger, hub.clock.now());
            Some(Short {
                state: standing.key(),
                state_zh: standing.zh(),
                sealed: known.is_sealed(),
                ..line.clone()
            })
        };
        self.tape.tell(&now, |before| now.since(before, last));
    }
}

fn short(alert: &Alert, figures: &Figures) -> Short {
    Short {
        alert: alert.stream,
        state: figures.state,
        state_zh: figures.state_zh,
        handled: of_level(alert.handled()).0,
        status: alert.meta.status,
        class: alert.classes.whole().map(Class::name),
        sealed: false,
        total: figures.total(),
    }
}

#[async_trait]
impl Told for Board {
    fn is_watched(&self) -> bool {
        self.tape.is_watched()
    }

    async fn look(&self, hub: &Arc<Hub>) {
        self.fresh(hub).await;
    }

    fn let_go(&self, hub: &Hub) -> bool {
        let mut boards = hub.boards.lock();
        let alone = !self.is_watched();
        if alone {
            boards.remove(&self.caller.id);
        }
        alone
    }
}
