//! `members`: membership as a relation between two resource types.

use super::attribute::MappedLine;
use super::call::{Names, Purpose, Shared};
use super::schemas::Schemas;
use super::{Compiler, Keys, known};
use crate::mapping::diagnostics::Code;
use crate::mapping::model::{
    Call, Carries, Create, Element, Inline, MemberCall, MemberList, Members, Membership, MembershipChange, Results, Target,
    UnknownMember, Update,
};
use crate::mapping::path::JsonPath;
use crate::mapping::source::{Entry, Node};
use crate::mapping::template::{Root, Template, Variable};
use crate::mapping::vocabulary;
use crate::scim::schema::ResourceType;

/// The resource type whose members are described.
#[derive(Clone, Copy)]
pub(super) struct Group<'c> {
    pub(super) name: &'c str,
    pub(super) kind: &'c ResourceType,
    pub(super) schemas: &'c Schemas,
    pub(super) shared: &'c Shared,
    pub(super) lines: &'c [MappedLine],
    /// Whether a call writes the record.
    pub(super) writes: bool,
}

/// What a call about members must name.
#[derive(Clone, Copy, PartialEq, Eq)]
enum About {
    /// One member, or several in a batch of so many.
    Some {
        batch: usize,
    },
    All,
}

impl Compiler<'_> {
    pub(super) fn membership(&mut self, node: &Node, group: Group<'_>, types: &[&str]) -> Option<Membership> {
        let keys = self.block(node, &vocabulary::MEMBERS)?;
        let of = match keys.get("of") {
            Some(node) => self.type_named(node, types),
            None => {
                let user = types.iter().position(|name| *name == "User");
                if user.is_none() {
                    self.error(
                        Code::MissingKey,
                        node.span,
                        "members needs `of`",
                        "name the resource type of the members: `of: User`",
                    );
                }
                user
            }
        };
        let in_member = self.writes_in_member(&keys);
        let walks = in_member && keys.get("list").is_none() && keys.get("inline").is_none();
        let list = if walks { None } else { self.member_source(&keys, group) };
        let add = keys.get("add").map(|node| self.member_call(node, group, "add"));
        let remove = keys.get("remove").map(|node| self.member_call(node, group, "remove"));
        let set = keys.get("set").map(|node| self.set_call(node, group));
        let groups = keys.get("groups").map(|node| self.member_list(node, group, "groups"));
        let unknown = keys.get("unknown").map_or(Some(UnknownMember::Skip), |node| {
            self.word(node, &[("skip", UnknownMember::Skip), ("refuse", UnknownMember::Refuse)])
        });
        let pinned = keys.get("pinned").map(|node| self.path(node));
        let read_only = keys.get("mutability").map(|node| self.word(node, &[("readOnly", ())]));
        if matches!((&add, &remove), (Some(_), None) | (None, Some(_))) {
            self.error(
                Code::MissingKey,
                keys.span,
                "members has one of `add` and `remove`, but not the other",
                "a client that can add must be able to remove: describe both calls, or neither",
            );
        }
        if let Some(entry) = keys.entry("mutability").filter(|_| add.is_some() || remove.is_some() || set.is_some()) {
            self.error(
                Code::BadValue,
                entry.key_span,
                "members are read only, but there are calls that change them",
                "take the calls out, or this line",
            );
        }
        let (add, remove, set) = (known(add)?, known(remove)?, known(set)?);
        let (groups, pinned, read_only) = (known(groups)?, known(pinned)?, known(read_only)?);
        // Where the members are the rows of another list, that list is filled in when all of them are known.
        let list = if walks { groups.clone() } else { list }?;
        let change = match (add, remove, set) {
            _ if in_member => MembershipChange::Member { walks },
            (Some(add), Some(remove), set) => {
                MembershipChange::Each { add: Box::new(add), remove: Box::new(remove), set: set.map(Box::new) }
            }
            (_, _, Some(set)) => MembershipChange::Whole(Box::new(set)),
            _ => match list.inline() {
                Some(inline) if group.writes && read_only.is_none() => {
                    if inline.write.is_none() {
                        self.inline_not_writable(&keys);
                    }
                    MembershipChange::Record
                }
                _ => MembershipChange::Never,
            },
        };
        if matches!(change, MembershipChange::Never) {
            self.meaningless(&keys, &["pinned", "unknown"], "members that never change here", "take it out");
        }
        Some(Membership { of: of?, list, change, groups, unknown: unknown?, pinned })
    }

    fn inline_not_writable(&mut self, keys: &Keys<'_>) {
        let span = keys.get("inline").map_or(keys.span, |node| node.span);
        self.error(
            Code::UnwritablePath,
            span,
            "members are written with the record, but this is not the whole of one array",
            "write a path of names that ends in `[*]`, describe `add` and `remove`, or write `mutability: readOnly`",
        );
    }

    /// Where the members of a group are told.
    fn member_source(&mut self, keys: &Keys<'_>, group: Group<'_>) -> Option<Members> {
        match (keys.get("list"), keys.get("inline")) {
            (Some(node), None) => {
                self.meaningless(keys, &["key", "display"], "members that a call lists", "write it below `list`");
                self.member_list(node, group, "members")
            }
            (None, Some(_)) => self.inline(keys).map(|inline| Members::Inline(Box::new(inline))),
            (Some(_), Some(inline)) => {
                self.error(Code::BadValue, inline.span, "`list` and `inline` are two answers to one question", "keep one");
                None
            }
            (None, None) => {
                self.require(keys, "list", "name the call that lists the members, or write `inline`: where the record has them")?;
                None
            }
        }
    }

    fn inline(&mut self, keys: &Keys<'_>) -> Option<Inline> {
        let items = keys.get("inline").and_then(|node| self.path(node));
        let key = self.path_or(keys.get("key"), &JsonPath::root());
        let display = keys.get("display").map(|node| self.path(node));
        let (items, key, display) = (items?, key?, known(display)?);
        let place = items.to_write_items();
        let write = match (place, key.to_write()) {
            (Some(place), Some(key)) => Some((place, Some(key))),
            (Some(place), None) if key.as_str() == "$" => Some((place, None)),
            _ => None,
        };
        Some(Inline { items, element: Element { key, display }, write })
    }

    fn member_list(&mut self, node: &Node, group: Group<'_>, part: &str) -> Option<Members> {
        if let Some(keys) = self.inline_groups(node, part) {
            let others = ["call", "query", "headers", "items", "pages", "success", "errors"];
            self.meaningless(&keys, &others, "groups that the record of the member has", "keep `inline`, `key` and `display`");
            let inline = self.inline(&keys)?;
            if let Some(write) = keys.entry("write").filter(|_| inline.write.is_none()) {
                self.error(
                    Code::UnwritablePath,
                    write.key_span,
                    "memberships are written with the member, but this is not the whole of one array",
                    "write a path of names that ends in `[*]`, and for `key` a path of names",
                );
            }
            return Some(Members::Inline(Box::new(inline)));
        }
        let (keys, line) = self.call_keys(node, &vocabulary::MEMBER_LIST)?;
        if part == "members" {
            self.meaningless(&keys, &["inline"], "a call", "write `inline` beside `of`, instead of `list`");
            self.meaningless(&keys, &["write"], "a list of members", "it belongs to `groups`, beside `inline`");
        }
        let name = group.name;
        let paging = keys
            .get("pages")
            .map_or(Some(group.shared.paging.clone()), |node| self.paging(node, &format!("{name}.members.count"), group.shared));
        let names = paging.as_ref().map_or(Names::KEY, |paging| Names::KEY.paged(paging));
        let call = self.call(format!("{name}.members.{part}"), &keys, line, &names, group.shared, Purpose::Read);
        self.about_one(call.as_ref(), line);
        let paging = paging.map(|paging| self.asked(paging, call.as_ref(), line));
        let items = self.items(&keys);
        let key = self.require(&keys, "key", "tell where the key is in a row: `key: $.user_id`").and_then(|node| self.path(node));
        let display = keys.get("display").map(|node| self.path(node));
        let element = Element { key: key?, display: known(display)? };
        Some(Members::Call(Box::new(MemberList { call: call?, items: items?, paging: paging?, element, only: None })))
    }

    /// Whether memberships are written in the record of the member.
    fn writes_in_member(&mut self, keys: &Keys<'_>) -> bool {
        let Some(groups) = keys.get("groups") else { return false };
        let Some(write) = groups.entry("write") else { return false };
        if self.flag(&write.value) != Some(true) {
            return false;
        }
        if groups.entry("inline").is_none() {
            self.error(
                Code::MissingKey,
                write.key_span,
                "only where the record of the member has its groups are they written with it",
                "name the array: `inline: \"$.group_ids[*]\"`, or describe `add` and `remove` and take this out",
            );
        }
        for other in ["add", "remove", "set", "mutability"] {
            if let Some(entry) = keys.entry(other) {
                self.error(
                    Code::BadValue,
                    entry.key_span,
                    format!("`{other}`, and memberships that are written with the member, are two answers to one question"),
                    "take it out, or `write` under `groups`",
                );
            }
        }
        true
    }

    /// The keys of `groups`, if the record of the member has them.
    fn inline_groups<'n>(&mut self, node: &'n Node, part: &str) -> Option<Keys<'n>> {
        let crate::mapping::source::Data::Mapping(entries) = &node.data else { return None };
        (part == "groups" && entries.iter().any(|entry| entry.key == "inline")).then_some(())?;
        self.block(node, &vocabulary::MEMBER_LIST)
    }

    fn member_call(&mut self, node: &Node, group: Group<'_>, part: &str) -> Option<MemberCall> {
        let (keys, line) = self.call_keys(node, &vocabulary::MEMBER_CALL)?;
        let names = Names::MEMBERS.with(group.kind, group.schemas);
        let call = self.call(format!("{}.members.{part}", group.name), &keys, line, &names, group.shared, Purpose::Act);
        let batch = keys.get("batch").map_or(Some(1), |node| self.count(node));
        if let Some(call) = &call {
            self.check_member_call(call, About::Some { batch: batch.unwrap_or(1) }, line, group);
            if part == "add" && call.uses_any(&[Root::Membership]) {
                self.error(
                    Code::BadCall,
                    line.span,
                    "who is added has no row in the list of members yet",
                    "`{{membership}}` is for `remove`; write `{{member}}`",
                );
            }
        }
        let results = keys.get("results").map(|node| self.results(node, call.as_ref(), group.shared));
        Some(MemberCall { call: call?, batch: batch?, results: known(results)?.map(Box::new) })
    }

    fn results(&mut self, node: &Node, call: Option<&Call>, shared: &Shared) -> Option<Results> {
        let keys = self.block(node, &vocabulary::RESULTS)?;
        let items = self.require(&keys, "items", "tell where the results are: `items: \"$.results[*]\"`");
        let items = items.and_then(|node| self.path(node));
        let status = keys.get("status").map(|node| self.path(node));
        let key = keys.get("key").map(|node| self.path(node));
        let rules = self.meanings(&keys, shared);
        let call = Call { rules, ..call?.clone() };
        Some(Results { items: items?, status: known(status)?, key: known(key)?, call })
    }

    fn set_call(&mut self, node: &Node, group: Group<'_>) -> Option<Call> {
        let (keys, line) = self.call_keys(node, &vocabulary::SET_CALL)?;
        let names = Names::MEMBERS.with(group.kind, group.schemas);
        let call = self.call(format!("{}.members.set", group.name), &keys, line, &names, group.shared, Purpose::Act);
        if let Some(call) = &call {
            self.check_member_call(call, About::All, line, group);
        }
        call
    }

    /// The call must name the group, and exactly the members that it is for.
    fn check_member_call(&mut self, call: &Call, about: About, line: &Node, group: Group<'_>) {
        self.names_the_group(call, line, group);
        let path_query_and_headers = call.path.iter().chain(call.query.iter().map(|(_, value)| value));
        let path_query_and_headers = path_query_and_headers.chain(call.headers.iter().map(|(_, value)| value));
        let whole = |variable: &Variable| variable.root == Root::Members && variable.steps.is_empty();
        let one = [Root::Member, Root::MemberRecord, Root::Membership];
        let (problem, help) = if path_query_and_headers.flat_map(Template::variables).any(whole) {
            ("`{{members}}` is a list and can only stand in a body", "write `{{member}}`, with `batch: 1`")
        } else {
            match about {
                About::All if !call.uses_any(&[Root::Members]) || call.uses_any(&one) => {
                    ("a call that sets all members names them all", "put `{{members}}` into the body, and no single member")
                }
                About::Some { .. } if !call.uses_any(&[Root::Members]) && !call.uses_any(&one) => {
                    ("the call does not name a member", "put `{{member}}` into the path, or `{{members}}` into the body")
                }
                About::Some { batch } if batch > 1 && call.uses_any(&one) => {
                    ("one member is named, but `batch` is more", "write `{{members}}` in the body, or take `batch` out")
                }
                _ => return,
            }
        };
        self.error(Code::BadCall, line.span, problem, help);
    }

    /// By its key, or by an attribute such as its name; a row of the list of members is of one group anyway.
    fn names_the_group(&mut self, call: &Call, line: &Node, group: Group<'_>) {
        let mut attributes = false;
        for variable in call.templates().flat_map(Template::variables) {
            let Root::Attribute { extension, name } = &variable.root else { continue };
            attributes = true;
            let target = Target { extension: extension.clone(), attribute: name.clone(), tags: Vec::new(), sub: None };
            if !group
                .lines
                .iter()
                .any(|mapped| mapped.broken || mapped.line.target.same_top(&target) && mapped.line.shape.is_readable())
            {
                self.error(
                    Code::UnknownVariable,
                    line.span,
                    format!("`{{{{{}}}}}` is not read by any line under `attributes`", variable.text),
                    "map it there, or write a field of the record: `{{record.name}}`",
                );
            }
        }
        if !attributes && !call.uses_any(&[Root::Membership]) {
            self.about_one(Some(call), line);
        }
    }

    /// Members that are written with the record must be in the calls that write it.
    pub(super) fn check_members_carried(
        &mut self,
        members: &Membership,
        update: &[Update],
        create: Option<&Create>,
        entry: &Entry,
    ) {
        if !matches!(members.change, MembershipChange::Record) {
            return;
        }
        let place = members.list.inline().and_then(|inline| inline.write.as_ref()).map(|(place, _)| place.names());
        let holds_place = |call: &Call| place.map_or_else(|| call.holds_fields(), |place| call.holds_field(place));
        let holds = |call: &Call| holds_place(call) || call.uses_any(&[Root::Members]);
        let carried = update.iter().any(|update| matches!(update.carries, Carries::Rest) && holds_place(&update.call));
        let missing = match create {
            _ if !carried => "`update`",
            Some(create) if !holds(&create.call) => "`create`",
            _ => return,
        };
        self.error(
            Code::NotCarried,
            entry.key_span,
            format!("members are written with the record, but no {missing} call carries what the attribute map writes"),
            "describe `add` and `remove`, or `set`, or write `mutability: readOnly`",
        );
    }
}
