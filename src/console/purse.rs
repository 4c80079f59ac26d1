//! Months whose text messages are spent, or nearly: said above the warnings, and nowhere where all is well. This module
//! must not count.

use maud::{Markup, html};

use super::Desk;
use crate::trust::{Caller, Purse};

pub fn purses(desk: &Desk, caller: &Caller) -> Markup {
    let console = &desk.console;
    let accounts = console
        .bureaus
        .accounts(&console.ledger, console.clock.now());
    let told = accounts.iter().filter(|a| a.purse != Purse::Free);
    let told: Vec<_> = told.filter(|a| a.is_seen_by(caller)).collect();
    html! {
        @for account in told {
            @let (key, zh) = account.purse.words();
            p.hint.purse data-purse=(key) {
                (account.bureau.name) " " (account.month) " 短信" strong { (zh) } "：已用 " (account.spent) "/" (account.budget.limit()) " 条"
                @if account.purse == Purse::Spent {
                    "，蓝色、黄色新预警暂存待核 · budget spent: new blue and yellow warnings wait for a decision"
                } @else {
                    " · budget nearly spent"
                }
            }
        }
    }
}
