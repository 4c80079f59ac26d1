//! How a region is called in lists and on the air: a village by its name without its committee, a town without its kind.
//! This module must not know which names stand beside which: whether a short form is ambiguous is the registry's to say.

/// The peoples a town may be named for (藏族乡, 羌族乡), without their 族.
const PEOPLES: [&str; 55] = [
    "蒙古",
    "回",
    "藏",
    "维吾尔",
    "苗",
    "彝",
    "壮",
    "布依",
    "朝鲜",
    "满",
    "侗",
    "瑶",
    "白",
    "土家",
    "哈尼",
    "哈萨克",
    "傣",
    "黎",
    "傈僳",
    "佤",
    "畲",
    "高山",
    "拉祜",
    "水",
    "东乡",
    "纳西",
    "景颇",
    "柯尔克孜",
    "土",
    "达斡尔",
    "仫佬",
    "羌",
    "布朗",
    "撒拉",
    "毛南",
    "仡佬",
    "锡伯",
    "阿昌",
    "普米",
    "塔吉克",
    "怒",
    "乌孜别克",
    "俄罗斯",
    "鄂温克",
    "德昂",
    "保安",
    "裕固",
    "京",
    "塔塔尔",
    "独龙",
    "鄂伦春",
    "赫哲",
    "门巴",
    "珞巴",
    "基诺",
];

const TOWN_KINDS: [&str; 7] = [
    "街道办事处",
    "民族乡",
    "民族苏木",
    "街道",
    "苏木",
    "镇",
    "乡",
];

/// 新桥村村民委员会 → 新桥村; 南岸社区居民委员会 → 南岸社区. A name without a committee stays as it is.
pub fn village(name: &str) -> &str {
    let Some(bare) = name.strip_suffix("民委员会") else {
        return name;
    };
    let short = if let Some(bare) = bare.strip_suffix('居') {
        bare
    } else if let Some(once) = bare.strip_suffix('村').filter(|once| once.ends_with('村')) {
        once
    } else {
        bare
    };
    if short.is_empty() { name } else { short }
}

/// 平通羌族乡 → 平通; 龙安镇 → 龙安. What would be left with one character stays whole.
pub fn town(name: &str) -> &str {
    let Some(mut bare) = TOWN_KINDS.iter().find_map(|kind| name.strip_suffix(kind)) else {
        return name;
    };
    while let Some(shorter) = without_people(bare) {
        bare = shorter;
    }
    if bare.chars().count() < 2 { name } else { bare }
}

fn without_people(name: &str) -> Option<&str> {
    let bare = name.strip_suffix('族')?;
    PEOPLES
        .iter()
        .filter_map(|people| bare.strip_suffix(people))
        .min_by_key(|left| left.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_village_is_called_without_its_committee() {
        assert_eq!(village("新桥村村民委员会"), "新桥村");
        assert_eq!(village("南岸社区居民委员会"), "南岸社区");
        assert_eq!(village("石坎村民委员会"), "石坎村");
        assert_eq!(village("新桥村"), "新桥村");
        assert_eq!(village("居民委员会"), "居民委员会");
    }

    #[test]
    fn a_town_is_called_without_its_kind_and_people() {
        assert_eq!(town("龙安镇"), "龙安");
        assert_eq!(town("平通羌族乡"), "平通");
        assert_eq!(town("木座藏族乡"), "木座");
        assert_eq!(town("马路口土家族苗族乡"), "马路口");
        assert_eq!(town("白马藏族乡"), "白马");
        assert_eq!(town("水乡"), "水乡");
        assert_eq!(town("海勃湾"), "海勃湾");
    }
}
