//! Faults on purpose: what a gateway must live with, at rates that can be set.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::dice::Dice;
use super::merge::merged;
use super::refusal::Refusal;
use crate::limits;

/// How badly the directory behaves. Rates go from 0 (never) to 1 (always).
///
/// As text: `latency=200ms,errors=0.05,cut=0.01,throttle=0.1`, any part of it.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Faults {
    /// Time that passes before every answer.
    pub latency: Duration,
    /// 500 INTERNAL; nothing is done then.
    pub error_rate: f64,
    /// The answer breaks off half way. What was asked for is done.
    pub cut_rate: f64,
    /// 429 SLOW_DOWN; nothing is done then.
    pub throttle_rate: f64,
}

/// Text that is not [`Faults`].
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FaultsError {
    #[error("{0:?} is not a fault; write latency=200ms, errors=0.05, cut=0.01 or throttle=0.1, with commas between")]
    Unknown(String),
    #[error("{0} is there twice; leave one")]
    Twice(&'static str),
    #[error("{0}={1:?} is not a rate; write a number from 0 (never) to 1 (always), as in {0}=0.05")]
    Rate(&'static str, String),
    #[error("latency={0:?} is not a time up to {limit}s; write it with its unit, as in latency=200ms or latency=1.5s", limit = limits::DEMO_LATENCY_SECONDS)]
    Latency(String),
}

/// What happens to one call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Verdict {
    pub(super) throttled: bool,
    pub(super) failed: bool,
    pub(super) cut: bool,
}

/// The faults as the path `/_faults` shows and takes them.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields, expecting = "an object")]
pub(super) struct FaultsRow {
    latency_ms: u64,
    error_rate: f64,
    cut_rate: f64,
    throttle_rate: f64,
}

// === impl Faults ===

impl Faults {
    /// Rolls the dice for one call, and always the same number of times: a changed rate does not change when the
    /// other faults happen.
    pub(super) fn decide(&self, dice: &mut Dice) -> Verdict {
        let [throttled, failed, cut] = [self.throttle_rate, self.error_rate, self.cut_rate].map(|rate| dice.happens(rate));
        Verdict { throttled, failed, cut }
    }

    /// Reads the body of PUT /_faults, which replaces all faults.
    pub(super) fn from_body(body: &Value) -> Result<Self, Refusal> {
        let row = merged(&FaultsRow::default(), body)?;
        for (field, rate) in [("error_rate", row.error_rate), ("cut_rate", row.cut_rate), ("throttle_rate", row.throttle_rate)] {
            if !is_rate(rate) {
                return Err(Refusal::invalid(field, format!("{field} takes a number from 0 (never) to 1 (always)")));
            }
        }
        let latency = Duration::from_millis(row.latency_ms);
        if latency > LONGEST {
            let message = format!("latency_ms takes at most {}", LONGEST.as_millis());
            return Err(Refusal::invalid("latency_ms", message));
        }
        Ok(Self { latency, error_rate: row.error_rate, cut_rate: row.cut_rate, throttle_rate: row.throttle_rate })
    }

    pub(super) fn row(&self) -> FaultsRow {
        FaultsRow {
            latency_ms: u64::try_from(self.latency.as_millis()).unwrap_or(u64::MAX),
            error_rate: self.error_rate,
            cut_rate: self.cut_rate,
            throttle_rate: self.throttle_rate,
        }
    }
}

const LONGEST: Duration = Duration::from_secs(limits::DEMO_LATENCY_SECONDS);

fn is_rate(rate: f64) -> bool {
    (0.0..=1.0).contains(&rate)
}

impl FromStr for Faults {
    type Err = FaultsError;

    fn from_str(text: &str) -> Result<Self, FaultsError> {
        let (mut latency, mut errors, mut cut, mut throttle) = (None, None, None, None);
        for part in text.split(',').map(str::trim).filter(|part| !part.is_empty()) {
            let unknown = || FaultsError::Unknown(part.to_owned());
            let (name, value) = part.split_once('=').ok_or_else(unknown)?;
            let value = value.trim();
            match name.trim() {
                "latency" => once("latency", &mut latency, parse_latency(value)?)?,
                "errors" => once("errors", &mut errors, parse_rate("errors", value)?)?,
                "cut" => once("cut", &mut cut, parse_rate("cut", value)?)?,
                "throttle" => once("throttle", &mut throttle, parse_rate("throttle", value)?)?,
                _ => return Err(unknown()),
            }
        }
        Ok(Self {
            latency: latency.unwrap_or_default(),
            error_rate: errors.unwrap_or_default(),
            cut_rate: cut.unwrap_or_default(),
            throttle_rate: throttle.unwrap_or_default(),
        })
    }
}

fn once<T>(name: &'static str, slot: &mut Option<T>, value: T) -> Result<(), FaultsError> {
    if slot.replace(value).is_some() { Err(FaultsError::Twice(name)) } else { Ok(()) }
}

fn parse_rate(name: &'static str, text: &str) -> Result<f64, FaultsError> {
    text.parse().ok().filter(|rate| is_rate(*rate)).ok_or_else(|| FaultsError::Rate(name, text.to_owned()))
}

fn parse_latency(text: &str) -> Result<Duration, FaultsError> {
    let wrong = || FaultsError::Latency(text.to_owned());
    // `ms` first: it ends in `s` as well. A bare 0 needs no unit.
    let (number, milliseconds) = match (text.strip_suffix("ms"), text.strip_suffix('s')) {
        (Some(number), _) => (number, 1.0),
        (None, Some(number)) => (number, 1000.0),
        (None, None) if text == "0" => (text, 1.0),
        (None, None) => return Err(wrong()),
    };
    let number: f64 = number.trim().parse().map_err(|_| wrong())?;
    let latency = Duration::try_from_secs_f64(number * milliseconds / 1000.0).map_err(|_| wrong())?;
    if latency > LONGEST { Err(wrong()) } else { Ok(latency) }
}

/// As [`Faults::from_str`] reads it; empty without faults.
impl fmt::Display for Faults {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut between = "";
        if !self.latency.is_zero() {
            write!(f, "latency={}ms", self.latency.as_secs_f64() * 1000.0)?;
            between = ",";
        }
        for (name, rate) in [("errors", self.error_rate), ("cut", self.cut_rate), ("throttle", self.throttle_rate)] {
            if rate > 0.0 {
                write!(f, "{between}{name}={rate}")?;
                between = ",";
            }
        }
        Ok(())
    }
}

#[cfg(test)]
#[path = "faults_tests.rs"]
mod tests;
