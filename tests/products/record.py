#!/usr/bin/env python3
"""Records offline tests of a mapping: the product runs, the gateway talks to it through a proxy that notes calls and answers.

    tests/products/record.py jupyterhub|redmine|keystone --scimitar target/release/scimitar

writes mappings/PRODUCT/tests/recorded.yaml, which `scimitar test` runs without the product. What is to be recorded stands in
scenes.py. Secrets are replaced; what the gateway answers is written down as what is expected, and has to be read by whoever records.
"""
import argparse
import contextlib
import http.client
import json
import os
import re
import shutil
import sys
import tempfile
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlsplit

import scenes
from gateway import Gateway
from life import PRODUCTS

BACKEND = "https://backend.example.com"


class Proxy:
    """Between the gateway and the product. `calls` has what went through: when, what, and the answer."""

    def __init__(self, base):
        self.calls, self.lock = [], threading.Lock()
        # Logins are no part of a test: who the gateway is, is not what a mapping's tests are about.
        self.logins = ("/auth/tokens",)
        self.parts = urlsplit(base)
        proxy = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def forward(self):
                proxy.forward(self)

            do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = forward

            def log_message(self, *_):
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        self.base = f"http://127.0.0.1:{self.server.server_port}{self.parts.path}"

    def forward(self, handler):
        begin = time.monotonic()
        body = handler.rfile.read(int(handler.headers.get("Content-Length") or 0)) or None
        headers = {name: value for name, value in handler.headers.items() if name.lower() not in ("connection", "accept-encoding")}
        connection = http.client.HTTPConnection(self.parts.hostname, self.parts.port, timeout=60)
        connection.request(handler.command, handler.path, body, headers)
        answer = connection.getresponse()
        data = answer.read()
        connection.close()
        with self.lock:
            self.calls.append({"begin": begin, "end": time.monotonic(), "method": handler.command, "path": handler.path[len(self.parts.path):],
                               "headers": dict(handler.headers), "body": body and body.decode(), "status": answer.status,
                               "reply": data.decode("utf-8", "replace"), "reply_headers": dict(answer.getheaders())})
        handler.send_response(answer.status)
        for name, value in answer.getheaders():
            if name.lower() not in ("transfer-encoding", "connection", "content-length", "date", "server"):
                handler.send_header(name, value)
        if answer.status != 204:
            handler.send_header("Content-Length", str(len(data)))
        handler.end_headers()
        handler.wfile.write(data)

    def take(self):
        with self.lock:
            calls, self.calls = sorted(self.calls, key=lambda call: call["begin"]), []
        return [call for call in calls if call["path"] not in self.logins]


