//! What XML 1.0 lets stand in a name and in a text.

/// Whether an element or an attribute can have that name (XML 1.0 section 2.3). Prefixes of namespaces are part of it.
pub fn is_name(text: &str) -> bool {
    let mut chars = text.chars();
    chars.next().is_some_and(begins) && chars.all(continues)
}

/// Whether a member of an object can have that name: an element's, `@` before an attribute's, or `#text`.
pub fn is_member(name: &str) -> bool {
    name == "#text" || is_name(name.strip_prefix('@').unwrap_or(name))
}

/// Whether a character can stand in a document at all, escaped or not (XML 1.0 section 2.2).
pub const fn is_char(c: char) -> bool {
    matches!(c, '\t' | '\n' | '\r' | '\u{20}'..='\u{D7FF}' | '\u{E000}'..='\u{FFFD}' | '\u{10000}'..)
}

const fn begins(c: char) -> bool {
    matches!(
        c,
        ':' | 'A'..='Z' | '_' | 'a'..='z'
            | '\u{C0}'..='\u{D6}' | '\u{D8}'..='\u{F6}' | '\u{F8}'..='\u{2FF}' | '\u{370}'..='\u{37D}' | '\u{37F}'..='\u{1FFF}'
            | '\u{200C}'..='\u{200D}' | '\u{2070}'..='\u{218F}' | '\u{2C00}'..='\u{2FEF}' | '\u{3001}'..='\u{D7FF}'
            | '\u{F900}'..='\u{FDCF}' | '\u{FDF0}'..='\u{FFFD}' | '\u{10000}'..='\u{EFFFF}'
    )
}

const fn continues(c: char) -> bool {
    begins(c) || matches!(c, '-' | '.' | '0'..='9' | '\u{B7}' | '\u{300}'..='\u{36F}' | '\u{203F}'..='\u{2040}')
}

#[cfg(test)]
mod tests {
    use super::{is_char, is_member, is_name};

    #[test]
    fn names() {
        for good in ["a", "user_name", "_x", "Überschrift", "a-b.c1", "soap:Body", "名"] {
            assert!(is_name(good), "{good}");
        }
        for bad in ["", "1a", "-a", ".a", "a b", "a>b", "a/b", "@a", "#text", "a\n", "a\u{D7}", "a\"b"] {
            assert!(!is_name(bad), "{bad}");
        }
        assert!(is_member("@id") && is_member("#text") && is_member("id"));
        assert!(!is_member("@") && !is_member("@@id") && !is_member("#comment") && !is_member("@1"));
    }

    #[test]
    fn characters() {
        assert!("\t\n\r é\u{FFFD}\u{10FFFF}".chars().all(is_char));
        assert!(!['\0', '\u{8}', '\u{B}', '\u{1F}', '\u{FFFE}', '\u{FFFF}'].into_iter().any(is_char));
    }
}
