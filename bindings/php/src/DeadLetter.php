<?php

declare(strict_types=1);

namespace BlockQueue;

use BlockQueue\Native\Time;

/** A delivery out of attempts. */
final class DeadLetter
{
    /** @internal */
    public function __construct(
        public readonly MessageView $message,
        public readonly int $attempts,
        public readonly int $failures,
        /** What went wrong last. */
        public readonly ?string $error,
        public readonly \DateTimeImmutable $deadAt,
    ) {
    }

    /**
     * @internal
     * @param array<string, mixed> $json
     */
    public static function from(array $json): self
    {
        return new self(
            MessageView::from($json['message']),
            $json['attempts'],
            $json['failures'],
            $json['error'],
            Time::instant($json['dead_at']),
        );
    }
}
