<?php

declare(strict_types=1);

namespace BlockQueue\Native;

use FFI;

/**
 * An operation that waits in the library, while signals of this process are handled in between.
 *
 * Invariant: what a claim got and nobody takes is given back, also when a signal's handler throws.
 *
 * @internal
 */
final class Waiting
{
    /** How long signals wait to be handled, in milliseconds. */
    private const SLICE_MS = 100;

    private readonly Library $library;
    private readonly FFI\CData $completions;
    private readonly FFI\CData $items;
    private readonly FFI\CData $count;
    private bool $isOver = false;

    /**
     * @param \Closure(FFI\CData, FFI\CData): int $start is given the completions and the place for an error
     */
    public function __construct(private readonly FFI\CData $queue, \Closure $start)
    {
        $this->library = Library::get();
        $ffi = $this->library->ffi;
        $completions = $ffi->new('bq_completions *');
        $this->library->check($ffi->bq_completions_new(false, FFI::addr($completions), $this->library->error()));
        $this->completions = $completions;
        $this->items = $ffi->new('bq_completion[1]');
        $this->count = $ffi->new('size_t');
        $this->library->check($start($completions, $this->library->error()));
    }

    /** Whether the answer is there; waits for it for so long. Signals are handled meanwhile. */
    public function wait(float $seconds): bool
    {
        $until = hrtime(true) + (int) ($seconds * 1e9);
        while (!$this->isOver) {
            $left = intdiv($until - hrtime(true), 1_000_000);
            $this->look((int) max(0, min($left, self::SLICE_MS)));
            if ($this->isOver || $left <= 0) {
                break;
            }
            if (function_exists('pcntl_signal_dispatch')) {
                pcntl_signal_dispatch();
            }
        }
        return $this->isOver;
    }

    /**
     * The completion, once it is there. What it points to lives as long as this object.
     *
     * @throws \BlockQueue\BlockQueueException if the operation was refused
     */
    public function completion(): FFI\CData
    {
        $item = $this->items[0];
        if ($item->status !== 0) {
            $error = $item->error;
            $item->error = null;
            throw $error === null
                ? $this->library->refused($item->status)
                : $this->library->exception($item->status, $error);
        }
        return $item;
    }

    /** The deliveries of a claim: they are the caller's from now on, and whoever takes them frees them. */
    public function takeDeliveries(): ?FFI\CData
    {
        $item = $this->completion();
        $deliveries = $item->deliveries;
        $item->deliveries = null;
        return $deliveries;
    }

    private function look(int $milliseconds): void
    {
        $error = $this->library->error();
        $count = FFI::addr($this->count);
        $ffi = $this->library->ffi;
        $this->library->check(
            $ffi->bq_completions_wait($this->completions, $milliseconds, $this->items, 1, $count, $error),
        );
        $this->isOver = $this->count->cdata > 0;
    }

    public function __destruct()
    {
        $ffi = $this->library->ffi;
        $item = $this->items[0];
        if ($item->deliveries !== null) {
            $ffi->bq_deliveries_release($this->queue, $item->deliveries, null);
            $ffi->bq_deliveries_free($item->deliveries);
        }
        if ($item->text !== null) {
            $ffi->bq_text_free($item->text);
        }
        if ($item->error !== null) {
            $ffi->bq_error_free($item->error);
        }
        // A claim that is still under way is given back.
        $ffi->bq_completions_free($this->completions);
    }
}
