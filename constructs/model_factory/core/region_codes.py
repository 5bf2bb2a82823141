"""Short codes of regions, for names of resources that an account has once for all regions."""

_DIRECTIONS = ("north", "south", "east", "west", "central")


def region_code(region: str) -> str:
    """The code of a region: euw1 for eu-west-1, apse2 for ap-southeast-2. No two regions have the same.

    Args:
        region: Region, or the CDK token for it, which is returned as it is.
    """
    if "${Token[" in region:
        return region
    area, *words, number = region.split("-")
    for direction in _DIRECTIONS:
        words = [word.replace(direction, direction[0]) for word in words]
    return "".join((area, *words, number))
