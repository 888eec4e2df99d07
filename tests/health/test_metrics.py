"""Metrics, access to them, and their use in the dashboard and alerts."""

import asyncio
import json
import os
import re
import socket
from collections.abc import Iterator
from copy import copy
from datetime import timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import httpx
import pytest
import yaml
from fastapi import FastAPI
from prometheus_client import CollectorRegistry, Metric
from prometheus_client.values import MultiProcessValue
from sqlalchemy import insert
from sqlalchemy.ext.asyncio import AsyncConnection
from tests.support.app import running_app
from tests.support.browser import Browser
from tests.support.deployments import aws_resources

from wxc.core import clock
from wxc.core.config import Config
from wxc.core.redis import RedisClient
from wxc.health.exposition import serve_metrics
from wxc.health.metrics import WorkerMetrics
from wxc.http.traffic import Traffic
from wxc.models import OutboxMail

ROOT = Path(__file__).parents[2]
MONITORING = ROOT / "deploy" / "monitoring"


def value(registry: CollectorRegistry, name: str, **labels: str) -> float | None:
    return registry.get_sample_value(name, labels)


class TestServer:
    async def test_requests_are_counted_by_template_and_status(
        self, app: FastAPI, stranger: Browser
    ) -> None:
        registry = app.state.services.metrics.registry
        seen = {"method": "GET", "route": "/users/{username}", "status": "200"}
        timed = {"method": "GET", "route": "/users/{username}"}
        before = value(registry, "wxc_requests_total", **seen) or 0
        timed_before = value(registry, "wxc_request_seconds_count", **timed) or 0

        for name in ("noise_1", "noise_2", "nobody_here"):
            await stranger.get(f"/users/{name}")

        assert value(registry, "wxc_requests_total", **seen) == before + 2
        assert value(registry, "wxc_request_seconds_count", **timed) == timed_before + 3

    async def test_clients_cannot_create_labels(self, app: FastAPI, stranger: Browser) -> None:
        for number in range(3):
            await stranger.request(f"INVENTED{number}", f"/invented/{number}")

        counted = list(app.state.services.metrics.registry.collect())
        labels = [sample.labels for metric in counted for sample in metric.samples]
        assert "invented" not in str(labels).lower()
        assert any(label.get("method") == "other" for label in labels)

    async def test_gauges_are_sampled(self, config: Config) -> None:
        async with running_app(config.model_copy(update={"metrics_port": 9100})) as app:
            registry, traffic = app.state.services.metrics.registry, app.state.services.traffic
            traffic.requests = 3
            traffic.streams.update(member=2, anonymous=1)
            tripped = cast(RedisClient, SimpleNamespace(is_tripped=True))  # a probe would close it
            async with app.state.services.database.engine.connect():
                watching = asyncio.create_task(_watch(app, traffic, tripped))
                await asyncio.sleep(0.01)
                watching.cancel()

        assert value(registry, "wxc_requests_in_flight") == 3
        assert value(registry, "wxc_streams_open", viewer="member") == 2
        assert value(registry, "wxc_streams_open", viewer="anonymous") == 1
        # Background tasks use connections too.
        assert 1 <= (value(registry, "wxc_database_connections_in_use") or 0) <= 4
        assert value(registry, "wxc_database_connections_limit") == 12
        assert value(registry, "wxc_password_hashing") == 0
        assert value(registry, "wxc_redis_breaker_open") == 1


async def _watch(app: FastAPI, traffic: Traffic, redis: RedisClient) -> None:
    services = copy(app.state.services)
    services.traffic, services.redis = traffic, redis
    await services.metrics.watch(services)


async def test_worker_samples_the_outbox(app: FastAPI, connection: AsyncConnection) -> None:
    metrics, now = WorkerMetrics(app.state.services.database), clock.now()
    stop = asyncio.Event()
    await metrics.run(stop, stop.set)
    assert value(metrics.registry, "wxc_outbox_oldest_due_seconds") == 0

    mails: tuple[dict[str, Any], ...] = (
        {"due_at": now - timedelta(minutes=2)},
        {"due_at": now - timedelta(minutes=1)},
        {"due_at": now + timedelta(minutes=1)},
        {"finished_at": now - timedelta(minutes=50), "state": "dead"},
        {"finished_at": now - timedelta(minutes=70), "state": "dead"},
    )
    for number, fields in enumerate(mails):
        mail = {"kind": "verification", "address": "a@b.c", "dedup_key": str(number)}
        await connection.execute(insert(OutboxMail).values(**mail, **fields))
    await metrics.sample_outbox()

    assert value(metrics.registry, "wxc_outbox_due_mails") == 2
    assert 120 <= (value(metrics.registry, "wxc_outbox_oldest_due_seconds") or 0) < 130
    assert value(metrics.registry, "wxc_outbox_dead_mails") == 1


