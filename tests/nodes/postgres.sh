# One private PostgreSQL cluster, reached by TCP only. Sourced, never run.
# shellcheck shell=bash
# shellcheck source=tests/nodes/lib.sh

postgres_ready_seconds_max=30

# Prints the directory of the newest installed server's programs; Debian keeps them off the PATH.
postgres_bin() {
  local newest
  newest=$(printf '%s\n' /usr/lib/postgresql/*/bin/postgres | sort -V | tail -n 1)
  [[ -x $newest ]] || newest=$(command -v postgres) || return 1
  dirname "$newest"
}

# start_postgres DIR: sets `postgres_exports`. fsync stays on: what is measured here is meant to be durable.
# The cluster is thrown away, so it is ended by QUIT, which stops at once and still frees shared memory.
start_postgres() {
  local dir=$1 bin password ports port
  bin=$(postgres_bin) || die "PostgreSQL's server is not installed: tests/nodes/install postgres"
  password=$(random_hex 16)
  pick_ports 1
  port=${ports[0]}
  make_directories "$dir/cluster"
  write_file "$dir/cluster/password" <<<"$password"
  (
    cd "$dir/cluster"
    "${node_as[@]}" "$bin/initdb" --pgdata=data --username=samenloop --pwfile=password --no-sync \
      --auth=scram-sha-256 --encoding=UTF8 --locale=C.UTF-8 >initdb.log 2>&1
  ) || {
    tail -n 15 "$dir/cluster/initdb.log" >&2
    return 1
  }
  spawn "$dir" cluster QUIT HOME="$dir/cluster" LC_ALL=C.UTF-8 "$bin/postgres" -D "$dir/cluster/data" -p "$port" \
    -c listen_addresses=127.0.0.1 -c unix_socket_directories= -c timezone=UTC \
    -c max_connections=300 -c shared_buffers=256MB -c max_wal_size=2GB
  wait_ready "$dir" "$spawned" "$postgres_ready_seconds_max" \
    grep -qs '^ready' "$dir/cluster/data/postmaster.pid" || return 1
  postgres_exports=(TEST_POSTGRES_URL="postgres://samenloop:$password@127.0.0.1:$port/postgres")
}
