//! Client profiles: what to do where the RFCs contradict themselves or clients contradict them.
//!
//! Habits that can mean one thing only are understood under every profile where the RFC leaves room (capitalised
//! `op`, any case in names, one object where a list is meant). A profile decides the rest. `lenient` is the default:
//! all clients in docs/conformance.md work with it. `strict` follows the letter of RFC 7644.

/// The switches of a client profile.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Profile {
    /// The name, as settings and messages spell it.
    pub name: &'static str,
    /// `add` or `replace` on `emails[type eq "work"].value` without such a value creates the value from the filter
    /// (Entra ID; erratum 8097), where the RFC has `noTarget`. Only for filters made of `eq` and `and`.
    pub create_from_filter: bool,
    /// `remove` with a `value` removes just the listed values (Entra ID, JumpCloud, authentik, Salesforce), where the
    /// RFC ignores `value` and empties the attribute.
    pub remove_listed_values: bool,
    /// Attributes, sub-attributes and schema URNs that no schema defines are ignored in bodies (section 3.3 leaves it
    /// open; Okta, Entra ID and Keycloak send some), where the interoperability draft has 400.
    pub ignore_unknown: bool,
    /// Values are read in the type the schema asks for when only one reading exists: `"True"` as a boolean, `["x"]`
    /// or `"x"` for each other, `"id"` as `{"value": "id"}` (Entra ID, SCIM-SDK).
    pub coerce_values: bool,
    /// `""` in a PATCH or PUT unassigns an optional attribute (Entra ID's null update).
    pub empty_string_clears: bool,
    /// A message without `schemas` is taken for what its endpoint expects (midPoint, GitHub and GitLab examples).
    pub schemas_optional: bool,
    /// An attribute of an extension may be named without its URN if the core schema has none of that name (Entra ID's
    /// `manager`).
    pub bare_extension_names: bool,
    /// A comparison value may be a bare word (`userName eq bjensen`: authentik, Ping), `True` a boolean.
    pub bare_words: bool,
    /// `emails[type eq "work"].value eq "x"` is understood (Entra ID); not in the RFC's grammar.
    pub compare_after_value_path: bool,
    /// A successful PATCH of a group is answered by 204, as Entra ID recommends, unless `attributes` asks for a body.
    pub patch_group_no_content: bool,
    /// PUT keeps `active` and `password` where the body leaves them out: neither a surprise lock-out nor a surprise
    /// return (section 3.5.1 allows either).
    pub put_keeps_status: bool,
    /// `remove` on a filter that matches nothing succeeds (section 3.5.2.2), where Table 9 reads as `noTarget`.
    pub remove_unmatched_succeeds: bool,
    /// `attributes` counts where `excludedAttributes` is given too; section 3.9 calls them mutually exclusive, and without
    /// this switch both together are refused.
    pub attributes_over_excluded: bool,
}

impl Profile {
    /// Understands every client known; the default.
    pub const LENIENT: Self = Self {
        name: "lenient",
        create_from_filter: true,
        remove_listed_values: true,
        ignore_unknown: true,
        coerce_values: true,
        empty_string_clears: true,
        schemas_optional: true,
        bare_extension_names: true,
        bare_words: true,
        compare_after_value_path: true,
        patch_group_no_content: true,
        put_keeps_status: true,
        remove_unmatched_succeeds: true,
        attributes_over_excluded: true,
    };

    /// RFC 7643 and 7644 to the letter.
    pub const STRICT: Self = Self {
        name: "strict",
        create_from_filter: false,
        remove_listed_values: false,
        ignore_unknown: false,
        coerce_values: false,
        empty_string_clears: false,
        schemas_optional: false,
        bare_extension_names: false,
        bare_words: false,
        compare_after_value_path: false,
        patch_group_no_content: false,
        put_keeps_status: false,
        remove_unmatched_succeeds: true,
        attributes_over_excluded: false,
    };

    /// All profiles that a setting can name.
    pub const ALL: [&'static Self; 2] = [&Self::LENIENT, &Self::STRICT];

    /// The profile of that name.
    pub fn named(name: &str) -> Option<&'static Self> {
        Self::ALL.into_iter().find(|profile| profile.name == name)
    }
}

impl Default for Profile {
    fn default() -> Self {
        Self::LENIENT
    }
}
