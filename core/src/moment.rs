//! Moments as the API server writes them: `2026-11-23T20:27:30.061865Z`.

const DAYS: [i64; 12] = [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];

/// Return microseconds since 1970; `None` for a text in any other form.
pub fn micros(text: &[u8]) -> Option<i64> {
    const FORM: &[u8; 27] = b"dddd-dd-ddTdd:dd:dd.ddddddZ";
    if text.len() != FORM.len() {
        return None;
    }
    for (byte, form) in text.iter().zip(FORM) {
        let fits = if *form == b'd' { byte.is_ascii_digit() } else { byte == form };
        if !fits {
            return None;
        }
    }
    let number = |from: usize, to: usize| {
        text[from..to].iter().fold(0i64, |value, digit| value * 10 + i64::from(digit - b'0'))
    };
    let (year, month, day) = (number(0, 4), number(5, 7), number(8, 10));
    let (hour, minute, second) = (number(11, 13), number(14, 16), number(17, 19));
    if year < 2 || !(1..=12).contains(&month) || hour > 23 || minute > 59 || second > 59 {
        return None;
    }
    let leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
    let last = DAYS[month as usize - 1] + i64::from(leap && month == 2);
    if !(1..=last).contains(&day) {
        return None;
    }
    let seconds = (days(year, month, day) * 24 + hour) * 3600 + minute * 60 + second;
    Some(seconds * 1_000_000 + number(20, 26))
}

/// Days since 1970 of a date of the Gregorian calendar; years begin in March here.
fn days(year: i64, month: i64, day: i64) -> i64 {
    let year = year - i64::from(month <= 2);
    let era = year / 400;
    let year_of_era = year - era * 400;
    let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    era * 146_097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year - 719_468
}

#[cfg(test)]
mod tests {
    use super::micros;

    #[test]
    fn moments_are_read_in_the_api_servers_form_only() {
        assert_eq!(micros(b"1970-01-01T00:00:00.000000Z"), Some(0));
        assert_eq!(micros(b"2024-02-29T23:59:59.999999Z"), Some(1_709_251_199_999_999));
        assert_eq!(micros(b"2023-02-29T00:00:00.000000Z"), None);
        assert_eq!(micros(b"0001-01-01T00:00:00.000000Z"), None);
        assert_eq!(micros(b"2024-02-29T23:59:59.999999+"), None);
        assert_eq!(micros(b"2024-02-29 23:59:59.999999Z"), None);
        assert_eq!(micros(b"2024-02-29T24:00:00.000000Z"), None);
    }
}
