use jiff::Timestamp;
use jiff::tz::TimeZone;
use proptest::prelude::*;
use serde_json::json;

use super::date::zone;
use super::typed::typed;
use super::*;
use crate::scim::schema::Type;

fn date(format: &str, name: &str) -> Converter {
    Converter::Date(Box::new(DateForm::new(format, zone(name).unwrap()).unwrap()))
}

#[test]
fn converters_and_their_inverses() {
    let values = Converter::Values(vec![(json!(true), vec![json!("A")]), (json!(false), vec![json!("D"), json!("L")])]);
    let cases = [
        (Converter::Integer, json!(42), json!("42")),
        (Converter::Number { whole: true }, json!("42"), json!(42)),
        (Converter::Number { whole: true }, json!("-18446744073"), json!(-18_446_744_073_i64)),
        (Converter::Number { whole: false }, json!("7.5"), json!(7.5)),
        (Converter::EpochMillis, json!(1_700_000_000_123_i64), json!("2023-11-14T22:13:20.123Z")),
        (Converter::EpochSeconds, json!(0), json!("1970-01-01T00:00:00Z")),
        (Converter::Prefix("P-".into()), json!("P-7"), json!("7")),
        (Converter::Suffix("@x.test".into()), json!("ann@x.test"), json!("ann")),
        (Converter::Pad(5), json!("00042"), json!("42")),
        (Converter::Pad(5), json!("00000"), json!("0")),
        (Converter::Pad(5), json!("123456"), json!("123456")),
        (Converter::Pad(5), json!("000A7"), json!("A7")),
        (Converter::Split(",".into()), json!("a,b c"), json!(["a", "b c"])),
        (Converter::Split(", ".into()), json!("a, b"), json!(["a", "b"])),
        (Converter::Upper, json!("ANN"), json!("ANN")),
        (values.clone(), json!("D"), json!(false)),
    ];
    for (converter, there, here) in cases {
        assert_eq!(converter.read(there.clone()), Some(here.clone()), "{converter:?}");
        assert_eq!(converter.write(here), Ok(there), "{converter:?}");
    }
    assert_eq!(values.read(json!("L")), Some(json!(false)));
    assert_eq!(values.read(json!("X")), None);
    assert_eq!(Converter::Upper.write(json!("straße")), Ok(json!("STRAßE")), "a letter that is two in upper case stays");
    assert_eq!(Converter::Split(",".into()).read(json!(" a ,,b,")), Some(json!(["a", "b"])));
}

#[test]
fn values_without_a_counterpart() {
    let values = Converter::Values(vec![(json!(true), vec![json!("A")])]);
    let split = Converter::Split(", ".into());
    let written = [
        (&values, json!("yes")),
        (&Converter::Pad(5), json!("007")),
        (&Converter::Pad(5), json!("")),
        (&Converter::Number { whole: true }, json!("7")),
        (&split, json!(["a,b"])),
        (&split, json!([" a"])),
        (&split, json!([""])),
        (&date("%d.%m.%Y", "UTC"), json!("31.01.2026")),
        (&date("%d.%m.%y", "UTC"), json!("2126-01-31T00:00:00Z")),
    ];
    for (converter, here) in written {
        assert!(converter.write(here.clone()).is_err(), "{converter:?} {here}");
    }
    for bad in ["007", "+7", "", "7a", " 7", "99999999999999999999"] {
        assert!(Converter::Integer.write(json!(bad)).is_err(), "{bad}");
        assert_eq!(Converter::Number { whole: true }.read(json!(bad)), None, "{bad}");
    }
    for bad in ["07", "+7", "", "7a", " 7", "7 ", "NaN", "\"7\""] {
        assert_eq!(Converter::Number { whole: false }.read(json!(bad)), None, "{bad}");
    }
    // One zero too few, one too many: an id has no spelling but its own.
    for bad in ["0042", "000042", "", "42"] {
        assert_eq!(Converter::Pad(5).read(json!(bad)), None, "{bad}");
    }
    assert_eq!(Converter::Suffix("-x".into()).read(json!("7-y")), None);
    assert_eq!(date("%d.%m.%Y", "UTC").read(json!("31.02.2026")), None);
}

