<?php

declare(strict_types=1);

namespace BlockQueue;

/** The answer to a publish. */
final class Published
{
    /** @internal */
    public function __construct(
        /** The message's id, for all its life. */
        public readonly string $id,
        /** The idempotency key was used before: nothing was published, this is the first message's id. */
        public readonly bool $duplicate,
        /** When it will become deliverable; null is now. */
        public readonly ?\DateTimeImmutable $deliverAt,
        /** Subscribers that the topic has now, each of which will get it. */
        public readonly int $subscriberCount,
    ) {
    }
}
