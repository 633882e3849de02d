//! The calls that a fake backend understands, by its kind.

use serde_json::{Map, Value, json};

use super::fake::{Asked, BATCH, DELTA, Kind, Outcome, Refused, State, plain, refusal};

/// The calls of all kinds but `Rpc`.
pub(crate) fn rest(kind: Kind, state: &mut State, asked: &Asked<'_>) -> Outcome {
    let none = || plain(204, &Value::Null);
    let fields = asked.body.as_object().cloned().unwrap_or_default();
    let in_parts = matches!(kind, Kind::Separate | Kind::Inline | Kind::Records | Kind::Set);
    let fresh = |record: &Value| match asked.rev {
        _ if !matches!(kind, Kind::Separate | Kind::Single | Kind::Document) => Ok(()),
        Some(rev) if record["rev"] == rev => Ok(()),
        Some(_) => Err(refusal(409, "STALE")),
        None => panic!("a revision is missing"),
    };
    match (asked.method.as_str(), asked.path.as_slice()) {
        ("GET", ["users", id]) => Ok(plain(200, &state.shown_user(kind, state.user(id)?))),
        ("GET", ["users", id, "groups"]) if kind == Kind::Separate => {
            let rows: Vec<Value> = state.groups_of(state.user(id)?).iter().map(|id| json!({ "id": id })).collect();
            Ok(plain(200, &json!({ "rows": rows })))
        }
        ("POST", ["users"]) => {
            let id = state.write_user(kind, None, &fields, false)?;
            let answer = if kind == Kind::Single { json!({ "new": id }) } else { state.shown_user(kind, id) };
            Ok(plain(201, &answer))
        }
        ("PATCH", ["users", id]) if in_parts => {
            let id = state.user(id)?;
            fresh(&state.users[&id])?;
            state.write_user(kind, Some(id), &fields, false)?;
            Ok(plain(200, &state.shown_user(kind, id)))
        }
        ("PUT", ["users", id]) if !in_parts => {
            let id = state.user(id)?;
            fresh(&state.users[&id])?;
            state.write_user(kind, Some(id), &fields, true)?;
            Ok(if kind == Kind::Single { none() } else { plain(200, &state.shown_user(kind, id)) })
        }
        ("POST", ["users", id, "suspend" | "reactivate"]) if kind.switches() => {
            let id = state.user(id)?;
            state.switch(id, asked.path[2] == "reactivate");
            Ok(none())
        }
        ("DELETE", ["users", id]) => {
            let id = state.user(id)?;
            state.delete_user(id);
            Ok(none())
        }
        ("GET", ["groups", id]) => Ok(plain(200, &state.shown_group(kind, state.group(id)?))),
        ("POST", ["groups"]) => {
            let mut fields = fields;
            let members = fields.remove("member_ids").filter(|_| kind == Kind::Document).unwrap_or_default();
            let members = state.known(&members, usize::MAX)?;
            let id = state.write_group(None, &fields, false)?;
            state.set_members(id, &members);
            let answer = if kind == Kind::Single { json!({ "new": id }) } else { state.shown_group(kind, id) };
            Ok(plain(201, &answer))
        }
        ("PATCH", ["groups", id]) if in_parts => {
            let id = state.group(id)?;
            let mut fields = fields;
            let mut delta = |name: &str| fields.remove(name).filter(|_| kind == Kind::Inline);
            let (add, remove) = (delta("add"), delta("remove"));
            let is_delta = add.is_some() || remove.is_some();
            let add = state.known(&add.unwrap_or_default(), DELTA)?;
            if !is_delta || !fields.is_empty() {
                state.write_group(Some(id), &fields, false)?;
            }
            for user in add {
                state.join(id, user);
            }
            let gone = remove.unwrap_or_default();
            assert!(gone.as_array().is_none_or(|gone| gone.len() <= DELTA), "{gone}");
            for user in gone.as_array().into_iter().flatten() {
                state.memberships.remove(&(id, user.as_u64().unwrap()));
            }
            Ok(if is_delta { none() } else { plain(200, &state.shown_group(kind, id)) })
        }
        ("PUT", ["groups", id]) if !in_parts => {
            let id = state.group(id)?;
            let mut fields = fields;
            if kind == Kind::Document {
                fresh(&state.groups[&id])?;
                let members = fields.remove("member_ids").unwrap_or_default();
                let members = state.known(&members, usize::MAX)?;
                state.write_group(Some(id), &fields, true)?;
                state.set_members(id, &members);
                return Ok(plain(200, &state.shown_group(kind, id)));
            }
            state.write_group(Some(id), &fields, true)?;
            Ok(none())
        }
        ("DELETE", ["groups", id]) => {
            let id = state.group(id)?;
            state.delete_group(id);
            Ok(none())
        }
        (_, ["groups", id, "members", ..]) if matches!(kind, Kind::Separate | Kind::Single | Kind::Set) => {
            let group = state.group(id)?;
            members(kind, state, asked, group)
        }
        (_, ["memberships", ..]) if kind == Kind::Records => memberships(state, asked),
        _ => panic!("{} {:?}", asked.method, asked.path),
    }
}

