"""What happens when the product, or the way to it, is not as it should be."""
import threading

from web import NoAnswer

CALLS = (
    ("GET", "/Users", None), ("GET", "/Users/{id}", None), ("GET", "/Users/99999999", None),
    ("GET", "/Users?filter=userName%20eq%20%22person001%22", None), ("POST", "/Users", "person"), ("PATCH", "/Users/{id}", "patch"),
    ("PUT", "/Users/{id}", "person"), ("DELETE", "/Users/{id}", None), ("GET", "/Groups", None), ("POST", "/Groups", "group"),
)


def requests(life, key):
    bodies = {None: None, "person": life.person("troubled2"), "group": {"displayName": "Troubled"},
              "patch": life.patch([{"op": "replace", "path": "userName", "value": "troubled3"}])}
    return [(method, path.replace("{id}", key), bodies[body]) for method, path, body in CALLS]


def wrong_credentials(life):
    """A gateway whose own credentials are refused says 502: it is no business of the client's, and nobody is missing."""
    user = life.create_user("troubled1")
    before = life.product.people()
    gateway = life.make_gateway("wrong", life.product.wrong_env())
    try:
        for method, path, body in requests(life, user["id"]):
            answer = gateway.web.call(method, path, body)
            life.equal((f"{method} {path}", answer.status), (f"{method} {path}", 502), "the status")
        life.equal("another" in gateway.logged(), False, "the credentials are in the log")
    finally:
        gateway.stop()
    life.equal(life.product.people(), before, "who is there")
    life.agrees(user["id"])


def stopped(life):
    """A product that is down is 503 with Retry-After, or 502, and never 404; afterwards everything is as before."""
    user = life.create_user("stopped1")
    before, held = life.product.people(), life.product.held(user["id"])
    life.product.stop()
    try:
        for method, path, body in requests(life, user["id"]):
            answer = life.scim(method, path, body, expect=(502, 503))
            life.equal(answer.status == 502 or "retry-after" in answer.headers, True, f"Retry-After of {method} {path}")
    finally:
        life.product.start()
    life.equal(life.product.people(), before, "who is there")
    life.equal(life.product.held(user["id"]), held, "what the product holds")
    life.agrees(user["id"])
    life.create_user("stopped2")


def killed_in_the_middle(life):
    """Killed while it is read from and written to: every answer is the whole truth or an error, and what was said to be created is."""
    total = len(life.product.people())
    answers, created, stop = [], [], threading.Event()

    def read():
        while not stop.is_set():
            answers.append(life.gateway.web.call("GET", "/Users", query={"filter": 'not (userName pr)'}))
            answers.append(life.gateway.web.call("GET", "/Users", query={"count": 200, "attributes": "userName"}))

    def write():
        number = 0
        while not stop.is_set():
            number += 1
            answer = life.gateway.web.call("POST", "/Users", life.person(f"middle{number}"))
            created.append((f"middle{number}", answer))

    threads = [threading.Thread(target=read), threading.Thread(target=write)]
    for thread in threads:
        thread.start()
    try:
        stop.wait(2)
        life.product.kill()
        stop.wait(1)
    finally:
        stop.set()
        for thread in threads:
            thread.join()
        life.product.start()
    life.equal({answer.status for answer in answers} <= {200, 502, 503}, True, "the answers to reading")
    for answer in answers:
        if answer.status == 200 and "filter" not in answer.url:
            life.equal(answer.json["totalResults"] >= total, True, "a list that was cut off")
    life.equal({answer.status for _, answer in created} <= {201, 502, 503}, True, "the answers to writing")
    there = life.product.people().values()
    for name, answer in created:
        if answer.status == 201:
            life.equal(name in there, True, f"{name} is there")
    life.equal(any(answer.status != 200 for answer in answers) or any(answer.status != 201 for _, answer in created), True, "something was cut off")
    life.create_user("middleafter")


TROUBLE_STEPS = [wrong_credentials, stopped, killed_in_the_middle]
