<?php

declare(strict_types=1);

namespace BlockQueue\Tests;

use BlockQueue\Delivery;
use BlockQueue\GiveUp;
use BlockQueue\Queue;
use BlockQueue\RetryAfter;
use BlockQueue\State;
use BlockQueue\SubscriberOptions;
use BlockQueue\Worker;
use PHPUnit\Framework\TestCase;

/** A worker settles what its handlers got, whatever they do, and ends when it is told to. */
final class WorkerTest extends TestCase
{
    private Queue $queue;

    protected function setUp(): void
    {
        $this->queue = Queue::open(':memory:');
        $this->queue->createTopic('t', ['s', 'u']);
    }

    public function testHandlersDecideWhatBecomesOfADelivery(): void
    {
        $this->queue->publishMany('t', ['done', 'fails', 'later', 'never']);
        $report = (new Worker($this->queue, batch: 3))
            ->on('t', 's', static fn (string $what) => match ($what) {
                'fails' => throw new \DomainException('no'),
                'later' => throw new RetryAfter(3600.0, 'not yet'),
                'never' => throw new GiveUp('useless'),
                default => null,
            })
            ->run(messages: 4);
        self::assertSame([1, 3, 0], [$report->acked, $report->failed, $report->lost]);
        $stats = $this->queue->subscriberStats('t', 's');
        self::assertSame([1, 2, 1, 0], [$stats->ackedCount, $stats->retryingCount, $stats->deadCount, $stats->leasedCount]);
        self::assertStringContainsString('useless', (string) $this->queue->deadLetters('t', 's')->items[0]->error);
        $later = array_filter(
            $this->queue->peek('t', 's')->items,
            static fn ($each) => $each->status->readyAt > new \DateTimeImmutable('+30 minutes'),
        );
        self::assertCount(1, $later);
    }

    public function testNoSubscriberStarves(): void
    {
        $this->queue->publishMany('t', ['1', '2', '3']);
        $seen = [];
        $note = static function (string $payload, Delivery $delivery) use (&$seen): void {
            $seen[] = $delivery->subscriber;
        };
        (new Worker($this->queue))->on('t', 's', $note)->on('t', 'u', $note)->run(messages: 4);
        self::assertEquals(['s' => 2, 'u' => 2], array_count_values($seen));
    }

    public function testAHandlerThatSettlesByItselfIsCountedAsLost(): void
    {
        $this->queue->publish('t', 'x');
        $report = (new Worker($this->queue))
            ->on('t', 's', static fn (string $payload, Delivery $delivery) => $delivery->cancel())
            ->run(messages: 1);
        self::assertSame(1, $report->lost);
    }

    public function testALeaseIsExtendedWhileItsHandlerRuns(): void
    {
        $this->queue->updateSubscriber('t', 's', new SubscriberOptions(lease: 3.0));
        $this->queue->publish('t', 'x');
        $extended = false;
        (new Worker($this->queue))
            ->on('t', 's', function (string $payload, Delivery $delivery) use (&$extended): void {
                $first = $delivery->leaseExpiresAt();
                $deadline = microtime(true) + 10;
                while (!$extended && microtime(true) < $deadline) {
                    [$status] = $this->queue->message('t', $delivery->messageId())->deliveries;
                    self::assertSame(State::Leased, $status->state);
                    $extended = $status->readyAt > $first->modify('+500 ms');
                    usleep(10_000);
                }
            })
            ->run(messages: 1);
        self::assertTrue($extended);
    }

    public function testAWorkerWithoutWorkEndsWhenItIsTold(): void
    {
        $report = (new Worker($this->queue))->on('t', 's', static fn () => null)->run(idle: 0.05);
        self::assertSame(0, $report->acked);
    }

    public function testASubscriberThatIsMissingIsToldAtOnce(): void
    {
        $this->expectException(\BlockQueue\UnknownSubscriberException::class);
        (new Worker($this->queue))->on('t', 'none', static fn () => null)->run();
    }

    /** The example, as people run it. */
    public function testASignalStopsItAfterTheDeliveryThatIsHandled(): void
    {
        $folder = new Folder();
        $path = "{$folder->path}/queue.db";
        $queue = Queue::open($path);
        $queue->createTopic('orders', ['email']);
        $worker = Child::script(dirname(__DIR__) . '/examples/worker.php', $path);
        self::assertSame('ready', $worker->line());
        $queue->publish('orders', ['id' => 7]);
        self::assertSame('order 7', $worker->line());
        $worker->signal(SIGTERM);
        self::assertSame(0, $worker->wait());
        self::assertSame(1, $queue->subscriberStats('orders', 'email')->ackedCount);
        self::assertSame(0, $queue->subscriberStats('orders', 'email')->leasedCount);
    }
}
