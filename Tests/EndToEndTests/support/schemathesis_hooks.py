"""What schemathesis cannot know from the document."""
import uuid

import schemathesis
from schemathesis.specs.openapi.checks import use_after_free

KEY_CHARACTERS_MAX = 255


@schemathesis.hook
def before_call(context, case, kwargs):
    """Each case is an attempt of its own: a key that is sent again with another request is refused, and rightly."""
    key = (case.headers or {}).get("Idempotency-Key")
    if isinstance(key, str) and 1 <= len(key) <= KEY_CHARACTERS_MAX:
        case.headers["Idempotency-Key"] = uuid.uuid4().hex


@schemathesis.check
def deleted_is_gone(context, response, case):
    """The check use_after_free; but a deleted tunnel is there for 24 hours more, so that it can be restored."""
    if case.operation.path.startswith("/api/v1/tunnels/"):
        return None
    return use_after_free(context, response, case)
