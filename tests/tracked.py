"""An MLflow server asked through its REST API alone, a gate before it, and what a tracked run's folder says."""

import json
import socket
import threading
import time
from contextlib import suppress
from urllib.request import Request, urlopen

PATIENCE_SECONDS = 90
STEPS = 12
SETTINGS = {"budget.steps": STEPS, "budget.validate_every": 1, "network.width": 16}


class Server:
    def __init__(self, address):
        self.address = address

    def ask(self, path, **body):
        data = json.dumps(body).encode() if body else None
        request = Request(f"{self.address}/api/2.0/{path}", data, {"Content-Type": "application/json"})
        with urlopen(request, timeout=PATIENCE_SECONDS) as answer:
            return json.loads(answer.read())

    def runs(self, folder):
        """Every run there that came from a folder."""
        name = json.loads((folder / "tracking.json").read_text())["name"]
        found = self.ask("mlflow/experiments/search", max_results=100)["experiments"]
        ids = [experiment["experiment_id"] for experiment in found]
        wanted = f"tags.`aurify.run` = '{name}'"
        return self.ask("mlflow/runs/search", experiment_ids=ids, filter=wanted).get("runs", [])

    def run(self, folder):
        (one,) = self.runs(folder)
        return one

    def history(self, folder, metric):
        """All (step, value) of a metric, in the order of steps; steps that came twice are there twice."""
        number = self.run(folder)["info"]["run_id"]
        points = self.ask(f"mlflow/metrics/get-history?run_id={number}&metric_key={metric}").get("metrics", [])
        return sorted((int(p.get("step", 0)), p["value"]) for p in points)

    def files(self, folder):
        listed = self.ask(f"mlflow/artifacts/list?run_id={self.run(folder)['info']['run_id']}")
        return {file["path"]: int(file["file_size"]) for file in listed["files"]}


class Gate:
    """Passes bytes on to a server until it is shut (nobody listens) or silent (accepts and never answers)."""

    def __init__(self, port):
        self.target, self.silent, self.open = port, False, []
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self._accept, args=(self.listener,), daemon=True).start()

    def _accept(self, listener):
        with suppress(OSError):
            while True:
                near = listener.accept()[0]
                self.open.append(near)
                far = socket.create_connection(("127.0.0.1", self.target))
                self.open.append(far)
                for pair in ((near, far), (far, near)):
                    threading.Thread(target=self._pass, args=pair, daemon=True).start()

    def _pass(self, source, target):
        with suppress(OSError):
            while data := source.recv(65536):
                if not self.silent:
                    target.sendall(data)
            target.shutdown(socket.SHUT_WR)

    def shut(self):
        for one in (self.listener, *self.open):
            with suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)
            one.close()

    @property
    def address(self):
        return f"http://127.0.0.1:{self.port}"


def progress(folder, name):
    """The (step, value) pairs of one number in a run folder's ``progress.jsonl``."""
    entries = [json.loads(line) for line in (folder / "progress.jsonl").read_text().splitlines()]
    return [(entry["step"], entry[name]) for entry in entries]


def wait_for(condition):
    until = time.monotonic() + PATIENCE_SECONDS
    while not condition():
        assert time.monotonic() < until, "waited in vain"
        time.sleep(0.05)
