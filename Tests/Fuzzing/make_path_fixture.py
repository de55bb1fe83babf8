"""Writes Fixtures/Wire/Paths/verdicts.tsv: which paths an agent must refuse, by an independent reading of the rule.

The rule is that of the published Inkbox SDK: no encoded slash or backslash, nothing encoded twice, and after decoding no dot
segment, backslash or control character. Run it with the SDK's folder as argument to check the reading against the SDK itself.
"""

import itertools
import pathlib
import random
import sys
from urllib.parse import unquote

target = pathlib.Path(__file__).resolve().parents[2] / "Fixtures/Wire/Paths/verdicts.tsv"
pieces = ["/", ".", "..", "%2e", "%2E", ".%2e", "a", "%61", "%2f", "%2F", "%5c", "%5C", "\\", "%252e", "%25", "%", "%zz", "%2",
          "%00", "%1f", "%7f", "%80", "%c0%ae", "%e2%80%a5", "?", "?../", ";", "...", ".a", "%252f", "%25zz", "%2525", "~"]


def is_safe(path):
    raw = path.partition("?")[0]
    if "%2f" in raw.lower() or "%5c" in raw.lower():
        return False
    decoded = unquote(raw)
    if decoded != raw and unquote(decoded) != decoded:
        return False
    return all(
        segment not in (".", "..") and "\\" not in segment and all(ord(c) >= 0x20 and ord(c) != 0x7F for c in segment)
        for segment in decoded.split("/"))


def candidates():
    for count in (1, 2, 3):
        pool = pieces if count < 3 else pieces[:12] + ["?", "%25"]
        for combination in itertools.product(pool, repeat=count):
            yield "/" + "".join(combination)
    source = random.Random(7239)
    for _ in range(1500):
        yield "/" + "".join(source.choice(pieces) for _ in range(source.randint(4, 9)))


def sdk_verdict(folder):
    sys.path.insert(0, folder)
    from inkbox.tunnels.client._url_forward import validate_envelope_path
    return lambda path: validate_envelope_path(path) is None


paths = sorted(set(candidates()))
if len(sys.argv) > 1:
    judge = sdk_verdict(sys.argv[1])
    differing = [path for path in paths if judge(path) != is_safe(path)]
    sys.exit(f"{len(differing)} of {len(paths)} differ: {differing[:5]}" if differing else 0)
target.parent.mkdir(parents=True, exist_ok=True)
target.write_text("".join(f"{'safe' if is_safe(path) else 'refused'}\t{path}\n" for path in paths))
print(f"{len(paths)} paths, {sum(map(is_safe, paths))} of them safe")
