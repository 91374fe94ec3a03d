<?php

declare(strict_types=1);

namespace BlockQueue;

use BlockQueue\Native\Time;

/** A schedule. */
final class Schedule
{
    /** @internal */
    public function __construct(
        public readonly string $topic,
        public readonly string $name,
        /** Grows with each change. */
        public readonly int $version,
        public readonly bool $paused,
        /** The next occurrence. */
        public readonly ?\DateTimeImmutable $nextAt,
        /** When it is fired: with its jitter. */
        public readonly ?\DateTimeImmutable $dueAt,
        /** The newest occurrence that was decided about, fired or not. */
        public readonly ?\DateTimeImmutable $lastAt,
        /** An occurrence that waits until the message before is settled. */
        public readonly ?\DateTimeImmutable $queuedAt,
        public readonly \DateTimeImmutable $createdAt,
        public readonly ScheduleOptions $options,
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
            $json['name'],
            $json['version'],
            $json['paused'],
            Time::instantOrNull($json['next_at']),
            Time::instantOrNull($json['due_at']),
            Time::instantOrNull($json['last_at']),
            Time::instantOrNull($json['queued_at']),
            Time::instant($json['created_at']),
            ScheduleOptions::from($json['options']),
        );
    }
}
