//! `samenloop topology apply`: exchanges, queues and permissions of RabbitMQ, from the parties in force.
