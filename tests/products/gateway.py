"""`scimitar serve` in front of a product."""
import os

from process import Process, free_port, wait_until
from web import NoAnswer, Web

TOKEN = "a-token-of-the-tests"


class Gateway:
    def __init__(self, binary, mapping, folder, name, env, profile="lenient"):
        port = free_port()
        settings = os.path.join(folder, f"{name}.yaml")
        with open(settings, "w", encoding="utf-8") as file:
            file.write(f'listen: 127.0.0.1:{port}\nmapping: {mapping}\nprofile: {profile}\nlog: info\n'
                       f'clients: [{{ name: life, token: "{TOKEN}" }}]\n')
        self.base = f"http://127.0.0.1:{port}/scim/v2"
        self.log = os.path.join(folder, f"{name}.log")
        self.process = Process([binary, "serve", "--config", settings], self.log, env)
        self.web = Web(self.base, {"Authorization": f"Bearer {TOKEN}", "Content-Type": "application/scim+json"}, keeps_texts=True)
        wait_until(self.answers, self.process, 30, "the gateway")

    def answers(self):
        try:
            return self.web.call("GET", "/ServiceProviderConfig").status == 200
        except NoAnswer:
            return False

    def stop(self):
        return self.process.stop()

    def logged(self):
        with open(self.log, encoding="utf-8", errors="replace") as file:
            return file.read()
