# One private RabbitMQ node with its management API. Sourced, never run.
# shellcheck shell=bash
# shellcheck source=tests/nodes/lib.sh

# The commands under /usr/sbin refuse every user but root and rabbitmq; these do not.
rabbitmq_bin=/usr/lib/rabbitmq/bin
rabbitmq_ready_seconds_max=90

# start_rabbitmq DIR: sets `rabbitmq_exports`.
# The node has its own name, its own epmd and its own cookie (in HOME), so it meets no other node.
# ERL_AFLAGS keeps the distribution of every Erlang process on loopback, also of the short-lived ones.
start_rabbitmq() {
  local dir=$1 password ports amqp management distribution epmd
  [[ -x $rabbitmq_bin/rabbitmq-server ]] || die "RabbitMQ is not installed: tests/nodes/install rabbit"
  password=$(random_hex 16)
  pick_ports 4
  amqp=${ports[0]} management=${ports[1]} distribution=${ports[2]} epmd=${ports[3]}
  make_directories "$dir/epmd" "$dir/broker/mnesia" "$dir/broker/log"
  write_file "$dir/broker/enabled_plugins" <<<'[rabbitmq_management].'
  write_file "$dir/broker/rabbitmq.conf" <<CONF
listeners.tcp.1 = 127.0.0.1:$amqp
management.tcp.ip = 127.0.0.1
management.tcp.port = $management
default_user = samenloop
default_pass = $password
disk_free_limit.absolute = 100MB
vm_memory_high_watermark.absolute = 2GB
CONF
  local environment=(
    HOME="$dir/broker" PATH="$rabbitmq_bin:/usr/bin:/bin" LC_ALL=C.UTF-8
    ERL_AFLAGS='-kernel inet_dist_use_interface {127,0,0,1}' ERL_CRASH_DUMP=/dev/null
    ERL_EPMD_ADDRESS=127.0.0.1 ERL_EPMD_PORT="$epmd"
  )
  # Started here, so that its process id is known; the node would start one that outlives it.
  spawn "$dir" epmd KILL "${environment[@]}" epmd
  wait_ready "$dir" "$spawned" 10 is_listening "$epmd" || return 1
  spawn "$dir" broker KILL "${environment[@]}" \
    RABBITMQ_NODENAME="samenloop-$(random_hex 6)@localhost" \
    RABBITMQ_NODE_IP_ADDRESS=127.0.0.1 RABBITMQ_NODE_PORT="$amqp" RABBITMQ_DIST_PORT="$distribution" \
    RABBITMQ_MNESIA_BASE="$dir/broker/mnesia" RABBITMQ_LOG_BASE="$dir/broker/log" \
    RABBITMQ_CONFIG_FILE="$dir/broker/rabbitmq.conf" RABBITMQ_CONF_ENV_FILE=/dev/null \
    RABBITMQ_ADVANCED_CONFIG_FILE="$dir/broker/advanced.config" \
    RABBITMQ_ENABLED_PLUGINS_FILE="$dir/broker/enabled_plugins" \
    RABBITMQ_GENERATED_CONFIG_DIR="$dir/broker/generated" RABBITMQ_PID_FILE="$dir/broker/pid" \
    rabbitmq-server
  wait_ready "$dir" "$spawned" "$rabbitmq_ready_seconds_max" \
    rabbitmq_answers "$amqp" "$management" "samenloop:$password" || return 1
  rabbitmq_exports=(
    TEST_AMQP_URL="amqp://samenloop:$password@127.0.0.1:$amqp/%2f"
    TEST_AMQP_MANAGEMENT_URL="http://samenloop:$password@127.0.0.1:$management"
  )
}

# The management API takes our password, so it is our node and no other; then AMQP answers with a method frame.
rabbitmq_answers() { management_answers "$2" "$3" && amqp_answers "$1"; }

management_answers() (
  exec 2>/dev/null 3<>"/dev/tcp/127.0.0.1/$1" || exit 1
  printf 'GET /api/overview HTTP/1.0\r\nAuthorization: Basic %s\r\n\r\n' "$(printf %s "$2" | base64 -w 0)" >&3
  read -r -t 5 reply <&3 && [[ $reply == HTTP/1.?\ 200* ]]
)

amqp_answers() (
  exec 2>/dev/null 3<>"/dev/tcp/127.0.0.1/$1" || exit 1
  printf 'AMQP\0\0\11\1' >&3
  [[ $(timeout 5 head -c 1 <&3 | od -An -tu1) == *1 ]]
)
