//! Bad input of every kind: each row is a request, what it meets, and what the answer says; and after all of them nothing
//! stands in the journal that did not stand there before.

use super::*;

struct Row {
    what: &'static str,
    method: &'static str,
    path: &'static str,
    token: &'static str,
    headers: &'static [(&'static str, &'static str)],
    body: &'static [u8],
    status: u16,
    slug: &'static str,
    /// What its detail, or another text of it, says.
    says: &'static str,
}

const GET: Row = Row {
    what: "",
    method: "GET",
    path: "",
    token: "water",
    headers: &[],
    body: b"",
    status: 400,
    slug: "bad-parameter",
    says: "",
};

const POST: Row = Row {
    method: "POST",
    path: "/v1/alerts",
    status: 422,
    slug: "unreadable",
    ..GET
};

const FORM: &str = "multipart/form-data; boundary=x";

const IMPORT: Row = Row {
    path: "/v1/registry/import",
    token: "keeper",
    headers: &[("content-type", FORM)],
    slug: "unfit-tables",
    ..POST
};

const ROWS: &[Row] = &[
    Row { what: "an empty body", says: "no root element", ..POST },
    Row { what: "no XML", body: b"this is no XML", says: "rule", ..POST },
    Row { what: "JSON", body: b"{\"identifier\": \"a\"}", says: "rule", ..POST },
    Row { what: "XML of something else", body: b"<html><body/></html>", says: "rule", ..POST },
    Row { what: "bytes that are no text", body: b"\xff\xfe\x00\xd8\x00", says: "rule", ..POST },
    Row { what: "a document that names an entity", body: b"<!DOCTYPE a [<!ENTITY e SYSTEM \"file:///etc/passwd\">]><alert xmlns=\"urn:oasis:names:tc:emergency:cap:1.2\">&e;</alert>", says: "rule", ..POST },
    Row { what: "an unknown parameter", path: "/v1/alerts?preveiw=true", status: 400, slug: "bad-parameter", says: "preveiw", ..POST },
    Row { what: "a parameter that is no word of the list", path: "/v1/alerts?preview=perhaps", status: 400, slug: "bad-parameter", says: "`true` or `false`", ..POST },
    Row { what: "a parameter twice", path: "/v1/alerts?limit=1&limit=2", says: "duplicate", ..GET },
    Row { what: "a limit of nothing", path: "/v1/alerts?limit=0", says: "1 to 500", ..GET },
    Row { what: "a limit beyond the most", path: "/v1/alerts?limit=501", says: "1 to 500", ..GET },
    Row { what: "a limit that is no number", path: "/v1/alerts?limit=many", says: "limit", ..GET },
    Row { what: "a negative cursor", path: "/v1/alerts?before=-1", says: "before", ..GET },
    Row { what: "a region of five digits", path: "/v1/alerts/1/coverage?under=51072", says: "2, 4, 6, 9 or 12", ..GET },
    Row { what: "a region of letters", path: "/v1/alerts/1/coverage?under=pingwu", says: "2, 4, 6, 9 or 12", ..GET },
    Row { what: "a region that begins with nothing", path: "/v1/alerts/1/coverage?under=000000000000", says: "region code", ..GET },
    Row { what: "a group beyond a byte", path: "/v1/alerts/1/households?group=256", says: "group", ..GET },
    Row { what: "an answer that is none", path: "/v1/alerts/1/households?answer=maybe", says: "all, reached", ..GET },
    Row { what: "a form of table that is none", path: "/v1/alerts/1/coverage?format=xls", says: "format", ..GET },
    Row { what: "pages of a file", path: "/v1/alerts/1/households?format=csv&limit=3", says: "whole", ..GET },
    Row { what: "a query that is no text", path: "/v1/alerts?limit=%FF", says: "", ..GET },
    Row { what: "a cursor of another list", path: "/v1/alerts/1/speakers?after=1", says: "names no line", ..GET },
    Row { what: "an alert that is no number", path: "/v1/alerts/1e3", status: 404, slug: "unknown-alert", says: "1e3", ..GET },
    Row { what: "an alert beyond every number", path: "/v1/alerts/99999999999999999999", status: 404, slug: "unknown-alert", says: "99999999999999999999", ..GET },
    Row { what: "a household that is no number", path: "/v1/alerts/1/households/x/deliveries", status: 404, slug: "unknown-household", says: "household x", ..GET },
    Row { what: "a household that is no text", path: "/v1/alerts/1/households/%FF/deliveries", status: 404, slug: "unknown-alert", says: "", ..GET },
    Row { what: "a delivery that is no number", path: "/v1/alerts/1/deliveries/-1/events", status: 404, slug: "unknown-delivery", says: "-1", ..GET },
    Row { what: "a problem type that is no text", path: "/problems/%FF", status: 404, slug: "unknown-problem", says: "types", ..GET },
    Row { what: "another scheme than bearer", path: "/v1/alerts", token: "", headers: &[("authorization", "Basic d2F0ZXI6")], status: 401, slug: "unproven", says: "no bearer token", ..GET },
    Row { what: "a method that is not taken", method: "PUT", path: "/v1/alerts", status: 405, slug: "wrong-method", says: "PUT", ..GET },
    Row { what: "an address that is none", path: "/v1/alert", status: 404, slug: "unknown-path", says: "/v1/alert", ..GET },
    Row { what: "an import that is no form", headers: &[("content-type", "text/csv")], body: b"id\n1\n", status: 400, slug: "bad-body", says: "multipart/form-data", ..IMPORT },
    Row { what: "a form without an end", body: b"--x\r\ncontent-disposition: form-data; name=\"regions\"\r\n\r\ncode", status: 400, slug: "bad-body", says: "whole", ..IMPORT },
    Row { what: "a table that is none", body: b"--x\r\ncontent-disposition: form-data; name=\"villages\"\r\n\r\ncode\r\n--x--\r\n", says: "villages", ..IMPORT },
    Row { what: "a table without its columns", body: b"--x\r\ncontent-disposition: form-data; name=\"regions\"\r\n\r\ncolour\n1\r\n--x--\r\n", says: "code", ..IMPORT },
    Row { what: "a cell that is no code", body: b"--x\r\ncontent-disposition: form-data; name=\"regions\"\r\n\r\ncode,name\nxy,x\r\n--x--\r\n", says: "\"line\":2", ..IMPORT },
    Row { what: "a table that is no text", body: b"--x\r\ncontent-disposition: form-data; name=\"regions\"\r\n\r\ncode,name\n\xff\xff,x\r\n--x--\r\n", says: "\"line\":", ..IMPORT },
    Row { what: "an import with an unknown parameter", path: "/v1/registry/import?dry=true", status: 400, slug: "bad-parameter", says: "dry_run", ..IMPORT },
    Row { what: "a call to a channel that is none", path: "/v1/channels/nope/reports", status: 404, slug: "unknown-channel", says: "nope", ..POST },
];

