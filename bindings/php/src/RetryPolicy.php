<?php

declare(strict_types=1);

namespace BlockQueue;

use BlockQueue\Native\Time;

/** How long a delivery that failed waits for its next attempt. */
final class RetryPolicy
{
    public function __construct(
        /** In seconds: the pause after the first failure. */
        public readonly float $initial = 1.0,
        /** In seconds: no pause is longer. */
        public readonly float $max = 3600.0,
        /** Each pause is so many times the one before. */
        public readonly float $multiplier = 2.0,
        /** A pause is changed at random by up to this part of it. */
        public readonly float $jitter = 0.2,
    ) {
    }

    /** @return array<string, mixed> */
    public function toArray(): array
    {
        return [
            'initial_ms' => Time::ms($this->initial),
            'max_ms' => Time::ms($this->max),
            'multiplier' => $this->multiplier,
            'jitter' => $this->jitter,
        ];
    }

    /**
     * @internal
     * @param array<string, mixed> $json
     */
    public static function from(array $json): self
    {
        $seconds = static fn (string $name): float => Time::seconds($json[$name]);
        return new self($seconds('initial_ms'), $seconds('max_ms'), (float) $json['multiplier'], (float) $json['jitter']);
    }
}
