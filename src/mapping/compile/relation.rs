//! `members`: membership as a relation between two resource types.

use super::Compiler;
use super::call::{Names, Purpose, Shared};
use crate::mapping::diagnostics::Code;
use crate::mapping::model::{Call, MemberCall, MemberList, Membership, UnknownMember};
use crate::mapping::source::Node;
use crate::mapping::template::{Root, Template, Variable};
use crate::mapping::vocabulary;

impl Compiler<'_> {
    pub(super) fn membership(&mut self, node: &Node, name: &str, shared: &Shared, types: &[&str]) -> Option<Membership> {
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
        let list = self
            .require(&keys, "list", "name the call that lists the members")
            .and_then(|node| self.member_list(node, name, "members", shared));
        let add = keys.get("add").map(|node| self.member_call(node, name, "add", shared));
        let remove = keys.get("remove").map(|node| self.member_call(node, name, "remove", shared));
        let groups = keys.get("groups").map(|node| self.member_list(node, name, "groups", shared));
        let unknown = keys.get("unknown").map_or(Some(UnknownMember::Skip), |node| {
            self.word(node, &[("skip", UnknownMember::Skip), ("refuse", UnknownMember::Refuse)])
        });
        if matches!((&add, &remove), (Some(_), None) | (None, Some(_))) {
            self.error(
                Code::MissingKey,
                keys.span,
                "members has one of `add` and `remove`, but not the other",
                "a client that can add must be able to remove: describe both calls, or neither",
            );
        }
        let given = |call: Option<Option<MemberCall>>| match call {
            Some(None) => Err(()),
            Some(call) => Ok(call),
            None => Ok(None),
        };
        let groups = match groups {
            Some(groups) => Some(groups?),
            None => None,
        };
        Some(Membership { of: of?, list: list?, add: given(add).ok()?, remove: given(remove).ok()?, groups, unknown: unknown? })
    }

    fn member_list(&mut self, node: &Node, name: &str, part: &str, shared: &Shared) -> Option<MemberList> {
        let (keys, line) = self.call_keys(node, &vocabulary::MEMBER_LIST)?;
        let call = self.call(format!("{name}.members.{part}"), &keys, line, &Names::KEY, shared, Purpose::Read);
        self.about_one(call.as_ref(), line);
        let items = self.items(&keys);
        let key = self.require(&keys, "key", "tell where the key is in a row: `key: $.user_id`").and_then(|node| self.path(node));
        let display = keys.get("display").map(|node| self.path(node));
        let paging = keys
            .get("pages")
            .map_or(Some(shared.paging.clone()), |node| self.paging(node, &format!("{name}.members.count"), shared));
        let display = match display {
            Some(path) => Some(path?),
            None => None,
        };
        Some(MemberList { call: call?, items: items?, paging: paging?, key: key?, display })
    }

    fn member_call(&mut self, node: &Node, name: &str, part: &str, shared: &Shared) -> Option<MemberCall> {
        let (keys, line) = self.call_keys(node, &vocabulary::MEMBER_CALL)?;
        let call = self.call(format!("{name}.members.{part}"), &keys, line, &Names::MEMBERS, shared, Purpose::Act);
        let batch = keys.get("batch").map_or(Some(1), |node| self.count(node));
        if let Some(call) = &call {
            self.check_member_call(call, batch.unwrap_or(1), line);
        }
        Some(MemberCall { call: call?, batch: batch? })
    }

    /// The call must name the group, and exactly the members of its batch.
    fn check_member_call(&mut self, call: &Call, batch: usize, line: &Node) {
        self.about_one(Some(call), line);
        let path_query_and_headers = call.path.iter().chain(call.query.iter().map(|(_, value)| value));
        let path_query_and_headers = path_query_and_headers.chain(call.headers.iter().map(|(_, value)| value));
        let whole = |variable: &Variable| variable.root == Root::Members && variable.steps.is_empty();
        let (problem, help) = if path_query_and_headers.flat_map(Template::variables).any(whole) {
            ("`{{members}}` is a list and can only stand in a body", "write `{{member}}`, with `batch: 1`")
        } else if !call.uses_any(&[Root::Member, Root::Members]) {
            ("the call does not name a member", "put `{{member}}` into the path, or `{{members}}` into the body")
        } else if batch > 1 && call.uses_any(&[Root::Member]) {
            ("`{{member}}` is one member, but `batch` is more", "write `{{members}}` in the body, or take `batch` out")
        } else {
            return;
        };
        self.error(Code::BadCall, line.span, problem, help);
    }
}
