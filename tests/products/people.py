"""The life of people."""
from product import flat
from web import segment

SEEDED = 300
CORE_USER = "urn:ietf:params:scim:schemas:core:2.0:User"


def discovery(life):
    """What is published is what the product holds."""
    config = life.scim("GET", "/ServiceProviderConfig", expect=200).json
    life.equal((config["patch"]["supported"], config["bulk"]["supported"], config["filter"]["supported"]), (True, True, True), "abilities")
    kinds = {kind["name"] for kind in life.scim("GET", "/ResourceTypes", expect=200).json["Resources"]}
    life.equal(kinds, {"User", "Group"}, "resource types")
    published = {schema["id"]: schema["attributes"] for schema in life.scim("GET", "/Schemas", expect=200).json["Resources"]}
    for name in ("emails", "active", "title", "displayName", "name"):
        held = any(path == name or path.startswith(name + ".") for path in life.product.HOLDS)
        there = any(attribute["name"] == name for attribute in published[CORE_USER])
        life.equal(there, held, f"whether {name} is published")


def create_and_read(life):
    """What an identity provider sends by default is kept as far as the product can, and the rest is not echoed."""
    answer = life.scim("POST", "/Users", life.person("ada"), expect=201)
    user = answer.json
    life.equal(answer.headers.get("location"), f"{life.gateway.base}/Users/{segment(user['id'])}", "Location")
    life.equal("password" in user, False, "a password in the answer")
    life.holds(user["id"], userName="ada", name_givenName="Ann", emails_work="ada@example.org", title="Guide", active=True)
    life.equal(flat(user), flat(life.scim("GET", f"/Users/{user['id']}", expect=200).json), "what is read, against the answer to POST")


def create_needs(life):
    """What the product insists on is asked for by name, and nothing is created."""
    before = life.product.people()
    life.scim("POST", "/Users", {"schemas": [CORE_USER]}, expect=400)
    if life.product.REQUIRED - {"userName"}:
        answer = life.scim("POST", "/Users", {"schemas": [CORE_USER], "userName": "bare"}, expect=400)
        life.equal(any(name.split(".")[0] in answer.json["detail"] for name in life.product.REQUIRED), True, "the detail names what is missing")
    life.equal(life.product.people(), before, "who is there")


def find_by_name(life):
    """Somebody is found by userName, in any case, and nobody by a name that nobody has."""
    user = life.create_user("grace")
    for text in ('userName eq "grace"', 'userName eq "GRACE"', 'USERNAME EQ "Grace"', f'id eq "{user["id"]}"'):
        life.equal([row["id"] for row in life.find(text)], [user["id"]], text)
    for text in ('userName eq "grac"', 'userName eq "nobody at all"', 'userName eq "../x"', 'userName eq "%"', 'userName eq "*"', 'userName eq ""'):
        life.equal(life.find(text), [], text)


def find_by_external_id(life):
    """Where it is held, it is found; where it is not, whoever asks is told so."""
    user = life.create_user("linus")
    if life.can("externalId"):
        life.equal([row["id"] for row in life.find('externalId eq "x-linus"')], [user["id"]], "who is found")
        life.equal(life.find('externalId eq "X-LINUS"'), [], "who has it in other letters")
    else:
        answer = life.scim("GET", "/Users", query={"filter": 'externalId eq "x-linus"'}, expect=400)
        life.equal(answer.json.get("scimType"), "invalidFilter", "scimType")


def filters(life):
    """Filters find those whom the product has, no more and no fewer."""
    names = life.product.people()
    wanted = {
        'userName sw "person01"': lambda name: name.startswith("person01"),
        'userName co "ERSON29"': lambda name: "erson29" in name,
        'userName ew "77"': lambda name: name.endswith("77"),
        'userName eq "person001" or userName eq "person300"': lambda name: name in ("person001", "person300"),
        'userName sw "person" and not (userName co "0")': lambda name: name.startswith("person") and "0" not in name,
        'userName gt "person298" and userName le "person300"': lambda name: "person298" < name <= "person300",
    }
    for text, matches in wanted.items():
        found = {row["userName"] for row in life.pages("/Users", 200, filter=text, attributes="userName")}
        life.equal(found, {name for name in names.values() if matches(name.lower())}, text)
    life.scim("GET", "/Users", query={"filter": 'userName eg "x"'}, expect=400)


def three_hundred(life):
    """Pages hold everybody once, whatever their size."""
    names = life.product.people()
    life.equal(len(names) >= SEEDED, True, "how many there are")
    for count in (100, 37):
        found = life.pages("/Users", count, attributes="userName")
        life.equal({row["id"]: row["userName"] for row in found}, names, f"everybody, by {count}")
        life.equal(len(found), len(names), f"how many, by {count}")
    beyond = life.scim("GET", "/Users", query={"startIndex": 5000, "count": 10}, expect=200).json
    life.equal((beyond["totalResults"], beyond["Resources"]), (len(names), []), "a page beyond the end")
    none = life.scim("GET", "/Users", query={"count": 0}, expect=200).json
    life.equal((none["totalResults"], none.get("Resources", [])), (len(names), []), "a page of nobody")


