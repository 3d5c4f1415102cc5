# What the scripts of this directory share. Sourced, never run.
# shellcheck shell=bash

say() { printf '%s\n' "$*" >&2; }

die() {
  say "${0##*/}: $*"
  exit 1
}

# Sets `node_as`, the words before a command that make it run without privileges: PostgreSQL refuses root,
# and a broker needs no more than its own directory. Nothing for a caller who is not root.
choose_node_user() {
  node_as=()
  ((EUID == 0)) || return 0
  local user=samenloop-test
  if ! id "$user" >/dev/null 2>&1; then
    useradd --system --no-create-home --home-dir /nonexistent --shell /usr/sbin/nologin "$user" 2>/dev/null || true
  fi
  id "$user" >/dev/null 2>&1 || user=nobody
  node_as=(setpriv --reuid "$(id -u "$user")" --regid "$(id -g "$user")" --clear-groups --)
}

# make_directories PATH...: as the user the nodes run as.
make_directories() { "${node_as[@]}" mkdir -p -m 700 -- "$@"; }

# write_file PATH: standard input to a file that only the user of the nodes can read.
write_file() { "${node_as[@]}" sh -c 'umask 077 && cat >"$1"' sh "$1"; }

random_hex() { od -An -N "$1" -tx1 /dev/urandom | tr -d ' \n'; }

is_listening() { (exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null; }

# Sets `ports` to COUNT different loopback ports nobody listens on. They lie below the range that the kernel
# gives to outgoing connections. Another process may still take one first: starting a node is tried again then.
pick_ports() {
  local count=$1 port
  ports=()
  while ((${#ports[@]} < count)); do
    port=$((20000 + ((RANDOM << 15) | RANDOM) % 12000))
    [[ " ${ports[*]} " == *" $port "* ]] || is_listening "$port" || ports+=("$port")
  done
}

# spawn DIR NAME SIGNAL COMMAND...: starts COMMAND in a session of its own with an environment of nothing but
# what COMMAND sets, working in DIR/NAME, and records its process id and the signal that ends it.
spawn() {
  local dir=$1 name=$2 signal=$3
  shift 3
  (cd "$dir/$name" && exec setsid "${node_as[@]}" env -i "$@") </dev/null >>"$dir/$name/output.log" 2>&1 &
  spawned=$!
  disown "$spawned"
  printf '%s %s\n' "$spawned" "$signal" >>"$dir/pids"
}

# A process is ours while it works inside our directory. This also sees through a process id used again,
# and a process that has ended but was not yet reaped is gone.
is_ours() {
  local dir=$1 pid=$2 works_in
  works_in=$(readlink "/proc/$pid/cwd" 2>/dev/null) && [[ $works_in == "$dir"/* ]]
}

# stop_process DIR PID SIGNAL: ends the process and all of its session's group; returns when it is gone.
stop_process() {
  local dir=$1 pid=$2 signal=$3 tries
  is_ours "$dir" "$pid" || return 0
  kill -s "$signal" -- "-$pid" 2>/dev/null || true
  for ((tries = 0; tries < 100; tries++)); do
    is_ours "$dir" "$pid" || return 0
    sleep 0.1
  done
  kill -s KILL -- "-$pid" 2>/dev/null || true
}

# stop_recorded DIR: ends what `spawn` started for DIR, the last first.
stop_recorded() {
  local dir=$1 pid signal
  [[ -e $dir/pids ]] || return 0
  while read -r pid signal; do
    stop_process "$dir" "$pid" "$signal"
  done < <(tac "$dir/pids")
  : >"$dir/pids"
}

# wait_ready DIR PID SECONDS PROBE...: true once PROBE succeeds; false if the process ends first or time is up.
wait_ready() {
  local dir=$1 pid=$2 until=$((SECONDS + $3)) seen=no
  shift 3
  while ((SECONDS < until)); do
    if is_ours "$dir" "$pid"; then seen=yes; elif [[ $seen == yes ]]; then return 1; fi
    "$@" && return 0
    sleep 0.1
  done
  return 1
}

# start_retrying DIR NAME STARTER: runs STARTER DIR until it succeeds, at most three times, from nothing each time.
start_retrying() {
  local dir=$1 name=$2 starter=$3 attempt
  for attempt in 1 2 3; do
    "$starter" "$dir/$name.$attempt" && return 0
    say "$name did not start (attempt $attempt of 3); the end of its output:"
    tail -n 15 "$dir/$name.$attempt"/*/output.log >&2 2>/dev/null || true
    stop_recorded "$dir/$name.$attempt"
  done
  return 1
}
