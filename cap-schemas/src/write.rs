//! An alert as a CAP 1.2 document that reads back the same. It writes what the model holds and judges nothing; a
//! signature covers the bytes it came with and is not written. Characters that XML cannot hold are left out.

use crate::codes::Version;
use crate::model::{Alert, Area, Info, Pair, Polygon, Reference, Resource};
use crate::time::Time;
use crate::tree::{blank, legal};

/// Writes an alert as CAP 1.2.
pub fn write(alert: &Alert) -> String {
    let mut out = Writer {
        out: "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n".into(),
        open: Vec::new(),
    };
    let namespace = Version::V1_2.namespace().unwrap_or_default();
    out.out.extend(["<alert xmlns=\"", namespace, "\">\n"]);
    out.open.push("alert");
    out.leaf("identifier", &alert.identifier);
    out.leaf("sender", &alert.sender);
    out.leaf("sent", &alert.sent.to_string());
    out.leaf("status", alert.status.as_str());
    out.leaf("msgType", alert.msg_type.as_str());
    out.optional("source", alert.source.as_deref());
    out.leaf("scope", alert.scope.as_str());
    out.optional("restriction", alert.restriction.as_deref());
    out.list("addresses", alert.addresses.iter().map(|name| quoted(name)));
    for code in &alert.codes {
        out.leaf("code", code);
    }
    out.optional("note", alert.note.as_deref());
    out.list("references", alert.references.iter().map(reference));
    out.list("incidents", alert.incidents.iter().map(|name| quoted(name)));
    for info in &alert.infos {
        out.within("info", |out| out.info(info));
    }
    out.close();
    out.out
}

fn reference(reference: &Reference) -> String {
    let Reference {
        sender,
        identifier,
        sent,
    } = reference;
    match sent {
        Some(sent) => format!("{sender},{identifier},{sent}"),
        None => format!("{sender},{identifier}"),
    }
}

/// A name of a list: in quotes where it holds white space. CAP has no way to write a quote within.
fn quoted(name: &str) -> String {
    let name = name.replace('"', "");
    if name.chars().any(|c| blank(c.encode_utf8(&mut [0; 4]))) {
        format!("\"{name}\"")
    } else {
        name
    }
}

struct Writer {
    out: String,
    open: Vec<&'static str>,
}

impl Writer {
    fn leaf(&mut self, name: &str, text: &str) {
        self.indent();
        self.out.extend(["<", name, ">"]);
        for c in text.chars().filter(|&c| legal(c)) {
            match c {
                '&' => self.out.push_str("&amp;"),
                '<' => self.out.push_str("&lt;"),
                '>' => self.out.push_str("&gt;"),
                // Written as it is it would come back as a line feed.
                '\r' => self.out.push_str("&#13;"),
                c => self.out.push(c),
            }
        }
        self.out.extend(["</", name, ">\n"]);
    }

    fn optional(&mut self, name: &str, text: Option<&str>) {
        if let Some(text) = text {
            self.leaf(name, text);
        }
    }

    fn time(&mut self, name: &str, time: Option<Time>) {
        self.optional(name, time.map(|time| time.to_string()).as_deref());
    }

    fn list(&mut self, name: &str, items: impl Iterator<Item = String>) {
        let items: Vec<String> = items.filter(|item| !item.is_empty()).collect();
        if !items.is_empty() {
            self.leaf(name, &items.join(" "));
        }
    }

    fn within(&mut self, name: &'static str, content: impl FnOnce(&mut Self)) {
        self.indent();
        self.out.extend(["<", name, ">\n"]);
        self.open.push(name);
        content(self);
        self.close();
    }

    fn close(&mut self) {
        let Some(name) = self.open.pop() else { return };
        self.indent();
        self.out.extend(["</", name, ">\n"]);
    }

    fn indent(&mut self) {
        self.out.extend(self.open.iter().map(|_| "  "));
    }

    fn pairs(&mut self, name: &'static str, pairs: &[Pair]) {
        for pair in pairs {
            self.within(name, |out| {
                out.leaf("valueName", &pair.name);
                out.leaf("value", &pair.value);
            });
        }
    }

    fn info(&mut self, info: &Info) {
        self.leaf("language", &info.language);
        for category in &info.categories {
            self.leaf("category", category.as_str());
        }
        self.leaf("event", &info.event);
        for response in &info.response_types {
            self.leaf("responseType", response.as_str());
        }
        self.leaf("urgency", info.urgency.as_str());
        self.leaf("severity", info.severity.as_str());
        self.leaf("certainty", info.certainty.as_str());
        self.optional("audience", info.audience.as_deref());
        self.pairs("eventCode", &info.event_codes);
        self.time("effective", info.effective);
        self.time("onset", info.onset);
        self.time("expires", info.expires);
        self.optional("senderName", info.sender_name.as_deref());
        self.optional("headline", info.headline.as_deref());
        self.optional("description", info.description.as_deref());
        self.optional("instruction", info.instruction.as_deref());
        self.optional("web", info.web.as_deref());
        self.optional("contact", info.contact.as_deref());
        self.pairs("parameter", &info.parameters);
        for resource in &info.resources {
            self.within("resource", |out| out.resource(resource));
        }
        for area in &info.areas {
            self.within("area", |out| out.area(area));
        }
    }

    fn resource(&mut self, resource: &Resource) {
        self.leaf("resourceDesc", &resource.desc);
        self.optional("mimeType", resource.mime_type.as_deref());
        self.optional(
            "size",
            resource.size.map(|size| size.to_string()).as_deref(),
        );
        self.optional("uri", resource.uri.as_deref());
        self.optional("derefUri", resource.deref_uri.as_deref());
        self.optional("digest", resource.digest.as_deref());
    }

    fn area(&mut self, area: &Area) {
        self.leaf("areaDesc", &area.desc);
        for polygon in &area.polygons {
            self.leaf("polygon", &ring(polygon));
        }
        for circle in &area.circles {
            self.leaf(
                "circle",
                &format!(
                    "{},{} {}",
                    circle.centre.lat, circle.centre.lon, circle.radius
                ),
            );
        }
        self.pairs("geocode", &area.geocodes);
        self.optional(
            "altitude",
            area.altitude.map(|feet| feet.to_string()).as_deref(),
        );
        self.optional(
            "ceiling",
            area.ceiling.map(|feet| feet.to_string()).as_deref(),
        );
    }
}

fn ring(polygon: &Polygon) -> String {
    let pairs: Vec<String> = polygon
        .points
        .iter()
        .map(|point| format!("{},{}", point.lat, point.lon))
        .collect();
    pairs.join(" ")
}
