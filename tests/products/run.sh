#!/usr/bin/env bash
# Real products behind `scimitar serve`:  tests/products/run.sh [jupyterhub|redmine|keystone|all]... [options of life.py]
#
# Installs what is not there into $SCIMITAR_PRODUCTS (or ~/.cache/scimitar-products; Redmine as Debian packages), starts each on a
# free port with data of its own, and ends it again. The program is $SCIMITAR, or target/release/scimitar. Needs bash and Python 3.
# Exit code: 0 all passed, 1 something failed, 77 nothing failed but a product cannot be installed here.
set -uo pipefail
HERE=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
SCIMITAR=${SCIMITAR:-${CARGO_TARGET_DIR:-$HERE/../../target}/release/scimitar}
PRODUCTS=() OPTIONS=()
for argument in "$@"; do
    case $argument in
        all) PRODUCTS+=(jupyterhub redmine keystone) ;;
        jupyterhub | redmine | keystone) PRODUCTS+=("$argument") ;;
        *) OPTIONS+=("$argument") ;;
    esac
done
[ ${#PRODUCTS[@]} -gt 0 ] || PRODUCTS=(jupyterhub redmine keystone)
if ! [ -x "$SCIMITAR" ]; then
    echo "there is no program at $SCIMITAR: cargo build --release, or set SCIMITAR" >&2
    exit 1
fi
WORST=0
for product in "${PRODUCTS[@]}"; do
    printf '\n--- %s\n' "$product"
    CODE=0
    PYTHONDONTWRITEBYTECODE=1 python3 "$HERE/life.py" "$product" --scimitar "$SCIMITAR" ${OPTIONS[@]+"${OPTIONS[@]}"} || CODE=$?
    case $CODE in
        0) ;;
        77) [ "$WORST" -ne 0 ] || WORST=77 ;;
        *) WORST=1 ;;
    esac
done
exit "$WORST"
