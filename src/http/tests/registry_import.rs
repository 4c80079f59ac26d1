//! The registry over the socket: who may, what comes back, and that the next generation is in use.

use std::fmt::Write as _;

use super::*;

/// A form as curl makes it.
async fn send(surface: &Surface, query: &str, token: &str, parts: &[(&str, &str)]) -> Reply {
    let mut body = String::new();
    for (name, text) in parts {
        write!(body, "--b\r\nContent-Disposition: form-data; name=\"{name}\"; filename=\"x\"\r\n\r\n{text}\r\n").expect("a String takes everything");
    }
    body += "--b--\r\n";
    let request = Request {
        method: "POST".into(),
        headers: vec![
            ("authorization".into(), format!("Bearer {token}")),
            (
                "content-type".into(),
                "multipart/form-data; boundary=b".into(),
            ),
        ],
        body: body.into(),
        ..Request::default()
    };
    let url = format!("{}/v1/registry/import{query}", surface.base);
    surface.http.call(&url, request).await.expect("an answer")
}

const GROUPS: (&str, &str) = ("groups", "village,group,name\n510727217201,2,上社\n");

#[tokio::test]
async fn an_import_is_reported_journaled_and_in_use() {
    let surface = Surface::start().await;
    let before = json_of(&surface.call("GET", "/v1/registry", "keeper", b"").await);
    assert_eq!(
        (&before["generation"], &before["counts"]["groups"]),
        (&json!(1), &json!(0))
    );
    let dry = json_of(&send(&surface, "?dry_run=true", "keeper", &[GROUPS]).await);
    assert_eq!(
        (&dry["dry_run"], &dry["generation"]),
        (&json!(true), &json!(2))
    );
    let groups = |answer: &Value| {
        let tables = answer["tables"].as_array().expect("tables");
        tables
            .iter()
            .find(|table| table["table"] == "groups")
            .expect("groups")
            .clone()
    };
    assert_eq!(groups(&dry)["added"], 1);
    assert_eq!(
        dry["villages"],
        json!([{"code": "510727217201", "name": "平通·新桥村", "rows": 1}])
    );
    let same = json_of(&surface.call("GET", "/v1/registry", "keeper", b"").await);
    assert_eq!(same, before, "a dry run changes nothing");
    let done = send(&surface, "", "keeper", &[GROUPS]).await;
    assert_eq!(done.status, 200, "{}", String::from_utf8_lossy(&done.body));
    let after = json_of(&surface.call("GET", "/v1/registry", "keeper", b"").await);
    assert_eq!(
        (&after["generation"], &after["counts"]["groups"]),
        (&json!(2), &json!(1))
    );
    assert_eq!(
        after["counts"]["households"],
        before["counts"]["households"]
    );
    assert!(
        after["bytes_per_person"]
            .as_u64()
            .is_some_and(|bytes| bytes > 0)
    );
    let records = surface.store.records(0, 100).await.expect("read");
    assert!(!records.is_empty(), "Imported stands in the journal");
    surface.stop().await;
}

#[tokio::test]
async fn tables_that_do_not_hold_change_nothing_and_every_problem_is_told() {
    let surface = Surface::start().await;
    let wrong = (
        "households",
        "id,village,group,name,presence,tags\n0,510727217201,x,secret,home,\n1,510727219999,1,secret,home,\n",
    );
    let stray = (
        "relations.csv",
        "household,recipient,kind\n0,77777,neighbour\n",
    );
    let reply = send(&surface, "", "keeper", &[wrong, stray]).await;
    assert_eq!(reply.status, 422);
    let told = json_of(&reply);
    assert!(
        told["type"]
            .as_str()
            .is_some_and(|kind| kind.ends_with("/unfit-tables")),
        "{told}"
    );
    let found: Vec<_> = told["problems"]
        .as_array()
        .expect("problems")
        .iter()
        .map(|problem| {
            (
                problem["table"].clone(),
                problem["line"].clone(),
                problem["column"].clone(),
            )
        })
        .collect();
    assert_eq!(
        found,
        [
            (json!("households"), json!(2), json!("group")),
            (json!("households"), json!(3), json!("village")),
            (json!("relations"), json!(2), json!("recipient")),
        ]
    );
    assert!(!told.to_string().contains("secret"), "{told}");
    let unknown = send(&surface, "", "keeper", &[("household", "id\n")]).await;
    assert_eq!(unknown.status, 422);
    for (query, parts) in [
        ("?dryrun=1", &[GROUPS][..]),
        ("?dry_run=maybe", &[GROUPS][..]),
    ] {
        assert_eq!(
            send(&surface, query, "keeper", parts).await.status,
            400,
            "{query}"
        );
    }
    let plain = surface
        .call("POST", "/v1/registry/import", "keeper", b"id\n")
        .await;
    assert_eq!(plain.status, 400);
    let standing = json_of(&surface.call("GET", "/v1/registry", "keeper", b"").await);
    assert_eq!(standing["generation"], 1);
    surface.stop().await;
}

