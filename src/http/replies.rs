//! What people wrote back: to an alert, and to none. A number is never shown; a text only to callers who keep the registry.
//! This module must not say to which alert a reply belongs: dispatch does, when it comes.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::{IntoResponse, Response};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::Gate;
use super::caller::{Keeper, Params, View};
use super::figures::Stamp;
use super::format::{Format, file};
use super::openapi::{Listing, OfPart};
use super::page::{PageParams, cut, whole};
use super::problem::Problem;
use crate::coverage::{self, Attached, ReplyLine, StrayLine, csv};
use crate::dispatch::by_hand::without_attachment;
use crate::ledger::record::sha256;
use crate::model::{RegionCode, shape};
use crate::store::DocumentId;
use crate::trust::Scope;

#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct ListParams {
    /// Only what lies in this region.
    #[param(schema_with = shape::asked_region)]
    under: Option<RegionCode>,
    /// Begins behind this reply: `next` of the page before.
    #[param(minimum = 0, maximum = 9_007_199_254_740_991_u64)]
    after: Option<u64>,
    /// At most so many; 200 where nothing is said.
    #[param(minimum = 1, maximum = 5000)]
    limit: Option<usize>,
    #[param(inline)]
    format: Option<Format>,
}

#[derive(Serialize, ToSchema)]
struct ReplyList {
    #[serde(flatten)]
    stamp: Stamp,
    under: Vec<RegionCode>,
    /// Of all of them, not of this page alone.
    acknowledged: usize,
    /// Texts that are no word of acknowledgement, of all of them.
    wrote: usize,
    replies: Vec<ReplyLine>,
    /// Ask again with `after` set to this for the next page.
    next: Option<u64>,
}

/// What people wrote back
///
/// In the order it came. A number is never shown; a text only to callers with the scope `registry`. A file is whole:
/// `limit` and `after` are refused with it.
#[utoipa::path(
    get, path = "/v1/alerts/{id}/replies", operation_id = "replies", tag = "coverage", params(View, ListParams), security(("token" = ["read"])),
    responses((status = 200, description = "A page of replies", content(
        (ReplyList = "application/json"), (String = "text/csv; charset=utf-8"),
    )), OfPart),
)]
pub async fn of_alert(
    State(gate): State<Arc<Gate>>,
    view: View,
    headers: HeaderMap,
    Params(params): Params<ListParams>,
) -> Result<Response, Problem> {
    let under = view.scope(params.under)?;
    let all = coverage::replies(&view.alert, &view.registry, &under);
    let acknowledged = all.iter().filter(|line| line.document.is_none()).count();
    let wrote = all.len() - acknowledged;
    let as_file = Format::of(params.format, &headers) == Format::Csv;
    let page = PageParams {
        after: params.after,
        limit: params.limit,
    };
    let (mut replies, next) = if as_file {
        whole(page)?;
        (all, None)
    } else {
        cut(all, page, |line| line.no)?
    };
    if view.caller.may(Scope::Registry) {
        let mut texts = Texts::new(&gate);
        for line in &mut replies {
            line.text = match line.document {
                Some(id) => texts.read(id).await?,
                None => None,
            };
            if gate.by_hand.is_by_hand(&line.channel) {
                apart(&gate, &view, line).await;
            }
        }
    }
    if as_file {
        let name = format!("replies-{}.csv", view.alert.stream);
        return Ok(file(&name, csv::replies(&replies)));
    }
    Ok(Json(ReplyList {
        stamp: Stamp::of(&gate, &view),
        under,
        acknowledged,
        wrote,
        replies,
        next,
    })
    .into_response())
}

/// What is attached to an entry is megabytes: it is told of, and served by a route of its own.
async fn apart(gate: &Gate, view: &View, line: &mut ReplyLine) {
    let Some(text) = line.text.as_deref().and_then(without_attachment) else {
        return;
    };
    line.text = Some(text);
    let (stream, delivery, no) = (view.alert.stream, line.delivery, line.place);
    let mut places = gate.by_hand.places(&view.alert, |_| true).into_iter();
    let Some(place) = places.find(|place| place.key.delivery == delivery) else {
        return;
    };
    let attached = gate.by_hand.attachment(&place, &view.caller, no).await;
    line.attached = attached.ok().map(|reply| Attached {
        bytes: reply.body.len() as u64,
        sha256: hex::encode(sha256(&reply.body)),
        href: format!("/v1/alerts/{stream}/by-hand/{delivery}/attachments/{no}"),
    });
}

#[derive(Serialize, ToSchema)]
struct Strays {
    #[schema(schema_with = shape::moment)]
    as_of: String,
    /// How many came by each channel since the journal began.
    channels: BTreeMap<String, u64>,
    /// The latest thousand at most.
    replies: Vec<StrayLine>,
    /// Ask again with `after` set to this for the next page.
    next: Option<u64>,
}

/// What people wrote that answers no alert
///
/// From a number that nobody in the registry has, or to which no text of an open alert was handed.
#[utoipa::path(
    get, path = "/v1/replies", operation_id = "strays", tag = "registry", params(PageParams), security(("token" = ["registry"])),
    responses((status = 200, description = "A page of them, the oldest first", body = Strays), Listing),
)]
pub async fn strays(
    State(gate): State<Arc<Gate>>,
    _: Keeper,
    Params(page): Params<PageParams>,
) -> Result<impl IntoResponse, Problem> {
    let lines = coverage::strays(&gate.ledger);
    let (mut replies, next) = cut(lines, page, |line| line.no)?;
    let mut texts = Texts::new(&gate);
    for line in &mut replies {
        line.text = texts.read(line.document).await?;
    }
    Ok(Json(Strays {
        as_of: gate.clock.now().to_string(),
        channels: gate.ledger.strays.counts(),
        replies,
        next,
    }))
}

/// Texts as they are read; people who share a number share a document.
struct Texts<'a> {
    gate: &'a Gate,
    last: Option<(DocumentId, Option<String>)>,
}

impl<'a> Texts<'a> {
    const fn new(gate: &'a Gate) -> Self {
        Self { gate, last: None }
    }

    /// Nothing where it was erased, or is sealed under a key that is not here.
    async fn read(&mut self, id: DocumentId) -> Result<Option<String>, Problem> {
        if let Some((_, text)) = self.last.as_ref().filter(|(held, _)| *held == id) {
            return Ok(text.clone());
        }
        let bytes = self.gate.store.document(id).await?;
        let letter = bytes.and_then(|bytes| self.gate.replies.letters().open(&bytes));
        let text = letter.map(|letter| letter.text);
        self.last = Some((id, text.clone()));
        Ok(text)
    }
}