def sorted_pages(life):
    """The order that is asked for goes through all pages."""
    found = life.pages("/Users", 100, sortBy="userName", sortOrder="descending", attributes="userName", filter='userName sw "person"')
    seen = [row["userName"] for row in found]
    life.equal(seen, sorted(seen, reverse=True), "the order")
    life.equal(len(seen), SEEDED, "how many")


def put(life):
    """PUT replaces what is sent, and clears what is not."""
    user = life.create_user("mary")
    name = {"givenName": "Mary", "familyName": "Jackson", "formatted": "Mary Jackson"}
    life.scim("PUT", f"/Users/{user['id']}", life.person("mary", name=name, title="Engineer"), expect=200)
    life.holds(user["id"], name_givenName="Mary", name_familyName="Jackson", title="Engineer", userName="mary")
    if life.can("title"):
        life.scim("PUT", f"/Users/{user['id']}", life.person("mary", name=name, title=None), expect=200)
        life.holds(user["id"], title=None, name_familyName="Jackson")
    same = life.person("mary", name=name, title=None)
    first = life.scim("PUT", f"/Users/{user['id']}", same, expect=200)
    again = life.scim("PUT", f"/Users/{user['id']}", same, expect=200)
    life.equal(flat(again.json), flat(first.json), "the same PUT again")


def patch_as_entra(life):
    """Capital letters, booleans in quotes, paths with filters, dotted names within a value."""
    user = life.create_user("katherine")
    operations = [
        {"op": "Replace", "path": "name.familyName", "value": "Johnson"},
        {"op": "Replace", "path": 'emails[type eq "work"].value', "value": "kj@example.org"},
        {"op": "Add", "path": "title", "value": "Mathematician"},
        {"op": "Replace", "path": "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:department", "value": "Orbits"},
        {"op": "Replace", "value": {"name.givenName": "Katherine", "externalId": "x-k"}},
    ]
    if life.can("active"):
        operations.append({"op": "Replace", "path": "active", "value": "True"})
    life.scim("PATCH", f"/Users/{user['id']}", life.patch(operations), expect=(200, 204))
    life.holds(user["id"], name_familyName="Johnson", name_givenName="Katherine", emails_work="kj@example.org", title="Mathematician",
               enterprise_department="Orbits", externalId="x-k", active=True, userName="katherine")


def patch_as_okta(life):
    """One replacement without a path; an answer with the resource."""
    user = life.create_user("dorothy")
    value = {"displayName": "Dorothy", "title": "Boss", "name": {"givenName": "Dorothy", "familyName": "Vaughan"}, "userName": "dorothy"}
    answer = life.scim("PATCH", f"/Users/{user['id']}", life.patch([{"op": "replace", "value": value}]), expect=200)
    life.equal(answer.json["userName"], "dorothy", "the answer")
    life.holds(user["id"], displayName="Dorothy", title="Boss", name_givenName="Dorothy", name_familyName="Vaughan")
    life.scim("PATCH", f"/Users/{user['id']}", life.patch([{"op": "replace", "value": {"password": "An0ther-Secret!"}}]), expect=(200, 204))
    life.agrees(user["id"])


def disable_and_enable(life):
    """In the ways of Entra ID, Okta and PUT; where there is no such state, nobody is told that there is."""
    user = life.create_user("annie")
    ways = [
        lambda state: ("PATCH", life.patch([{"op": "Replace", "path": "active", "value": str(state)}])),
        lambda state: ("PATCH", life.patch([{"op": "replace", "value": {"active": state}}])),
        lambda state: ("PUT", life.person("annie", active=state)),
    ]
    for way in ways:
        for state in (False, True):
            method, body = way(state)
            if life.can("active"):
                life.scim(method, f"/Users/{user['id']}", body, expect=(200, 204))
                life.holds(user["id"], active=state)
            elif not state:
                answer = life.scim(method, f"/Users/{user['id']}", body, expect=400)
                life.equal(answer.json.get("scimType"), "invalidValue", "scimType")
                life.agrees(user["id"])
    if life.can("active"):
        life.scim("PATCH", f"/Users/{user['id']}", life.patch([{"op": "replace", "path": "active", "value": False}]), expect=(200, 204))
        life.equal([row["id"] for row in life.find("active eq false") if row["id"] == user["id"]], [user["id"]], "found among the inactive")
        life.equal([row["id"] for row in life.find('active eq true and userName eq "annie"')], [], "found among the active")
        life.equal([row["active"] for row in life.find('userName eq "annie"')], [False], "found by name")


