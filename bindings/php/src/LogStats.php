<?php

declare(strict_types=1);

namespace BlockQueue;

/** The messages of one priority of a topic. */
final class LogStats
{
    /** @internal */
    public function __construct(
        public readonly int $priority,
        public readonly int $lastSequence,
        /** Up to here messages were looked at for removal. */
        public readonly int $trimmedSequence,
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
            $json['last_sequence'],
            $json['trimmed_sequence'],
        );
    }
}
