#!/usr/bin/env bash
# Drives as many texts through Debian's Kannel as through Tocsin, into the same load peer over SMPP, in one sitting, and
# prints both figures and their ratio. bench/README.md says what is compared and what is not.
# It must not leave a process or a service behind, and it is no part of ./test.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

usage() {
  cat <<'USAGE'
usage: bench/kannel.sh [--texts N] [--runs N] [--stores LIST] [--help]

Installs kannel where it is missing, measures Kannel with each of its stores and then `tocsin bench --only speed`,
and prints one table. Exit code 1 when Tocsin makes fewer than 10 times the deliveries a second.

  --texts N   texts of every run; default 200000
  --runs N    runs of each, of which the median counts; default 3
  --stores LIST
              Kannel's stores to measure, with spaces between; default "none spool file"

TOCSIN       the program to measure; default: a release build of this tree
CONNECTIONS  connections to smsbox; default 32
USAGE
}

WANTED=10
texts=200000
runs=3
stores='none spool file'
while (($#)); do
  case $1 in
    --texts) texts=${2:?--texts wants a number}; shift 2 ;;
    --runs) runs=${2:?--runs wants a number}; shift 2 ;;
    --stores) stores=${2:?--stores wants a list}; shift 2 ;;
    --help | -h) usage; exit 0 ;;
    *) echo "bench/kannel.sh: unknown option $1" >&2; usage >&2; exit 2 ;;
  esac
done

export PATH=$PATH:/usr/sbin:/sbin
scratch=$(mktemp -d "${TMPDIR:-/tmp}/tocsin-kannel.XXXXXX")
children=()

die() {
  echo "bench/kannel.sh: $*" >&2
  exit 2
}

finish() {
  local status=$?
  trap '' INT TERM HUP
  trap - EXIT
  stop_all
  rm -rf "$scratch"
  exit "$status"
}
trap finish EXIT
trap 'exit 129' HUP
trap 'exit 130' INT
trap 'exit 143' TERM

# launch LOG COMMAND...: a child in a group of its own, which the kernel ends should this script be killed.
launch() {
  local log=$1
  shift
  set -m
  setpriv --pdeathsig KILL -- "$@" </dev/null >"$log" 2>&1 &
  set +m
  children+=("$!")
}

stop_all() {
  local index pid deadline
  for ((index = ${#children[@]} - 1; index >= 0; index--)); do
    pid=${children[index]}
    deadline=$((SECONDS + 10))
    kill -TERM -- "-$pid" 2>/dev/null || continue
    while kill -0 -- "-$pid" 2>/dev/null && ((SECONDS < deadline)); do sleep 0.05; done
    kill -KILL -- "-$pid" 2>/dev/null || true
  done
  wait 2>/dev/null || true
  children=()
}

# Kannel's package brings a service; it must not start.
install_kannel() {
  command -v bearerbox >/dev/null && command -v smsbox >/dev/null && return 0
  local root=()
  if ((EUID != 0)); then
    command -v sudo >/dev/null || die "install the Debian package kannel, or run as root or with sudo"
    root=(sudo)
  fi
  command -v apt-get >/dev/null || die "this is not a Debian machine; install Kannel 1.4.5 (bearerbox and smsbox)"
  echo "installing kannel" >&2
  (
    own=()
    trap '"${root[@]}" rm -f "${own[@]}"' EXIT
    if [[ ! -e /usr/sbin/policy-rc.d ]]; then
      own+=(/usr/sbin/policy-rc.d)
      printf '#!/bin/sh\nexit 101\n' | "${root[@]}" install -m 755 /dev/stdin /usr/sbin/policy-rc.d || exit
    fi
    "${root[@]}" apt-get -q -o DPkg::Lock::Timeout=600 update || exit
    "${root[@]}" env DEBIAN_FRONTEND=noninteractive \
      apt-get -q -y -o DPkg::Lock::Timeout=600 install --no-install-recommends kannel
  ) </dev/null >"$scratch/apt.log" 2>&1 || { tail -n 30 "$scratch/apt.log" >&2; die "could not install kannel"; }
}

program() {
  if [[ -z ${TOCSIN:-} ]]; then
    cargo build --release --locked --quiet --package tocsin
    TOCSIN=${CARGO_TARGET_DIR:-target}/release/tocsin
  fi
  [[ -x $TOCSIN ]] || die "$TOCSIN is no program"
}

free_ports() {
  python3 -c '
import socket, sys
held = [socket.create_server(("127.0.0.1", 0)) for _ in range(int(sys.argv[1]))]
print(*(s.getsockname()[1] for s in held))' "$1"
}

# The load peer that `tocsin bench` measures against; its port is the first line it says.
start_peer() {
  launch "$scratch/peer.log" "$TOCSIN" bench-peer
  for _ in {1..200}; do
    peer=$(head -n 1 "$scratch/peer.log")
    [[ -n $peer ]] && return 0
    sleep 0.05
  done
  die "the load peer did not start"
}

# configure STORE: everything that costs time and is not needed is off.
configure() {
  local store
  case $1 in
    none) store= ;;
    file) store=$'store-type = file\nstore-location = '"$scratch/store" ;;
    spool) store=$'store-type = spool\nstore-location = '"$scratch/spool" && mkdir -p "$scratch/spool" ;;
  esac
  read -r admin boxes sendsms < <(free_ports 3)
  cat >"$scratch/kannel.conf" <<CONF
group = core
admin-port = $admin
admin-interface = 127.0.0.1
admin-password = bench
smsbox-port = $boxes
smsbox-interface = 127.0.0.1
box-allow-ip = 127.0.0.1
log-level = 4
dlr-storage = internal
sms-incoming-queue-limit = -1
sms-outgoing-queue-limit = -1
$store

group = smsc
smsc = smpp
smsc-id = peer
host = 127.0.0.1
port = $peer
transceiver-mode = true
smsc-username = bench
smsc-password = bench
system-type = bench
max-pending-submits = 1000
enquire-link-interval = 30

group = smsbox
smsbox-id = bench
bearerbox-host = 127.0.0.1
bearerbox-port = $boxes
sendsms-port = $sendsms
sendsms-interface = 127.0.0.1
max-pending-requests = 2048
http-queue-delay = 0
log-level = 4

group = sendsms-user
username = bench
password = bench
max-messages = 1
concatenation = false

group = sms-service
keyword = default
max-messages = 0
text = ""
CONF
}

