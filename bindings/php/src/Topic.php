<?php

declare(strict_types=1);

namespace BlockQueue;

use BlockQueue\Native\Time;

/** A topic. */
final class Topic
{
    /** @internal */
    public function __construct(
        /** Never used again, also after the topic is deleted. */
        public readonly int $id,
        public readonly string $name,
        public readonly bool $paused,
        public readonly \DateTimeImmutable $createdAt,
        public readonly TopicOptions $options,
    ) {
    }

    /**
     * @internal
     * @param array<string, mixed> $json
     */
    public static function from(array $json): self
    {
        return new self(
            $json['id'],
            $json['name'],
            $json['paused'],
            Time::instant($json['created_at']),
            TopicOptions::from($json['options']),
        );
    }
}
