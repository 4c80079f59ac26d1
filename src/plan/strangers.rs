//! What plans name and the registry does not have: such a condition never holds and such an audience is empty, and nobody
//! would notice until the night it matters. This module must not refuse a plan: the registry may be imported later.

use super::rules::Plans;
use crate::registry::Registry;

/// Each in a sentence, in the plans' order.
pub fn strangers(plans: &Plans, registry: &Registry) -> Vec<String> {
    let mut said = Vec::new();
    for plan in plans.iter() {
        let of_sends = plan.send.iter().flat_map(|send| &send.tags);
        for tag in plan.when.tags.iter().chain(of_sends) {
            if registry.tag_names().named(tag).is_none() {
                said.push(format!(
                    "plan {:?}: the registry has no tag {tag:?}; nothing has it, correct the plan or import the tag",
                    plan.name
                ));
            }
        }
        for zone in &plan.when.zones {
            if registry.zone_of_code(zone).is_none() {
                said.push(format!(
                    "plan {:?}: the registry has no zone {zone:?}; correct the plan or import the zone",
                    plan.name
                ));
            }
        }
        for region in &plan.when.regions {
            if !registry.contains(*region) {
                said.push(format!(
                    "plan {:?}: the registry has no region {region}; correct the plan or import the region",
                    plan.name
                ));
            }
        }
    }
    said
}

#[cfg(test)]
mod tests {
    use super::super::fixture::registry;
    use super::*;

    #[test]
    fn what_the_registry_does_not_have_is_named() {
        let text = "name = \"p\"\nraise = \"red\"\n[match]\ntags = [\"quake-zone\", \"nope\"]\nzones = [\"sh-014\", \"none\"]\nregions = [\"510727\", \"510728\"]\n";
        let plans = Plans::parse(vec![("p".into(), text.into())]).expect("a plan");
        let said = strangers(&plans, &registry());
        assert_eq!(said.len(), 3, "{said:?}");
        assert!(said[0].contains("nope") && said[1].contains("none") && said[2].contains("510728"));
    }
}
