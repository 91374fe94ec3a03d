<?php

declare(strict_types=1);

namespace BlockQueue;

use BlockQueue\Native\Time;

/** At most so many claims in so many seconds. */
final class RateLimit
{
    public function __construct(
        public readonly int $count,
        /** In seconds. */
        public readonly float $interval = 1.0,
    ) {
    }

    /** @return array<string, mixed> */
    public function toArray(): array
    {
        return ['count' => $this->count, 'interval_ms' => Time::ms($this->interval)];
    }
}
