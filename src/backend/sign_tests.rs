use super::*;

/// RFC 4231 section 4.2 and 4.3.
#[test]
fn known_signatures() {
    let hex = |kind, key: &[u8], message: &[u8]| encoded(Encode::Hex, &mac(kind, key, message).unwrap());
    assert_eq!(hex(Hash::Sha256, &[0x0b; 20], b"Hi There"), "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7");
    assert_eq!(
        hex(Hash::Sha256, b"Jefe", b"what do ya want for nothing?"),
        "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"
    );
    assert_eq!(
        hex(Hash::Sha512, b"Jefe", b"what do ya want for nothing?"),
        "164b7a7bfcf819e2e395fbe73b56e0a387bd64222e831fd610270cd7ea2505549758bf75c05a994a6d034f65f8f0e6fdcaeab1a34d4a6b4b636e070a38bce737"
    );
}

/// FIPS 180-4, the digest of nothing.
#[test]
fn the_hash_of_no_body() {
    let empty = hash(Hash::Sha256, &bytes(&Full::default()));
    assert_eq!(encoded(Encode::Hex, &empty), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    assert_eq!(encoded(Encode::Base64, &empty), "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=");
    assert_eq!(bytes(&Full::new(Bytes::from_static(b"{}"))), "{}");
}
