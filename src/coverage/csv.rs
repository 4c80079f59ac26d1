//! The tables as files that a spreadsheet opens: UTF-8 with its mark, one header line in Chinese. Pure, and the one place
//! that knows their columns, so that the pages and the API hand out the same bytes. This module must not hold more than
//! the tables show: no address.

use super::lists::At;
use super::stale::{Stale, StaleChannel, StaleRow};
use super::words::of_group;
use super::{Curve, HouseholdLine, Point, ReplyLine, Rollup, Row, SuspectLine, VillageLine};
use crate::ledger::Import;

const MARK: &[u8] = "\u{feff}".as_bytes();

const REGION_HEADS: [&str; 22] = [
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
    "静默暂缓",
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

const DOOR_HEADS: [&str; 10] = [
    "户",
    "名称",
    "村",
    "组",
    "答案",
    "依据",
    "全家外出",
    "试过",
    "标记",
    "存疑号码",
];

const CURVE_HEADS: [&str; 6] = ["分钟", "截至", "对方已受理", "手机送达", "播出", "本人确认"];

/// The reach curve, a line a minute in which anything changed.
pub fn curve(curve: &Curve) -> Vec<u8> {
    let line = |point: &Point| {
        let counts = [
            point.accepted,
            point.delivered,
            point.played,
            point.confirmed,
        ];
        let [accepted, delivered, played, confirmed] = counts.map(|count| count.to_string());
        let (minute, until) = (point.minute.to_string(), point.until.clone());
        [minute, until, accepted, delivered, played, confirmed]
    };
    file(&CURVE_HEADS, curve.points.iter().map(line))
}

/// Every region of a table, then their total.
pub fn regions(rollup: &Rollup) -> Vec<u8> {
    let rows = rollup.rows.iter().chain([&rollup.total]);
    file(&REGION_HEADS, rows.map(region))
}

const STALE_HEADS: [&str; 7] = [
    "地区代码",
    "地区",
    "仍持旧信息户数",
    "通道",
    "持有旧信息",
    "未获更正",
    "静默暂缓",
];

/// Each channel of each region, then their total.
pub fn stale(figures: &Stale) -> Vec<u8> {
    let rows = figures.rows.iter().chain([&figures.total]);
    let lines = rows.flat_map(|row| row.channels.iter().map(move |line| (row, line)));
    let line = |(row, line): (&StaleRow, &StaleChannel)| {
        [
            row.region.to_string(),
            text(&row.name),
            row.households.to_string(),
            text(&line.channel),
            line.holders.to_string(),
            line.stale.to_string(),
            line.held.to_string(),
        ]
    };
    file(&STALE_HEADS, lines.map(line))
}

const VILLAGE_HEADS: [&str; 7] = [
    "地区代码",
    "村",
    "状态",
    "首次应答",
    "通道",
    "首次失联",
    "未联系任何人",
];

/// Each village: who is heard from, and who is silent.
pub fn villages(lines: &[VillageLine]) -> Vec<u8> {
    let at = |at: Option<At>| at.map(|at| at.0.to_string()).unwrap_or_default();
    let line = |line: &VillageLine| {
        [
            line.village.to_string(),
            text(&line.name),
            line.state_zh.to_owned(),
            at(line.heard),
            line.channel.clone().unwrap_or_default(),
            at(line.silent),
            if line.nobody_asked { "是" } else { "" }.to_owned(),
        ]
    };
    file(&VILLAGE_HEADS, lines.iter().map(line))
}

const REPLY_HEADS: [&str; 11] = [
    "序号",
    "收到时间",
    "写信时间",
    "地区代码",
    "地区",
    "户",
    "投递",
    "通道",
    "答复",
    "推定",
    "内容",
];

pub fn replies(lines: &[ReplyLine]) -> Vec<u8> {
    let line = |line: &ReplyLine| {
        let far = line.far.map(|far| far.0.to_string());
        let household = line.household.map(|id| id.to_string());
        [
            line.no.to_string(),
            line.seen.0.to_string(),
            far.unwrap_or_default(),
            line.region.to_string(),
            text(&line.region_name),
            household.unwrap_or_default(),
            line.delivery.to_string(),
            text(&line.channel),
            line.said_zh.to_owned(),
            if line.assumed { "推定" } else { "" }.to_owned(),
            text(line.text.as_deref().unwrap_or_default()),
        ]
    };
    file(&REPLY_HEADS, lines.iter().map(line))
}

const SUSPECT_HEADS: [&str; 8] = [
    "联系方式",
    "类型",
    "人员",
    "户",
    "地区代码",
    "地区",
    "对方答复",
    "自",
];

pub fn suspects(lines: &[SuspectLine]) -> Vec<u8> {
    let line = |line: &SuspectLine| {
        let kind = serde_json::to_value(line.kind).expect("a word");
        [
            line.endpoint.to_string(),
            kind.as_str().unwrap_or_default().to_owned(),
            line.recipient.to_string(),
            line.household.map(|id| id.to_string()).unwrap_or_default(),
            line.region.map(|code| code.to_string()).unwrap_or_default(),
            text(&line.region_name),
            text(&line.code),
            line.since.0.to_string(),
        ]
    };
    file(&SUSPECT_HEADS, lines.iter().map(line))
}

const IMPORT_HEADS: [&str; 5] = ["底册版本", "启用时间", "导入者", "户数", "人数"];

/// Past imports of the registry.
pub fn imports(imports: &[Import]) -> Vec<u8> {
    let line = |import: &Import| {
        [
            import.generation.to_string(),
            import.at.to_string(),
            text(&import.by),
            import.households.to_string(),
            import.people.to_string(),
        ]
    };
    file(&IMPORT_HEADS, imports.iter().map(line))
}

pub fn doors(lines: &[HouseholdLine]) -> Vec<u8> {
    file(&DOOR_HEADS, lines.iter().map(door))
}

pub(super) fn file<const N: usize>(
    heads: &[&str; N],
    lines: impl Iterator<Item = [String; N]>,
) -> Vec<u8> {
    const FITS: &str = "a Vec takes every record, and all have one length";
    let mut writer = csv::Writer::from_writer(MARK.to_vec());
    writer.write_record(heads).expect(FITS);
    for line in lines {
        writer.write_record(&line).expect(FITS);
    }
    writer.into_inner().expect("a Vec takes every byte")
}

/// A cell that a spreadsheet would run as a formula is set as text.
pub(super) fn text(cell: &str) -> String {
    const STARTS: [char; 11] = ['=', '+', '-', '@', '\t', '\r', '\n', '＝', '＋', '－', '＠'];
    if cell.starts_with(STARTS) {
        format!("'{cell}")
    } else {
        cell.to_owned()
    }
}

fn region(row: &Row) -> [String; 22] {
    let missed = &row.missed;
    let n = |count: u32| count.to_string();
    [
        row.region.to_string(),
        text(&row.name),
        row.group.map(of_group).unwrap_or_default(),
        n(row.households),
        n(row.away),
        n(row.at_home),
        n(row.reached.confirmed),
        n(row.reached.delivered),
        n(row.reached.played),
        n(row.pending),
        n(row.held),
        n(row.unknown),
        n(missed.all()),
        n(missed.no_endpoint),
        n(missed.refused),
        n(missed.failed),
        n(missed.expired),
        n(missed.withdrawn),
        n(row.speakers.total),
        n(row.speakers.played),
        n(row.officers.total),
        n(row.officers.reached),
    ]
}

fn door(line: &HouseholdLine) -> [String; 10] {
    [
        line.id.to_string(),
        text(&line.name),
        text(&line.village_name),
        of_group(line.group),
        line.told.answer_zh.to_owned(),
        line.told.by_zh.unwrap_or_default().to_owned(),
        if line.away { "是" } else { "" }.to_owned(),
        text(&line.tried.join(" ")),
        text(&line.tags.join(" ")),
        line.suspect_numbers.to_string(),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::coverage::words::Told;
    use crate::model::Answer;

    #[test]
    fn no_cell_is_a_formula() {
        assert_eq!(text("=HYPERLINK(1)"), "'=HYPERLINK(1)");
        assert_eq!(text("＝1+1"), "'＝1+1");
        assert_eq!(text("平通·新桥村"), "平通·新桥村");
    }

    #[test]
    fn a_name_goes_into_its_own_cell_whatever_stands_in_it() {
        let line = HouseholdLine {
            id: 7,
            village: "510727217201".parse().expect("a code"),
            village_name: "+新桥村".into(),
            group: 1,
            name: "=1,\"2\"\n3".into(),
            tags: vec!["-x".into()],
            away: true,
            told: Told::from(Answer::Pending),
            tried: vec!["sms".into()],
            suspect_numbers: 1,
        };
        let bytes = doors(&[line]);
        let mut read = csv::Reader::from_reader(bytes.strip_prefix(MARK).expect("its mark"));
        let row = read.records().next().expect("a row").expect("it holds");
        assert_eq!(row.len(), DOOR_HEADS.len());
        assert_eq!(&row[1], "'=1,\"2\"\n3");
        assert_eq!((&row[2], &row[8]), ("'+新桥村", "'-x"));
    }
}
