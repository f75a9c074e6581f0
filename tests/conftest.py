"""What every test may ask for: servers of its own, found or honestly missed."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests import services


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark each test by the servers it asks for, so that `-m "postgres or rabbitmq"` is the service-backed suite."""
    for item in items:
        wanted = set(getattr(item, "fixturenames", ()))
        if wanted & {"postgres_url", "postgres_server"}:
            item.add_marker(pytest.mark.postgres)
        if "rabbitmq_url" in wanted:
            item.add_marker(pytest.mark.rabbitmq)


@pytest.fixture(scope="session")
def postgres_server() -> None:
    """A PostgreSQL server that answers."""
    services.need(
        f"PostgreSQL at {services.postgres_at()} (HUB_TEST_POSTGRES_URL)",
        answers=services.postgres_answers,
    )


@pytest.fixture
def postgres_url(postgres_server: None) -> Iterator[str]:
    """An empty PostgreSQL database for this test alone, dropped afterwards."""
    with services.fresh_database() as url:
        yield url


@pytest.fixture(scope="session")
def rabbitmq_url() -> str:
    """A RabbitMQ server that answers; give queues and exchanges a prefix of your own."""
    host, port = services.rabbitmq_at()
    services.need(f"RabbitMQ at {host}:{port} (HUB_TEST_RABBITMQ_URL)", answers=services.rabbitmq_answers)
    return services.RABBITMQ_URL
