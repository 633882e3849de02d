//! What the HR application holds, and its actions.
//!
//! People have numbers like `P-00042`, teams plain ones. A person's state is `A` (active), `D` (disabled), `L` (locked) or
//! `R` (retired); nobody is ever deleted. Dates are `dd.mm.yyyy`, flags `Y` or `N`, and what is not there is an empty text.
//! Lists tell number, login (or name) and state only; they have no total, and behind the last page it comes again. Unless
//! told which states, they show active people alone.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use super::fake::{Params, Refusal, refusal};

/// Something that it can do.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Action {
    pub(crate) name: &'static str,
    /// By POST with a form, or by GET.
    pub(crate) writes: bool,
    /// Parameters that must be there and not empty.
    pub(crate) needs: &'static [&'static str],
    pub(crate) may: &'static [&'static str],
    pub(crate) act: fn(&mut Hr, &Params) -> Result<Value, Refusal>,
}

/// The fields of a person that `save` replaces; those that it does not get become empty.
pub(crate) const FIELDS: [&str; 16] = [
    "fname", "mname", "sname", "disp", "title", "nick", "lang", "loc", "tel", "gsm", "extern", "dept_id", "boss", "persno",
    "ref", "desk",
];

const SAVE: &[&str] = &FIELDS;

/// Rows on a page, and the most that may be wanted.
const PAGE: usize = 20;
const PAGE_MAX: usize = 50;

