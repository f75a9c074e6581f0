"""The same tests in one process on SQLite and memory, and in three on PostgreSQL and RabbitMQ."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.towns import Town, town

SET_UPS = [
    "embedded",
    pytest.param("production", marks=[pytest.mark.postgres, pytest.mark.rabbitmq]),
]


@pytest.fixture(scope="module", params=SET_UPS)
def northborough(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    folder = tmp_path_factory.mktemp("town")
    if request.param == "embedded":
        with town(
            folder, database_url=f"sqlite:///{folder / 'hub.db'}", broker_url="memory://", roles=("all",)
        ) as made:
            yield made
        return
    database_url, broker_url = request.getfixturevalue("module_postgres_url"), request.getfixturevalue("rabbitmq_url")
    roles = ("intake", "worker", "worker")
    with town(folder, database_url=database_url, broker_url=broker_url, roles=roles) as made:
        yield made


@pytest.fixture(scope="module")
def module_postgres_url(postgres_server: None) -> Iterator[str]:
    from tests import services

    with services.fresh_database() as url:
        yield url


@pytest.fixture(autouse=True)
def well(request: pytest.FixtureRequest) -> Iterator[Path | None]:
    """Every back office behaves again after a test."""
    yield None
    if "northborough" in request.fixturenames:
        for office in request.getfixturevalue("northborough").offices.values():
            office.reset()
