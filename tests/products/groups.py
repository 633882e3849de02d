"""The life of groups and their members."""
from web import segment


def create_a_group(life):
    """With members, of whom one is not known: the others are in, and the list says nothing that is not so."""
    ann, bob = life.create_user("gann")["id"], life.create_user("gbob")["id"]
    group = life.create_group("Pilots", [ann, bob, "99999999"], externalId="g-1")
    life.equal(group["displayName"], "Pilots", "displayName")
    life.group_agrees(group["id"], [ann, bob])
    if life.product.GROUP_EXTERNAL_ID:
        life.equal(life.product.group(group["id"])["externalId"], "g-1", "externalId in the product")
        life.equal([row["id"] for row in life.find('externalId eq "g-1"', "/Groups")], [group["id"]], "who is found by externalId")
    life.equal([row["id"] for row in life.find('displayName eq "Pilots"', "/Groups")], [group["id"]], "who is found by displayName")
    life.equal(life.find('displayName eq "Pilot"', "/Groups"), [], "who is found by a part of it")
    lean = life.scim("GET", "/Groups", query={"filter": 'displayName eq "Pilots"', "excludedAttributes": "members"}, expect=200).json
    life.equal("members" in lean["Resources"][0], False, "members that are not wanted")


def groups_of_a_user(life):
    """A user's groups are those that have the user as a member."""
    ann = life.create_user("hann")["id"]
    made = [life.create_group(name, [ann])["id"] for name in ("Choir", "Band")]
    groups = life.scim("GET", f"/Users/{ann}", expect=200).json.get("groups", [])
    life.equal({group["value"] for group in groups}, set(made), "groups")
    listed = life.scim("GET", "/Users", query={"filter": 'userName eq "hann"', "attributes": "groups"}, expect=200).json["Resources"]
    life.equal({group["value"] for group in listed[0].get("groups", [])}, set(made), "groups in a list")
    found = life.find(f'groups.value eq "{made[0]}" and userName sw "h"')
    life.equal([row["id"] for row in found], [ann], "who is found by a group")
    found = life.find(f'members.value eq "{ann}"', "/Groups")
    life.equal({group["id"] for group in found}, set(made), "who is found by a member")


def members_as_entra(life):
    """Added one by one, added again, removed with a filter and with a list."""
    people = [life.create_user(name)["id"] for name in ("eone", "etwo", "ethree")]
    group = life.create_group("Entra")["id"]
    for key in (*people, people[0]):
        life.scim("PATCH", f"/Groups/{segment(group)}", life.patch([{"op": "Add", "path": "members", "value": [{"value": key}]}]), expect=(200, 204))
    life.group_agrees(group, people)
    life.scim("PATCH", f"/Groups/{segment(group)}", life.patch([{"op": "Remove", "path": f'members[value eq "{people[0]}"]'}]), expect=(200, 204))
    life.group_agrees(group, people[1:])
    life.scim("PATCH", f"/Groups/{segment(group)}", life.patch([{"op": "Remove", "path": "members", "value": [{"value": people[1]}]}]), expect=(200, 204))
    life.group_agrees(group, people[2:])
    life.scim("PATCH", f"/Groups/{segment(group)}", life.patch([{"op": "Remove", "path": f'members[value eq "{people[0]}"]'}]), expect=(200, 204))
    life.group_agrees(group, people[2:])


def members_as_okta(life):
    """The whole list, and the empty one, by PATCH and by PUT."""
    people = [life.create_user(name)["id"] for name in ("oone", "otwo", "othree")]
    made = life.create_group("Okta", people[:1])
    group = made["id"]
    for wanted in (people, people[1:], []):
        value = [{"value": key, "display": "shown"} for key in wanted]
        life.scim("PATCH", f"/Groups/{segment(group)}", life.patch([{"op": "replace", "path": "members", "value": value}]), expect=(200, 204))
        life.group_agrees(group, wanted)
    for wanted in (people[:2], people[2:], []):
        body = {"schemas": made["schemas"], "displayName": "Okta", "members": [{"value": key} for key in wanted]}
        life.scim("PUT", f"/Groups/{segment(group)}", body, expect=200)
        life.group_agrees(group, wanted)


