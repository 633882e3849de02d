//! The data of the directory and its indexes. Rules for users are in `users`, for teams in `teams`.

use std::collections::{BTreeMap, BTreeSet};

use super::model::{Team, User, UserRow};
use super::refusal::Refusal;
use crate::limits;

/// Everyone and every team. Look-up by id, login, address or reference is logarithmic.
#[derive(Debug)]
pub(super) struct Store {
    pub(super) users: BTreeMap<u64, User>,
    pub(super) teams: BTreeMap<u64, Team>,
    /// Logins in lower case; unique.
    pub(super) logins: BTreeMap<String, u64>,
    /// Mail addresses in lower case.
    pub(super) addresses: Index<String>,
    pub(super) user_refs: Index<String>,
    /// Who reports to whom.
    pub(super) reports: Index<u64>,
    /// Names of teams in lower case.
    pub(super) team_names: Index<String>,
    pub(super) team_refs: Index<String>,
    /// The teams of a user.
    pub(super) memberships: Index<u64>,
    /// The id that comes next, for users and teams alike. Ids are never used again.
    next_id: u64,
}

/// Ids under a key that several records may share.
#[derive(Debug)]
pub(super) struct Index<K>(BTreeMap<K, BTreeSet<u64>>);

/// Which rows of a list are asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Page {
    pub(super) page: usize,
    pub(super) per_page: usize,
}

/// The rows of a page, and how many there are on all pages.
#[derive(Debug)]
pub(super) struct Paged<T> {
    pub(super) rows: Vec<T>,
    pub(super) page: Page,
    pub(super) total: usize,
}

// === impl Store ===

impl Store {
    pub(super) const fn new() -> Self {
        Self {
            users: BTreeMap::new(),
            teams: BTreeMap::new(),
            logins: BTreeMap::new(),
            addresses: Index::new(),
            user_refs: Index::new(),
            reports: Index::new(),
            team_names: Index::new(),
            team_refs: Index::new(),
            memberships: Index::new(),
            next_id: 1001,
        }
    }

    pub(super) const fn new_id(&mut self) -> u64 {
        let id = self.next_id;
        self.next_id += 1;
        id
    }

    pub(super) fn user(&self, id: u64) -> Result<&User, Refusal> {
        self.users.get(&id).ok_or_else(|| Refusal::no_user(id))
    }

    pub(super) fn team(&self, id: u64) -> Result<&Team, Refusal> {
        self.teams.get(&id).ok_or_else(|| Refusal::no_team(id))
    }

    pub(super) fn row<'a>(&'a self, user: &'a User) -> UserRow<'a> {
        user.row(user.fields.employment.manager_id.and_then(|id| self.users.get(&id)))
    }
}

/// If-Match names the rev that a change is meant for.
pub(super) fn check_rev(current: u64, expected: Option<u64>) -> Result<(), Refusal> {
    match expected {
        Some(rev) if rev != current => Err(Refusal::stale(current)),
        _ => Ok(()),
    }
}

/// Whether the text holds the part, which is in lower case, in any case.
pub(super) fn holds(text: &str, part: &str) -> bool {
    if text.is_ascii() && !part.is_empty() {
        return text.as_bytes().windows(part.len()).any(|window| window.eq_ignore_ascii_case(part.as_bytes()));
    }
    text.to_lowercase().contains(part)
}

// === impl Index ===

impl<K: Ord> Index<K> {
    const fn new() -> Self {
        Self(BTreeMap::new())
    }

    pub(super) fn add(&mut self, key: K, id: u64) {
        self.0.entry(key).or_default().insert(id);
    }

    pub(super) fn remove(&mut self, key: &K, id: u64) {
        if let Some(ids) = self.0.get_mut(key) {
            ids.remove(&id);
            if ids.is_empty() {
                self.0.remove(key);
            }
        }
    }

    pub(super) fn take(&mut self, key: &K) -> BTreeSet<u64> {
        self.0.remove(key).unwrap_or_default()
    }

    pub(super) fn count(&self, key: &K) -> usize {
        self.0.get(key).map_or(0, BTreeSet::len)
    }

    pub(super) fn ids(&self, key: &K) -> impl Iterator<Item = u64> + use<'_, K> {
        self.0.get(key).into_iter().flatten().copied()
    }
}

// === impl Page ===

impl Page {
    /// Checks the numbers as they came.
    pub(super) fn parse(page: Option<&str>, per_page: Option<&str>) -> Result<Self, Refusal> {
        let number = |name: &'static str, text: Option<&str>, default: usize| match text.map_or(Ok(default), str::parse) {
            Ok(number) if number >= 1 => Ok(number),
            _ => Err(Refusal::unprocessable("BAD_PAGE", format!("{name} takes an integer from 1")).at(name)),
        };
        let (page, per_page) = (number("page", page, 1)?, number("per_page", per_page, 25)?);
        if per_page > limits::DEMO_PAGE {
            let message = format!("per_page takes at most {}; ask for more pages instead", limits::DEMO_PAGE);
            return Err(Refusal::unprocessable("BAD_PAGE", message).at("per_page"));
        }
        Ok(Self { page, per_page })
    }

    const fn skipped(self) -> usize {
        self.page.saturating_sub(1).saturating_mul(self.per_page)
    }

    /// The page of rows whose number is known: nothing behind the page is looked at.
    pub(super) fn of_known<T>(self, rows: impl Iterator<Item = T>, total: usize) -> Paged<T> {
        let rows = if self.skipped() < total { rows.skip(self.skipped()).take(self.per_page).collect() } else { Vec::new() };
        Paged { rows, page: self, total }
    }

    /// The page of rows that must be walked to be counted; only those on the page are kept.
    pub(super) fn of_counted<T>(self, all: impl Iterator<Item = T>) -> Paged<T> {
        let (mut rows, mut total) = (Vec::new(), 0_usize);
        for row in all {
            if total >= self.skipped() && rows.len() < self.per_page {
                rows.push(row);
            }
            total += 1;
        }
        Paged { rows, page: self, total }
    }
}

// === impl Paged ===

impl<T> Paged<T> {
    pub(super) fn map<U>(self, row: impl FnMut(T) -> U) -> Paged<U> {
        Paged { rows: self.rows.into_iter().map(row).collect(), page: self.page, total: self.total }
    }
}
