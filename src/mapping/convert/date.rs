//! Dates and times as a backend writes them.

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::fmt::strtime::{self, BrokenDownTime};
use jiff::tz::{AmbiguousOffset, TimeZone, TimeZoneDatabase};

use crate::scim::filter::Op;

/// How a backend writes a date or a time: a format of strftime, and the zone that is meant.
#[derive(Debug, Clone, PartialEq)]
pub struct DateForm {
    format: String,
    zone: TimeZone,
    tells: Tells,
}

/// What a text of a format tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Tells {
    /// A day; it reads as its first moment in the zone.
    Day,
    /// A day and a time of the clocks in the zone.
    Clock,
    /// A moment, in whatever zone.
    Moment,
}

/// A moment whose parts all differ, so that a format that mixes them up is found out.
const SAMPLE: i64 = 1_795_644_478;

/// Seconds of the longest day: on some the clocks are put back.
const LONGEST_DAY: i64 = 26 * 3_600;

/// The zone of that name in the tz database that is built in: nothing is read from the machine, so that a mapping means the
/// same everywhere.
pub fn zone(name: &str) -> Option<TimeZone> {
    TimeZoneDatabase::bundled().get(name).ok()
}

/// All names of zones.
pub fn zone_names() -> Vec<String> {
    TimeZoneDatabase::bundled().available().map(|name| name.as_str().to_owned()).collect()
}

impl DateForm {
    /// The error is for a person.
    pub fn new(format: &str, zone: TimeZone) -> Result<Self, String> {
        let sample = Timestamp::from_second(SAMPLE).map_err(|error| error.to_string())?.to_zoned(zone.clone());
        let written = strtime::format(format, &sample).map_err(|error| inner(&error))?;
        let parsed =
            strtime::parse(format, &written).map_err(|error| format!("what it writes cannot be read: {}", inner(&error)))?;
        let is_moment = parsed.timestamp().is_some() || parsed.offset().is_some() || parsed.iana_time_zone().is_some();
        let tells = match (is_moment, parsed.hour()) {
            (true, _) => Tells::Moment,
            (false, Some(_)) => Tells::Clock,
            (false, None) => Tells::Day,
        };
        let form = Self { format: format.to_owned(), zone, tells };
        let back = form.civil(&parsed);
        if back.is_none_or(|back| back.date() != sample.date()) {
            return Err("it does not tell year, month and day".to_owned());
        }
        if tells != Tells::Day && back.is_none_or(|back| back.hour() != sample.hour()) {
            return Err("it does not tell the hour of 24".to_owned());
        }
        Ok(form)
    }

    /// The text of a moment as the format writes it; for examples.
    pub fn example(&self) -> Option<String> {
        self.write(Timestamp::from_second(SAMPLE).ok()?).ok()
    }

    fn civil(&self, parsed: &BrokenDownTime) -> Option<DateTime> {
        match self.tells {
            Tells::Moment => Some(self.zone.to_datetime(parsed.to_timestamp().ok()?)),
            Tells::Clock | Tells::Day => parsed.to_datetime().ok(),
        }
    }

    /// The moment that a text tells.
    pub fn read(&self, text: &str) -> Option<Timestamp> {
        let parsed = strtime::parse(&self.format, text).ok()?;
        match self.tells {
            Tells::Moment => parsed.to_timestamp().ok(),
            // Where the clocks are put forward at midnight, the day begins at one.
            Tells::Day => parsed.to_date().ok()?.to_zoned(self.zone.clone()).ok().map(|day| day.timestamp()),
            Tells::Clock => {
                let moment = self.zone.to_ambiguous_timestamp(parsed.to_datetime().ok()?);
                // A time that the clocks leave out would read as the time of another text.
                if matches!(moment.offset(), AmbiguousOffset::Gap { .. }) { None } else { moment.compatible().ok() }
            }
        }
    }

    /// The text of a moment. What is finer than the format is cut off; the error is for a person.
    pub fn write(&self, moment: Timestamp) -> Result<String, String> {
        let zoned = moment.to_zoned(self.zone.clone());
        if self.tells == Tells::Clock
            && let AmbiguousOffset::Fold { before, .. } = self.zone.to_ambiguous_timestamp(zoned.datetime()).offset()
            && before != zoned.offset()
        {
            return Err("is in an hour that the clocks there show twice".to_owned());
        }
        let none = || "cannot be written as a date there".to_owned();
        let text = strtime::format(&self.format, &zoned).map_err(|_| none())?;
        // A year of two digits may read as one of another century.
        let read = self.read(&text).ok_or_else(none)?;
        let cut_off = moment.as_second().saturating_sub(read.as_second());
        if (0..=LONGEST_DAY).contains(&cut_off) { Ok(text) } else { Err(none()) }
    }

    /// Whether comparing there is comparing here. A date may be written in several ways, and a backend that compares texts
    /// would not find all of them; but what it calls earlier or later is earlier or later.
    pub const fn keeps(&self, op: Op) -> bool {
        match op {
            Op::Pr => true,
            Op::Gt | Op::Ge | Op::Lt | Op::Le => !matches!(self.tells, Tells::Moment),
            _ => false,
        }
    }
}

/// The innermost reason of an error.
fn inner(error: &jiff::Error) -> String {
    let text = error.to_string();
    text.rsplit(": ").next().unwrap_or_default().to_owned()
}
