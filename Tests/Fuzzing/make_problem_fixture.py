"""Writes Fixtures/Wire/ProblemJSON/strings.json: texts, one to a line, as Python's json module writes them in UTF-8."""

import json
import pathlib
import random

target = pathlib.Path(__file__).resolve().parents[2] / "Fixtures/Wire/ProblemJSON/strings.json"
source = random.Random(9457)
alphabet = [chr(c) for c in range(0x80)] + list("éß€漢😀\u2028\u2029\ufeff\u0000\u001f\u0080") + ['"', "\\", "/", "\n"]
texts = [chr(c) for c in range(0x100)] + ["", '"', "\\", "\\u0041", "</script>", "\U0010ffff", "\ud7ff\ue000"]
texts += ["".join(source.choice(alphabet) for _ in range(source.randint(2, 30))) for _ in range(200)]
target.parent.mkdir(parents=True, exist_ok=True)
target.write_text("".join(json.dumps(text, ensure_ascii=False) + "\n" for text in texts), encoding="utf-8", newline="\n")