# kannel STORE: one run; leaves deliveries with receipt a second in $figure.
kannel() {
  rm -rf "$scratch/store" "$scratch/spool"
  start_peer
  configure "$1"
  launch "$scratch/bearerbox.log" bearerbox -v 4 "$scratch/kannel.conf"
  wait_for "$admin" "bearerbox"
  launch "$scratch/smsbox.log" smsbox -v 4 "$scratch/kannel.conf"
  wait_for "$sendsms" "smsbox"
  online
  figure=$("$TOCSIN" bench-kannel --port "$sendsms" --texts "$texts" --connections "${CONNECTIONS:-32}" --text "$text")
  stop_all
}

wait_for() {
  for _ in {1..200}; do
    (exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null && return 0
    sleep 0.05
  done
  tail -n 20 "$scratch/bearerbox.log" "$scratch/smsbox.log" >&2
  die "$2 did not start"
}

# Until Kannel is bound to the peer and its smsbox to it.
online() {
  for _ in {1..200}; do
    if python3 - "$admin" <<'PY'
import sys, urllib.request
page = urllib.request.urlopen(f"http://127.0.0.1:{sys.argv[1]}/status.txt?password=bench", timeout=5).read().decode()
sys.exit(not ("(online" in page and "smsbox" in page))
PY
    then return 0; fi
    sleep 0.1
  done
  die "Kannel did not bind to the load peer"
}

median() { printf '%s\n' "$@" | sort -n | sed -n "$((($# + 1) / 2))p"; }

# The text of tocsin's own measurement, one segment in UCS-2, as it stands in an address.
text=$(python3 -c '
import urllib.parse
print(urllib.parse.quote("【平武水利】山洪灾害预警:平武县,请立即向高处转移,注意安全,听从当地政府指挥。"))')

install_kannel
program
best=0
rows=()
for store in $stores; do
  figures=()
  for ((run = 1; run <= runs; run++)); do
    echo "Kannel, store $store, run $run" >&2
    kannel "$store"
    figures+=("$figure")
  done
  middle=$(median "${figures[@]}")
  ((middle > best)) && best=$middle
  rows+=("| Kannel $(dpkg-query -W -f '${Version}' kannel), store $store | $middle/s |")
done
echo "Tocsin, $runs runs" >&2
"$TOCSIN" bench --only speed --recipients "$texts" --runs "$runs" >"$scratch/tocsin.txt"
tocsin=$(sed -n 's/^| end to end, .* | \([0-9]*\)\/s | .*/\1/p' "$scratch/tocsin.txt")
[[ -n $tocsin ]] || die "no figure in the output of tocsin bench"
((best > 0)) || die "Kannel made no delivery with a receipt"

echo "| $texts texts into the same load peer, median of $runs | deliveries with receipt |"
echo "|---|---|"
printf '%s\n' "${rows[@]}"
echo "| Tocsin, journal with synchronous=FULL | $tocsin/s |"
echo "| Tocsin / Kannel at its best (wanted: $WANTED) | $((tocsin / best)).$((tocsin * 10 / best % 10)) |"
((tocsin >= WANTED * best)) || exit 1
