//! Which release goes first, what one makes way for, and what a correction ends that did not know of it.

use std::collections::HashSet;

use channel::Level;

use super::kit::{COUNTY, House, Says, VILLAGES, village};
use crate::ledger::Phase;
use crate::ledger::event::Born;
use crate::model::StreamId;

/// Writes so many regions of a release, as far as it came before it had to make way.
pub async fn begun(house: &House, stream: StreamId, regions: usize) {
    let alert = house.alert(stream);
    let mut work = house.release.read(&alert, 0).await.expect("it is read");
    house
        .release
        .begin(&mut work, &[], &[])
        .await
        .expect("it begins");
    let left = std::cell::Cell::new(regions);
    let makes_way = || left.replace(left.get().saturating_sub(1)) == 0;
    let written = house.release.regions(&work, makes_way).await;
    assert_eq!(written.expect("it is written"), None, "it made way");
    assert_eq!(alert.phase(), Phase::Releasing);
}

#[tokio::test]
async fn a_warning_in_error_is_stopped_between_two_regions_of_its_release() {
    let house = House::start().await;
    let wrong = house.accept(&Says::alert(1, Level::Blue, COUNTY)).await;
    begun(&house, wrong, 12).await;
    let written = house.alert(wrong).next_delivery();
    assert!((1..12).contains(&written), "{written} of {VILLAGES}");
    house.hand(wrong).await;
    let cancel = house.accept(&Says::cancel(2, &[wrong])).await;
    let red = house.accept(&Says::alert(3, Level::Red, COUNTY)).await;
    house.release().await;
    assert_eq!(house.alert(wrong).withdrawn_by(), Some(cancel));
    assert_eq!(house.alert(wrong).next_delivery(), written, "nothing more");
    let told = house.alert(cancel).next_delivery();
    assert_eq!(told, written, "whoever it was handed to, and nobody else");
    assert_eq!(u64::from(house.alert(red).next_delivery()), VILLAGES);
}

#[tokio::test]
async fn a_release_makes_way_for_a_more_urgent_one_and_is_gone_on_with() {
    let house = House::start().await;
    let low = house.accept(&Says::alert(1, Level::Blue, COUNTY)).await;
    begun(&house, low, 12).await;
    let same = house.accept(&Says::alert(2, Level::Blue, COUNTY)).await;
    let (now, ledger) = (super::kit::START, &house.release.ledger);
    let overtaken = |tried: &[StreamId]| {
        let tried: HashSet<_> = tried.iter().copied().collect();
        super::super::order::is_overtaken(&house.alert(low), &tried, now, ledger)
    };
    assert!(!overtaken(&[]), "an equal one waits");
    let red = house.accept(&Says::alert(3, Level::Red, COUNTY)).await;
    assert!(overtaken(&[]));
    assert!(!overtaken(&[red]), "what halts holds up nobody");
    house.release().await;
    for stream in [low, same, red] {
        let alert = house.alert(stream);
        assert_eq!(alert.phase(), Phase::Planned);
        assert_eq!(u64::from(alert.next_delivery()), VILLAGES, "{stream}");
        let blocks = alert.blocks();
        let mut regions: Vec<_> = blocks.iter().map(|b| b.region).collect();
        regions.dedup();
        assert_eq!(regions.len(), blocks.len(), "each region once");
    }
}

#[tokio::test]
async fn a_correction_of_what_waits_goes_before_it_whatever_their_levels() {
    let house = House::start().await;
    let red = house.accept(&Says::alert(1, Level::Red, COUNTY)).await;
    let cancel = house.accept(&Says::cancel(2, &[red])).await;
    house.release().await;
    assert_eq!(house.alert(red).withdrawn_by(), Some(cancel));
    assert_eq!(house.alert(red).next_delivery(), 0);
}

#[tokio::test]
async fn a_cancel_ends_all_of_a_chain_of_which_it_names_the_last() {
    let house = House::start().await;
    let first = house.accept(&Says::alert(1, Level::Red, COUNTY)).await;
    house.release().await;
    house.hand(first).await;
    let second = Says::update(2, Level::Red, COUNTY, &[first]);
    let second = house.accept(&second).await;
    // It comes while the Update still waits, and names nothing else.
    let cancel = house.accept(&Says::cancel(3, &[second])).await;
    house.release().await;
    assert_eq!(house.alert(first).withdrawn_by(), Some(cancel));
    assert_eq!(house.alert(second).withdrawn_by(), Some(cancel));
    assert_eq!(house.alert(second).next_delivery(), 0);
    let told = house.alert(cancel).next_delivery();
    assert_eq!(u64::from(told), VILLAGES, "all who have the first");
}

#[tokio::test]
async fn what_an_update_corrects_that_came_too_late_is_ended_by_what_it_came_too_late_for() {
    let house = House::start().await;
    let first = house.accept(&Says::alert(1, Level::Red, COUNTY)).await;
    house.release().await;
    house.hand(first).await;
    let cancel = house.accept(&Says::cancel(3, &[])).await;
    house.release().await;
    assert_eq!(house.alert(cancel).phase(), Phase::Planned);
    assert_eq!(house.alert(first).withdrawn_by(), None, "nobody knows yet");
    let update = Says {
        born: Born::SupersededBy(cancel),
        ..Says::update(2, Level::Red, &village(0).to_string(), &[first])
    };
    let update = house.accept(&update).await;
    house.release().await;
    assert_eq!(house.alert(first).withdrawn_by(), Some(cancel));
    assert_eq!(house.alert(update).next_delivery(), 0);
    let told = house.alert(cancel).next_delivery();
    assert_eq!(u64::from(told), VILLAGES);
    // Once, however often it is looked at again.
    house.release().await;
    assert_eq!(u64::from(house.alert(cancel).next_delivery()), VILLAGES);
}

#[tokio::test]
async fn a_drill_waits_while_nobody_believes_the_clock_and_a_warning_goes_on() {
    let house = House::start().await;
    house.clock.jump(6 * 3_600_000);
    let drill = Says {
        status: cap::Status::Exercise,
        ..Says::alert(1, Level::Red, COUNTY)
    };
    let drill = house.accept(&drill).await;
    let meant = house.accept(&Says::alert(2, Level::Blue, COUNTY)).await;
    house.release().await;
    assert_eq!(house.alert(meant).phase(), Phase::Planned);
    assert_eq!(house.alert(drill).phase(), Phase::Accepted);
    // Somebody has looked at the clock.
    house.release.time.believe().expect("it had jumped");
    house.release().await;
    assert_eq!(house.alert(drill).phase(), Phase::Planned);
}
