use super::*;

fn endpoints() -> Vec<String> {
    vec!["/Users".to_owned(), "/Groups".to_owned(), "/hr/People".to_owned()]
}

fn user(id: &str) -> Route {
    Route::Resource { endpoint: "/Users".to_owned(), id: id.to_owned() }
}

#[test]
fn paths_name_routes() {
    let users = || "/Users".to_owned();
    let cases = [
        ("/scim/v2", Route::Root),
        ("/scim/v2/", Route::Root),
        ("/scim/v2/.search", Route::RootSearch),
        ("/scim/v2/Users", Route::Collection { endpoint: users() }),
        ("/scim/v2/Users/", Route::Collection { endpoint: users() }),
        ("/scim/v2/Users/.search", Route::Search { endpoint: users() }),
        ("/scim/v2/Users/2819c223", user("2819c223")),
        ("/scim/v2/Users/2819c223/", user("2819c223")),
        ("/scim/v2/Users/a%2Fb", user("a/b")),
        ("/scim/v2/Users/a%20b", user("a b")),
        ("/scim/v2/Users/a+b", user("a+b")),
        ("/scim/v2/Users/%C3%A4", user("ä")),
        ("/scim/v2/Users/bj@example.com", user("bj@example.com")),
        ("/scim/v2/Users/Me", user("Me")),
        ("/scim/v2/hr/People/7", Route::Resource { endpoint: "/hr/People".to_owned(), id: "7".to_owned() }),
        ("/scim/v2/ServiceProviderConfig", Route::ServiceProviderConfig),
        ("/scim/v2/ServiceProviderConfig/", Route::ServiceProviderConfig),
        ("/scim/v2/ResourceTypes", Route::ResourceTypes),
        ("/scim/v2/ResourceTypes/User", Route::ResourceType("User".to_owned())),
        ("/scim/v2/Schemas", Route::Schemas),
        (
            "/scim/v2/Schemas/urn:ietf:params:scim:schemas:core:2.0:User",
            Route::Schema("urn:ietf:params:scim:schemas:core:2.0:User".to_owned()),
        ),
        ("/scim/v2/Bulk", Route::Bulk),
        ("/scim/v2/Me", Route::Me),
    ];
    for (path, route) in cases {
        assert_eq!(resolve("/scim/v2", &endpoints(), path), Ok(route), "{path}");
    }
}

#[test]
fn bases_of_any_depth() {
    let users = Route::Collection { endpoint: "/Users".to_owned() };
    for (base, path) in [("", "/Users"), ("/scim", "/scim/Users"), ("/a/b/scim/v2", "/a/b/scim/v2/Users")] {
        assert_eq!(resolve(base, &endpoints(), path), Ok(users.clone()), "{path}");
    }
    assert_eq!(resolve("", &endpoints(), "/"), Ok(Route::Root));
}

#[test]
fn paths_refused() {
    let cases = [
        // ERR-14
        ("/scim/v2/Nope", 404, None, "/Users, /Groups"),
        ("/scim/v2/users", 404, None, "Did you mean /Users?"),
        ("/scim/v2/Users/1/2", 404, None, "/Users"),
        ("/scim/v2/ServiceProviderConfig/1", 404, None, "/Users"),
        ("/scim/v2/Schemas/a/b", 404, None, "/Users"),
        ("/scim/v2Users", 404, None, "/scim/v2"),
        ("/", 404, None, "/scim/v2"),
        ("*", 404, None, "/scim/v2"),
        ("/scim/v2/Users/..", 404, None, ".."),
        ("/scim/v2/Users/%2e%2E", 404, None, ".."),
        ("/scim/v2/Users//1", 400, None, "//"),
        ("/scim/v2//Users", 400, None, "//"),
        ("/scim/v2//", 400, None, "//"),
        ("/scim/v2/Users//", 400, None, "//"),
        ("/scim/v2/Users/%FF", 400, None, "UTF-8"),
        ("/scim/v2/Users/a%0Ab", 400, None, "control"),
        ("/scim/v2/Users/%00", 400, None, "control"),
        // VER-02
        ("/scim/v1/Users", 400, Some(ScimType::InvalidVers), "/scim/v2"),
        ("/scim/v9/Users/1", 400, Some(ScimType::InvalidVers), "/scim/v2"),
        ("/scim/v2/v1/Users", 404, None, "/Users"),
    ];
    for (path, status, scim_type, tells) in cases {
        let error = resolve("/scim/v2", &endpoints(), path).expect_err(path);
        assert_eq!((error.status, error.scim_type), (status, scim_type), "{path}: {error}");
        assert!(error.detail.contains(tells), "{path}: {error}");
    }
    for (base, path) in [("", "/v1/Users"), ("/scim", "/scim/v1/Users"), ("/v2", "/v3/Users")] {
        let error = resolve(base, &endpoints(), path).expect_err(path);
        assert_eq!((error.status, error.scim_type), (400, Some(ScimType::InvalidVers)), "{path}: {error}");
    }
}

#[test]
fn unknown_paths_are_not_echoed_at_length() {
    let error = resolve("", &endpoints(), &format!("/{}", "x".repeat(10_000))).unwrap_err();
    assert!(error.detail.len() < 400);
}
