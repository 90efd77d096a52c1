#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Makes the pictures in references/ anew, after a change that is meant to be seen. Look at each of them before it is committed. Letters are
# those of DejaVu Sans, which Debian's fontconfig brings along. Wants a build with tests, and Debian's xvfb.
# usage: bash tests/host/renew_references.sh [BUILD]
set -euo pipefail

tests=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
build=$(cd "${1:-$tests/../../build}" && pwd)
export ENAMEL_RENEW_REFERENCES=1
ctest --test-dir "$build" --output-on-failure -R '^host_(pictures|window)$'
ls -l "$tests"/references
