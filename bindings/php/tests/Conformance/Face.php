<?php

declare(strict_types=1);

namespace BlockQueue\Tests\Conformance;

use BlockQueue\Native\Library;
use BlockQueue\Native\Waiting;
use BlockQueue\Queue;
use FFI;

/** A queue of its own for each script, whose clock the script moves. */
final class Face
{
    /** 2026-01-01T00:00:00Z. */
    public const START_MS = 1_767_225_600_000;

    private readonly FFI $ffi;
    private readonly FFI\CData $clock;
    public Queue $queue;
    /** @var list<string> */
    public readonly array $has;

    public function __construct(private readonly string $path)
    {
        $this->ffi = Library::get()->ffi;
        $this->clock = $this->ffi->new('bq_clock *');
        Library::get()->check($this->ffi->bq_clock_new(self::START_MS, FFI::addr($this->clock), Library::get()->error()));
        $this->has = ['negative_durations', 'zero_in_text', ...($path === ':memory:' ? [] : ['reopen'])];
        $this->open();
    }

    private function open(): void
    {
        $handle = $this->ffi->new('bq_queue *');
        $library = Library::get();
        $library->check($this->ffi->bq_queue_open_with_clock(
            $this->path,
            strlen($this->path),
            null,
            $this->clock,
            FFI::addr($handle),
            $library->error(),
        ));
        $this->queue = Queue::adopt($handle);
    }

    public function setClock(int $atMs): void
    {
        $library = Library::get();
        $library->check($this->ffi->bq_clock_set($this->clock, $atMs, $library->error()));
    }

    /** @param array<string, mixed> $given */
    public function perform(string $word, array $given): mixed
    {
        if ($word === 'reopen') {
            $this->queue->shutdown();
            $this->open();
            return [];
        }
        return Answers::of($word, Operations::call($this->queue, $word, $given));
    }

    /**
     * Begins an operation that waits.
     *
     * @param array<string, mixed> $given
     * @return array{Waiting, \Closure(): mixed} the wait, and what answers it once it is over
     */
    public function start(string $word, array $given): array
    {
        $wait = ($given['wait_ms'] ?? 0) / 1000;
        if ($word === 'result') {
            $waiting = $this->queue->startResult($given['topic'], $given['subscriber'], $given['message_id'], $wait);
            return [$waiting, fn (): mixed => Answers::of($word, $this->queue->resultOf($waiting, 0.0))];
        }
        $sources = $given['sources'] ?? [['topic' => $given['topic'], 'subscriber' => $given['subscriber']]];
        $sources = array_map(static fn (array $each): array => [$each['topic'], $each['subscriber']], $sources);
        $lease = isset($given['lease_ms']) ? $given['lease_ms'] / 1000 : null;
        $waiting = $this->queue->startClaim($sources, $given['limit'] ?? null, $wait, $lease);
        return [$waiting, fn (): mixed => Answers::of($word, $this->queue->claimed($waiting, 0.0))];
    }

    public function close(): void
    {
        $this->queue->shutdown();
        $this->ffi->bq_clock_free($this->clock);
    }
}
