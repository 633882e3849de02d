"""What every product has: an installation that lasts, data of its own for each run, and an API of its own."""
import os
import subprocess
import sys

from process import free_port

# The attributes of people that lives look at, by a flat name each.
FLAT = ("userName", "externalId", "displayName", "title", "active", "name.givenName", "name.familyName", "name.formatted",
        "emails.work", "enterprise.department", "enterprise.employeeNumber")
ENTERPRISE = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"


class CannotInstall(Exception):
    """This machine does not have what the product needs."""


class Product:
    name = ""
    # The flat names of what it holds of a person.
    HOLDS = frozenset()
    # What it insists on.
    REQUIRED = frozenset({"userName"})
    # Whether a person that has another name has another id.
    RENAME_MOVES = False
    # Whether groups can be renamed, and hold an externalId.
    GROUP_RENAMES = True
    GROUP_EXTERNAL_ID = False
    # What must never be in an answer or a log of the gateway.
    SECRETS = ()
    # Whether userName is found in any case.
    ANY_CASE = True
    READY_SECONDS = 120

    def __init__(self, cache, data):
        self.home = os.path.join(cache, self.name)
        self.data = data
        self.port = free_port()
        self.process = None

    # What each product says for itself:
    #   install()            makes sure that it is there; CannotInstall if it cannot be
    #   start(), stop()      begins with the data of the run, ends; several times in a run
    #   env(), wrong_env()   the variables of its mapping, with credentials that hold and with some that do not
    #   seed(count)          makes people by its own API: person001, person002, ...
    #   held(key)            what it holds of a person, by flat names; None if there is nobody
    #   people()             the keys of all people, with their names
    #   group(key)           what it holds of a group: displayName, externalId, members (a set of keys); None
    #   groups()             the keys of all groups, with their names
    #   traps(life)          its own steps

    def mapping(self):
        return os.path.join(os.path.dirname(__file__), "..", "..", "mappings", self.name, "mapping.yaml")

    def kill(self):
        self.process.kill()


def make_venv(home, program, requirements):
    """A virtual environment with these packages; once made, it is only looked at."""
    python, stamp = os.path.join(home, "venv", "bin", "python"), os.path.join(home, "installed.txt")
    wanted = "\n".join(requirements)
    if os.path.exists(os.path.join(home, "venv", "bin", program)) and os.path.exists(stamp):
        with open(stamp, encoding="utf-8") as file:
            if file.read() == wanted:
                return

    def run(*command):
        subprocess.run(command, check=True, timeout=600, stdout=sys.stderr)

    try:
        os.makedirs(home, exist_ok=True)
        if not os.path.exists(python):
            run(sys.executable, "-m", "venv", os.path.join(home, "venv"))
        run(python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", *requirements)
    except (OSError, subprocess.SubprocessError) as error:
        raise CannotInstall(str(error)) from error
    with open(stamp, "w", encoding="utf-8") as file:
        file.write(wanted)


def flat(resource):
    """A SCIM user by flat names."""
    def work(values):
        return next((value.get("value") for value in values or [] if value.get("type") == "work"), None)

    name, more = resource.get("name") or {}, resource.get(ENTERPRISE) or {}
    known = {"emails.work": work(resource.get("emails"))}
    for path in FLAT:
        head, _, tail = path.partition(".")
        if head == "name":
            known[path] = name.get(tail)
        elif head == "enterprise":
            known[path] = more.get(tail)
        elif path != "emails.work":
            known[path] = resource.get(path)
    return known
