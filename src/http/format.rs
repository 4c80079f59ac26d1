//! Which form a table takes: JSON, or a file that a spreadsheet opens, as `format` says or, without it, `Accept`. This
//! module must not know a table.

use axum::http::{HeaderMap, header};
use axum::response::{IntoResponse, Response};
use serde::Deserialize;
use utoipa::ToSchema;

/// Stronger than `Accept`.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum Format {
    Json,
    Csv,
}

impl Format {
    pub fn of(asked: Option<Self>, headers: &HeaderMap) -> Self {
        asked.unwrap_or_else(|| {
            let lines = headers.get_all(header::ACCEPT).iter();
            let lines: Vec<_> = lines.filter_map(|line| line.to_str().ok()).collect();
            Self::accepted(&lines.join(","))
        })
    }

    /// JSON unless the file is named and wanted more.
    fn accepted(accept: &str) -> Self {
        let csv = weight(accept, "text/csv").unwrap_or(0.0);
        let json = weight(accept, "application/json").unwrap_or(0.0);
        if csv > json { Self::Csv } else { Self::Json }
    }
}

/// How much a media type is wanted; nothing where it is not named.
fn weight(accept: &str, media: &str) -> Option<f32> {
    accept.split(',').find_map(|range| {
        let mut parts = range.split(';').map(str::trim);
        let named = parts.next()?.eq_ignore_ascii_case(media);
        let q = parts.find_map(|part| part.strip_prefix("q=")?.parse().ok());
        named.then_some(q.unwrap_or(1.0))
    })
}

pub fn file(name: &str, bytes: Vec<u8>) -> Response {
    let headers = [
        (header::CONTENT_TYPE, "text/csv; charset=utf-8".to_owned()),
        (
            header::CONTENT_DISPOSITION,
            format!("attachment; filename=\"{name}\""),
        ),
    ];
    (headers, bytes).into_response()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_answered_where_it_is_wanted_more() {
        for (accept, wanted) in [
            ("", Format::Json),
            ("*/*", Format::Json),
            ("text/csv", Format::Csv),
            ("Text/CSV; header=present, */*;q=0.1", Format::Csv),
            ("application/json, text/csv;q=0.9", Format::Json),
            ("application/json;q=0.2, text/csv;q=0.9", Format::Csv),
            ("text/csv;q=0", Format::Json),
        ] {
            assert_eq!(Format::accepted(accept), wanted, "{accept}");
        }
    }

    #[test]
    fn the_parameter_is_stronger_than_the_header() {
        let mut headers = HeaderMap::new();
        headers.insert(header::ACCEPT, header::HeaderValue::from_static("text/csv"));
        assert_eq!(Format::of(None, &headers), Format::Csv);
        assert_eq!(Format::of(Some(Format::Json), &headers), Format::Json);
    }
}
