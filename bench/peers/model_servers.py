"""Model servers that we are measured against, each in an environment of its own: `peer_servers.py NAME PORT MODEL`.

Each as its documentation's first page has it, one process a core, one thread a prediction; MODEL is LightGBM text. It
imports nothing of ours: those environments hold the peer and LightGBM alone.
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import Any


def bentoml(port: int, model: str) -> None:
    """A BentoML service of one worker."""
    os.environ["BENCH_MODEL"] = model
    where = Path(__file__).parent
    output = ["bentoml", "serve", "peer_servers:Bento", "--port", str(port), "--working-dir", str(where)]
    os.execv(str(Path(sys.executable).with_name("bentoml")), output)


def ray(port: int, model: str) -> None:
    """A Ray Serve deployment of one replica."""
    import time

    import lightgbm
    from ray import init, serve

    class Scores:
        def __init__(self, path: str) -> None:
            self.booster = lightgbm.Booster(model_file=path)

        async def __call__(self, request: Any) -> dict[str, float]:
            row = (await request.json())["features"]
            return {"default_probability": float(self.booster.predict([row], num_threads=1)[0])}

    init(num_cpus=2, include_dashboard=False, logging_level="ERROR")
    serve.start(http_options={"host": "127.0.0.1", "port": port, "access_log": False})
    serve.run(serve.deployment(Scores, num_replicas=1, max_ongoing_requests=64).bind(model), route_prefix="/score")
    time.sleep(3600)


def mlserver(port: int, model: str) -> None:
    """MLServer with its LightGBM runtime, in its own process."""
    folder = Path(model).parent / "mlserver"
    folder.mkdir(exist_ok=True)
    settings = {"debug": False, "parallel_workers": 0, "host": "127.0.0.1", "http_port": port, "grpc_port": port + 1,
                "metrics_port": port + 2, "metrics_endpoint": None}  # fmt: skip
    named = {"name": "bench", "implementation": "mlserver_lightgbm.LightGBMModel", "parameters": {"uri": model}}
    (folder / "settings.json").write_text(json.dumps(settings))
    (folder / "model-settings.json").write_text(json.dumps(named))
    os.execv(str(Path(sys.executable).with_name("mlserver")), ["mlserver", "start", str(folder)])


def mlflow(port: int, model: str) -> None:
    """`mlflow models serve` of a model in MLflow's own form."""
    import shutil

    import lightgbm
    import mlflow.lightgbm

    folder = Path(model).parent / "mlflow"
    shutil.rmtree(folder, ignore_errors=True)
    mlflow.lightgbm.save_model(lightgbm.Booster(model_file=model), str(folder))
    output = ["mlflow", "models", "serve", "-m", str(folder), "-p", str(port), "--env-manager", "local", "-w", "1"]
    os.execv(sys.executable, [sys.executable, "-m", *output])


if os.environ.get("BENCH_MODEL"):
    import bentoml as _bentoml  # type: ignore[import-not-found, unused-ignore]
    import lightgbm as _lightgbm

    @_bentoml.service(workers=1, traffic={"timeout": 30})
    class Bento:
        """What BentoML serves."""

        def __init__(self) -> None:
            self.booster = _lightgbm.Booster(model_file=os.environ["BENCH_MODEL"])

        @_bentoml.api  # type: ignore[untyped-decorator, unused-ignore]
        def score(self, features: list[float]) -> float:
            return float(self.booster.predict([features], num_threads=1)[0])


if __name__ == "__main__":
    {"bentoml": bentoml, "ray": ray, "mlserver": mlserver, "mlflow": mlflow}[sys.argv[1]](int(sys.argv[2]), sys.argv[3])
