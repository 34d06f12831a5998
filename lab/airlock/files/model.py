"""Models (模型): a promoted version leaves by its id; a bare LightGBM text must consist of known lines only.

The text is compared with the lines that LightGBM 4 writes. The outgoing text ends at ``end of trees``: the lists of
settings and importances after it are removed. The range of each feature, whose ends are values of single subjects, is
replaced by a fixed range.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator

from credit.gate import Finding, Outcome
from credit.messages import Text
from lab.airlock.files import text as texts
from lab.airlock.files.file_inspection import FileInspection
from lab.airlock.files.file_kinds import FileKind
from lab.airlock.issue import Check, Issue, as_finding, fail, review, run_checks
from lab.airlock.parcel_context import FileDescription
from lab.airlock.thresholds import Thresholds

END = "end of trees"
_INTEGERS, _NUMBERS = r"-?\d{1,10}(?: -?\d{1,10})*", r"-?[\d.]+(e[+-]?\d+)?( -?([\d.]+(e[+-]?\d+)?|inf))*|inf"
_HEADER = {
    "version": r"v[34]",
    "num_class": r"\d{1,3}",
    "num_tree_per_iteration": r"\d{1,3}",
    "label_index": r"\d{1,5}",
    "max_feature_idx": r"\d{1,5}",
    "objective": r"[a-z_0-9]{1,40}( [a-z_]{1,30}:-?[\d.]+)*",
    "average_output": r"",
    "feature_names": r"\w{1,63}( \w{1,63})*",
    "monotone_constraints": r"-?[01]( -?[01])*",
    "feature_infos": r"(none|\[[-+.\deinfna]+:[-+.\deinfna]+\])( (none|\[[-+.\deinfna]+:[-+.\deinfna]+\]))*",
    "tree_sizes": r"\d+( \d+)*",
}
_TREE = {
    **dict.fromkeys(("num_leaves", "num_cat", "is_linear"), r"\d{1,6}"),
    **dict.fromkeys(("split_feature", "decision_type", "left_child", "right_child"), _INTEGERS),
    **dict.fromkeys(("leaf_count", "internal_count"), _INTEGERS),
    **dict.fromkeys(("split_gain", "threshold", "leaf_value", "leaf_weight", "internal_value"), _NUMBERS),
    **dict.fromkeys(("internal_weight", "shrinkage"), _NUMBERS),
}
_AFTER = re.compile(
    r"|feature_importances:|\w{1,63}=[\d.e+]+|parameters:|\[\w+: [^\]\n]{0,400}\]|end of parameters"
    r"|pandas_categorical:(null|\[\])?"
)
_PROMOTE = Text.of("airlock.bare-model-fix")


def inspect_version(
    name: str, content: bytes, about: FileDescription, t: Thresholds, *, promoted: Callable[[str], bool] | None
) -> FileInspection:
    """Inspect the id of a version on the shelf; it may leave when the version was promoted.

    ``promoted`` is None where promotions cannot be looked up, as in a workspace: the finding is then REVIEW.
    """
    version = json.loads(content)["version"]
    if promoted is None:
        finding = as_finding("promotion", name, review(Text.of("airlock.not-seen-here"), Text.of("airlock.submit")))
    elif promoted(version):
        finding = Finding.of(
            "promotion",
            Outcome.PASS,
            Text.of("airlock.promoted", file=name, version=version[:20]),
            {"file": name, "version": version},
        )
    else:
        finding = as_finding(
            "promotion",
            name,
            fail(Text.of("airlock.not-promoted", version=version[:20]), Text.of("airlock.not-promoted-fix")),
        )
    return FileInspection(FileKind.VERSION, content, (finding,))


def version_of(content: bytes) -> str:
    """The id of the version that a file of the kind VERSION names."""
    return str(json.loads(content)["version"])


def inspect_model(
    name: str,
    content: bytes,
    about: FileDescription,
    t: Thresholds,
    *,
    recounted: Callable[[bytes], int | None] | None = None,
) -> FileInspection:
    """Inspect a bare LightGBM text; it always needs a review, since no promotion gate judged it.

    ``recounted`` gives the subjects of the smallest leaf of a text as compute counted them on the training rows, or
    None for a text that compute did not write: the counts in a text are claims, so such a text does not leave. Without
    ``recounted``, as in a workspace, the finding is REVIEW.
    """
    text = content.decode("utf-8-sig").replace("\r\n", "\n")
    findings = run_checks(name, text, CHECKS, t)
    kept = text[: text.index(END)] + END + "\n" if END in text else ""
    kept = re.sub(r"(?m)^feature_infos=.*$", _blank_ranges, kept, count=1)
    names = text.partition("\n\n")[0].replace(" ", "\n")
    findings += texts.check_text(
        name, names, (("names", texts.subject_identifiers), ("name characters", texts.deceptive_characters)), t
    )
    bare = review(Text.of("airlock.bare-model"), _PROMOTE)
    findings.append(_recount_finding(name, content, t, recounted))
    return FileInspection(FileKind.MODEL, kept.encode(), (*findings, as_finding("promotion", name, bare)))


def _recount_finding(
    name: str, content: bytes, t: Thresholds, recounted: Callable[[bytes], int | None] | None
) -> Finding:
    if recounted is None:
        return as_finding("recount", name, review(Text.of("airlock.not-recounted-here"), Text.of("airlock.submit")))
    smallest, least = recounted(content), t["leaf_subjects_at_least"]
    if smallest is None:
        return as_finding("recount", name, fail(Text.of("airlock.not-recounted"), _PROMOTE))
    if smallest < least:
        why = Text.of("airlock.few-subjects-in-leaf", smallest=smallest, least=least)
        return as_finding("recount", name, fail(why, _PROMOTE, smallest=smallest))
    why = Text.of("airlock.recounted", file=name, smallest=smallest)
    return Finding.of("recount", Outcome.PASS, why, {"file": name, "smallest": smallest})


def known_lines(text: str, t: Thresholds) -> Iterator[Issue]:
    """Every line is one that LightGBM writes, at most once and in its place, so that no data rows can be inserted."""
    head, *blocks = text.partition(END)[0].split("\n\n")
    odd = _count_unknown_lines(head.split("\n")[1:], _HEADER)
    trees = [block.strip("\n") for block in blocks if block.strip("\n")]
    for block in trees:
        first, *rest = block.split("\n")
        odd += not re.fullmatch(r"Tree=\d{1,6}", first)
        odd += _count_unknown_lines(rest, _TREE)
    after = text.partition(END)[2].split("\n")
    odd += sum(not _AFTER.fullmatch(line) for line in after)
    if odd or END not in text:
        yield fail(Text.of("airlock.foreign-lines", count=odd), _PROMOTE, lines=odd)
    if len(trees) > t["trees_at_most"]:
        yield fail(
            Text.of("airlock.too-many-trees", trees=len(trees)), Text.of("airlock.too-many-trees-fix"), trees=len(trees)
        )


def large_leaves(text: str, t: Thresholds) -> Iterator[Issue]:
    """Every leaf holds at least ``leaf_rows_at_least`` rows, as each tree must state."""
    minimum = t["leaf_rows_at_least"]
    trees = re.findall(r"(?m)^Tree=", text)
    counts = [list(map(int, line.split())) for line in re.findall(rf"(?m)^leaf_count=({_INTEGERS})$", text)]
    small = sum(n < minimum for leaves in counts for n in leaves)
    fix = Text.of("airlock.small-leaves-fix", least=minimum)
    if len(counts) != len(trees) or not trees:
        yield fail(Text.of("airlock.no-leaf-counts"), Text.of("airlock.no-leaf-counts-fix"))
    if small:
        smallest = min(min(leaves) for leaves in counts)
        yield fail(Text.of("airlock.small-leaves", leaves=small, least=minimum), fix, leaves=small, smallest=smallest)


def _count_unknown_lines(lines: list[str], known: dict[str, str]) -> int:
    """The number of lines that are not ``name=value`` with a known name, used once, and a value of its form."""
    seen: set[str] = set()
    odd = 0
    for line in lines:
        name, _, value = line.partition("=")
        odd += name in seen or name not in known or not re.fullmatch(known[name], value)
        seen.add(name)
    return odd


def _blank_ranges(match: re.Match[str]) -> str:
    infos = match[0].partition("=")[2].split(" ")
    return "feature_infos=" + " ".join("none" if info == "none" else "[-1e+300:1e+300]" for info in infos)


CHECKS: tuple[Check[str], ...] = (("known lines", known_lines), ("leaves", large_leaves))
