"""What is recorded of each product as offline tests: what a mapping does, and the traps of the product."""

VERSIONS = {"jupyterhub": "JupyterHub 6.1.1", "redmine": "Redmine 5.0.4", "keystone": "Keystone 30.0.0"}


ENTERPRISE = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"


def patch(*operations):
    return {"Operations": list(operations)}


def replace(path, value):
    return {"op": "replace", "path": path, "value": value}


def add(*keys):
    return {"op": "add", "path": "members", "value": [{"value": key} for key in keys]}


def remove(key):
    return {"op": "remove", "path": f'members[value eq "{key}"]'}


def jupyterhub(recorder):
    hub = recorder.product.web
    recorder.headers = ("Accept",)
    hub.call("POST", "/users", {"usernames": ["ann", "bob", "carol"]})
    with recorder.test("a name is written in lower case, one name in a call") as send:
        send("POST", "/Users", {"userName": "Ada", "emails": [{"value": "ada@example.org"}], "active": True})
    with recorder.test("a taken name is 409") as send:
        send("POST", "/Users", {"userName": "ANN"})
    with recorder.test("a name that the hub does not take is 400") as send:
        send("POST", "/Users", {"userName": "a/b"})
    with recorder.test("a name is never sent as it is, in whatever case it comes") as send:
        send("PATCH", "/Users/ann", patch(replace("userName", "ann")))
        send("PATCH", "/Users/ann", patch(replace("userName", "ANN")))
        send("PUT", "/Users/ann", {"userName": "Ann"})
    with recorder.test("a rename gives another id") as send:
        send("PATCH", "/Users/ada", patch(replace("userName", "Lovelace")))
        send("GET", "/Users/ada")
    with recorder.test("a rename to a taken name is 409") as send:
        send("PATCH", "/Users/lovelace", patch(replace("userName", "bob")))
    with recorder.test("nobody can be switched off") as send:
        send("POST", "/Users", {"userName": "dan", "active": False})
        send("PATCH", "/Users/ann", patch({"op": "Replace", "path": "active", "value": "False"}))
        send("PUT", "/Users/ann", {"userName": "ann", "active": False})
    with recorder.test("somebody is found by name, and nobody by a part of it") as send:
        send("GET", '/Users?filter=userName eq "ANN"')
        send("GET", '/Users?filter=userName eq "an"')
        send("GET", '/Users?filter=userName co "A" and userName ew "N"')
        send("GET", '/Users?filter=userName sw "B"')
    with recorder.test("lists come in pages, with their total") as send:
        send("GET", "/Users?count=2")
        send("GET", "/Users?startIndex=3&count=2&attributes=userName")
        send("GET", "/Users?sortBy=userName&sortOrder=descending&count=2&attributes=userName")
    with recorder.test("a group begins with the members that the hub knows") as send:
        send("POST", "/Groups", {"displayName": "Physics 1", "externalId": "e-1", "members": [{"value": "ann"}, {"value": "nobody"}]})
        send("GET", "/Groups/Physics%201")
    with recorder.test("members come and go") as send:
        send("PATCH", "/Groups/Physics%201", patch(add("bob", "carol")))
        send("PATCH", "/Groups/Physics%201", patch(remove("bob")))
        send("PATCH", "/Groups/Physics%201", patch(remove("nobody")))
        send("PATCH", "/Groups/Physics%201", patch(add("nobody")))
    with recorder.test("the groups of somebody are in the record") as send:
        send("GET", "/Users/ann")
    with recorder.test("an externalId may change, unless the group has other properties") as send:
        send("PATCH", "/Groups/Physics%201", patch(replace("externalId", "e-2")))
        hub.call("PUT", "/groups/Physics%201/properties", {"externalId": "e-2", "colour": "red"})
        send("PATCH", "/Groups/Physics%201", patch(replace("externalId", "e-3")))
    with recorder.test("a group cannot be renamed") as send:
        send("PATCH", "/Groups/Physics%201", patch(replace("displayName", "Physics 2")))
    with recorder.test("groups are found by name, listed and deleted") as send:
        send("GET", '/Groups?filter=displayName eq "Physics 1"')
        send("GET", '/Groups?filter=displayName eq "physics 1"')
        send("GET", "/Groups?count=1&excludedAttributes=members")
        send("DELETE", "/Groups/Physics%201")
        send("DELETE", "/Groups/Physics%201")
    with recorder.test("a deleted user is gone") as send:
        send("DELETE", "/Users/carol")
        send("DELETE", "/Users/carol")
    wrong = recorder.make_gateway("wrong", {**recorder.product.wrong_env(), "JUPYTERHUB_URL": recorder.proxy.base})
    with recorder.test("a token that the hub refuses is no business of the client's", wrong) as send:
        send("GET", "/Users/ann")
        send("GET", "/Users?count=1")


