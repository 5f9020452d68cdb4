# Sourced by the other scripts, from the root of the repository: makes .venv with the first suitable Python.
# A fresh machine needs python3 (3.11 or newer), pip and git; neither uv nor just.

fail() {
    printf 'error: %s\n' "$1" >&2
    exit 1
}

suitable() {
    "$1" -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2])' 2>/dev/null
}

# The CPU build of torch exists for Python 3.11 first of all, so that version is preferred.
find_python() {
    for candidate in python3.11 python3 python3.12 python3.13; do
        if suitable "$candidate"; then
            printf '%s' "$candidate"
            return
        fi
    done
    fail 'Openplate needs Python 3.11 or newer; none was found'
}

# Debian's python3 lacks ensurepip unless python3-venv is installed; virtualenv does without it.
make_venv() {
    local python
    python=$(find_python)
    "$python" -m venv .venv >/dev/null 2>&1 && return
    rm -rf .venv
    "$python" -m pip install --quiet --target .venv/bootstrap virtualenv
    PYTHONPATH=.venv/bootstrap "$python" -m virtualenv --quiet .venv
}

[ -x .venv/bin/pip ] || make_venv
