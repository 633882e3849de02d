//! Cookies of a login: names and values, nothing else. They go to one backend only, and live as long as the login.

use http::header::SET_COOKIE;
use http::{HeaderMap, HeaderValue};

use crate::limits;

/// The cookies of one login.
#[derive(Clone, Default)]
pub(super) struct Jar(Vec<(String, String)>);

impl Jar {
    /// What an answer sets; no more than the bound.
    pub(super) fn of(headers: &HeaderMap) -> Self {
        let mut jar = Self::default();
        for (name, value) in set(headers) {
            jar.0.retain(|(known, _)| *known != name);
            jar.0.extend(value.map(|value| (name, value)));
        }
        jar
    }

    /// Gives cookies that are known the values that a later answer sets; takes out those that it ends.
    pub(super) fn renew(&mut self, headers: &HeaderMap) {
        for (name, value) in set(headers) {
            let Some(place) = self.0.iter().position(|(known, _)| *known == name) else { continue };
            match value {
                Some(value) => self.0.iter_mut().filter(|(known, _)| *known == name).for_each(|(_, old)| old.clone_from(&value)),
                None => drop(self.0.remove(place)),
            }
        }
    }

    pub(super) fn get(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    /// The header Cookie, behind cookies that are sent anyway; nothing if there are none.
    pub(super) fn header(&self, before: Option<&HeaderValue>) -> Option<HeaderValue> {
        if self.0.is_empty() {
            return None;
        }
        let before = before.and_then(|value| value.to_str().ok()).map(str::to_owned);
        let pairs = self.0.iter().map(|(name, value)| format!("{name}={value}"));
        let text: Vec<String> = before.into_iter().chain(pairs).collect();
        let mut value = HeaderValue::from_str(&text.join("; ")).ok()?;
        value.set_sensitive(true);
        Some(value)
    }
}

/// The cookies that an answer sets, in order; without a value those that it ends (RFC 6265 section 5.2).
fn set(headers: &HeaderMap) -> impl Iterator<Item = (String, Option<String>)> {
    let lines = headers.get_all(SET_COOKIE).iter().filter_map(|line| line.to_str().ok());
    lines.take(limits::COOKIES).filter_map(|line| {
        let mut parts = line.split(';');
        let (name, value) = parts.next()?.split_once('=')?;
        let (name, value) = (name.trim(), value.trim());
        if name.is_empty() {
            return None;
        }
        let mut attributes = parts.filter_map(|part| part.split_once('=')).map(|(name, value)| (name.trim(), value.trim()));
        let ended = attributes.any(|(name, value)| {
            let age = name.eq_ignore_ascii_case("max-age") && value.parse::<i64>().is_ok_and(|seconds| seconds <= 0);
            // No clock is asked: what ends a cookie names the beginning of time.
            age || name.eq_ignore_ascii_case("expires") && value.contains("1970")
        });
        Some((name.to_owned(), (!ended).then(|| value.to_owned())))
    })
}

#[cfg(test)]
#[path = "cookies_tests.rs"]
mod tests;
