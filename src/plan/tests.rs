//! Whom areas name and who is told, over the made-up corner of a county.

use channel::Level::{Orange, Yellow};

use super::audience::{Want, blocks, ground};
use super::fixture::{
    AWAY, CODES, FAR, NEAR, OLD, Said, TOWN, alert, code, geocode, outlets, plan, registry,
};
use super::target::{Targets, target};
use super::{Asked, Plan, Plans, Told, Turn};
use crate::model::RegionCode;

fn hit(area: &str) -> Result<Targets, String> {
    let found = target(&alert(&[Said::red(area)]), &registry());
    found.map_err(|problems| problems.iter().map(ToString::to_string).collect())
}

fn found(area: &str) -> Targets {
    hit(area).unwrap_or_else(|why| panic!("{area}: {why}"))
}

/// The households that are hit.
fn homes(targets: &Targets) -> Vec<u32> {
    let registry = registry();
    let villages = targets.villages.iter();
    let grounds = villages.map(|(village, hit)| ground(&registry, *village, hit));
    grounds
        .flat_map(|ground| ground.households.into_iter().map(|h| h.id))
        .collect()
}

const SENDS: [(&str, &str, &str); 3] = [
    ("speakers", "horn", ""),
    ("officers", "sms", ""),
    ("public", "sms", ""),
];

/// Endpoints by the plan, all regions together.
fn told(plan: &str, targets: &Targets, scope: cap::Scope) -> Vec<u32> {
    let (registry, outlets) = (registry(), outlets());
    let plan = Plan::parse(plan.as_bytes()).expect("a plan");
    let want = Want {
        plan: &plan,
        outlets: &outlets,
        status: cap::Status::Actual,
        scope,
    };
    let mut told = Told::default();
    let mut ids = Vec::new();
    for region in super::audience::regions(targets) {
        for block in blocks(&registry, region, targets, &want, &mut told) {
            ids.extend(block.deliveries.iter().map(|d| d.endpoint));
        }
    }
    ids.sort_unstable();
    ids
}

#[test]
fn codes_of_every_length_hit_by_prefix() {
    for (value, homes_hit) in [
        ("510727", &[1, 2, 3, 4, 11, 12, 21][..]),
        ("510727101", &[1, 2, 3, 4, 11, 12]),
        (NEAR, &[1, 2, 3, 4]),
        ("51072710120102", &[3, 4]),
        ("51072710120200", &[11, 12]),
        ("510727101202, 510727102201", &[11, 12, 21]),
    ] {
        assert_eq!(homes(&found(&geocode(CODES, value))), homes_hit, "{value}");
    }
    assert!(
        hit(&geocode(CODES, "51072710120109")).is_err(),
        "no such group"
    );
    assert!(hit(&geocode(CODES, "510728")).is_err(), "no such county");
}

#[test]
fn an_old_code_hits_what_took_its_place_and_says_so() {
    let targets = found(&geocode(CODES, OLD));
    assert_eq!(homes(&targets), [11, 12]);
    assert_eq!(targets.regions, [code(FAR)]);
    assert_eq!(targets.notes[0].kind, "old-code");
}

#[test]
fn a_zone_is_its_members_wherever_they_live() {
    let targets = found(&geocode("zone", "sh-014"));
    assert_eq!(homes(&targets), [4, 21]);
    assert_eq!(targets.regions, [code(NEAR), code(AWAY)]);
    assert!(hit(&geocode("zone", "sh-015")).is_err());
    // Its person is told, once, though it reaches over two villages.
    let told = told(&plan(&SENDS), &targets, cap::Scope::Public);
    assert_eq!(told.iter().filter(|id| **id == 505).count(), 1, "{told:?}");
    assert!(!told.contains(&504), "the school is not in it");
}

