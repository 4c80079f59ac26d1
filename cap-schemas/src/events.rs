//! The national event codes whose names are known here, and the category of CAP that each kind falls into. A code that is
//! not in the table is as good as any: local tables extend it, and it is shown as it came.

use crate::codes::Category;

/// Code and name, in the order of the codes.
const NAMES: &[(&str, &str)] = &[
    ("00000", "测试"),
    ("10000", "突发事件"),
    ("11000", "自然灾害"),
    ("11A00", "水旱灾害"),
    ("11A01", "洪水"),
    ("11A02", "内涝"),
    ("11A03", "水库重大险情"),
    ("11A04", "堤防重大险情"),
    ("11A05", "凌汛"),
    ("11A10", "农村人畜饮水困难"),
    ("11A51", "山洪"),
    ("11A52", "农业干旱"),
    ("11A53", "城镇缺水"),
    ("11A54", "生态干旱"),
    ("11A99", "其他水旱灾害"),
    ("11B00", "气象灾害"),
    ("11B01", "台风"),
    ("11B02", "龙卷风"),
    ("11B03", "暴雨"),
    ("11B04", "暴雪"),
    ("11B05", "寒潮"),
    ("11B06", "大风"),
    ("11B07", "沙尘暴"),
    ("11B08", "低温冻害"),
    ("11B09", "高温"),
    ("11B10", "热浪"),
    ("11B11", "干热风"),
    ("11B12", "下击暴流"),
    ("11B13", "雪崩"),
    ("11B14", "雷电"),
    ("11B15", "冰雹"),
    ("11B16", "霜冻"),
    ("11B17", "大雾"),
    ("11B18", "低空风切变"),
    ("11B19", "霾"),
    ("11B20", "雷雨大风"),
    ("11B21", "道路结冰"),
    ("11B22", "干旱"),
    ("11B25", "森林火险"),
    ("11B99", "其他气象灾害"),
    ("11C00", "地震灾害"),
    ("11C01", "人工地震"),
    ("11C02", "天然地震"),
    ("11C99", "其他地震灾害"),
    ("11D00", "地质灾害"),
    ("11D01", "滑坡"),
    ("11D02", "泥石流"),
    ("11D03", "山体崩塌"),
    ("11D04", "地面塌陷"),
    ("11D05", "地裂缝"),
    ("11D06", "地面沉降"),
    ("11D07", "火山喷发"),
    ("11D99", "其他地质灾害"),
    ("11E00", "海洋灾害"),
    ("11E01", "海啸"),
    ("11E02", "风暴潮"),
    ("11E03", "海冰"),
    ("11E04", "巨浪"),
    ("11E05", "赤潮"),
    ("11E99", "其他海洋灾害"),
    ("11F00", "生物灾害"),
    ("11F01", "农业病害"),
    ("11F02", "农业虫害"),
    ("11F03", "农业草害"),
    ("11F04", "农业鼠害"),
    ("11F05", "森林病害"),
    ("11F06", "森林虫害"),
    ("11F07", "森林鼠害"),
    ("11F99", "其他生物灾害"),
    ("11G00", "森林草原火灾"),
    ("11G01", "境内森林火灾"),
    ("11G02", "跨境森林火灾"),
    ("11G03", "境外威胁境内的森林火灾"),
    ("11G04", "其他森林火灾"),
    ("11G05", "境内草原火灾"),
    ("11G06", "跨境草原火灾"),
    ("11G07", "境外威胁境内的草原火灾"),
    ("11G08", "其他草原火灾"),
    ("11Y00", "其他自然灾害"),
    ("12000", "事故灾难"),
    ("12A00", "煤矿事故"),
    ("12B00", "金属与非金属矿山事故"),
    ("12B04", "尾矿库垮坝"),
    ("12C00", "建筑业事故"),
    ("12D00", "危险化学品事故"),
    ("12D01", "危险化学品爆炸"),
    ("12D02", "危险化学品泄漏"),
    ("12D03", "危险化学品火灾"),
    ("12D04", "危险化学品中毒"),
    ("12E00", "烟花爆竹事故"),
    ("12G00", "火灾事故"),
    ("12H00", "道路交通事故"),
    ("13000", "公共卫生事件"),
    ("14000", "社会安全事件"),
];

/// The name of an event code, in Chinese.
pub fn name(code: &str) -> Option<&'static str> {
    let at = NAMES.binary_search_by_key(&code, |(code, _)| code).ok()?;
    Some(NAMES[at].1)
}

/// The code of the kind that a Chinese text names; where it names several, the one with the longest name. What is only a
/// rest of its kind (其他) is nobody's name.
pub fn code(text: &str) -> Option<&'static str> {
    let named = NAMES.iter().filter(|(_, name)| text.contains(name));
    named
        .max_by_key(|(code, name)| (name.len(), std::cmp::Reverse(*code)))
        .map(|(code, _)| *code)
}

/// The category of an event code; what cannot be told is Other.
pub fn category(code: &str) -> Category {
    match code.get(..3).unwrap_or_default() {
        "11A" | "11B" => Category::Met,
        "11C" | "11D" | "11E" => Category::Geo,
        "11F" => Category::Env,
        "11G" | "12G" => Category::Fire,
        "12D" => Category::Cbrne,
        "12H" => Category::Transport,
        kind if kind.starts_with("12") => Category::Safety,
        kind if kind.starts_with("13") => Category::Health,
        kind if kind.starts_with("14") => Category::Security,
        _ => Category::Other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_sorted_and_an_unknown_code_has_no_name() {
        assert!(NAMES.is_sorted());
        assert_eq!(name("11B03"), Some("暴雨"));
        assert_eq!(name("11B97"), None);
        assert_eq!(category("11B97"), Category::Met);
        for (text, wanted) in [
            ("暴雨红色预警", Some("11B03")),
            ("雷雨大风", Some("11B20")),
            ("森林火险", Some("11B25")),
            ("测试", Some("00000")),
            ("rain", None),
            ("", None),
        ] {
            assert_eq!(code(text), wanted, "{text}");
        }
        assert_eq!(category("不"), Category::Other);
    }
}
