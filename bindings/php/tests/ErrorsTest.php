<?php

declare(strict_types=1);

namespace BlockQueue\Tests;

use BlockQueue\BlockQueueException;
use BlockQueue\Native\Library;
use BlockQueue\Queue;
use BlockQueue\ShutdownException;
use PHPUnit\Framework\TestCase;

/** What the queue refuses, in the form that PHP has for it; and nothing that is passed brings the process down. */
final class ErrorsTest extends TestCase
{
    /** @return \Generator<string, array{array{code: string, number: int, retry: string}}> */
    public function codes(): \Generator
    {
        $golden = (string) file_get_contents(dirname(__DIR__, 3) . '/tests/golden/error_codes.json');
        foreach (json_decode($golden, true, 512, JSON_THROW_ON_ERROR) as $code) {
            yield $code['code'] => [$code];
        }
    }

    /**
     * @dataProvider codes
     * @param array{code: string, number: int, retry: string} $code
     */
    public function testEachCodeHasAClassOfItsOwn(array $code): void
    {
        $error = Library::get()->refused($code['number']);
        self::assertNotSame(BlockQueueException::class, $error::class);
        self::assertSame($code['code'], $error->errorCode);
        self::assertSame($code['number'], $error->getCode());
        self::assertSame($code['retry'], $error->retry->value);
    }

    public function testANumberThatNobodyKnowsIsAnErrorAllTheSame(): void
    {
        $error = Library::get()->refused(9999);
        self::assertSame(BlockQueueException::class, $error::class);
    }

    /** @return array<string, array{string, \Closure(Queue): mixed}> */
    public function refusals(): array
    {
        return [
            'no such topic' => ['unknown_topic', static fn (Queue $queue) => $queue->publish('none', 'x')],
            'a name that is not UTF-8' => ['invalid_argument', static fn (Queue $queue) => $queue->publish("\xff", 'x')],
            'a topic that is not UTF-8' => ['invalid_argument', static fn (Queue $queue) => $queue->createTopic("\xff")],
            'settings that are not UTF-8' => [
                'invalid_argument',
                static fn (Queue $queue) => $queue->createTopic('u', ["\xff"]),
            ],
            'a header that is not UTF-8' => [
                'invalid_argument',
                static fn (Queue $queue) => $queue->publish('t', 'x', headers: ['a' => "\xff"]),
            ],
            'a payload that is too large' => [
                'limit_exceeded',
                static fn (Queue $queue) => $queue->publish('t', str_repeat('x', 1 << 21)),
            ],
            'a name that is too long' => [
                'limit_exceeded',
                static fn (Queue $queue) => $queue->createTopic(str_repeat('x', 70_000)),
            ],
            'an empty batch' => ['invalid_argument', static fn (Queue $queue) => $queue->publishMany('t', [])],
            'too large a batch' => [
                'limit_exceeded',
                static fn (Queue $queue) => $queue->publishMany('t', array_fill(0, 1001, 'x')),
            ],
            'a receipt that is none' => ['invalid_receipt', static fn (Queue $queue) => $queue->ack('nonsense')],
            'an id that is none' => ['invalid_argument', static fn (Queue $queue) => $queue->message('t', 'nonsense')],
            'a negative delay' => ['invalid_argument', static fn (Queue $queue) => $queue->publish('t', 'x', delay: -1.0)],
            'no number of seconds' => ['invalid_argument', static fn (Queue $queue) => $queue->claim('t', 's', wait: -INF)],
            'an endless lease' => ['limit_exceeded', static fn (Queue $queue) => $queue->claim('t', 's', lease: INF)],
            'a filter that is none' => ['invalid_argument', static fn (Queue $queue) => $queue->createSubscriber(
                't',
                'u',
                new \BlockQueue\SubscriberOptions(filter: ['nonsense' => 1]),
            )],
        ];
    }

    /**
     * @dataProvider refusals
     * @param \Closure(Queue): mixed $call
     */
    public function testWhatBreaksARuleIsRefused(string $code, \Closure $call): void
    {
        $queue = Queue::open(':memory:');
        $queue->createTopic('t', ['s']);
        try {
            $call($queue);
            self::fail('it was taken');
        } catch (BlockQueueException $error) {
            self::assertContains($error->errorCode, [$code, 'invalid_argument']);
        }
        self::assertSame(0, $queue->topicStats('t')->publishedCount);
    }

    public function testAfterShutdownEverythingIsRefused(): void
    {
        $queue = Queue::open(':memory:');
        $queue->createTopic('t', ['s']);
        $queue->shutdown();
        $queue->shutdown();
        foreach (['publish' => ['t', 'x'], 'claim' => ['t', 's'], 'topic' => ['t'], 'begin' => []] as $method => $arguments) {
            try {
                $queue->{$method}(...$arguments);
                self::fail("{$method} was carried out");
            } catch (ShutdownException $error) {
                self::assertSame('shutdown', $error->errorCode);
            }
        }
    }

    public function testWrongTypesAreErrorsOfPhp(): void
    {
        $queue = Queue::open(':memory:');
        $this->expectException(\TypeError::class);
        $queue->claim('t', ['s']); // @phpstan-ignore-line
    }

    public function testAnOptionThatDoesNotExistIsAnErrorOfPhp(): void
    {
        $queue = Queue::open(':memory:');
        $this->expectException(\Error::class);
        $queue->publish('t', 'x', prioritty: 1);
    }

    public function testWhatJsonCannotHoldIsNotPublished(): void
    {
        $queue = Queue::open(':memory:');
        $queue->createTopic('t');
        $this->expectException(\JsonException::class);
        $queue->publish('t', ["\xff"]);
    }

    public function testAQueueIsNeitherClonedNorSerialized(): void
    {
        $queue = Queue::open(':memory:');
        foreach ([static fn () => clone $queue, static fn () => serialize($queue)] as $attempt) {
            try {
                $attempt();
                self::fail('it was done');
            } catch (\LogicException $error) {
                self::assertStringContainsString('open it again', $error->getMessage());
            }
        }
    }

    public function testAFileThatIsNoDatabaseIsLeftAlone(): void
    {
        $folder = new Folder();
        file_put_contents("{$folder->path}/x", str_repeat('no database ', 1000));
        $this->expectException(\BlockQueue\NotADatabaseException::class);
        Queue::open("{$folder->path}/x");
    }
}
