<?php

// A worker: php examples/worker.php queue.db
// It ends at SIGTERM and Ctrl-C, after the delivery that is being handled.

declare(strict_types=1);

use BlockQueue\Delivery;
use BlockQueue\Queue;
use BlockQueue\RetryAfter;
use BlockQueue\TopicExistsException;
use BlockQueue\Worker;

require __DIR__ . '/../vendor/autoload.php';

$queue = Queue::open($argv[1] ?? 'queue.db');
try {
    $queue->createTopic('orders', ['email']);
} catch (TopicExistsException) {
    // It was here before.
}

$worker = new Worker($queue);
$worker->on('orders', 'email', static function (array $order, Delivery $delivery): void {
    if (!isset($order['id'])) {
        throw new RetryAfter(60.0, 'an order without a number');
    }
    echo "order {$order['id']}\n";
});
echo "ready\n";
$worker->run();
$queue->shutdown();
