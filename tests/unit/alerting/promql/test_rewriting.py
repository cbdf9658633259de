"""Labels made of labels."""

import pytest
from tests.support.promql_series import ask, load

STORAGE = load(15, {'m{a="x-y", b="z"}': "1"})


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ('label_replace(m, "c", "$2.$1", "a", "(.)-(.)")', 'm{a="x-y", b="z", c="y.x"}'),
        ('label_replace(m, "c", "${1}0", "a", "(.).*")', 'm{a="x-y", b="z", c="x0"}'),
        ('label_replace(m, "c", "$10", "a", "(.).*")', 'm{a="x-y", b="z"}'),  # group 10: there is none
        ('label_replace(m, "c", "$$1 $", "a", ".*")', 'm{a="x-y", b="z", c="$1 $"}'),
        ('label_replace(m, "c", "$first", "a", "(?P<first>.).*")', 'm{a="x-y", b="z", c="x"}'),
        ('label_replace(m, "c", "new", "a", "x")', 'm{a="x-y", b="z"}'),  # the whole value must match
        ('label_replace(m, "b", "", "a", ".*")', 'm{a="x-y"}'),
        ('label_replace(m, "c", "new", "missing", "")', 'm{a="x-y", b="z", c="new"}'),
        ('label_replace(m, "__name__", "n", "a", ".*")', 'n{a="x-y", b="z"}'),
        ('label_join(m, "c", "/", "a", "missing", "b")', 'm{a="x-y", b="z", c="x-y//z"}'),
        ('label_join(m, "b", "")', 'm{a="x-y"}'),
    ],
)
def test_one_series(text: str, found: str) -> None:
    """Its new labels."""
    assert ask(STORAGE, text, 0.0) == {found: 1.0}
