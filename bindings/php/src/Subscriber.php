<?php

declare(strict_types=1);

namespace BlockQueue;

use BlockQueue\Native\Time;

/** A named reader of a topic, which gets its own delivery of each message. */
final class Subscriber
{
    /** @internal */
    public function __construct(
        /** Never used again, also after the subscriber is deleted. */
        public readonly int $id,
        public readonly string $topic,
        public readonly string $name,
        public readonly bool $paused,
        public readonly \DateTimeImmutable $createdAt,
        public readonly SubscriberOptions $options,
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
            $json['topic'],
            $json['name'],
            $json['paused'],
            Time::instant($json['created_at']),
            SubscriberOptions::from($json['options']),
        );
    }
}
