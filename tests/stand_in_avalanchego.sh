#!/bin/sh
# Stands in for the avalanchego binary where a test runs the init container's script: it prints what
# `avalanchego --version-json` prints (indented, rpcchainvm a number [105]) and refuses the rest.
# A line added at the end makes another build of it: another sha256, the same behaviour.
set -eu
if [ "${1:-}" != --version-json ]; then
    echo "stand-in avalanchego: only --version-json" >&2
    exit 1
fi
cat <<'JSON'
{
  "application": "avalanchego/1.14.0",
  "database": "v1.4.5",
  "rpcchainvm": 44,
  "commit": "7aa1f1f0e2a3c1a54ef3a2a0ad9d3a4e7a1d9d11",
  "go": "1.24.9"
}
JSON
