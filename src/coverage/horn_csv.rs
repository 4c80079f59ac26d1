//! The loudspeakers and their repairs as files: the same columns for the pages and for the API. This module must not name a
//! keeper or a number.

use super::csv::{file, text};
use super::horns::{self, Horn};
use super::repairs::RepairLine;
use crate::registry::Registry;

const HORN_HEADS: [&str; 22] = [
    "终端",
    "喇叭",
    "地区代码",
    "村",
    "状态",
    "自",
    "可能原因",
    "依据",
    "自报",
    "最近一次播出证实",
    "预警",
    "流量卡",
    "卡到期日",
    "供电",
    "续航小时",
    "音量",
    "厂家",
    "可听户数",
    "管护员",
    "报修",
    "管护员称已修好",
    "夜间自检",
];

pub fn horns(registry: &Registry, horns: &[Horn]) -> Vec<u8> {
    file(&HORN_HEADS, horns.iter().map(|horn| line(registry, horn)))
}

fn line(registry: &Registry, horn: &Horn) -> [String; 22] {
    let care = registry.care(horn.endpoint).cloned().unwrap_or_default();
    let some = |text: Option<String>| text.unwrap_or_default();
    let test = horn.test.as_ref();
    let result = test.and_then(horns::of_test).map_or("", |(_, zh)| zh);
    let code = test.and_then(|test| test.says.as_ref());
    let asked = test.and_then(|test| test.asked);
    let test = [
        some(asked.map(|at| at.to_string())),
        result.to_owned(),
        some(code.map(|(code, _)| code.clone())),
    ];
    [
        text(&horn.device),
        text(&horn.name),
        horn.village.to_string(),
        text(&registry.full_name(horn.village)),
        horn.stand.zh().to_owned(),
        some(horn.since.map(|at| at.to_string())),
        some(horn.guess.map(|(cause, ..)| cause.zh().to_owned())),
        some(horn.guess.map(|(_, zh, _)| zh.to_owned())),
        text(&horn.code),
        some(horn.proved.map(|play| play.at.to_string())),
        some(horn.proved.map(|play| play.alert.to_string())),
        horn.card.zh().to_owned(),
        some(horn.card_until.map(|day| day.to_string())),
        some(care.power.map(|power| horns::of_power(power).to_owned())),
        some(care.hours.map(|hours| hours.to_string())),
        some(care.volume.map(|volume| volume.to_string())),
        text(&care.maker),
        registry.hearing(horn.endpoint).len().to_string(),
        if care.keeper.is_empty() { "" } else { "有" }.to_owned(),
        some(horn.repair.map(|number| number.to_string())),
        if horn.vouched { "是" } else { "" }.to_owned(),
        text(test.join(" ").trim()),
    ]
}

const REPAIR_HEADS: [&str; 15] = [
    "报修号",
    "终端",
    "喇叭",
    "地区代码",
    "村",
    "故障现象",
    "自",
    "报修时间",
    "报修人",
    "录入单位",
    "状态",
    "处理结果",
    "关闭时间",
    "管护员称已修好",
    "历时小时",
];

pub fn repairs(lines: &[RepairLine]) -> Vec<u8> {
    let line = |line: &RepairLine| {
        let some = |text: &Option<String>| text.clone().unwrap_or_default();
        [
            line.number.to_string(),
            text(&line.device),
            text(&line.name),
            line.village.to_string(),
            text(&line.village_name),
            line.what_zh.to_owned(),
            line.since.clone(),
            line.entered.clone(),
            line.from_zh.to_owned(),
            if line.by_link {
                "管护员链接".to_owned()
            } else {
                text(&some(&line.by))
            },
            if line.open { "未修复" } else { "已关闭" }.to_owned(),
            line.how_zh.unwrap_or_default().to_owned(),
            some(&line.closed),
            some(&line.keeper_says_repaired),
            line.hours.to_string(),
        ]
    };
    file(&REPAIR_HEADS, lines.iter().map(line))
}
