<?php

declare(strict_types=1);

namespace BlockQueue\Queue;

use BlockQueue\Delivery;
use BlockQueue\Nack;
use BlockQueue\Native\Arena;
use BlockQueue\Native\Ids;
use BlockQueue\Native\Time;
use BlockQueue\Settled;
use BlockQueue\State;
use FFI;

/**
 * Settling a delivery: by the delivery itself, or by the text of its receipt.
 *
 * A receipt that is not live changes nothing: LeaseLostException.
 *
 * @internal
 */
trait Settling
{
    private ?FFI\CData $receipt = null;
    private ?FFI\CData $settled = null;

    /** Settles a delivery: done. It is on disk when this returns, as with everything here. */
    public function ack(Delivery|string $of): void
    {
        $this->check($this->ffi->{self::VERBS . 'ack'}($this->handle, $this->receiptOf($of), $this->error));
    }

    /**
     * Reports a failure: the delivery waits for its next attempt, or becomes a dead letter.
     *
     * @param string|\Throwable|null $error what went wrong, kept with the delivery; cut at 4 KiB
     * @param float|null $delay in seconds; null is what the subscriber's retry policy says
     * @param bool $giveUp make it a dead letter now, whatever attempts are left
     */
    public function nack(
        Delivery|string $of,
        string|\Throwable|null $error = null,
        ?float $delay = null,
        bool $giveUp = false,
    ): Settled {
        $arena = new Arena($this->ffi);
        $options = FFI::addr($this->nackOptions($arena, new Nack($of, $error, $delay, $giveUp)));
        return $this->settledOne(fn (FFI\CData $result): int => $this->ffi
            ->{self::VERBS . 'nack'}($this->handle, $this->receiptOf($of), $options, $result, $this->error));
    }

    /** Makes the lease last until this many seconds from now: up to 12 h. */
    public function extend(Delivery|string $of, float $lease): Settled
    {
        $ms = Time::ms($lease);
        return $this->settledOne(fn (FFI\CData $result): int => $this->ffi
            ->{self::VERBS . 'extend'}($this->handle, $this->receiptOf($of), $ms, $result, $this->error));
    }

    /** Puts a delivery back for so many seconds, or for others at once. The attempt does not count. */
    public function defer(Delivery|string $of, float $delay = 0.0): Settled
    {
        $ms = Time::ms($delay);
        return $this->settledOne(fn (FFI\CData $result): int => $this->ffi
            ->{self::VERBS . 'defer'}($this->handle, $this->receiptOf($of), $ms, $result, $this->error));
    }

    /** Ends a leased delivery for good, as if it had been acked, and keeps the reason with its failures. */
    public function cancel(Delivery|string $of, ?string $reason = null): void
    {
        $length = strlen($reason ?? '');
        $receipt = $this->receiptOf($of);
        $this->check($this->ffi->{self::VERBS . 'cancel'}($this->handle, $receipt, $reason, $length, $this->error));
    }

    private static function rawReceipt(Delivery|string $of): string
    {
        return is_string($of) ? Ids::parseReceipt($of) : $of->rawReceipt();
    }

    private function receiptOf(Delivery|string $of): FFI\CData
    {
        $this->receipt ??= $this->ffi->new('bq_receipt');
        FFI::memcpy($this->receipt, self::rawReceipt($of), Ids::RECEIPT_BYTES);
        return FFI::addr($this->receipt);
    }

    /**
     * @param iterable<Delivery|string> $of
     * @return array{FFI\CData, int}
     */
    private function nackOptions(Arena $arena, Nack $nack): FFI\CData
    {
        $options = $arena->make('bq_nack_options');
        $options->size = FFI::sizeof($options);
        $arena->fill($options->error, $nack->error === null ? null : self::errorText($nack->error));
        $options->has_delay = $nack->delay !== null;
        $options->delay_ms = $nack->delay === null ? 0 : Time::ms($nack->delay);
        $options->give_up = $nack->giveUp;
        return $options;
    }

    private static function errorText(string|\Throwable $error): string
    {
        if (is_string($error)) {
            return $error;
        }
        $text = $error::class . ': ' . $error->getMessage();
        // Kept as text: what is not UTF-8 in a message of somebody else's must not hide the failure.
        return preg_match('//u', $text) === 1 ? $text : (string) preg_replace('/[^\x20-\x7e]/', '?', $text);
    }

    /** @param \Closure(FFI\CData): int $call is given the place for the result */
    private function settledOne(\Closure $call): Settled
    {
        $this->settled ??= $this->ffi->new('bq_settled');
        $this->check($call(FFI::addr($this->settled)));
        return $this->settlement($this->settled);
    }

    /**
     * @param \Closure(FFI\CData): int $call is given an array for the results
     * @return list<Settled>
     */
    private function settlement(FFI\CData $settled): Settled
    {
        $status = $settled->status;
        return new Settled(
            $status === 0 ? null : $this->library->refused($status),
            State::of($settled->state),
            $settled->at_ms,
        );
    }
}
