#!/usr/bin/env php
<?php

// What the calls cost from PHP, for `cargo xtask bench php`. Reads "publish N" or "consume N", writes nanoseconds.

declare(strict_types=1);

use BlockQueue\Queue;

require __DIR__ . '/../vendor/autoload.php';

const BATCH = 100;

function publish(Queue $queue, int $count): int
{
    $payload = str_repeat("\0", 100);
    $since = hrtime(true);
    for ($at = 0; $at < $count; ++$at) {
        $queue->publish('t', $payload);
    }
    return hrtime(true) - $since;
}

function consume(Queue $queue, int $count): int
{
    $batch = array_fill(0, 1000, str_repeat("\0", 100));
    for ($at = 0; $at < $count; $at += 1000) {
        $queue->publishMany('t', $batch);
    }
    $since = hrtime(true);
    for ($at = 0; $at < $count; $at += BATCH) {
        $claimed = $queue->claim('t', 's', BATCH);
        assert(count($claimed) === BATCH && strlen($claimed[0]->payload) === 100);
        foreach ($queue->ackMany($claimed) as $settled) {
            $settled->orThrow();
        }
    }
    return hrtime(true) - $since;
}

while (($line = fgets(STDIN)) !== false) {
    [$verb, $count] = explode(' ', trim($line));
    $queue = Queue::open(':memory:');
    $queue->createTopic('t', ['s']);
    echo $verb === 'publish' ? publish($queue, (int) $count) : consume($queue, (int) $count), "\n";
    $queue->shutdown();
}
