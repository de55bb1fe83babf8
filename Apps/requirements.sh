# Sourced by Apps/quickstart, Tests/run and Tests/Benchmarks/run: what they need from the machine, looked for before it is fetched.
# Nothing here uses the network when everything is already installed.

say() { printf '%s\n' "$*" >&2; }
stop() { say "error: $*"; exit 1; }

# The newest Swift found must be 6.3 or later: on PATH, or where installers put it.
require_swift() {
    local folder version major minor
    for folder in "" "${SWIFTLY_BIN_DIR:-$HOME/.local/share/swiftly/bin}" "$HOME/.swiftly/bin" /opt/swift/usr/bin /usr/local/swift/usr/bin; do
        [ -z "$folder" ] || [ -x "$folder/swift" ] || continue
        version="$(PATH="${folder:+$folder:}$PATH" swift --version 2>/dev/null | sed -n 's/.*Swift version \([0-9]*\.[0-9]*\).*/\1/p' | head -n 1)"
        [ -n "$version" ] || continue
        major="${version%%.*}" minor="${version#*.}"
        if [ "$major" -gt 6 ] || { [ "$major" -eq 6 ] && [ "$minor" -ge 3 ]; }; then
            [ -z "$folder" ] || export PATH="$folder:$PATH"
            return
        fi
        say "note: Swift $version in ${folder:-PATH} is too old; Culvert needs 6.3"
    done
    stop "no Swift 6.3 toolchain found on PATH, in ~/.local/share/swiftly/bin or in /opt/swift.
       Install one from https://www.swift.org/install/linux and run this again."
}

# require_packages NAME…: installs the Debian packages that are missing, as root or by sudo.
require_packages() {
    local missing=() name
    command -v dpkg-query >/dev/null || stop "this script installs Debian packages and found no dpkg.
       On another system install what stands for: $*; then build with 'swift build -c release'."
    for name in "$@"; do
        dpkg-query -W -f '${db:Status-Status}' "$name" 2>/dev/null | grep -q '^installed$' || missing+=("$name")
    done
    [ ${#missing[@]} -gt 0 ] || return 0
    local as_root=()
    if [ "$(id -u)" -ne 0 ]; then
        command -v sudo >/dev/null || stop "missing Debian packages: ${missing[*]}. Neither root nor sudo is at hand;
       ask an administrator for: apt-get install ${missing[*]}"
        as_root=(sudo)
    fi
    say "installing ${missing[*]}"
    "${as_root[@]}" apt-get update -qq >/dev/null || say "note: 'apt-get update' failed; trying with the lists at hand"
    "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null </dev/null \
        || stop "apt-get could not install ${missing[*]}. Run 'apt-get install ${missing[*]}' by hand to see why, then run this again."
}

require_build_packages() { require_packages libssl-dev libnghttp2-dev libpcre2-dev libsqlite3-dev pkg-config; }

# Builds the release binaries of the tree at $1; prints the folder that holds them. What the compiler says goes to stderr.
# The Swift runtime is linked in: the binaries run without a toolchain, and a request costs a tenth less.
build_release() {
    local product
    for product in culvertd culvert culvert-hook culvert-rpc; do
        swift build --package-path "$1" -c release --static-swift-stdlib --product "$product" >&2 \
            || stop "the release build of $product failed; the compiler's message stands above."
    done
    swift build --package-path "$1" -c release --static-swift-stdlib --show-bin-path
}

# require_venv DIR REQUIREMENTS: a Python environment with exactly the pinned packages, made again when the pins change.
require_venv() {
    local stamp="$1/.installed" want
    want="$(cat "$2")"
    [ "$(cat "$stamp" 2>/dev/null)" = "$want" ] && [ -x "$1/bin/python" ] && return 0
    python3 -c 'import ensurepip, venv' 2>/dev/null || require_packages python3-venv
    say "making the Python environment $1"
    rm -rf "$1"
    { python3 -m venv "$1" && "$1/bin/pip" install -q --disable-pip-version-check -r "$2" >&2; } \
        || stop "could not install the pinned packages of $2 (see above); is a package index within reach?"
    printf '%s\n' "$want" >"$stamp"
}

# require_host_name NAME: makes sure that NAME is this machine for programs that ask the C library (wrk does; curl knows *.localhost by itself).
require_host_name() {
    getent hosts "$1" >/dev/null && return 0
    say "note: adding '127.0.0.1 $1' to /etc/hosts, because the C library here does not know names under localhost"
    if [ "$(id -u)" -eq 0 ]; then
        printf '127.0.0.1 %s # Culvert benchmarks\n' "$1" >>/etc/hosts
    else
        printf '127.0.0.1 %s # Culvert benchmarks\n' "$1" | sudo tee -a /etc/hosts >/dev/null || stop "could not write /etc/hosts; add the line '127.0.0.1 $1' by hand."
    fi
}