#[test]
fn a_household_counts_by_its_own_point_and_others_by_their_villages() {
    // Around the near village: household 2 lies outside, 12 of the far village inside.
    let targets = found("<circle>32.0,104.0 5</circle>");
    assert_eq!(homes(&targets), [1, 3, 4, 12]);
    assert_eq!(targets.regions, [code(NEAR), code(FAR)]);
    let square = "<polygon>31.9,104.1 31.9,104.3 32.1,104.3 32.1,104.1 31.9,104.1</polygon>";
    let targets = found(square);
    assert_eq!(homes(&targets), [2], "of the village only who lives inside");
    let told = told(&plan(&SENDS), &targets, cap::Scope::Public);
    assert_eq!(told, [2, 501, 502, 801]);
    let registry = registry();
    let ground = ground(&registry, code(NEAR), &targets.villages[&code(NEAR)]);
    assert_eq!(
        (ground.households.len(), ground.people, ground.speakers),
        (1, 1, 1)
    );
}

#[test]
fn a_key_unit_is_hit_by_its_own_point_and_its_contact_told() {
    let targets = found("<circle>32.4,104.4 1</circle>");
    assert_eq!(homes(&targets), [0; 0]);
    let told = told(&plan(&SENDS), &targets, cap::Scope::Public);
    assert_eq!(told, [501, 502, 504, 801]);
}

#[test]
fn what_cannot_be_read_or_names_nothing_is_refused_and_never_widens() {
    let square = "<polygon>31.9,103.9 31.9,104.1 32.1,104.1 32.1,103.9 31.9,103.9</polygon>";
    for (area, said) in [
        ("", "a description alone"),
        ("<circle>32.0,104.0 0</circle>", "radius 0"),
        ("<circle>10.0,104.0 5</circle>", "no village"),
        ("<polygon>80,0 80,120 80,-120 80,0</polygon>", "pole"),
        (
            &format!("{square}<polygon>1,1 2,2</polygon>"),
            "cannot be read",
        ),
        (
            &format!("{}<circle>200,1 5</circle>", geocode(CODES, "510727")),
            "cannot be read",
        ),
    ] {
        let refused = hit(area).expect_err(area);
        assert!(refused.contains(said), "{area}: {refused}");
    }
    let targets = found(&format!(
        "{square}<circle>33,105 0</circle><altitude>100</altitude>"
    ));
    let notes: Vec<_> = targets.notes.iter().map(|n| n.kind).collect();
    assert_eq!(notes, ["circle-without-radius", "heights"]);
    assert!(!targets.villages.contains_key(&code(AWAY)));
}

#[test]
fn several_infos_and_areas_are_kept_apart_by_household() {
    let (near, county) = (geocode(CODES, "51072710120102"), geocode(CODES, TOWN));
    let said = [Said::red(&county), Said::red(&near)];
    let targets = target(&alert(&said), &registry()).expect("both areas");
    let hit = &targets.villages[&code(NEAR)];
    assert_eq!(hit.of(1, 1, false), 0b01);
    assert_eq!(hit.of(3, 2, false), 0b11);
    assert_eq!(targets.infos_under(code(FAR)), 0b01);
    assert_eq!(targets.infos_under(code("510727000000")), 0b11);
    let many: Vec<_> = (0..65).map(|_| Said::red(&county)).collect();
    assert!(
        target(&alert(&many), &registry()).is_err(),
        "nothing is cut off in silence"
    );
}

#[test]
fn selectors_choose_by_tag_role_and_level_of_region() {
    let send = |keys: &str| {
        format!(
            "name = \"p\"\nlanguage = \"zh-CN\"\nlifetime = \"4h\"\n[[send]]\nreceipt_window = \"1m\"\n{keys}"
        )
    };
    let all = found(&geocode(CODES, "510727"));
    for (keys, ids) in [
        (
            "audience = \"public\"\nchannels = [\"sms\"]\ntags = [\"danger-zone\"]",
            &[4][..],
        ),
        (
            "audience = \"public\"\nchannels = [\"sms\"]\ntags = [\"unheard-of\"]",
            &[],
        ),
        // 801 has a list without household 4.
        (
            "audience = \"speakers\"\nchannels = [\"horn\"]\ntags = [\"danger-zone\"]",
            &[],
        ),
        (
            "audience = \"speakers\"\nchannels = [\"horn\"]",
            &[801, 802],
        ),
        (
            "audience = \"officers\"\nchannels = [\"sms\"]\nroles = [\"duty\"]",
            &[501],
        ),
        (
            "audience = \"officers\"\nchannels = [\"sms\"]\nat = [\"village\"]",
            &[502, 503, 504, 505],
        ),
    ] {
        assert_eq!(told(&send(keys), &all, cap::Scope::Public), ids, "{keys}");
    }
    let keys = "audience = \"neighbours\"\nchannels = [\"sms\"]\ntags = [\"danger-zone\"]";
    assert_eq!(told(&send(keys), &all, cap::Scope::Public), [1]);
    let restricted = told(&plan(&SENDS), &all, cap::Scope::Restricted);
    assert_eq!(restricted, [501, 502, 503, 504, 505], "officers alone");
    assert!(told(&plan(&SENDS), &all, cap::Scope::Private).is_empty());
}

