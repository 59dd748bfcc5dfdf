"""Figures that several reports show."""


def nnc_results(row):
    """The measured results of nnc's C compilers by key."""
    return {key: result for key, result in row["contenders"].items() if key.startswith("nnc-") and "median" in result}


def best_nnc(row):
    """Key and result of the faster of the C compilers; None, None when nnc has none."""
    results = nnc_results(row)
    if not results:
        return None, None
    key = min(results, key=lambda name: results[name]["median"])
    return key, results[key]


def ratio(row, key):
    """How many times nnc's time the contender takes, or None."""
    _, best = best_nnc(row)
    result = row["contenders"].get(key)
    if not best or not result or "median" not in result:
        return None
    return result["median"] / best["median"]


def peer_keys(results):
    """The peers that some row has, in the order of the rows."""
    keys = {}
    for row in results["rows"]:
        keys.update((key, result["title"]) for key, result in row["contenders"].items() if not key.startswith("nnc-"))
    return keys


def all_passed(results):
    """Did every contender of every row run, and compute the same?"""
    return all(result.get("check", {}).get("passed", False) for row in results["rows"] for result in row["contenders"].values())


def duration(seconds):
    for unit, factor in (("s", 1), ("ms", 1e3), ("us", 1e6)):
        if seconds * factor >= 1:
            break
    return f"{seconds * factor:.3g} {unit}"


def size(count):
    for unit, factor in (("GB", 1e9), ("MB", 1e6), ("kB", 1e3)):
        if count >= factor:
            return f"{count / factor:.3g} {unit}"
    return f"{count:.0f} B"