#[tokio::test]
async fn only_a_keeper_imports_and_only_inside_its_regions() {
    let surface = Surface::start().await;
    for (token, status) in [("", 401), ("water", 403)] {
        assert_eq!(send(&surface, "", token, &[GROUPS]).await.status, status);
        assert_eq!(
            surface.call("GET", "/v1/registry", token, b"").await.status,
            status
        );
    }
    let inside = send(&surface, "", "town-keeper", &[GROUPS]).await;
    assert_eq!(
        inside.status,
        200,
        "{}",
        String::from_utf8_lossy(&inside.body)
    );
    let outside = (
        "groups",
        "village,group,name\n510727217201,2,上社\n510727216201,1,下社\n",
    );
    let refused = send(&surface, "", "town-keeper", &[outside]).await;
    assert_eq!(refused.status, 403);
    assert_eq!(json_of(&refused)["codes"], json!(["510727216201"]));
    let tags = ("tags", "bit,name,title\n9,steep-slope,陡坡\n");
    assert_eq!(
        send(&surface, "", "town-keeper", &[tags]).await.status,
        403,
        "a tag is everybody's"
    );
    surface.stop().await;
}

#[tokio::test]
async fn an_import_that_the_journal_does_not_take_stands_nowhere() {
    let surface = Surface::start().await;
    surface.store.away.store(true, SeqCst);
    let refused = send(&surface, "", "keeper", &[GROUPS]).await;
    assert_eq!(
        refused.status,
        503,
        "{}",
        String::from_utf8_lossy(&refused.body)
    );
    let standing = json_of(&surface.call("GET", "/v1/registry", "keeper", b"").await);
    assert_eq!(standing["generation"], 1);
    let file = RegistryFile::open(
        &surface.dir.path().join("registry.sqlite"),
        Vault::default(),
    );
    let (generation, kept) = file
        .expect("opens")
        .load()
        .expect("loads")
        .expect("a generation");
    assert_eq!((generation, kept), (1, rows()));
    surface.stop().await;
}

#[tokio::test]
async fn the_same_import_again_gets_the_first_answer_and_changes_nothing() {
    let surface = Surface::start().await;
    let first = json_of(&send(&surface, "", "keeper", &[GROUPS]).await);
    assert_eq!(
        (&first["generation"], &first["repeated"]),
        (&json!(2), &json!(false))
    );
    let position = *surface.writer.position().borrow();
    let mut again = json_of(&send(&surface, "", "keeper", &[GROUPS]).await);
    assert_eq!(again["repeated"].take(), true);
    let mut told = first.clone();
    told["repeated"].take();
    assert_eq!(again, told);
    // Other bytes that change nothing make no generation either.
    let spaced = ("groups", "village,group,name\n510727217201,\"2\",上社\n");
    let idle = json_of(&send(&surface, "", "keeper", &[spaced]).await);
    assert_eq!(
        (&idle["generation"], &idle["repeated"]),
        (&json!(2), &json!(true)),
        "{idle}"
    );
    assert_eq!(surface.get("/healthz").await["status"], "alive");
    assert_eq!(*surface.writer.position().borrow(), position);
    surface.stop().await;
}

#[tokio::test]
async fn past_imports_are_listed_newest_first_in_pages_and_as_a_file() {
    let surface = Surface::start().await;
    let list = async |query: &str| {
        let path = format!("/v1/registry/imports{query}");
        surface.call("GET", &path, "keeper", b"").await
    };
    let none = json_of(&list("").await);
    assert_eq!(none, json!({ "imports": [], "next": null }));
    let dry = send(&surface, "?dry_run=true", "keeper", &[GROUPS]).await;
    assert_eq!(dry.status, 200);
    let mut newest = 0;
    for name in ["上社", "中社", "下社"] {
        let groups = format!("village,group,name\n510727217201,2,{name}\n");
        let done = send(&surface, "", "keeper", &[("groups", &groups)]).await;
        assert_eq!(done.status, 200);
        newest = json_of(&done)["generation"].as_u64().expect("a number");
    }
    let all = json_of(&list("").await);
    let lines = all["imports"].as_array().expect("a list");
    let generations: Vec<_> = lines.iter().map(|l| l["generation"].as_u64()).collect();
    assert_eq!(
        generations,
        [Some(newest), Some(newest - 1), Some(newest - 2)],
        "what was only tried is none"
    );
    assert_eq!(
        lines[0],
        json!({
            "generation": newest, "at": START.to_string(), "by": "keeper", "bureau_name": "keeper局",
            "households": 18, "people": 18,
        })
    );
    let page = json_of(&list("?limit=2").await);
    assert_eq!(page["next"], newest - 1);
    let rest = json_of(&list(&format!("?limit=2&after={}", newest - 1)).await);
    assert_eq!(
        (&rest["imports"][0], &rest["next"]),
        (&lines[2], &Value::Null)
    );

    let file = list("?format=csv").await;
    assert_eq!(
        header(&file, "content-type"),
        Some("text/csv; charset=utf-8")
    );
    let text = String::from_utf8_lossy(&file.body).into_owned();
    let rows: Vec<_> = text.lines().collect();
    assert_eq!(rows[0], "\u{feff}底册版本,启用时间,导入者,户数,人数");
    assert_eq!(rows[1], format!("{newest},{START},keeper,18,18"));
    assert_eq!(rows.len(), 4);
    for (query, token, status) in [
        ("?format=csv&limit=2", "keeper", 400),
        ("?after=77", "keeper", 400),
        ("?limit=0", "keeper", 400),
        ("?since=1", "keeper", 400),
        ("", "water", 403),
    ] {
        let path = format!("/v1/registry/imports{query}");
        let reply = surface.call("GET", &path, token, b"").await;
        assert_eq!(reply.status, status, "{token} {query}");
    }
    // It is the journal's: a start finds the same.
    let again = replay(&*surface.store).await.expect("reads");
    assert_eq!(again.ledger.imports(), surface.gate.ledger.imports());
    surface.stop().await;
}
