<?php

// Hands messages from one topic to another, together with programs of other languages on the same file:
// tests/interop/README.md of the repository says how.

declare(strict_types=1);

use BlockQueue\LeaseLostException;
use BlockQueue\Message;
use BlockQueue\Queue;

require __DIR__ . '/../vendor/autoload.php';

[, $file, $from, $subscriber, $to, $count] = $argv;
$left = (int) $count;
$queue = Queue::open($file, mustExist: true);
echo "ready\n";
while ($left > 0) {
    foreach ($queue->claim($from, $subscriber, min($left, 10), wait: 60.0) as $delivery) {
        $queue->publish($to, new Message(
            $delivery->payload,
            contentType: $delivery->contentType,
            headers: $delivery->headers,
            correlationId: $delivery->correlationId,
            idempotencyKey: $delivery->correlationId,
        ));
        try {
            $delivery->ack();
            --$left;
        } catch (LeaseLostException) {
            // Somebody else hands it on.
        }
    }
}
$queue->shutdown();