class Recorder:
    """What scenes are told by: `with recorder.test("name") as send: send("GET", "/Users")`."""

    def __init__(self, product, proxy, gateway, make_gateway):
        self.product, self.proxy, self.make_gateway = product, proxy, make_gateway
        self.gateway = gateway
        self.tests = []
        # Headers of calls that matter, members of bodies that differ each time, secrets and what stands for them.
        self.headers, self.random, self.secrets, self.reply_headers = (), (), {}, ()

    @contextlib.contextmanager
    def test(self, name, gateway=None):
        steps = []

        def send(method, path, body=None, exact=False):
            self.proxy.take()
            answer = (gateway or self.gateway).web.call(method, path.replace(" ", "%20").replace('"', "%22"), body)
            steps.append(self.step(method, path, body, answer, exact))
            return answer

        yield send
        lines = [f"- name: {quoted(name)}"]
        if len(steps) == 1:
            lines += ["  " + line for line in steps[0]]
        else:
            lines.append("  steps:")
            for step in steps:
                lines += ["    - " + step[0]] + ["      " + line for line in step[1:]]
        self.tests.append("\n".join(lines))

    def clean(self, text):
        for secret, instead in self.secrets.items():
            text = re.sub(secret, instead, text)
        return text.replace(self.product.web.base, BACKEND).replace(self.proxy.base, BACKEND)

    def step(self, method, path, body, answer, exact):
        target = f"{method} {path}"
        lines = [f"send: {quoted(target)}" if body is None else f"send: {{ {quoted(target)}: {self.clean(json.dumps(without(body, 'schemas')))} }}"]
        calls = self.proxy.take()
        if calls:
            lines.append("backend:")
            for group in side_by_side(calls):
                if len(group) > 1:
                    lines.append("  - any order:")
                    lines += ["      - " + self.call(call) for call in group]
                else:
                    lines.append("  - " + self.call(group[0]))
        expect = {"status": answer.status}
        if not calls:
            expect["calls"] = "none"
        if isinstance(answer.json, dict):
            if answer.status >= 400:
                expect.update({"scimType": answer.json["scimType"]} if "scimType" in answer.json else {})
            elif exact:
                expect["body"] = json.loads(json.dumps(answer.json).replace(self.gateway.base, "https://scim.test"))
            else:
                expect["contains"] = without(answer.json, "schemas", "meta", "$ref", "itemsPerPage", "startIndex")
        lines.append("expect: " + self.clean(json.dumps(expect, ensure_ascii=False)))
        return lines

    def call(self, call):
        said = {}
        headers = {name.lower(): value for name, value in call["headers"].items()}
        said["headers"] = {name: headers[name.lower()] for name in self.headers if name.lower() in headers}
        if call["body"]:
            body = json.loads(call["body"])
            less = without(body, *self.random)
            said["body" if less == body else "contains"] = less
        elif call["method"] != "GET":
            said["body"] = None
        said["status"] = call["status"]
        told = {name.lower(): value for name, value in call["reply_headers"].items()}
        said["replyHeaders"] = {name: told[name.lower()] for name in self.reply_headers if name.lower() in told}
        try:
            said["reply"] = json.loads(call["reply"])
        except ValueError:
            if call["reply"]:
                said["text"] = call["reply"]
        if said["status"] == (200 if "reply" in said else 204):
            del said["status"]
        said = {name: value for name, value in said.items() if value != {} or name == "reply"}
        target = f"{call['method']} {call['path']}"
        return f"{quoted(self.clean(target))}: {self.clean(json.dumps(said, ensure_ascii=False))}"


def quoted(text):
    return json.dumps(text, ensure_ascii=False)


def without(value, *names):
    if isinstance(value, dict):
        return {name: without(part, *names) for name, part in value.items() if name not in names}
    return [without(part, *names) for part in value] if isinstance(value, list) else value


def side_by_side(calls):
    """Calls that were under way at the same time may come in any order."""
    groups = []
    for call in calls:
        if groups and call["begin"] < max(other["end"] for other in groups[-1]):
            groups[-1].append(call)
        else:
            groups.append([call])
    return groups


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("product", choices=PRODUCTS)
    parser.add_argument("--scimitar", required=True)
    options = parser.parse_args()
    cache = os.environ.get("SCIMITAR_PRODUCTS") or os.path.join(
        os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache"), "scimitar-products")
    folder = tempfile.mkdtemp(prefix=f"scimitar-{options.product}-")
    product = PRODUCTS[options.product](cache, folder)
    product.install()
    gateways = []

    def make_gateway(name, env):
        gateways.append(Gateway(options.scimitar, os.path.abspath(product.mapping()), folder, name, env))
        return gateways[-1]

    try:
        product.start()
        proxy = Proxy(product.web.base)
        recorder = Recorder(product, proxy, make_gateway("gateway", product.env(proxy.base)), make_gateway)
        scenes.SCENES[options.product](recorder)
        path = os.path.join(os.path.dirname(os.path.abspath(product.mapping())), "tests", "recorded.yaml")
        with open(path, "w", encoding="utf-8") as file:
            file.write(f"# Recorded from {scenes.VERSIONS[options.product]} by tests/products/record.py; secrets are replaced.\ntests:\n")
            for test in recorder.tests:
                file.write("\n" + "".join(f"  {line}\n" for line in test.splitlines()))
        print(f"{len(recorder.tests)} tests in {os.path.relpath(path)}")
    finally:
        for gateway in gateways:
            gateway.process.kill()
        if product.process:
            product.kill()
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    sys.exit(main())
