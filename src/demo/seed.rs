//! Invented people. Chance is seeded and the clock is the seed's own, so that the same options give the same directory.
//!
//! Addresses are in the domains of RFC 2606, phone numbers in ranges that no one is given.

use std::collections::{BTreeMap, BTreeSet};

use super::dice::Dice;
use super::model::{
    Access, Chat, Contact, Employment, Grant, Mail, Phone, Picture, Place, Profile, Status, TeamFields, UserFields,
};
use super::store::Store;

/// 2026-01-05T08:00:00Z, when the first record was made.
const START_MS: i64 = 1_767_600_000_000;
/// From one record to the next.
const STEP_MS: i64 = 1_337;
/// How many people report to one manager.
const SPAN: usize = 8;
/// The largest team but for the first, in which is everyone.
const LARGEST: usize = 40;

const FIRST: [&str; 40] = [
    "Ada", "Aiko", "Amara", "Anders", "Ben", "Bruno", "Camille", "Chidi", "Clara", "Dmitri", "Elena", "Emeka", "Farah", "Finn",
    "Grace", "Hana", "Hugo", "Imani", "Ines", "Ivan", "Jonas", "Kaia", "Kofi", "Lars", "Leila", "Lucía", "Marek", "Mei", "Mira",
    "Nadia", "Noah", "Olga", "Omar", "Priya", "Rafael", "Sofia", "Tomás", "Uma", "Yusuf", "Zoë",
];
const LAST: [&str; 40] = [
    "Abara",
    "Almeida",
    "Andersen",
    "Baker",
    "Bauer",
    "Bianchi",
    "Carter",
    "Chen",
    "Costa",
    "Dubois",
    "Eriksen",
    "Fischer",
    "García",
    "Haddad",
    "Hansen",
    "Ito",
    "Jensen",
    "Kaya",
    "Keller",
    "Khan",
    "Kowalski",
    "Laurent",
    "Lindqvist",
    "Martin",
    "Mensah",
    "Moreau",
    "Müller",
    "Nakamura",
    "Novak",
    "Okafor",
    "O'Neill",
    "Patel",
    "Petrov",
    "Rossi",
    "Schmidt",
    "Silva",
    "Tanaka",
    "Virtanen",
    "Weber",
    "Young",
];
const DEPARTMENTS: [(&str, &str, &str); 8] = [
    ("Engineering", "Product", "CC-410"),
    ("Design", "Product", "CC-420"),
    ("Sales", "Market", "CC-510"),
    ("Marketing", "Market", "CC-520"),
    ("Support", "Market", "CC-530"),
    ("Finance", "Operations", "CC-610"),
    ("People", "Operations", "CC-620"),
    ("Legal", "Operations", "CC-630"),
];
const TITLES: [&str; 6] = ["Associate", "Specialist", "Senior Specialist", "Lead", "Principal", "Manager"];
const RELATIONS: [&str; 5] = ["employee", "employee", "employee", "contractor", "intern"];
const ROLES: [(&str, &str); 5] = [
    ("viewer", "May look"),
    ("editor", "May change"),
    ("approver", "May approve"),
    ("auditor", "May audit"),
    ("admin", "May do everything"),
];
const LICENCES: [(&str, &str); 3] = [("crm-seat", "CRM"), ("wiki-seat", "Wiki"), ("vpn", "Remote access")];

/// A place of work.
struct Office {
    city: &'static str,
    street: &'static str,
    state: Option<&'static str>,
    zip: &'static str,
    country: &'static str,
    locale: &'static str,
    zone: &'static str,
    /// The telephone number without its last three digits.
    phone: &'static str,
}

const OFFICES: [Office; 4] = [
    Office {
        city: "Berlin",
        street: "Lindenstraße 12",
        state: None,
        zip: "10969",
        country: "DE",
        locale: "de-DE",
        zone: "Europe/Berlin",
        phone: "+49 30 23125",
    },
    Office {
        city: "London",
        street: "8 Finsbury Square",
        state: None,
        zip: "EC2A 1AF",
        country: "GB",
        locale: "en-GB",
        zone: "Europe/London",
        phone: "+44 20 7946 0",
    },
    Office {
        city: "Austin",
        street: "500 Congress Avenue",
        state: Some("TX"),
        zip: "78701",
        country: "US",
        locale: "en-US",
        zone: "America/Chicago",
        phone: "+1 512 555 0",
    },
    Office {
        city: "Paris",
        street: "24 rue de la Paix",
        state: None,
        zip: "75002",
        country: "FR",
        locale: "fr-FR",
        zone: "Europe/Paris",
        phone: "+33 1 99 00 0",
    },
];

/// A directory of that many people and teams.
pub(super) fn fill(users: usize, teams: usize, seed: u64) -> Store {
    let (mut store, mut dice, mut now) = (Store::new(), Dice::new(seed), START_MS);
    let mut namesakes = BTreeMap::new();
    let mut people = Vec::with_capacity(users.min(1 << 20));
    for _ in 0..users {
        let manager = people.len().checked_sub(1).and_then(|index| people.get(index / SPAN).copied());
        let person = person(&mut dice, &mut namesakes, manager, people.len());
        let id = store.insert_user(person, now);
        now += STEP_MS;
        // The first, whom everyone reports to in the end, stays.
        if !people.is_empty() && dice.below(15) == 0 && store.set_status(id, None, Status::Suspended, now).is_ok() {
            now += STEP_MS;
        }
        people.push(id);
    }
    for index in 0..teams {
        let id = store.insert_team(team(index), now);
        now += STEP_MS;
        let members = if index == 0 { people.clone() } else { some_of(&mut dice, &people) };
        if store.insert_members(id, members, now).is_ok() {
            now += STEP_MS;
        }
    }
    store
}

