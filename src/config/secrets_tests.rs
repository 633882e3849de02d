use secrecy::ExposeSecret;

use super::*;

struct Table;

impl Secrets for Table {
    fn variable(&self, name: &str) -> Result<Option<String>, SecretError> {
        Ok(match name {
            "TOKEN" => Some("s3cret".to_owned()),
            "NESTED" => Some("${TOKEN}".to_owned()),
            "EMPTY" => Some(String::new()),
            _ => None,
        })
    }

    fn file(&self, path: &str) -> Result<String, SecretError> {
        match path {
            "/unix" => Ok("from file\n".to_owned()),
            "/dos" => Ok("from file\r\n".to_owned()),
            "/two" => Ok("one\ntwo\n\n".to_owned()),
            "/blank" => Ok("\n".to_owned()),
            _ => Err(SecretError::File { path: path.to_owned(), reason: "not there".to_owned() }),
        }
    }
}

#[test]
fn references_are_followed() {
    let cases = [
        ("", "", false),
        ("plain", "plain", false),
        ("$5 {a}", "$5 {a}", false),
        ("${TOKEN}", "s3cret", true),
        ("Bearer ${TOKEN}!", "Bearer s3cret!", true),
        ("${TOKEN}${file:/unix}", "s3cretfrom file", true),
        ("${file:/dos}", "from file", true),
        ("${file:/two}", "one\ntwo\n", true),
        // What comes out is not looked at again.
        ("${NESTED}", "${TOKEN}", true),
        ("$${TOKEN}", "${TOKEN}", false),
        ("a$${b ${TOKEN}", "a${b s3cret", true),
    ];
    for (text, expected, reference) in cases {
        assert_eq!(resolve_with(text, &Table).unwrap().expose_secret(), expected, "{text}");
        assert_eq!(is_reference(text), reference, "{text}");
    }
}

#[test]
fn messages_give_advice() {
    let cases = [
        (
            "${NOPE}",
            "the environment variable NOPE is not set: set it where the gateway is started, or refer to a file with ${file:/path}",
        ),
        ("${EMPTY}", "the environment variable EMPTY is empty: give it a value"),
        (
            "${TOKEN",
            "`${` has no `}`: write ${NAME} for an environment variable, ${file:/path} for a file, $${ for the text itself",
        ),
        (
            "${MY-TOKEN}",
            "`MY-TOKEN` is no name of an environment variable: use letters, digits and _, as in ${SCIM_TOKEN}; a file is written ${file:/path}",
        ),
        (
            "${}",
            "`` is no name of an environment variable: use letters, digits and _, as in ${SCIM_TOKEN}; a file is written ${file:/path}",
        ),
        ("${file:/nope}", "the file /nope cannot be read (not there): check the path, and that the gateway's user may read it"),
        ("${file:/blank}", "the file /blank is empty: write the secret into it"),
    ];
    for (text, message) in cases {
        assert_eq!(resolve_with(text, &Table).unwrap_err().to_string(), message, "{text}");
    }
}

#[test]
fn the_process_reads_its_environment_and_files() {
    assert_eq!(resolve("${PATH}").unwrap().expose_secret(), std::env::var("PATH").unwrap());
    let manifest = concat!("${file:", env!("CARGO_MANIFEST_DIR"), "/rustfmt.toml}");
    assert!(resolve(manifest).unwrap().expose_secret().contains("max_width"));
    assert!(matches!(resolve("${file:/nonexistent/secret}"), Err(SecretError::File { .. })));
}

#[test]
fn files_are_bounded() {
    let lock = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.toml"));
    let size = std::fs::metadata(lock).unwrap().len();
    assert!(read_bounded(lock, size).unwrap().is_some());
    assert!(read_bounded(lock, size - 1).unwrap().is_none());
}
