#!/usr/bin/env bash
# Runs the store's tests on an S3-compatible server that is started for it on loopback and ended afterwards: the same
# suite as on folders, and two file servers over one bucket.
#
# usage: packaging/server/test-s3.sh [moto | garage [NODES]]      [default: moto]
#
# moto needs moto_server:  pip install 'moto[server]'
# garage needs garage:     cargo install garage --locked; NODES (default 3) on this machine, each object on all of them
#
# CARGO names another cargo.
set -euo pipefail

cd "$(dirname "$0")/../.."
kind=${1:-moto}
nodes=${2:-3}
work=$(mktemp -d)
pids=()
end() {
    [ "${#pids[@]}" -eq 0 ] || kill "${pids[@]}" 2>/dev/null || true
    wait || true
    rm -rf "$work"
}
trap end EXIT

fail() {
    echo "test-s3: $*" >&2
    tail -n 20 "$work"/*.log >&2 2>/dev/null || true
    exit 1
}

# Waits until a command succeeds: until_true SECONDS WHAT COMMAND…
until_true() {
    local last=$((SECONDS + $1)) what=$2
    shift 2
    until "$@" >/dev/null 2>&1; do
        [ "$SECONDS" -lt "$last" ] || fail "$what did not happen in time"
        sleep 0.2
    done
}

answers() { (exec 3<>"/dev/tcp/127.0.0.1/$1"); }

# A port that is free now: the first of a range that nobody answers at.
free_port() {
    local port=$1
    while answers "$port" 2>/dev/null; do port=$((port + 1)); done
    echo "$port"
}

start_moto() {
    command -v moto_server >/dev/null || fail "moto_server is missing: pip install 'moto[server]'"
    local port
    port=$(free_port 5580)
    moto_server -H 127.0.0.1 -p "$port" >"$work/moto.log" 2>&1 &
    pids+=($!)
    until_true 60 "moto's start" answers "$port"
    # moto takes any credentials, and a bucket from anybody.
    export AWS_ACCESS_KEY_ID=test AWS_SECRET_ACCESS_KEY=test AWS_REGION=us-east-1
    export AWS_ENDPOINT_URL=http://127.0.0.1:$port
    until_true 20 "the bucket" moto_put "$port" "$CLOAKROOM_TEST_BUCKET" ""
    export CLOAKROOM_TEST_VERSIONED_BUCKET=cloakroom-versions
    until_true 20 "the bucket with versions" moto_put "$port" "$CLOAKROOM_TEST_VERSIONED_BUCKET" ""
    until_true 20 "its versions" moto_put "$port" "$CLOAKROOM_TEST_VERSIONED_BUCKET?versioning" \
        '<VersioningConfiguration><Status>Enabled</Status></VersioningConfiguration>'
}

# moto_put PORT WHAT BODY
moto_put() {
    exec 3<>"/dev/tcp/127.0.0.1/$1"
    printf 'PUT /%s HTTP/1.0\r\nHost: 127.0.0.1:%s\r\nContent-Length: %s\r\n\r\n%s' "$2" "$1" "${#3}" "$3" >&3
    head -n 1 <&3 | grep -q ' 200 '
}

start_garage() {
    command -v garage >/dev/null || fail "garage is missing: cargo install garage --locked"
    local secret base node first ids=()
    secret=$(od -An -N32 -tx1 /dev/urandom | tr -d ' \n')
    base=$(free_port 3950)
    for ((node = 0; node < nodes; node++)); do
        mkdir -p "$work/$node"
        cat >"$work/$node.toml" <<CONFIG
metadata_dir = "$work/$node/meta"
data_dir = "$work/$node/data"
db_engine = "sqlite"
replication_factor = $nodes
rpc_bind_addr = "127.0.0.1:$((base + 2 * node))"
rpc_public_addr = "127.0.0.1:$((base + 2 * node))"
rpc_secret = "$secret"
[s3_api]
s3_region = "garage"
api_bind_addr = "127.0.0.1:$((base + 2 * node + 1))"
CONFIG
        garage -c "$work/$node.toml" server >"$work/$node.log" 2>&1 &
        pids+=($!)
    done
    first=$work/0.toml
    for ((node = 0; node < nodes; node++)); do
        until_true 60 "the start of node $node" garage -c "$work/$node.toml" status
        ids+=("$(garage -c "$work/$node.toml" node id -q)")
        [ "$node" -eq 0 ] || garage -c "$first" node connect "${ids[node]}" >/dev/null
    done
    for node in "${!ids[@]}"; do
        garage -c "$first" layout assign -z "zone$node" -c 1G "${ids[node]%%@*}" >/dev/null
    done
    garage -c "$first" layout apply --version 1 >/dev/null
    until_true 60 "the bucket" garage -c "$first" bucket create "$CLOAKROOM_TEST_BUCKET"
    garage -c "$first" key create cloakroom >"$work/key"
    garage -c "$first" bucket allow --read --write "$CLOAKROOM_TEST_BUCKET" --key cloakroom >/dev/null
    AWS_ACCESS_KEY_ID=$(awk '/^Key ID/ { print $NF }' "$work/key")
    AWS_SECRET_ACCESS_KEY=$(awk '/^Secret key/ { print $NF }' "$work/key")
    export AWS_ACCESS_KEY_ID AWS_SECRET_ACCESS_KEY AWS_REGION=garage
    export AWS_ENDPOINT_URL=http://127.0.0.1:$((base + 1))
}

# What belongs to the machine that runs this must not decide where the tests go.
unset "${!AWS_@}"
export CLOAKROOM_TEST_BUCKET=cloakroom-test
case $kind in
    moto) start_moto ;;
    garage) start_garage ;;
    *) fail "there is no $kind here: moto or garage" ;;
esac
"${CARGO:-cargo}" test --locked --no-fail-fast --features s3 --test server -- \
    --include-ignored server::store_conformance server::shared
echo "test-s3: all of it holds on $kind"
