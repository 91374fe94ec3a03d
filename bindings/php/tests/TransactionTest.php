<?php

declare(strict_types=1);

namespace BlockQueue\Tests;

use BlockQueue\Bytes;
use BlockQueue\InTransactionException;
use BlockQueue\Queue;
use BlockQueue\SqlFailedException;
use BlockQueue\Transaction;
use BlockQueue\TransactionEndedException;
use PHPUnit\Framework\TestCase;

/** Rows of the application and messages of the queue are on disk together, or not at all. */
final class TransactionTest extends TestCase
{
    private Folder $folder;
    private Queue $queue;

    protected function setUp(): void
    {
        $this->folder = new Folder();
        $this->queue = Queue::open("{$this->folder->path}/queue.db");
        $this->queue->createTopic('t', ['s']);
        $this->queue->transaction(static fn (Transaction $tx) => $tx->execute('CREATE TABLE orders (id, about)'));
    }

    public function testACommitKeepsBoth(): void
    {
        $id = $this->queue->transaction(static function (Transaction $tx): string {
            self::assertSame(2, $tx->execute('INSERT INTO orders VALUES (?, ?), (?, ?)', [1, 'a', 2, 'b']));
            return $tx->publish('t', 'paid', priority: 3)->id;
        });
        [$delivery] = $this->queue->claim('t', 's');
        self::assertSame([$id, 3], [$delivery->messageId(), $delivery->priority]);
        $this->queue->transaction(static function (Transaction $tx) use ($delivery): void {
            $tx->execute('DELETE FROM orders WHERE id = ?', [1]);
            $tx->ack($delivery);
        });
        self::assertSame(1, $this->queue->subscriberStats('t', 's')->ackedCount);
        $rows = $this->queue->transaction(static fn (Transaction $tx) => $tx->query('SELECT id FROM orders'));
        self::assertSame([['id' => 2]], $rows);
    }

    public function testAnExceptionLeavesNothing(): void
    {
        try {
            $this->queue->transaction(static function (Transaction $tx): void {
                $tx->execute('INSERT INTO orders VALUES (1, NULL)');
                $tx->publishMany('t', ['x', 'y']);
                throw new \DomainException('no');
            });
            self::fail('it was committed');
        } catch (\DomainException) {
            self::assertSame([], $this->queue->claim('t', 's'));
            $count = $this->queue->transaction(static fn (Transaction $tx) => $tx->query('SELECT count(*) AS n FROM orders'));
            self::assertSame([['n' => 0]], $count);
        }
    }

    public function testValuesComeBackAsTheyWere(): void
    {
        $values = [null, PHP_INT_MIN, 1.5, "ü\0", new Bytes("\xff\0")];
        $rows = $this->queue->transaction(
            static fn (Transaction $tx) => $tx->query('SELECT ? AS a, ? AS b, ? AS c, ? AS d, ? AS e', $values),
        );
        self::assertSame([['a' => null, 'b' => PHP_INT_MIN, 'c' => 1.5, 'd' => "ü\0", 'e' => "\xff\0"]], $rows);
    }

    public function testAStatementThatFailsDoesNotEndIt(): void
    {
        $this->queue->transaction(static function (Transaction $tx): void {
            try {
                $tx->execute('INSERT INTO nowhere VALUES (1)');
                self::fail('it was carried out');
            } catch (SqlFailedException $error) {
                self::assertStringContainsString('nowhere', $error->getMessage());
            }
            $tx->publish('t', 'x');
        });
        self::assertCount(1, $this->queue->claim('t', 's'));
    }

    public function testTheQueueItselfIsRefusedMeanwhile(): void
    {
        $this->expectException(InTransactionException::class);
        $this->queue->transaction(fn () => $this->queue->publish('t', 'x'));
    }

    public function testItIsOverAfterItsEnd(): void
    {
        $transaction = $this->queue->begin();
        $transaction->rollBack();
        $transaction->rollBack();
        $this->expectException(TransactionEndedException::class);
        $transaction->execute('SELECT 1');
    }
}