/// Days and times of the clocks, worked out by hand from the rules of the zones.
#[test]
fn dates_in_their_zones() {
    let cases = [
        // CET is an hour ahead of UTC, CEST two.
        ("%d.%m.%Y", "Europe/Prague", "01.02.2020", "2020-01-31T23:00:00Z"),
        ("%d.%m.%Y", "Europe/Prague", "01.07.2020", "2020-06-30T22:00:00Z"),
        ("%d.%m.%Y", "UTC", "01.02.2020", "2020-02-01T00:00:00Z"),
        // The days on which the clocks change begin at midnight like others; in Brazil they began at one.
        ("%Y-%m-%d", "Europe/Prague", "2026-03-29", "2026-03-28T23:00:00Z"),
        ("%Y-%m-%d", "Europe/Prague", "2026-10-25", "2026-10-24T22:00:00Z"),
        ("%Y-%m-%d", "America/Sao_Paulo", "2018-11-04", "2018-11-04T03:00:00Z"),
        // The first of the two hours.
        ("%Y-%m-%d %H:%M", "Europe/Prague", "2026-10-25 02:30", "2026-10-25T00:30:00Z"),
        ("%Y-%m-%d %H:%M:%S", "America/New_York", "2026-07-04 12:00:00", "2026-07-04T16:00:00Z"),
        ("%Y%m%d", "UTC", "20260131", "2026-01-31T00:00:00Z"),
        ("%d-%b-%Y", "UTC", "31-Jan-2026", "2026-01-31T00:00:00Z"),
    ];
    for (format, zone, there, here) in cases {
        let converter = date(format, zone);
        assert_eq!(converter.read(json!(there)), Some(json!(here)), "{format} {zone}");
        assert_eq!(converter.write(json!(here)), Ok(json!(there)), "{format} {zone}");
    }
    let prague = date("%Y-%m-%d %H:%M", "Europe/Prague");
    // The second of the two hours has no text of its own, and the hour that the clocks leave out is no time.
    assert!(prague.write(json!("2026-10-25T01:30:00Z")).is_err());
    assert_eq!(prague.read(json!("2026-03-29 02:30")), None);
    // What is finer than the format is cut off.
    assert_eq!(date("%d.%m.%Y", "Europe/Prague").write(json!("2020-01-31T23:59:00Z")), Ok(json!("01.02.2020")));
    let offset = date("%Y-%m-%dT%H:%M:%S%z", "UTC");
    assert_eq!(offset.read(json!("2026-11-21T18:36:54+0100")), Some(json!("2026-11-21T17:36:54Z")));
}

#[test]
fn formats_that_are_none() {
    for bad in ["%d.%m.", "", "no date", "%d.%m.%Y %I:%M", "%Y-%m-%d %", "%H:%M", "%J", "%d.%m.%Y %M"] {
        assert!(DateForm::new(bad, TimeZone::UTC).is_err(), "{bad}");
    }
}

/// What is pushed down finds what would be found here.
#[test]
fn comparisons_that_are_the_same_there() {
    let moment = date("%Y-%m-%dT%H:%M:%S%z", "UTC");
    let cases: [(Converter, &[Op]); 9] = [
        (Converter::Pad(5), &[Op::Eq, Op::Ne, Op::Pr]),
        (Converter::Suffix("-x".into()), &[Op::Eq, Op::Ne, Op::Pr, Op::Ew]),
        (Converter::Prefix("x-".into()), &[Op::Eq, Op::Ne, Op::Pr, Op::Sw, Op::Gt, Op::Ge, Op::Lt, Op::Le]),
        (Converter::Split(",".into()), &[Op::Pr]),
        (Converter::Number { whole: true }, &[Op::Eq, Op::Ne, Op::Pr]),
        (Converter::Number { whole: false }, &[Op::Pr]),
        (Converter::Upper, &[Op::Eq, Op::Ne, Op::Pr, Op::Co, Op::Sw, Op::Ew]),
        (date("%d.%m.%Y", "UTC"), &[Op::Pr, Op::Gt, Op::Ge, Op::Lt, Op::Le]),
        (moment, &[Op::Pr]),
    ];
    for (converter, kept) in cases {
        for op in Op::ALL {
            assert_eq!(converter.keeps(op), kept.contains(&op), "{converter:?} {op:?}");
        }
    }
}

#[test]
fn values_have_the_types_of_their_attributes() {
    let cases = [
        (Type::String, json!(42), Some(json!("42"))),
        (Type::String, json!(7.0), Some(json!("7"))),
        (Type::String, json!(true), Some(json!("true"))),
        (Type::String, json!({ "a": 1 }), None),
        (Type::String, json!(["a"]), None),
        (Type::Boolean, json!("True"), Some(json!(true))),
        (Type::Boolean, json!("false"), Some(json!(false))),
        (Type::Boolean, json!("yes"), None),
        // 1 may be a count or a state: `values` says what it is.
        (Type::Boolean, json!(1), None),
        (Type::Integer, json!("42"), Some(json!(42))),
        (Type::Integer, json!(42.0), Some(json!(42))),
        (Type::Integer, json!(42.5), None),
        (Type::Integer, json!("042"), None),
        (Type::Integer, json!(true), None),
        (Type::Decimal, json!("7.50"), Some(json!(7.5))),
        (Type::Decimal, json!("seven"), None),
        (Type::DateTime, json!("2026-01-31T08:00:00Z"), Some(json!("2026-01-31T08:00:00Z"))),
        (Type::DateTime, json!("2026-01-31T08:00:00+01:00"), Some(json!("2026-01-31T08:00:00+01:00"))),
        (Type::DateTime, json!("2026-01-31T08:00:00"), Some(json!("2026-01-31T08:00:00Z"))),
        (Type::DateTime, json!("2026-01-31T08:00:00+0100"), Some(json!("2026-01-31T07:00:00Z"))),
        (Type::DateTime, json!("2026-01-31"), None),
        (Type::DateTime, json!(0), None),
    ];
    for (kind, there, here) in cases {
        assert_eq!(typed(there.clone(), kind), here, "{kind:?} {there}");
    }
}

