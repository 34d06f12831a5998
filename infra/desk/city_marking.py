"""Drawing a city marks the home it is drawn in as invented, when that is the first that happens in the home.

``python -m infra.desk.city_marking HOME city|sample`` does it with the front desk's key in a process of its own, which
reads the names of the files from standard input: the command that draws a city holds no key.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path

from credit.canonical import digest
from credit.errors import Broken, CreditError, Missing, Refused
from credit.messages import Text
from infra.desk.invented_home import begin, record_city
from infra.desk.invented_people import make_people
from infra.home import CODE, Home
from infra.zone_users import process_of

ZONE = "desk"
CITY, SAMPLE = "city", "sample"


def mark_invented(home: Home, files: Iterable[Path]) -> bool:
    """Mark ``home`` as invented and record the drawn ``files``; True when it is marked.

    It is False, and nothing is written, in a home that began otherwise and where this process may not write for the
    front desk. A home without keys gets them.
    """
    if not home.exists():
        home.ensure_keys()
    try:
        ledger = home.ledger(ZONE, writing=True)
        begin(ledger, invented=True)
        make_people(ledger)
        record_city(ledger, {path.name: digest(path) for path in files})
    except (Missing, Refused, PermissionError):
        return False
    return True


def mark_sample(home: Home, files: Iterable[Path]) -> None:
    """Begin ``home`` as the demonstration of published ``files``, which has invented people and can take in no others.

    Raises :class:`Refused` for a home that began otherwise.
    """
    ledger = home.ledger(ZONE, writing=True)
    begin(ledger, invented=True, samples={path.name: digest(path) for path in files})
    make_people(ledger)


def mark_in_own_process(home: Home, files: Iterable[Path], what: str = CITY) -> bool:
    """As :func:`mark_invented`, or for a :data:`SAMPLE` as :func:`mark_sample`, in a process that ends after it.

    Raises :class:`Broken` with its last words when it fails.
    """
    done = subprocess.run(
        [sys.executable, "-m", "infra.desk.city_marking", str(home.root), what],
        input=json.dumps([str(path.resolve()) for path in files]),
        capture_output=True,
        text=True,
        cwd=CODE,
        **process_of(home, ZONE),
    )
    if done.returncode:
        raise Broken("city-marking.not-marked", why=Text.verbatim(done.stderr.strip()[-300:]))
    return bool(json.loads(done.stdout))


def main(root: Path, what: str) -> int:
    """Mark a home; the exit code."""
    files = [Path(each) for each in json.load(sys.stdin)]
    try:
        marked = True
        if what == CITY:
            marked = mark_invented(Home(root), files)
        else:
            mark_sample(Home(root), files)
    except CreditError as error:
        sys.stderr.write(f"{error}\n")
        return error.exit_code
    sys.stdout.write(json.dumps(marked))
    return 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), sys.argv[2]))
