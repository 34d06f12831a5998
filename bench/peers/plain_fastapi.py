"""Servers to be measured against: plain FastAPI with `Booster.predict` on what is sent, and one that answers a fixed
text.

`python -m bench.peers.plain_fastapi model|fixed PORT`. The first is what a team writes on the first day: no access
control, no reasons, no signature, no ledger. The second does the least that a server can do: it shows how many requests
the load generator itself can send.
"""

from __future__ import annotations

import asyncio
import sys
from typing import cast

import uvicorn
from fastapi import FastAPI
from pydantic import BaseModel

from bench.service.service_world import ROOT


class Row(BaseModel):
    """What is sent to be scored."""

    features: list[float]


def _model(port: int) -> None:
    import lightgbm

    booster = lightgbm.Booster(model_file=str(next((ROOT / "shelf" / "version").glob("*/model.txt"))))
    app = FastAPI()

    @app.post("/score")
    async def score(row: Row) -> dict[str, float]:
        return {"default_probability": float(booster.predict([row.features], num_threads=1)[0])}

    @app.get("/ready")
    async def ready() -> dict[str, bool]:
        return {"ready": True}

    uvicorn.run(app, port=port, access_log=False, log_level="warning", loop="uvloop", http="httptools")


class _Fixed(asyncio.Protocol):
    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.out = cast(asyncio.Transport, transport)  # uvloop's own, of the same shape

    def data_received(self, data: bytes) -> None:
        self.out.write(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok")


def _fixed(port: int) -> None:
    import uvloop

    async def serve() -> None:
        loop = asyncio.get_running_loop()
        await (await loop.create_server(_Fixed, "127.0.0.1", port)).serve_forever()

    uvloop.run(serve())


if __name__ == "__main__":
    {"model": _model, "fixed": _fixed}[sys.argv[1]](int(sys.argv[2]))
