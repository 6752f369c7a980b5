#!/usr/bin/env bash
# Makes .venv with the Python programs that the tests open our files with, and JAX; --torch adds PyTorch and the
# frameworks on it (gigabytes), --bench what the benchmark peers need.
# Does nothing where it already holds exactly these versions. PYTHON names another interpreter than python3.
set -euo pipefail
cd "$(dirname "$0")/.."

lists=(test/requirements.txt python/requirements.txt)
case "${1-}" in
  '') ;;
  --torch) lists+=(python/requirements-torch.txt) ;;
  --bench) lists+=(bench/requirements.txt) ;;
  *) echo "usage: scripts/venv.sh [--torch | --bench]" >&2; exit 2 ;;
esac

# What a list looked like when it was installed stands beside it, so an edited list is installed again.
stamp() { echo ".venv/installed-${1//\//-}"; }

missing=()
for list in "${lists[@]}"; do
  cmp -s "$list" "$(stamp "$list")" && .venv/bin/python -c '' 2>/dev/null || missing+=("$list")
done
[ ${#missing[@]} -gt 0 ] || exit 0

.venv/bin/python -c '' 2>/dev/null || "${PYTHON:-python3}" -m venv --clear .venv
echo "installing ${missing[*]} into .venv" >&2
.venv/bin/python -m pip install --quiet --disable-pip-version-check --only-binary :all: "${missing[@]/#/--requirement=}"
for list in "${missing[@]}"; do cp "$list" "$(stamp "$list")"; done
