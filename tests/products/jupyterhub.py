"""JupyterHub: the hub alone, without a proxy and without servers, which its REST API does not need."""
import os

from process import Process, wait_until
from product import Product, make_venv
from web import NoAnswer, Web, segment

TOKEN = "hub-token-0123456789abcdef"
CONFIG = """
from jupyterhub.proxy import Proxy
class NoProxy(Proxy):
    async def start(self): pass
    async def stop(self): pass
    async def get_all_routes(self): return {{}}
    async def add_route(self, routespec, target, data): pass
    async def delete_route(self, routespec): pass
    async def check_routes(self, *args, **named): pass
c = get_config()
c.JupyterHub.proxy_class = NoProxy
c.JupyterHub.bind_url = c.JupyterHub.hub_bind_url = "http://127.0.0.1:{port}"
c.JupyterHub.db_url = "sqlite:///{data}/hub.sqlite"
c.JupyterHub.cookie_secret_file = "{data}/cookie_secret"
c.JupyterHub.authenticator_class = "dummy"
c.JupyterHub.spawner_class = "simple"
c.DummyAuthenticator.password = "dummy"
c.Authenticator.allow_all = True
c.JupyterHub.services = [{{"name": "scim", "api_token": "{token}"}}]
c.JupyterHub.load_roles = [{{"name": "scim", "services": ["scim"],
    "scopes": ["admin:users", "admin:groups", "list:users", "list:groups"]}}]
"""


class JupyterHub(Product):
    name = "jupyterhub"
    HOLDS = frozenset({"userName"})
    RENAME_MOVES = True
    GROUP_RENAMES = False
    GROUP_EXTERNAL_ID = True
    SECRETS = (TOKEN,)

    def install(self):
        make_venv(self.home, "jupyterhub", ["jupyterhub==6.1.1"])

    def start(self):
        config = os.path.join(self.data, "jupyterhub_config.py")
        with open(config, "w", encoding="utf-8") as file:
            file.write(CONFIG.format(port=self.port, data=self.data, token=TOKEN))
        program = os.path.join(self.home, "venv", "bin", "jupyterhub")
        self.process = Process([program, "-f", config], os.path.join(self.data, "hub.log"), cwd=self.data)
        self.web = Web(f"http://127.0.0.1:{self.port}/hub/api",
                       {"Authorization": f"token {TOKEN}", "Accept": "application/jupyterhub-pagination+json"})
        wait_until(self.is_ready, self.process, self.READY_SECONDS, self.name)

    def is_ready(self):
        try:
            return self.web.call("GET", "/users").status == 200
        except NoAnswer:
            return False

    def stop(self):
        self.process.stop()

    def env(self, url=None):
        return {"JUPYTERHUB_URL": url or self.web.base, "JUPYTERHUB_TOKEN": TOKEN}

    def wrong_env(self):
        return {**self.env(), "JUPYTERHUB_TOKEN": "another-token-0123456789"}

    def seed(self, count):
        names = [f"person{number:03}" for number in range(1, count + 1)]
        assert self.web.call("POST", "/users", {"usernames": names}).status == 201

    def held(self, key):
        answer = self.web.call("GET", f"/users/{segment(key)}")
        return {"userName": answer.json["name"]} if answer.status == 200 else None

    def rows(self, path):
        rows, offset = [], 0
        while offset is not None:
            page = self.web.call("GET", path, query={"offset": offset, "limit": 200}).json
            rows += page["items"]
            offset = page["_pagination"]["next"] and page["_pagination"]["next"]["offset"]
        return rows

    def people(self):
        return {row["name"]: row["name"] for row in self.rows("/users")}

    def groups(self):
        return {row["name"]: row["name"] for row in self.rows("/groups")}

    def group(self, key):
        answer = self.web.call("GET", f"/groups/{segment(key)}")
        if answer.status != 200:
            return None
        properties = answer.json["properties"]
        return {"displayName": answer.json["name"], "externalId": properties.get("externalId"), "members": set(answer.json["users"])}

    def traps(self, life):
        def unchanged_name():
            """A name that is sent as it is would lose the user: PATCH and PUT do not send it, in whatever case it comes."""
            user = life.create_user("samename")
            for name in ("samename", "SameName"):
                life.scim("PATCH", f"/Users/{user['id']}", life.patch([{"op": "replace", "path": "userName", "value": name}]), expect=(200, 204))
                life.scim("PATCH", f"/Users/{user['id']}", life.patch([{"op": "Replace", "value": {"userName": name}}]), expect=(200, 204))
                life.scim("PUT", f"/Users/{user['id']}", life.person("samename", userName=name), expect=200)
                life.agrees(user["id"])
            life.equal(None not in self.people(), True, "no user has lost its name")

        def one_case():
            """The hub looks for people in lower case when they log in, so that is how they are written."""
            user = life.create_user("MixedCase")
            life.equal(user["id"], "mixedcase", "the id")
            life.equal(self.held("MixedCase"), None, "nobody has the name in capitals")

        def taken_in_silence():
            """Of several names the hub skips those that exist; the gateway sends one, and the conflict is told."""
            life.create_user("taken1")
            answer = life.bulk([("POST", "/Users", life.person("taken1")), ("POST", "/Users", life.person("taken2"))])
            life.equal([row["status"] for row in answer], ["409", "201"], "the results of the Bulk")

        def properties_of_others():
            """The properties of a group are replaced as a whole: what others put there must stay."""
            group = life.create_group("Properties", externalId="e-1")
            self.web.call("PUT", f"/groups/{segment(group['id'])}/properties", {"externalId": "e-1", "colour": "red"})
            answer = life.scim("PATCH", f"/Groups/{segment(group['id'])}", life.patch([{"op": "replace", "path": "externalId", "value": "e-2"}]), expect=400)
            life.equal(answer.json.get("scimType"), "mutability", "scimType")
            held = self.web.call("GET", f"/groups/{segment(group['id'])}").json["properties"]
            life.equal(held, {"externalId": "e-1", "colour": "red"}, "the properties")

        def no_active():
            """There is no state that could be switched off, so nobody is told that it was."""
            answer = life.scim("POST", "/Users", life.person("inactive1", active=False), expect=400)
            life.equal(answer.json.get("scimType"), "invalidValue", "scimType")
            life.equal(self.held("inactive1"), None, "what the hub holds")

        return [unchanged_name, one_case, taken_in_silence, properties_of_others, no_active]
