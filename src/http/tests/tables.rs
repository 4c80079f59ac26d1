//! Tables as files: the same figures, in the columns that the pages' files have.

use super::sealed::ended;
use super::*;
use crate::coverage::{self, Page, Wanted, csv};

impl Surface {
    async fn file(&self, path: &str, accept: Option<&str>) -> Reply {
        let mut headers = vec![("authorization".to_owned(), "Bearer water".to_owned())];
        headers.extend(accept.map(|accept| ("accept".to_owned(), accept.to_owned())));
        let request = Request {
            method: "GET".into(),
            headers,
            ..Request::default()
        };
        let url = format!("{}{path}", self.base);
        self.http.call(&url, request).await.expect("an answer")
    }
}

#[tokio::test]
async fn a_table_is_a_file_where_the_caller_wants_one() {
    let surface = Surface::with_alert().await;
    surface.propose(1, ended()).await;
    let alert = surface.gate.ledger.alert(1).expect("it is open");
    let registry = surface.gate.registry();
    let county = "510727".parse().expect("a code");
    let rollup = csv::regions(&coverage::rollup(&alert, &registry, county));
    let page = Page {
        group: None,
        wanted: Wanted::Everyone,
        after: None,
        limit: usize::MAX,
    };
    let doors = csv::doors(&coverage::households(&alert, &registry, &[county], page));
    for (table, bytes) in [("coverage", rollup), ("households", doors)] {
        let path = format!("/v1/alerts/1/{table}");
        for (query, accept) in [("?format=csv", None), ("", Some("text/csv"))] {
            let reply = surface.file(&format!("{path}{query}"), accept).await;
            assert_eq!(reply.status, 200);
            assert_eq!(reply.body, bytes, "{table}");
            assert_eq!(
                header(&reply, "content-type"),
                Some("text/csv; charset=utf-8")
            );
            let name = format!("attachment; filename=\"{table}-1-510727000000.csv\"");
            assert_eq!(header(&reply, "content-disposition"), Some(name.as_str()));
        }
        let path = format!("{path}?format=json");
        let reply = surface.file(&path, Some("text/csv")).await;
        assert_eq!(header(&reply, "content-type"), Some("application/json"));
    }
    surface.stop().await;
}

#[tokio::test]
async fn a_curve_is_told_by_the_minute_and_as_a_file() {
    let surface = Surface::with_alert().await;
    surface.propose(1, ended()).await;
    let told = surface.get("/v1/alerts/1/curve").await;
    let deliveries = surface.get("/v1/alerts/1").await["deliveries"].clone();
    assert_eq!(told["deliveries"], deliveries);
    assert!(told["released"].is_string(), "{told}");
    let point = json!({
        "minute": 0, "until": told["points"][0]["until"],
        "accepted": 3, "delivered": 1, "played": 0, "confirmed": 0,
    });
    assert_eq!(told["points"], json!([point]), "one delivered of three");
    assert_eq!(told["now"]["accepted"], 3);
    let file = surface.file("/v1/alerts/1/curve?format=csv", None).await;
    let name = "attachment; filename=\"curve-1.csv\"";
    assert_eq!(header(&file, "content-disposition"), Some(name));
    let until = point["until"].as_str().expect("a moment");
    let text = String::from_utf8(file.body.to_vec()).expect("UTF-8");
    let wanted =
        format!("\u{feff}分钟,截至,对方已受理,手机送达,播出,本人确认\n0,{until},3,1,0,0\n");
    assert_eq!(text, wanted);
    let wrong = surface.file("/v1/alerts/1/curve?under=510727", None).await;
    assert_eq!(json_of(&wrong)["type"], "/problems/bad-parameter");
    surface.stop().await;
}

#[tokio::test]
async fn a_file_of_doors_is_whole_and_shows_no_address() {
    let surface = Surface::with_alert().await;
    let path = "/v1/alerts/1/households?under=510727217201";
    let reply = surface.file(&format!("{path}&format=csv"), None).await;
    let text = String::from_utf8(reply.body.to_vec()).expect("UTF-8");
    let list = surface.get(path).await;
    let list = list["households"].as_array().expect("a list").len();
    assert_eq!(text.lines().count(), list + 1, "{text}");
    assert!(text.starts_with("\u{feff}户,名称,村,组,"), "{text}");
    assert!(
        !text.contains("1000000") && !text.contains("speaker-"),
        "{text}"
    );
    for query in ["&format=csv&limit=2", "&format=csv&after=1", "&format=xml"] {
        let reply = surface.file(&format!("{path}{query}"), None).await;
        assert_eq!(reply.status, 400, "{query}");
        assert_eq!(json_of(&reply)["type"], "/problems/bad-parameter");
    }
    surface.stop().await;
}
