//! A registry is imported while a warning is under way: what is sent, and every figure, is as if it had not been.

use serde_json::{Value, json};

use crate::county::{self, TOWN_A, TOWN_B, VILLAGE_A1, VILLAGE_A2, VILLAGE_B1, VILLAGE_B2};
use crate::gateway::{Gateway, KEEPER, Setup, World, both, count, within};
use crate::warning::{COUNTY, Warning};

const REGIONS: [&str; 7] = [
    COUNTY, TOWN_A, TOWN_B, VILLAGE_A1, VILLAGE_A2, VILLAGE_B1, VILLAGE_B2,
];

/// So slow that most texts are still to be sent when the import comes.
fn slow() -> Setup {
    Setup {
        sms_rate: "4/s burst 10",
        ..Setup::default()
    }
}

async fn figures(gateway: &Gateway, alert: u64) -> Vec<Value> {
    let mut all = Vec::new();
    for region in REGIONS {
        let coverage = gateway.coverage(alert, region).await;
        all.push(json!({ "rows": coverage["rows"], "total": coverage["total"] }));
        let doors = gateway
            .get(&format!("/v1/alerts/{alert}/households?under={region}"))
            .await;
        let doors = doors["households"].as_array().expect("a list").clone();
        let answers = doors.iter().map(|door| {
            let keys = ["id", "village", "group", "away", "answer", "by", "tried"];
            keys.map(|key| door[key].clone())
        });
        all.push(json!(answers.collect::<Vec<_>>()));
        let speakers = gateway
            .get(&format!("/v1/alerts/{alert}/speakers?under={region}"))
            .await;
        let speakers = speakers["speakers"].as_array().expect("a list").clone();
        let heard = speakers
            .iter()
            .map(|one| [one["endpoint"].clone(), one["hearing"].clone()]);
        all.push(json!(heard.collect::<Vec<_>>()));
    }
    all
}

/// Other numbers with another fate, other owners, other lists, doors that are gone and new ones.
fn changed() -> county::Files {
    let mut files = county::small();
    let mut change = |name: &'static str, pairs: &[(&str, &str)]| {
        let text = files.get_mut(name).expect("a file");
        for (from, to) in pairs {
            assert!(text.contains(from), "{from} is in {name}");
            *text = text.replace(from, to);
        }
    };
    change(
        "endpoints",
        &[
            ("00010000001", "00020000091"),
            ("00020000003", "00010000093"),
            ("00030000007", "00010000097"),
            ("00020000008", "00010000098"),
            ("00040000010", "00010000090"),
            ("125,25,mobile", "125,24,mobile"),
            ("113,13,mobile,00050000013\n", ""),
            ("SP-PLAYS-1", "SP-OTHER-1"),
        ],
    );
    change(
        "hearing",
        &[("301,1\n301,2\n", "301,14\n"), ("303,8\n", "303,4\n")],
    );
    change(
        "households",
        &[(
            "12,510727102202,1,合成户丁二,home,\n",
            "15,510727101201,1,合成户甲五,home,\n",
        )],
    );
    change("recipients", &[("12,12,合成人丁二,zh-CN\n", "")]);
    change("posts", &[("1,510727102201,post-a\n", "")]);
    files
}

#[tokio::test]
async fn an_import_in_the_middle_of_an_alert_changes_no_figure_of_it() {
    let (mut world, quiet) = tokio::join!(World::start(slow()), World::start(slow()));
    for (name, text) in &changed() {
        world.gateway.write(&format!("changed/{name}.csv"), text);
    }
    let warning = Warning::red("a-1", &[COUNTY]);
    let undisturbed = quiet.gateway.submit(&warning).await;
    let alert = world.gateway.submit(&warning).await;
    let gateway = &world.gateway;
    within("every block is written", async || {
        let view = gateway.get(&format!("/v1/alerts/{alert}")).await;
        (view["state"] == "in-force").then_some(())
    })
    .await;
    let args = [
        "import",
        "changed",
        "--to",
        &gateway.base,
        "--token",
        KEEPER,
    ];
    let import = gateway.run(&args).await;
    assert!(
        both(&import).contains("\"generation\":2"),
        "{}",
        both(&import)
    );
    let total = gateway.coverage(alert, COUNTY).await["total"].clone();
    assert!(
        count(&total["pending"]) > 0,
        "it came in the middle: {total}"
    );

    gateway.ended(alert).await;
    quiet.gateway.ended(undisturbed).await;
    let expected = figures(&quiet.gateway, undisturbed).await;
    assert_eq!(figures(gateway, alert).await, expected);
    // And again from the journal alone, beside the new registry.
    world.gateway.terminate().await;
    world.gateway.start().await;
    assert_eq!(figures(&world.gateway, alert).await, expected);
    // The next warning speaks to the county as it is now.
    let gateway = &world.gateway;
    let next = gateway.submit(&Warning::red("a-2", &[VILLAGE_A1])).await;
    within("the next warning counts five doors", async || {
        let total = gateway.coverage(next, VILLAGE_A1).await["total"].clone();
        (count(&total["households"]) == 5).then_some(())
    })
    .await;
}
