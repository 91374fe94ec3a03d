<?php

declare(strict_types=1);

namespace BlockQueue\Tests;

use BlockQueue\Queue;
use PHPUnit\Framework\TestCase;

/** A queue belongs to the process that opened it; its children open their own. */
final class ForkTest extends TestCase
{
    public function testAChildIsToldAndOpensItsOwn(): void
    {
        $folder = new Folder();
        $code = <<<'PHP'
            use BlockQueue\Queue;
            $queue = Queue::open($argv[1]);
            $queue->createTopic('t', ['s']);
            $child = pcntl_fork();
            if ($child === 0) {
                try {
                    $queue->publish('t', 'inherited');
                    exit(1);
                } catch (BlockQueue\ForkedException) {
                    Queue::open($argv[1])->publish('t', 'its own');
                    exit(0);
                }
            }
            pcntl_waitpid($child, $status);
            echo pcntl_wifexited($status) ? pcntl_wexitstatus($status) : 'killed', "\n";
            echo $queue->claim('t', 's')[0]->payload, "\n";
            PHP;
        $parent = Child::run($code, "{$folder->path}/queue.db");
        self::assertSame(['0', 'its own'], [$parent->line(), $parent->line()]);
        self::assertSame(0, $parent->wait());
    }

    public function testForkedWorkersShareTheWork(): void
    {
        $folder = new Folder();
        $path = "{$folder->path}/queue.db";
        $queue = Queue::open($path);
        $queue->createTopic('orders', ['email']);
        $queue->publishMany('orders', array_map(static fn (int $id) => ['id' => $id], range(1, 400)));
        $workers = Child::script(dirname(__DIR__) . '/examples/workers.php', $path, '4', '0.2');
        $seen = [];
        while (($line = $workers->line()) !== null) {
            $seen[] = json_decode($line, true)['id'];
        }
        self::assertSame(0, $workers->wait());
        sort($seen);
        self::assertSame(range(1, 400), $seen);
        self::assertSame(400, $queue->subscriberStats('orders', 'email')->ackedCount);
    }
}
