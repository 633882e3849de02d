//! Whether what the backend compares can answer what SCIM compares.

use super::Compiler;
use super::calls::Surroundings;
use crate::mapping::convert::Converter;
use crate::mapping::diagnostics::Code;
use crate::mapping::model::{Field, Shape, Target};
use crate::mapping::source::Entry;
use crate::scim::filter::Op;
use crate::scim::schema::Type;

impl Compiler<'_> {
    /// Whether the backend's comparison can answer SCIM's; `by_table` if the mapping says what is sent for each value.
    pub(super) fn can_be_pushed_down(
        &mut self,
        target: &Target,
        op: Op,
        by_table: bool,
        entry: &Entry,
        around: Surroundings<'_>,
    ) -> bool {
        let name = &entry.key;
        let mut refuse = |reason: String, help: &str| {
            self.error(Code::BadFilter, entry.key_span, format!("`{name}`: {reason}"), help);
            false
        };
        let line = around.lines.iter().find(|mapped| {
            let own = &mapped.line.target;
            let is_column = !own.tags.is_empty() && own.same_top(target) && (target.sub.is_none() || own.sub == target.sub);
            own == target || own.sub.is_none() && own.same_top(target) || is_column
        });
        let Some(leaf) = target.resolve(around.kind).map(|reference| reference.leaf()) else { return false };
        if leaf.kind == Type::Complex && op != Op::Pr {
            return refuse(
                format!("`{}` has sub-attributes, so there is nothing to compare", target.attribute),
                "name one, as in `emails.value eq`",
            );
        }
        let Some(mapped) = line else {
            return refuse(
                "the attribute is not a line under `attributes`".to_owned(),
                "leave it out: ids are looked up by `get`, memberships by `members`, the rest by the gateway",
            );
        };
        if mapped.broken {
            return false;
        }
        let field = match &mapped.line.shape {
            Shape::Field(field) => Some(field),
            Shape::Each(each) => each.fields.iter().find(|(name, _)| Some(name) == target.sub.as_ref()).map(|(_, field)| field),
            Shape::Values(_) => None,
        };
        if field.is_some_and(|field| field.read.is_none()) {
            return refuse(
                "the attribute is only written, so nobody can filter by it".to_owned(),
                "leave it out, or tell under `attributes` where it is read",
            );
        }
        if leaf.kind == Type::Boolean && !matches!(op, Op::Eq | Op::Ne | Op::Pr) {
            return refuse("true and false are only equal or not (RFC 7644 Table 3)".to_owned(), "write `eq`");
        }
        let convert: &[Converter] = match (&mapped.line.shape, field) {
            (Shape::Values(values), _) => &values.convert,
            (_, Some(field)) => &field.convert,
            _ => &[],
        };
        let refers = matches!(field, Some(Field { refers: Some(_), .. }));
        if by_table {
            return true;
        }
        if refers && !matches!(op, Op::Eq | Op::Ne | Op::Pr) || convert.iter().any(|converter| !converter.keeps(op)) {
            return refuse(
                "the backend holds the value in another form, in which this comparison finds other rows".to_owned(),
                "leave it out: the gateway compares itself",
            );
        }
        true
    }
}