const fn reads(name: &'static str, needs: &'static [&'static str], may: &'static [&'static str], act: Act) -> Action {
    Action { name, writes: false, needs, may, act }
}

const fn writes(name: &'static str, needs: &'static [&'static str], may: &'static [&'static str], act: Act) -> Action {
    Action { name, writes: true, needs, may, act }
}

type Act = fn(&mut Hr, &Params) -> Result<Value, Refusal>;

pub(crate) const ACTIONS: [Action; 22] = [
    reads("/person/list", &[], &["states", "pg", "n"], Hr::person_list),
    reads("/person/find", &["q"], &["states", "pg", "n"], Hr::person_find),
    reads("/person/get", &["pno"], &[], Hr::person_get),
    reads("/person/teams", &["pno"], &["pg", "n"], Hr::person_teams),
    reads("/team/list", &[], &["pg", "n"], Hr::team_list),
    reads("/team/find", &["q"], &["pg", "n"], Hr::team_find),
    reads("/team/get", &["tid"], &[], Hr::team_get),
    reads("/team/people", &["tid"], &["pg", "n"], Hr::team_people),
    reads("/dept/all", &[], &[], Hr::dept_all),
    writes("/person/new", &["login", "pw"], &["fname", "sname"], Hr::person_new),
    writes("/person/rename", &["pno", "newlogin"], &[], Hr::person_rename),
    writes("/person/setmail", &["pno"], &["mail", "mail2"], Hr::person_setmail),
    writes("/person/setpw", &["pno", "pw"], &[], Hr::person_setpw),
    writes("/person/enable", &["pno"], &[], Hr::person_enable),
    writes("/person/disable", &["pno"], &[], Hr::person_disable),
    writes("/person/save", &["pno", "rev"], SAVE, Hr::person_save),
    writes("/person/retire", &["pno", "why"], &[], Hr::person_retire),
    writes("/person/join", &["pno", "team"], &[], Hr::person_join),
    writes("/person/leave", &["pno", "team"], &[], Hr::person_leave),
    writes("/team/new", &["tname"], &[], Hr::team_new),
    writes("/team/save", &["tid", "rev", "tname"], &["ref"], Hr::team_save),
    writes("/team/retire", &["tid", "why"], &[], Hr::team_retire),
];

#[derive(Debug, Clone, Default)]
pub(crate) struct Hr {
    pub(crate) people: BTreeMap<u64, Person>,
    pub(crate) teams: BTreeMap<u64, Team>,
    last: u64,
}

#[derive(Debug, Clone, Default)]
pub(crate) struct Person {
    pub(crate) login: String,
    pub(crate) mail: String,
    pub(crate) mail2: String,
    pub(crate) pw: String,
    pub(crate) st: char,
    pub(crate) rev: u64,
    /// Those of [`FIELDS`] that are not empty.
    pub(crate) fields: Params,
    hired: String,
    changed: String,
}

#[derive(Debug, Clone, Default)]
pub(crate) struct Team {
    pub(crate) name: String,
    pub(crate) reference: String,
    pub(crate) rev: u64,
    pub(crate) people: BTreeSet<u64>,
    is_retired: bool,
}

const DEPARTMENTS: [(u64, &str); 5] = [(3, "Sales"), (11, "Tours"), (12, "D"), (13, "keep"), (20, "bob")];

fn today() -> String {
    jiff::Zoned::now().with_time_zone(jiff::tz::TimeZone::UTC).strftime("%d.%m.%Y").to_string()
}

pub(crate) fn number(person: u64) -> String {
    format!("P-{person:05}")
}

// === impl Hr ===

impl Hr {
    /// People in every state, two teams, and a number that somebody had before.
    pub(crate) fn seeded() -> Self {
        let mut hr = Self { last: 40, ..Self::default() };
        for (login, st) in [("novak", 'A'), ("svoboda", 'D'), ("Dvorak", 'L'), ("cerny", 'R'), ("kral", 'A')] {
            let mut person = Person { login: login.to_owned(), st, rev: 3, pw: "old".to_owned(), ..Person::default() };
            person.mail = format!("{}@orion.test", login.to_lowercase());
            "17.03.2019".clone_into(&mut person.hired);
            "02.11.2023".clone_into(&mut person.changed);
            let fields = [("sname", login), ("extern", "N"), ("desk", "4/17")];
            person.fields = fields.map(|(name, value)| (name.to_owned(), value.to_owned())).into();
            let key = hr.next();
            hr.people.insert(key, person);
        }
        for (name, people) in [("Night shift", &[41, 42][..]), ("Früh & spät", &[])] {
            let people = people.iter().copied().collect();
            let key = hr.next();
            hr.teams.insert(key, Team { name: name.to_owned(), rev: 1, people, ..Team::default() });
        }
        hr
    }

    /// Many more active people.
    pub(crate) fn fill(&mut self, count: usize) {
        for _ in 0..count {
            let key = self.next();
            let (hired, changed) = ("01.02.2020".to_owned(), "01.02.2020".to_owned());
            let person = Person { login: format!("crowd{key}"), st: 'A', rev: 1, hired, changed, ..Person::default() };
            self.people.insert(key, person);
        }
    }

    /// The person of a login who is not retired.
    pub(crate) fn by_login(&self, login: &str) -> Option<(u64, &Person)> {
        let is_it = |person: &Person| person.st != 'R' && person.login.to_lowercase() == login.to_lowercase();
        self.people.iter().find(|(_, person)| is_it(person)).map(|(key, person)| (*key, person))
    }

    fn next(&mut self) -> u64 {
        self.last += 1;
        self.last
    }

    /// Exactly as it is written; somebody who is not retired.
    fn key(&self, params: &Params) -> Result<u64, Refusal> {
        let text = &params["pno"];
        let digits = text.strip_prefix("P-").filter(|digits| digits.len() >= 5);
        let key = digits.and_then(|digits| digits.parse().ok()).filter(|key| number(*key) == *text);
        let key = key.ok_or_else(|| refusal(10, "that is no number of a person"))?;
        self.people.get(&key).filter(|person| person.st != 'R').map(|_| key).ok_or_else(|| refusal(12, "no such person"))
    }

    fn person(&mut self, params: &Params) -> Result<&mut Person, Refusal> {
        let key = self.key(params)?;
        let person = self.people.get_mut(&key).unwrap();
        person.changed = today();
        Ok(person)
    }

    fn team(&mut self, params: &Params) -> Result<&mut Team, Refusal> {
        let key: u64 = params["tid"].parse().map_err(|_| refusal(10, "that is no number of a team"))?;
        self.teams.get_mut(&key).filter(|team| !team.is_retired).ok_or_else(|| refusal(13, "no such team"))
    }

    fn team_named(&mut self, name: &str) -> Option<&mut Team> {
        self.teams.values_mut().find(|team| !team.is_retired && team.name == name)
    }

    fn row(key: u64, person: &Person) -> Value {
        json!({ "pno": number(key), "login": person.login, "st": person.st })
    }

    fn people(&self, params: &Params, wanted: impl Fn(&Person) -> bool) -> Result<Value, Refusal> {
        let states = params.get("states").map_or("A", String::as_str);
        let states: Vec<&str> = states.split(',').collect();
        if states.iter().any(|state| !["A", "D", "L", "R"].contains(state)) {
            return Err(refusal(10, "states are A, D, L and R"));
        }
        let is_wanted = |person: &Person| states.contains(&person.st.to_string().as_str()) && wanted(person);
        let rows = self.people.iter().filter(|(_, person)| is_wanted(person)).map(|(key, person)| Self::row(*key, person));
        Ok(json!({ "people": page(rows.collect(), params)? }))
    }

    fn person_list(&mut self, params: &Params) -> Result<Value, Refusal> {
        self.people(params, |_| true)
    }

    /// Whose login or mail begins so.
    fn person_find(&mut self, params: &Params) -> Result<Value, Refusal> {
        let wanted = params["q"].to_lowercase();
        let begins = |text: &String| text.to_lowercase().starts_with(&wanted);
        self.people(params, |person| begins(&person.login) || begins(&person.mail))
    }

    /// Retired people, too.
    fn person_get(&mut self, params: &Params) -> Result<Value, Refusal> {
        let key = match self.key(params) {
            Err(Refusal { no: 12, msg }) => {
                let retired = self.people.keys().copied().find(|key| number(*key) == params["pno"]);
                retired.ok_or(Refusal { no: 12, msg })?
            }
            other => other?,
        };
        let person = &self.people[&key];
        let mut shown = Self::row(key, person);
        for name in FIELDS {
            let value = person.fields.get(name).map_or("", String::as_str);
            shown[name] = match value.parse::<u64>() {
                Ok(number) if name == "dept_id" => json!(number),
                _ => json!(value),
            };
        }
        for (name, value) in
            [("mail", &person.mail), ("mail2", &person.mail2), ("hired", &person.hired), ("chg", &person.changed)]
        {
            shown[name] = json!(value);
        }
        shown["rev"] = json!(person.rev);
        Ok(json!({ "person": shown }))
    }

    fn person_teams(&mut self, params: &Params) -> Result<Value, Refusal> {
        let key = self.key(params)?;
        let teams = self.teams.iter().filter(|(_, team)| !team.is_retired && team.people.contains(&key));
        Ok(json!({ "teams": page(teams.map(team_row).collect(), params)? }))
    }

    fn person_new(&mut self, params: &Params) -> Result<Value, Refusal> {
        self.free(&params["login"], None)?;
        let key = self.next();
        let mut person =
            Person { login: params["login"].clone(), pw: params["pw"].clone(), st: 'A', rev: 1, ..Person::default() };
        (person.hired, person.changed) = (today(), today());
        person.fields = with_values(params, &["fname", "sname"]);
        person.fields.insert("extern".to_owned(), "N".to_owned());
        self.people.insert(key, person);
        Ok(json!({ "pno": number(key) }))
    }

    fn free(&self, login: &str, except: Option<u64>) -> Result<(), Refusal> {
        match self.by_login(login) {
            Some((key, _)) if Some(key) != except => Err(refusal(23, format!("the login {login} is taken"))),
            _ => Ok(()),
        }
    }

    fn person_rename(&mut self, params: &Params) -> Result<Value, Refusal> {
        let key = self.key(params)?;
        self.free(&params["newlogin"], Some(key))?;
        let person = self.person(params)?;
        person.login.clone_from(&params["newlogin"]);
        person.rev += 1;
        Ok(Value::Null)
    }

    /// Both of them; what is not there is taken away.
    fn person_setmail(&mut self, params: &Params) -> Result<Value, Refusal> {
        let mail = |name: &str| params.get(name).cloned().unwrap_or_default();
        let (mail, mail2) = (mail("mail"), mail("mail2"));
        let person = self.person(params)?;
        (person.mail, person.mail2) = (mail, mail2);
        person.rev += 1;
        Ok(Value::Null)
    }

    fn person_setpw(&mut self, params: &Params) -> Result<Value, Refusal> {
        self.person(params)?.pw.clone_from(&params["pw"]);
        Ok(Value::Null)
    }

    fn person_enable(&mut self, params: &Params) -> Result<Value, Refusal> {
        self.person(params)?.st = 'A';
        Ok(Value::Null)
    }

    fn person_disable(&mut self, params: &Params) -> Result<Value, Refusal> {
        self.person(params)?.st = 'D';
        Ok(Value::Null)
    }

    fn person_save(&mut self, params: &Params) -> Result<Value, Refusal> {
        let bad = |name: &str| Err(refusal(10, format!("bad {name}")));
        let value = |name: &str| params.get(name).map(String::as_str).unwrap_or_default();
        if !["", "Y", "N"].contains(&value("extern")) {
            return bad("extern");
        }
        if !value("dept_id").is_empty() && !DEPARTMENTS.iter().any(|(id, _)| id.to_string() == value("dept_id")) {
            return bad("dept_id");
        }
        if !value("boss").is_empty() {
            self.key(&Params::from([("pno".to_owned(), value("boss").to_owned())]))?;
        }
        let person = self.person(params)?;
        if params["rev"] != person.rev.to_string() {
            return Err(refusal(60, format!("revision {} is the present one", person.rev)));
        }
        person.fields = with_values(params, SAVE);
        person.rev += 1;
        Ok(Value::Null)
    }

    fn person_retire(&mut self, params: &Params) -> Result<Value, Refusal> {
        let key = self.key(params)?;
        let person = self.person(params)?;
        if person.st == 'A' {
            return Err(refusal(44, "disable first"));
        }
        person.st = 'R';
        for team in self.teams.values_mut() {
            team.people.remove(&key);
        }
        Ok(Value::Null)
    }

    fn person_join(&mut self, params: &Params) -> Result<Value, Refusal> {
        let key = self.key(params)?;
        let team = self.team_named(&params["team"]).ok_or_else(|| refusal(13, "no such team"))?;
        if team.people.insert(key) { Ok(Value::Null) } else { Err(refusal(41, "already in team")) }
    }

    fn person_leave(&mut self, params: &Params) -> Result<Value, Refusal> {
        let key = self.key(params)?;
        let team = self.team_named(&params["team"]).ok_or_else(|| refusal(13, "no such team"))?;
        if team.people.remove(&key) { Ok(Value::Null) } else { Err(refusal(42, "not in team")) }
    }

    fn teams(&self, params: &Params, wanted: impl Fn(&Team) -> bool) -> Result<Value, Refusal> {
        let teams = self.teams.iter().filter(|(_, team)| !team.is_retired && wanted(team));
        Ok(json!({ "teams": page(teams.map(team_row).collect(), params)? }))
    }

    fn team_list(&mut self, params: &Params) -> Result<Value, Refusal> {
        self.teams(params, |_| true)
    }

    /// Whose name begins so.
    fn team_find(&mut self, params: &Params) -> Result<Value, Refusal> {
        let wanted = params["q"].to_lowercase();
        self.teams(params, |team| team.name.to_lowercase().starts_with(&wanted))
    }

    fn team_get(&mut self, params: &Params) -> Result<Value, Refusal> {
        let team = self.team(params)?;
        let mut shown = json!({ "tname": team.name, "ref": team.reference, "rev": team.rev });
        shown["tid"] = json!(params["tid"].parse::<u64>().unwrap());
        Ok(json!({ "team": shown }))
    }

    fn team_people(&mut self, params: &Params) -> Result<Value, Refusal> {
        let people = self.team(params)?.people.clone();
        let rows = people.iter().map(|key| Self::row(*key, &self.people[key]));
        Ok(json!({ "people": page(rows.collect(), params)? }))
    }

    #[expect(clippy::unused_self, clippy::unnecessary_wraps, reason = "an action as all others")]
    fn dept_all(&mut self, _: &Params) -> Result<Value, Refusal> {
        Ok(json!({ "depts": DEPARTMENTS.map(|(id, title)| json!({ "id": id, "title": title })) }))
    }

    fn team_new(&mut self, params: &Params) -> Result<Value, Refusal> {
        if self.team_named(&params["tname"]).is_some() {
            return Err(refusal(23, "the name is taken"));
        }
        let key = self.next();
        self.teams.insert(key, Team { name: params["tname"].clone(), rev: 1, ..Team::default() });
        Ok(json!({ "tid": key }))
    }

    fn team_save(&mut self, params: &Params) -> Result<Value, Refusal> {
        let name = &params["tname"];
        let is_own = self.team(params)?.name == *name;
        if !is_own && self.team_named(name).is_some() {
            return Err(refusal(23, "the name is taken"));
        }
        let team = self.team(params)?;
        if params["rev"] != team.rev.to_string() {
            return Err(refusal(60, format!("revision {} is the present one", team.rev)));
        }
        team.name.clone_from(name);
        team.reference = params.get("ref").cloned().unwrap_or_default();
        team.rev += 1;
        Ok(Value::Null)
    }

    fn team_retire(&mut self, params: &Params) -> Result<Value, Refusal> {
        self.team(params)?.is_retired = true;
        Ok(Value::Null)
    }
}

fn team_row((key, team): (&u64, &Team)) -> Value {
    json!({ "tid": key, "tname": team.name })
}

/// Those of the parameters that are not empty.
fn with_values(params: &Params, names: &[&str]) -> Params {
    let is_one = |(name, value): &(&String, &String)| names.contains(&name.as_str()) && !value.is_empty();
    params.iter().filter(is_one).map(|(name, value)| (name.clone(), value.clone())).collect()
}

/// A page of rows. Behind the last one comes the last one.
fn page(rows: Vec<Value>, params: &Params) -> Result<Vec<Value>, Refusal> {
    let number = |name: &str, unless: usize| match params.get(name) {
        Some(text) => text.parse().ok().filter(|number| *number > 0).ok_or_else(|| refusal(10, format!("bad {name}"))),
        None => Ok(unless),
    };
    let (wanted, size) = (number("pg", 1)?, number("n", PAGE)?);
    if size > PAGE_MAX {
        return Err(refusal(10, "n is too large"));
    }
    let last = rows.len().div_ceil(size).max(1);
    Ok(rows.into_iter().skip((wanted.min(last) - 1) * size).take(size).collect())
}
