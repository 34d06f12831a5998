"""A master key that never enters this process: a program of the operator wraps and unwraps with a KMS or an HSM.

The program is started as ``PROGRAM name``, ``PROGRAM wrap`` or ``PROGRAM unwrap``. Its input is a line of JSON with the
``key`` and its ``place``, both in base64; it writes the name, or the wrapped or unwrapped key in base64, and ends with
0.
"""

from __future__ import annotations

import base64
import json
import subprocess
from dataclasses import dataclass
from pathlib import Path

from credit.errors import Broken

SECONDS = 30  # a key management service that does not answer by then is not there


@dataclass(frozen=True, slots=True)
class ProgramMasterKey:
    """See ``MasterKey`` in ``master_key.py``. Every method raises :class:`Broken` when the program refuses."""

    program: Path

    @property
    def name(self) -> str:
        """The name that the program gives its key."""
        return self._answer("name").decode("ascii", "replace")

    def wrap(self, key: bytes, place: bytes) -> bytes:
        """See ``MasterKey``."""
        return _decoded(self._answer("wrap", key, place))

    def unwrap(self, wrapped: bytes, place: bytes) -> bytes:
        """See ``MasterKey``."""
        return _decoded(self._answer("unwrap", wrapped, place))

    def _answer(self, verb: str, key: bytes = b"", place: bytes = b"") -> bytes:
        given = {"key": base64.b64encode(key).decode(), "place": base64.b64encode(place).decode()}
        try:
            done = subprocess.run(
                [self.program, verb], input=json.dumps(given).encode() + b"\n", capture_output=True, timeout=SECONDS
            )
        except (OSError, subprocess.TimeoutExpired) as error:
            raise Broken("master-key.program-failed", program=self.program.name) from error
        if done.returncode or not done.stdout.strip():
            raise Broken("master-key.program-failed", program=self.program.name)
        return done.stdout.strip()


def _decoded(answer: bytes) -> bytes:
    try:
        return base64.b64decode(answer, validate=True)
    except ValueError as error:
        raise Broken("master-key.cannot-unwrap") from error
