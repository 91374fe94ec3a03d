<?php

declare(strict_types=1);

namespace BlockQueue\Tests;

use BlockQueue\LeaseLostException;
use BlockQueue\Message;
use BlockQueue\Queue;
use BlockQueue\ResultState;
use BlockQueue\SubscriberOptions;
use PHPUnit\Framework\TestCase;

/** What crosses between PHP and the library, and how PHP consumes. */
final class QueueTest extends TestCase
{
    private Queue $queue;

    protected function setUp(): void
    {
        $this->queue = Queue::open(':memory:');
        $this->queue->createTopic('t', ['s']);
    }

    /** @return array<string, array{string}> */
    public function payloads(): array
    {
        return [
            'empty' => [''],
            'a zero' => ["a\0b\0"],
            'not UTF-8' => ["\xff\xfe\x80"],
            'all bytes' => [implode('', array_map(chr(...), range(0, 255)))],
            '1 MiB' => [random_bytes(1 << 20)],
        ];
    }

    /** @dataProvider payloads */
    public function testAPayloadComesBackAsItWas(string $payload): void
    {
        $this->queue->publish('t', $payload);
        $this->queue->publishMany('t', [$payload]);
        $this->queue->publishMany('t', [new Message($payload, priority: 1)]);
        $found = [];
        while (($claimed = $this->queue->claim('t', 's')) !== []) {
            array_push($found, ...$claimed);
        }
        self::assertCount(3, $found);
        foreach ($found as $delivery) {
            self::assertSame($payload, $delivery->payload);
        }
    }

    public function testAllThatAMessageHasComesBack(): void
    {
        $at = new \DateTimeImmutable('-1 hour');
        $this->queue->publish('t', new Message(
            'p',
            contentType: 'text/plain',
            headers: ['a' => '1', 'ü' => '', '7' => "z\0z"],
            correlationId: 'c',
            orderingKey: 'k',
            priority: -5,
            deliverAt: $at,
            ttl: 3600.5,
        ));
        [$delivery] = $this->queue->claim('t', 's', lease: 10.0);
        self::assertSame('text/plain', $delivery->contentType);
        self::assertEquals(['a' => '1', 'ü' => '', '7' => "z\0z"], $delivery->headers);
        self::assertSame(['c', 'k', -5], [$delivery->correlationId, $delivery->orderingKey, $delivery->priority]);
        $life = (float) $delivery->expiresAt()?->format('U.u') - (float) $delivery->publishedAt()->format('U.u');
        self::assertEqualsWithDelta(3600.5, $life, 1.0);
        self::assertNull($this->queue->claim('t', 's')[0] ?? null);
    }

    public function testValuesAreJsonAndBytesAreBytes(): void
    {
        $this->queue->publish('t', ['order' => 42, 'ü' => null]);
        $this->queue->publish('t', '{"order":42}');
        [$value, $bytes] = $this->queue->claim('t', 's');
        self::assertSame(['order' => 42, 'ü' => null], $value->content());
        self::assertSame(Message::JSON, $value->contentType);
        self::assertSame('{"order":42}', $bytes->content());
        self::assertSame(['order' => 42], $bytes->json());
    }

    public function testAClaimWaitsForAsLongAsItIsTold(): void
    {
        $since = microtime(true);
        self::assertSame([], $this->queue->claim('t', 's', wait: 0.25));
        self::assertGreaterThanOrEqual(0.25, microtime(true) - $since);
    }

    public function testAClaimIsWokenByAnotherProcess(): void
    {
        $folder = new Folder();
        $path = "{$folder->path}/queue.db";
        $queue = Queue::open($path);
        $queue->createTopic('t', ['s']);
        $child = Child::run('BlockQueue\Queue::open($argv[1])->publish("t", "hello");', $path);
        [$delivery] = $queue->claim('t', 's', wait: 60.0);
        self::assertSame('hello', $delivery->payload);
        self::assertSame(0, $child->wait());
    }

