//! What differs between the two dialects, and between peers of one: names of elements and the form of figures. Packets are
//! read in every dialect at once and written in the peer's alone, since some peers refuse a whole packet for one element
//! that they do not know. This module must not decide what is sent.

use serde::Deserialize;

use super::xml::Node;

#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Deserialize)]
pub enum Edition {
    /// The draft of 2016-08-24, still spoken by some platforms.
    #[serde(rename = "2016")]
    Draft2016,
    #[default]
    #[serde(rename = "2018")]
    Of2018,
}

/// How one peer writes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Profile {
    pub edition: Edition,
    /// `SentTime` in a message, where the edition alone would say `SendTime`.
    pub sent_time: bool,
    /// Declarations on the root.
    pub namespaces: bool,
}

impl Default for Profile {
    fn default() -> Self {
        Self::of(Edition::Of2018)
    }
}

/// `assumed` parts are in no source: see the README's table.
const OLD: [(&str, &str); 15] = [
    ("EBRID", "EBEID"),
    ("EBRAS", "EBEAS"),
    ("EBRBS", "EBEBS"),
    ("EBRASInfo", "EBEASInfo"),
    ("EBRBSInfo", "EBEBSInfo"),
    ("EBRASState", "EBEASState"),
    ("EBRBSState", "EBEBSState"),
    // assumed
    ("EBRPS", "EBEPS"),
    ("EBRST", "EBEST"),
    ("EBRDT", "EBEDT"),
    ("EBRPSInfo", "EBEPSInfo"),
    ("EBRSTInfo", "EBESTInfo"),
    ("EBRDTInfo", "EBEDTInfo"),
    ("EBRPSState", "EBEPSState"),
    ("EBRDTState", "EBEDTState"),
];

/// Elements whose text is one of these names.
const NAMED: [&str; 2] = ["EBDType", "OMDType"];

impl Profile {
    pub const fn of(edition: Edition) -> Self {
        Self {
            edition,
            sent_time: matches!(edition, Edition::Draft2016),
            namespaces: false,
        }
    }

    /// How many digits an EBRID has.
    pub const fn ebrid(self) -> usize {
        match self.edition {
            Edition::Draft2016 => 18,
            Edition::Of2018 => 23,
        }
    }

    /// From the house's tree to the peer's.
    pub fn write(self, mut tree: Node) -> Vec<u8> {
        let old = self.edition == Edition::Draft2016;
        tree.rename(&|name| match name {
            "SendTime" if self.sent_time => Some("SentTime".into()),
            _ if old => swap(name, 0, 1),
            _ => None,
        });
        if old {
            each(&mut tree, &|node| {
                if NAMED.contains(&node.name.as_str())
                    && let Some(text) = swap(&node.text, 0, 1)
                {
                    node.text = text;
                } else if node.name == "Coverage" {
                    to_percent(node);
                }
            });
        }
        tree.write(self.namespaces)
    }
}

/// From any peer's tree to the house's.
pub fn normal(mut tree: Node) -> Node {
    tree.rename(&|name| match name {
        "SentTime" => Some("SendTime".into()),
        name => swap(name, 1, 0),
    });
    each(&mut tree, &|node| {
        if NAMED.contains(&node.name.as_str())
            && let Some(text) = swap(&node.text, 1, 0)
        {
            node.text = text;
        } else if node.name == "Coverage" {
            to_rate(node);
        }
    });
    tree
}

fn swap(name: &str, from: usize, to: usize) -> Option<String> {
    let pair = OLD.iter().map(|(new, old)| [*new, *old]);
    let mut found = pair.filter(|pair| pair[from] == name);
    found.next().map(|pair| pair[to].to_owned())
}

fn each(node: &mut Node, change: &impl Fn(&mut Node)) {
    change(node);
    for child in &mut node.children {
        each(child, change);
    }
}

/// `CoverageRate` of 0 to 1 and a list of codes become `CoveragePercent` and an `Area` for each.
fn to_percent(node: &mut Node) {
    let mut children = Vec::new();
    for child in std::mem::take(&mut node.children) {
        match child.name.as_str() {
            "CoverageRate" => {
                let rate: f64 = child.text.parse().unwrap_or(0.0);
                children.push(Node::leaf("CoveragePercent", figure(rate * 100.0)));
            }
            "AreaCode" => children.extend(child.text.split(',').map(|code| {
                Node::branch(
                    "Area",
                    vec![
                        Node::leaf("AreaName", ""),
                        Node::leaf("AreaCode", code.trim()),
                    ],
                )
            })),
            _ => children.push(child),
        }
    }
    node.children = children;
}

fn to_rate(node: &mut Node) {
    let areas: Vec<_> = node
        .all("Area")
        .filter_map(|area| area.get(&["AreaCode"]))
        .collect();
    if !areas.is_empty() {
        let codes = Node::leaf("AreaCode", areas.join(","));
        node.children.retain(|child| child.name != "Area");
        node.children.push(codes);
    }
    let percent = node.get(&["CoveragePercent"]);
    let percent = percent.and_then(|text| text.trim_end_matches('%').trim().parse::<f64>().ok());
    if let Some(percent) = percent {
        node.children
            .retain(|child| child.name != "CoveragePercent");
        let rate = Node::leaf("CoverageRate", figure(percent / 100.0));
        node.children.insert(0, rate);
    }
}

/// Without more digits than are meant.
pub(super) fn figure(value: f64) -> String {
    let text = format!("{value:.4}");
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_draft_of_2016_is_written_in_its_own_words_and_read_back() {
        let coverage = vec![
            Node::leaf("CoverageRate", "0.93"),
            Node::leaf("AreaCode", "331124100001,331124100002"),
        ];
        let tree = Node::branch(
            "EBD",
            vec![
                Node::leaf("EBDType", "EBRASState"),
                Node::branch("SRC", vec![Node::leaf("EBRID", "010333112400000001")]),
                Node::leaf("SendTime", "2018-06-19 13:16:53"),
                Node::branch("Coverage", coverage),
            ],
        );
        let text = Profile::of(Edition::Draft2016).write(tree.clone());
        let text = String::from_utf8(text).expect("it is text");
        for part in [
            "<EBDType>EBEASState</EBDType>",
            "<EBEID>010333112400000001</EBEID>",
            "<SentTime>",
            "<CoveragePercent>93</CoveragePercent><Area><AreaName/><AreaCode>331124100001</AreaCode></Area>",
        ] {
            assert!(text.contains(part), "{part} in {text}");
        }
        let read = Node::read(text.as_bytes()).map(normal);
        assert_eq!(read, Ok(tree.clone()));
        let now = Profile::default().write(tree.clone());
        assert_eq!(Node::read(&now).map(normal), Ok(tree));
        assert!(String::from_utf8_lossy(&now).contains("<SendTime>"));
    }
}
