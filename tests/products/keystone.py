"""OpenStack Keystone with SQLite, under gunicorn."""
import os
import sqlite3
import subprocess
import time

from process import Process, wait_until
from product import Product, make_venv
from web import NoAnswer, Web

PASSWORD = "a-password-of-the-tests"
CONFIG = """
[DEFAULT]
log_file = {data}/keystone.log
max_db_limit = 1000
[database]
connection = sqlite:///{data}/keystone.sqlite
[fernet_tokens]
key_repository = {data}/fernet
[fernet_receipts]
key_repository = {data}/fernet
[credential]
key_repository = {data}/credentials
[identity]
password_hash_algorithm = bcrypt
password_hash_rounds = 4
[cache]
enabled = true
backend = dogpile.cache.memory
[oslo_policy]
enforce_scope = true
"""
GUNICORN = """
wsgi_app = "keystone.wsgi.api:application"
bind = "127.0.0.1:{port}"
workers = 1  # with several, SQLite is "locked" now and then, which is 500
errorlog = "{data}/gunicorn.log"
control_socket_disable = True
"""


class Keystone(Product):
    name = "keystone"
    HOLDS = frozenset({"userName", "externalId", "displayName", "title", "active", "name.givenName", "name.familyName", "name.formatted",
                       "emails.work", "enterprise.department", "enterprise.employeeNumber"})
    GROUP_EXTERNAL_ID = True
    SECRETS = (PASSWORD,)

    def install(self):
        make_venv(self.home, "keystone-manage", ["keystone==30.0.0", "gunicorn"])

    def start(self):
        config, server = os.path.join(self.data, "keystone.conf"), os.path.join(self.data, "gunicorn.conf.py")
        self.environment = {"OS_KEYSTONE_CONFIG_FILES": config, "GUNICORN_CMD_ARGS": f"-c {server}"}
        if not os.path.exists(config):
            self.make_database(config)
        with open(server, "w", encoding="utf-8") as file:
            file.write(GUNICORN.format(data=self.data, port=self.port))
        # Keystone reads the arguments of the program, so gunicorn gets its own from the environment.
        program = os.path.join(self.home, "venv", "bin", "gunicorn")
        self.process = Process([program], os.path.join(self.data, "stdout.log"), self.environment, self.data)
        self.web = Web(f"http://127.0.0.1:{self.port}/v3")
        wait_until(self.is_ready, self.process, self.READY_SECONDS, self.name)
        self.web.headers["X-Auth-Token"] = self.log_in()
        self.let_gateway_in()

    def make_database(self, config):
        with open(config, "w", encoding="utf-8") as file:
            file.write(CONFIG.format(data=self.data))
        for folder in ("fernet", "credentials"):
            os.makedirs(os.path.join(self.data, folder), mode=0o700)
        manage = [os.path.join(self.home, "venv", "bin", "keystone-manage"), "--config-file", config]
        identity = ["--keystone-user", str(os.geteuid()), "--keystone-group", str(os.getegid())]
        
        def run(*arguments):
            with open(os.path.join(self.data, "setup.log"), "ab") as log:
                subprocess.run([*manage, *arguments], check=True, timeout=180, stdout=log, stderr=log, cwd=self.data)

        run("db_sync")
        run("fernet_setup", *identity)
        run("credential_setup", *identity)
        run("bootstrap", "--bootstrap-username", "admin", "--bootstrap-password", PASSWORD, "--bootstrap-project-name", "admin",
            "--bootstrap-role-name", "admin", "--bootstrap-service-name", "keystone", "--bootstrap-region-id", "RegionOne",
            "--bootstrap-public-url", f"http://127.0.0.1:{self.port}/v3")

    def let_gateway_in(self):
        """The gateway has a user of its own, the administrator of the domain."""
        if self.web.call("GET", "/users", query={"name": "gateway"}).json["users"]:
            return
        user = {"name": "gateway", "domain_id": "default", "password": PASSWORD}
        key = self.web.call("POST", "/users", {"user": user}).json["user"]["id"]
        role = self.web.call("GET", "/roles", query={"name": "admin"}).json["roles"][0]["id"]
        assert self.web.call("PUT", f"/domains/default/users/{key}/roles/{role}").status == 204

    def log_in(self):
        user = {"name": "admin", "domain": {"id": "default"}, "password": PASSWORD}
        body = {"auth": {"identity": {"methods": ["password"], "password": {"user": user}}, "scope": {"system": {"all": True}}}}
        return self.web.call("POST", "/auth/tokens", body).headers["x-subject-token"]

    def is_ready(self):
        try:
            return self.web.call("GET", "").status == 200
        except NoAnswer:
            return False

    def stop(self):
        self.process.stop()

    def break_database(self):
        """Nothing can be read from then on."""
        with sqlite3.connect(os.path.join(self.data, "keystone.sqlite")) as database:
            database.execute("alter table local_user rename to lost")

    def env(self, url=None):
        return {"KEYSTONE_URL": url or self.web.base, "KEYSTONE_USER": "gateway", "KEYSTONE_PASSWORD": PASSWORD, "KEYSTONE_DOMAIN": "default"}

    def wrong_env(self):
        return {**self.env(), "KEYSTONE_PASSWORD": "another"}

    def seed(self, count):
        for number in range(1, count + 1):
            name = f"person{number:03}"
            user = {"name": name, "email": f"{name}@example.org", "domain_id": "default", "externalId": f"seeded-{number}"}
            assert self.web.call("POST", "/users", {"user": user}).status == 201

    def held(self, key):
        answer = self.web.call("GET", f"/users/{key}")
        if answer.status != 200:
            return None
        user = answer.json["user"]
        return {"userName": user["name"], "active": user["enabled"], "emails.work": user.get("email"), "externalId": user.get("externalId"),
                "displayName": user.get("displayName"), "title": user.get("title"), "name.givenName": user.get("name_given"),
                "name.familyName": user.get("name_family"), "name.formatted": user.get("name_formatted"),
                "enterprise.department": user.get("department"), "enterprise.employeeNumber": user.get("employee_number")}

    def people(self):
        return {user["id"]: user["name"] for user in self.web.call("GET", "/users").json["users"]}

    def groups(self):
        return {group["id"]: group["name"] for group in self.web.call("GET", "/groups").json["groups"]}

    def group(self, key):
        answer = self.web.call("GET", f"/groups/{key}")
        if answer.status != 200:
            return None
        group = answer.json["group"]
        members = self.web.call("GET", f"/groups/{key}/users").json["users"]
        return {"displayName": group["name"], "externalId": group.get("externalId"), "members": {user["id"] for user in members}}

    def traps(self, life):
        def empty_page():
            """`limit` beside a filter by a part of the name gives an empty page: the gateway finds everybody."""
            last = max((key, name) for key, name in self.people().items() if name.startswith("person"))[1]
            bare = self.web.call("GET", "/users", query={"name__startswith": last, "limit": "1"}).json["users"]
            life.equal(bare, [], "what Keystone itself answers")
            life.equal([user["userName"] for user in life.find(f'userName eq "{last}"')], [last], "who is found by name")
            wanted = {name for name in self.people().values() if name.startswith("person1")}
            found = life.pages("/Users", 20, filter='userName sw "person1"')
            life.equal({user["userName"] for user in found}, wanted, "who is found")
            life.equal(len(found), len(wanted), "how many")

        def ignored_parameters():
            """Keystone answers with everybody to a parameter that it does not know; nobody is found who does not match."""
            user = life.create_user("searched")
            life.equal(len(self.web.call("GET", "/users", query={"email": "nobody@example.org"}).json["users"]) > 1, True, "everybody is there")
            for name, value in (("emails.value", user["emails"][0]["value"]), ("externalId", user["externalId"])):
                life.equal([row["id"] for row in life.find(f'{name} eq "{value}"')], [user["id"]], f"who is found by {name}")
                life.equal(life.find(f'{name} eq "nobody"'), [], f"who is found by another {name}")

        def html_of_500():
            """A wrong type is 500 and a page of HTML; SCIM's types are checked before, so it is 400 and nothing is sent."""
            life.equal(self.web.call("POST", "/users", {"user": {"name": "typed", "enabled": "yes"}}).status, 500, "what Keystone itself answers")
            life.scim("POST", "/Users", life.person("typed", active="perhaps"), expect=400)
            life.scim("POST", "/Users", life.person("typed", title={"a": 1}), expect=400)
            life.equal(life.find('userName eq "typed"'), [], "who is there")

        def tokens_end():
            """A token that Keystone refuses, because it has expired or was revoked, is renewed, and nobody notices."""
            user = life.create_user("renewed")
            (key,) = [key for key, name in self.people().items() if name == "gateway"]

            def revoke():
                # A changed password ends all tokens; those of the same second, too, which are made after it.
                life.equal(self.web.call("PATCH", f"/users/{key}", {"user": {"password": PASSWORD}}).status, 200, "the change of the password")
                time.sleep(1.5)

            revoke()
            life.agrees(user["id"])
            revoke()
            life.scim("PATCH", f"/Users/{user['id']}", life.patch([{"op": "replace", "path": "title", "value": "Chief"}]), expect=(200, 204))
            life.holds(user["id"], title="Chief")

        def two_cases():
            """SQLite lets ALICE live beside alice; SCIM's userName does not."""
            life.create_user("Alice1")
            life.scim("POST", "/Users", life.person("ALICE1"), expect=409)
            life.equal([row["userName"] for row in life.find('userName eq "aLICE1"')], ["Alice1"], "who is found")

        def unknown_remains():
            """What others keep in a user stays when SCIM changes it."""
            user = life.create_user("others1")
            self.web.call("PATCH", f"/users/{user['id']}", {"user": {"colour": {"eyes": "green"}}})
            life.scim("PUT", f"/Users/{user['id']}", life.person("others1", title="Chief"), expect=200)
            life.equal(self.web.call("GET", f"/users/{user['id']}").json["user"].get("colour"), {"eyes": "green"}, "what others keep")

        return [empty_page, ignored_parameters, html_of_500, tokens_end, two_cases, unknown_remains]
