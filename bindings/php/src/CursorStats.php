<?php

declare(strict_types=1);

namespace BlockQueue;

/** How far a subscriber is in one priority of its topic. */
final class CursorStats
{
    /** @internal */
    public function __construct(
        public readonly int $priority,
        /** Everything up to here was claimed or skipped. */
        public readonly int $sequence,
        public readonly int $lastSequence,
    ) {
    }

    /**
     * @internal
     * @param array<string, mixed> $json
     */
    public static function from(array $json): self
    {
        return new self(
            $json['priority'],
            $json['sequence'],
            $json['last_sequence'],
        );
    }
}
