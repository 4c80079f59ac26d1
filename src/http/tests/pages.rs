//! Lists in pages: every page together are the whole, in the same order, and what is added meanwhile moves nothing.

use super::*;

/// The address of a list, the name of its lines, and the parameter that goes on behind `next`.
const LISTS: [(&str, &str, &str); 9] = [
    ("/v1/alerts/1/events", "events", "after"),
    ("/v1/registry/regions?under=510727", "regions", "after"),
    ("/v1/registry/regions?under=510727217", "regions", "after"),
    ("/v1/alerts", "alerts", "before"),
    ("/v1/alerts/1/households", "households", "after"),
    (
        "/v1/alerts/1/households?under=510727217",
        "households",
        "after",
    ),
    ("/v1/alerts/1/speakers", "speakers", "after"),
    (
        "/v1/alerts/1/households/1/deliveries",
        "deliveries",
        "after",
    ),
    ("/v1/alerts/1/deliveries/0/events", "events", "after"),
];

impl Surface {
    async fn page(&self, path: &str, name: &str, query: &str) -> (Vec<Value>, Option<u64>) {
        let joint = if path.contains('?') { '&' } else { '?' };
        let body = self.get(&format!("{path}{joint}{query}")).await;
        let lines = body[name].as_array().expect("a list").clone();
        (lines, body["next"].as_u64())
    }

    async fn walk(&self, (path, name, cursor): (&str, &str, &str), limit: usize) -> Vec<Value> {
        let mut all = Vec::new();
        let mut query = format!("limit={limit}");
        loop {
            let (lines, next) = self.page(path, name, &query).await;
            assert!(lines.len() <= limit, "{path}");
            assert!(
                next.is_none() || lines.len() == limit,
                "{path}: a short page is the last"
            );
            all.extend(lines);
            let Some(next) = next else { return all };
            assert!(all.len() < 10_000, "{path} never ends");
            query = format!("limit={limit}&{cursor}={next}");
        }
    }
}

#[tokio::test]
async fn every_list_walked_in_pages_is_the_list() {
    let surface = Surface::with_alert().await;
    for n in 2..6 {
        let body = cap(&format!("a-{n}"), "510727");
        let reply = surface
            .call("POST", "/v1/alerts", "water", body.as_bytes())
            .await;
        assert_eq!(reply.status, 202);
    }
    for list in LISTS {
        let (whole, next) = surface.page(list.0, list.1, "limit=500").await;
        assert!(next.is_none() && !whole.is_empty(), "{}", list.0);
        for limit in [1, 2, 3] {
            assert_eq!(
                surface.walk(list, limit).await,
                whole,
                "{} by {limit}",
                list.0
            );
        }
    }
    surface.stop().await;
}

#[tokio::test]
async fn what_comes_in_between_two_pages_moves_nothing() {
    let surface = Surface::with_alert().await;
    for n in 2..5 {
        let body = cap(&format!("a-{n}"), "510727");
        surface
            .call("POST", "/v1/alerts", "water", body.as_bytes())
            .await;
    }
    let ids = |lines: &[Value]| {
        lines
            .iter()
            .map(|l| l["id"].as_u64().expect("an id"))
            .collect::<Vec<_>>()
    };
    let (first, next) = surface.page("/v1/alerts", "alerts", "limit=2").await;
    assert_eq!(ids(&first), [4, 3]);
    let body = cap("a-9", "510727");
    surface
        .call("POST", "/v1/alerts", "water", body.as_bytes())
        .await;
    let query = format!("limit=2&before={}", next.expect("more"));
    let (second, next) = surface.page("/v1/alerts", "alerts", &query).await;
    assert_eq!(ids(&second), [2, 1]);
    assert_eq!(next, None);
    surface.stop().await;
}

#[tokio::test]
async fn a_limit_out_of_bounds_and_a_cursor_of_nothing_are_refused() {
    let surface = Surface::with_alert().await;
    for (path, _, cursor) in LISTS {
        let joint = if path.contains('?') { '&' } else { '?' };
        let mut queries = vec![
            "limit=0".to_owned(),
            "limit=5001".into(),
            "limit=x".into(),
            format!("{cursor}=x"),
        ];
        // Of alerts and doors any number goes.
        let keyed = !path.ends_with("/alerts")
            && !path.contains("/households?")
            && !path.ends_with("/households");
        if keyed {
            queries.push(format!("{cursor}=999999"));
        }
        for query in queries {
            let reply = surface
                .call("GET", &format!("{path}{joint}{query}"), "water", b"")
                .await;
            assert_eq!(reply.status, 400, "{path} {query}");
            assert_eq!(json_of(&reply)["type"], "/problems/bad-parameter");
        }
    }
    surface.stop().await;
}
