<?php

declare(strict_types=1);

namespace BlockQueue;

use BlockQueue\Native\Time;

/** What became of one receipt. */
final class Settled
{
    /** @internal */
    public function __construct(
        /** Why it was refused, mostly a LeaseLostException; null if it was not. */
        public readonly ?BlockQueueException $error,
        /** Where the delivery stands now. */
        public readonly ?State $state,
        private readonly int $atMs,
    ) {
    }

    /** When it can be claimed again, for a nack and a deferral; when the lease expires now, for an extension. */
    public function at(): ?\DateTimeImmutable
    {
        return $this->atMs === 0 ? null : Time::instant($this->atMs);
    }

    /** Throws why it was refused, if it was. */
    public function orThrow(): self
    {
        return $this->error === null ? $this : throw $this->error;
    }
}
