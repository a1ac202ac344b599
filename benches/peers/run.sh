#!/usr/bin/env bash
# run.sh [peer…]: starts a Kafka and a registry, loads the workload, runs the peers in turns; JSON lines to results-<date>.jsonl.
# Environment: N (records, 1000000), RUNS (turns, 5), LAB (downloads, builds, data), MESH (the binary), CHECK (1), PORT (the first of
# nine, 31090).
set -euo pipefail
cd "$(dirname "$0")"
HERE=$PWD
ROOT=$(cd ../.. && pwd)
LAB=${LAB:-${TMPDIR:-/tmp}/mesh-lab}/peers
N=${N:-1000000} RUNS=${RUNS:-5} CHECK=${CHECK:-1}
PORT=${PORT:-31090} REGISTRY=$((${PORT:-31090} + 2)) HTTP=$((${PORT:-31090} + 3))
# of Connect, and the first of four of the proxy
REST=$((PORT + 4)) PROXY=127.0.0.1:$((PORT + 5))
BOOT=127.0.0.1:$PORT
RESULTS=$HERE/results-$(date +%F).jsonl
ALL="mesh mirror mirror-eos rust-naive-eos kafka-streams-eos mm2 mm2-mask kroxylicious kroxylicious-encrypt"
IN=crm.customers.v1.in
mkdir -p "$LAB" && LAB=$(cd "$LAB" && pwd)
BENCH=$LAB/target/release/bench
MESH=${MESH:-$ROOT/target/release/mesh}
CP="$LAB/java-classes:$LAB/java-libs/*"
KROXYLICIOUS_CP="$LAB/kroxylicious-classes:$LAB/kroxylicious-libs/*"
JAVA="java -XX:+UseG1GC -Dorg.slf4j.simpleLogger.defaultLogLevel=warn -Dorg.slf4j.simpleLogger.showDateTime=true"

PIDS=()
stop() { # stop PID: ends one process that this script started
  kill "$1" 2>/dev/null || return 0
  for _ in $(seq 100); do kill -0 "$1" 2>/dev/null || return 0; sleep 0.1; done
  kill -9 "$1" 2>/dev/null || true
}
trap 'for p in "${PIDS[@]}"; do stop "$p"; done' EXIT
die() { echo "$1" >&2 && exit 1; }

# ---- what has to be there -------------------------------------------------------------------------------------------
libraries() { # libraries FOLDER: those that its pom.xml names, anew when it has changed
  local libs="$LAB/$1-libs"
  cmp -s "$1/pom.xml" "$libs/pom.xml" && return
  rm -rf "$libs" && mvn -q -B -f "$1/pom.xml" dependency:copy-dependencies -DincludeScope=runtime -DoutputDirectory="$libs"
  cp "$1/pom.xml" "$libs/"
}