def unknown_members(life):
    """Somebody who is not known is left out; a list of nobody else does not empty the group."""
    ann, bob = life.create_user("uann")["id"], life.create_user("ubob")["id"]
    group = life.create_group("Unknown", [ann])["id"]
    add = [{"value": "99999999"}, {"value": bob}]
    life.scim("PATCH", f"/Groups/{segment(group)}", life.patch([{"op": "add", "path": "members", "value": add}]), expect=(200, 204))
    life.group_agrees(group, [ann, bob])
    life.scim("PATCH", f"/Groups/{segment(group)}", life.patch([{"op": "replace", "path": "members", "value": [{"value": "99999999"}]}]), expect=400)
    life.group_agrees(group, [ann, bob])
    life.scim("PATCH", f"/Groups/{segment(group)}", life.patch([{"op": "remove", "path": 'members[value eq "99999999"]'}]), expect=(200, 204))
    life.group_agrees(group, [ann, bob])


def leavers_leave_groups(life):
    """Whoever is deleted is a member no more."""
    ann, bob = life.create_user("lann")["id"], life.create_user("lbob")["id"]
    group = life.create_group("Leavers", [ann, bob])["id"]
    life.scim("DELETE", f"/Users/{ann}", expect=204)
    life.group_agrees(group, [bob])


def rename_a_group(life):
    """A new name with the members as they are, or a refusal where the product has no way."""
    ann = life.create_user("rann")["id"]
    group = life.create_group("Old name", [ann])["id"]
    operations = life.patch([{"op": "Replace", "path": "displayName", "value": "New name"}])
    if life.product.GROUP_RENAMES:
        life.scim("PATCH", f"/Groups/{segment(group)}", operations, expect=(200, 204))
        life.equal(life.scim("GET", f"/Groups/{segment(group)}", expect=200).json["displayName"], "New name", "displayName")
    else:
        answer = life.scim("PATCH", f"/Groups/{segment(group)}", operations, expect=400)
        life.equal(answer.json.get("scimType"), "mutability", "scimType")
    life.group_agrees(group, [ann])


def conflict_of_groups(life):
    """A taken name is 409."""
    life.create_group("Taken")
    answer = life.scim("POST", "/Groups", {"schemas": ["urn:ietf:params:scim:schemas:core:2.0:Group"], "displayName": "Taken"}, expect=409)
    life.equal(answer.json.get("scimType"), "uniqueness", "scimType")
    life.equal(list(life.product.groups().values()).count("Taken"), 1, "how many the product has")


def list_and_delete_groups(life):
    """All groups are listed, with their members; a deleted one is gone, and its members are not."""
    ann = life.create_user("dann")["id"]
    group = life.create_group("Doomed", [ann])["id"]
    listed = life.pages("/Groups", 3)
    life.equal({row["id"]: row["displayName"] for row in listed}, life.product.groups(), "the groups")
    for row in listed:
        life.equal({member["value"] for member in row.get("members", [])}, life.product.group(row["id"])["members"], f"members of {row['displayName']}")
    life.scim("DELETE", f"/Groups/{segment(group)}", expect=204)
    life.scim("GET", f"/Groups/{segment(group)}", expect=404)
    life.scim("DELETE", f"/Groups/{segment(group)}", expect=404)
    life.equal("Doomed" in life.product.groups().values(), False, "whether the product has it")
    life.agrees(ann)


GROUP_STEPS = [create_a_group, groups_of_a_user, members_as_entra, members_as_okta, unknown_members, leavers_leave_groups, rename_a_group,
               conflict_of_groups, list_and_delete_groups]
