"""The bare skeleton: FastAPI, group commit on SQLite, aiohttp. No validation, sealing, mapping, attempts or events.

It is the yardstick of this machine at this minute: what is left when everything that makes a hub is taken away.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import sqlite3
import sys
import threading
import uuid
from collections.abc import AsyncIterator
from queue import Empty, SimpleQueue
from typing import Any

import aiohttp
import uvicorn
from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse, PlainTextResponse

IN_FLIGHT = 96
Job = tuple[str, tuple[Any, ...], asyncio.Future[None]]


def writing(path: str, jobs: SimpleQueue[Job], loop: asyncio.AbstractEventLoop) -> None:
    connection = sqlite3.connect(path, isolation_level=None)
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute("PRAGMA synchronous=FULL")
    connection.execute("CREATE TABLE message (id TEXT PRIMARY KEY, body BLOB, state TEXT, reference TEXT)")
    while True:
        batch = [jobs.get()]
        with contextlib.suppress(Empty):
            while len(batch) < 64:
                batch.append(jobs.get_nowait())
        connection.execute("BEGIN IMMEDIATE")
        for sql, values, _ in batch:
            connection.execute(sql, values)
        connection.execute("COMMIT")
        loop.call_soon_threadsafe(lambda done: [future.set_result(None) for _, _, future in done], batch)


@contextlib.asynccontextmanager
async def life(app: FastAPI) -> AsyncIterator[None]:
    loop = asyncio.get_running_loop()
    app.state.jobs, app.state.queue, app.state.delivered = SimpleQueue(), asyncio.Queue(), 0
    threading.Thread(target=writing, args=(os.environ["SKELETON_DB"], app.state.jobs, loop), daemon=True).start()
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as session:
        senders = [loop.create_task(send(app, session)) for _ in range(IN_FLIGHT)]
        yield
        for sender in senders:
            sender.cancel()


async def keep(app: FastAPI, sql: str, *values: Any) -> None:
    future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
    app.state.jobs.put((sql, values, future))
    await future


async def send(app: FastAPI, session: aiohttp.ClientSession) -> None:
    while True:
        key, body = await app.state.queue.get()
        mapped = {"our_reference": key, "title": body["details"]["kind"], "text": body["details"]["what_happened"]}
        async with session.post(os.environ["SKELETON_TO"], json=mapped) as answer:
            reference = (await answer.json())["reference"]
        await keep(app, "UPDATE message SET state = 'delivered', reference = ? WHERE id = ?", reference, key)
        app.state.delivered += 1


app = FastAPI(lifespan=life)


@app.post("/v1/submissions", status_code=202)
async def publish(request: Request) -> JSONResponse:
    raw = await request.body()
    key = str(uuid.uuid4())
    await keep(app, "INSERT INTO message VALUES (?, ?, 'queued', NULL)", key, raw)
    app.state.queue.put_nowait((key, json.loads(raw)))
    return JSONResponse({"id": key}, status_code=202)


@app.get("/metrics")
async def metrics() -> PlainTextResponse:
    return PlainTextResponse(f'hub_deliveries_total{{outcome="delivered"}} {app.state.delivered}\n')


@app.get("/health/ready")
async def ready() -> dict[str, bool]:
    return {"ready": True}


if __name__ == "__main__":
    uvicorn.run(app, port=int(sys.argv[1]), access_log=False, log_level="error", loop="uvloop", http="httptools")
