use serde_json::json;

use super::*;

fn parse(text: &str) -> Result<Faults, FaultsError> {
    text.parse()
}

#[test]
fn reads_the_documented_form() {
    let expected = Faults { latency: Duration::from_millis(200), error_rate: 0.05, cut_rate: 0.01, throttle_rate: 0.1 };
    assert_eq!(parse("latency=200ms,errors=0.05,cut=0.01,throttle=0.1"), Ok(expected));
    assert_eq!(parse(" throttle = 0.1 , cut=0.01, errors=0.05 ,latency= 0.2s,"), Ok(expected));
    assert_eq!(parse(&expected.to_string()), Ok(expected));
    assert_eq!(expected.to_string(), "latency=200ms,errors=0.05,cut=0.01,throttle=0.1");
}

#[test]
fn reads_any_part_of_it() {
    assert_eq!(parse(""), Ok(Faults::default()));
    assert_eq!(parse("errors=1"), Ok(Faults { error_rate: 1.0, ..Faults::default() }));
    assert_eq!(parse("latency=0"), Ok(Faults::default()));
    assert_eq!(parse("latency=600s"), Ok(Faults { latency: Duration::from_mins(10), ..Faults::default() }));
    assert_eq!(Faults::default().to_string(), "");
}

#[test]
fn says_what_to_write_instead() {
    assert_eq!(parse("error=0.1"), Err(FaultsError::Unknown("error=0.1".to_owned())));
    assert_eq!(parse("cut"), Err(FaultsError::Unknown("cut".to_owned())));
    assert_eq!(parse("cut=0.1,cut=0.2"), Err(FaultsError::Twice("cut")));
    for rate in ["1.01", "-0.1", "5%", "NaN", "inf", ""] {
        assert_eq!(parse(&format!("throttle={rate}")), Err(FaultsError::Rate("throttle", rate.to_owned())));
    }
    for latency in ["200", "ms", "-1ms", "601s", "1e300s", "NaNs", "2min", ""] {
        assert_eq!(parse(&format!("latency={latency}")), Err(FaultsError::Latency(latency.to_owned())));
    }
    let message = parse("latency=200").unwrap_err().to_string();
    assert!(message.contains("latency=200ms"), "{message}");
}

#[test]
fn a_rate_does_not_move_the_other_faults() {
    let rolled = |faults: Faults| {
        let mut dice = Dice::new(9);
        (0..500).map(|_| faults.decide(&mut dice).cut).collect::<Vec<_>>()
    };
    let cut = Faults { cut_rate: 0.3, ..Faults::default() };
    assert_eq!(rolled(cut), rolled(Faults { error_rate: 0.9, throttle_rate: 0.5, ..cut }));
    assert!(rolled(cut).contains(&true) && rolled(cut).contains(&false));
}

#[test]
fn bodies_are_checked() {
    let body = json!({"latency_ms": 5, "error_rate": 0.5, "cut_rate": 1, "throttle_rate": 0});
    let expected = Faults { latency: Duration::from_millis(5), error_rate: 0.5, cut_rate: 1.0, throttle_rate: 0.0 };
    assert_eq!(Faults::from_body(&body), Ok(expected));
    assert_eq!(Faults::from_body(&json!({})), Ok(Faults::default()));
    let wrong = [
        (json!({"error_rate": 1.5}), "INVALID", "error_rate"),
        (json!({"cut_rate": "often"}), "INVALID", "cut_rate"),
        (json!({"throttle_rate": -1}), "INVALID", "throttle_rate"),
        (json!({"latency_ms": 600_001}), "INVALID", "latency_ms"),
        (json!({"latency": 5}), "UNKNOWN_FIELD", "latency"),
    ];
    for (body, code, field) in wrong {
        let refusal = Faults::from_body(&body).unwrap_err();
        assert_eq!((refusal.code, refusal.field.as_deref()), (code, Some(field)));
    }
}
