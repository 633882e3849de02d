"""Redmine from the Debian packages, as an instance of its own with a copy of the packaged database (SQLite)."""
import os
import secrets
import shutil
import sqlite3
import subprocess
import sys

from process import Process, wait_until
from product import CannotInstall, Product
from web import NoAnswer, Web

KEY = "0123456789abcdef0123456789abcdef01234567"
PACKAGES = ["redmine", "redmine-sqlite", "ruby-sqlite3", "puma"]
TEMPLATE = "/var/lib/dbconfig-common/sqlite3/redmine/instances/default/redmine_default"


class Redmine(Product):
    name = "redmine"
    HOLDS = frozenset({"userName", "active", "name.givenName", "name.familyName", "emails.work"})
    REQUIRED = frozenset({"userName", "name.givenName", "name.familyName", "emails.work"})
    SECRETS = (KEY,)

    def install(self):
        if os.path.exists(TEMPLATE) and shutil.which("puma"):
            return
        if not shutil.which("apt-get") or os.geteuid() != 0:
            raise CannotInstall("the Debian packages " + ", ".join(PACKAGES) + " are not installed, and only root can install them")
        command = ["apt-get", "-o", "DPkg::Lock::Timeout=600", "install", "-y", "--no-install-recommends", *PACKAGES]
        try:
            subprocess.run(command, check=True, timeout=900, stdout=sys.stderr, env={**os.environ, "DEBIAN_FRONTEND": "noninteractive"})
        except (OSError, subprocess.SubprocessError) as error:
            raise CannotInstall(str(error)) from error

    def start(self):
        instance, database = os.path.join(self.data, "instance"), os.path.join(self.data, "redmine.sqlite")
        if not os.path.exists(database):
            for folder in ("config", "files", "log", "tmp/cache", "tmp/pids", "public/plugin_assets"):
                os.makedirs(os.path.join(instance, folder))
            with open(os.path.join(instance, "config", "database.yml"), "w", encoding="utf-8") as file:
                file.write(f"production:\n  adapter: sqlite3\n  database: {database}\n  timeout: 5000\n  pool: 8\n")
            with open(os.path.join(instance, "config", "secret_key.txt"), "w", encoding="utf-8") as file:
                file.write(secrets.token_hex(48))
            self.make_database(database)
        # The package puts the name behind /etc/redmine/ and the like: from there up to the root, and to the folder of the run.
        env = {"RAILS_ENV": "production", "REDMINE_INSTANCE": "../../../.." + instance, "HOME": self.data}
        command = ["puma", "-e", "production", "-b", f"tcp://127.0.0.1:{self.port}", "-t", "1:4", "-C", "/dev/null", "config.ru"]
        self.process = Process(command, os.path.join(self.data, "puma.log"), env, "/usr/share/redmine")
        self.web = Web(f"http://127.0.0.1:{self.port}", {"X-Redmine-API-Key": KEY})
        wait_until(self.is_ready, self.process, self.READY_SECONDS, self.name)

    def make_database(self, path):
        """The administrator has an API key, the REST API is on, and nobody reads without logging in: what a person would set once."""
        with sqlite3.connect(f"file:{TEMPLATE}?mode=ro", uri=True) as template, sqlite3.connect(path) as database:
            template.backup(database)
            for name, value in (("rest_api_enabled", "1"), ("login_required", "1"), ("notified_events", "--- []\n")):
                database.execute("delete from settings where name = ?", (name,))
                database.execute("insert into settings (name, value, updated_on) values (?, ?, datetime('now'))", (name, value))
            database.execute("update users set must_change_passwd = 0, status = 1 where login = 'admin'")
            (admin,) = database.execute("select id from users where login = 'admin'").fetchone()
            database.execute("delete from tokens where user_id = ? and action = 'api'", (admin,))
            database.execute("insert into tokens (user_id, action, value, created_on, updated_on)"
                             " values (?, 'api', ?, datetime('now'), datetime('now'))", (admin, KEY))

    def is_ready(self):
        try:
            return self.web.call("GET", "/users/current.json").status == 200
        except NoAnswer:
            return False

    def stop(self):
        self.process.stop()

    def allow_anonymous(self, is_allowed):
        """Whether anybody may read without logging in."""
        with sqlite3.connect(os.path.join(self.data, "redmine.sqlite")) as database:
            database.execute("update settings set value = ? where name = 'login_required'", (str(int(not is_allowed)),))
        self.stop()
        self.start()

    def env(self, url=None):
        return {"REDMINE_URL": url or self.web.base, "REDMINE_KEY": KEY}

    def wrong_env(self):
        return {**self.env(), "REDMINE_KEY": "f" * 40}

    def seed(self, count):
        for number in range(1, count + 1):
            name = f"person{number:03}"
            user = {"login": name, "firstname": f"P{number}", "lastname": "Seeded", "mail": f"{name}@example.org", "generate_password": True}
            assert self.web.call("POST", "/users.json", {"user": user}).status == 201

    def held(self, key):
        answer = self.web.call("GET", f"/users/{key}.json")
        if answer.status != 200:
            return None
        user = answer.json["user"]
        return {"userName": user["login"], "name.givenName": user["firstname"], "name.familyName": user["lastname"],
                "emails.work": user["mail"], "active": user["status"] == 1}

    def people(self):
        people, offset, total = {}, 0, 1
        while offset < total:
            page = self.web.call("GET", "/users.json", query={"status": "", "offset": offset, "limit": 100}).json
            people.update({str(user["id"]): user["login"] for user in page["users"]})
            offset, total = offset + 100, page["total_count"]
        return people

    def groups(self):
        return {str(group["id"]): group["name"] for group in self.web.call("GET", "/groups.json").json["groups"]}

    def group(self, key):
        answer = self.web.call("GET", f"/groups/{key}.json", query={"include": "users"})
        if answer.status != 200:
            return None
        group = answer.json["group"]
        return {"displayName": group["name"], "externalId": None, "members": {str(user["id"]) for user in group["users"]}}

    def traps(self, life):
        def locked_are_there():
            """Lists leave out who is locked unless asked, and say nothing of the state of those they have."""
            user = life.create_user("locked1", active=False)
            life.equal(self.held(user["id"])["active"], False, "what Redmine holds")
            found = life.find('userName eq "locked1"')
            life.equal([row["active"] for row in found], [False], "active of the one who is found")
            life.equal(user["id"] in {row["id"] for row in life.find("active eq false")}, True, "found among the inactive")
            life.equal(user["id"] in {row["id"] for row in life.find("active eq true")}, False, "found among the active")

        def locked_member():
            """Somebody who is locked stays in the groups, for SCIM as for Redmine."""
            user = life.create_user("locked2")
            group = life.create_group("Locked", members=[user["id"]])
            life.scim("PATCH", f"/Users/{user['id']}", life.patch([{"op": "replace", "path": "active", "value": False}]), expect=(200, 204))
            life.group_agrees(group["id"])
            life.scim("PATCH", f"/Groups/{group['id']}", life.patch([{"op": "add", "path": "members", "value": [{"value": user["id"]}]}]), expect=(200, 204))
            life.group_agrees(group["id"])

        def conflicts_by_text():
            """422 is a taken name and a wrong one; only the sentence tells which."""
            life.create_user("taken1")
            taken = life.scim("POST", "/Users", life.person("TAKEN1"), expect=409)
            life.equal(taken.json.get("scimType"), "uniqueness", "scimType of the taken name")
            mail = life.scim("POST", "/Users", {**life.person("other1"), "emails": life.person("taken1")["emails"]}, expect=409)
            life.equal(mail.json.get("scimType"), "uniqueness", "scimType of the taken address")
            wrong = life.scim("POST", "/Users", life.person("not a login!"), expect=400)
            life.equal(wrong.json.get("scimType"), "invalidValue", "scimType of the wrong name")
            life.equal("Login is invalid" in wrong.json["detail"], True, "Redmine's reason is told")

        def no_api_key():
            """Reading one user tells its API key; no answer of the gateway does."""
            user = life.create_user("keeper")
            key = self.web.call("GET", f"/users/{user['id']}.json").json["user"]["api_key"]
            told = life.scim("GET", f"/Users/{user['id']}", expect=200).text + life.scim("GET", "/Users", query={"filter": 'userName eq "keeper"'}, expect=200).text
            life.equal(key in told or "api_key" in told, False, "the key is told")

        def not_idempotent():
            """422 "User is invalid" is a member that is there already, and one that nobody knows."""
            user, other = life.create_user("twice1"), life.create_user("twice2")
            group = life.create_group("Twice", members=[user["id"]])
            add = life.patch([{"op": "add", "path": "members", "value": [{"value": user["id"]}, {"value": "99999"}, {"value": other["id"]}]}])
            life.scim("PATCH", f"/Groups/{group['id']}", add, expect=(200, 204))
            life.equal(self.group(group["id"])["members"], {user["id"], other["id"]}, "the members")
            life.scim("PATCH", f"/Groups/{group['id']}", life.patch([{"op": "add", "path": "members", "value": [{"value": user["id"]}]}]), expect=(200, 204))

        def anonymous_records():
            """Where anybody may read, a wrong key reads a part of a user, which must not pass for the whole; the list is refused."""
            user = life.create_user("partly")
            self.allow_anonymous(True)
            gateway = life.make_gateway("anonymous", self.wrong_env())
            try:
                bare = Web(self.web.base).call("GET", f"/users/{user['id']}.json")
                life.equal((bare.status, "status" in bare.json["user"]), (200, False), "what Redmine itself answers")
                life.equal(gateway.web.call("GET", f"/Users/{user['id']}").status, 502, "the status of one")
                life.equal(gateway.web.call("GET", "/Users").status, 502, "the status of the list")
            finally:
                gateway.stop()
                self.allow_anonymous(False)

        return [anonymous_records, locked_are_there, locked_member, conflicts_by_text, no_api_key, not_idempotent]
