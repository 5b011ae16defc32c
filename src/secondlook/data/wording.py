"""Numbers in sentences."""


def count(number: int, one: str, many: str) -> str:
    """Return a number with its noun, for example ``1,113 pictures``."""
    return f"{number:,} {one if number == 1 else many}"
