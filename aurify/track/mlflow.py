"""The sink mlflow: one MLflow run, on a server or wherever MLflow's own rules say."""

from __future__ import annotations

import importlib.util
import logging
import os
import re
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import Any
from urllib.parse import urlsplit

from aurify.core.errors import AurifyError
from aurify.track.record import Point, Record, text
from aurify.track.sink import Sink, Status

ENVIRONMENT = {
    "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "0",  # its own 7 take four minutes, the follower tries again anyway
    "MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT": "true",
    "MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR": "false",
    "MLFLOW_DISABLE_TELEMETRY": "true",  # read when mlflow is imported and at every call
    "MLFLOW_ENABLE_ASYNC_LOGGING": "false",
}
LOGGERS = ("mlflow", "urllib3", "alembic")
DATABASES = ("sqlite:", "postgresql", "mysql", "mssql")
EXPERIMENT = "aurify"
TAG = "aurify.run"
MOST_METRICS, MOST_OTHERS, MOST_CHARACTERS = 1000, 100, 6000
"""What one request, and one value, may hold."""


class Mlflow(Sink):
    """Settings as parameters, the environment as tags, curves and scores as metrics, files as artifacts.

    The experiment is MLFLOW_EXPERIMENT_ID's or MLFLOW_EXPERIMENT_NAME's, else ``aurify``. The run there is found
    again by a tag, and what it has already is asked of the server.
    """

    @contextmanager
    def prepared(self, answer_seconds: int) -> Iterator[None]:
        wanted = {**ENVIRONMENT, "MLFLOW_HTTP_REQUEST_TIMEOUT": str(answer_seconds)}
        before = {name: os.environ.get(name) for name in wanted}
        levels = {name: logging.getLogger(name).level for name in LOGGERS}
        os.environ.update(wanted)
        self._hush()
        try:
            with warnings.catch_warnings():
                warnings.filterwarnings("ignore", module=r"mlflow\b")
                yield
        finally:
            for name, value in before.items():
                os.environ.pop(name, None) if value is None else os.environ.update({name: value})
            for name, level in levels.items():
                logging.getLogger(name).setLevel(level)

    def _hush(self) -> None:
        for name in LOGGERS:
            logging.getLogger(name).setLevel(logging.CRITICAL + 1)

    def reach(self) -> None:
        try:
            import mlflow
        except ImportError:
            raise self.needs("mlflow") from None
        self._hush()  # the import has set levels of its own
        self._uri = self.where or mlflow.get_tracking_uri()
        self.secret = urlsplit(self._uri).netloc.rpartition("@")[0]
        self.place = self._uri.replace(f"{self.secret}@", "") if self.secret else self._uri
        self._require_address()
        try:
            self._client: Any = mlflow.MlflowClient(tracking_uri=self._uri)
            self._experiment_known()
        except Exception as error:
            raise AurifyError(
                f"mlflow at {self.place} cannot be reached ({self.reason(error)}); start it, name another as in"
                " mlflow:http://127.0.0.1:5000, or go on without it"
            ) from None

    def _require_address(self) -> None:
        if not re.match(r"\w[\w+]*:/|databricks", self._uri):
            raise AurifyError(
                f"mlflow:{self.place} is not an address; write one such as mlflow:http://127.0.0.1:5000 or"
                " mlflow:sqlite:///mlflow.db"
            )
        if self._uri.startswith(DATABASES) and importlib.util.find_spec("sqlalchemy") is None:
            raise AurifyError(
                f"mlflow at {self.place} is a database, which needs the whole of mlflow: pip install mlflow, or name a"
                " server as in mlflow:http://127.0.0.1:5000"
            )

    def _experiment_known(self) -> str | None:
        number = os.environ.get("MLFLOW_EXPERIMENT_ID")
        if number:
            return self._client.get_experiment(number).experiment_id
        found = self._client.get_experiment_by_name(self._experiment_name())
        return None if found is None else found.experiment_id

    def _experiment_name(self) -> str:
        return os.environ.get("MLFLOW_EXPERIMENT_NAME") or EXPERIMENT

    def begin(self, record: Record) -> set[tuple[str, int]]:
        self._experiment = self._experiment_known()
        if self._experiment is None:
            with suppress(Exception):  # of two runs that begin at once, one is first
                self._client.create_experiment(self._experiment_name())
            self._experiment = self._experiment_known()
        found = self._client.search_runs([self._experiment], f"tags.`{TAG}` = '{record.name}'", max_results=1)
        run = found[0] if found else self._made(record)
        self._run: str = run.info.run_id
        if run.info.status != "RUNNING":
            self._client.update_run(self._run, status="RUNNING")
        self._describe(record, run.data.params)
        names = set(run.data.metrics)
        scores = record.scores() if record.finished else ()
        there = {(score.name, score.step) for score in scores if _name(score.name) in names}
        for name in {point.name for point in record.curves() if _name(point.name) in names}:
            there |= {(name, metric.step) for metric in self._client.get_metric_history(self._run, _name(name))}
        return there

    def _made(self, record: Record) -> Any:
        tags = {TAG: record.name, "mlflow.source.name": "aurify"}
        name = record.folder.path.resolve().name
        return self._client.create_run(self._experiment, start_time=record.began, run_name=name, tags=tags)

    def _describe(self, record: Record, known: dict[str, str]) -> None:
        from mlflow.entities import Param, RunTag

        settings = {_name(name): text(value)[:MOST_CHARACTERS] for name, value in record.settings().items()}
        params = [Param(name, value) for name, value in settings.items() if name not in known]
        tags = [RunTag(f"environment.{name}", text(value)) for name, value in record.environment().items()]
        for start in range(0, len(params), MOST_OTHERS):
            self._client.log_batch(self._run, params=params[start : start + MOST_OTHERS])
        self._client.log_batch(self._run, tags=tags)

    def send(self, points: Sequence[Point]) -> None:
        from mlflow.entities import Metric

        for start in range(0, len(points), MOST_METRICS):
            batch = points[start : start + MOST_METRICS]
            self._client.log_batch(self._run, metrics=[Metric(_name(p.name), p.value, p.when, p.step) for p in batch])

    def finish(self, record: Record, status: Status) -> None:
        for path in record.files():
            self._client.log_artifact(self._run, str(path))
        if record.finished:
            self._client.set_tag(self._run, "mlflow.note.content", record.summary["verdict"])
        if status is not Status.RUNNING:
            last = max((point.when for point in record.points()), default=record.began)
            self._client.set_terminated(self._run, status.name, last)

    def link(self) -> str:
        if self._uri.startswith(("http://", "https://")):
            return f"{self.place.rstrip('/')}/#/experiments/{self._experiment}/runs/{self._run}"
        return f"{self.place}, run {self._run}"


def _name(name: str) -> str:
    """A name as MLflow allows it."""
    return re.sub(r"[^\w./ -]", "_", name)