    public function testALoopThatEndsPutsBackWhatItHasNotHandedOut(): void
    {
        $this->queue->publishMany('t', ['1', '2', '3']);
        foreach ($this->queue->consume('t', 's', limit: 3) as $delivery) {
            $delivery->ack();
            break;
        }
        unset($delivery);
        $rest = $this->queue->claim('t', 's');
        self::assertSame(['2', '3'], array_map(static fn ($each) => $each->payload, $rest));
        self::assertSame([1, 1], array_map(static fn ($each) => $each->attempt, $rest));
    }

    public function testASignalEndsAWaitAndLosesNothing(): void
    {
        $before = pcntl_signal_get_handler(SIGALRM);
        pcntl_signal(SIGALRM, static fn () => throw new \DomainException('enough'));
        pcntl_alarm(1);
        try {
            $this->queue->claim('t', 's', wait: 60.0);
            self::fail('it was not interrupted');
        } catch (\DomainException) {
            $this->queue->publish('t', 'x');
            self::assertCount(1, $this->queue->claim('t', 's'));
        } finally {
            pcntl_signal(SIGALRM, $before);
        }
    }

    public function testAReceiptWorksAsTextAndOnlyOnce(): void
    {
        $this->queue->publish('t', 'x');
        [$delivery] = $this->queue->claim('t', 's');
        $this->queue->ack($delivery->receipt());
        [$settled] = $this->queue->extendMany([$delivery], 5.0);
        self::assertInstanceOf(LeaseLostException::class, $settled->error);
        $this->expectException(LeaseLostException::class);
        $delivery->nack();
    }

    public function testAReplyReachesThePublisher(): void
    {
        $id = $this->queue->publish('t', 'x')->id;
        self::assertSame(ResultState::Unsettled, $this->queue->result('t', 's', $id, wait: 0.01)->state);
        [$delivery] = $this->queue->claim('t', 's');
        $this->queue->ackWithResult($delivery, ['sum' => 3]);
        $result = $this->queue->result('t', 's', $id, wait: 5.0);
        self::assertSame([ResultState::Replied, '{"sum":3}'], [$result->state, $result->payload]);
    }

    public function testAnExceptionIsKeptAsTheErrorOfAFailure(): void
    {
        $this->queue->createSubscriber('t', 'once', new SubscriberOptions(maxAttempts: 1));
        $this->queue->publish('t', 'x');
        [$delivery] = $this->queue->claim('t', 'once');
        $delivery->nack(new \RuntimeException("bad \xff bytes"));
        [$dead] = $this->queue->deadLetters('t', 'once')->items;
        self::assertSame('RuntimeException: bad ? bytes', $dead->error);
        self::assertSame(1, $this->queue->redrive('t', 'once'));
    }

    public function testABackupIsAQueue(): void
    {
        $folder = new Folder();
        $this->queue->publish('t', 'x');
        $this->queue->backup("{$folder->path}/copy.db");
        self::assertCount(1, Queue::open("{$folder->path}/copy.db", mustExist: true)->claim('t', 's'));
    }

    public function testMemoryStaysFlat(): void
    {
        $batch = array_fill(0, 500, new Message('x', headers: ['a' => 'b']));
        $round = function () use ($batch): void {
            $this->queue->publishMany('t', $batch);
            $this->queue->ackMany($this->queue->claim('t', 's', 500));
            gc_collect_cycles();
        };
        $resident = static function (): int {
            preg_match('/VmRSS:\s+(\d+)/', (string) file_get_contents('/proc/self/status'), $found);
            return (int) ($found[1] ?? 0);
        };
        for ($at = 0; $at < 50; ++$at) {
            $round();
        }
        $before = $resident();
        for ($at = 0; $at < 150; ++$at) {
            $round();
        }
        self::assertLessThan($before + 8 * 1024, $resident(), 'kB resident');
    }
}
