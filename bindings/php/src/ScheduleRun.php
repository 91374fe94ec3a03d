<?php

declare(strict_types=1);

namespace BlockQueue;

use BlockQueue\Native\Time;

/** An entry of a schedule's history. */
final class ScheduleRun
{
    /** @internal */
    public function __construct(
        /** Its number within the schedule, from 1. */
        public readonly int $run,
        public readonly RunStatus $status,
        public readonly ?\DateTimeImmutable $occurrenceAt,
        /** The last of several occurrences that were missed together. */
        public readonly ?\DateTimeImmutable $untilAt,
        /** When it was decided. */
        public readonly \DateTimeImmutable $at,
        public readonly ?string $messageId,
        public readonly ?string $error,
    ) {
    }

    /**
     * @internal
     * @param array<string, mixed> $json
     */
    public static function from(array $json): self
    {
        return new self(
            $json['run'],
            RunStatus::from($json['status']),
            Time::instantOrNull($json['occurrence_at']),
            Time::instantOrNull($json['until_at']),
            Time::instant($json['at']),
            $json['message_id'],
            $json['error'],
        );
    }
}
