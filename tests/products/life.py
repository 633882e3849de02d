#!/usr/bin/env python3
"""The life of people and groups in a real product, through `scimitar serve`: see run.sh."""
import argparse
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time

from gateway import TOKEN, Gateway
from groups import GROUP_STEPS
from people import PEOPLE_STEPS
from product import FLAT, CannotInstall, flat
from trouble import TROUBLE_STEPS
from jupyterhub import JupyterHub
from keystone import Keystone
from redmine import Redmine
from web import NoAnswer, segment

PRODUCTS = {product.name: product for product in (JupyterHub, Redmine, Keystone)}
SEEDED = 300
CORE = "urn:ietf:params:scim:schemas:core:2.0:"
PATCH = "urn:ietf:params:scim:api:messages:2.0:PatchOp"
BULK = "urn:ietf:params:scim:api:messages:2.0:BulkRequest"
ENTERPRISE = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"
CANNOT_INSTALL = 77
IDP = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "external", "idp", "idp-runner.py")


class Wrong(Exception):
    """Something is not as it must be."""


class Life:
    """A product with a gateway in front, and what the steps need to look at both."""

    def __init__(self, product, gateway, make_gateway):
        self.product, self.gateway, self.make_gateway = product, gateway, make_gateway

    # --- what is sent

    def scim(self, method, path, body=None, query=None, expect=None, headers=None):
        answer = self.gateway.web.call(method, path, body, query, headers)
        wanted = (expect,) if isinstance(expect, int) else expect
        if wanted and answer.status not in wanted:
            raise Wrong(f"the status is {answer.status}, and should be {' or '.join(map(str, wanted))}")
        return answer

    def person(self, name, /, **more):
        """Somebody with all that an identity provider sends by default, whatever the product holds."""
        person = {"schemas": [CORE + "User", ENTERPRISE], "userName": name, "externalId": f"x-{name.lower()}", "displayName": f"{name} Lee",
                  "name": {"givenName": "Ann", "familyName": "Lee", "formatted": "Ann Lee"}, "title": "Guide",
                  "emails": [{"value": f"{name.lower().replace(' ', '')}@example.org", "type": "work", "primary": True}],
                  ENTERPRISE: {"department": "Tours", "employeeNumber": "17"}}
        if "active" in self.product.HOLDS:
            person["active"] = True
        person.update(more)
        return {key: value for key, value in person.items() if value is not None}

    @staticmethod
    def patch(operations):
        return {"schemas": [PATCH], "Operations": operations}

    def create_user(self, name, /, **more):
        user = self.scim("POST", "/Users", self.person(name, **more), expect=201).json
        self.agrees(user["id"])
        return user

    def create_group(self, name, /, members=(), **more):
        group = {"schemas": [CORE + "Group"], "displayName": name, "members": [{"value": key} for key in members], **more}
        return self.scim("POST", "/Groups", group, expect=201).json

    def bulk(self, operations, **more):
        rows = [{"method": method, "path": path, "data": data, **({"bulkId": f"b{number}"} if method == "POST" else {})}
                for number, (method, path, data) in enumerate(operations)]
        rows = [{key: value for key, value in row.items() if value is not None} for row in rows]
        return self.scim("POST", "/Bulk", {"schemas": [BULK], "Operations": rows, **more}, expect=200).json["Operations"]

    def find(self, text, path="/Users"):
        return self.scim("GET", path, query={"filter": text}, expect=200).json["Resources"]

    def pages(self, path, count, **query):
        """All resources, page by page, as an identity provider reads them."""
        found, start = [], 1
        while True:
            page = self.scim("GET", path, query={"startIndex": start, "count": count, **query}, expect=200).json
            self.equal(len(page["Resources"]), page["itemsPerPage"], "itemsPerPage")
            found += page["Resources"]
            start += len(page["Resources"])
            if start > page["totalResults"] or not page["Resources"]:
                self.equal(len(found), page["totalResults"], "all pages together")
                return found

    # --- what must be so

    @staticmethod
    def equal(seen, wanted, what):
        if seen != wanted:
            raise Wrong(f"{what}: {shown(seen)}, and should be {shown(wanted)}")

    def agrees(self, key):
        """What SCIM says of somebody is what the product holds, and nothing else."""
        said, held = flat(self.scim("GET", f"/Users/{segment(key)}", expect=200).json), self.product.held(key)
        if held is None:
            raise Wrong(f"the product does not have {key}")
        for name in FLAT:
            self.equal(said[name], held[name] if name in self.product.HOLDS else None, f"{name} in SCIM, against the product")
        return said

    def holds(self, key, **wanted):
        """SCIM and the product agree, and hold this as far as the product can; `name_familyName` is name.familyName."""
        said = self.agrees(key)
        for name, value in wanted.items():
            name = name.replace("_", ".")
            if name in self.product.HOLDS:
                self.equal(said[name], value, name)

    def group_agrees(self, key, members=None):
        said, held = self.scim("GET", f"/Groups/{segment(key)}", expect=200).json, self.product.group(key)
        if held is None:
            raise Wrong(f"the product does not have the group {key}")
        self.equal(said["displayName"], held["displayName"], "displayName in SCIM, against the product")
        self.equal(said.get("externalId"), held["externalId"], "externalId in SCIM, against the product")
        self.equal({member["value"] for member in said.get("members", [])}, held["members"], "members in SCIM, against the product")
        if members is not None:
            self.equal(held["members"], set(members), "members in the product")

    def can(self, name):
        return name in self.product.HOLDS


