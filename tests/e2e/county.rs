//! A small county, written by hand: two towns, four villages, fourteen households, each there for one reason. No number
//! in it could ring: 000 opens no Chinese number. This module must not know what becomes of a text.

use std::collections::BTreeMap;
use std::fmt::Write as _;

pub const TOWN_A: &str = "510727101000";
pub const TOWN_B: &str = "510727102000";
/// A speaker that plays.
pub const VILLAGE_A1: &str = "510727101201";
/// A speaker that fails.
pub const VILLAGE_A2: &str = "510727101202";
/// A speaker whose reports are lost.
pub const VILLAGE_B1: &str = "510727102201";
/// No speaker.
pub const VILLAGE_B2: &str = "510727102202";

/// The seven files by name.
pub type Files = BTreeMap<&'static str, String>;

const REGIONS: &str = "code,name,lat,lon
510000000000,四川省,,
510700000000,绵阳市,,
510727000000,平武县,,
510727101000,试一镇,,
510727101201,甲村村民委员会,,
510727101202,乙村村民委员会,,
510727102000,试二乡,,
510727102201,丙村村民委员会,,
510727102202,丁村村民委员会,,
";

const HOUSEHOLDS: &str = "id,village,group,name,presence,tags
1,510727101201,1,合成户甲一,home,
2,510727101201,1,合成户甲二,home,lives-alone
3,510727101201,2,合成户甲三,home,
4,510727101201,2,合成户甲四,away,
5,510727101202,1,合成户乙一,home,danger-zone
6,510727101202,1,合成户乙二,home,
7,510727101202,1,合成户乙三,home,disabled
8,510727102201,1,合成户丙一,home,
9,510727102201,1,合成户丙二,home,
10,510727102201,1,合成户丙三,resident,
11,510727102202,1,合成户丁一,home,
12,510727102202,1,合成户丁二,home,
13,510727102202,1,合成户丁三,returned,
14,510727102202,1,合成户丁四,away,
";

const RECIPIENTS: &str = "id,household,name,language
1,1,合成人甲一,zh-CN
2,2,合成人甲二,zh-CN
3,3,合成人甲三,zh-CN
4,4,合成人甲四,zh-CN
5,5,合成人乙一,zh-CN
6,6,合成人乙二,zh-CN
7,7,合成人乙三,zh-CN
8,8,合成人丙一,zh-CN
81,8,合成人丙一弟,zh-CN
9,9,合成人丙二,zh-CN
10,10,合成人丙三,en-US
11,11,合成人丁一,zh-CN
12,12,合成人丁二,zh-CN
13,13,合成人丁三,zh-CN
14,14,合成人丁四,zh-CN
21,,合成官县值班,zh-CN
22,,合成官一镇值班,zh-CN
23,,合成官二乡值班,zh-CN
24,,合成官甲村,zh-CN
25,,合成官丁村,zh-CN
";

/// Recipient 1 lives in village A1 and is responsible for village B1.
const POSTS: &str = "recipient,region,role
21,510727000000,duty
22,510727101000,duty
23,510727102000,duty
24,510727101201,post-a
1,510727102201,post-a
25,510727102202,post-b
";

const ENDPOINTS: &str = "id,recipient,kind,address
101,1,mobile,00010000001
103,3,mobile,00020000003
104,4,mobile,00010000004
105,5,mobile,00020000005
107,7,mobile,00030000007
108,8,mobile,00020000008
181,81,mobile,00010000081
110,10,mobile,00040000010
111,11,mailbox,hecheng-ding@example.invalid
113,13,mobile,00050000013
121,21,mobile,00010000021
221,21,mailbox,hecheng-duty@example.invalid
122,22,mobile,00020000022
222,22,mailbox,hecheng-town@example.invalid
123,23,mobile,00010000023
124,24,mobile,00010000024
125,25,mobile,00030000025
301,,speaker,SP-PLAYS-1
302,,speaker,SP-FAILS-2
303,,speaker,SP-LOST-3
";

const SPEAKERS: &str = "endpoint,village,name
301,510727101201,合成喇叭甲
302,510727101202,合成喇叭乙
303,510727102201,合成喇叭丙
";

const HEARING: &str = "speaker,household
301,1
301,2
302,5
302,6
303,8
303,9
";

pub const DEVICES: [&str; 3] = ["SP-PLAYS-1", "SP-FAILS-2", "SP-LOST-3"];

pub fn small() -> Files {
    [
        ("regions", REGIONS),
        ("households", HOUSEHOLDS),
        ("recipients", RECIPIENTS),
        ("posts", POSTS),
        ("endpoints", ENDPOINTS),
        ("speakers", SPEAKERS),
        ("hearing", HEARING),
    ]
    .map(|(name, text)| (name, text.to_owned()))
    .into()
}

/// The small county and so many further households in each village: their numbers deliver, but one in ten is dead, one
/// loses its receipts, one is refused at first and one is switched off.
pub fn large(each: u32) -> Files {
    let mut files = small();
    let mut add = |name: &'static str, line: std::fmt::Arguments<'_>| {
        let file = files.entry(name).or_default();
        writeln!(file, "{line}").expect("a String takes everything");
    };
    for (v, village) in (1..).zip([VILLAGE_A1, VILLAGE_A2, VILLAGE_B1, VILLAGE_B2]) {
        for n in 0..each {
            let id = v * 10_000 + n;
            let fate = match n % 10 {
                3 => 2,
                5 => 3,
                7 => 4,
                9 => 5,
                _ => 1,
            };
            add(
                "households",
                format_args!("{id},{village},3,合成户{id},home,"),
            );
            add("recipients", format_args!("{id},{id},合成人{id},zh-CN"));
            add(
                "endpoints",
                format_args!("{id},{id},mobile,000{fate}{id:07}"),
            );
        }
    }
    files
}

/// The mobile numbers of a county.
pub fn mobiles(files: &Files) -> Vec<String> {
    let lines = files["endpoints"].lines();
    let cells = lines.map(|line| line.split(',').collect::<Vec<_>>());
    cells
        .filter(|cells| cells[2] == "mobile")
        .map(|cells| cells[3].to_owned())
        .collect()
}

/// What must never leave the registry: every number, mail address and name of a person, household or speaker.
pub fn secrets(files: &Files) -> Vec<String> {
    let cell = |file: &str, at: usize| -> Vec<String> {
        let lines = files[file].lines().skip(1);
        lines
            .filter_map(|line| line.split(',').nth(at).map(str::to_owned))
            .collect()
    };
    let addresses = cell("endpoints", 3);
    let numbers = addresses.into_iter().filter(|a| !a.starts_with("SP-"));
    let mut secrets: Vec<String> = numbers.collect();
    secrets.extend(cell("households", 3));
    secrets.extend(cell("recipients", 2));
    secrets.extend(cell("speakers", 2));
    secrets
}
