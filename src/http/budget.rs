//! What bureaus have spent in text messages this month. This module must not count.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use serde::Serialize;
use utoipa::ToSchema;
use utoipa::openapi::schema::Schema;

use super::Gate;
use super::caller::Reader;
use super::openapi::Reading;
use super::problem::Problem;
use crate::model::{Month, shape};
use crate::trust::{Account, Purse};

#[derive(Serialize, ToSchema)]
#[schema(as = Budgets)]
pub struct View {
    #[schema(schema_with = shape::moment)]
    as_of: String,
    /// The calendar month in Beijing: `2026-07`.
    month: String,
    bureaus: Vec<BudgetLine>,
}

#[derive(Serialize, ToSchema)]
struct BudgetLine {
    bureau: String,
    name: String,
    /// In segments: of what was released this month.
    spent: u64,
    limit: u64,
    /// From so many on, somebody is told.
    warns_at: u64,
    #[schema(schema_with = purses)]
    state: &'static str,
    state_zh: &'static str,
}

fn purses() -> Schema {
    shape::one_of(&Purse::ALL.map(|purse| purse.words().0))
}

impl From<Account<'_>> for BudgetLine {
    fn from(account: Account<'_>) -> Self {
        let (state, state_zh) = account.purse.words();
        Self {
            bureau: account.bureau.id.clone(),
            name: account.bureau.name.clone(),
            spent: account.spent,
            limit: account.budget.limit(),
            warns_at: account.budget.warns_at(),
            state,
            state_zh,
        }
    }
}

/// Text messages of this month
///
/// Of the bureau, and of those that are responsible for a part of its regions, as far as they have a budget.
#[utoipa::path(
    get, path = "/v1/bureaus/budget", tag = "gateway", security(("token" = ["read"])),
    responses((status = 200, description = "How the month stands", body = View), Reading),
)]
pub async fn budgets(
    State(gate): State<Arc<Gate>>,
    Reader(caller): Reader,
) -> Result<Json<View>, Problem> {
    let now = gate.clock.now();
    let accounts = gate.bureaus.accounts(&gate.ledger, now).into_iter();
    let seen = accounts.filter(|account| account.is_seen_by(&caller));
    Ok(Json(View {
        as_of: now.to_string(),
        month: Month::of(now).to_string(),
        bureaus: seen.map(BudgetLine::from).collect(),
    }))
}
