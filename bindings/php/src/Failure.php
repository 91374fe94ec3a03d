<?php

declare(strict_types=1);

namespace BlockQueue;

use BlockQueue\Native\Time;

/** What went wrong once. */
final class Failure
{
    /** @internal */
    public function __construct(
        /** Which failure of the delivery, from 1. */
        public readonly int $failure,
        public readonly ?string $error,
        public readonly \DateTimeImmutable $failedAt,
    ) {
    }

    /**
     * @internal
     * @param array<string, mixed> $json
     */
    public static function from(array $json): self
    {
        return new self(
            $json['failure'],
            $json['error'],
            Time::instant($json['failed_at']),
        );
    }
}