def redmine(recorder):
    site = recorder.product.web
    recorder.random = ("password",)
    recorder.secrets = {r'("api_key": *")[0-9a-f]{40}': r"\g<1>" + "0" * 40}

    def user(login, **more):
        return {"userName": login, "name": {"givenName": "Ann", "familyName": "Lee"}, "emails": [{"value": f"{login}@example.org", "type": "work"}], **more}

    with recorder.test("a user gets a password that nobody knows") as send:
        ann = send("POST", "/Users", user("ann", externalId="x-1", displayName="Ann")).json["id"]
    with recorder.test("a user may begin locked") as send:
        bob = send("POST", "/Users", user("bob", active=False)).json["id"]
    with recorder.test("taken and wrong are told apart by the text") as send:
        send("POST", "/Users", {**user("cid"), "userName": "ANN"})
        send("POST", "/Users", {**user("cid"), "userName": "no login!"})
        send("POST", "/Users", {"userName": "cid"})
    with recorder.test("the API key in a record is told to nobody") as send:
        send("GET", f"/Users/{ann}", exact=True)
    with recorder.test("lists have the locked ones, and each state is read") as send:
        send("GET", "/Users?startIndex=2&count=2")
    with recorder.test("somebody locked is found, and nobody by a part of the name") as send:
        send("GET", '/Users?filter=userName eq "BOB"')
        send("GET", '/Users?filter=userName eq "bo"')
        send("GET", '/Users?filter=emails.value eq "bob@example.org"&attributes=userName')
    with recorder.test("the active ones are asked for") as send:
        send("GET", "/Users?filter=active eq true&attributes=userName")
    with recorder.test("switched off in the way of Entra ID, and on in that of Okta") as send:
        send("PATCH", f"/Users/{ann}", patch({"op": "Replace", "path": "active", "value": "False"}))
        send("PATCH", f"/Users/{ann}", patch({"op": "replace", "value": {"active": True}}))
    with recorder.test("only what differs is sent") as send:
        send("PUT", f"/Users/{ann}", user("ann", name={"givenName": "Ann", "familyName": "Mayer"}))
    with recorder.test("members come and go, and who is there already is no mistake") as send:
        group = send("POST", "/Groups", {"displayName": "Pilots", "members": [{"value": ann}]}).json["id"]
        send("PATCH", f"/Groups/{group}", patch(add(ann)))
        send("PATCH", f"/Groups/{group}", patch(add("99999", bob)))
        send("PATCH", f"/Groups/{group}", patch(remove(bob)))
        send("GET", f"/Groups/{group}")
    with recorder.test("a group is found by a walk, as the list takes no filter") as send:
        send("GET", '/Groups?filter=displayName eq "pilots"&attributes=displayName')
    with recorder.test("a taken name of a group is 409") as send:
        send("POST", "/Groups", {"displayName": "Pilots"})
    with recorder.test("a group gets another name, and is deleted") as send:
        send("PATCH", f"/Groups/{group}", patch(replace("displayName", "Aces")))
        send("DELETE", f"/Groups/{group}")
        send("DELETE", f"/Groups/{group}")
    with recorder.test("parts of a name are looked for by Redmine, and looked at again") as send:
        send("GET", '/Users?filter=userName sw "AN"&attributes=userName')
        send("GET", '/Users?filter=userName co "nn"&attributes=userName')
        send("GET", '/Users?filter=userName ew "ee"&attributes=userName')
    with recorder.test("the groups of a user are read with the user") as send:
        send("GET", '/Users?filter=userName eq "ann"&attributes=groups')
    with recorder.test("a deleted user is gone") as send:
        send("DELETE", f"/Users/{bob}")
        send("DELETE", f"/Users/{bob}")
        send("GET", "/Users/nobody")
    wrong = recorder.make_gateway("wrong", {**recorder.product.wrong_env(), "REDMINE_URL": recorder.proxy.base})
    with recorder.test("a key that Redmine refuses is no business of the client's", wrong) as send:
        send("GET", f"/Users/{ann}")
        send("POST", "/Users", user("dan"))
    recorder.product.allow_anonymous(True)
    with recorder.test("a part of a record is not taken for the whole", wrong) as send:
        send("GET", f"/Users/{ann}")


