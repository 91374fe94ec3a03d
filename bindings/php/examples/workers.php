<?php

// Several processes: php examples/workers.php queue.db 4
// Each opens the queue for itself after the fork: a queue belongs to the process that opened it.

declare(strict_types=1);

use BlockQueue\Queue;
use BlockQueue\Worker;

require __DIR__ . '/../vendor/autoload.php';

[, $path, $processes] = $argv + [1 => 'queue.db', 2 => '4'];
$children = [];
for ($at = 0; $at < (int) $processes; ++$at) {
    $child = pcntl_fork();
    if ($child === 0) {
        $worker = new Worker(Queue::open($path), batch: 10);
        $worker->on('orders', 'email', static fn (mixed $order) => print(json_encode($order) . "\n"));
        $worker->run(idle: isset($argv[3]) ? (float) $argv[3] : null);
        exit(0);
    }
    $children[] = $child;
}
// What ends the parent ends the children.
pcntl_async_signals(true);
$pass = static fn (int $signal) => array_map(static fn (int $child) => posix_kill($child, $signal), $children);
pcntl_signal(SIGTERM, $pass);
pcntl_signal(SIGINT, $pass);
foreach ($children as $child) {
    while (pcntl_waitpid($child, $status) === -1) {
        continue;
    }
}