impl Surface {
    async fn ask(&self, row: &Row) -> Reply {
        let mut headers: Vec<(String, String)> = Vec::new();
        if !row.token.is_empty() {
            headers.push(("authorization".into(), format!("Bearer {}", row.token)));
        }
        headers.extend(
            row.headers
                .iter()
                .map(|(n, v)| ((*n).to_owned(), (*v).to_owned())),
        );
        let request = Request {
            method: row.method.into(),
            headers,
            body: row.body.into(),
            ..Request::default()
        };
        let url = format!("{}{}", self.base, row.path);
        self.http.call(&url, request).await.expect(row.what)
    }
}

#[tokio::test]
async fn bad_input_gets_a_precise_problem_and_changes_nothing() {
    let surface = Surface::with_alert().await;
    let position = *surface.writer.position().borrow();
    let generation = surface.gate.registry().generation();
    let mut wrong = Vec::new();
    for row in ROWS {
        let reply = surface.ask(row).await;
        let text = String::from_utf8_lossy(&reply.body);
        let typed = text.contains(&format!("\"type\":\"/problems/{}\"", row.slug));
        let shaped = header(&reply, "content-type") == Some("application/problem+json");
        if (reply.status, typed, shaped, text.contains(row.says)) != (row.status, true, true, true)
        {
            wrong.push(format!("{}: {} {text}", row.what, reply.status));
        }
        let now = *surface.writer.position().borrow();
        assert_eq!(now, position, "{} is in the journal", row.what);
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert_eq!(surface.gate.registry().generation(), generation);
    assert_eq!(surface.gate.ledger.every().len(), 1);
    surface.stop().await;
}
