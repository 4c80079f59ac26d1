//! From a number as the registry keeps it to the one that is dialled. Pure; this module must not show a number.

/// Digits, at most so many: no exchange takes more.
const LONGEST: usize = 20;

/// What goes on the wire: the account's prefix and the digits; `+86` and the like are kept where they stand first. None
/// where it is no number.
pub fn dialled(prefix: &str, address: &str) -> Option<String> {
    let mut digits = String::from(prefix);
    let bare = address.trim();
    let (plus, rest) = match bare.strip_prefix('+') {
        Some(rest) => (true, rest),
        None => (false, bare),
    };
    if plus {
        digits.push('+');
    }
    let from = digits.len();
    for letter in rest.chars() {
        match letter {
            '0'..='9' => digits.push(letter),
            // How people write numbers, and how the registry does.
            '-' | ' ' | '(' | ')' => {}
            _ => return None,
        }
    }
    (3..=LONGEST)
        .contains(&(digits.len() - from))
        .then_some(digits)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_number_is_dialled_without_what_people_put_between() {
        for (prefix, address, expected) in [
            ("", "0816-0123456", Some("08160123456")),
            ("9", "0816 0123456", Some("908160123456")),
            ("", "+86 10000000000", Some("+8610000000000")),
            ("", "12", None),
            ("", "0816-012345a", None),
            ("", "sip:x@example.org", None),
            ("", "123456789012345678901", None),
        ] {
            assert_eq!(dialled(prefix, address).as_deref(), expected, "{address}");
        }
    }

    proptest! {
        #[test]
        fn nothing_but_digits_is_ever_dialled(address in ".{0,40}") {
            if let Some(number) = dialled("", &address) {
                let digits = number.strip_prefix('+').unwrap_or(&number);
                prop_assert!(digits.bytes().all(|b| b.is_ascii_digit()));
            }
        }
    }
}