#[test]
fn a_file_that_only_raises_leaves_the_alert_to_those_after_it() {
    let file = |name: &str, text: &str| (name.to_owned(), text.as_bytes().to_vec());
    let full = "language = \"zh-CN\"\nlifetime = \"4h\"\n[[send]]\naudience = \"officers\"\nchannels = [\"sms\"]\nreceipt_window = \"1m\"\n";
    let plans = Plans::parse(vec![
        file(
            "1",
            "name = \"quake\"\nraise = \"orange\"\n[match]\nlevels = [\"yellow\"]\ntags = [\"quake-zone\"]\n",
        ),
        file(
            "2",
            &format!("name = \"high\"\n{full}[match]\nlevels = [\"red\", \"orange\"]\n"),
        ),
        file(
            "3",
            &format!("name = \"zone\"\n{full}[match]\nzones = [\"sh-014\"]\n"),
        ),
        file("4", &format!("name = \"rest\"\n{full}")),
    ]);
    let plans = plans.expect("plans");
    let registry = registry();
    let turns = |area: RegionCode| {
        let area = geocode(CODES, &area.to_string());
        let yellow = alert(&[Said {
            severity: "Moderate",
            ..Said::red(&area)
        }]);
        let targets = target(&yellow, &registry).expect("known");
        let asked = Asked {
            alert: &yellow,
            targets: &targets,
            tags: registry.tag_names(),
        };
        let chosen = plans
            .choose(asked)
            .map(|c| (c.plan.name.clone(), c.handled));
        let turns: Vec<_> = plans
            .turns(asked)
            .into_iter()
            .map(|(_, turn)| turn)
            .collect();
        let takes = turns.iter().filter(|turn| **turn == Turn::Takes).count();
        assert_eq!(takes, 1, "as many as take it: {turns:?}");
        chosen.expect("a plan")
    };
    assert_eq!(turns(code(FAR)), ("high".to_owned(), Orange));
    assert_eq!(turns(code(AWAY)), ("zone".to_owned(), Yellow));
}

#[test]
fn what_is_worse_goes_ahead_of_originals_and_what_is_better_behind_all() {
    use crate::ledger::event::Class;
    use channel::Level::{Blue, Orange, Red, Unknown};
    let alert = super::fixture::alert(&[Said::red(&geocode(CODES, "510727"))]);
    let rank = |level, class| super::rank(&alert, level, class, 0);
    let order = [
        (Red, Class::Upgraded),
        (Red, Class::Original),
        (Orange, Class::Revoked),
        (Orange, Class::Original),
        (Blue, Class::Corrected),
        (Blue, Class::Widened),
        (Unknown, Class::Original),
        (Red, Class::Lifted),
        (Orange, Class::Downgraded),
        (Blue, Class::Prolonged),
    ];
    for pair in order.windows(2) {
        let (before, after) = (rank(pair[0].0, pair[0].1), rank(pair[1].0, pair[1].1));
        assert!(before < after, "{pair:?}");
    }
    for class in [Class::Upgraded, Class::Corrected, Class::Revoked] {
        assert_eq!(rank(Red, class), rank(Red, Class::Upgraded), "{class:?}");
    }
    assert_eq!(rank(Red, Class::Widened), rank(Red, Class::Original));
}

#[test]
fn a_post_in_a_village_is_of_the_village_a_group_or_a_unit_of_it() {
    let (registry, near) = (registry(), code(NEAR));
    let own = registry.posts_in_villages();
    let own = own.filter(|(_, village)| *village == near);
    // The town's and the zone's are of no village.
    let officers: Vec<_> = own.map(|(officer, _)| officer).collect();
    assert_eq!(officers, [502, 503, 504]);
}