def keystone(recorder):
    service = recorder.product.web
    recorder.secrets = {"An0ther-Secret!": "given"}

    def person(name):
        return {"userName": name, "externalId": f"x-{name}", "name": {"givenName": "Ann", "familyName": "Lee"}, "active": True,
                "emails": [{"value": f"{name}@example.org", "type": "work", "primary": True}], "password": "An0ther-Secret!"}

    full = {**person("eve"), "displayName": "Eve E.", "nickName": "E", "title": "Guide", "userType": "Employee", "preferredLanguage": "cs",
            "locale": "cs-CZ", "timezone": "Europe/Prague",
            "name": {"formatted": "Dr. Eve F. Lee II", "givenName": "Eve", "middleName": "F.", "familyName": "Lee", "honorificPrefix": "Dr.", "honorificSuffix": "II"},
            "phoneNumbers": [{"value": "+420 1", "type": "work", "primary": True}, {"value": "+420 2", "type": "mobile"}],
            "addresses": [{"formatted": "Dlouha 1", "streetAddress": "Dlouha 1", "locality": "Praha", "region": "A", "postalCode": "110 00",
                           "country": "CZ", "type": "work", "primary": True}],
            ENTERPRISE: {"employeeNumber": "17", "costCenter": "4", "organization": "O", "division": "D", "department": "Tours"}}
    with recorder.test("what Keystone has no field for is kept beside the others") as send:
        eve = send("POST", "/Users", full).json["id"]
        fay = send("POST", "/Users", {**person("fay"), ENTERPRISE: {"manager": {"value": eve}}}).json["id"]
        send("GET", f"/Users/{fay}")
        service.call("DELETE", f"/users/{eve}")
        service.call("DELETE", f"/users/{fay}")
    with recorder.test("a user is looked for in any case, and then created") as send:
        ann = send("POST", "/Users", person("Ann")).json["id"]
    with recorder.test("a name that is taken in another case is 409") as send:
        send("POST", "/Users", person("ANN"))
    bob = service.call("POST", "/users", {"user": {"name": "bob", "email": "bob@example.org"}}).json["user"]["id"]
    with recorder.test("filters by a part of the name go without a limit") as send:
        send("GET", '/Users?filter=userName sw "B"&count=1&attributes=userName')
        send("GET", '/Users?filter=userName eq "BOB"&attributes=userName')
        send("GET", '/Users?filter=userName eq "bo"')
        send("GET", '/Users?filter=userName co "N"&attributes=userName')
    with recorder.test("the ones who are switched off are asked for") as send:
        send("GET", "/Users?filter=active eq false&attributes=userName")
    with recorder.test("a name that is taken, and one that is too long") as send:
        send("PATCH", f"/Users/{bob}", patch(replace("userName", "Ann")))
        send("PATCH", f"/Users/{bob}", patch(replace("userName", "x" * 300)))
    with recorder.test("who is found by what Keystone does not search by is found by a walk") as send:
        send("GET", '/Users?filter=externalId eq "x-Ann"&attributes=userName')
        send("GET", '/Users?filter=emails.value eq "nobody@example.org"')
    with recorder.test("lists follow the links of their pages") as send:
        send("GET", "/Users?startIndex=2&count=1&attributes=userName")
    with recorder.test("switched off in the way of Entra ID, and on in that of Okta") as send:
        send("PATCH", f"/Users/{ann}", patch({"op": "Replace", "path": "active", "value": "False"}))
        send("PATCH", f"/Users/{ann}", patch({"op": "replace", "value": {"active": True}}))
    with recorder.test("what is cleared is null from then on, and has no value") as send:
        send("PATCH", f"/Users/{ann}", patch({"op": "remove", "path": "externalId"}))
    service.call("PATCH", f"/users/{bob}", {"user": {"colour": "green"}})
    with recorder.test("only what differs is sent, so that what others keep stays") as send:
        send("PUT", f"/Users/{bob}", {"userName": "bob", "title": "Guide", "emails": [{"value": "bob@example.org", "type": "work"}]})
    with recorder.test("members come and go one by one") as send:
        group = send("POST", "/Groups", {"displayName": "Pilots", "externalId": "g-1", "members": [{"value": ann}, {"value": "nobody"}]}).json["id"]
        send("PATCH", f"/Groups/{group}", patch(add(ann), remove(bob)))
        send("PATCH", f"/Groups/{group}", patch(add("nobody")))
        send("GET", f"/Groups/{group}")
        send("PATCH", f"/Groups/{group}", patch(replace("displayName", "Aces")))
    with recorder.test("groups are found by name, listed and deleted") as send:
        send("GET", '/Groups?filter=displayName eq "ACES"&excludedAttributes=members')
        send("GET", '/Groups?filter=displayName sw "a" and displayName co "C"&excludedAttributes=members')
        send("GET", '/Groups?filter=displayName co "C"&excludedAttributes=members')
        send("GET", "/Groups?excludedAttributes=members")
        send("DELETE", f"/Groups/{group}")
        send("DELETE", f"/Groups/{group}")
    with recorder.test("a wrong type is refused before anything is sent") as send:
        send("POST", "/Users", {"userName": "cid", "active": "perhaps"})
    with recorder.test("a deleted user is gone") as send:
        send("DELETE", f"/Users/{bob}")
        send("DELETE", f"/Users/{bob}")
    recorder.product.break_database()
    with recorder.test("a failure of Keystone is 502") as send:
        send("GET", "/Users?count=1")


SCENES = {"jupyterhub": jupyterhub, "redmine": redmine, "keystone": keystone}
