"""HTTP for the lives of products: one call, one answer, and a memory of what was said last."""
import collections
import http.client
import json
import urllib.parse


class Answer:
    def __init__(self, method, url, sent, status, headers, text):
        self.method, self.url, self.sent = method, url, sent
        self.status, self.headers, self.text = status, headers, text
        try:
            self.json = json.loads(text) if text.strip() else None
        except ValueError:
            self.json = None

    def __str__(self):
        sent = "" if self.sent is None else "\n      " + shorten(self.sent)
        after = "".join(f"\n      {name}: {self.headers[name]}" for name in ("retry-after", "location") if name in self.headers)
        return f"{self.method} {self.url}{sent}\n   -> {self.status}{after}\n      {shorten(self.text)}"


class NoAnswer(Exception):
    """The other side cannot be reached, or broke off."""


class Web:
    """Calls below one base URL, with fixed headers. `said` has the last answers, `texts` (if wanted) all of them."""

    def __init__(self, base, headers=None, timeout=90, memory=6, keeps_texts=False):
        self.base, self.headers, self.timeout = base.rstrip("/"), headers or {}, timeout
        self.said = collections.deque(maxlen=memory)
        self.texts = [] if keeps_texts else None

    def call(self, method, path, body=None, query=None, headers=None):
        url = self.base + path
        if query:
            url += ("&" if "?" in url else "?") + urllib.parse.urlencode(query, quote_via=urllib.parse.quote)
        parts = urllib.parse.urlsplit(url)
        sent = None if body is None else body if isinstance(body, str) else json.dumps(body)
        all_headers = {**self.headers, **(headers or {})}
        if sent is not None:
            all_headers.setdefault("Content-Type", "application/json")
        connection = http.client.HTTPConnection(parts.hostname, parts.port, timeout=self.timeout)
        try:
            target = parts.path + ("?" + parts.query if parts.query else "")
            connection.request(method, target, body=None if sent is None else sent.encode(), headers=all_headers)
            response = connection.getresponse()
            text = response.read().decode("utf-8", "replace")
        except (OSError, http.client.HTTPException) as error:
            raise NoAnswer(f"{method} {url}: {type(error).__name__}: {error}") from error
        finally:
            connection.close()
        answered = {name.lower(): value for name, value in response.getheaders()}
        answer = Answer(method, url, sent, response.status, answered, text)
        self.said.append(answer)
        if self.texts is not None:
            self.texts.append(text + "\n" + "\n".join(answered.values()))
        return answer


def segment(text):
    """A text as one segment of a path."""
    return urllib.parse.quote(str(text), safe="")


def shorten(text, most=700):
    return text if len(text) <= most else text[:most] + f"... ({len(text)} characters)"
