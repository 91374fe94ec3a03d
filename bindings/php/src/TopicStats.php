<?php

declare(strict_types=1);

namespace BlockQueue;

/** A topic in numbers. */
final class TopicStats
{
    /** @internal */
    public function __construct(
        public readonly string $topic,
        public readonly bool $paused,
        public readonly int $publishedCount,
        public readonly int $delayedCount,
        /** Messages in the file, settled or not. */
        public readonly int $retainedCount,
        public readonly int $retainedBytes,
        /** @var list<LogStats> */
        public readonly array $logs,
        /** @var list<SubscriberStats> */
        public readonly array $subscribers,
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
            $json['paused'],
            $json['published_count'],
            $json['delayed_count'],
            $json['retained_count'],
            $json['retained_bytes'],
            array_map(LogStats::from(...), $json['logs']),
            array_map(SubscriberStats::from(...), $json['subscribers']),
        );
    }
}