/// The endpoints of the members of a group.
fn members(kind: Kind, state: &mut State, asked: &Asked<'_>, group: u64) -> Outcome {
    let done = Ok(plain(204, &Value::Null));
    match (asked.method.as_str(), &asked.path[3..]) {
        ("GET", []) => {
            let rows: Vec<Value> = state.members(group).map(|user| json!({ "user": user })).collect();
            Ok(plain(200, &json!({ "rows": rows })))
        }
        ("POST", []) if kind == Kind::Separate => {
            for user in state.known(&asked.body["user_ids"], BATCH)? {
                state.join(group, user);
            }
            done
        }
        ("PUT", []) if kind == Kind::Set => {
            let users = state.known(&asked.body["ids"], usize::MAX)?;
            state.set_members(group, &users);
            done
        }
        ("POST", [user]) if kind == Kind::Single => {
            let user = state.user(user).map_err(|_| refusal(404, "UNKNOWN"))?;
            state.join(group, user).map_or_else(|| Err(refusal(409, "ALREADY")), |_| done)
        }
        ("DELETE", [user]) if kind != Kind::Set => {
            let gone = user.parse().ok().and_then(|user| state.memberships.remove(&(group, user)));
            gone.map_or_else(|| Err(refusal(404, "NOT_MEMBER")), |_| done)
        }
        _ => panic!("{} {:?}", asked.method, asked.path),
    }
}

/// Memberships with ids of their own.
fn memberships(state: &mut State, asked: &Asked<'_>) -> Outcome {
    match (asked.method.as_str(), &asked.path[1..]) {
        ("GET", []) => {
            let wanted = |name: &str, id: u64| asked.query.get(name).is_none_or(|wanted| *wanted == id.to_string());
            if let Some(group) = asked.query.get("group") {
                state.group(group)?;
            }
            let rows = state.memberships.iter().filter(|((group, user), _)| wanted("group", *group) && wanted("user", *user));
            let rows: Vec<Value> = rows.map(|((group, user), id)| json!({ "id": id, "group": group, "user": user })).collect();
            Ok(plain(200, &json!({ "rows": rows })))
        }
        ("POST", []) => {
            let group = state.group(&asked.body["group"].to_string())?;
            let user = state.user(&asked.body["user"].to_string()).map_err(|_| refusal(422, "UNKNOWN"))?;
            let id = state.join(group, user).ok_or_else(|| refusal(409, "ALREADY"))?;
            Ok(plain(201, &json!({ "id": id, "group": group, "user": user })))
        }
        ("DELETE", [id]) => {
            let place = state.memberships.iter().find(|(_, known)| known.to_string() == *id).map(|(place, _)| *place);
            state.memberships.remove(&place.ok_or_else(|| refusal(404, "NOT_MEMBER"))?);
            Ok(plain(204, &Value::Null))
        }
        _ => panic!("{} {:?}", asked.method, asked.path),
    }
}

/// The calls of `Kind::Rpc`; whatever it says, it says with status 200.
pub(crate) fn rpc(state: &mut State, asked: &Asked<'_>) -> Outcome {
    call(state, asked).map_err(|refused| Refused { status: 200, ..refused }).map(|found| {
        let mut body = json!({ "ok": true });
        body.as_object_mut().unwrap().extend(found);
        plain(200, &body)
    })
}

fn call(state: &mut State, asked: &Asked<'_>) -> Result<Map<String, Value>, Refused> {
    let body = &asked.body;
    let of = |value: Value| value.as_object().cloned().unwrap();
    let named = |name: &str| asked.query.get(name).cloned().unwrap_or_else(|| body[name].to_string());
    let one = || {
        let field = body["field"].as_str().unwrap().to_owned();
        Map::from_iter([(field, body["value"].clone())])
    };
    match (asked.method.as_str(), asked.path.as_slice()) {
        ("GET", ["person"]) => Ok(of(json!({ "person": state.users[&state.user(&named("person"))?] }))),
        ("POST", ["person", "new"]) => {
            let id = state.write_user(Kind::Rpc, None, body.as_object().unwrap(), false)?;
            Ok(of(json!({ "person": id })))
        }
        ("GET", ["team"]) => Ok(of(json!({ "team": state.groups[&state.group(&named("team"))?] }))),
        ("GET", ["team", "people"]) => {
            let team = state.group(&named("team"))?;
            Ok(of(json!({ "people": state.members(team).map(|user| json!({ "person": user })).collect::<Vec<_>>() })))
        }
        ("POST", ["team", "new"]) => {
            let id = state.write_group(None, body.as_object().unwrap(), false)?;
            Ok(of(json!({ "team": id })))
        }
        ("POST", ["person", verb @ ("join" | "quit")]) => {
            let team = state.groups.iter().find(|(_, group)| group["name"] == body["team"]).map(|(id, _)| *id);
            let team = team.ok_or_else(|| refusal(404, "NO_SUCH"))?;
            let person = state.user(&named("person")).map_err(|_| refusal(404, "UNKNOWN"))?;
            if *verb == "join" {
                state.join(team, person).ok_or_else(|| refusal(409, "ALREADY"))?;
            } else {
                state.memberships.remove(&(team, person)).ok_or_else(|| refusal(404, "NOT_MEMBER"))?;
            }
            Ok(Map::new())
        }
        ("POST", ["person", verb]) => {
            let person = state.user(&named("person"))?;
            match *verb {
                "set" => drop(state.write_user(Kind::Rpc, Some(person), &one(), false)?),
                "enable" | "disable" => state.switch(person, *verb == "enable"),
                "leave" => state.memberships.retain(|(_, user), _| *user != person),
                "remove" if !state.groups_of(person).is_empty() => return Err(refusal(409, "MEMBER")),
                "remove" => state.delete_user(person),
                _ => panic!("{:?}", asked.path),
            }
            Ok(Map::new())
        }
        ("POST", ["team", verb]) => {
            let team = state.group(&named("team"))?;
            match *verb {
                "set" => drop(state.write_group(Some(team), &one(), false)?),
                "empty" => state.memberships.retain(|(group, _), _| *group != team),
                "remove" if state.members(team).next().is_some() => return Err(refusal(409, "MEMBER")),
                "remove" => state.delete_group(team),
                _ => panic!("{:?}", asked.path),
            }
            Ok(Map::new())
        }
        _ => panic!("{} {:?}", asked.method, asked.path),
    }
}
