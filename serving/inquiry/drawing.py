"""PDFs are drawn in a process of their own (`serving.aside`): some 80 ms each, in which no answer would be given."""

from __future__ import annotations

import pickle
import sys

from serving.attending import Unfit, attend, bound
from serving.inquiry import report_pdf
from serving.inquiry.typeface import NoTypeface

MEMORY = 1 << 30  # bytes of address space


def _work(report: bytes) -> bytes:
    try:
        return report_pdf.draw(pickle.loads(report))  # pickled by the service, and by nobody else
    except NoTypeface as none:
        raise Unfit(none.slug) from none


if __name__ == "__main__":
    bound(MEMORY)
    sys.exit(attend(_work))
