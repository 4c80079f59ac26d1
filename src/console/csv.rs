//! The tables as files that a spreadsheet opens: UTF-8 with its mark, one header line in Chinese. This module must not
//! hold more than its page shows: no address.

use axum::extract::{Query, State};
use axum::http::header;
use axum::response::{IntoResponse, Response};

use super::Handle;
use super::doors::scope;
use super::tracking::Under;
use super::view::{Missing, View};
use crate::coverage::{self, Page, Row, Wanted};
use crate::model::RegionCode;
use serde::Deserialize;

const MARK: &[u8] = "\u{feff}".as_bytes();

const REGION_HEADS: [&str; 21] = [
    "地区代码",
    "地区",
    "组",
    "户籍户",
    "全家外出",
    "在家户",
    "本人确认",
    "手机送达",
    "播出",
    "发送中",
    "情况不明",
    "未触达",
    "无联系方式",
    "被拒",
    "失败",
    "过期未发",
    "撤回未发",
    "喇叭",
    "喇叭已播",
    "责任人",
    "责任人已触达",
];

/// A cell that a spreadsheet would run as a formula is set as text.
fn text(cell: &str) -> String {
    if cell.starts_with(['=', '+', '-', '@', '\t', '\r']) {
        format!("'{cell}")
    } else {
        cell.to_owned()
    }
}

fn cells(row: &Row) -> Vec<String> {
    let group = row.group.map(coverage::words::of_group).unwrap_or_default();
    let mut cells = vec![row.region.to_string(), text(&row.name), group];
    let missed = &row.missed;
    let counts = [
        row.households,
        row.away,
        row.at_home,
        row.reached.confirmed,
        row.reached.delivered,
        row.reached.played,
        row.pending,
        row.unknown,
        missed.all(),
        missed.no_endpoint,
        missed.refused,
        missed.failed,
        missed.expired,
        missed.withdrawn,
        row.speakers.total,
        row.speakers.played,
        row.officers.total,
        row.officers.reached,
    ];
    cells.extend(counts.iter().map(ToString::to_string));
    cells
}

fn file(name: &str, lines: impl Iterator<Item = Vec<String>>) -> Response {
    let mut writer = csv::Writer::from_writer(MARK.to_vec());
    for line in lines {
        writer
            .write_record(&line)
            .expect("a Vec takes every record, and all have one length");
    }
    let bytes = writer.into_inner().expect("a Vec takes every byte");
    let headers = [
        (header::CONTENT_TYPE, "text/csv; charset=utf-8".to_owned()),
        (
            header::CONTENT_DISPOSITION,
            format!("attachment; filename=\"{name}\""),
        ),
    ];
    (headers, bytes).into_response()
}

pub async fn coverage(
    view: View,
    Query(Under { under }): Query<Under>,
) -> Result<Response, Missing> {
    let under = view.under(under)?;
    let rollup = if view.caller.covers(under) {
        coverage::rollup(&view.alert, &view.registry, under)
    } else {
        coverage::rollup_of(&view.alert, &view.registry, &view.home(), under)
    };
    let head = REGION_HEADS.map(str::to_owned).to_vec();
    let rows = rollup.rows.iter().chain([&rollup.total]).map(cells);
    let name = format!("coverage-{}-{under}.csv", view.alert.stream);
    Ok(file(&name, std::iter::once(head).chain(rows)))
}

#[derive(Deserialize)]
pub struct Doors {
    under: Option<RegionCode>,
    group: Option<u8>,
    answer: Option<String>,
}

pub async fn households(
    State(_): State<Handle>,
    view: View,
    Query(params): Query<Doors>,
) -> Result<Response, Missing> {
    let under = view.under(params.under)?;
    let Some(wanted) = Wanted::named(params.answer.as_deref().unwrap_or("all")) else {
        return Err(Missing("没有这种答案。 No such answer."));
    };
    let page = Page {
        group: params.group,
        wanted,
        after: None,
        limit: usize::MAX,
    };
    let lines = coverage::households(&view.alert, &view.registry, &scope(&view, under), page);
    let head = [
        "户",
        "名称",
        "村",
        "组",
        "答案",
        "依据",
        "全家外出",
        "试过",
        "标记",
    ]
    .map(str::to_owned)
    .to_vec();
    let rows = lines.into_iter().map(|line| {
        vec![
            line.id.to_string(),
            text(&line.name),
            text(&line.village_name),
            coverage::words::of_group(line.group),
            line.told.answer_zh.to_owned(),
            line.told.by_zh.unwrap_or_default().to_owned(),
            if line.away { "是" } else { "" }.to_owned(),
            line.tried.join(" "),
            line.tags.join(" "),
        ]
    });
    let name = format!("households-{}-{under}.csv", view.alert.stream);
    Ok(file(&name, std::iter::once(head).chain(rows)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_cell_is_a_formula() {
        assert_eq!(text("=HYPERLINK(1)"), "'=HYPERLINK(1)");
        assert_eq!(text("平通·新桥村"), "平通·新桥村");
    }
}