def shown(value):
    text = json.dumps(sorted(value) if isinstance(value, set) else value, ensure_ascii=False, default=str)
    return text if len(text) < 400 else text[:400] + "..."


def run_steps(life, steps):
    """A line a step. Gives the number of those that failed."""
    failed = 0
    for step in steps:
        life.gateway.web.said.clear()
        life.product.web.said.clear()
        begin = time.monotonic()
        reason = None
        try:
            skipped = step()
        except (Wrong, NoAnswer, KeyError, IndexError, TypeError, AttributeError, AssertionError, RuntimeError) as error:
            reason = f"{type(error).__name__}: {error}"
        millis = int((time.monotonic() - begin) * 1000)
        name = step.__name__.replace("_", " ")
        if reason is None:
            print(f"{'ok    ' if not skipped else 'skip  '} {millis:6} ms  {name}{': ' + skipped if skipped else ''}", flush=True)
            continue
        failed += 1
        print(f"FAILED {millis:6} ms  {name}: {(step.__doc__ or '').strip()}\n   {reason}")
        for title, web in (("to the gateway", life.gateway.web), ("to the product", life.product.web)):
            print(f"   the last calls {title}:")
            for answer in list(web.said)[-4:]:
                print("   " + str(answer).replace("\n", "\n   "))
        sys.stdout.flush()
    return failed


def bound(steps, life):
    def bind(step):
        made = lambda: step(life)
        made.__name__, made.__doc__ = step.__name__, step.__doc__
        return made
    return [bind(step) for step in steps]


def no_secret(life):
    """No answer and no log of the gateway holds a secret."""
    said = "\n".join(life.gateway.web.texts) + life.gateway.logged()
    for secret in (*life.product.SECRETS, TOKEN):
        life.equal(secret in said, False, "a secret is told")


def idp_cases(life):
    """The cases of identity providers pass, but for those that the list says do not fit, which must not."""
    expected = os.path.join(os.path.dirname(os.path.abspath(__file__)), "unfit", f"{life.product.name}.tsv")
    command = [sys.executable, IDP, "--base", life.gateway.base, "--token", TOKEN, "--timeout", "90", "--unfit", expected,
               "--json", os.path.join(os.path.dirname(life.gateway.log), "idp.json")]
    done = subprocess.run(command, capture_output=True, text=True, timeout=900)
    lines = done.stdout.splitlines()
    if done.returncode != 0:
        raise Wrong("\n   " + "\n   ".join(line for line in lines + done.stderr.splitlines() if not line.startswith(("PASS", "UNFIT"))))
    print("        " + lines[-1])


def live(name, options):
    cache = options.cache or os.environ.get("SCIMITAR_PRODUCTS") or os.path.join(
        os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache"), "scimitar-products")
    folder = tempfile.mkdtemp(prefix=f"scimitar-{name}-")
    product = PRODUCTS[name](cache, folder)
    begin = time.monotonic()
    try:
        product.install()
    except CannotInstall as error:
        print(f"{name} cannot be installed here: {error}")
        shutil.rmtree(folder)
        return CANNOT_INSTALL
    if options.only == "install":
        shutil.rmtree(folder)
        return 0
    print(f"{name} is installed ({time.monotonic() - begin:.1f} s)", flush=True)
    begin = time.monotonic()
    failed = 1
    gateways = []

    def make_gateway(title, env):
        gateways.append(Gateway(options.scimitar, os.path.abspath(product.mapping()), folder, title, env))
        return gateways[-1]

    try:
        product.start()
        product.seed(SEEDED)
        print(f"{name} runs with {SEEDED} people ({time.monotonic() - begin:.1f} s)", flush=True)
        life = Life(product, make_gateway("gateway", product.env()), make_gateway)
        begin = time.monotonic()
        failed = 0
        if options.only in (None, "life"):
            steps = bound(PEOPLE_STEPS + GROUP_STEPS, life) + product.traps(life) + bound(TROUBLE_STEPS, life)
            failed += run_steps(life, [step for step in steps if not options.step or options.step in step.__name__])
        if options.only in (None, "idp"):
            failed += run_steps(life, bound([idp_cases], life))
        failed += run_steps(life, bound([no_secret], life))
        print(f"{name}: {'all passed' if not failed else f'{failed} failed'} ({time.monotonic() - begin:.1f} s)", flush=True)
    finally:
        for gateway in gateways:
            gateway.process.kill()
        if product.process:
            product.kill()
        if options.keep:
            print(f"what {name} and the gateway wrote is in {folder}")
        else:
            shutil.rmtree(folder, ignore_errors=True)
    return 1 if failed else 0


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("product", choices=PRODUCTS)
    parser.add_argument("--scimitar", required=True, help="the program")
    parser.add_argument("--cache", help="where products are installed")
    parser.add_argument("--only", choices=("install", "life", "idp"))
    parser.add_argument("--step", help="only steps with this in their name")
    parser.add_argument("--time", type=int, default=900, help="seconds for all of it")
    parser.add_argument("--keep", action="store_true", help="keep data and logs of the run")
    options = parser.parse_args()

    def too_long(*_):
        raise SystemExit(f"{options.product} took longer than {options.time} s")

    signal.signal(signal.SIGALRM, too_long)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    signal.alarm(options.time)
    return live(options.product, options)


if __name__ == "__main__":
    sys.exit(main())
