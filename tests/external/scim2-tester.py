#!/usr/bin/env python3
"""Runs scim2-tester against a service and compares its findings with docs/scim2-tester.md.

  scim2-tester.py --base http://127.0.0.1:8080/scim/v2 --token demo [--runs N]

The table in that page is the list of known disagreements. A finding that is not in it fails; a line of it that no longer
occurs fails, too. The tester fills resources at random, so that several runs see more.
Exit status: 0 as listed, 1 not as listed, 2 usage.
"""

import argparse
import pathlib
import re
import sys

from httpx2 import Client
from scim2_client.engines.httpx2 import SyncSCIMClient
from scim2_tester import Status, check_server

PAGE = pathlib.Path(__file__).resolve().parents[2] / "docs" / "scim2-tester.md"
GOOD = {Status.SUCCESS, Status.COMPLIANT, Status.ACCEPTABLE}
# Fewer checks than this and the tester has not seen the service.
FEWEST = 100
ROW = re.compile(r"^\| `(?P<check>check_\w+)` \| (?P<type>\w+) \| `(?P<attribute>[^`]+)` \| (?P<kind>differs only in|says) `(?P<what>[^`]+)` \|")


class Known:
    """A line of the table."""

    def __init__(self, match):
        self.check, self.type, self.attribute = match["check"], match["type"], match["attribute"]
        self.kind, self.what = match["kind"], match["what"]
        self.seen = 0

    def covers(self, result):
        data = result.data if isinstance(result.data, dict) else {}
        if (result.title, result.resource_type, data.get("urn")) != (self.check, self.type, self.attribute):
            return False
        if self.kind == "says":
            return self.what in (result.reason or "")
        got = next((data[key] for key in ("modify_actual", "actual") if key in data), None)
        return "expected" in data and got is not None and without(data["expected"], self.what) == without(got, self.what)

    def __str__(self):
        return f"{self.check} {self.type} {self.attribute} {self.kind} {self.what}"


def without(value, name):
    """The value as plain data without the members of that name, and without what is empty.

    `schemas` goes, too: the tester keeps it in its own copy of an extension, where no resource has it."""
    if isinstance(value, list):
        return [without(item, name) for item in value]
    fields = getattr(type(value), "model_fields", None)
    if fields is None:
        return value
    members = {}
    for field, info in fields.items():
        member = getattr(value, field)
        if member is None or field == "schemas" or name in (info.alias, info.serialization_alias, camel(field)):
            continue
        members[field] = without(member, name)
    return members


def camel(field):
    first, *rest = field.split("_")
    return first + "".join(word.capitalize() for word in rest)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--base", required=True)
    parser.add_argument("--token", required=True)
    parser.add_argument("--runs", type=int, default=3)
    args = parser.parse_args()
    known = [Known(match) for match in map(ROW.match, PAGE.read_text(encoding="utf-8").splitlines()) if match]
    if not known:
        sys.exit(f"{PAGE} has no line that this script can read")
    bad = 0
    for run in range(1, args.runs + 1):
        with Client(base_url=args.base, headers={"Authorization": f"Bearer {args.token}"}, timeout=30) as client:
            results = check_server(SyncSCIMClient(client))
        good = sum(result.status in GOOD for result in results)
        findings = [result for result in results if result.status not in GOOD]
        print(f"run {run}: {good} checks passed, {len(findings)} did not")
        if good < FEWEST:
            print(f"  UNEXPECTED: only {good} checks passed; at least {FEWEST} should")
            bad += 1
        for known_one in known:
            known_one.seen = 0
        for finding in findings:
            match = next((one for one in known if one.covers(finding)), None)
            if match:
                match.seen += 1
                continue
            bad += 1
            print(f"  UNEXPECTED {finding.status.name} {finding.title} {finding.resource_type}: {finding.reason}")
        for one in known:
            if not one.seen:
                bad += 1
                print(f"  GONE: {one}: take it out of {PAGE.name}")
    print("as listed" if not bad else f"{bad} not as listed")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