def rename(life):
    """A new name; where the name is the key, the answer has the new id, and the old one is gone."""
    user = life.create_user("beatrix")
    answer = life.scim("PATCH", f"/Users/{user['id']}", life.patch([{"op": "Replace", "path": "userName", "value": "beatrice"}]), expect=200)
    moved = answer.json["id"]
    life.equal(moved != user["id"], life.product.RENAME_MOVES, "whether the id is another")
    life.equal(answer.json["meta"]["location"], f"{life.gateway.base}/Users/{moved}", "meta.location")
    life.holds(moved, userName="beatrice")
    life.equal(life.find('userName eq "beatrix"'), [], "who has the old name")
    life.equal([row["id"] for row in life.find('userName eq "beatrice"')], [moved], "who has the new name")
    if life.product.RENAME_MOVES:
        life.scim("GET", f"/Users/{user['id']}", expect=404)
    back = life.scim("PUT", f"/Users/{moved}", life.person("beatrix"), expect=200).json["id"]
    life.holds(back, userName="beatrix")


def conflict(life):
    """A taken name is 409 uniqueness, for POST and for a rename, and nobody is changed by it."""
    first, second = life.create_user("hedy"), life.create_user("hedwig")
    before, people = life.product.held(first["id"]), life.product.people()
    for name in ("hedy", "HEDY"):
        answer = life.scim("POST", "/Users", life.person(name, title="Other"), expect=409)
        life.equal(answer.json.get("scimType"), "uniqueness", "scimType")
    answer = life.scim("PATCH", f"/Users/{second['id']}", life.patch([{"op": "replace", "path": "userName", "value": "hedy"}]), expect=409)
    life.equal(answer.json.get("scimType"), "uniqueness", "scimType of the rename")
    life.equal(life.product.held(first["id"]), before, "what the product holds of the first")
    life.equal(life.product.people(), people, "who is there")


def delete(life):
    """Whoever is deleted is gone, in SCIM and in the product; the second time it is 404."""
    user = life.create_user("leaver")
    life.scim("DELETE", f"/Users/{user['id']}", expect=204)
    life.equal(life.product.held(user["id"]), None, "what the product holds")
    life.scim("GET", f"/Users/{user['id']}", expect=404)
    life.scim("DELETE", f"/Users/{user['id']}", expect=404)
    life.equal(life.find('userName eq "leaver"'), [], "who is found")
    again = life.create_user("leaver")
    life.scim("DELETE", f"/Users/{again['id']}", expect=204)


def unknown_ids(life):
    """404 for whoever is not there, whatever the id looks like, and nothing is touched."""
    before = life.product.people()
    for key in ("nosuch", "99999999", "01", "deadbeef" * 4, "..", "%2e%2e", "a%2Fb", "%20", "%F0%9F%90%98", "*", "1%3Fx=y", "007"):
        life.scim("GET", f"/Users/{key}", expect=404)
        life.scim("DELETE", f"/Users/{key}", expect=404)
        life.scim("PATCH", f"/Users/{key}", life.patch([{"op": "replace", "path": "userName", "value": "intruder"}]), expect=404)
        life.scim("PUT", f"/Users/{key}", life.person("intruder"), expect=404)
        life.scim("GET", f"/Groups/{key}", expect=404)
    life.scim("DELETE", "/Users/%00", expect=(400, 404))
    life.equal(life.product.people(), before, "who is there")


def bulk(life):
    """Creations that refer to each other, changes, a conflict in its place, deletions."""
    rows = life.bulk([
        ("POST", "/Users", life.person("bulk1")),
        ("POST", "/Users", life.person("bulk2")),
        ("POST", "/Groups", {"displayName": "Bulk", "members": [{"value": "bulkId:b0"}, {"value": "bulkId:b1"}]}),
        ("POST", "/Users", life.person("person001")),
    ])
    life.equal([row["status"] for row in rows], ["201", "201", "201", "409"], "the results")
    ids = [row["location"].rpartition("/")[2] for row in rows[:3]]
    life.holds(ids[0], userName="bulk1")
    life.group_agrees(ids[2], ids[:2])
    rows = life.bulk([
        ("PATCH", f"/Users/{ids[0]}", life.patch([{"op": "replace", "path": "name.familyName", "value": "Bulked"}])),
        ("DELETE", f"/Users/{ids[1]}", None),
        ("DELETE", f"/Groups/{ids[2]}", None),
        ("DELETE", "/Users/nosuch", None),
    ])
    life.equal([row["status"][0] + row["status"][2] for row in rows[:3]], [f"2{rows[0]['status'][2]}", "24", "24"], "the results")
    life.equal(rows[3]["status"], "404", "the result for nobody")
    life.holds(ids[0], name_familyName="Bulked")
    life.equal((life.product.held(ids[1]), life.product.group(ids[2])), (None, None), "what is left")


PEOPLE_STEPS = [discovery, create_and_read, create_needs, find_by_name, find_by_external_id, filters, three_hundred, sorted_pages, put,
                patch_as_entra, patch_as_okta, disable_and_enable, rename, conflict, delete, unknown_ids, bulk]
