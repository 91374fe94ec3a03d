<?php

declare(strict_types=1);

namespace BlockQueue;

/** Where a delivery stands. */
enum State: string
{
    /** Not claimed yet. */
    case Pending = 'pending';
    /** Leased to a consumer. */
    case Leased = 'leased';
    /** Waiting for its next attempt, or ready for it. */
    case Retrying = 'retrying';
    /** Waiting behind another delivery of its ordering key. */
    case Parked = 'parked';
    /** Out of attempts, kept for people. */
    case DeadLettered = 'dead_lettered';
    /** Done: acked, cancelled or skipped. */
    case Settled = 'settled';

    /** @internal */
    public static function of(int $number): ?self
    {
        return $number === 0 ? null : self::cases()[$number - 1] ?? null;
    }
}
