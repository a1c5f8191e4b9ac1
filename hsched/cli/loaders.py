"""The files that tell bash, zsh and fish how to ask a command for completions.

``python -m hsched.cli.loaders`` writes them to ``completions/`` and ``--check`` only compares;
the build puts them where the shells look.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator

from hsched.cli.manual import COMMANDS

#: All programs that can be completed.
PROGRAMS = (*COMMANDS, "hsched")

#: The files' folder, in a checkout.
FOLDER = os.path.normpath(os.path.join(os.path.dirname(__file__), "..", "..", "completions"))

_HEAD = "Written by `make completions`; the command itself knows what there is to offer."

# The command itself parts the line into words, as a shell does, and the last is the one to be
# completed (-1): bash parts them at = and : as well, and puts in what follows the last of those.
# In a word that begins with a quote it does not, nor wants it escaped; what that quote does not
# protect is not offered there.
_BASH = """\
# {head}
_{program}_complete() {{
    local kind value before=${{COMP_LINE:0:COMP_POINT}} word=${{COMP_WORDS[COMP_CWORD]}} prefix=
    local typed=${{before##*[[:blank:]]}} is_quoted=
    if [[ $word == [\\"\\']* ]]; then
        is_quoted=1
    else
        prefix=${{typed%"${{typed##*[=:]}}"}}
        [[ -z $word && $before == *[[:blank:]] ]] && before+="''"
    fi
    COMPREPLY=()
    while IFS=, read -r kind value; do
        case $kind in
            plain)
                [[ $value == *[=:] ]] && compopt -o nospace 2>/dev/null
                value=${{value#"$prefix"}}
                if [[ $value == *[!A-Za-z0-9_@%+=:,./~-]* ]]; then
                    [[ $is_quoted && $value == *[\\"\\'\\$\\`\\\\!]* ]] && continue
                    [[ $is_quoted ]] || printf -v value %q "$value"
                fi
                COMPREPLY+=("$value") ;;
            file) compopt -o default 2>/dev/null ;;
            dir) compopt -o dirnames 2>/dev/null ;;
        esac
    done < <(env COMP_WORDS="$before" COMP_CWORD=-1 \\
        {variable}=bash_complete {program} 2>/dev/null </dev/null)
}}
complete -F _{program}_complete {program}
"""

_ZSH = """\
#compdef {programs}
# {head}
local kind value about name=$service
local -a answer plain open described
answer=("${{(@f)$(env COMP_WORDS="${{words[*]}}" COMP_CWORD=$((CURRENT - 1)) \\
    _${{(U)name}}_COMPLETE=zsh_complete $name 2>/dev/null </dev/null)}}")
[[ ${{words[CURRENT]}} == --*=* ]] && compset -P 1 '*='
for kind value about in "${{(@)answer}}"; do
    case $kind in
        file) _files ;;
        dir) _files -/ ;;
        plain)
            if [[ $value == *= || $value == *: ]]; then
                open+=("${{value//\\\\:/:}}")
            elif [[ $about == _ ]]; then
                plain+=("$value")
            else
                described+=("$value:$about")
            fi ;;
    esac
done
(( $#described )) && _describe -V {tag} described
(( $#plain )) && compadd -V {tag} -a plain
(( $#open )) && compadd -V {tag} -S '' -a open
return 0
"""

_FISH = """\
# {head}
function __{program}_complete
    set -l option (string match -r '^--[^=]+=' -- (commandline -ct))
    for line in (env {variable}=fish_complete COMP_WORDS=(commandline -cp) \\
            COMP_CWORD=(commandline -ct) {program} 2>/dev/null </dev/null)
        set -l parts (string split -m 1 , -- $line)
        switch $parts[1]
            case plain
                echo "$option"$parts[2]
            case dir
                __fish_complete_directories $parts[2]
            case file
                __fish_complete_path $parts[2]
        end
    end
end
complete -c {program} -f -k -a '(__{program}_complete)'
"""


def variable(program: str) -> str:
    """Return the environment variable by which a shell asks ``program``."""
    return f"_{program.upper()}_COMPLETE"


def files() -> Iterator[tuple[str, str]]:
    """Yield the path of each file below ``completions/``, and its text."""
    for program in PROGRAMS:
        names = {"program": program, "variable": variable(program), "head": _HEAD}
        yield f"bash/{program}", _BASH.format(**names)
        yield f"fish/{program}.fish", _FISH.format(**names)
    yield "zsh/_hsched", _ZSH.format(programs=" ".join(PROGRAMS), head=_HEAD, tag="hsched")


def main() -> int:
    """Write the files; with ``--check``, only say which ones differ."""
    check = "--check" in sys.argv[1:]
    stale = []
    for name, text in files():
        path = os.path.join(FOLDER, name)
        if _read(path) != text:
            stale.append(name)
            if not check:
                os.makedirs(os.path.dirname(path), exist_ok=True)
                with open(path, "w", encoding="utf-8") as file:
                    file.write(text)
    for name in stale:
        print(f"{name} {'differs; run `make completions`' if check else 'written'}")
    return 1 if check and stale else 0


def _read(path: str) -> str | None:
    try:
        with open(path, encoding="utf-8") as file:
            return file.read()
    except FileNotFoundError:
        return None


if __name__ == "__main__":
    sys.exit(main())
