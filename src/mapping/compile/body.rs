//! Bodies: what the attribute map writes, or a tree that is spelled out.

use serde_json::Value;

use super::call::{Names, Purpose, Shared};
use super::{Compiler, Keys, is_reference, known};
use crate::mapping::diagnostics::Code;
use crate::mapping::model::{Body, Format, Tree};
use crate::mapping::source::{Data, Entry, Node};
use crate::mapping::template::Template;

impl Compiler<'_> {
    /// The body of a call; `line` is where the call itself stands.
    pub(super) fn body(
        &mut self,
        keys: &Keys<'_>,
        line: &Node,
        names: &Names<'_>,
        shared: &Shared,
        purpose: Purpose,
    ) -> Option<Body> {
        let is_xml = matches!(shared.format, Format::Xml { .. });
        let body = match (keys.get("body"), purpose) {
            (Some(node), _) => {
                if let Some(entry) = keys.entry("with") {
                    self.error(
                        Code::BadValue,
                        entry.key_span,
                        "`with` adds to the body that the attribute map writes, but this body is spelled out",
                        "put it into `body`; what the attribute map writes is `{{fields}}` there",
                    );
                }
                let tree = self.tree(node, names);
                if let Some(tree) = tree.as_ref().filter(|_| is_xml) {
                    self.xml_body(node, tree);
                }
                // A form and a document have names at their tops; what the attribute map writes has them, too.
                let is_record = matches!(&tree, Some(tree @ Tree::Template(_)) if tree.is_object());
                match tree {
                    Some(_) if is_record && is_xml => Some(Body::Record { with: None }),
                    tree => tree.map(Body::Tree),
                }
            }
            (None, Purpose::Record) => {
                let with = keys.get("with").map(|node| self.with_tree(node, names));
                known(with).map(|with| Body::Record { with })
            }
            (None, Purpose::Read | Purpose::Act) => Some(Body::None),
        };
        if matches!(body, Some(Body::Record { .. })) {
            self.xml_root(&shared.format, line);
        }
        if let (Some(node), Some(Body::Tree(tree)), Format::Form) = (keys.get("body"), &body, &shared.format)
            && !tree.is_object()
        {
            self.error(
                Code::WrongShape,
                node.span,
                "a form has names, but this body has none",
                "write `name: value` lines below `body`, or `body: \"{{fields}}\"`",
            );
        }
        body
    }

    /// `with`: an object.
    fn with_tree(&mut self, node: &Node, names: &Names<'_>) -> Option<Tree> {
        self.entries(node, "with")?;
        self.tree(node, names)
    }

    pub(super) fn tree(&mut self, node: &Node, names: &Names<'_>) -> Option<Tree> {
        match &node.data {
            Data::Scalar { text, .. } if text.contains("{{") || self.found.is_some() && is_reference(text) => {
                self.template(node, names).map(Tree::Template)
            }
            Data::Scalar { .. } => Some(Tree::Literal(node.scalar().unwrap_or(Value::Null))),
            Data::Sequence(items) => {
                let items: Vec<Option<Tree>> = items.iter().map(|item| self.tree(item, names)).collect();
                items.into_iter().collect::<Option<Vec<_>>>().map(Tree::List)
            }
            Data::Mapping(entries) => {
                let member = |entry: &Entry| {
                    let name = self.template_text(&entry.key, entry.key_span, names);
                    name.zip(self.tree(&entry.value, names))
                };
                let members: Vec<Option<(Template, Tree)>> = entries.iter().map(member).collect();
                members.into_iter().collect::<Option<Vec<_>>>().map(Tree::Object)
            }
        }
    }
}
