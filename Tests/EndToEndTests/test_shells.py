"""The completions of each shell, run by that shell."""
import shutil
import subprocess

import pytest


def script(account, folder, shell, name):
    out = account.run("completions", shell)
    assert out.returncode == 0, out
    file = folder / name
    file.write_text(out.stdout)
    return file


def said(*command, **options):
    out = subprocess.run(command, capture_output=True, text=True, timeout=60, stdin=subprocess.DEVNULL, **options)
    assert out.returncode == 0 and out.stderr == "", out
    return out.stdout


EXPECTED = [(["culvert", ""], {"http", "run", "check", "tunnels", "events"}),
            (["culvert", "tunnels", "res"], {"restore"}),
            (["culvert", "http", "3000", "--remove-re"], {"--remove-request-header", "--remove-response-header"})]


@pytest.mark.parametrize("words,offered", EXPECTED)
def test_bash_offers_what_there_is(account, tmp_path, words, offered):
    file = script(account, tmp_path, "bash", "culvert")
    quoted = " ".join(f"'{w}'" for w in words)
    out = said("bash", "--norc", "-c", f"source {file}; COMP_WORDS=({quoted}); COMP_CWORD={len(words) - 1}; _culvert; "
                                       "printf '%s\\n' \"${COMPREPLY[@]}\"")
    assert offered <= set(out.split()) and ("tunnels" not in out.split() or len(words) == 2), out


@pytest.mark.skipif(not shutil.which("fish"), reason="fish is not installed")
@pytest.mark.parametrize("words,offered", EXPECTED)
def test_fish_offers_what_there_is(account, tmp_path, words, offered):
    file = script(account, tmp_path, "fish", "culvert.fish")
    said("fish", "--no-execute", str(file))
    out = said("fish", "--no-config", "-c", f"source {file}; complete --do-complete '{' '.join(words)}'", env=account.env | {"PATH": "/usr/bin:/bin"})
    assert offered <= {line.split("\t")[0] for line in out.splitlines()}, out


ZSH = """
zmodload zsh/zpty
zpty shell 'zsh -f -i'
zpty -w shell "PS1=; fpath=(%(folder)s $fpath); autoload -Uz compinit; compinit -D -u; zstyle ':completion:*' list-colors ''"
zpty -w shell "bindkey '^I' list-choices; LISTMAX=0; setopt no_list_beep; print -r -- rea''dy"
zpty -r -m shell log '*ready*' || exit 1
zpty -w -n shell '%(line)s'$'\\t'
zpty -r -m shell log '*%(awaited)s*' || exit 1
print -r -- $log
zpty -d shell
"""


@pytest.mark.skipif(not shutil.which("zsh"), reason="zsh is not installed")
@pytest.mark.parametrize("line,awaited", [("culvert tunnels r", "rotate-secret"), ("culvert http 3000 --remove-re", "remove-response-header")])
def test_zsh_offers_what_there_is(account, tmp_path, line, awaited):
    file = script(account, tmp_path, "zsh", "_culvert")
    said("zsh", "-n", str(file))
    assert awaited in said("zsh", "-f", "-c", ZSH % {"folder": tmp_path, "line": line, "awaited": awaited}, cwd=tmp_path)
