"""The API does what its description says, whoever asks and whatever is sent."""
import copy
import json
import os
import random
import re
import subprocess
import sys
from pathlib import Path

import pytest
from openapi_spec_validator import OpenAPIV31SpecValidator

from support.organizations import SCOPES, Organization, api_key, basic, bearer
from support.processes import CULVERTD, clean_environment

HERE = Path(__file__).parent
CASES_MIN = 2000
RUN_SECONDS_MAX = 200
ENDLESS = "followEvents"  # a stream without an end; its own tests read it
ADMIN_EXAMPLES, OTHER_EXAMPLES = 60, 8


@pytest.fixture(scope="module")
def document(service):
    return service.call("GET", "/api/v1/openapi.json", key=None).json()


def test_the_document_is_valid_openapi(document):
    assert document["openapi"].startswith("3.1")
    assert [e.message for e in OpenAPIV31SpecValidator(document).iter_errors()] == []


def test_served_printed_and_kept_are_the_same(service):
    kept = (HERE.parent.parent / "Docs/openapi.json").read_text()
    printed = subprocess.run([CULVERTD, "openapi"], capture_output=True, text=True, timeout=20, env=clean_environment())
    assert (printed.returncode, printed.stdout) == (0, kept)
    assert service.call("GET", "/api/v1/openapi.json", key=None).body.decode() == kept.rstrip("\n")


def strict(document):
    """The same document, in which an answer may have no member that is not described."""
    document = copy.deepcopy(document)
    schemas = document["components"]["schemas"]
    seen = set()

    def close(schema):
        if "$ref" in schema:
            name = schema["$ref"].rsplit("/", 1)[1]
            if name not in seen:
                seen.add(name)
                close(schemas[name])
        if schema.get("properties"):
            schema.setdefault("additionalProperties", False)
        for part in [*schema.get("properties", {}).values(), *schema.get("anyOf", []), schema.get("items")]:
            if isinstance(part, dict):
                close(part)

    bodies = set()
    for path in document["paths"].values():
        for operation in path.values():
            bodies |= set(re.findall(r"#/components/schemas/(\w+)", json.dumps(operation.get("requestBody", {}))))
            for answer in operation["responses"].values():
                for content in answer.get("content", {}).values():
                    close(content["schema"])
    assert not bodies & seen, "a schema of requests is used in answers: closing it would forbid members that are ignored"
    return document


def schemathesis(document, service, folder, headers, examples, seed):
    """Runs every check and phase; gives the exit status, what was printed, and the number of cases."""
    schema = folder / "openapi.json"
    schema.write_text(json.dumps(strict(document)))
    command = [Path(sys.executable).parent / "schemathesis", "--config-file", HERE / "schemathesis.toml", "run", schema,
               "--url", f"http://127.0.0.1:{service.http_port}", "--checks", "all", "--max-examples", str(examples), "--seed", str(seed),
               "--continue-on-failure", "--no-color", "--warnings", "off", "--exclude-operation-id", ENDLESS]
    for name, value in headers.items():
        command += ["-H", f"{name}: {value}"]
    run = subprocess.run(command, capture_output=True, text=True, timeout=RUN_SECONDS_MAX, cwd=folder,
                         env={**clean_environment(), "PYTHONPATH": str(HERE)})
    generated = re.search(r"(\d+) generated", run.stdout)
    return run.returncode, run.stdout + run.stderr, int(generated[1]) if generated else 0


@pytest.mark.seconds(RUN_SECONDS_MAX + 20)
@pytest.mark.parametrize("who, examples", [
    ("an admin key", ADMIN_EXAMPLES), ("an identity's key", OTHER_EXAMPLES), ("an app", OTHER_EXAMPLES), ("no credential", OTHER_EXAMPLES)])
def test_no_generated_request_finds_a_difference(document, make_service, tmp_path, who, examples):
    service = make_service()
    home = Organization(service, service.org, service.key)
    headers = {"an admin key": lambda: api_key(home.key), "an identity's key": lambda: bearer(home.identity_key(home.identity())["api_key"]),
               "an app": lambda: basic(home.app(SCOPES)), "no credential": dict}[who]()
    seed = int(os.environ.get("CULVERT_SEED") or random.randrange(1 << 32))
    status, text, count = schemathesis(document, service, tmp_path, headers, examples, seed)
    assert status == 0, f"CULVERT_SEED={seed}\n{text}"
    print(f"{count} cases as {who}, seed {seed}")
    assert service.process.poll() is None
    assert who != "an admin key" or count >= CASES_MIN, text