fn form() -> impl Strategy<Value = Converter> {
    let formats =
        prop::sample::select(vec!["%d.%m.%Y", "%Y-%m-%d %H:%M:%S", "%m/%d/%Y %I:%M %p", "%Y-%jT%H", "%Y-%m-%dT%H:%M:%S%:z"]);
    let zones = prop::sample::select(vec![
        "UTC",
        "Europe/Prague",
        "America/Sao_Paulo",
        "Australia/Lord_Howe",
        "America/Havana",
        "Asia/Kathmandu",
    ]);
    (formats, zones).prop_map(|(format, zone)| date(format, zone))
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn what_is_read_is_written_again(text in "[ -~äß]{0,12}", number in any::<i64>(), width in 1_usize..9) {
        let there = [json!(text), json!(number), json!(number.to_string()), json!(format!("x-{text}")), json!(format!("{text}-x")), json!(format!("{number:0width$}"))];
        let converters = [Converter::Integer, Converter::Number { whole: true }, Converter::Pad(width), Converter::Prefix("x-".into()), Converter::Suffix("-x".into())];
        for converter in converters {
            for there in &there {
                // `integer` also reads digits in a text, `number` digits that are a number: they are written in their own form.
                let is_own = match &converter {
                    Converter::Integer => there.is_number(),
                    Converter::Number { .. } => there.is_string(),
                    _ => true,
                };
                if let Some(here) = converter.read(there.clone()).filter(|_| is_own) {
                    prop_assert_eq!(converter.write(here.clone()), Ok(there.clone()), "{:?} {}", converter, here);
                }
            }
        }
    }

    #[test]
    fn what_is_written_is_read_again(text in "[ -~äß]{0,12}", number in any::<i64>(), float in any::<f64>(), parts in prop::collection::vec("[a-z, ;]{0,5}", 0..4), width in 1_usize..9) {
        let texts = [Converter::Integer, Converter::Pad(width), Converter::Prefix(text.clone()), Converter::Suffix(text.clone())];
        for converter in texts {
            for here in [json!(text), json!(number.to_string()), json!("0")] {
                if let Ok(there) = converter.write(here.clone()) {
                    prop_assert_eq!(converter.read(there), Some(here), "{:?}", converter);
                }
            }
        }
        let whole = Converter::Number { whole: true };
        prop_assert_eq!(whole.read(whole.write(json!(number)).unwrap()), Some(json!(number)));
        let decimal = Converter::Number { whole: false };
        if float.is_finite() {
            let back = decimal.read(decimal.write(json!(float)).unwrap());
            prop_assert_eq!(back.and_then(|back| back.as_f64()), Some(float));
        }
        for between in [",", ", ", ";", " "] {
            let split = Converter::Split(between.to_owned());
            if let Ok(there) = split.write(json!(parts)) {
                prop_assert_eq!(split.read(there), Some(json!(parts)), "{}", between);
            }
        }
    }

    /// A text that is written for a moment reads as that moment, cut to what the format tells, and is written again as it is.
    #[test]
    fn dates_are_read_as_they_are_written(second in 0_i64..4_000_000_000, converter in form()) {
        let moment = Timestamp::from_second(second).unwrap();
        let Ok(there) = converter.write(json!(moment.to_string())) else { return Ok(()) };
        let here = converter.read(there.clone()).unwrap();
        let read: Timestamp = here.as_str().unwrap().parse().unwrap();
        prop_assert!(read <= moment && moment.as_second() - read.as_second() <= 25 * 3600, "{} {}", there, here);
        prop_assert_eq!(converter.write(here), Ok(there));
    }

    /// Later there is later here, or comparisons could not be left to the backend.
    #[test]
    fn days_keep_their_order(one in 0_i64..4_000_000_000, other in 0_i64..4_000_000_000, zone in prop::sample::select(vec!["UTC", "Europe/Prague", "America/Sao_Paulo", "America/Havana"])) {
        let converter = date("%Y-%m-%d", zone);
        let written = |second: i64| converter.write(json!(Timestamp::from_second(second).unwrap().to_string())).unwrap().as_str().unwrap().to_owned();
        let read = |text: &str| converter.read(json!(text)).unwrap().as_str().unwrap().parse::<Timestamp>().unwrap();
        let (a, b) = (written(one), written(other));
        prop_assert_eq!(a.cmp(&b), read(&a).cmp(&read(&b)));
    }
}
