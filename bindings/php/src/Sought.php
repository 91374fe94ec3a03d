<?php

declare(strict_types=1);

namespace BlockQueue;

/** What a seek did, or would do. */
final class Sought
{
    /** @internal */
    public function __construct(
        /** The place lay before what is kept: it went to the oldest message. */
        public readonly bool $clamped,
        /** Messages that come again. */
        public readonly int $replayedCount,
        /** Messages that do not come any more. */
        public readonly int $skippedCount,
        /** Whether the counts are exact, and not upper bounds. */
        public readonly bool $exact,
    ) {
    }

    /**
     * @internal
     * @param array<string, mixed> $json
     */
    public static function from(array $json): self
    {
        return new self(
            $json['clamped'],
            $json['replayed_count'],
            $json['skipped_count'],
            $json['exact'],
        );
    }
}