setup() {
  CARGO_TARGET_DIR=$LAB/target cargo build -q --release --manifest-path bench/Cargo.toml
  [ -x "$MESH" ] || (cd "$ROOT" && cargo build -q --release -p mesh)
  libraries java
  mkdir -p "$LAB/java-classes/META-INF/services"
  javac -cp "$LAB/java-libs/*" -d "$LAB/java-classes" java/*.java
  echo MaskTransform >"$LAB/java-classes/META-INF/services/org.apache.kafka.connect.transforms.Transformation"
  cp tree/schemas/crm/customer.avsc "$LAB/java-classes/"
  (umask 077 && printf '{"roots":[{"version":1,"secret":"%s"}]}\n' "$(head -c 32 /dev/urandom | base64 -w 0)" >"$LAB/keys.json")
  case " $* " in *" kroxylicious"*)
    libraries kroxylicious
    javac -cp "$LAB/kroxylicious-libs/*" -d "$LAB/kroxylicious-classes" kroxylicious/Proxy.java
    ;;
  esac
}

free() { ! (exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null || die "port $1 is taken: choose others with PORT"; }

start_kafka() {
  for p in $(seq "$PORT" $((PORT + 8))); do free "$p"; done
  rm -rf "$LAB/kafka" && mkdir -p "$LAB/kafka"
  cat >"$LAB/kafka/server.properties" <<PROPERTIES
process.roles=broker,controller
node.id=1
controller.quorum.voters=1@127.0.0.1:$((PORT + 1))
listeners=PLAINTEXT://127.0.0.1:$PORT,CONTROLLER://127.0.0.1:$((PORT + 1))
advertised.listeners=PLAINTEXT://127.0.0.1:$PORT
controller.listener.names=CONTROLLER
listener.security.protocol.map=CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT
log.dirs=$LAB/kafka/data
offsets.topic.replication.factor=1
offsets.topic.num.partitions=8
transaction.state.log.replication.factor=1
transaction.state.log.num.partitions=8
transaction.state.log.min.isr=1
group.initial.rebalance.delay.ms=0
log.segment.delete.delay.ms=1000
auto.create.topics.enable=false
PROPERTIES
  java -cp "$LAB/java-libs/*" -Dorg.slf4j.simpleLogger.defaultLogLevel=error kafka.tools.StorageTool format \
    -t 4L6g3nShT-eMCtK--X86sw -c "$LAB/kafka/server.properties" >"$LAB/kafka/format.log" 2>&1
  $JAVA -Xms1g -Xmx1g -cp "$LAB/java-libs/*" kafka.Kafka "$LAB/kafka/server.properties" >"$LAB/kafka/broker.log" 2>&1 &
  BROKER=$!
  PIDS+=("$BROKER")
  for _ in $(seq 60); do bench topic --create ready 2>/dev/null && return; sleep 1; done
  die "Kafka did not start: $LAB/kafka/broker.log"
}

start_registry() {
  "$MESH" run registry --registry-port $REGISTRY --bootstrap-servers $BOOT >"$LAB/registry.log" 2>&1 &
  PIDS+=("$!")
  for _ in $(seq 60); do curl -fs "http://127.0.0.1:$REGISTRY/subjects" >/dev/null && break; sleep 0.5; done
  "$MESH" apply --root tree --bootstrap-servers $BOOT --registry-url http://127.0.0.1:$REGISTRY
  ID=$(curl -fs "http://127.0.0.1:$REGISTRY/subjects/$IN-value/versions/latest" |
    python3 -c 'import json, sys; print(json.load(sys.stdin)["id"])')
}

# ---- one measured run -----------------------------------------------------------------------------------------------
bench() { "$BENCH" "$@" --bootstrap $BOOT; }
sidecar() {
  echo "$MESH" run masking --domain crm --http-port $HTTP --bootstrap-servers $BOOT \
    --registry-url http://127.0.0.1:$REGISTRY --keys "$LAB/keys.json" "$@"
}
afresh() { # afresh TOPIC: empty
  bench topic --delete "$1" 2>/dev/null && sleep 3
  bench topic --create "$1"
}

measure() { # measure PEER DELIVERY OUT AS… -- COMMAND… ; through a proxy where THROUGH is its process
  local peer=$1 delivery=$2 out=$3 as at=$BOOT proxy=()
  shift 3
  as=()
  while [ "$1" != -- ]; do as+=("$1"); shift; done
  [ -z "${THROUGH:-}" ] || { at=$PROXY && proxy=(--proxy-pid "$THROUGH"); }
  afresh "$out"
  if "$BENCH" measure --bootstrap $BOOT --peer "$peer" --delivery "$delivery" --topic "$out" --records "$N" \
      --broker-pid "$BROKER" "${proxy[@]}" "$@" 2>"$LAB/$peer.log" >"$LAB/line.json"; then
    local ok=unchecked
    if [ "$CHECK" = 1 ]; then
      if "$BENCH" check --bootstrap "$at" --topic "$out" --records "$N" --as "${as[@]}" 2>>"$LAB/$peer.log"; then ok=true; else ok=false; fi
    fi
    sed "s/}\$/,\"verified\":\"$ok\",\"load_before\":\"$(cut -d' ' -f1 /proc/loadavg)\"}/" "$LAB/line.json" | tee -a "$RESULTS"
  else
    local why
    why=$(tail -1 "$LAB/$peer.log" | tr -d '"\\' | cut -c1-200)
    echo "{\"peer\":\"$peer\",\"delivery\":\"$delivery\",\"failed\":\"$why\"}" | tee -a "$RESULTS"
  fi
}

pipe() { # pipe PEER DELIVERY AS TURN [flags…]
  local out="out.$1.$4" peer=$1 delivery=$2 as=$3
  shift 4
  measure "$peer" "$delivery" "$out" "$as" -- "$BENCH" pipe --bootstrap $BOOT --in $IN --out "$out" --group "$out" "$@"
  bench topic --delete "$out"
}

connect() { # connect PEER AS TURN TRANSFORMS: a standalone worker with MirrorMaker 2's source connector
  local out="out.$1.$3" config="$LAB/$1"
  mkdir -p "$config" && rm -f "$LAB/connect-offsets"
  sed "s#@LAB#$LAB#; s#@BOOTSTRAP#$BOOT#; s#@REST#$REST#" connect/worker.properties >"$config/worker.properties"
  sed "s#@BOOTSTRAP#$BOOT#; s#@IN#$IN#; s#@OUT#$out#; s#@TRANSFORMS#$4#" connect/mm2.properties >"$config/mm2.properties"
  [ "$4" = route ] || cat connect/mask.properties >>"$config/mm2.properties"
  measure "$1" at-least-once "$out" "$2" -- $JAVA -Xmx1g -cp "$CP" org.apache.kafka.connect.cli.ConnectStandalone \
    "$config/worker.properties" "$config/mm2.properties"
  bench topic --delete "$out"
}

proxy() { # proxy PEER TURN [FILTERS]: the loader sends through it, so that it need not read the input
  local out="out.$1.$2" config="$LAB/$1.yaml" pid
  sed "s/@BOOTSTRAP/$BOOT/; s/@PROXY/$PROXY/" kroxylicious/proxy.yaml >"$config"
  [ -z "${3:-}" ] || cat "$3" >>"$config"
  $JAVA -Xmx1g -cp "$KROXYLICIOUS_CP" Proxy "$config" >"$LAB/$1.proxy.log" 2>&1 &
  pid=$!
  PIDS+=("$pid")
  for _ in $(seq 100); do (exec 3<>"/dev/tcp/${PROXY/://}") 2>/dev/null && break; sleep 0.2; done
  THROUGH=$pid measure "$1" at-least-once "$out" plain -- \
    "$BENCH" load --bootstrap "$PROXY" --topic "$out" --records "$N" --schema-id "$ID"
  stop "$pid"
  bench topic --delete "$out"
}

turn() { # turn PEER TURN
  case $1 in
  mesh)
    bench forget-group --group mesh.masking.crm 2>/dev/null || true
    # shellcheck disable=SC2046
    measure mesh exactly-once crm.customers.v1 mesh --keys "$LAB/keys.json" -- $(sidecar)
    ;;
  mirror) pipe mirror at-least-once plain "$2" ;;
  mirror-eos) pipe mirror-eos exactly-once plain "$2" --eos ;;
  rust-naive-eos) pipe rust-naive-eos exactly-once peers "$2" --avro --eos --threads 2 ;;
  kafka-streams-eos)
    local out="out.$1.$2"
    measure "$1" exactly-once "$out" peers -- $JAVA -Xmx1g -cp "$CP" StreamsPeer $BOOT $IN "$out" exactly_once_v2 "$LAB/state"
    bench topic --delete "$out"
    ;;
  mm2) connect mm2 plain "$2" route ;;
  mm2-mask) connect mm2-mask peers "$2" mask,route ;;
  kroxylicious) proxy kroxylicious "$2" ;;
  kroxylicious-encrypt) proxy kroxylicious-encrypt "$2" kroxylicious/encryption.yaml ;;
  latency) latency ;;
  *) die "no such peer: $1 (of: $ALL latency)" ;;
  esac
  sleep 3
}

latency() { # publish to visible, at 5,000 records/s with the default settings
  bench forget-group --group mesh.masking.crm 2>/dev/null || true
  afresh crm.customers.v1
  afresh $IN
  # shellcheck disable=SC2046
  $(sidecar) 2>"$LAB/latency.log" &
  local pid=$!
  PIDS+=("$pid")
  sleep 5
  bench latency --in $IN --out crm.customers.v1 --schema-id "$ID" --rate 5000 --seconds 60 | tee -a "$RESULTS"
  stop "$pid"
}

[ $# -gt 0 ] || set -- $ALL latency
setup "$@"
start_kafka
start_registry
echo "loading" >&2
bench load --topic $IN --records "$N" --schema-id "$ID"
# the broker's code paths and its internal topics; this run is not reported
RESULTS=/dev/null turn mirror-eos warm-up >/dev/null
for t in $(seq "$RUNS"); do
  for p in "$@"; do [ "$p" = latency ] || turn "$p" "$t"; done
done
# last: it empties the input
case " $* " in *" latency "*) for t in $(seq "$RUNS"); do turn latency "$t"; done ;; esac