class TestExposition:
    def test_metrics_port_aggregates_live_processes(
        self, config: Config, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        with socket.create_server(("127.0.0.1", 0)) as probe:
            port = int(probe.getsockname()[1])
        monkeypatch.setenv("PROMETHEUS_MULTIPROC_DIR", "")  # restored after the test

        with serve_metrics(config.model_copy(update={"metrics_port": port})):
            for process_id, number in ((os.getpid(), 4), (2**22 + 1, 3)):  # the second is dead
                gauge_type: Any = MultiProcessValue(lambda process_id=process_id: process_id)  # type: ignore[no-untyped-call]
                arguments: Any = "gauge", "wxc_x", "wxc_x", [], [], "Help."
                gauge_type(*arguments, multiprocess_mode="livesum").set(number)
            shown = httpx.get(f"http://127.0.0.1:{port}/metrics").text

        assert "\nwxc_x 4.0\n" in shown
        with pytest.raises(httpx.ConnectError):
            httpx.get(f"http://127.0.0.1:{port}/metrics")

    def test_port_in_use_is_named(self, config: Config, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("PROMETHEUS_MULTIPROC_DIR", "")
        with socket.create_server(("127.0.0.1", 0)) as taken:
            port = int(taken.getsockname()[1])
            changed = config.model_copy(update={"metrics_port": port})

            with (
                pytest.raises(SystemExit, match=f"METRICS_PORT {port} is in use"),
                serve_metrics(changed),
            ):
                raise AssertionError("not reached")

    async def test_public_port_serves_no_metrics(self, stranger: Browser) -> None:
        assert (await stranger.get("/metrics")).status_code == 404

    def test_no_port_is_opened_without_the_setting(self, config: Config) -> None:
        with serve_metrics(config):
            assert "PROMETHEUS_MULTIPROC_DIR" not in os.environ


def existing_series(app: FastAPI) -> dict[str, set[str]]:
    """The labels of all existing series, by name."""
    registries = (
        app.state.services.metrics.registry,
        WorkerMetrics(app.state.services.database).registry,
    )
    families: Iterator[Metric] = (
        family for registry in registries for family in registry.collect()
    )
    labels = {"wxc_requests": {"method", "route", "status"}}
    labels |= {"wxc_request_seconds": {"method", "route"}}
    labels |= {"wxc_streams_open": {"viewer"}}
    labels |= {"wxc_job_failures": {"task"}, "wxc_job_last_round_timestamp_seconds": {"task"}}
    series = {}
    for family in families:
        own = labels.get(family.name, set())
        match family.type:
            case "counter":
                series[f"{family.name}_total"] = own
            case "histogram":
                series[f"{family.name}_bucket"] = own | {"le"}
            case _:
                series[family.name] = own
    return series


def alerts() -> list[dict[str, Any]]:
    (group,) = yaml.safe_load((MONITORING / "alerts.yaml").read_text())["groups"]
    return list(group["rules"])


def expressions() -> list[str]:
    panels = json.loads((MONITORING / "dashboard.json").read_text())["panels"]
    shown = [target["expr"] for panel in panels for target in panel["targets"]]
    return [*shown, *(alert["expr"] for alert in alerts())]


class TestAws:
    @pytest.fixture
    def resources(self) -> dict[str, Any]:
        return aws_resources()

    def test_containers_set_only_variables_of_the_application(
        self, resources: dict[str, Any]
    ) -> None:
        config = Config.model_fields
        drain = config["shutdown_delay"].default + config["shutdown_drain"].default
        for name in ("Api", "Worker", "Migration"):
            (container,) = resources[f"{name}Task"]["Properties"]["ContainerDefinitions"]
            variables = {
                variable["Name"].lower()
                for variable in container["Environment"] + container["Secrets"]
            }
            assert variables <= config.keys()
            assert {"database_url", "redis_url", "secret_key", "jwt_secret_key"} <= variables
            assert ("database_admin_url" in variables) == (name == "Migration")
            assert container["ReadonlyRootFilesystem"]
            assert name == "Migration" or container["StopTimeout"] >= drain + 10

    def test_the_load_balancer_closes_idle_connections_before_the_service(
        self, resources: dict[str, Any]
    ) -> None:
        attributes = resources["Balancer"]["Properties"]["LoadBalancerAttributes"]
        values = {attribute["Key"]: attribute["Value"] for attribute in attributes}

        assert int(values["idle_timeout.timeout_seconds"]) < 75  # `wxc serve`

    def test_every_alarm_describes_its_remedy(self, resources: dict[str, Any]) -> None:
        headings = re.findall(r"^#+ (\w+)$", (ROOT / "docs/operations.md").read_text(), re.M)
        alarms = {
            name
            for name, resource in resources.items()
            if resource["Type"] == "AWS::CloudWatch::Alarm"
        }

        assert len(alarms) >= 8
        assert alarms <= set(headings)


class TestMonitoring:
    def test_dashboard_and_alerts_use_exactly_the_existing_metrics(self, app: FastAPI) -> None:
        series = existing_series(app)
        used = {name for query in expressions() for name in re.findall(r"\bwxc_\w+", query)}

        assert used == series.keys()

    @pytest.mark.parametrize("expression", expressions())
    def test_queries_use_existing_labels(self, app: FastAPI, expression: str) -> None:
        series = existing_series(app)
        names = re.findall(r"\bwxc_\w+", expression)
        known = {"instance", "job"}.union(*(series[name] for name in names))
        labels = {
            label.strip()
            for group in re.findall(r"\bby \(([^)]*)\)", expression)
            for label in group.split(",")
        }
        labels |= set(re.findall(r"(\w+)\s*(?:=~|!~|!=|=)\s*\"", expression))

        assert labels <= known

    def test_every_alert_has_a_remedy_and_a_link(self) -> None:
        headings = re.findall(r"^#+ (\w+)$", (ROOT / "docs/operations.md").read_text(), re.M)

        for alert in alerts():
            assert alert["labels"]["severity"] in ("page", "ticket")
            assert alert["alert"] in headings
            anchor = f"docs/operations.md#{alert['alert'].lower()}"
            assert alert["annotations"]["runbook"] == anchor
