"""The command line as a person or a script uses it."""
import json
import os
import stat

from .processes import Account

FAILURE, USAGE, AUTHENTICATION, NOT_FOUND, CONFLICT, RATE_LIMITED, UNREACHABLE = 1, 2, 3, 4, 5, 6, 7


def good(out):
    """The output of a command that must succeed."""
    assert out.returncode == 0, out
    return out.stdout


def read(out):
    """The JSON document of a command that must succeed."""
    return json.loads(good(out))


def mode(path):
    return stat.S_IMODE(os.stat(path).st_mode)


def stored(account):
    """What the login of this home holds."""
    return json.loads((account.folder / "config" / "culvert" / "config.json").read_text())


def key_of(account, handle, label="agent key"):
    """A file with a key of the identity and its rotation secret, made by an administrator."""
    file = account.folder / f"{handle}.key"
    good(account.run("keys", "create", label, "--identity", handle, "--secret-file", str(file)))
    return file


def log_in(folder, service, key_file):
    """Another home, logged in with this key."""
    account = Account(folder, service, log_in=False)
    good(account.run("login", "--server", f"https://localhost:{service.https_port}", "--ca-file", service.ca,
                     "--api-key-file", str(key_file)))
    return account