fn some_of(dice: &mut Dice, people: &[u64]) -> Vec<u64> {
    let size = (3 + dice.below(LARGEST - 2)).min(people.len());
    // Rolling somebody twice makes the team smaller, no more.
    let rolled: BTreeSet<u64> = (0..size).filter_map(|_| people.get(dice.below(people.len())).copied()).collect();
    rolled.into_iter().collect()
}

/// All Staff, then a team for each department, for each department and office, then numbered ones.
fn team(index: usize) -> TeamFields {
    let external_ref = None;
    let Some(index) = index.checked_sub(1) else { return TeamFields { name: "All Staff".to_owned(), external_ref } };
    let department = DEPARTMENTS.get(index % DEPARTMENTS.len()).map_or("", |(name, ..)| name);
    let office = (index / DEPARTMENTS.len()).checked_sub(1);
    let name = match office.map(|office| OFFICES.get(office)) {
        None => department.to_owned(),
        Some(Some(office)) => format!("{department} {}", office.city),
        Some(None) => format!("{department} Project {index}"),
    };
    TeamFields { name, external_ref }
}

fn person(dice: &mut Dice, namesakes: &mut BTreeMap<String, u32>, manager: Option<u64>, index: usize) -> UserFields {
    let (first, last) = (dice.pick(&FIRST), dice.pick(&LAST));
    let base = format!("{}.{}", plain(first), plain(last));
    let count = namesakes.entry(base.clone()).or_default();
    *count += 1;
    let login = if *count == 1 { base } else { format!("{base}{count}") };
    let full_name = format!("{first} {last}");
    let (department, division, cost_center) = one_of(dice, &DEPARTMENTS);
    let title = if index == 0 { "Chief Executive".to_owned() } else { format!("{department} {}", dice.pick(&TITLES)) };
    let office = dice.below(OFFICES.len());
    let office = OFFICES.get(office);
    let text = |text: &str| Some(text.to_owned());
    UserFields {
        external_ref: None,
        profile: Profile {
            full_name: Some(full_name.clone()),
            surname: text(last),
            first_name: text(first),
            shown_as: dice.happens(0.8).then_some(full_name),
            nick: dice.happens(0.15).then(|| first.chars().take(3).collect()),
            homepage: dice.happens(0.1).then(|| format!("https://people.example.com/{login}")),
            language: office.and_then(|office| office.locale.split('-').next()).and_then(text),
            locale: office.and_then(|office| text(office.locale)),
            tz: office.and_then(|office| text(office.zone)),
            ..Profile::default()
        },
        contact: contact(dice, &login, office),
        employment: Employment {
            job_title: Some(title),
            relation: text(dice.pick(&RELATIONS)),
            number: Some(format!("E{:06}", index + 1)),
            cost_center: text(cost_center),
            company: text("Example Industries"),
            division: text(division),
            department: text(department),
            manager_id: manager,
        },
        access: access(dice),
        login,
    }
}

fn contact(dice: &mut Dice, login: &str, office: Option<&Office>) -> Contact {
    let text = |text: &str| Some(text.to_owned());
    let mut mail = vec![Mail { address: Some(format!("{login}@example.com")), kind: text("work"), label: None, preferred: true }];
    if dice.happens(0.3) {
        mail.push(Mail { address: Some(format!("{login}@home.example.net")), kind: text("home"), label: None, preferred: false });
    }
    let mut phones = Vec::new();
    for (kind, rate) in [("work", 0.9), ("mobile", 0.5)] {
        if let (true, Some(office)) = (dice.happens(rate), office) {
            let number = format!("{}{:03}", office.phone, 100 + dice.below(100));
            phones.push(Phone { number: Some(number), kind: text(kind), label: None, preferred: phones.is_empty() });
        }
    }
    let chat = Chat { handle: Some(format!("@{login}")), network: text("xmpp"), label: None, preferred: true };
    let url = Some(format!("https://people.example.com/{login}.jpg"));
    let place = office.map(|office| Place {
        label: Some(format!("{} office", office.city)),
        street: text(office.street),
        city: text(office.city),
        state: office.state.and_then(text),
        zip: text(office.zip),
        country_code: text(office.country),
        kind: text("work"),
        preferred: true,
    });
    Contact {
        mail,
        phones,
        chats: dice.happens(0.2).then_some(chat).into_iter().collect(),
        pictures: dice
            .happens(0.4)
            .then_some(Picture { url, kind: text("photo"), label: None, preferred: true })
            .into_iter()
            .collect(),
        places: place.into_iter().collect(),
    }
}

fn access(dice: &mut Dice) -> Access {
    let grant = |(code, label): (&str, &str), preferred| Grant {
        code: Some(code.to_owned()),
        label: Some(label.to_owned()),
        kind: None,
        preferred,
    };
    let role = grant(one_of(dice, &ROLES), true);
    let licences = LICENCES.into_iter().filter(|_| dice.happens(0.3)).map(|licence| grant(licence, false)).collect();
    Access { entitlements: licences, roles: vec![role], certificates: Vec::new() }
}

fn one_of<T: Copy + Default>(dice: &mut Dice, list: &[T]) -> T {
    list.get(dice.below(list.len())).copied().unwrap_or_default()
}

/// The name as a login has it: lower case, without accents and apostrophes.
fn plain(name: &str) -> String {
    let letter = |letter: char| match letter {
        'í' => Some('i'),
        'á' => Some('a'),
        'ë' => Some('e'),
        'ü' => Some('u'),
        _ => letter.is_ascii_alphabetic().then(|| letter.to_ascii_lowercase()),
    };
    name.chars().filter_map(letter).collect()
}
