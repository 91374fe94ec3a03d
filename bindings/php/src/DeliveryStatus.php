<?php

declare(strict_types=1);

namespace BlockQueue;

use BlockQueue\Native\Time;

/** Where a message stands with one subscriber. */
final class DeliveryStatus
{
    /** @internal */
    public function __construct(
        public readonly string $subscriber,
        public readonly State $state,
        /** How often it was claimed. */
        public readonly int $attempts,
        /** Attempts that ended badly. */
        public readonly int $failures,
        /** When it can be claimed, or its lease expires. */
        public readonly ?\DateTimeImmutable $readyAt,
    ) {
    }

    /**
     * @internal
     * @param array<string, mixed> $json
     */
    public static function from(array $json): self
    {
        return new self(
            $json['subscriber'],
            State::from($json['state']),
            $json['attempts'],
            $json['failures'],
            Time::instantOrNull($json['ready_at']),
        );
    }
}
