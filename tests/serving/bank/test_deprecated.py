"""Old names of the bank's client library keep working and warn."""

from __future__ import annotations

import pytest

from serving.bank import operations, response_types
from serving.bank.deprecated import renamed_argument


def test_old_names_give_the_new_values_with_a_warning() -> None:
    with pytest.deprecated_call(match="SuppliedFeatures"):
        assert response_types.Brought is response_types.SuppliedFeatures
    with pytest.deprecated_call(match="BatchItem"):
        assert operations.Ask is operations.BatchItem
    with pytest.raises(AttributeError):
        _ = response_types.Other


def test_an_argument_may_have_its_old_name_or_its_new_one() -> None:
    assert renamed_argument([1], "requests", "asks", {}) == [1]
    with pytest.deprecated_call(match="'asks' is now 'requests'"):
        assert renamed_argument(None, "requests", "asks", {"asks": [1]}) == [1]
    for value, others in ((None, {}), ([1], {"asks": [1]}), ([1], {"other": [1]})):
        with pytest.raises(TypeError):
            renamed_argument(value, "requests", "asks", others)
