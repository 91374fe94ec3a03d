<?php

declare(strict_types=1);

namespace BlockQueue;

/** A failure to report, of a batch. */
final class Nack
{
    public function __construct(
        public readonly Delivery|string $of,
        /** What went wrong, kept with the delivery; cut at 4 KiB. */
        public readonly string|\Throwable|null $error = null,
        /** In seconds; null is what the subscriber's retry policy says. */
        public readonly ?float $delay = null,
        /** Make it a dead letter now, whatever attempts are left. */
        public readonly bool $giveUp = false,
    ) {
    }
}
