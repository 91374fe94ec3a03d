<?php

declare(strict_types=1);

namespace BlockQueue;

use BlockQueue\Native\Time;

/** A subscriber in numbers. */
final class SubscriberStats
{
    /** @internal */
    public function __construct(
        public readonly string $topic,
        public readonly string $subscriber,
        public readonly bool $paused,
        /** Not claimed yet. */
        public readonly int $pendingCount,
        public readonly int $pendingBytes,
        /** Claimable now. */
        public readonly int $readyCount,
        public readonly int $leasedCount,
        public readonly int $retryingCount,
        /** Waiting behind others of their ordering key. */
        public readonly int $parkedCount,
        public readonly int $deadCount,
        /** Whether the counts of what waits are exact, and not upper bounds. */
        public readonly bool $exact,
        /** In seconds, of the oldest that is not settled. */
        public readonly ?float $oldestAge,
        /** @var list<CursorStats> */
        public readonly array $cursors,
        public readonly int $claimedCount,
        public readonly int $ackedCount,
        public readonly int $nackedCount,
        /** Leases that ran out. */
        public readonly int $expiredCount,
        /** Messages that expired before they were claimed. */
        public readonly int $ttlExpiredCount,
        /** Messages that the filter left out. */
        public readonly int $filteredCount,
        /** Messages that a backlog limit removed. */
        public readonly int $droppedCount,
    ) {
    }

    /**
     * @internal
     * @param array<string, mixed> $json
     */
    public static function from(array $json): self
    {
        return new self(
            $json['topic'],
            $json['subscriber'],
            $json['paused'],
            $json['pending_count'],
            $json['pending_bytes'],
            $json['ready_count'],
            $json['leased_count'],
            $json['retrying_count'],
            $json['parked_count'],
            $json['dead_count'],
            $json['exact'],
            $json['oldest_age_ms'] === null ? null : Time::seconds($json['oldest_age_ms']),
            array_map(CursorStats::from(...), $json['cursors']),
            $json['claimed_count'],
            $json['acked_count'],
            $json['nacked_count'],
            $json['expired_count'],
            $json['ttl_expired_count'],
            $json['filtered_count'],
            $json['dropped_count'],
        );
    }
}
