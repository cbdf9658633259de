"""Numbers as Go prints them."""

import math
from decimal import Decimal


def plain_decimal(value: float) -> str:
    """The shortest digits that read back as the same number, never with an exponent (Go's format 'f', -1)."""
    if math.isnan(value):
        return "NaN"
    if math.isinf(value):
        return "+Inf" if value > 0 else "-Inf"
    text = format(Decimal(repr(value)), "f")
    return text.removesuffix(".0")
