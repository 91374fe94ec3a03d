<?php

declare(strict_types=1);

namespace BlockQueue\Queue;

use BlockQueue\Delivery;
use BlockQueue\Message;
use BlockQueue\Nack;
use BlockQueue\Native\Arena;
use BlockQueue\Native\Ids;
use BlockQueue\Native\Time;
use BlockQueue\Settled;
use FFI;

/**
 * Settling many deliveries at once, with an answer for each, and with a reply.
 *
 * @internal
 */
trait SettlingMany
{
    /**
     * Settles a delivery, and stores a reply for whoever waits for the message's result.
     *
     * @param mixed $content bytes, or anything that JSON can hold; up to 1 MiB
     * @param float|null $ttl in seconds: how long it is kept; default 1 h
     */
    public function ackWithResult(Delivery|string $of, mixed $content, ?string $contentType = null, ?float $ttl = null): void
    {
        $reply = $contentType === null ? Message::of($content) : Message::of($content, contentType: $contentType);
        $this->check($this->ffi->bq_queue_ack_with_result(
            $this->handle,
            $this->receiptOf($of),
            $reply->payload,
            strlen($reply->payload),
            $reply->contentType,
            strlen($reply->contentType ?? ''),
            Time::msOrDefault($ttl),
            $this->error,
        ));
    }

    /**
     * Settles up to 1,000 deliveries and answers for each.
     *
     * @param iterable<Delivery|string> $of
     * @return list<Settled>
     */
    public function ackMany(iterable $of): array
    {
        [$receipts, $count] = $this->receiptsOf($of);
        return $this->settledMany($count, fn (FFI\CData $results): int => $this->ffi
            ->bq_queue_ack_batch($this->handle, $receipts, $count, $results, $this->error));
    }

    /**
     * Reports up to 1,000 failures and answers for each.
     *
     * @param iterable<Nack> $nacks
     * @return list<Settled>
     */
    public function nackMany(iterable $nacks): array
    {
        $arena = new Arena($this->ffi);
        $list = [...$nacks];
        $count = count($list);
        $array = $arena->make('bq_nack[' . max($count, 1) . ']');
        foreach ($list as $at => $nack) {
            FFI::memcpy($array[$at]->receipt, self::rawReceipt($nack->of), Ids::RECEIPT_BYTES);
            $array[$at]->options = FFI::addr($this->nackOptions($arena, $nack));
        }
        return $this->settledMany($count, fn (FFI\CData $results): int => $this->ffi
            ->bq_queue_nack_batch($this->handle, $array, $count, $results, $this->error));
    }

    /**
     * Extends up to 1,000 leases and answers for each.
     *
     * @param iterable<Delivery|string> $of
     * @return list<Settled>
     */
    public function extendMany(iterable $of, float $lease): array
    {
        [$receipts, $count] = $this->receiptsOf($of);
        $ms = Time::ms($lease);
        return $this->settledMany($count, fn (FFI\CData $results): int => $this->ffi
            ->bq_queue_extend_batch($this->handle, $receipts, $count, $ms, $results, $this->error));
    }

    /**
     * Puts up to 1,000 deliveries back and answers for each.
     *
     * @param iterable<Delivery|string> $of
     * @param float|list<float> $delay of all, or of each
     * @return list<Settled>
     */
    public function deferMany(iterable $of, float|array $delay = 0.0): array
    {
        $list = [...$of];
        $count = count($list);
        $array = $this->ffi->new('bq_deferral[' . max($count, 1) . ']');
        foreach ($list as $at => $each) {
            FFI::memcpy($array[$at]->receipt, self::rawReceipt($each), Ids::RECEIPT_BYTES);
            $array[$at]->delay_ms = Time::ms(is_array($delay) ? $delay[$at] : $delay);
        }
        return $this->settledMany($count, fn (FFI\CData $results): int => $this->ffi
            ->bq_queue_defer_batch($this->handle, $array, $count, $results, $this->error));
    }

    /**
     * Ends up to 1,000 leased deliveries for good and answers for each.
     *
     * @param iterable<Delivery|string> $of
     * @return list<Settled>
     */
    public function cancelMany(iterable $of, ?string $reason = null): array
    {
        [$receipts, $count] = $this->receiptsOf($of);
        $length = strlen($reason ?? '');
        return $this->settledMany($count, fn (FFI\CData $results): int => $this->ffi
            ->bq_queue_cancel_batch($this->handle, $receipts, $count, $reason, $length, $results, $this->error));
    }

    private function receiptsOf(iterable $of): array
    {
        $bytes = '';
        foreach ($of as $each) {
            $bytes .= self::rawReceipt($each);
        }
        $count = intdiv(strlen($bytes), Ids::RECEIPT_BYTES);
        $array = $this->ffi->new('bq_receipt[' . max($count, 1) . ']');
        FFI::memcpy($array, $bytes, strlen($bytes));
        return [$array, $count];
    }

    private function settledMany(int $count, \Closure $call): array
    {
        $results = $this->ffi->new('bq_settled[' . max($count, 1) . ']');
        $this->check($call($results));
        $out = [];
        for ($at = 0; $at < $count; ++$at) {
            $out[] = $this->settlement($results[$at]);
        }
        return $out;
    }
}
