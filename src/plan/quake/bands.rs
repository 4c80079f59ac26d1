//! How far an earthquake of a magnitude is felt how strongly: a table, since the relation differs from province to province
//! and belongs to the seismologists. What the program brings is `assumed`: the county writes its province's own. This module
//! must not know a place.

use serde::Deserialize;

/// From this magnitude on: intensities (GB/T 17742), each with the kilometres from the epicentre within which it is reached.
#[derive(Clone, PartialEq, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Band {
    pub magnitude: f64,
    /// Of intensity and kilometres, the strongest first.
    pub km: Vec<(u8, f64)>,
}

/// No report is below the first.
pub(super) fn shipped() -> Vec<Band> {
    let band = |magnitude, km: &[(u8, f64)]| Band {
        magnitude,
        km: km.to_vec(),
    };
    vec![
        band(4.0, &[(5, 8.0), (4, 25.0)]),
        band(4.5, &[(6, 5.0), (5, 15.0), (4, 45.0)]),
        band(5.0, &[(6, 18.0), (5, 40.0), (4, 75.0)]),
        band(5.5, &[(7, 20.0), (6, 45.0), (5, 75.0), (4, 120.0)]),
        band(6.0, &[(7, 30.0), (6, 60.0), (5, 95.0), (4, 140.0)]),
        band(
            6.5,
            &[(8, 30.0), (7, 55.0), (6, 95.0), (5, 145.0), (4, 210.0)],
        ),
        band(
            7.0,
            &[
                (9, 25.0),
                (8, 55.0),
                (7, 95.0),
                (6, 150.0),
                (5, 220.0),
                (4, 310.0),
            ],
        ),
        band(
            7.5,
            &[
                (9, 55.0),
                (8, 95.0),
                (7, 150.0),
                (6, 220.0),
                (5, 310.0),
                (4, 430.0),
            ],
        ),
    ]
}

/// At so many kilometres; nothing where it is not felt.
pub(super) fn intensity(bands: &[Band], magnitude: f64, kilometres: f64) -> Option<u8> {
    let band = bands
        .iter()
        .rev()
        .find(|band| band.magnitude <= magnitude)?;
    let within = band.km.iter().find(|(_, upto)| kilometres < *upto);
    within.map(|(intensity, _)| *intensity)
}

/// What is wrong with a table.
pub(super) fn problems(bands: &[Band]) -> Vec<String> {
    let mut problems = Vec::new();
    if bands.is_empty() {
        problems
            .push("earthquake.band is empty; write at least one, or leave the table out".into());
    }
    for pair in bands.windows(2) {
        if pair[0].magnitude >= pair[1].magnitude {
            problems.push(format!(
                "earthquake.band: magnitude {} stands behind {}; write the smallest first",
                pair[1].magnitude, pair[0].magnitude
            ));
        }
    }
    for band in bands {
        let falls = |pair: &[(u8, f64)]| pair[0].0 > pair[1].0 && pair[0].1 < pair[1].1;
        let good = |(intensity, km): &(u8, f64)| (1..=12).contains(intensity) && *km > 0.0;
        if band.km.is_empty() || !band.km.iter().all(good) || !band.km.windows(2).all(falls) {
            problems.push(format!(
                "earthquake.band of magnitude {}: km is [intensity, kilometres] with intensities from 12 down to 1, \
                 the strongest first, each reaching farther than the one before",
                band.magnitude
            ));
        }
    }
    problems
}
